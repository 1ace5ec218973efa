"""Every single byte of a row in the closed file counts: whichever is changed, the check names the row."""

import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.storage.audit.log import SqliteAuditRepository, concerning, verify_file
from bot.storage.errors import DatabaseUnusable
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BENS_ACCOUNT, GUILD
from tests.storage.records import varied, written

ROWS = (1, 7, 24, 38, 53, 60)


class _Row:
    """Where a row's bytes are in the file."""

    def __init__(self, path: Path, number: int) -> None:
        connection = sqlite3.connect(path)
        query = "SELECT guild_id, at, actor, action, subject, detail, digest FROM audit WHERE id = ?"
        guild_id, at, *texts, digest = connection.execute(query, (number,)).fetchone()
        connection.close()
        values = guild_id.to_bytes(8) + at.to_bytes(6) + b"".join((text or "").encode() for text in texts) + digest
        content = path.read_bytes()
        assert content.count(values) == 1
        self.start = content.index(values)
        self.end = self.start + len(values)
        before = content[self.start - 10 : self.start]
        self.types = before if before[0] == 10 else before[1:]
        """How the row is stored: how many bytes say so, then one each for the place of the id and the columns."""
        assert self.types[0] == len(self.types)


@pytest.fixture
async def record(path: Path) -> Path:
    await written(path, varied())
    return path


async def _found(path: Path, position: int, mask: int) -> list[int] | None:
    """Return the rows that the check names while one byte is changed; None where the whole file is refused."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        (byte,) = os.pread(descriptor, 1, position)
        os.pwrite(descriptor, bytes([byte ^ mask]), position)
        try:
            return [fault.number for fault in (await verify_file(path)).faults]
        except DatabaseUnusable:
            return None
        finally:
            os.pwrite(descriptor, bytes([byte]), position)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("number", ROWS)
async def test_values(record: Path, number: int) -> None:
    """A change in any byte of what a row says is that row's fault and no other's."""
    chance = random.Random(number)  # noqa: S311 -- which bits
    row = _Row(record, number)

    for position in range(row.start, row.end):
        assert await _found(record, position, chance.randrange(1, 256)) == [number], position - row.start

    assert (await verify_file(record)).faults == ()


@pytest.mark.parametrize("number", ROWS)
async def test_types(record: Path, number: int) -> None:
    """A change in how a row is stored can make it unreadable, and the row behind it unproven; the row is named.

    What stands in the place of the id, which is kept elsewhere, and other spellings of NULL mean the same as before.
    """
    row = _Row(record, number)

    for position, byte in enumerate(row.types, row.start - len(row.types)):
        for mask in (0x01, 0x0A, 0x80, 0xFF):
            found = await _found(record, position, mask)
            means_the_same = byte == 0 and mask == 0x0A
            assert found in ([], [number]) if means_the_same else found in ([number], [number, number + 1])


class _File:
    """Reads a closed file as a repository reads its database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        connection = sqlite3.connect(self._path)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()


async def _all_of(path: Path) -> tuple[dict[int, object], set[int]]:
    """Return a guild's rows by their numbers, and the numbers of those that concern somebody."""
    file: Any = _File(path)
    found = await SqliteAuditRepository(file).newest_as_found(GUILD, limit=99)
    accounts = [ADAS_ACCOUNT.value, BENS_ACCOUNT.value]
    concerned = await concerning(file, GUILD, user_id=ADA, steam_ids=accounts)
    return {row.number: row for row in found}, {row.number for row in concerned}


@pytest.mark.parametrize("number", ROWS[:4])
async def test_reading_all_the_same(record: Path, number: int) -> None:
    """Whatever byte of what a row says is changed, the rows beside it are read as before."""
    chance = random.Random(number)  # noqa: S311 -- which bits
    row, sound = _Row(record, number), record.read_bytes()
    rows, concerned = await _all_of(record)
    assert number in rows, "a row of this guild"

    for position in range(row.start, row.end):
        content = bytearray(sound)
        content[position] ^= chance.randrange(1, 256)
        record.write_bytes(content)
        rows_now, concerned_now = await _all_of(record)
        assert rows_now.keys() == rows.keys()
        assert {each for each in rows if rows[each] != rows_now[each]} <= {number}
        assert concerned - concerned_now <= {number}
