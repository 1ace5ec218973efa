"""Does long work beside the event loop, one piece at a time.

Two busy threads pass the interpreter to each other, and the event loop waits for both: with three of them it stood
still for 85 ms beside answers of ten thousand items, with one for 25.
"""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MANY_ITEMS = 3_000
"""From so many on, going through items is long work."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _collect_rarely() -> None:
    """Let the garbage collector leave what has lived for a while alone, but for one pass in a hundred.

    A large answer is a hundred thousand objects and no garbage. Each pass through everything that lives stops the
    event loop, and unasked there were one or two of them for each large answer.
    """
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)


_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside", initializer=_collect_rarely)


async def run_in_worker(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return what ``work`` returns, once all that was asked for before is done; what it raises is raised here."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, lambda: work(*args, **kwargs))
