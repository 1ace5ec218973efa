"""Runs write jobs one after another, in transactions that waiting jobs share."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from bot.domain.errors import DatabaseUnavailable
from bot.storage.database import Job, WriteObserver

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_MAX_JOBS = 64
"""Jobs in one transaction, so that the first does not wait long for the last."""

_LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process's lock in all."""

_LOCK_TIMEOUT_AT_CLOSE = 0.3


class Writer(Protocol):
    """The one connection of a process that writes. Its methods are called on the queue's thread."""

    @property
    def connection(self) -> Any:
        """What jobs get: a :class:`Connection`, which also has its engine's own methods."""
        ...

    def begin(self) -> Exception | None:
        """Begin a transaction. Return the error if another process holds the lock: trying again may help."""
        ...

    def has_begun(self) -> bool:
        """Return whether a transaction is open."""
        ...

    def commit(self) -> None:
        """Commit the transaction."""
        ...

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        ...

    def interrupt(self) -> None:
        """Cancel the statement that runs; called from another thread."""
        ...

    def explained(self, error: BaseException, *, in_commit: bool = False) -> BaseException:
        """Return a DatabaseUnavailable for an error of the database, and any other error as it is."""
        ...

    def on_failure(self) -> None:
        """Count a job that failed because of the database."""
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

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
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
            self._writer.interrupt()
        self._thread.shutdown()

    def run(self, work: Callable[[Any], _T]) -> asyncio.Future[_T]:
        """Run work on the connection's thread, between two transactions."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work, self._writer.connection)

    def add(self, job: Callable[[Any], _T], on_done: Callable[[], None] | None = None) -> asyncio.Future[_T]:
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
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._run_batch, batch)
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
            if isinstance(error, DatabaseUnavailable):
                self._writer.on_failure()
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

    def _run_batch(self, batch: Sequence[_Entry]) -> None:
        """Run a batch in one transaction. If a job fails, roll back and run each half, until the job fails alone."""
        writer = self._writer
        try:
            entries = self._begin(batch)
        except Exception as error:  # noqa: BLE001 -- the callers get it
            _fail(batch, writer.explained(error))
            return
        try:
            for entry in entries:
                entry.result = entry.job(writer.connection)
                if not writer.has_begun():
                    raise RuntimeError("the job ended the transaction")  # noqa: TRY301 -- its own error
        except BaseException as error:  # noqa: BLE001 -- the caller gets it
            writer.rollback()  # SQLite may have done so: it does if the disk is full
            if len(entries) == 1:
                _fail(entries, writer.explained(error))
            else:
                middle = len(entries) // 2
                self._run_batch(entries[:middle])
                self._run_batch(entries[middle:])
            return
        if entries:
            try:
                writer.commit()
            except Exception as error:  # noqa: BLE001 -- the callers get it
                writer.rollback()
                _fail(entries, writer.explained(error, in_commit=True))

    def _begin(self, batch: Sequence[_Entry]) -> Sequence[_Entry]:
        """Begin a transaction and return the jobs to run; none, and no transaction, if all were dropped."""
        since = time.monotonic()
        while True:
            if self._is_shutting_down:
                batch = [entry for entry in batch if not entry.future.done()]
            if not batch:
                return batch
            locked = self._writer.begin()
            if locked is None:
                return batch
            if not self.may_wait(since):
                raise locked


def _fail(entries: Sequence[_Entry], error: BaseException) -> None:
    for entry in entries:
        entry.error = error
