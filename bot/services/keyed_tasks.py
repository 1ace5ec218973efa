"""Background work on Discord: in order for each request, bounded in number, and never awaited for longer than asked."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import attrs

from bot.domain.errors import DatabaseUnavailable

_log = logging.getLogger(__name__)

T = TypeVar("T")


async def call_within(seconds: float, call: Coroutine[Any, Any, T]) -> T:
    """Return the result of a call; TimeoutError after ``seconds``, without waiting until the cancelled call has ended.

    discord.py may sleep on in a cancelled request while it leaves a rate limit.
    """
    task = asyncio.create_task(call)
    task.add_done_callback(_retrieve)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()  # does nothing if it is done
    if not task.done():
        raise TimeoutError
    return task.result()


@attrs.define(eq=False)
class KeyedTasks:
    """Runs work in the background: one job after the other for each key, and ``at_once`` jobs together."""

    at_once: int
    _last: dict[int, asyncio.Task[None]] = attrs.field(init=False, factory=dict)
    _running: set[asyncio.Task[None]] = attrs.field(init=False, factory=set)
    _slots: asyncio.Semaphore = attrs.field(init=False)
    _is_closed: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.at_once)

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that have not ended."""
        return frozenset(self._running)

    def is_busy(self, key: int) -> bool:
        """Return whether work for this key has not ended."""
        return key in self._last

    def begin(self, key: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start work after the earlier work for this key; its errors are logged. After :meth:`close` nothing starts."""
        if self._is_closed:
            return
        task = asyncio.create_task(self._run(key, self._last.get(key), work))
        self._last[key] = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda done: self._on_done(key, done))

    async def wait(self, key: int, *, within: float) -> None:
        """Wait for the work for this key for ``within`` seconds at most."""
        if (task := self._last.get(key)) is not None:
            await asyncio.wait({task}, timeout=within)

    async def close(self, *, within: float) -> None:
        """Let the work end for ``within`` seconds, cancel the rest, and start nothing more."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while self._running and (left := until - loop.time()) > 0:
            await asyncio.wait(self._running, timeout=left)
        self._is_closed = True
        for task in (late := tuple(self._running)):
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(
        self, key: int, previous: asyncio.Task[None] | None, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        if previous is not None:
            await asyncio.wait({previous})
        async with self._slots:
            try:
                await work()
            except DatabaseUnavailable as error:  # the log has when that began
                _log.debug("background work waits for the database request=%s fault=%s", key, error)
            except Exception:  # noqa: BLE001 -- no caller waits; what is missing is done in a later round
                _log.exception("background work failed request=%s", key)

    def _on_done(self, key: int, task: asyncio.Task[None]) -> None:
        if self._last.get(key) is task:
            del self._last[key]


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Take the error of a call that no one waits for any more, so that it is not reported as lost."""
    if not task.cancelled():
        task.exception()
