"""Time that passes at once for the timers of the running event loop."""

import asyncio
from collections.abc import Callable


def pass_time(seconds: float) -> None:
    """Let seconds pass for all timers of the loop that runs; from then on they go with the clock again.

    So a deadline can be as long as in production, and ends when the test says so, however busy the machine is.
    """
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds, which has no event."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 -- as said
            await asyncio.sleep(0)


async def pass_time_later(seconds: float) -> None:
    """Let seconds pass once all that is ready to run has run, and what that has made ready."""
    for _ in range(100):
        await asyncio.sleep(0)
    pass_time(seconds)
