"""A spreadsheet opens a CSV file with the same texts and no formulas."""

import csv
import io
import itertools
import re
import unicodedata
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ui.kit.csv import csv_bytes, csv_file, guarded_cell
from tests.support.hostile_text import hostile

FORMULAS = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "'=1",
    '"=1',
    "''=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "\u22121",
    "\U000e0041=1",
    "x;=1",
    "x; =1;y",
    "x\n=1",
    "x\t=1",
    "“=HYPERLINK(“https://evil.example”)",
]
DIGITS = ["900000000000000001", "76561198083722517", "007", "1e5", "12E308", " 900000000000000001"]

texts = st.one_of(
    hostile,
    st.lists(st.sampled_from([*FORMULAS, *DIGITS, ";", ",", "\r\n", '"', "'", " ", "a"]), max_size=5).map("".join),
)


def read(data: bytes) -> list[list[str]]:
    """Return the cells of a CSV file."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def begins_a_formula(text: str) -> bool:
    """Return whether a spreadsheet might run this, judged by each character."""
    for letter in text:
        if letter in "\"'`\u00b4\u2018\u2019\u201c\u201d\u201f\u00ab\u00bb\u2039\u203a" or unicodedata.category(
            letter
        ) in {"Cc", "Cf", "Zs", "Zl", "Zp"}:
            continue
        return unicodedata.normalize("NFKC", letter)[0] in "=+-@\u2212"
    return False


def is_harmful(cell: str) -> bool:
    """Return whether a spreadsheet would run a cell, or a part of it behind a separator that is not ours."""
    parts = re.split("[;\t\r\n]", cell)
    return any(begins_a_formula(part) and not part.startswith("'") for part in parts)


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    """No cell begins a formula, whether hidden or behind another separator."""
    ((cell,),) = read(csv_bytes([text], []))

    assert begins_a_formula(text) or is_harmful(text)
    assert not is_harmful(cell)
    assert cell.replace("'", "") == text.replace("'", "")


@given(st.lists(st.lists(texts, min_size=2, max_size=2), max_size=4))
def test_every_cell(rows: list[list[str]]) -> None:
    """A reader gets the same number of cells, each harmless and with the same text besides apostrophes."""
    written = read(csv_bytes(["a", "b"], rows))

    assert [len(row) for row in written] == [2] * (len(rows) + 1)
    for row, cells in zip(rows, written[1:], strict=True):
        assert not any(is_harmful(cell) for cell in cells)
        assert [cell.replace("'", "") for cell in cells] == [
            text.encode("utf-8", "replace").decode().replace("'", "") for text in row
        ]


def guarded_piece_by_piece(text: str) -> str:
    """Return what ``guarded_cell`` is to return, by its definition: each piece is judged by all that follows it."""
    starts = [0, *(found.end() for found in re.finditer("[;\t\r\n]", text)), len(text)]
    pieces = [(text[start:], text[start:end]) for start, end in itertools.pairwise(starts)]
    whole = "".join(f"'{piece}" if begins_a_formula(rest) else piece for rest, piece in pieces)
    is_number = re.fullmatch(r"\d{16,}|0\d+|\d+[eE]\d+", text.strip(" '\"\t\r\n"))
    return f"'{whole}" if is_number else whole


@given(texts)
def test_guard_as_defined(text: str) -> None:
    """Reading the text once gives the same cell as looking ahead from each of its pieces."""
    assert guarded_cell(text) == guarded_piece_by_piece(text)


@pytest.mark.parametrize("text", DIGITS)
def test_digits(text: str) -> None:
    """Text that looks like a number stays text: an id of 18 digits would be rounded."""
    assert read(csv_bytes(["id"], [[text]]))[1] == [f"'{text}"]


def test_other_cells() -> None:
    """Numbers stay numbers unless they are too long, times are ISO 8601 in UTC, None is empty."""
    there = timezone(timedelta(hours=2))
    moment = datetime(2026, 5, 1, 14, 30, tzinfo=there)
    (cells,) = read(csv_bytes(["-"] * 6, [[-5, Decimal("-812.50"), moment, None, 10**17, "AK-47 | Redline"]]))[1:]

    assert cells == ["-5", "-812.50", "2026-05-01T12:30:00+00:00", "", f"'{10**17}", "AK-47 | Redline"]


def test_the_file() -> None:
    """The file is UTF-8 with a byte order mark, has the line ends of RFC 4180, and is named .csv."""
    file = csv_file("audit", ["time", "who"], [[datetime(2026, 5, 1, tzinfo=UTC), "★ é"]])

    assert file.filename == "audit.csv"
    assert file.fp.read() == "\ufefftime,who\r\n2026-05-01T00:00:00+00:00,★ é\r\n".encode()


def test_too_large_for_discord() -> None:
    """A table above 10 MiB is zipped."""
    rows = [[f"AK-47 | Redline {number}" * 5] for number in range(120_000)]
    file = csv_file("inventory", ["name"], rows)
    archive = zipfile.ZipFile(io.BytesIO(file.fp.read()))

    assert file.filename == "inventory.csv.zip"
    assert archive.namelist() == ["inventory.csv"]
    assert len(archive.read("inventory.csv")) > 10 * 2**20
    assert read(archive.read("inventory.csv"))[1:] == rows
    assert archive.infolist()[0].compress_size < 10 * 2**20
