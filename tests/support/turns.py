"""Seconds in which processes had their turn: on a busy machine they are fewer than those of the clock on the wall."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

_STEP = 0.05
_LONGEST = 2 * _STEP
"""A step that took longer was one in which this process had no turn."""


class Turns:
    """``async with Turns(pid) as turns`` counts from then on, for this process and another one.

    A promise in seconds can only be kept by a process that runs. Time in which one of the two was stopped, or wanted
    to run and got no processor, does not count. Where the system does not say, only this process does.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._counted = 0.0
        self._at = 0.0
        self._on_processor = 0.0
        self.has_ended = False
        self.is_held = False
        """Whether the test itself has stopped the process: then all time counts."""

    async def __aenter__(self) -> Self:
        self._at, self._on_processor = time.monotonic(), self._processor_time()
        self._counting = asyncio.create_task(self._count(), name="turns")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.has_ended = True
        self._counting.cancel()
        await asyncio.wait({self._counting})

    @property
    def seconds(self) -> float:
        """The seconds since the beginning in which both had their turn."""
        return self._counted + min(time.monotonic() - self._at, _LONGEST)

    async def wait(self, awaited: asyncio.Future[Any], within: float) -> bool:
        """Wait until it is done, at most so many of these seconds, and return whether it is."""
        ends_at = self.seconds + within
        while not awaited.done() and self.seconds <= ends_at:
            await asyncio.wait({awaited}, timeout=_STEP)
        return awaited.done()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(_STEP)
            now, on_processor = time.monotonic(), self._processor_time()
            step, worked = min(now - self._at, _LONGEST), on_processor - self._on_processor
            self._at, self._on_processor = now, on_processor
            self._counted += step if self.is_held else {"S": step, "R": min(step, worked)}.get(self._state(), 0.0)

    def _state(self) -> str:
        """Return R if the process runs or wants to, S if it waits for an event, something else if it cannot run."""
        with suppress(OSError):
            return "S" if self._pid is None else Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2][1]
        return "S"

    def _processor_time(self) -> float:
        with suppress(OSError):
            return 0.0 if self._pid is None else int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[0]) / 1e9
        return 0.0
