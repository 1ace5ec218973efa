"""Writes CSV files that are safe to open in a spreadsheet.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, even behind blanks and quotes. If
it splits cells at semicolons, such a cell may begin in the middle of one of ours. It also rounds long numbers. An
apostrophe in front keeps either as text.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

import discord

Cell: TypeAlias = str | int | Decimal | datetime | None
"""Text is guarded, numbers stay numbers, times are written as ISO 8601 in UTC, None is empty."""

_MOST_BYTES = 10 * 1024 * 1024
"""Discord's limit for a file."""

_EXACT_DIGITS = 15
"""The digits of a number that a spreadsheet keeps."""

_FORMULA = "=+-@\N{MINUS SIGN}"
"""First characters of formulas; some spreadsheets accept their full-width forms too."""

_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_QUOTES = frozenset({"Pi", "Pf"})
_SEPARATORS = ";\t\r\n"
"""Characters at which some spreadsheets begin a new cell."""

_NUMBER = re.compile(rf"\d{{{_EXACT_DIGITS + 1},}}|0\d+|\d+[eE]\d+")
"""Digits that a spreadsheet would change."""


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> discord.File:
    """Return a table as a file to attach, zipped if it is too large for Discord. ``name`` has no extension."""
    table, file_name = csv_bytes(header, rows), f"{name}.csv"
    if len(table) <= _MOST_BYTES:
        return discord.File(io.BytesIO(table), filename=file_name)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file_name, table)
    zipped.seek(0)
    return discord.File(zipped, filename=f"{file_name}.zip")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as RFC 4180 CSV, with the byte order mark that tells spreadsheets it is UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([guarded_cell(title) for title in header])
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def guarded_cell(text: str) -> str:
    """Return text that a spreadsheet shows as text. Text with an apostrophe of its own gets a second one."""
    starts = [0, *(place + 1 for place, letter in enumerate(text) if letter in _SEPARATORS)]
    pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    guarded = [f"'{piece}" if _is_formula(text, start) else piece for start, piece in zip(starts, pieces, strict=True)]
    whole = "".join(guarded)
    return f"'{whole}" if _NUMBER.fullmatch(text.strip(" '\"\t\r\n")) else whole


def _is_formula(text: str, start: int) -> bool:
    """Return whether the first character from ``start`` on, besides blanks and quotes, begins a formula."""
    for place in range(start, len(text)):
        letter = text[place]
        category = unicodedata.category(letter)
        if category not in _UNSEEN and category not in _QUOTES and letter not in "\"'`\N{ACUTE ACCENT}":
            return unicodedata.normalize("NFKC", letter)[0] in _FORMULA
    return False


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return guarded_cell(cell)
        case datetime():
            return cell.astimezone(UTC).isoformat()
        case Decimal():
            return f"{cell:f}"
        case _:
            return str(cell) if abs(cell) < 10**_EXACT_DIGITS else f"'{cell}"
