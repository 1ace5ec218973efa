"""An audit entry as a post: who did what to whom."""

import discord

from bot.domain.audit import AuditAction, AuditEntry
from bot.ui.layout import Tone, card
from bot.ui.text import code, moment

_TITLES = {
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
    AuditAction.RESENDS_HALTED: "Resends stopped",
    AuditAction.RESENDS_RESUMED: "Resends resumed",
    AuditAction.INVENTORY_LOOKED: "Inventory looked at",
    AuditAction.TRADES_LOOKED: "Trades looked at",
    AuditAction.AUDIT_LOOKED: "Record read",
    AuditAction.DATA_EXPORTED: "Data exported",
    AuditAction.DATA_FORGOTTEN: "Data forgotten",
}


def audit_embed(entry: AuditEntry) -> discord.Embed:
    """Return the post for an entry. It holds ids and words of SkinDesk only."""
    actor = f"<@{entry.actor_id}>" if entry.actor_id is not None else "SkinDesk"
    facts = [f"{name} {_value(name, value)}" for name, value in entry.detail.items()]
    # Nobody stopped them: the answer to a resend was about another trade.
    alarms = entry.action is AuditAction.RESENDS_HALTED and entry.actor_id is None
    return card(
        title=f"🚨 ALARM: {_TITLES[entry.action]}" if alarms else _TITLES[entry.action],
        description="\n".join([f"{actor} · {_subject(entry)}", " · ".join(facts), moment(entry.at)]),
        colour=Tone.BAD if alarms else Tone.NEUTRAL,
        footer=entry.action.value,
    )


def _subject(entry: AuditEntry) -> str:
    kind, _, identifier = entry.subject.partition(":")
    if kind == "user":
        return f"<@{identifier}>"
    if kind == "role":
        return "@everyone" if identifier == str(entry.guild_id) else f"<@&{identifier}>"
    return f"{kind} {identifier}".strip()


def _value(name: str, value: str) -> str:
    return f"<#{value}>" if name == "channel" else code(value, 64)
