"""Rows of the audit log in words: the answer to ``/audit``, its file, and posts in the audit channel."""

from collections import defaultdict
from collections.abc import Mapping

import discord

from bot.domain.audit import (
    PERSONAL_DETAILS,
    AuditAction,
    AuditRow,
    DamagedRow,
    PseudonymKind,
    is_erased,
)
from bot.domain.steam import Game
from bot.services.audit import Extract
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import NOTHING, code, count, moment, relative, utf16_length

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
    AuditAction.RESEND_REVISED: "Resend shown again",
    AuditAction.RESEND_SENDING: "Resend being sent",
    AuditAction.RESEND_SENT: "Resend sent",
    AuditAction.RESEND_FAILED: "Resend failed",
    AuditAction.RESEND_UNKNOWN: "Resend outcome unknown",
    AuditAction.RESEND_RETURNED: "Resend pending again",
    AuditAction.RESENDS_PAUSED: "Resends stopped",
    AuditAction.RESENDS_RESUMED: "Resends resumed",
    AuditAction.INVENTORY_VIEWED: "Inventory viewed",
    AuditAction.TRADES_VIEWED: "Trades viewed",
    AuditAction.AUDIT_VIEWED: "Audit log read",
    AuditAction.DATA_EXPORTED: "Data exported",
    AuditAction.DATA_ERASED: "Data erased",
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
    AuditAction.RESEND_REVISED: "showed {whom} again: the trade had changed",
    AuditAction.RESEND_SENDING: "began to send {whom}",
    AuditAction.RESEND_SENT: "settled {whom} as sent",
    AuditAction.RESEND_FAILED: "settled {whom} as failed",
    AuditAction.RESEND_UNKNOWN: "could not tell whether {whom} was sent",
    AuditAction.RESEND_RETURNED: "put {whom} back to pending",
    AuditAction.RESENDS_PAUSED: "stopped all resends",
    AuditAction.RESENDS_RESUMED: "resumed resends",
    AuditAction.INVENTORY_VIEWED: "viewed the {game} inventory of {whom}",
    AuditAction.TRADES_VIEWED: "viewed the trades of {whom}",
    AuditAction.AUDIT_VIEWED: "read the audit log",
    AuditAction.DATA_EXPORTED: "exported their own data",
    AuditAction.DATA_ERASED: "had their data erased",
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
        erased = is_erased(value)
        return f"a forgotten account ({code(value.partition(':')[2], 12)})" if erased else named(f"steam:{value}")
    if name == "channel" and value.isdecimal():
        return f"<#{value}>"
    return _GAME_LABELS.get(value, code(value, _SHOWN)) if name == "game" else code(value, _SHOWN)


_ROOM = 3_600
"""Units for the rows: what an embed's description takes, less what stands below them."""

_ID_KINDS = {PseudonymKind.USER: "user", PseudonymKind.STEAM: "steam"}


_DAMAGED = "cannot be read"
"""What the file says in place of a damaged row's deed."""


def audit_page(extract: Extract, *, guild_id: int) -> tuple[discord.Embed, discord.File | None]:
    """Return as many rows as an embed holds, the newest first, and a file with all of them where there are any."""
    if not extract.rows:
        nothing = "Nothing of that kind has been written down. Leave an option out to see more."
        return card(title="The record", description=nothing, colour=Tone.NEUTRAL), None
    lines, used = [], 0
    for row in extract.rows:
        line = f"`{row.number}` {_told(row, guild_id)}"
        used += utf16_length(line) + 1
        if used > _ROOM:
            break
        lines.append(line)
    left_out = len(extract.rows) - len(lines)
    notes = []
    if left_out:
        notes.append(f"…and {count(left_out, 'more row')} that {'is' if left_out == 1 else 'are'} in the file only.")
    if extract.has_older:
        notes.append("There are older ones: ask with a higher `limit`.")
    embed = card(
        title=f"The record: {count(len(extract.rows), 'row')}",
        description="\n".join([*lines, *(["", *notes] if notes else [])]),
        colour=Tone.NEUTRAL,
    )
    return embed, audit_file(extract.rows)


def _told(row: AuditRow | DamagedRow, guild_id: int) -> str:
    if isinstance(row, DamagedRow):
        return "cannot be read: damaged, or of another version. `skindesk check` names damaged rows."
    return f"{relative(row.at)} {who_did(row)} {deed(row, guild_id)}"


def audit_file(rows: tuple[AuditRow | DamagedRow, ...]) -> discord.File:
    """Return rows as a CSV file with a column for each fact that any of them has; a damaged one is a number alone."""
    facts = sorted({name for row in rows if isinstance(row, AuditRow) for name in row.detail})
    header = ["number", "time", "actor", "action", "subject", *facts, "digest"]
    return csv_file(
        "audit",
        header,
        (
            [row.number, None, None, _DAMAGED, None, *(None for _ in facts), None]
            if isinstance(row, DamagedRow)
            else [
                row.number,
                row.at,
                row.actor,
                row.action.value,
                row.subject,
                *(_cell(name, row.detail.get(name)) for name in facts),
                row.digest,
            ]
            for row in rows
        ),
    )


def _cell(name: str, value: str | None) -> str | None:
    """Return a detail as the file has it: an id says what it is of, and so stays text in every spreadsheet."""
    kind = (
        _ID_KINDS.get(PERSONAL_DETAILS[name]) if name in PERSONAL_DETAILS else "channel" if name == "channel" else None
    )
    return f"{kind}:{value}" if kind is not None and value is not None and value.isdecimal() else value


_DIGITS = 8
"""Hexadecimal digits of a digest that a post shows."""


def audit_embed(row: AuditRow) -> discord.Embed:
    """Return the post for a row, with its number and the beginning of its digest."""
    actor = f"<@{row.actor_id}>" if row.actor_id is not None else "SkinDesk"
    facts = [f"{name} {_value(name, value)}" for name, value in row.detail.items()]
    # SkinDesk paused them itself: the answer to a resend was about another trade.
    alarms = row.action is AuditAction.RESENDS_PAUSED and row.actor_id is None
    return card(
        title=f"🚨 ALARM: {TITLES[row.action]}" if alarms else TITLES[row.action],
        description="\n".join([f"{actor} · {_post_subject(row)}", " · ".join(facts), moment(row.at)]),
        colour=Tone.BAD if alarms else Tone.NEUTRAL,
        footer=f"{row.action.value} · row {row.number} · {row.digest[:_DIGITS]}",
    )


def _post_subject(row: AuditRow) -> str:
    kind, _, identifier = row.subject.partition(":")
    if kind == "user":
        return f"<@{identifier}>"
    if kind == "role":
        return "@everyone" if identifier == str(row.guild_id) else f"<@&{identifier}>"
    return f"{kind} {identifier}".strip()


def _value(name: str, value: str) -> str:
    return f"<#{value}>" if name == "channel" and value.isdecimal() else code(value, 64)
