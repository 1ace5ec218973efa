"""Write jobs share transactions, and each of them is committed or undone alone."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.domain.audit import ChainReport
from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.storage import write_queue
from bot.storage.audit.log import append
from bot.storage.database import Job
from bot.storage.sqlite.audit_check import check
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.inspection import reading
from tests.storage.audit_logs import varied
from tests.storage.pairs import WITH_PAIRS, Gate, locked_by_another, pair, whole_pairs, write_pair


@pytest.fixture
async def db(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as opened:
        yield opened


def failing(n: int, connection: sqlite3.Connection) -> int:
    write_pair(n, connection)
    raise LookupError(n)


def orphan(connection: sqlite3.Connection) -> None:
    """Break a foreign key so that only the COMMIT notices."""
    connection.execute("PRAGMA defer_foreign_keys = ON")
    connection.execute("INSERT INTO grants VALUES (1, 1, 'resend.own')")


async def test_waiting_jobs_share_transactions(db: SqliteDatabase) -> None:
    statements: list[str] = []
    db._writer.set_trace_callback(statements.append)

    assert await asyncio.gather(*(db.write(pair(n)) for n in range(200))) == list(range(200))

    assert 1 <= statements.count("COMMIT") < 50
    assert await whole_pairs(db) == set(range(200))


async def test_order(db: SqliteDatabase) -> None:
    """Jobs run in the order in which they were added; one that fails is undone alone."""
    ends = await asyncio.gather(
        *(db.write(partial(failing, n) if n % 7 == 3 else pair(n)) for n in range(100)), return_exceptions=True
    )

    fine = [n for n in range(100) if n % 7 != 3]
    assert [end for end in ends if isinstance(end, int)] == fine
    assert [end.args[0] for end in ends if isinstance(end, LookupError)] == [n for n in range(100) if n % 7 == 3]
    assert await whole_pairs(db) == set(fine)
    assert [row["n"] for row in await db.read("SELECT n FROM pairs WHERE half = 'left' ORDER BY rowid")] == fine


async def test_a_job_that_fails_alone(db: SqliteDatabase) -> None:
    """A broken constraint undoes the statements before it too, and the next job works."""

    def twice(connection: sqlite3.Connection) -> None:
        write_pair(2, connection)
        write_pair(1, connection)

    await db.write(pair(1))
    with pytest.raises(sqlite3.IntegrityError):
        await db.write(twice)

    assert await db.write(pair(3)) == 3
    assert await whole_pairs(db) == {1, 3}


async def test_failed_commit(db: SqliteDatabase) -> None:
    """A failed COMMIT fails the whole batch, nothing of it is kept, and the next one works."""
    jobs: list[Callable[[sqlite3.Connection], object]] = [pair(0), pair(1), orphan, pair(2)]

    ends = await asyncio.gather(*map(db.write, jobs), return_exceptions=True)

    assert [type(end) for end in ends] == [int] + [sqlite3.IntegrityError] * 3
    assert await whole_pairs(db) == {0}
    assert await db.write(pair(4)) == 4


async def test_a_job_that_undoes_the_transaction(db: SqliteDatabase) -> None:
    """If a job rolls the shared transaction back, only that job fails."""
    jobs: list[Callable[[sqlite3.Connection], object]] = [pair(0), pair(1), sqlite3.Connection.rollback, pair(2)]

    ends = await asyncio.gather(*map(db.write, jobs), return_exceptions=True)

    assert [type(end) for end in ends] == [int, int, RuntimeError, int]
    assert await whole_pairs(db) == {0, 1, 2}


async def test_full_disk(db: SqliteDatabase) -> None:
    """A full disk, for which SQLite rolls everything back itself, fails only the job that does not fit."""

    def fill(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        write_pair(100, connection)
        connection.execute("INSERT INTO pairs VALUES (101, ?)", ("x" * 100_000,))

    jobs: list[Callable[[sqlite3.Connection], object]] = [pair(1), pair(2), fill, pair(3)]

    ends = await asyncio.gather(*map(db.write, jobs), return_exceptions=True)

    assert isinstance(ends[2], DatabaseUnavailable)
    assert (ends[2].fault, ends[2].may_be_done, db.guard.write_failures) == (DatabaseFault.FULL, False, 1)
    assert [end for end in ends if isinstance(end, int)] == [1, 2, 3]
    assert await whole_pairs(db) == {1, 2, 3}


async def test_a_read_and_a_write_in_one_job(db: SqliteDatabase, path: Path) -> None:
    """No other process writes between a job's first statement and its last."""
    other = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)

    def job(connection: sqlite3.Connection) -> int:
        (count,) = connection.execute("SELECT count(*) FROM pairs").fetchone()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO pairs VALUES (1, 'left')")
        return write_pair(count, connection)

    assert await db.write(job) == 0

    other.close()


async def test_answered_after_the_commit(db: SqliteDatabase, path: Path) -> None:
    """``on_done`` is called after the COMMIT and before the caller is answered."""
    other = sqlite3.connect(path)
    seen: list[str] = []

    def on_done(n: int) -> None:
        (halves,) = other.execute("SELECT count(*) FROM pairs WHERE n = ?", (n,)).fetchone()
        seen.append(f"{n} done, {halves} halves")

    async def writer(n: int) -> None:
        await db.write(pair(n), on_done=partial(on_done, n))
        seen.append(f"{n} answered")

    await asyncio.gather(*(writer(n) for n in range(3)))

    other.close()
    for n in range(3):
        assert seen.index(f"{n} done, 2 halves") < seen.index(f"{n} answered")


async def test_observer(db: SqliteDatabase) -> None:
    """The observer receives each committed job once, and no failed one."""
    times: list[tuple[float, float]] = []
    db.observe_writes(lambda *, waited, took: times.append((waited, took)))

    jobs: list[Job[int]] = [*(pair(n) for n in range(20)), partial(failing, 50)]
    await asyncio.gather(*map(db.write, jobs), return_exceptions=True)

    assert len(times) == 20
    assert min(min(each) for each in times) >= 0


async def test_cancelled_callers(db: SqliteDatabase) -> None:
    """A cancelled caller is answered at once; the job runs, whether it had begun or not."""
    gate = Gate(1)
    running = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    waiting = asyncio.create_task(db.write(pair(2)))
    await asyncio.sleep(0)
    for task in (running, waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    gate.open()
    await db.write(pair(3))

    assert await whole_pairs(db) == {1, 2, 3}


async def test_failure_after_the_caller_has_gone(db: SqliteDatabase, caplog: pytest.LogCaptureFixture) -> None:
    """A job that fails after its caller has gone is logged, without the error's text."""
    await db.write(pair(1))
    writing = asyncio.create_task(db.write(pair(1)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    await db.write(pair(2))

    assert caplog.messages == ["write failed after its caller had gone error=IntegrityError"]


async def test_random_cancellations_among_failures(path: Path) -> None:
    """Twelve hundred callers, of whom most are cancelled and some jobs fail, tear neither a pair nor the audit log."""
    chance = random.Random(20261120)  # noqa: S311 -- moments, not secrets
    entries = varied(50)

    def audited(n: int, connection: sqlite3.Connection) -> int:
        write_pair(n, connection)
        append(connection, entries[n % 50])
        if n % 10 == 9:
            raise LookupError(n)
        return n

    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
        answered: set[int] = set()
        for batch in range(12):
            numbers = range(batch * 100, batch * 100 + 100)
            writers = {n: asyncio.create_task(db.write(partial(audited, n))) for n in numbers}
            for n in chance.sample(numbers, 70):
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                writers[n].cancel()
            ends = await asyncio.gather(*writers.values(), return_exceptions=True)
            assert {type(end) for end in ends} <= {int, asyncio.CancelledError, LookupError}
            answered |= {end for end in ends if isinstance(end, int)}
        await db.write(pair(-1))
        stored = await whole_pairs(db)

    assert answered < stored == {n for n in range(1200) if n % 10 != 9} | {-1}
    with reading(path) as (connection, _):
        assert check(connection) == ChainReport(len(stored) - 1)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for another process's lock as long as a test may take on a busy machine."""
    monkeypatch.setattr(write_queue, "_LOCK_TIMEOUT", 60.0)


class TestShutdown:
    @pytest.mark.usefixtures("patience")
    async def test_jobs_without_callers(self, db: SqliteDatabase, path: Path) -> None:
        """After ``begin_shutdown`` a job that has not begun is dropped when its caller goes; the others run."""
        with locked_by_another(path) as other:
            writers = {n: asyncio.create_task(db.write(pair(n))) for n in range(8)}
            await asyncio.sleep(0.05)  # the first one waits for the lock
            db.begin_shutdown(within=60.0)
            for n in (0, 2, 4, 5):
                writers[n].cancel()
            await asyncio.sleep(0.15)
            other.execute("ROLLBACK")

        ends = await asyncio.gather(*writers.values(), return_exceptions=True)

        assert [end for end in ends if isinstance(end, int)] == [1, 3, 6, 7]
        assert await whole_pairs(db) == {1, 3, 6, 7}

    async def test_no_caller_left(self, db: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without callers the queue does not wait for another process, and later jobs work."""
        for name in ("_LOCK_TIMEOUT", "_LOCK_TIMEOUT_AT_CLOSE"):
            monkeypatch.setattr(write_queue, name, 60.0)
        with locked_by_another(path):
            writing = asyncio.create_task(db.write(pair(1)))
            await asyncio.sleep(0.05)
            db.begin_shutdown(within=60.0)
            writing.cancel()
            async with asyncio.timeout(30):
                await db._queue.finish()

        assert await db.write(pair(2)) == 2
        assert await whole_pairs(db) == {2}

    async def test_closing(self, path: Path) -> None:
        """Closing waits for the running job, and for those whose callers wait; the others are dropped."""
        done: list[int] = []
        async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
            gate = Gate(0)
            writers = [asyncio.create_task(db.write(gate))]
            writers += [asyncio.create_task(db.write(pair(n), on_done=partial(done.append, n))) for n in range(1, 10)]
            await gate.reached.wait()
            for writer in (writers[0], *writers[1::2]):
                writer.cancel()
            asyncio.get_running_loop().call_later(0.05, gate.open)

        assert sorted(done) == list(range(1, 10))
        async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
            assert await whole_pairs(db) == {0, 2, 4, 6, 8}

    @pytest.mark.usefixtures("patience")
    async def test_closing_while_another_process_writes(self, path: Path) -> None:
        """Closing waits only briefly for another process, and each caller gets the error."""
        assert write_queue._LOCK_TIMEOUT_AT_CLOSE < 0.5
        async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
            with locked_by_another(path):
                writers = [asyncio.create_task(db.write(pair(n))) for n in range(20)]
                await asyncio.sleep(0.05)
                async with asyncio.timeout(30):
                    await db._finish()
            ends = await asyncio.gather(*writers, return_exceptions=True)
        assert {str(end) for end in ends} == {DatabaseFault.NO_ANSWER}

    async def test_closing_that_is_interrupted(self, path: Path) -> None:
        """If closing does not wait for the queue to end, the waiting callers are cancelled; no job is torn."""
        opened = SqliteDatabase.open(path, migrations=WITH_PAIRS)
        db = await opened.__aenter__()
        gate = Gate(1)
        running = asyncio.create_task(db.write(gate))
        await gate.reached.wait()
        waiting = asyncio.create_task(db.write(pair(2)))
        await asyncio.sleep(0)
        threading.Timer(0.05, gate.open).start()

        closing = asyncio.create_task(opened.__aexit__(None, None, None))
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

        assert await running == 1
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as again:
            assert await whole_pairs(again) == {1}


@pytest.mark.usefixtures("patience")
async def test_another_process_writes(db: SqliteDatabase, path: Path) -> None:
    """While another process holds the lock for a moment, a job waits and then works."""
    with locked_by_another(path) as other:
        writing = asyncio.create_task(db.write(pair(1)))
        await asyncio.sleep(0.3)  # longer than SQLite waits
        other.execute("ROLLBACK")

    assert await writing == 1


async def test_another_process_moves_the_log(db: SqliteDatabase, path: Path) -> None:
    """A file that another process has changed with SQLite is still the same database."""
    await db.guard.check()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert await db.write(pair(1)) == 1
    assert db.guard.health.fault is None
