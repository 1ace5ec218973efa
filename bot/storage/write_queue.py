"""Runs what is to be written unit by unit, in the order it was asked for; those that wait share a transaction."""

import asyncio
import logging
import math
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import aiosqlite

from bot.storage.thread import ahead, on_thread

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

Unit = Callable[[aiosqlite.Connection], Awaitable[_T]]

_MOST_UNITS = 256
"""Units that share a transaction at most."""

_MOST_AT_ONCE = 64
"""Of them, units that go to the connection's thread together."""

_LONGEST = 0.05
"""Seconds after which a transaction takes no further unit in, so that the first does not wait long for the last."""


ASKED_AGAIN = 0.1
"""Seconds that SQLite itself may wait for another process that writes: nothing could cut short a wait inside it."""

_PATIENCE = 5.0
"""Seconds to wait for another process that writes, all in all; SkinDesk itself never waits for itself."""

_AT_THE_END = 0.3
"""The same, once the database is being closed."""


class WriteObserver(Protocol):
    """Something that is told of every unit that is written."""

    def __call__(self, *, waited: float, took: float) -> None:
        """Take note of a unit; both in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class SyncJob(Generic[_T]):
    """A unit that is one piece of work on the connection's thread: those that wait in a row go there together.

    It may be undone and done once more, where one of the others fails: outside the database it changes nothing that
    could be wrong by that.
    """

    work: Callable[[sqlite3.Connection], _T]

    async def __call__(self, connection: aiosqlite.Connection) -> _T:
        """Do it, as any unit."""
        return await on_thread(connection, self.work)


@dataclass(slots=True, eq=False)
class _Asked:
    """A unit that somebody has asked for, and what became of it."""

    run: Unit[Any]
    ended: Callable[[], None] | None
    told: asyncio.Future[Any]
    at: float
    began: float = 0.0
    result: Any = None
    error: BaseException | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether its caller has gone, as long as nobody was told anything."""
        return self.told.done()


_Piece = tuple[_Asked, SyncJob[Any]]


class WriteQueue:
    """The units that wait for the one connection that writes.

    A unit that fails is undone alone: where it takes that, each but the first of a transaction stands in a savepoint
    of its own. Nobody is told anything before the COMMIT, so a crash loses only what nobody was told of; a COMMIT that
    fails fails them all.
    """

    def __init__(self, writer: aiosqlite.Connection) -> None:
        self._writer = writer
        self._waiting: deque[_Asked] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._begun = False
        self._failed: list[sqlite3.Error] = []
        self._hurries = False
        self._ends = math.inf
        self.turn = asyncio.Lock()
        """Held while a transaction is open."""
        self.on_write: WriteObserver | None = None

    def add(self, unit: Unit[_T], ended: Callable[[], None] | None) -> asyncio.Future[_T]:
        """Put a unit at the end; the future has its result once that is committed. RuntimeError inside a unit.

        Cancelling the future stops no unit: nobody is told then.
        """
        if self._worker is not None and asyncio.current_task() is self._worker:
            raise RuntimeError("a unit inside a unit would wait for itself")
        told: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(unit, ended, told, time.perf_counter()))
        self._start()
        return told

    def hurry(self, *, within: float) -> None:
        """Begin no unit any more whose caller has gone, and wait for another process for so many seconds at most.

        Call it when a stop begins, before anybody is told that theirs was interrupted: that is to be true.
        """
        self._hurries = True
        self._ends = min(self._ends, time.monotonic() + within)

    def may_wait(self, since: float) -> bool:
        """Say whether what has waited for another process since then, on the monotonic clock, may wait on."""
        return time.monotonic() < min(since + _PATIENCE, self._ends)

    async def finish(self) -> None:
        """Wait until none is left: what somebody still waits for is written, as soon as the file can be had."""
        self.hurry(within=_AT_THE_END)
        while self._worker is not None:
            await asyncio.wait({self._worker})
            await asyncio.sleep(0)  # what is called at its end

    def _start(self) -> None:
        if self._worker is None:
            self._begun = False
            self._worker = asyncio.create_task(self._work())
            self._worker.add_done_callback(self._worked)

    def _worked(self, worker: asyncio.Task[None]) -> None:
        """Give up those of a task that was cancelled before its first step, which cannot do so itself."""
        if worker is self._worker and not self._begun:
            self._worker = None
            self._give_up()

    async def _work(self) -> None:
        self._begun = True
        try:
            while self._is_any_waiting():
                try:
                    await self.turn.acquire()
                except asyncio.CancelledError:
                    self._give_up()
                    raise
                try:
                    if self._is_any_waiting():  # their callers may have gone meanwhile
                        await self._transact()
                finally:
                    self.turn.release()
        finally:
            self._worker = None
            if self._waiting:  # asked for after the cancellation
                self._start()

    def _give_up(self) -> None:
        """Cancel those that wait: the loop ends, and this task, which would have run them, is cancelled with it."""
        while self._waiting:
            self._waiting.popleft().told.cancel()

    def _is_any_waiting(self) -> bool:
        """Say whether a unit waits to be begun; in a hurry those whose callers have gone no longer do."""
        while self._hurries and self._waiting and self._waiting[0].is_abandoned:
            if (ended := self._waiting.popleft().ended) is not None:
                ended()
        return bool(self._waiting)

    async def _transact(self) -> None:
        """Run those that wait and commit them; raises only where the task itself is cancelled."""
        batch: list[_Asked] = []
        self._failed = []
        try:
            await self._run_into(batch)
        except BaseException as error:
            if _is_cancelled():
                self._give_up()
            # Only the loop's own end cancels this task. The rollback then queues behind the statement under way; if
            # that was the COMMIT there is nothing left to undo and it does nothing. A connection that was closed
            # meanwhile (ValueError) has undone everything by that.
            with suppress(ValueError):
                await self._writer.rollback()
            if is_locked(error) and time.monotonic() >= self._ends:  # the others would ask in vain too, one by one
                batch.extend(self._waiting)
                self._waiting.clear()
            for asked in batch:
                asked.error = asked.error or error
            if _is_cancelled():
                raise
        finally:
            self._tell(batch)

    async def _run_into(self, batch: list[_Asked]) -> None:
        """Run units in a transaction and commit it, noting each in ``batch`` before; an error undoes all of it.

        Where each that waits is one piece of work, all of it is one way to the thread and back.
        """
        if isinstance(self._waiting[0].run, SyncJob):
            if await self._run_on_thread(batch, begins=True):
                return
        else:
            first = self._next(batch)
            await on_thread(self._writer, partial(self._begin, batch))
            first.result = await first.run(self._writer)
        while (
            self._is_any_waiting()
            and len(batch) < _MOST_UNITS
            and time.perf_counter() < batch[0].began + _LONGEST
            and self._writer.in_transaction
        ):
            if not isinstance(self._waiting[0].run, SyncJob):
                await self._run_beside_others(self._next(batch))
            elif await self._run_on_thread(batch):
                return
        await on_thread(self._writer, self._commit)

    def _next(self, batch: list[_Asked]) -> _Asked:
        asked = self._waiting.popleft()
        asked.began = time.perf_counter()
        batch.append(asked)
        return asked

    async def _run_on_thread(self, batch: list[_Asked], *, begins: bool = False) -> bool:
        """Go to the thread once with those in a row that need nothing else, and commit if those were the last ones.

        Say whether they were; raise where they took others with them.
        """
        pieces: list[_Piece] = []
        while self._is_any_waiting() and len(pieces) < _MOST_AT_ONCE and len(batch) < _MOST_UNITS:
            if not isinstance(work := self._waiting[0].run, SyncJob):
                break
            pieces.append((self._next(batch), work))
        ends = not self._waiting

        def run(connection: sqlite3.Connection) -> None:
            todo = pieces
            if begins:
                self._begin(batch, connection)
                todo = [piece for piece in pieces if piece[0].error is None]
            _run_all(todo, connection, is_alone=begins and ends and len(todo) == 1)
            if ends:
                self._commit(connection)

        await on_thread(self._writer, run)
        return ends

    def _begin(self, batch: Sequence[_Asked], connection: sqlite3.Connection) -> None:
        """Open the transaction of ``batch``, waiting for another process that writes as long as that may be.

        In a hurry, units whose callers have gone meanwhile get an error that says so; it is raised where all have.
        """
        since = time.monotonic()
        while True:
            if self._hurries:
                for asked in batch:
                    if asked.is_abandoned:
                        asked.error = asyncio.CancelledError()
                if all(asked.error is not None for asked in batch):
                    raise asyncio.CancelledError
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_locked(error) or not self.may_wait(since):
                    raise
            else:
                return

    async def _run_beside_others(self, asked: _Asked) -> None:
        """Run a unit so that it can be undone alone; raises where it took the others with it."""
        ahead(self._writer, "SAVEPOINT unit", self._failed)
        try:
            asked.result = await asked.run(self._writer)
            ahead(self._writer, "RELEASE unit", self._failed)
        except BaseException as error:
            # Where there is no room SQLite may undo the whole transaction by itself.
            if _is_cancelled() or not self._writer.in_transaction:
                raise
            asked.error = error
            await self._writer.execute_fetchall("ROLLBACK TO unit")
            await self._writer.execute_fetchall("RELEASE unit")

    def _commit(self, connection: sqlite3.Connection) -> None:
        if self._failed:
            raise self._failed[0]
        connection.execute("COMMIT")

    def _tell(self, batch: list[_Asked]) -> None:
        """Let the callers have what became of their units: first what is kept in memory, then they themselves."""
        now = time.perf_counter()
        for asked in batch:
            if asked.ended is not None:
                asked.ended()
        for asked in batch:
            if asked.told.done():  # its caller had gone
                if asked.error is not None and not isinstance(asked.error, asyncio.CancelledError):
                    _log.error("write failed after its caller had gone error=%s", type(asked.error).__name__)
                continue
            if asked.error is None:
                asked.told.set_result(asked.result)
                if self.on_write is not None:
                    self.on_write(waited=asked.began - asked.at, took=now - asked.began)
            elif isinstance(asked.error, asyncio.CancelledError):
                asked.told.cancel()
            else:
                asked.told.set_exception(asked.error)


def is_locked(error: BaseException) -> bool:
    """Say whether another process had what was needed of the file."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_BUSY


def _run_all(pieces: Sequence[_Piece], connection: sqlite3.Connection, *, is_alone: bool) -> None:
    """Run pieces of work in the open transaction; one that fails is undone alone, unless it ``is_alone`` there.

    They hardly ever fail, so they are begun without savepoints of their own, each of which costs two statements.
    """
    if is_alone:
        [(asked, unit)] = pieces
        asked.result = unit.work(connection)
        return
    connection.execute("SAVEPOINT units")
    try:
        for asked, unit in pieces:
            asked.result = unit.work(connection)
    except Exception:
        # Where there is no room SQLite may undo the whole transaction by itself.
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO units")
        _run_each(pieces, connection)
    connection.execute("RELEASE units")


def _run_each(pieces: Sequence[_Piece], connection: sqlite3.Connection) -> None:
    for asked, unit in pieces:
        connection.execute("SAVEPOINT unit")
        try:
            asked.result = unit.work(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise
            asked.error = error
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
