"""The answer to ``/audit``: the newest rows in words, and all of them as a file."""

import discord

from bot.domain.audit import PERSONAL_DETAILS, AuditRow, DamagedRow, PseudonymKind
from bot.services.audit import Extract
from bot.ui.audit.messages import deed, who_did
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import count, relative, utf16_length

_ROOM = 3_600
"""Units for the rows: what an embed's description takes, less what stands below them."""

_IDS = {PseudonymKind.USER: "user", PseudonymKind.STEAM: "steam"}


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
                *(_fact(name, row.detail.get(name)) for name in facts),
                row.digest,
            ]
            for row in rows
        ),
    )


def _fact(name: str, value: str | None) -> str | None:
    """Return a detail as the file has it: an id says what it is of, and so stays text in every spreadsheet."""
    kind = _IDS.get(PERSONAL_DETAILS[name]) if name in PERSONAL_DETAILS else "channel" if name == "channel" else None
    return f"{kind}:{value}" if kind is not None and value is not None and value.isdecimal() else value
