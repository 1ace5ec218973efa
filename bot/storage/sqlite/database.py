"""One SQLite file: opened by one process, written by one queue of jobs, read beside the writing."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Self, TypeVar

import aiosqlite

from bot.domain.errors import DatabaseUnavailable
from bot.storage.database import Database, Parameters, WriteObserver
from bot.storage.errors import DatabaseClosed, DatabaseUnusable, UnknownCapability, of_sqlite
from bot.storage.files import size_of
from bot.storage.sqlite.guard import DatabaseGuard
from bot.storage.sqlite.lock import create, locked
from bot.storage.sqlite.schema import Migration, bundled, migrate, require_sound, unknown_capabilities, version_of
from bot.storage.sqlite.writer import BUSY_TIMEOUT, SqliteWriter, is_locked
from bot.storage.write_queue import WriteQueue
from bot.storage.writing_tasks import WritingTasks

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_READ_TIMEOUT = 5.0
"""Seconds to wait for another process's lock in reading, and while the file is opened."""


class SqliteDatabase(Database):
    """The connections to one file: one that writes, two that only read and never see a job half done."""

    is_shared = False

    def __init__(
        self,
        *,
        guard: DatabaseGuard,
        writer: sqlite3.Connection,
        queue: WriteQueue,
        reader: aiosqlite.Connection,
        inline: sqlite3.Connection,
    ) -> None:
        self.guard = guard
        self._writer = writer
        self._queue = queue
        self._reader = reader
        self._inline = inline
        self._is_closed = False
        self._writing = WritingTasks()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        *,
        migrations: Sequence[Migration] | None = None,
        admit: Callable[[Path, sqlite3.Connection | None], None] | None = None,
        before_migration: Callable[[Path, int], None] | None = None,
    ) -> AsyncIterator[Self]:
        """Claim the file, bring it to the newest schema, check it, and close it at the end.

        Every StorageError but DatabaseClosed is a reason not to start; the file is then as it was, or further by whole
        migrations. ``admit`` is called before anything is written, without a connection if there is no file or it is
        empty, and may raise DatabaseChanged. ``before_migration`` is called with the file and the number of the first
        missing migration, unless the file is new. Closing waits for the jobs whose callers still wait.
        """
        migrations = bundled() if migrations is None else migrations
        async with AsyncExitStack() as stack:
            real = stack.enter_context(locked(path))
            guard = DatabaseGuard(real)
            try:
                if admit is not None and not size_of(real):
                    admit(real, None)
                create(real)
                writer = stack.enter_context(closing(_connect(real, "rw", timeout=_READ_TIMEOUT)))
                queue = stack.enter_context(WriteQueue(SqliteWriter(writer, guard)))
                version = await queue.run(partial(_configure, path=real, admit=admit))
                if before_migration is not None and 0 < version < len(migrations):
                    # Not on the queue's thread, which is waited for when a start is cancelled.
                    await asyncio.to_thread(before_migration, real, version + 1)
                await queue.run(partial(_upgrade, path=real, migrations=migrations))
                reader = await stack.enter_async_context(_reader(real))
                reader.row_factory = sqlite3.Row
                await reader.execute_fetchall("PRAGMA query_only = ON")
                inline = stack.enter_context(closing(_connect(real, "ro", timeout=0)))
                inline.execute("PRAGMA query_only = ON")
                guard.begin(queue.run)
            except sqlite3.Error as error:
                raise of_sqlite(real, error) from error
            except OSError as error:
                raise DatabaseUnusable(real, error.strerror or type(error).__name__) from error
            database = cls(guard=guard, writer=writer, queue=queue, reader=reader, inline=inline)
            stack.push_async_callback(database._finish)
            yield database

    def observe_writes(self, observer: WriteObserver) -> None:
        """Call ``observer`` with the timing of each job that was committed."""
        self._queue.on_write = observer

    async def write(self, job: Callable[[sqlite3.Connection], _T], *, on_done: Callable[[], None] | None = None) -> _T:
        """Run ``job`` in a transaction and return its result after COMMIT; if it raises, it is rolled back.

        Jobs run one after another, in the order they were added, on the connection's thread; they may be run twice.
        Cancelling the caller does not stop the job, unless it has not begun when :meth:`begin_shutdown` is called.
        ``on_done`` is called once the job is committed or has failed, before its caller is answered.
        DatabaseUnavailable if the disk is full, the file is gone, or the like.
        """
        if self._is_closed:
            raise DatabaseClosed
        try:
            result = await self._queue.add(job, on_done)
        except DatabaseUnavailable as error:
            raise self._explained(error) from None
        self._writing.add_current()
        return result

    async def read(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return the rows of one statement, which sees all committed jobs and no other.

        DatabaseUnavailable if the file cannot be read, or is known to be another one than was opened.
        """
        if self._is_closed:
            raise DatabaseClosed
        try:
            self.guard.require_readable()
            return list(await self._reader.execute_fetchall(sql, parameters))
        except (sqlite3.Error, DatabaseUnavailable) as error:
            raise self._explained(error) from None

    async def read_inline(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Do what :meth:`read` does, on the event loop's thread: for a row or two that an index finds.

        Going to another thread and back takes longer than such a statement. A statement that would have to wait for a
        lock is run by :meth:`read`.
        """
        if self._is_closed:
            raise DatabaseClosed
        try:
            self.guard.require_readable()
            return self._inline.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError:
            return await self.read(sql, parameters)
        except (sqlite3.Error, DatabaseUnavailable) as error:
            raise self._explained(error) from None

    async def wipe(self) -> bool:
        """Remove deleted data from the files; False if the disk is full or another process is reading.

        Deleted rows are overwritten in place. But SQLite leaves copies behind when it moves rows between pages, and the
        log has the pages as they were: so the file is rewritten and the log emptied. That takes about a second for a
        hundred megabytes; reading goes on, write jobs wait.
        """
        if self._is_closed:
            raise DatabaseClosed
        since = time.monotonic()
        try:
            for step in (self._rewrite, _empty_log):
                while not await self._queue.run(step):
                    if not self._queue.may_wait(since):
                        _log.warning("deleted data is still in the files: another process has them open")
                        return False
        except (sqlite3.Error, DatabaseUnavailable) as error:
            self.guard.explained(error)
            _log.warning("deleted data is still in the files: %s", error)
            return False
        return True

    def begin_shutdown(self, *, within: float) -> None:
        """Drop jobs that have not begun once their callers are gone, and limit the wait for another process's lock.

        Call it before any caller gets the answer that it was interrupted; it may be called again.
        """
        self._queue.begin_shutdown(within=within)

    def _rewrite(self, connection: sqlite3.Connection) -> bool:
        """Rewrite the file; False if another process has it locked."""
        self.guard.before_transaction()
        self.guard.is_rewriting = True
        try:
            connection.execute("VACUUM")
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
            return False
        finally:
            self.guard.is_rewriting = False
        return True

    def _explained(self, error: BaseException) -> BaseException:
        return self._writing.explained(self.guard.explained(error))

    async def _finish(self) -> None:
        self._is_closed = True
        self.guard.end()
        if self.guard.is_rewriting:  # it can take longer than a shutdown may, and can be done later
            self._writer.interrupt()
        await self._queue.finish()


def _connect(path: Path, mode: str, *, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=timeout, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


def _reader(path: Path) -> aiosqlite.Connection:
    """Return a connection, not open yet, whose thread does not keep the process alive if it is never closed.

    aiosqlite has no option for that, but a thread made by a daemon thread is a daemon too.
    """
    made: list[aiosqlite.Connection] = []

    def make() -> None:
        uri = f"{path.as_uri()}?mode=ro"
        made.append(aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=_READ_TIMEOUT))

    maker = Thread(target=make, daemon=True)
    maker.start()
    maker.join()
    return made[0]


def _configure(
    connection: sqlite3.Connection, *, path: Path, admit: Callable[[Path, sqlite3.Connection | None], None] | None
) -> int:
    """Check the file, set the connection up, and return the version of the schema."""
    require_sound(connection, path)
    if admit is not None and size_of(path):
        admit(path, connection)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise DatabaseUnusable(path, f"journal mode {mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # not every SQLite is built to
    return version_of(connection)


def _upgrade(connection: sqlite3.Connection, *, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the file to the newest schema."""
    migrate(connection, path, migrations)
    if unknown := unknown_capabilities(connection):
        raise UnknownCapability(*unknown)
    _empty_log(connection)  # a crash may have left it
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")


def _empty_log(connection: sqlite3.Connection) -> bool:
    return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()["busy"]
