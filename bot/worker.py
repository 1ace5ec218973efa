"""Runs long work beside the event loop, fairly between people and with a deadline for those who wait.

One thread works, because the event loop waits for each busy thread to release the interpreter: beside answers of ten
thousand items it stood still for 25 ms with one thread, for 60 ms with two and for 85 ms with three. Only a job that
takes long opens the second thread, to the jobs of others: a person has one job at a time.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from bot.domain.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

_FULL_PASS_AFTER = 50
"""Passes over the middle generation before a full one: some minutes at ten interactions a second. Python's is 10."""

MANY_ITEMS = 1_000
"""From this many items on, going through them is long work."""

_SWITCH_INTERVAL = 0.0005
"""Seconds that the event loop waits for a busy thread each time it needs the interpreter. With Python's 5 ms, small
lookups beside answers of 8 MiB took 908 ms (p95 of 44), with this 406 ms, without such answers 220 ms."""

current_person: ContextVar[int | None] = ContextVar("person", default=None)
"""The user on whose behalf the current task works; None is SkinDesk itself."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    person: int | None
    work: Callable[[], Any]
    future: Future[Any]


class Worker:
    """Two threads and the jobs that wait for them. The threads are daemons, so that none of them delays an exit.

    ``deadline`` are the seconds that a caller waits: fewer than the 15 in which a lookup is answered. A job that runs
    for ``long`` seconds no longer keeps other people's jobs waiting.
    """

    def __init__(self, *, deadline: float = 10.0, long: float = 1.0) -> None:
        self._deadline = deadline
        self._long = long
        self._changed = threading.Condition()
        self._waiting: dict[int | None, deque[_Job]] = {}
        """Jobs by person; whose turn comes first stands first."""
        self._begun: dict[int | None, float] = {}
        """When the job of each person that is running began."""
        self._threads: list[Thread] = []

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work`` on a worker thread and return its result; Overloaded if that takes too long.

        ``work`` changes nothing outside: it may go on after its caller was refused. It speaks the caller's language.
        """
        in_context = partial(copy_context().run, work, *args, **kwargs)
        future = asyncio.wrap_future(self._submit(current_person.get(), in_context))
        deadline = asyncio.timeout(self._deadline)
        try:
            async with deadline:
                result: _T = await future
                return result
        except TimeoutError:
            if not deadline.expired():
                raise
            _log.warning("work not done in time: %s", getattr(work, "__qualname__", "unknown"))
            raise Overloaded from None

    def _submit(self, person: int | None, work: Callable[[], Any]) -> Future[Any]:
        job = _Job(person, work, Future())
        with self._changed:
            if not self._threads:
                sys.setswitchinterval(_SWITCH_INTERVAL)
                self._threads = [Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(2)]
                for thread in self._threads:
                    thread.start()
            self._waiting.setdefault(person, deque()).append(job)
            self._changed.notify_all()
        return job.future

    def _run(self) -> None:
        _collect_rarely()
        while True:
            job = self._next()
            person = job.person
            _complete(job)
            del job  # its result may be large
            with self._changed:
                del self._begun[person]
                self._changed.notify_all()

    def _next(self) -> _Job:
        """Wait for a job that may begin: its person has none running, and those that run are long ones."""
        with self._changed:
            while True:
                now = time.monotonic()
                opens_in = max((begun + self._long - now for begun in self._begun.values()), default=0.0)
                free = [person for person in self._waiting if person not in self._begun]
                if free and opens_in <= 0:
                    return self._begin(free[0], now)
                self._changed.wait(opens_in if free else None)

    def _begin(self, person: int | None, now: float) -> _Job:
        jobs = self._waiting.pop(person)
        job = jobs.popleft()
        if jobs:
            self._waiting[person] = jobs  # behind everyone else's
        self._begun[person] = now
        return job


def _complete(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001 -- the caller gets it
        job.future.set_exception(error)
    else:
        job.future.set_result(result)


def _collect_rarely() -> None:
    """Make full passes of the garbage collector rare, but not so rare that memory grows for an hour between two.

    A large answer is a hundred thousand objects and no garbage. A full pass stops the event loop, and by default there
    were one or two for each large answer. But each failed call and each closed connection leaves some garbage that only
    a full pass finds: some 20 MB an hour at ten interactions a second (``benchmarks.soak``).
    """
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _FULL_PASS_AFTER)


run_in_worker = Worker().run
