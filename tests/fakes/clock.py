"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """The time as a test sets it."""

    def __init__(self, at: datetime = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)) -> None:
        self._now = at

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self._now

    def advance(self, **by: float) -> None:
        """Move on; the keywords are those of timedelta."""
        self._now += timedelta(**by)
