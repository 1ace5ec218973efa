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
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
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
_HARMLESS = re.compile(rf"[^\W_][^{_SEPARATORS}]*+")
"""Most texts: they begin with a letter or a digit, and are one piece."""

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
    whole = text if _HARMLESS.fullmatch(text) else "".join(reversed(list(_guarded_pieces(text))))
    return f"'{whole}" if _NUMBER.fullmatch(text.strip(" '\"\t\r\n")) else whole


def _guarded_pieces(text: str) -> Iterator[str]:
    """Yield the pieces of a text from the last to the first, which reads no character twice."""
    end = len(text)
    begins_formula = False  # whether the first visible character from here on does
    for place in range(end - 1, -1, -1):
        letter = text[place]
        if letter in _SEPARATORS:
            yield f"'{text[place + 1 : end]}" if begins_formula else text[place + 1 : end]
            end = place + 1
        if (begins := _begins_formula(letter)) is not None:
            begins_formula = begins
    yield f"'{text[:end]}" if begins_formula else text[:end]


@lru_cache(maxsize=4_096)
def _begins_formula(letter: str) -> bool | None:
    """Return whether a visible character begins a formula; None for blanks and quotes, which may stand before one."""
    category = unicodedata.category(letter)
    if category in _UNSEEN or category in _QUOTES or letter in "\"'`\N{ACUTE ACCENT}":
        return None
    return unicodedata.normalize("NFKC", letter)[0] in _FORMULA


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
