"""Runs what is to be written unit by unit, in the order it was asked for; those that wait share a transaction."""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
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

_MOST_AT_ONCE = 32
"""Of them, units that go to the connection's thread together."""

_LONGEST = 0.05
"""Seconds after which a transaction takes no further unit in, so that the first does not wait long for the last."""


class WriteObserver(Protocol):
    """Something that is told of every unit that is written."""

    def __call__(self, *, waited: float, took: float) -> None:
        """Take note of a unit; both in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class OnThread(Generic[_T]):
    """A unit that is one piece of work on the connection's thread: those that wait in a row go there together."""

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


class Units:
    """The units that wait for the one connection that writes.

    A unit that fails is undone alone: each but the first of a transaction stands in a savepoint of its own. Nobody is
    told anything before the COMMIT, so a crash loses only what nobody was told of; a COMMIT that fails fails them all.
    """

    def __init__(self, writer: aiosqlite.Connection) -> None:
        self._writer = writer
        self._waiting: deque[_Asked] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._begun = False
        self._failed: list[sqlite3.Error] = []
        self.turn = asyncio.Lock()
        """Held while a transaction is open."""
        self.on_write: WriteObserver | None = None

    def add(self, unit: Unit[_T], ended: Callable[[], None] | None) -> asyncio.Future[_T]:
        """Put a unit at the end; the future has its result once that is committed. RuntimeError inside a unit."""
        if self._worker is not None and asyncio.current_task() is self._worker:
            raise RuntimeError("a unit inside a unit would wait for itself")
        told: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(unit, ended, told, time.perf_counter()))
        self._start()
        return told

    async def finish(self) -> None:
        """Wait until none is left."""
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
            while self._waiting:
                try:
                    await self.turn.acquire()
                except asyncio.CancelledError:
                    self._give_up()
                    raise
                try:
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

    async def _transact(self) -> None:
        """Run those that wait and commit them; raises only where the task itself is cancelled."""
        batch: list[_Asked] = []
        self._failed = []
        try:
            await self._run_into(batch)
            await on_thread(self._writer, self._commit)
        except BaseException as error:
            if _is_cancelled():
                self._give_up()
            # Only the loop's own end cancels this task. The rollback then queues behind the statement under way; if
            # that was the COMMIT there is nothing left to undo and it does nothing. A connection that was closed
            # meanwhile (ValueError) has undone everything by that.
            with suppress(ValueError):
                await self._writer.rollback()
            for asked in batch:
                asked.error = asked.error or error
            if _is_cancelled():
                raise
        finally:
            self._tell(batch)

    async def _run_into(self, batch: list[_Asked]) -> None:
        """Begin a transaction and run units in it, noting each in ``batch`` before; an error undoes all of it."""
        first = self._next(batch)
        await self._writer.execute_fetchall("BEGIN IMMEDIATE")
        first.result = await first.run(self._writer)
        while (
            self._waiting
            and len(batch) < _MOST_UNITS
            and time.perf_counter() < first.began + _LONGEST
            and self._writer.in_transaction
        ):
            if isinstance(self._waiting[0].run, OnThread):
                await self._run_on_thread(batch)
            else:
                await self._run_beside_others(self._next(batch))

    def _next(self, batch: list[_Asked]) -> _Asked:
        asked = self._waiting.popleft()
        asked.began = time.perf_counter()
        batch.append(asked)
        return asked

    async def _run_on_thread(self, batch: list[_Asked]) -> None:
        """Go to the thread once with those in a row that need nothing else; raises as running one alone does."""
        pieces: list[tuple[_Asked, OnThread[Any]]] = []
        while self._waiting and len(pieces) < _MOST_AT_ONCE and len(batch) < _MOST_UNITS:
            if not isinstance(work := self._waiting[0].run, OnThread):
                break
            pieces.append((self._next(batch), work))
        await on_thread(self._writer, partial(_run_all, pieces))

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
            if asked.told.done():
                continue
            if asked.error is None:
                asked.told.set_result(asked.result)
                if self.on_write is not None:
                    self.on_write(waited=asked.began - asked.at, took=now - asked.began)
            elif isinstance(asked.error, asyncio.CancelledError):
                asked.told.cancel()
            else:
                asked.told.set_exception(asked.error)


def _run_all(pieces: list[tuple[_Asked, OnThread[Any]]], connection: sqlite3.Connection) -> None:
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


def report_unheard(told: asyncio.Future[Any]) -> None:
    """Log the failure of a unit whose caller had gone, since nobody else will."""
    if not told.cancelled() and (error := told.exception()) is not None:
        _log.error("write failed after its caller had gone error=%s", type(error).__name__)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
