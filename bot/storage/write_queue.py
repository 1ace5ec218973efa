"""Runs write jobs one after another, in transactions that waiting jobs share."""

import asyncio
import logging
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from bot.domain.errors import DatabaseUnavailable
from bot.storage.guard import DatabaseGuard

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

Job = Callable[[sqlite3.Connection], _T]
"""A write job. It may be rolled back and run again: that must do no harm outside the database."""

_MAX_JOBS = 64
"""Jobs in one transaction, so that the first does not wait long for the last."""

BUSY_TIMEOUT = 0.1
"""Seconds that SQLite itself waits for another process's lock: that wait cannot be interrupted."""

_LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process's lock in all."""

_LOCK_TIMEOUT_AT_CLOSE = 0.3


class WriteObserver(Protocol):
    """Receives the timing of each job that was committed."""

    def __call__(self, *, waited: float, took: float) -> None:
        """Record a job; both in seconds."""
        ...


@dataclass(slots=True, eq=False)
class _Entry:
    job: Job[Any]
    on_done: Callable[[], None] | None
    future: asyncio.Future[Any]
    added_at: float
    started_at: float = 0.0
    result: Any = None
    error: BaseException | None = None


class WriteQueue:
    """The queue and the thread of the one connection that writes.

    Callers are answered only after COMMIT. A failed COMMIT fails the whole batch; a job that fails is undone alone.
    """

    def __init__(self, connection: sqlite3.Connection, guard: DatabaseGuard) -> None:
        self._connection = connection
        self._guard = guard
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._waiting: deque[_Entry] = deque()
        self._running: asyncio.Future[None] | None = None
        self._is_shutting_down = False
        self._lock_deadline = math.inf
        self.on_write: WriteObserver | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, asyncio.CancelledError):  # what runs is rolled back, so that stopping does not wait for it
            self._connection.interrupt()
        self._thread.shutdown()

    def run(self, work: Job[_T]) -> asyncio.Future[_T]:
        """Run work on the connection's thread, between two transactions."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    def add(self, job: Job[_T], on_done: Callable[[], None] | None = None) -> asyncio.Future[_T]:
        """Queue a job. Cancelling the future does not stop the job."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(job, on_done, future, time.perf_counter()))
        self._start()
        return future

    def begin_shutdown(self, *, within: float) -> None:
        """Drop jobs that have not begun once their callers are gone, and limit the wait for another process's lock.

        Call it before any caller gets the answer that it was interrupted.
        """
        self._is_shutting_down = True
        self._lock_deadline = min(self._lock_deadline, time.monotonic() + within)

    def may_wait(self, since: float) -> bool:
        """Return whether there is time left to wait for another process's lock; ``since`` is monotonic."""
        return time.monotonic() < min(since + _LOCK_TIMEOUT, self._lock_deadline)

    async def finish(self) -> None:
        """Wait until the queue is empty. Jobs whose callers still wait are run."""
        self.begin_shutdown(within=_LOCK_TIMEOUT_AT_CLOSE)
        try:
            while self._running is not None:
                await asyncio.wait({self._running})
        finally:
            while self._waiting:
                self._waiting.popleft().future.cancel()

    def _start(self) -> None:
        if self._running is not None or not self._waiting:
            return
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_JOBS))]
        now = time.perf_counter()
        for entry in batch:
            entry.started_at = now
        self._running = self.run(partial(self._run_batch, batch))
        self._running.add_done_callback(partial(self._answer, batch))

    def _answer(self, batch: Sequence[_Entry], running: asyncio.Future[None]) -> None:
        """Answer the callers of a batch, caches first, and start the next batch."""
        self._running = None
        failure = running.exception()
        now = time.perf_counter()
        for entry in batch:
            if entry.on_done is not None:
                entry.on_done()
        for entry in batch:
            error = entry.error or failure
            self._guard.write_failures += isinstance(error, DatabaseUnavailable)
            if entry.future.done():
                if error is not None:
                    _log.error("write failed after its caller had gone error=%s", type(error).__name__)
            elif error is not None:
                entry.future.set_exception(error)
            else:
                entry.future.set_result(entry.result)
                if self.on_write is not None:
                    self.on_write(waited=entry.started_at - entry.added_at, took=now - entry.started_at)
        self._start()

    def _run_batch(self, batch: Sequence[_Entry], connection: sqlite3.Connection) -> None:
        """Run a batch in one transaction. If a job fails, roll back and run each half, until the job fails alone."""
        try:
            entries = self._begin(batch, connection)
        except (sqlite3.Error, DatabaseUnavailable) as error:
            _fail(batch, self._guard.explained(error))
            return
        try:
            for entry in entries:
                entry.result = entry.job(connection)
                if not connection.in_transaction:
                    raise sqlite3.OperationalError("the job ended the transaction")  # noqa: TRY301 -- its own error
        except BaseException as error:  # noqa: BLE001 -- the caller gets it
            connection.rollback()  # SQLite may have done so: it does if the disk is full
            if len(entries) == 1:
                _fail(entries, self._guard.explained(error))
            else:
                middle = len(entries) // 2
                self._run_batch(entries[:middle], connection)
                self._run_batch(entries[middle:], connection)
            return
        if entries:
            try:
                connection.execute("COMMIT")
                self._guard.after_commit()
            except (sqlite3.Error, DatabaseUnavailable) as error:
                connection.rollback()
                _fail(entries, self._guard.explained(error, may_be_done=not _is_unwritten(error)))

    def _begin(self, batch: Sequence[_Entry], connection: sqlite3.Connection) -> Sequence[_Entry]:
        """Begin a transaction and return the jobs to run; none, and no transaction, if all were dropped."""
        self._guard.before_transaction()
        since = time.monotonic()
        while True:
            if self._is_shutting_down:
                batch = [entry for entry in batch if not entry.future.done()]
            if not batch:
                return batch
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_locked(error) or not self.may_wait(since):
                    raise
            else:
                return batch


def is_locked(error: BaseException) -> bool:
    """Return whether another process held the lock."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_BUSY


def _is_unwritten(error: BaseException) -> bool:
    """Return whether a COMMIT failed in writing: its last page, which makes it count, is then not in the journal.

    If syncing failed, it may be there after a crash.
    """
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


def _fail(entries: Sequence[_Entry], error: BaseException) -> None:
    for entry in entries:
        entry.error = error
