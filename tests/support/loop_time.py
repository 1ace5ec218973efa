"""Time that passes at once for the timers of the running event loop."""

import asyncio


def pass_time(seconds: float) -> None:
    """Let seconds pass for all timers of the loop that runs; from then on they go with the clock again.

    So a deadline can be as long as in production, and ends when the test says so, however busy the machine is.
    """
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]
