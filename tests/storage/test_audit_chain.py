"""Whoever changes the record is found, and the check names the row."""

# ruff: noqa: S608 -- the statements are put together of words in this file

import asyncio
import hashlib
import json
import random
import sqlite3
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest

from bot.domain.audit import AuditAction, ChainReport, DamagedRow
from bot.storage.audit.check import check
from bot.storage.audit.log import SqliteAuditRepository, verify_file, write_down
from bot.storage.database import Database
from bot.storage.errors import DatabaseUnusable
from tests.contracts.samples import GUILD
from tests.storage.records import by_hand, faults, first_release, varied, written

COLUMNS = ("guild_id", "at", "actor", "action", "subject", "detail", "digest")


@pytest.fixture
async def record(path: Path) -> Path:
    await written(path, varied())
    return path


async def test_untouched(record: Path) -> None:
    """A record that nobody touched has no fault, and all its rows are read."""
    assert await verify_file(record) == ChainReport(60)


async def test_empty(path: Path) -> None:
    """A record without a row has no fault."""
    await written(path, [])

    assert await verify_file(path) == ChainReport(0)


async def test_what_a_digest_is(record: Path) -> None:
    """Anybody can recompute the chain: the SHA-256 of the digest before and the row as compact JSON in ASCII."""
    before = bytes(32)
    with by_hand(record) as connection:
        for *row, digest in connection.execute(f"SELECT id, {', '.join(COLUMNS)} FROM audit ORDER BY id"):
            before = hashlib.sha256(before + json.dumps(row, separators=(",", ":")).encode()).digest()
            assert digest == before


def _flipped(value: object, chance: random.Random) -> bytes:
    """Return a value's bytes with one bit turned."""
    stored = bytearray(value if isinstance(value, bytes) else str(value).encode())
    stored[chance.randrange(len(stored))] ^= 1 << chance.randrange(8)
    return bytes(stored)


@pytest.mark.parametrize("column", COLUMNS)
async def test_changed_column(record: Path, column: str) -> None:
    """One bit in any column of any row: the check names that row and no other."""
    chance = random.Random(column)  # noqa: S311 -- which bit
    with by_hand(record) as connection:
        for number in range(1, 61):
            (value,) = connection.execute(f"SELECT {column} FROM audit WHERE id = {number}").fetchone()
            if value is None:
                changed: object = "0123456789abcdef0123"
            elif isinstance(value, int):
                changed = value ^ 1 << chance.randrange(40)
            else:
                changed = _flipped(value, chance)
            taken = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
            connection.execute(f"UPDATE audit SET {column} = {taken} WHERE id = {number}", (changed,))
            assert list(await faults(record)) == [number], changed
            connection.execute(f"UPDATE audit SET {column} = ? WHERE id = {number}", (value,))

    assert await faults(record) == {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE audit SET at = at + 1 WHERE id = 30", {30: "changed"}),
        ("UPDATE audit SET at = at + 1 WHERE id IN (30, 32)", {30: "changed", 32: "changed"}),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", {1: "changed"}),
        ("UPDATE audit SET at = at + 1 WHERE id = 60", {60: "changed"}),
        ("UPDATE audit SET actor = NULL WHERE id = 31", {31: "changed"}),
        ("UPDATE audit SET digest = zeroblob(32) WHERE id = 30", {30: "digest"}),
        ("UPDATE audit SET digest = x'00' WHERE id = 30", {30: "digest"}),
        ("UPDATE audit SET digest = x'' WHERE id = 60", {60: "changed"}),
        ("UPDATE audit SET action = CAST(x'ff' AS TEXT) WHERE id = 30", {30: "unreadable"}),
        ("DELETE FROM audit WHERE id = 30", {30: "missing", 31: "unproven"}),
        ("DELETE FROM audit WHERE id = 1", {1: "missing", 2: "unproven"}),
        ("DELETE FROM audit WHERE id BETWEEN 30 AND 32", {**dict.fromkeys(range(30, 33), "missing"), 33: "unproven"}),
        ("DELETE FROM audit WHERE id = 60", {60: "cut_off"}),
        ("DELETE FROM audit WHERE id > 57", dict.fromkeys(range(58, 61), "cut_off")),
        ("DELETE FROM audit", dict.fromkeys(range(1, 61), "cut_off")),
        ("UPDATE audit SET id = 70 WHERE id = 60", {**dict.fromkeys(range(60, 70), "missing"), 70: "unproven"}),
        ("UPDATE audit SET id = -1 WHERE id = 60", {-1: "inserted", 60: "cut_off"}),
        ("DELETE FROM sqlite_sequence WHERE name = 'audit'", {60: "sequence"}),
        ("UPDATE sqlite_sequence SET seq = 58 WHERE name = 'audit'", {60: "sequence"}),
        ("UPDATE sqlite_sequence SET seq = 61 WHERE name = 'audit'", {61: "cut_off"}),
    ],
)
async def test_changed_record(record: Path, change: str, found: dict[int, str]) -> None:
    """What was changed, taken out, cut off or renumbered is named, with a word for how it shows."""
    with by_hand(record) as connection:
        connection.execute(change)
    if "SET id = 70" in change:
        with by_hand(record) as connection:
            connection.execute("UPDATE sqlite_sequence SET seq = 70 WHERE name = 'audit'")

    assert await faults(record) == found


async def test_swapped_rows(record: Path) -> None:
    """Two rows in each other's place are both named."""
    with by_hand(record) as connection:
        for change in ("999 WHERE id = 20", "20 WHERE id = 40", "40 WHERE id = 999"):
            connection.execute(f"UPDATE audit SET id = {change}")
        connection.execute("UPDATE sqlite_sequence SET seq = 60")

    assert await faults(record) == {20: "changed", 21: "unproven", 40: "changed", 41: "unproven"}


async def test_swapped_contents(record: Path) -> None:
    """Rows that keep number and digest but have changed contents are named, and nobody else."""
    names = ", ".join(COLUMNS[:-1])
    with by_hand(record) as connection:
        rows = {n: connection.execute(f"SELECT {names} FROM audit WHERE id = {n}").fetchone() for n in (20, 40)}
        for to, source in ((20, 40), (40, 20)):
            connection.execute(f"UPDATE audit SET ({names}) = (?, ?, ?, ?, ?, ?) WHERE id = {to}", rows[source])

    assert await faults(record) == {20: "changed", 40: "changed"}


async def test_inserted_row(record: Path) -> None:
    """A row that somebody adds at the end is named; what SkinDesk adds after it is right."""
    with by_hand(record) as connection:
        names = ", ".join(COLUMNS)
        connection.execute(f"INSERT INTO audit ({names}) SELECT {names} FROM audit WHERE id = 60")
    await written(record, varied(2))

    assert await faults(record) == {61: "changed"}


async def test_written_after_a_cut(record: Path) -> None:
    """What is written later does not take the place of rows that were cut off."""
    with by_hand(record) as connection:
        connection.execute("DELETE FROM audit WHERE id > 58")
    await written(record, varied(1))

    assert await faults(record) == {59: "missing", 60: "missing"}


async def test_rewritten_row(record: Path) -> None:
    """Whoever changes a row and makes its digest fit is betrayed by the row after it."""
    with by_hand(record) as connection:
        (before,) = connection.execute("SELECT digest FROM audit WHERE id = 29").fetchone()
        connection.execute("UPDATE audit SET at = at + 1 WHERE id = 30")
        row = connection.execute(f"SELECT id, {', '.join(COLUMNS[:-1])} FROM audit WHERE id = 30").fetchone()
        fitting = hashlib.sha256(before + json.dumps(row, separators=(",", ":")).encode()).digest()
        connection.execute("UPDATE audit SET digest = ? WHERE id = 30", (fitting,))

    assert await faults(record) == {31: "changed"}


async def test_id_in_the_record(record: Path) -> None:
    """A row that names somebody by their id is a fault, though the chain be right: it could never be forgotten."""
    async with Database.open(record) as db:
        (last,) = await db.read("SELECT * FROM audit WHERE id = 60")
    with by_hand(record) as connection:
        row = [61, GUILD, 1, None, "link.set", "user:800000000000000001", "{}"]
        digest = hashlib.sha256(last["digest"] + json.dumps(row, separators=(",", ":")).encode()).digest()
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, digest))

    assert await faults(record) == {61: "named"}


async def test_lost_record(record: Path) -> None:
    """A record that is mostly gone is told in a bounded report."""
    with by_hand(record) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 4611686018427387904 WHERE name = 'audit'")

    assert len((await verify_file(record)).faults) == 1000


async def test_open_database(record: Path) -> None:
    """The check works beside the bot, and what is written during it is not part of it."""
    async with Database.open(record) as db:
        audit = SqliteAuditRepository(db)
        checking = asyncio.create_task(audit.verify())
        entry = varied(1)[0]
        while not checking.done():
            await audit.append(entry)

        assert (await checking).faults == ()
        assert (await audit.verify()).faults == ()


async def test_written_during_the_check(db: Database) -> None:
    """A row that is added after the check has looked where the end is does not count as one too many."""
    audit = SqliteAuditRepository(db)
    await audit.append(varied(1)[0])

    async def read(sql: str, parameters: Mapping[str, object]) -> Iterable[sqlite3.Row]:
        rows = await db.read(sql, parameters)
        await audit.append(varied(1)[0])
        return rows

    assert await check(read) == ChainReport(1)


async def test_event_loop_during_the_check(db: Database) -> None:
    """While thousands of rows are checked nothing else waits long."""
    await db.write(_many)
    loop = asyncio.get_running_loop()
    checking = asyncio.create_task(SqliteAuditRepository(db).verify())
    longest = 0.0
    while not checking.done():
        began = loop.time()
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - began)

    assert await checking == ChainReport(3000)
    assert longest < 1


async def _many(connection) -> None:
    for entry in varied(3000):
        await write_down(connection, entry)


async def test_two_hundred_at_once(db: Database) -> None:
    """Units that are asked for at the same time are chained one after the other, those that fail leave no gap."""

    async def unit(n: int, connection) -> None:
        for entry in varied(n % 3 + 1):
            await write_down(connection, entry)
            await asyncio.sleep(0)
        if n % 10 == 9:
            raise LookupError(n)

    ends = await asyncio.gather(*(db.write(partial(unit, n)) for n in range(200)), return_exceptions=True)

    assert sum(isinstance(end, LookupError) for end in ends) == 20
    assert await SqliteAuditRepository(db).verify() == ChainReport(sum(n % 3 + 1 for n in range(200) if n % 10 != 9))


async def test_digest_in_a_row(db: Database) -> None:
    """A row that is read shows where the chain stood after it."""
    audit = SqliteAuditRepository(db)
    await audit.append(varied(1)[0])
    (row,) = await audit.newest(GUILD, limit=1)
    (stored,) = await db.read("SELECT digest FROM audit")

    assert row.action is AuditAction.GUILD_SEEDED
    assert row.digest == stored["digest"].hex()


def test_earlier_schema(path: Path) -> None:
    """A database that no present version has opened yet has no chain to check, and is not changed by asking."""
    first_release(path, varied(3))
    before = path.read_bytes()

    with pytest.raises(DatabaseUnusable, match="schema 1"):
        asyncio.run(verify_file(path))

    assert path.read_bytes() == before


def test_no_database(path: Path) -> None:
    """What is not there, or no database, is refused with the reason; nothing is made."""
    with pytest.raises(DatabaseUnusable, match="unable to open"):
        asyncio.run(verify_file(path))
    assert not path.exists()

    path.write_bytes(b"the notes of last week's meeting\n" * 40)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        asyncio.run(verify_file(path))


@pytest.mark.parametrize(
    "change",
    [
        "action = 'access.grantee'",
        "action = CAST(x'ff' AS TEXT)",
        "actor = CAST(x'ff' AS TEXT)",
        "subject = CAST(x'ff' AS TEXT)",
        "detail = 'steam_id'",
        "detail = '[]'",
        "detail = '{\"trade\": 4812}'",
        "detail = CAST(x'ff' AS TEXT)",
        "at = 9223372036854775807",
    ],
)
async def test_reading_a_damaged_row(record: Path, change: str) -> None:
    """A row that cannot be read is shown as one among the others; whoever asks for what rows say gets the others."""
    async with Database.open(record) as db:
        audit = SqliteAuditRepository(db)
        before = await audit.newest_as_found(GUILD, limit=99)
        with by_hand(record) as connection:
            connection.execute(f"UPDATE audit SET {change} WHERE id = 30")

        found = await audit.newest_as_found(GUILD, limit=99)
        assert found == [DamagedRow(30) if row.number == 30 else row for row in before]
        assert await audit.newest(GUILD, limit=99) == [row for row in before if row.number != 30]
    assert list(await faults(record)) == [30]
