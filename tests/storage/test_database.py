"""The connections of a database: what readers see, wiping, and closing."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest

from bot.storage import write_queue
from bot.storage.errors import DatabaseClosed
from bot.storage.sqlite.database import SqliteDatabase
from tests.storage.pairs import WITH_PAIRS, Gate, locked_by_another, pair, whole_pairs

ALL = "SELECT n, half FROM pairs ORDER BY n, half"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as opened:
        yield opened


async def test_settings_of_the_writer(db: SqliteDatabase) -> None:
    """Commits are synced to the disk, deleted rows are overwritten, and readers do not wait."""

    def pragmas(connection: sqlite3.Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
        return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    full = 2

    assert await db.write(pragmas) == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 100,
        "secure_delete": 1,
    }


async def test_reading_during_a_job(db: SqliteDatabase) -> None:
    """Readers do not wait for a job, see nothing of it before the COMMIT, and all of it after."""
    gate = Gate(1)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    assert await db.read(ALL) == await db.read_inline(ALL) == []

    gate.open()
    await writing

    assert [tuple(row) for row in await db.read_inline(ALL)] == [(1, "left"), (1, "right")]
    assert await db.read_inline(ALL) == await db.read(ALL)


@pytest.mark.parametrize("sql", ["INSERT INTO pairs VALUES (1, 'left')", "DELETE FROM pairs", "DROP TABLE pairs"])
async def test_writing_through_a_reader(db: SqliteDatabase, sql: str) -> None:
    """The connections that read cannot write."""
    await db.write(pair(2))

    for read in (db.read, db.read_inline):
        with pytest.raises(sqlite3.OperationalError):
            await read(sql)

    assert await whole_pairs(db) == {2}


async def test_inline_read_that_would_wait(db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the file is locked, an inline read goes to the other thread: the event loop never waits for a lock."""

    class Locked:
        def execute(self, *_: object) -> NoReturn:
            raise sqlite3.OperationalError("database is locked")

    await db.write(pair(1))
    monkeypatch.setattr(db, "_inline", Locked())

    assert [row["n"] for row in await db.read_inline("SELECT DISTINCT n FROM pairs")] == [1]


async def test_wiping_among_jobs(db: SqliteDatabase) -> None:
    """The file is rewritten between two transactions, while jobs wait."""
    ends = await asyncio.gather(
        *(db.write(pair(n)) for n in range(300)), db.wipe(), *map(db.write, map(pair, (300, 301)))
    )

    assert ends[300] is True
    assert await whole_pairs(db) == set(range(302))


async def test_wiping_while_another_process_writes(
    db: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wipe waits for another process's lock; if that is not released in time, the log says so."""
    with locked_by_another(path) as other:
        monkeypatch.setattr(write_queue, "_LOCK_TIMEOUT", 60.0)
        wiping = asyncio.create_task(db.wipe())
        await asyncio.sleep(0.3)
        other.execute("ROLLBACK")
        assert await wiping

        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(write_queue, "_LOCK_TIMEOUT", 0.2)
        assert not await db.wipe()
    assert caplog.messages == ["deleted data is still in the files: another process has them open"]


async def test_closing_during_a_wipe(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Closing interrupts the rewriting of a large file, and nothing is lost."""
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
        await db.write(pair(1))
        rewriting = threading.Event()

        def rewrite_slowly() -> None:
            rewriting.set()
            time.sleep(0.05)

        db._writer.set_progress_handler(rewrite_slowly, 50)  # a file that takes minutes
        wiping = asyncio.create_task(db.wipe())
        assert await asyncio.to_thread(rewriting.wait, 60)
        began = time.monotonic()
    assert time.monotonic() - began < 10.0
    assert await wiping is False
    assert caplog.messages == ["deleted data is still in the files: interrupted"]

    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
        assert await whole_pairs(db) == {1}


async def test_closed(path: Path) -> None:
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
        pass

    for use in (db.write(pair(1)), db.read("SELECT 1"), db.read_inline("SELECT 1"), db.wipe()):
        with pytest.raises(DatabaseClosed):
            await use
