"""What a CSV file is to the spreadsheet that opens it: text, the same text, and never a formula."""

import csv
import io
import re
import unicodedata
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.ui.kit.csv import csv_bytes, csv_file
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
    """Return the cells as any reader of CSV sees them."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def begins_a_formula(text: str) -> bool:
    """Say whether a spreadsheet might calculate this, judged letter by letter."""
    for letter in text:
        if letter in "\"'`\u00b4\u2018\u2019\u201c\u201d\u201f\u00ab\u00bb\u2039\u203a" or unicodedata.category(
            letter
        ) in {"Cc", "Cf", "Zs", "Zl", "Zp"}:
            continue
        return unicodedata.normalize("NFKC", letter)[0] in "=+-@\u2212"
    return False


def is_harmful(cell: str) -> bool:
    """Say whether a spreadsheet would make something else of a cell, in whichever country it was made for.

    A cell that begins with the apostrophe which was put there is text; what begins behind a separator that is not
    ours is judged like a cell of its own.
    """
    parts = re.split("[;\t\r\n]", cell)
    return any(begins_a_formula(part) and not part.startswith("'") for part in parts)


def unguarded(cell: str) -> str:
    """Take off the apostrophes that were put before something dangerous."""

    def is_guard(place: int) -> bool:
        return (place == 0 or cell[place - 1] in ";\t\r\n") and (
            begins_a_formula(cell[place + 1 :])
            or (
                place == 0
                and re.fullmatch(r"[ '\"\t\r\n]*(\d{16,}|0\d+|\d+[eE]\d+)[ '\"\t\r\n]*", cell[1:]) is not None
            )
        )

    return "".join(letter for place, letter in enumerate(cell) if letter != "'" or not is_guard(place))


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    """No cell begins a formula, however it is hidden, and whichever sign separates cells where it is opened."""
    ((cell,),) = read(csv_bytes([text], []))

    assert begins_a_formula(text) or is_harmful(text)
    assert not is_harmful(cell)
    assert cell.replace("'", "") == text.replace("'", "")


@given(st.lists(st.lists(texts, min_size=2, max_size=2), max_size=4))
@example([["'=1", "a;'=1"]])
@example([["''", "'"]])
def test_every_cell(rows: list[list[str]]) -> None:
    """Whatever the texts, a reader gets as many cells as were written, each harmless and each the same text."""
    written = read(csv_bytes(["a", "b"], rows))

    assert [len(row) for row in written] == [2] * (len(rows) + 1)
    for row, cells in zip(rows, written[1:], strict=True):
        assert not any(is_harmful(cell) for cell in cells)
        assert [unguarded(cell) for cell in cells] == [text.encode("utf-8", "replace").decode() for text in row]


@pytest.mark.parametrize("text", DIGITS)
def test_digits(text: str) -> None:
    """What only looks like a number stays text: an id of 18 digits would be rounded."""
    assert read(csv_bytes(["id"], [[text]]))[1] == [f"'{text}"]


def test_other_cells() -> None:
    """Numbers stay numbers unless they are too long for one, moments are ISO 8601 in UTC, nothing is empty."""
    there = timezone(timedelta(hours=2))
    moment = datetime(2026, 5, 1, 14, 30, tzinfo=there)
    (cells,) = read(csv_bytes(["-"] * 6, [[-5, Decimal("-812.50"), moment, None, 10**17, "AK-47 | Redline"]]))[1:]

    assert cells == ["-5", "-812.50", "2026-05-01T12:30:00+00:00", "", f"'{10**17}", "AK-47 | Redline"]


def test_the_file() -> None:
    """The file is UTF-8 with its mark, its lines end as RFC 4180 has it, and it is called a CSV."""
    file = csv_file("audit", ["time", "who"], [[datetime(2026, 5, 1, tzinfo=UTC), "★ é"]])

    assert file.filename == "audit.csv"
    assert file.fp.read() == "\ufefftime,who\r\n2026-05-01T00:00:00+00:00,★ é\r\n".encode()


def test_too_large_for_discord() -> None:
    """A table above 10 MiB, as four providers' largest inventories can make one, comes as an archive of it."""
    rows = [[f"AK-47 | Redline {number}" * 5] for number in range(120_000)]
    file = csv_file("inventory", ["name"], rows)
    archive = zipfile.ZipFile(io.BytesIO(file.fp.read()))

    assert file.filename == "inventory.csv.zip"
    assert archive.namelist() == ["inventory.csv"]
    assert len(archive.read("inventory.csv")) > 10 * 2**20
    assert read(archive.read("inventory.csv"))[1:] == rows
    assert archive.infolist()[0].compress_size < 10 * 2**20
