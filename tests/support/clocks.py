"""A clock for tests."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that moves when told to; seconds."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 14, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment it shows."""
        return self.moment

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)
