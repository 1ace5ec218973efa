"""Shares one running task among the callers that ask for the same thing."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bot.domain.access import current_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


class SingleFlight(Generic[_K, _T]):
    """At most one current task per key, and one more for customers.

    Customers join what staff began. Staff never join what a customer began, because it waits in the customer's place.

    The task runs to its end even if every caller is cancelled, so no caller can fail the others. It runs in the
    context (``contextvars``) of the caller that started it. Callers share its exception object, too, unless the error
    ``is_starters_own``: then those who joined try again on their own behalf.
    """

    def __init__(self, *, is_starters_own: Callable[[Exception], bool] = lambda _: False) -> None:
        self._is_starters_own = is_starters_own
        self._current: dict[tuple[_K, bool], asyncio.Task[_T]] = {}
        """By key, and whether staff began it."""
        self._running: set[asyncio.Task[_T]] = set()

    def __contains__(self, key: _K) -> bool:
        return (key, True) in self._current or (key, False) in self._current

    async def run(self, key: _K, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Wait for the current task of ``key``; start it with ``work`` if there is none to join."""
        while (task := self._joinable(key)) is not None:
            try:
                return await asyncio.shield(task)
            except Exception as error:
                if not self._is_starters_own(error):
                    raise
        own = (key, current_caller().is_staff)
        task = self._current[own] = asyncio.create_task(work())
        self._running.add(task)
        task.add_done_callback(partial(self._on_done, own))
        return await asyncio.shield(task)

    def is_current(self, key: _K) -> bool:
        """Return whether the calling task is the current one of ``key``: :meth:`discard` did not remove it."""
        return asyncio.current_task() in (self._current.get((key, True)), self._current.get((key, False)))

    def _joinable(self, key: _K) -> asyncio.Task[_T] | None:
        by_customer = None if current_caller().is_staff else self._current.get((key, False))
        return self._current.get((key, True), by_customer)

    def discard(self, matches: Callable[[_K], bool]) -> None:
        """Let no more callers join the tasks whose key matches; those that wait still get their result."""
        for each in [each for each in self._current if matches(each[0])]:
            del self._current[each]

    async def close(self) -> None:
        """Cancel every task and wait for it to end."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _on_done(self, key: tuple[_K, bool], task: asyncio.Task[_T]) -> None:
        self._running.discard(task)
        if self._current.get(key) is task:
            del self._current[key]
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio logs a failure that no caller waits for any more
