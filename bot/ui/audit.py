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
from bot.domain.resends import WITHDRAWN
from bot.domain.steam import Game
from bot.services.audit import Extract
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import NOTHING, code, count, moment, relative, utf16_length

_TEXTS = {
    AuditAction.GUILD_SEEDED: ("First rights given to everyone", "gave @everyone their first rights"),
    AuditAction.ACCESS_GRANTED: ("Capability granted", "granted {capability} to {whom}"),
    AuditAction.ACCESS_REVOKED: ("Capability revoked", "revoked {capability} from {whom}"),
    AuditAction.LINK_SET: ("Steam account linked", "linked {whom} to {steam_id}"),
    AuditAction.LINK_REMOVED: ("Steam account unlinked", "unlinked {whom} from {steam_id}"),
    AuditAction.SETTINGS_CHANGED: ("Setting changed", "set {setting} to {value}"),
    AuditAction.RESEND_REQUESTED: ("Resend requested", "requested {whom}"),
    AuditAction.RESEND_APPROVED: ("Resend approved", "approved {whom}"),
    AuditAction.RESEND_DENIED: ("Resend denied", "denied {whom}"),
    AuditAction.RESEND_EXPIRED: ("Resend expired", "let {whom} expire"),
    AuditAction.RESEND_CANCELLED: ("Resend cancelled", "cancelled {whom}"),
    AuditAction.RESEND_REVISED: ("Resend shown again", "showed {whom} again: the trade had changed"),
    AuditAction.RESEND_SENDING: ("Resend being sent", "began to send {whom}"),
    AuditAction.RESEND_SENT: ("Resend sent", "settled {whom} as sent"),
    AuditAction.RESEND_FAILED: ("Resend failed", "settled {whom} as failed"),
    AuditAction.RESEND_UNKNOWN: ("Resend outcome unknown", "could not tell whether {whom} was sent"),
    AuditAction.RESEND_RETURNED: ("Resend pending again", "put {whom} back to pending"),
    AuditAction.RESENDS_PAUSED: ("Resends stopped", "stopped all resends"),
    AuditAction.RESENDS_RESUMED: ("Resends resumed", "resumed resends"),
    AuditAction.INVENTORY_VIEWED: ("Inventory viewed", "viewed the {game} inventory of {whom}"),
    AuditAction.TRADES_VIEWED: ("Trades viewed", "viewed the trades of {whom}"),
    AuditAction.WATCH_SET: ("Trade watched", "began to watch a trade of {whom}"),
    AuditAction.RESEND_TAKEN: ("Resend taken", "is on {whom}"),
    AuditAction.CUSTOMER_VIEWED: ("Customer viewed", "viewed everything about {whom}"),
    AuditAction.NOTE_ADDED: ("Note added", "added note {note} on {whom}"),
    AuditAction.NOTE_REMOVED: ("Note removed", "removed note {note} on {whom}"),
    AuditAction.REFERENCE_VIEWED: ("Error looked up", "looked up the error {reference} of {whom}"),
    AuditAction.AUDIT_VIEWED: ("Audit log read", "read the audit log"),
    AuditAction.VIEWS_REMOVED: (
        "Old views removed",
        "removed {views} views older than a year, of rows {first} to {last}",
    ),
    AuditAction.DATA_EXPORTED: ("Data exported", "exported their own data"),
    AuditAction.DATA_ERASED: ("Data erased", "had their data erased"),
}
"""The title of each action, and the sentence about it after the name of its actor."""

_KINDS: Mapping[tuple[AuditAction, str | None], tuple[str, str]] = {
    (AuditAction.RESEND_CANCELLED, WITHDRAWN): ("Resend withdrawn", "withdrew {whom}"),
    (AuditAction.RESEND_TAKEN, "taken_over"): ("Resend taken over", "took {whom} over"),
    (AuditAction.RESEND_TAKEN, "released"): ("Resend released", "is no longer on {whom}"),
}

TITLES = {action: title for action, (title, _) in _TEXTS.items()}
_GAME_LABELS = {game.word: game.label for game in Game}

_ID_KINDS = {PseudonymKind.USER: "user", PseudonymKind.STEAM: "steam"}
_SIGNS = {"channel": "#", "role": "@&"}
"""The prefix of an id in Discord's markup, by the detail that holds it."""
_DAMAGED = "cannot be read"
_SHOWN = 40
"""Characters of a detail in a line; the file has all of it."""
_ROOM = 3_600
"""UTF-16 units of a description for rows; the rest is for the notes below them."""
_DIGITS = 8
"""Digits of a digest in a post."""


def actor_mention(row: AuditRow) -> str:
    """Return the actor of a row."""
    return "SkinDesk" if row.actor == "skindesk" else _mention(row.actor)


def row_sentence(row: AuditRow, guild_id: int) -> str:
    """Return what the actor of a row did; missing details are shown as ``–``."""
    facts = defaultdict(lambda: NOTHING, {name: _fact(name, value) for name, value in row.detail.items()})
    trade = f" (trade {facts['trade']})" if "trade" in row.detail else ""
    facts["whom"] = "everyone" if row.subject == "guild" else _mention(row.subject, guild_id) + trade
    facts["value"] = facts["role" if "role" in row.detail else "channel"]
    sentence = _text_of(row)[1].format_map(facts)
    if row.action is AuditAction.AUDIT_VIEWED:
        sentence += "" if row.subject == "guild" else f" about {_mention(row.subject)}"
        sentence += f", {code(row.detail['action'], _SHOWN)} only" if "action" in row.detail else ""
    return sentence


def _text_of(row: AuditRow) -> tuple[str, str]:
    """Return the title of a row's action and the sentence about it, also of an action that has several kinds."""
    kind = row.detail.get("reason" if row.action is AuditAction.RESEND_CANCELLED else "change")
    return _KINDS.get((row.action, kind), _TEXTS[row.action])


def _mention(reference: str, guild_id: int | None = None) -> str:
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
            return f"an erased user ({code(identifier, 12)})"
        case _:
            return code(reference, _SHOWN)


def _fact(name: str, value: str) -> str:
    if name == "steam_id":
        is_gone = is_erased(value)
        return f"an erased account ({code(value.partition(':')[2], 12)})" if is_gone else _mention(f"steam:{value}")
    if name in _SIGNS and value.isdecimal():
        return f"<{_SIGNS[name]}{value}>"
    return _GAME_LABELS.get(value, code(value, _SHOWN)) if name == "game" else code(value, _SHOWN)


def audit_page(extract: Extract, *, guild_id: int) -> tuple[discord.Embed, discord.File | None]:
    """Return the newest rows that fit an embed, and a CSV file with all of them."""
    if not extract.rows:
        nothing = "There are no such rows. Leave an option out to see more."
        return card(title="Audit log", description=nothing, colour=Tone.NEUTRAL), None
    lines, used = [], 0
    for row in extract.rows:
        if isinstance(row, DamagedRow):
            text = "cannot be read: damaged, or of another version. `skindesk check` names damaged rows."
        else:
            text = f"{relative(row.at)} {actor_mention(row)} {row_sentence(row, guild_id)}"
        line = f"`{row.number}` {text}"
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
        title=f"Audit log: {count(len(extract.rows), 'row')}",
        description="\n".join([*lines, *(["", *notes] if notes else [])]),
        colour=Tone.NEUTRAL,
    )
    return embed, audit_file(extract.rows)


def audit_file(rows: tuple[AuditRow | DamagedRow, ...]) -> discord.File:
    """Return rows as a CSV file with a column for each detail; of a damaged row only the number is known."""
    details = sorted({name for row in rows if isinstance(row, AuditRow) for name in row.detail})
    header = ["number", "time", "actor", "action", "subject", *details, "digest"]
    table = [
        [row.number, None, None, _DAMAGED, None, *[None] * len(details), None]
        if isinstance(row, DamagedRow)
        else [
            *(row.number, row.at, row.actor, row.action.value, row.subject),
            *(_cell(name, row.detail.get(name)) for name in details),
            row.digest,
        ]
        for row in rows
    ]
    return csv_file("audit", header, table)


def _cell(name: str, value: str | None) -> str | None:
    """Return a detail with the kind of an id before it, so that spreadsheets keep the id as text."""
    kind = name if name in _SIGNS else _ID_KINDS.get(PERSONAL_DETAILS[name]) if name in PERSONAL_DETAILS else None
    return f"{kind}:{value}" if kind is not None and value is not None and value.isdecimal() else value


def audit_embed(row: AuditRow) -> discord.Embed:
    """Return a row as a post in the audit channel.

    The number and the beginning of the digest reveal whether the log was rewritten later.
    """
    actor = f"<@{row.actor_id}>" if row.actor_id is not None else "SkinDesk"
    facts = [
        f"{name} {f'<{_SIGNS[name]}{value}>' if name in _SIGNS and value.isdecimal() else code(value, 64)}"
        for name, value in row.detail.items()
    ]
    kind, _, identifier = row.subject.partition(":")
    subject = _mention(row.subject, row.guild_id) if kind in ("user", "role") else f"{kind} {identifier}".strip()
    # SkinDesk itself stops resends only if the answer to a resend was about another trade.
    title, _ = _text_of(row)
    is_alarm = row.action is AuditAction.RESENDS_PAUSED and row.actor_id is None
    return card(
        title=f"🚨 ALARM: {title}" if is_alarm else title,
        description="\n".join([f"{actor} · {subject}", " · ".join(facts), moment(row.at)]),
        colour=Tone.BAD if is_alarm else Tone.NEUTRAL,
        footer=f"{row.action.value} · row {row.number} · {row.digest[:_DIGITS]}",
    )
