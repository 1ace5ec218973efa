"""Writes tables as CSV files that a spreadsheet opens without acting on them and without losing digits.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, also behind blanks and quotes,
and where it separates at semicolons such a cell may begin in the middle of one of ours. It takes a long row of digits
for a number and rounds it. An apostrophe before either keeps it text: the same one that people type by hand.
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
"""What a cell can hold. Text is guarded; numbers stay numbers; a moment is written as ISO 8601, UTC; None is empty."""

_MOST_BYTES = 10 * 1024 * 1024
"""What Discord takes as a file."""

_EXACT_DIGITS = 15
"""Digits that a spreadsheet's number keeps."""

_FORMULA = "=+-@\N{MINUS SIGN}"
"""Signs that a formula begins with, in their plain shape: some spreadsheets take the wide ones for the same."""

_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_QUOTES = frozenset({"Pi", "Pf"})
_SEPARATORS = ";\t\r\n"
"""Signs at which some spreadsheets begin a new cell, in the middle of one of ours."""

_NUMBER = re.compile(rf"\d{{{_EXACT_DIGITS + 1},}}|0\d+|\d+[eE]\d+")
"""Digits that would come out as another text than they went in."""


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> discord.File:
    """Return a table as a file to attach; ``name`` without its ending. What is too large for Discord is zipped."""
    table, file_name = csv_bytes(header, rows), f"{name}.csv"
    if len(table) <= _MOST_BYTES:
        return discord.File(io.BytesIO(table), filename=file_name)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file_name, table)
    zipped.seek(0)
    return discord.File(zipped, filename=f"{file_name}.zip")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as RFC 4180 has it, with the byte order mark by which spreadsheets recognise UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([guarded_cell(title) for title in header])
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def guarded_cell(text: str) -> str:
    """Return text that no spreadsheet takes for anything but text.

    Where what is to be guarded begins with an apostrophe itself it gets another one: so the guard can be undone.
    """
    starts = [0, *(place + 1 for place, letter in enumerate(text) if letter in _SEPARATORS)]
    pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    guarded = [f"'{piece}" if _is_formula(text, start) else piece for start, piece in zip(starts, pieces, strict=True)]
    whole = "".join(guarded)
    return f"'{whole}" if _NUMBER.fullmatch(text.strip(" '\"\t\r\n")) else whole


def _is_formula(text: str, start: int) -> bool:
    """Say whether the first sign from ``start`` on that is neither blank nor a quote is one that begins a formula."""
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
