"""Units that wait share a transaction, and each of them still stands and falls alone."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiosqlite
import pytest

from bot.domain.audit import ChainReport
from bot.storage.audit.log import SqliteAuditRepository, write_down
from bot.storage.database import Database
from bot.storage.write_queue import SyncJob, Unit
from tests.storage.pairs import WITH_PAIRS, pair, whole_pairs
from tests.storage.processes import MANY_WRITE_UNTIL_KILLED, line, running
from tests.storage.records import varied


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    async with Database.open(path, migrations=WITH_PAIRS) as opened:
        yield opened


async def _failing(n: int, connection: aiosqlite.Connection) -> int:
    await pair(n)(connection)
    raise LookupError(n)


async def _orphan(connection: aiosqlite.Connection) -> None:
    """Break a foreign key so that only the COMMIT notices."""
    await connection.execute_fetchall("PRAGMA defer_foreign_keys = ON")
    await connection.execute_fetchall("INSERT INTO grants VALUES (1, 1, 'resend.own')")


async def test_commits(db: Database) -> None:
    """Those that wait while another one writes are committed together, not each alone."""
    statements: list[str] = []
    await db._writer.set_trace_callback(statements.append)

    await asyncio.gather(*(db.write(pair(n)) for n in range(100)))

    assert 1 <= statements.count("COMMIT") < 50
    assert await whole_pairs(db) == set(range(100))


async def test_one_that_fails_among_others(db: Database) -> None:
    """A unit that fails, the first of a transaction or a later one, is undone alone; the others are kept and told."""
    units = [partial(_failing, n) if n % 3 == 0 else pair(n) for n in range(30)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    fine = {n for n in range(30) if n % 3}
    assert {n for n, end in enumerate(ends) if end == n} == fine
    assert {end.args[0] for end in ends if isinstance(end, LookupError)} == set(range(30)) - fine
    assert await whole_pairs(db) == fine


async def test_pieces_that_go_to_the_thread_together(db: Database) -> None:
    """Of several pieces in a row one that fails is undone alone, the order is kept, and other units stand between."""

    def whole(n: int, connection: sqlite3.Connection) -> int:
        for half in ("left", "right"):
            connection.execute("INSERT INTO pairs VALUES (?, ?)", (n, half))
        if n % 3 == 0:
            raise LookupError(n)
        return n

    units: list[Unit[int]] = [pair(n) if n % 20 == 0 else SyncJob(partial(whole, n)) for n in range(100)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    fine = {n for n in range(100) if n % 3 or n % 20 == 0}
    assert {n for n, end in enumerate(ends) if end == n} == fine
    assert {end.args[0] for end in ends if isinstance(end, LookupError)} == set(range(100)) - fine
    assert await whole_pairs(db) == fine
    assert [row["n"] for row in await db.read("SELECT n FROM pairs WHERE half = 'left' ORDER BY rowid")] == sorted(fine)


async def test_piece_that_undoes_everything(db: Database) -> None:
    """Where one piece undoes the whole transaction nobody in it is told that theirs was kept."""
    units: list[Unit[object]] = [pair(1), pair(2), SyncJob(lambda connection: connection.execute("ROLLBACK"))]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert [type(end) for end in ends] == [sqlite3.OperationalError] * 3
    assert await whole_pairs(db) == set()
    assert await db.write(pair(4)) == 4


async def test_statement_refused_among_others(db: Database) -> None:
    """What SQLite refuses is undone with what its unit did before, and nothing else is."""

    async def twice(connection: aiosqlite.Connection) -> None:
        await pair(100)(connection)
        await pair(3)(connection)

    async def nonsense(connection: aiosqlite.Connection) -> None:
        await pair(101)(connection)
        await connection.execute_fetchall("NONSENSE")

    units: list[Unit[object]] = [*(pair(n) for n in range(10)), twice, nonsense, pair(10)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert [type(end) for end in ends[10:12]] == [sqlite3.IntegrityError, sqlite3.OperationalError]
    assert await whole_pairs(db) == set(range(11))


async def test_error_that_a_unit_deals_with(db: Database) -> None:
    """A unit that expects a refusal goes on after it, among others too."""

    async def careful(connection: aiosqlite.Connection) -> str:
        try:
            await pair(0)(connection)
        except sqlite3.IntegrityError:
            await pair(50)(connection)
        return "instead"

    ends = await asyncio.gather(db.write(pair(0)), db.write(careful), db.write(pair(1)))

    assert list(ends) == [0, "instead", 1]
    assert await whole_pairs(db) == {0, 1, 50}


async def test_pragmas_among_others(db: Database) -> None:
    """A unit may ask for settings; one that SQLite does not change inside a transaction fails alone."""

    async def asking(connection: aiosqlite.Connection) -> int:
        (row,) = await connection.execute_fetchall("PRAGMA synchronous")
        return int(row[0])

    async def changing(connection: aiosqlite.Connection) -> None:
        await connection.execute_fetchall("PRAGMA synchronous = OFF")

    units: list[Unit[object]] = [pair(1), asking, changing, asking, pair(2)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert ends[1] == ends[3] == 2
    assert isinstance(ends[2], sqlite3.OperationalError)
    assert await whole_pairs(db) == {1, 2}


async def test_commit_that_fails(db: Database) -> None:
    """Where the COMMIT fails everybody who shared it is told, nothing is kept, and the next one works."""
    units: list[Unit[object]] = [pair(1), _orphan, pair(2), partial(_failing, 3)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert [type(end) for end in ends] == [sqlite3.IntegrityError] * 3 + [LookupError]
    assert await whole_pairs(db) == set()
    assert await db.write(pair(4)) == 4
    assert await whole_pairs(db) == {4}


@pytest.mark.parametrize("hides_it", [False, True])
async def test_everything_undone_by_one(db: Database, *, hides_it: bool) -> None:
    """Where one unit undoes the whole transaction nobody in it is told that theirs was kept."""

    async def undoing(connection: aiosqlite.Connection) -> None:
        await connection.rollback()
        if not hides_it:
            raise sqlite3.OperationalError("full")

    units: list[Unit[object]] = [pair(1), pair(2), undoing, pair(3)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert [type(end) for end in ends[:3]] == [sqlite3.OperationalError] * 3
    assert ends[3] == 3
    assert await whole_pairs(db) == {3}
    assert await db.write(pair(4)) == 4


async def test_full_disk_among_others(db: Database) -> None:
    """Where there is no room, who is told that theirs was kept has it kept, and who is not has nothing."""

    async def fill(connection: aiosqlite.Connection) -> None:
        (row,) = await connection.execute_fetchall("PRAGMA page_count")
        await connection.execute_fetchall(f"PRAGMA max_page_count = {row[0] + 1}")
        await pair(100)(connection)
        await connection.execute_fetchall("INSERT INTO pairs VALUES (101, ?)", ("x" * 100_000,))

    units: list[Unit[object]] = [pair(1), pair(2), fill, pair(3)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert isinstance(ends[2], sqlite3.OperationalError)
    assert await whole_pairs(db) == {end for end in ends if isinstance(end, int)}


async def test_unit_that_cancels_itself(db: Database) -> None:
    """A cancellation that comes out of a unit, and not from the loop's end, is that unit's own."""

    async def cancelled(connection: aiosqlite.Connection) -> None:
        await pair(5)(connection)
        raise asyncio.CancelledError

    units: list[Unit[object]] = [cancelled, pair(1), cancelled, pair(2)]

    ends = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)

    assert [type(end) for end in ends] == [asyncio.CancelledError, int, asyncio.CancelledError, int]
    assert await whole_pairs(db) == {1, 2}


async def test_told_after_the_commit(db: Database, path: Path) -> None:
    """What is kept in memory hears of a unit when others can read it, and before its caller does."""
    other = sqlite3.connect(path)
    seen: list[str] = []

    def ended(n: int) -> None:
        (number,) = other.execute("SELECT count(*) FROM pairs WHERE n = ?", (n,)).fetchone()
        seen.append(f"{n} ended, {number} halves")

    async def writer(n: int) -> None:
        await db.write(pair(n), ended=partial(ended, n))
        seen.append(f"{n} told")

    await asyncio.gather(*(writer(n) for n in range(3)))

    other.close()
    for n in range(3):
        assert seen.index(f"{n} ended, 2 halves") < seen.index(f"{n} told")


async def test_observer(db: Database) -> None:
    """Each unit that is written is told of once, one that fails is not."""
    times: list[tuple[float, float]] = []
    db.on_write = lambda *, waited, took: times.append((waited, took))

    await asyncio.gather(
        *(db.write(pair(n)) for n in range(20)), db.write(partial(_failing, 50)), return_exceptions=True
    )

    assert len(times) == 20
    assert min(min(each) for each in times) >= 0


async def test_wiping_among_units(db: Database) -> None:
    """A file is written anew between two transactions, however many units wait."""
    ends = await asyncio.gather(
        *(db.write(pair(n)) for n in range(300)), db.wipe(), *map(db.write, map(pair, (300, 301)))
    )

    assert ends[300] is True
    assert await whole_pairs(db) == set(range(302))


async def test_cancelled_at_random_among_failures(path: Path) -> None:
    """Twelve hundred writers, of whom some fail and most are cancelled, tear neither a pair nor the record."""
    chance = random.Random(20261120)  # noqa: S311 -- moments, not secrets
    entries = varied(50)

    async def audited(n: int, connection: aiosqlite.Connection) -> int:
        await pair(n)(connection)
        await write_down(connection, entries[n % 50])
        if n % 10 == 9:
            raise LookupError(n)
        return n

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        heard: set[int] = set()
        for batch in range(12):
            numbers = range(batch * 100, batch * 100 + 100)
            writers = {n: asyncio.create_task(db.write(partial(audited, n))) for n in numbers}
            for n in chance.sample(numbers, 70):
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                writers[n].cancel()
            ends = await asyncio.gather(*writers.values(), return_exceptions=True)
            assert {type(end) for end in ends} <= {int, asyncio.CancelledError, LookupError}
            heard |= {end for end in ends if isinstance(end, int)}
        await db.write(pair(-1))
        kept = await whole_pairs(db)

        assert heard < kept == {n for n in range(1200) if n % 10 != 9} | {-1}
        assert await SqliteAuditRepository(db).verify() == ChainReport(len(kept) - 1)


async def test_killed_while_many_write(path: Path) -> None:
    """Whatever any of fifty writers had been told was written is there after a kill, and nothing is half there."""
    async with running(MANY_WRITE_UNTIL_KILLED, path) as writer:
        told = [int(await line(writer)) for _ in range(300)]
        writer.kill()
        await writer.wait()
        assert writer.stdout is not None
        told += [int(rest) for rest in (await writer.stdout.read()).split(b"\n")[:-1]]

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert set(told) <= await whole_pairs(db)
        assert (await db.read("PRAGMA integrity_check"))[0][0] == "ok"
