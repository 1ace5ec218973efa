"""An audit entry as a post: who did what to whom."""

import discord

from bot.domain.audit import AuditAction, AuditEntry, AuditRow
from bot.ui.audit.messages import TITLES
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import code, moment

_DIGITS = 8
"""Hexadecimal digits of a digest that a post shows."""


def audit_embed(entry: AuditEntry, row: AuditRow | None = None) -> discord.Embed:
    """Return the post for an entry. It holds ids and words of SkinDesk only, and where ``row`` stands in the record."""
    actor = f"<@{entry.actor_id}>" if entry.actor_id is not None else "SkinDesk"
    facts = [f"{name} {_value(name, value)}" for name, value in entry.detail.items()]
    # Nobody stopped them: the answer to a resend was about another trade.
    alarms = entry.action is AuditAction.RESENDS_PAUSED and entry.actor_id is None
    return card(
        title=f"🚨 ALARM: {TITLES[entry.action]}" if alarms else TITLES[entry.action],
        description="\n".join([f"{actor} · {_subject(entry)}", " · ".join(facts), moment(entry.at)]),
        colour=Tone.BAD if alarms else Tone.NEUTRAL,
        footer=" · ".join([entry.action.value, *_anchor(row)]),
    )


def _anchor(row: AuditRow | None) -> list[str]:
    """Return a row's number and the beginning of its digest: enough to tell a record that was rewritten since."""
    return [] if row is None else [f"row {row.number}", *([row.digest[:_DIGITS]] if row.digest else [])]


def _subject(entry: AuditEntry) -> str:
    kind, _, identifier = entry.subject.partition(":")
    if kind == "user":
        return f"<@{identifier}>"
    if kind == "role":
        return "@everyone" if identifier == str(entry.guild_id) else f"<@&{identifier}>"
    return f"{kind} {identifier}".strip()


def _value(name: str, value: str) -> str:
    return f"<#{value}>" if name == "channel" else code(value, 64)
