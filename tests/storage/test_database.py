"""Units are whole or not at all, whoever is cancelled and whatever fails."""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import aiosqlite
import pytest

from bot.storage import write_queue
from bot.storage.database import Database
from bot.storage.errors import DatabaseClosed
from bot.storage.write_queue import SyncJob
from tests.storage.pairs import WITH_PAIRS, pair, whole_pairs


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    async with Database.open(path, migrations=WITH_PAIRS) as opened:
        yield opened


class _Gate:
    """A unit that stands still between its two halves until it is let through."""

    def __init__(self, n: int) -> None:
        self._n = n
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, connection: aiosqlite.Connection) -> int:
        await connection.execute_fetchall("INSERT INTO pairs VALUES (?, 'left')", (self._n,))
        self.reached.set()
        await self.open.wait()
        await connection.execute_fetchall("INSERT INTO pairs VALUES (?, 'right')", (self._n,))
        return self._n


@contextmanager
def somebody_else_writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold the file for writing, until the ROLLBACK or the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_promises_of_the_connection(db: Database) -> None:
    """Commits are on the disk before they are told, what is deleted is overwritten, and readers do not wait."""

    async def pragmas(connection: aiosqlite.Connection) -> dict[str, object]:
        found: dict[str, object] = {}
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete"):
            (row,) = await connection.execute_fetchall(f"PRAGMA {name}")
            found[name] = row[0]
        return found

    full = 2

    assert await db.write(pragmas) == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 100,  # a wait that nothing can cut short; units wait several times
        "secure_delete": 1,
    }


async def test_write(db: Database) -> None:
    """A unit's result is returned, and what it wrote is read at once."""
    assert await db.write(pair(1)) == 1
    assert await whole_pairs(db) == {1}


async def test_unit_that_raises(db: Database) -> None:
    """A unit that fails leaves nothing, its error reaches the caller, and the next one works."""

    async def failing(connection: aiosqlite.Connection) -> None:
        await connection.execute_fetchall("INSERT INTO pairs VALUES (1, 'left')")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await db.write(failing)

    await db.write(pair(2))

    assert await whole_pairs(db) == {2}


async def test_statement_that_is_refused(db: Database) -> None:
    """A broken constraint undoes the statements before it too."""
    await db.write(pair(1))

    async def twice(connection: aiosqlite.Connection) -> None:
        await pair(2)(connection)
        await pair(1)(connection)

    with pytest.raises(sqlite3.IntegrityError):
        await db.write(twice)

    assert await whole_pairs(db) == {1}


async def test_full_disk(db: Database) -> None:
    """Where there is no room a unit leaves nothing, and the next one that fits works."""

    async def fill(connection: aiosqlite.Connection) -> None:
        (row,) = await connection.execute_fetchall("PRAGMA page_count")
        await connection.execute_fetchall(f"PRAGMA max_page_count = {row[0] + 1}")
        await pair(1)(connection)
        await connection.execute_fetchall("INSERT INTO pairs VALUES (2, ?)", ("x" * 100_000,))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await db.write(fill)

    await db.write(pair(3))

    assert await whole_pairs(db) == {3}


async def test_reading_beside_an_open_unit(db: Database) -> None:
    """Readers see nothing of a unit that has not ended, and do not wait for it."""
    gate = _Gate(1)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()

    assert await whole_pairs(db) == set()

    gate.open.set()
    await writing

    assert await whole_pairs(db) == {1}


async def test_looking(db: Database) -> None:
    """A look sees what reading sees: every unit that has ended, at once, and none that has not."""
    everything = "SELECT * FROM pairs ORDER BY n, half"
    gate = _Gate(1)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    assert await db.look(everything) == []

    gate.open.set()
    await writing
    seen = await db.look(everything)
    assert [tuple(row) for row in seen] == [(1, "left"), (1, "right")]
    assert seen == await db.read(everything)
    assert [row["half"] for row in await db.look("SELECT half FROM pairs WHERE n = :n", {"n": 1})] == ["left", "right"]

    with pytest.raises(sqlite3.OperationalError):
        await db.look("DELETE FROM pairs")
    assert await whole_pairs(db) == {1}


async def test_looking_where_it_would_have_to_wait(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody is in its way a look is a reading like any other: the event loop never waits for a file."""

    class Locked:
        def execute(self, *_: object) -> NoReturn:
            raise sqlite3.OperationalError("database is locked")

    await db.write(pair(1))
    monkeypatch.setattr(db, "_looker", Locked())

    assert [row["n"] for row in await db.look("SELECT DISTINCT n FROM pairs")] == [1]


async def test_looking_after_the_end(path: Path) -> None:
    """After the end there is nothing to look at, as there is nothing to read."""
    async with Database.open(path) as db:
        pass

    with pytest.raises(DatabaseClosed):
        await db.look("SELECT 1")


@pytest.mark.parametrize("sql", ["INSERT INTO pairs VALUES (1, 'left')", "DELETE FROM pairs", "DROP TABLE pairs"])
async def test_writing_through_the_reader(db: Database, sql: str) -> None:
    """What reads cannot write."""
    await db.write(pair(2))

    with pytest.raises(sqlite3.OperationalError):
        await db.read(sql)

    assert await whole_pairs(db) == {2}


async def test_order(db: Database) -> None:
    """Units run in the order in which they were asked for, one after the other."""
    ran: list[int] = []

    def unit(n: int) -> Callable[[aiosqlite.Connection], Awaitable[None]]:
        async def noting(connection: aiosqlite.Connection) -> None:
            ran.append(n)
            await pair(n)(connection)
            ran.append(n)

        return noting

    await asyncio.gather(*(db.write(unit(n)) for n in range(20)))

    assert ran == [n for n in range(20) for _ in "lr"]


async def test_two_hundred_at_once(db: Database) -> None:
    """Two hundred writers at once all get through, and the file is sound after them."""
    assert await asyncio.gather(*(db.write(pair(n)) for n in range(200))) == list(range(200))
    assert await whole_pairs(db) == set(range(200))

    (row,) = await db.read("PRAGMA integrity_check")

    assert row[0] == "ok"


async def test_cancelled_inside(db: Database) -> None:
    """A caller who is cancelled while their unit runs is gone at once; the unit runs to its end."""
    gate = _Gate(1)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    writing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await writing

    gate.open.set()
    await db.write(pair(2))

    assert await whole_pairs(db) == {1, 2}


async def test_cancelled_while_waiting(db: Database) -> None:
    """A caller who is cancelled while others write has asked all the same: the unit runs when it is its turn."""
    gate = _Gate(1)
    first = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    second = asyncio.create_task(db.write(pair(2)))
    await asyncio.sleep(0)
    second.cancel()

    with pytest.raises(asyncio.CancelledError):
        await second

    gate.open.set()
    await first
    await db.write(pair(3))

    assert await whole_pairs(db) == {1, 2, 3}


async def test_random_cancellations(db: Database) -> None:
    """Twelve hundred writers cancelled at random moments tear nothing and stop nobody."""
    chance = random.Random(20260329)  # noqa: S311 -- moments, not secrets
    heard = set()
    for batch in range(12):
        numbers = range(batch * 100, batch * 100 + 100)
        writers = {n: asyncio.create_task(db.write(pair(n))) for n in numbers}
        for n in chance.sample(numbers, 70):
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            writers[n].cancel()
        ends = await asyncio.gather(*writers.values(), return_exceptions=True)
        assert {type(end) for end in ends} <= {int, asyncio.CancelledError}
        heard |= {end for end in ends if isinstance(end, int)}

    await db.write(pair(-1))
    kept = await whole_pairs(db)

    assert heard < kept
    assert len(heard) >= 12 * 30


async def test_units_themselves_cancelled(path: Path) -> None:
    """Even the end of the event loop, which cancels the units too, leaves each whole or not at all."""
    chance = random.Random(7)  # noqa: S311 -- moments, not secrets
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        for n in range(150):
            before = asyncio.all_tasks()
            writing = asyncio.create_task(db.write(pair(n)))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0.000_05)
            for task in asyncio.all_tasks() - before:
                task.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await db.write(pair(1_000))

        assert 1_000 in await whole_pairs(db)


async def test_failure_that_nobody_hears(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    """A unit that fails after its caller has gone is in the log, by the kind of failure and nothing else."""
    await db.write(pair(1))
    writing = asyncio.create_task(db.write(pair(1)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    await db.write(pair(2))

    assert caplog.messages == ["write failed after its caller had gone error=IntegrityError"]


async def test_unit_inside_a_unit(db: Database) -> None:
    """A unit that asks for another one is told so instead of waiting for itself for ever."""

    async def nested(connection: aiosqlite.Connection) -> None:
        await pair(1)(connection)
        await db.write(pair(2))

    with pytest.raises(RuntimeError, match="unit"):
        await db.write(nested)

    assert await whole_pairs(db) == set()


async def test_closing(path: Path) -> None:
    """Closing waits for the unit under way, and for those that somebody waits for; the others are given up."""
    ended: list[int] = []
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        gate = _Gate(0)
        writers = [asyncio.create_task(db.write(gate))]
        writers += [asyncio.create_task(db.write(pair(n), ended=partial(ended.append, n))) for n in range(1, 10)]
        await gate.reached.wait()
        for writer in (writers[0], *writers[1::2]):
            writer.cancel()
        asyncio.get_running_loop().call_later(0.05, gate.open.set)

    assert sorted(ended) == list(range(1, 10))
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert await whole_pairs(db) == {0, 2, 4, 6, 8}


async def test_closing_while_somebody_else_writes(path: Path) -> None:
    """Closing does not wait for another process, however many units there are, and each caller is told."""
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        with somebody_else_writing(path):
            writers = [asyncio.create_task(db.write(pair(n))) for n in range(20)]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await db._finish()
            assert time.monotonic() - began < 1.0
        ends = await asyncio.gather(*writers, return_exceptions=True)
    assert {str(end) for end in ends} == {"database is locked"}

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert await whole_pairs(db) == set()


async def test_hurry(db: Database, path: Path) -> None:
    """From then on a unit that has not begun is given up when its caller goes; those of the others are not."""

    def whole(n: int, connection: sqlite3.Connection) -> int:
        connection.executemany("INSERT INTO pairs VALUES (?, ?)", [(n, "left"), (n, "right")])
        return n

    with somebody_else_writing(path) as other:
        writers = {n: asyncio.create_task(db.write(SyncJob(partial(whole, n)))) for n in range(4)}
        writers |= {n: asyncio.create_task(db.write(pair(n))) for n in range(4, 8)}
        await asyncio.sleep(0.05)  # the first ones wait for the file by now
        db.hurry(within=5.0)
        for n in (0, 2, 4, 5):
            writers[n].cancel()
        await asyncio.sleep(0.15)
        other.execute("ROLLBACK")

    ends = await asyncio.gather(*writers.values(), return_exceptions=True)

    assert [end for end in ends if isinstance(end, int)] == [1, 3, 6, 7]
    assert await whole_pairs(db) == {1, 3, 6, 7}


async def test_hurry_without_anybody(db: Database, path: Path) -> None:
    """Where nobody waits any more nobody waits for another process either, and later units work."""
    with somebody_else_writing(path):
        writing = asyncio.create_task(db.write(pair(1)))
        await asyncio.sleep(0.05)
        db.hurry(within=5.0)
        writing.cancel()
        async with asyncio.timeout(1.0):
            await db._units.finish()

    assert await db.write(pair(2)) == 2
    assert await whole_pairs(db) == {2}


async def test_closing_while_the_file_is_written_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Closing does not wait until a large file is written anew: that is broken off, and nothing is lost."""
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        await db.write(pair(1))
        await db._writer.set_progress_handler(lambda: time.sleep(0.05), 50)  # a file that takes minutes
        wiping = asyncio.create_task(db.wipe())
        await asyncio.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 1.0
    assert await wiping is False
    assert caplog.messages == ["what was deleted is still in the files: interrupted"]

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert await whole_pairs(db) == {1}


async def test_closed(path: Path) -> None:
    """A closed database takes nothing and says so."""
    async with Database.open(path, migrations=WITH_PAIRS) as db:
        pass

    with pytest.raises(DatabaseClosed):
        await db.write(pair(1))
    with pytest.raises(DatabaseClosed):
        await db.read("SELECT 1")


async def test_closing_cut_short(path: Path) -> None:
    """A stop that does not wait for a unit that hangs undoes it, and the file can be opened again."""
    opened = Database.open(path, migrations=WITH_PAIRS)
    db = await opened.__aenter__()
    await db.write(pair(1))
    gate = _Gate(2)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await opened.__aexit__(None, None, None)

    gate.open.set()
    with pytest.raises(ValueError, match="closed"):
        await writing
    async with Database.open(path, migrations=WITH_PAIRS) as again:
        assert await whole_pairs(again) == {1}


async def test_somebody_else_writes(db: Database, path: Path) -> None:
    """While another program holds the file for a moment, a unit waits and then works."""
    with somebody_else_writing(path) as other:
        writing = asyncio.create_task(db.write(pair(1)))
        await asyncio.sleep(0.3)  # longer than SQLite waits
        other.execute("ROLLBACK")

    assert await writing == 1


async def test_wiping_while_somebody_else_writes(
    db: Database, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that another program holds is written anew as soon as it lets go; where it does not, the log says so."""
    with somebody_else_writing(path) as other:
        wiping = asyncio.create_task(db.wipe())
        await asyncio.sleep(0.3)
        other.execute("ROLLBACK")
        assert await wiping

        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(write_queue, "_PATIENCE", 0.2)
        assert not await db.wipe()
    assert caplog.messages == ["what was deleted is still in the files: somebody else has them open"]


async def test_reading_before_writing(db: Database, path: Path) -> None:
    """From a unit's first statement on nobody else writes: what it has read is still so when it writes."""
    other = sqlite3.connect(path, isolation_level=None, timeout=0)

    async def unit(connection: aiosqlite.Connection) -> int:
        (row,) = await connection.execute_fetchall("SELECT count(*) FROM pairs")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO pairs VALUES (1, 'left')")
        return await pair(row[0])(connection)

    assert await db.write(unit) == 0

    other.close()
