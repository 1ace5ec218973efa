"""Who did what to whom, as the record has it, in words."""

from collections import defaultdict
from collections.abc import Mapping

from bot.domain.audit import AuditAction, AuditRow, is_erased
from bot.domain.steam import Game
from bot.ui.kit.text import NOTHING, code

TITLES = {
    AuditAction.GUILD_SEEDED: "First rights given to everybody",
    AuditAction.ACCESS_GRANTED: "Capability granted",
    AuditAction.ACCESS_REVOKED: "Capability revoked",
    AuditAction.LINK_SET: "Steam account linked",
    AuditAction.LINK_REMOVED: "Steam account unlinked",
    AuditAction.SETTINGS_CHANGED: "Setting changed",
    AuditAction.RESEND_REQUESTED: "Resend requested",
    AuditAction.RESEND_APPROVED: "Resend approved",
    AuditAction.RESEND_DENIED: "Resend denied",
    AuditAction.RESEND_EXPIRED: "Resend expired",
    AuditAction.RESEND_CANCELLED: "Resend cancelled",
    AuditAction.RESEND_REVISED: "Resend shown anew",
    AuditAction.RESEND_SENDING: "Resend being sent",
    AuditAction.RESEND_SENT: "Resend sent",
    AuditAction.RESEND_FAILED: "Resend failed",
    AuditAction.RESEND_UNKNOWN: "Resend in doubt",
    AuditAction.RESEND_RETURNED: "Resend pending again",
    AuditAction.RESENDS_PAUSED: "Resends stopped",
    AuditAction.RESENDS_RESUMED: "Resends resumed",
    AuditAction.INVENTORY_VIEWED: "Inventory looked at",
    AuditAction.TRADES_VIEWED: "Trades looked at",
    AuditAction.AUDIT_VIEWED: "Record read",
    AuditAction.DATA_EXPORTED: "Data exported",
    AuditAction.DATA_ERASED: "Data forgotten",
}
"""What was done, as a title."""

_DEEDS = {
    AuditAction.GUILD_SEEDED: "gave @everyone their first rights",
    AuditAction.ACCESS_GRANTED: "granted {capability} to {whom}",
    AuditAction.ACCESS_REVOKED: "revoked {capability} from {whom}",
    AuditAction.LINK_SET: "linked {whom} to {steam_id}",
    AuditAction.LINK_REMOVED: "unlinked {whom} from {steam_id}",
    AuditAction.SETTINGS_CHANGED: "set {setting} to {channel}",
    AuditAction.RESEND_REQUESTED: "requested {whom}",
    AuditAction.RESEND_APPROVED: "approved {whom}",
    AuditAction.RESEND_DENIED: "denied {whom}",
    AuditAction.RESEND_EXPIRED: "let {whom} expire",
    AuditAction.RESEND_CANCELLED: "cancelled {whom}",
    AuditAction.RESEND_REVISED: "showed {whom} anew: the trade had changed",
    AuditAction.RESEND_SENDING: "began to send {whom}",
    AuditAction.RESEND_SENT: "settled {whom} as sent",
    AuditAction.RESEND_FAILED: "settled {whom} as failed",
    AuditAction.RESEND_UNKNOWN: "is in doubt about {whom}",
    AuditAction.RESEND_RETURNED: "put {whom} back to pending",
    AuditAction.RESENDS_PAUSED: "stopped all resends",
    AuditAction.RESENDS_RESUMED: "resumed resends",
    AuditAction.INVENTORY_VIEWED: "looked at the {game} inventory of {whom}",
    AuditAction.TRADES_VIEWED: "looked at the trades of {whom}",
    AuditAction.AUDIT_VIEWED: "read the record",
    AuditAction.DATA_EXPORTED: "exported their own data",
    AuditAction.DATA_ERASED: "had their data forgotten",
}

_GAME_LABELS = {game.word: game.label for game in Game}

_SHOWN = 40
"""Characters of one fact in a line; the file has all of it."""


def who_did(row: AuditRow) -> str:
    """Return the actor of a row, as markdown."""
    return "SkinDesk" if row.actor == "skindesk" else named(row.actor)


def deed(row: AuditRow, guild_id: int) -> str:
    """Return what a row tells of, as the rest of a sentence that begins with who did it. It is markdown."""
    words = _DEEDS[row.action].format_map(_facts(row, guild_id))
    if row.action is AuditAction.AUDIT_VIEWED:
        about = "" if row.subject == "guild" else f" about {named(row.subject)}"
        only = f", {code(row.detail['action'], _SHOWN)} only" if "action" in row.detail else ""
        return f"{words}{about}{only}"
    return words


def named(reference: str, guild_id: int | None = None) -> str:
    """Return somebody or something that a row names, as markdown; ``guild_id`` tells @everyone from other roles."""
    kind, _, identifier = reference.partition(":")
    match kind:
        case "user":
            return f"<@{identifier}>"
        case "role":
            return "@everyone" if identifier == str(guild_id) else f"<@&{identifier}>"
        case "steam":
            return f"Steam {code(identifier, _SHOWN)}"
        case "resend":
            return f"resend {identifier}"
        case "erased":
            return f"somebody forgotten ({code(identifier, 12)})"
        case _:
            return code(reference, _SHOWN)


def _facts(row: AuditRow, guild_id: int) -> Mapping[str, str]:
    """Return what the sentences can name: to whom it was done, and the details; ``–`` for one that is missing."""
    facts = defaultdict(lambda: NOTHING, {name: _fact(name, value) for name, value in row.detail.items()})
    trade = f" (trade {facts['trade']})" if "trade" in row.detail else ""
    facts["whom"] = "everybody" if row.subject == "guild" else named(row.subject, guild_id) + trade
    return facts


def _fact(name: str, value: str) -> str:
    if name == "steam_id":
        forgotten = is_erased(value)
        return f"a forgotten account ({code(value.partition(':')[2], 12)})" if forgotten else named(f"steam:{value}")
    if name == "channel" and value.isdecimal():
        return f"<#{value}>"
    return _GAME_LABELS.get(value, code(value, _SHOWN)) if name == "game" else code(value, _SHOWN)
