"""A record of the first release becomes a chained one: whole, in its order, with nobody's id in it, or not at all."""

import asyncio
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.audit import AuditAction, ChainReport, PseudonymKind
from bot.storage.audit.copy import copy_audit
from bot.storage.audit.log import SqliteAuditRepository
from bot.storage.audit.pseudonyms import forget_person
from bot.storage.database import Database
from bot.storage.errors import DatabaseUnusable
from bot.storage.schema import bundled
from tests.contracts.samples import ADA, GUILD, OTHER_GUILD
from tests.storage.processes import line, running
from tests.storage.records import as_read, by_hand, faults, first_release, read_back, varied, without_digests, written

ID = re.compile(r"[0-9]{17}")

COPY_AND_HANG = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from bot.storage.audit.copy import copy_audit
from bot.storage.audit.copy import copy_audit
from bot.storage.database import Database
from bot.storage.schema import bundled

async def hang(connection):
    await connection.execute_fetchall("PRAGMA cache_size = 10")  # the rest is on the disk before the end
    await copy_audit(connection)
    print("copied", flush=True)
    await asyncio.sleep(600)

async def main():
    first, second, *_ = bundled()
    async with Database.open(Path(sys.argv[1]), migrations=(first, replace(second, step=hang))):
        pass

asyncio.run(main())
"""


def _first_record(path: Path) -> tuple[int, list[tuple[object, ...]], set[str]]:
    """Return the version, the rows and the tables of a database that must be the first release's."""
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    rows = connection.execute("SELECT id, guild_id, at, actor_id, action, subject, detail FROM audit").fetchall()
    things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    return version, rows, things


async def test_read_as_before(path: Path) -> None:
    """Every guild reads the rows that it had, under their numbers, and the chain over all of them holds."""
    entries = varied(120)
    first_release(path, entries)

    for guild_id in (GUILD, OTHER_GUILD):
        assert without_digests(await read_back(path, guild_id)) == as_read(entries, guild_id)
    async with Database.open(path) as db:
        assert await SqliteAuditRepository(db).verify() == ChainReport(120)


async def test_longer_than_one_part(path: Path) -> None:
    """A record of thousands of rows is copied whole, and each person has one pseudonym in it."""
    first_release(path, varied(2500))

    async with Database.open(path) as db:
        assert await SqliteAuditRepository(db).verify() == ChainReport(2500)
        (row,) = await db.read(
            "SELECT count(*) AS persons, count(DISTINCT guild_id || kind || value) AS people FROM persons"
        )
        assert row["persons"] == row["people"] < 30


async def test_no_id_in_it(path: Path) -> None:
    """The copied rows name nobody."""
    first_release(path, varied())
    await written(path, [])

    with by_hand(path) as connection:
        rows = connection.execute("SELECT actor, subject, detail FROM audit").fetchall()
        things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert [row for row in rows if ID.search(repr(row))] == []
    assert "audit_before" not in things


def test_forgotten_afterwards(path: Path) -> None:
    """Who is forgotten is gone from the file, although the first release wrote them down by their id."""
    entries = [one for one in varied() if one.guild_id == GUILD and one.actor_id == ADA]
    first_release(path, [replace(one, action=AuditAction.DATA_EXPORTED) for one in entries])

    async def unit(connection) -> None:
        people = await connection.execute_fetchall("SELECT guild_id, kind, value FROM persons")
        for guild_id, kind, value in people:
            assert await forget_person(connection, guild_id, PseudonymKind(kind), int(value))

    async def forget() -> None:
        async with Database.open(path) as db:
            await db.write(unit)
            await db.wipe()

    asyncio.run(forget())

    assert ID.search(path.read_bytes().decode("latin-1")) is None


def test_deleted_by_the_first_release(path: Path) -> None:
    """What the first release had deleted and left lying about is in no file once a later one has opened it."""
    first_release(path, [])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("INSERT INTO pages VALUES (1, 'x', 1, 1, 'staff', ?, 1, 1)", (b"76561197960265739",))
    connection.execute("DELETE FROM pages")
    connection.close()
    assert ID.search(path.read_bytes().decode("latin-1"))

    async def found() -> list[str]:
        async with Database.open(path):
            return [file.name for file in path.parent.iterdir() if ID.search(file.read_bytes().decode("latin-1"))]

    assert asyncio.run(found()) == []


def test_log_of_a_crash(path: Path) -> None:
    """What a crash has left in the log is in the file after the next start, and the log is empty."""
    asyncio.run(written(path, []))
    crashed = path.with_name("crashed.db")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT INTO guilds (guild_id) VALUES (1)")
    for suffix in ("", "-wal"):
        crashed.with_name(crashed.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    connection.close()

    async def opened() -> tuple[int, int]:
        async with Database.open(crashed) as db:
            return len(await db.read("SELECT * FROM guilds")), crashed.with_name("crashed.db-wal").stat().st_size

    assert crashed.with_name("crashed.db-wal").stat().st_size > 0
    assert asyncio.run(opened()) == (1, 0)


async def test_written_on(path: Path) -> None:
    """What is written next continues the numbers and the chain."""
    first_release(path, varied(3))
    await written(path, varied(2))

    assert await faults(path) == {}
    with by_hand(path) as connection:
        assert connection.execute("SELECT max(id), count(*) FROM audit").fetchone() == (5, 5)


async def test_empty_record(path: Path) -> None:
    """A database without a row gets an empty record, whose first row is number 1."""
    first_release(path, [])
    await written(path, varied(1))

    assert await faults(path) == {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DELETE FROM audit WHERE id = 5", {5: "missing"}),
        ("DELETE FROM audit WHERE id > 8", {9: "cut_off", 10: "cut_off"}),
        ("DELETE FROM audit", dict.fromkeys(range(1, 11), "cut_off")),
    ],
)
async def test_rows_taken_out_before(path: Path, change: str, found: dict[int, str]) -> None:
    """Rows that somebody took out of the old record are missed in the new one; the others are not blamed."""
    first_release(path, varied(10))
    with by_hand(path) as connection:
        statements = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        assert statements == []
        connection.execute(change)
        _restore_triggers(connection)
    await written(path, [])

    assert await faults(path) == found


def _restore_triggers(connection: sqlite3.Connection) -> None:
    for trigger in re.findall(r"(?s)CREATE TRIGGER .*?END;", bundled()[0].sql):
        connection.execute(trigger)


async def test_unknown_action(path: Path) -> None:
    """A word that is no action is copied as it is, and its people are hidden like all others."""
    first_release(path, varied(2))
    with by_hand(path) as connection:
        connection.execute("UPDATE audit SET action = 'x'")
        _restore_triggers(connection)
    await written(path, [])

    assert await faults(path) == {}
    with by_hand(path) as connection:
        assert [row for row in connection.execute("SELECT * FROM audit") if ID.search(repr(row[3:]))] == []


@pytest.mark.parametrize("detail", ["", "[]", "not JSON", "{"])
async def test_unreadable_row(path: Path, detail: str) -> None:
    """Where it cannot be told who is in a row nothing is copied; the reason names the step, the file is as it was."""
    first_release(path, varied(5))
    with by_hand(path) as connection:
        connection.execute("UPDATE audit SET detail = ? WHERE id = 3", (detail,))
        _restore_triggers(connection)
    before = _first_record(path)

    with pytest.raises(DatabaseUnusable, match=r"0002_audit_chain\.sql: "):
        await written(path, [])

    assert _first_record(path) == before
    assert before[0] == 1


@pytest.mark.parametrize("failure", [ValueError("on purpose"), sqlite3.OperationalError("on purpose")])
async def test_step_that_fails(path: Path, failure: Exception) -> None:
    """A step that fails after its work leaves the database of the first release whole, and the next start works."""
    first_release(path, varied())
    before = _first_record(path)

    async def fail(connection) -> None:
        await copy_audit(connection)
        raise failure

    with pytest.raises(DatabaseUnusable, match="on purpose"):
        async with Database.open(path, migrations=(bundled()[0], replace(bundled()[1], step=fail))):
            pass

    assert _first_record(path) == before
    assert without_digests(await read_back(path, GUILD)) == as_read(varied(), GUILD)


async def test_cancelled_step(path: Path) -> None:
    """A start that is given up in the middle of a step leaves the database as it was."""
    first_release(path, varied())
    before = _first_record(path)
    reached = asyncio.Event()

    async def hang(connection) -> None:
        reached.set()
        await asyncio.sleep(600)

    async def start() -> None:
        async with Database.open(path, migrations=(bundled()[0], replace(bundled()[1], step=hang))):
            pass

    starting = asyncio.create_task(start())
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert _first_record(path) == before


async def test_killed_in_the_middle(path: Path) -> None:
    """A process that is killed before the end of the step leaves the first release's database, which then migrates."""
    first_release(path, varied(900))
    before = _first_record(path)
    async with running(COPY_AND_HANG, path) as process:
        assert await line(process) == "copied"
        process.kill()
        await process.wait()
    assert path.with_name("desk.db-wal").stat().st_size > 100_000

    assert _first_record(path) == before
    assert before[0] == 1
    await written(path, [])
    assert await faults(path) == {}
    assert without_digests(await read_back(path, GUILD)) == as_read(varied(900), GUILD)
