"""One SQLite file: opened by one process, written one unit at a time, read beside the writing."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Self, TypeVar

import aiosqlite

from bot.domain.access import Capability
from bot.storage.errors import DatabaseClosed, DatabaseUnusable, UnknownCapability
from bot.storage.lock import claimed
from bot.storage.maintenance.backup import keep_before_migration
from bot.storage.schema import Migration, bundled, migrate, recognise, version_of
from bot.storage.thread import on_thread
from bot.storage.write_queue import ASKED_AGAIN, Unit, WriteObserver, WriteQueue, is_locked

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

Parameters = Sequence[Any] | Mapping[str, Any]


_BUSY_TIMEOUT = 5.0
"""Seconds to wait for somebody who looks into the file by other means, in reading and while it is opened."""


class Database:
    """The connections to one file: one that writes, two that can only read and so never see a unit half done.

    The repositories live on :meth:`write`, :meth:`read` and :meth:`look`; nobody else commits or rolls back.
    """

    def __init__(
        self, *, writer: aiosqlite.Connection, reader: aiosqlite.Connection, looker: sqlite3.Connection
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._looker = looker
        self._units = WriteQueue(writer)
        self._is_rewriting = False
        self._closed = False

    @property
    def on_write(self) -> WriteObserver | None:
        """Told of each unit that was written: how long it waited for its turn, and how long it took, in seconds.

        What it took goes on to the COMMIT that it shared with those that waited beside it.
        """
        return self._units.on_write

    @on_write.setter
    def on_write(self, observer: WriteObserver | None) -> None:
        self._units.on_write = observer

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, *, migrations: Sequence[Migration] | None = None, keeps_before_migration: bool = True
    ) -> AsyncIterator[Self]:
        """Claim the file, bring it to the newest schema, check it, and close it at the end.

        DatabaseInUse, DatabaseTooNew, DatabaseUnusable, BackupNotWritten and UnknownCapability are reasons not to
        start; after any of them the file is as it was, or further by whole migrations. ``migrations`` are SkinDesk's
        own where not given; before the first that is missing a copy is kept beside the file, unless
        ``keeps_before_migration`` is false. Closing waits for the units under way, and for those whose callers do.
        """
        migrations = bundled() if migrations is None else migrations
        async with AsyncExitStack() as stack:
            real = stack.enter_context(claimed(path))
            try:
                writer = await _connected(stack, real, "rw")
                await recognise(writer, real)
                await _prepare_writer(writer, real)
                version = await version_of(writer)
                if keeps_before_migration and 0 < version < len(migrations):
                    kept = await asyncio.to_thread(keep_before_migration, real, number=version + 1)
                    _log.info("database kept before its upgrade path=%s version=%s", kept.path, version)
                await migrate(writer, real, migrations)
                await _empty_log(writer)  # a crash has left it
                await writer.execute_fetchall(f"PRAGMA busy_timeout = {ASKED_AGAIN * 1000:.0f}")
                reader = await _connected(stack, real, "ro")
                await reader.execute_fetchall("PRAGMA query_only = ON")
                looker = stack.enter_context(closing(_looking(real)))
            except sqlite3.Error as error:
                raise DatabaseUnusable(real, str(error)) from error
            database = cls(writer=writer, reader=reader, looker=looker)
            stack.push_async_callback(database._finish)
            await database.verify()
            yield database

    async def verify(self) -> None:
        """Raise UnknownCapability where a grant has a word that is none: who would hold what is then unclear."""
        rows = await self.read("SELECT DISTINCT capability FROM grants ORDER BY capability")
        unknown = {row["capability"] for row in rows}.difference(Capability)
        if unknown:
            raise UnknownCapability(*sorted(unknown))

    async def write(self, unit: Unit[_T], *, ended: Callable[[], None] | None = None) -> _T:
        """Run ``unit`` and return what it returns, once that is on the disk; whatever it raises undoes all of it.

        Units run one after the other, in the order they were asked for. Those that wait meanwhile are committed
        together, yet a unit that fails fails alone. A caller who is cancelled, waiting or later, does not stop theirs:
        it runs to its end and counts, unless it has not begun when :meth:`hurry` is called. DatabaseClosed after the
        end.
        ``ended`` is called once it has ended, well or not, before anybody hears of it: for what is kept in memory.
        """
        if self._closed:
            raise DatabaseClosed
        return await self._units.add(unit, ended)

    async def read(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return the rows of one statement, which sees every unit that has ended and none that has not."""
        if self._closed:
            raise DatabaseClosed
        return list(await self._reader.execute_fetchall(sql, parameters))

    async def look(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return the rows of one statement as :meth:`read` does, for what an index answers with a row or two.

        It runs where it is asked for: the way to another thread and back takes longer than the statement. Where it
        would have to wait for somebody it goes that way after all.
        """
        if self._closed:
            raise DatabaseClosed
        try:
            return self._looker.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError:
            return await self.read(sql, parameters)

    async def wipe(self) -> bool:
        """Leave nothing in the files of what was deleted; False where the disk is full or somebody else is reading.

        Deleted rows are overwritten where they stand. But SQLite leaves copies behind when it moves rows between
        pages, and the log beside the file has the pages as they were: the file is written anew, and the log emptied.
        That takes about a second for a hundred megabytes, in which reading goes on and units wait.
        """
        if self._closed:
            raise DatabaseClosed
        since = time.monotonic()
        async with self._units.turn:
            try:
                for step in (partial(on_thread, self._writer, self._rewrite), partial(_empty_log, self._writer)):
                    while not await step():
                        if not self._units.may_wait(since):
                            _log.warning("what was deleted is still in the files: somebody else has them open")
                            return False
            except sqlite3.OperationalError as error:
                _log.warning("what was deleted is still in the files: %s", error)
                return False
        return True

    def hurry(self, *, within: float) -> None:
        """Prepare for the end, before anybody is told that theirs was interrupted; it may be called again.

        Units that have not begun are given up once their callers have gone, and whatever waits for another process
        that has the file waits for so many seconds at most.
        """
        self._units.hurry(within=within)

    def _rewrite(self, connection: sqlite3.Connection) -> bool:
        """Write the file anew, on the thread of the connection; False where another process writes."""
        self._is_rewriting = True
        try:
            connection.execute("VACUUM")
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
            return False
        finally:
            self._is_rewriting = False
        return True

    async def _finish(self) -> None:
        self._closed = True
        if self._is_rewriting:  # it can take longer than a stop may, and is as good another time
            await self._writer.interrupt()
        await self._units.finish()


async def fetch_one(connection: aiosqlite.Connection, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
    """Run one statement inside a unit and return its first row, or None where it has none."""
    for row in await connection.execute_fetchall(sql, parameters):
        return row
    return None


async def _connected(stack: AsyncExitStack, path: Path, mode: str) -> aiosqlite.Connection:
    connection = await stack.enter_async_context(_connection(f"{path.as_uri()}?mode={mode}"))
    connection.row_factory = sqlite3.Row
    return connection


def _looking(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, on the event loop's own thread, and never waits there."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=0)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connection(uri: str) -> aiosqlite.Connection:
    """Return a connection, not open yet, whose thread does not keep the process alive if nobody closes it.

    A thread that is made by a daemon thread is one too, and aiosqlite offers no other way to ask for that.
    """
    made: list[aiosqlite.Connection] = []

    def make() -> None:
        made.append(aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT))

    maker = Thread(target=make, daemon=True)
    maker.start()
    maker.join()
    return made[0]


async def _prepare_writer(connection: aiosqlite.Connection, path: Path) -> None:
    (mode,) = await connection.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode[0] != "wal":
        raise DatabaseUnusable(path, f"journal mode {mode[0]}")
    await connection.execute_fetchall("PRAGMA synchronous = FULL")
    await connection.execute_fetchall("PRAGMA foreign_keys = ON")
    await connection.execute_fetchall("PRAGMA secure_delete = ON")  # not every SQLite is built to


async def _empty_log(connection: aiosqlite.Connection) -> bool:
    (row,) = await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    return not row["busy"]
