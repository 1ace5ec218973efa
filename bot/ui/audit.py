"""Rows of the audit log in words: the answer to ``/audit``, its file, and posts in the audit channel."""

from collections.abc import Iterator, Mapping

import discord

from bot.domain.audit import (
    PERSONAL_DETAILS,
    VIEWS,
    AuditAction,
    AuditRow,
    DamagedRow,
    PseudonymKind,
    is_erased,
)
from bot.domain.resends import WITHDRAWN
from bot.domain.steam import Game
from bot.languages import LANGUAGES, Message, t, tn, tp
from bot.services.audit import Extract
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import code, labelled, moment, relative, utf16_length

TITLES = {
    AuditAction.GUILD_SEEDED: Message("First rights given to everyone"),
    AuditAction.ACCESS_GRANTED: Message("Capability granted"),
    AuditAction.ACCESS_REVOKED: Message("Capability revoked"),
    AuditAction.LINK_SET: Message("Steam account linked"),
    AuditAction.LINK_REMOVED: Message("Steam account unlinked"),
    AuditAction.SETTINGS_CHANGED: Message("Setting changed"),
    AuditAction.RESEND_REQUESTED: Message("Resend requested"),
    AuditAction.RESEND_APPROVED: Message("Resend approved"),
    AuditAction.RESEND_DENIED: Message("Resend denied"),
    AuditAction.RESEND_EXPIRED: Message("Resend expired"),
    AuditAction.RESEND_CANCELLED: Message("Resend cancelled"),
    # Translators: the card of a request shows the trade as it is now, and waits for a decision on that.
    AuditAction.RESEND_REVISED: Message("Resend shown again: the trade had changed"),
    AuditAction.RESEND_SENDING: Message("Resend being sent"),
    AuditAction.RESEND_SENT: Message("Resend sent"),
    AuditAction.RESEND_FAILED: Message("Resend failed"),
    AuditAction.RESEND_UNKNOWN: Message("Resend outcome unknown"),
    AuditAction.RESEND_RETURNED: Message("Resend pending again"),
    AuditAction.RESENDS_PAUSED: Message("Resends stopped"),
    AuditAction.RESENDS_RESUMED: Message("Resends resumed"),
    AuditAction.INVENTORY_VIEWED: Message("Inventory viewed"),
    AuditAction.TRADES_VIEWED: Message("Trades viewed"),
    AuditAction.WATCH_SET: Message("Trade watched"),
    # Translators: a moderator tells the others that they look at a request.
    AuditAction.RESEND_TAKEN: Message("Resend taken"),
    AuditAction.CUSTOMER_VIEWED: Message("Customer viewed"),
    AuditAction.NOTE_ADDED: Message("Note added"),
    AuditAction.NOTE_REMOVED: Message("Note removed"),
    AuditAction.REFERENCE_VIEWED: Message("Error looked up"),
    AuditAction.AUDIT_VIEWED: Message("Audit log read"),
    # Translators: "views" are the rows that say who looked at whose data.
    AuditAction.VIEWS_REMOVED: Message("Views older than a year removed"),
    AuditAction.DATA_EXPORTED: Message("Own data exported"),
    AuditAction.DATA_ERASED: Message("Own data erased"),
}
"""The name of each action."""

_KINDS: Mapping[tuple[AuditAction, str | None], Message] = {
    (AuditAction.RESEND_CANCELLED, WITHDRAWN): Message("Resend withdrawn"),
    (AuditAction.RESEND_TAKEN, "taken_over"): Message("Resend taken over"),
    # Translators: the moderator who had taken the request no longer looks at it.
    (AuditAction.RESEND_TAKEN, "released"): Message("Resend released"),
}
"""The names of actions that have several kinds."""

_LABELS = {
    "trade": Message("Trade: {value}"),
    "resend": Message("Resend: {value}"),
    "note": Message("Note: {value}"),
    "owner": Message("Owner of the trade: {value}"),
    "requester": Message("Requested by: {value}"),
    "state": Message("State: {value}"),
    "outcome": Message("Outcome: {value}"),
    "provider": Message("Provider: {value}"),
    "source": Message("How: {value}"),
    "instead_of": Message("Instead of: {value}"),
    "reason": Message("Reason: {value}"),
    "views": Message("Views: {value}"),
    # Translators: the numbers of the first and of the last row.
    "first": Message("First row: {value}"),
    "last": Message("Last row: {value}"),
    # Translators: the provider was asked about one trade and answered about this one.
    "answered_about": Message("The answer was about: {value}"),
}
"""How details are shown, if not as their value alone or by their own names."""

_ALONE = frozenset({"capability", "steam_id", "setting", "channel", "role", "language", "game", "reference", "action"})
"""Details whose value says enough."""

_ON_PAGE = frozenset({*_ALONE, "trade", "note", "views", "first", "last"})
"""The details that an answer shows; a post shows all of them, and so does the file."""

_OF_SOMEONE = VIEWS - {AuditAction.AUDIT_VIEWED}
"""Views of the data of one person, or of everyone's if the subject is the guild."""

_OF_ONESELF = frozenset({AuditAction.DATA_EXPORTED, AuditAction.DATA_ERASED})
_ABOUT_LINKS = frozenset({AuditAction.LINK_SET, AuditAction.LINK_REMOVED})
_GAME_LABELS = {game.word: game.label for game in Game}

_ID_KINDS = {PseudonymKind.USER: "user", PseudonymKind.STEAM: "steam"}
_SIGNS = {"channel": "#", "role": "@&"}
"""The prefix of an id in Discord's markup, by the detail that holds it."""
_NOT_SET = {
    "channel": Message("not set", "channel"),
    "role": Message("none", "role"),
    "language": Message("As on Discord"),
}
"""Settings that were taken back."""
_DAMAGED = "damaged"
_SHOWN = 40
"""Characters of a detail in a line; the file has all of it."""
_ROOM = 3_600
"""UTF-16 units of a description for rows; the rest is for the notes below them."""
_DIGITS = 8
"""Digits of a digest in a post."""


def actor_mention(row: AuditRow) -> str:
    """Return the actor of a row."""
    return "SkinDesk" if row.actor == "skindesk" else _mention(row.actor)


def row_line(row: AuditRow, guild_id: int) -> str:
    """Return what was done to whom, and by whom, for the page."""
    details = {name: value for name, value in row.detail.items() if name in _ON_PAGE}
    if row.action not in _ABOUT_LINKS:  # the subject is the same account
        details.pop("steam_id", None)
    facts = [f"**{_title_of(row)()}**", *_subject(row, guild_id), *_facts(details)]
    return " · ".join([*facts, t("By: {who}", who=actor_mention(row))])


def _title_of(row: AuditRow) -> Message:
    """Return the name of a row's action, also of an action that has several kinds."""
    kind = row.detail.get("reason" if row.action is AuditAction.RESEND_CANCELLED else "change")
    return _KINDS.get((row.action, kind), TITLES[row.action])


def _subject(row: AuditRow, guild_id: int) -> list[str]:
    """Return who or what an action was about; nothing if its name says it."""
    if row.subject == "guild":
        # Translators: the data of all customers.
        return [tp("whose data", "everyone")] if row.action in _OF_SOMEONE else []
    return [] if row.action in _OF_ONESELF else [_mention(row.subject, guild_id)]


def _mention(reference: str, guild_id: int | None = None) -> str:
    kind, _, identifier = reference.partition(":")
    match kind:
        case "user":
            return f"<@{identifier}>"
        case "role":
            return "@everyone" if identifier == str(guild_id) else f"<@&{identifier}>"
        case "steam":
            return t("Steam account {account}", account=code(identifier, _SHOWN))
        case "resend":
            # Translators: a request for a resend, by its number.
            return t("Resend {number}", number=identifier)
        case "erased":
            # Translators: their data was erased; the code stands for their name.
            return t("an erased user ({code})", code=code(identifier, 12))
        case _:
            return code(reference, _SHOWN)


def _facts(details: Mapping[str, str]) -> Iterator[str]:
    for name, value in details.items():
        shown = _value(name, value)
        if name in _LABELS:
            yield _LABELS[name](value=shown)
        else:
            yield shown if name in _ALONE else labelled(code(name, _SHOWN), shown)


def _value(name: str, value: str) -> str:
    if name in PERSONAL_DETAILS:
        if is_erased(value):
            return t("an erased user ({code})", code=code(value.partition(":")[2], 12))
        return _mention(f"{_ID_KINDS[PERSONAL_DETAILS[name]]}:{value}") if value.isdecimal() else code(value, _SHOWN)
    if name in _SIGNS and value.isdecimal():
        return f"<{_SIGNS[name]}{value}>"
    if name == "language" and value in LANGUAGES:
        return LANGUAGES[value].formats.name
    if name in _NOT_SET and value == "none":
        return _NOT_SET[name]()
    return _GAME_LABELS.get(value, code(value, _SHOWN)) if name == "game" else code(value, _SHOWN)


def audit_page(extract: Extract, *, guild_id: int) -> tuple[discord.Embed, discord.File | None]:
    """Return the newest rows that fit an embed, and a CSV file with all of them."""
    if not extract.rows:
        nothing = t("No row matches. Leave an option out to see more.")
        return card(title=t("Audit log"), description=nothing, colour=Tone.NEUTRAL), None
    lines, used = [], 0
    for row in extract.rows:
        if isinstance(row, DamagedRow):
            text = t(
                "This row is damaged, or another version of SkinDesk wrote it. Tell the operator: `skindesk check` "
                "names damaged rows."
            )
        else:
            text = f"{relative(row.at)} {row_line(row, guild_id)}"
        line = f"`{row.number}` {text}"
        used += utf16_length(line) + 1
        if used > _ROOM:
            break
        lines.append(line)
    left_out = len(extract.rows) - len(lines)
    notes = []
    if left_out:
        notes.append(
            tn("…and {count} more row, in the file only.", "…and {count} more rows, in the file only.", left_out)
        )
    if extract.has_older:
        notes.append(t("There are older ones: ask with a higher `limit`."))
    embed = card(
        title=tn("Audit log: {count} row", "Audit log: {count} rows", len(extract.rows)),
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
    # SkinDesk itself stops resends only if the answer to a resend was about another trade.
    is_alarm = row.action is AuditAction.RESENDS_PAUSED and row.actor_id is None
    title, facts = _title_of(row)(), [*_subject(row, row.guild_id), *_facts(row.detail)]
    who = f"{t('By: {who}', who=actor_mention(row))} · {moment(row.at)}"
    return card(
        title=t("🚨 ALARM: {what}", what=title) if is_alarm else title,
        description="\n".join(filter(None, [" · ".join(facts), who])),
        colour=Tone.BAD if is_alarm else Tone.NEUTRAL,
        # Translators: a row of the audit log, with its number and the beginning of its digest.
        footer=t(
            "{action} · row {number} · {digest}",
            action=row.action.value,
            number=row.number,
            digest=row.digest[:_DIGITS],
        ),
    )
