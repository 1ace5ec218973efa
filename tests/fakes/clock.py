"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """The time as a test sets it."""

    def __init__(self, at: datetime = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)) -> None:
        self._now = at
        self._passed = timedelta(0)

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._passed.total_seconds()

    def advance(self, **by: float) -> None:
        """Let time pass; the keywords are those of timedelta."""
        self._now += timedelta(**by)
        self._passed += timedelta(**by)

    def step(self, **by: float) -> None:
        """Set the machine's clock forward or back, while no time passes."""
        self._now += timedelta(**by)
