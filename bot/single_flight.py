"""Shares one running task among the callers that ask for the same thing."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


class SingleFlight(Generic[_K, _T]):
    """At most one current task per key.

    The task runs to its end even if every caller is cancelled, so no caller can fail the others. It runs in the
    context (``contextvars``) of the caller that started it. Callers share its exception object, too, unless the error
    ``is_starters_own``: then those who joined try again on their own behalf.
    """

    def __init__(self, *, is_starters_own: Callable[[Exception], bool] = lambda _: False) -> None:
        self._is_starters_own = is_starters_own
        self._current: dict[_K, asyncio.Task[_T]] = {}
        self._running: set[asyncio.Task[_T]] = set()

    def __contains__(self, key: _K) -> bool:
        return key in self._current

    async def run(self, key: _K, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Wait for the current task of ``key``; start it with ``work`` if there is none."""
        while (task := self._current.get(key)) is not None:
            try:
                return await asyncio.shield(task)
            except Exception as error:
                if not self._is_starters_own(error):
                    raise
        task = self._current[key] = asyncio.create_task(work())
        self._running.add(task)
        task.add_done_callback(partial(self._on_done, key))
        return await asyncio.shield(task)

    def is_current(self, key: _K) -> bool:
        """Return whether the calling task is the current one of ``key``: :meth:`discard` did not remove it."""
        return self._current.get(key) is asyncio.current_task()

    def discard(self, matches: Callable[[_K], bool]) -> None:
        """Let no more callers join the tasks whose key matches; those that wait still get their result."""
        for key in [key for key in self._current if matches(key)]:
            del self._current[key]

    async def close(self) -> None:
        """Cancel every task and wait for it to end."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _on_done(self, key: _K, task: asyncio.Task[_T]) -> None:
        self._running.discard(task)
        if self._current.get(key) is task:
            del self._current[key]
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio logs a failure that no caller waits for any more
