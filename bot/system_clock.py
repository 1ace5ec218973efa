"""The clocks of the running program."""

import time
from datetime import UTC, datetime

from bot.ports import Clock
from bot.ports.workers import Workers


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds since the machine's start."""
        return time.monotonic()


class SharedClock:
    """The database server's time, by which all processes go even if the clocks of their machines differ."""

    def __init__(self, own: Clock, workers: Workers) -> None:
        self._own = own
        self._workers = workers

    def now(self) -> datetime:
        """Return the current time."""
        return self._own.now() + self._workers.offset

    def monotonic(self) -> float:
        """Return the seconds since the machine's start."""
        return self._own.monotonic()
