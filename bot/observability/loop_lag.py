"""Measures how late the event loop comes back: what holds it up holds up every acknowledgement."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_EVERY = 0.25


@asynccontextmanager
async def measuring_lag(lagged: Callable[[float], None]) -> AsyncIterator[None]:
    """Tell ``lagged``, four times a second, by how many seconds a sleep was longer than asked for."""

    async def measure() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            lagged(max(0.0, loop.time() - due))

    task = asyncio.create_task(measure(), name="event loop lag")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
