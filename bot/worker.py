"""Runs long work on one worker thread, one piece at a time.

With several busy threads the event loop waits for each of them to release the interpreter: beside answers of ten
thousand items it stood still for 85 ms with three threads, for 25 ms with one.
"""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MANY_ITEMS = 3_000
"""From this many items on, going through them is long work."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _collect_rarely() -> None:
    """Make full passes of the garbage collector rare.

    A large answer is a hundred thousand objects and no garbage. A full pass stops the event loop, and by default there
    were one or two for each large answer.
    """
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)


_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker", initializer=_collect_rarely)


async def run_in_worker(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run ``work`` on the worker thread, after the work queued before it, and return its result."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, lambda: work(*args, **kwargs))
