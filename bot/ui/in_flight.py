"""The interactions being worked on, so that a stop can finish every one of them."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.ui.interactions import Interaction


class InFlight:
    """Knows each interaction's task from its first step to its end."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[object], Interaction] = {}

    def enter(self, interaction: Interaction) -> None:
        """Note that the current task works on the interaction; it is forgotten when the task ends."""
        task = asyncio.current_task()
        if task is not None:
            self._open[task] = interaction
            task.add_done_callback(self._leave)

    async def drain(self, *, within: float, give_up: Callable[[Interaction], Awaitable[None]]) -> None:
        """Leave the work ``within`` seconds; then cancel what is left and finish its interaction by ``give_up``."""
        if not self._open:
            return
        await asyncio.wait(self._open, timeout=within)
        left = dict(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # All at once: one that Discord does not answer keeps nobody else waiting.
        await asyncio.gather(*map(give_up, left.values()), return_exceptions=True)

    def _leave(self, task: asyncio.Task[object]) -> None:
        self._open.pop(task, None)
