"""Keeps the merchant's quota at each provider: exact in any window, with a reserve for the staff."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.access import current_caller
from bot.domain.health import Quota

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.ports import Clock

MINUTE = timedelta(minutes=1)

_RESERVED_SHARE = 5
"""One call in five is kept for the staff."""

_CUSTOMERS_SHARE = 4
_LEAST_FOR_A_CUSTOMER = 2
"""One customer may make a quarter of what is there for all of them, and two calls at the least."""

_LONGEST_BLOCK = timedelta(hours=1)
"""However far off a provider says its limit ends, it is asked again after this."""


class RateLimitExceeded(Exception):
    """No call may be made before ``free_at``."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(free_at.isoformat())
        self.free_at = free_at


class SlidingWindow:
    """At most ``limit`` calls in any ``per``, as the provider counts them.

    A call arrives there some time between being sent and being answered, so it counts from its beginning until
    ``per`` after its end: however slow the way, no window of the provider's holds more. Customers leave one call in
    five to the staff, and no customer uses more than their share.
    """

    def __init__(self, what: str, limit: int, per: timedelta, clock: Clock) -> None:
        if limit < 1:
            raise ValueError(limit)
        self._what = what
        self._limit = limit
        self._per = per
        self._clock = clock
        self._reserved = limit // _RESERVED_SHARE
        self._share = max(_LEAST_FOR_A_CUSTOMER, (limit - self._reserved) // _CUSTOMERS_SHARE)
        self._ended: deque[tuple[datetime, int | None]] = deque()
        self._under_way = 0
        self._by_customer: Counter[int] = Counter()
        self._blocked_until: datetime | None = None

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Count a call while it is made; RateLimitExceeded, without counting, where none may be made now."""
        customer_id = self._take()
        try:
            yield
        finally:
            self._under_way -= 1
            self._ended.append((self._clock.now(), customer_id))

    def block(self, until: datetime) -> None:
        """Make no call before ``until``: the provider said so."""
        until = min(until, self._clock.now() + _LONGEST_BLOCK)
        if self._blocked_until is None or until > self._blocked_until:
            self._blocked_until = until

    def quota(self) -> Quota:
        """Return how much is left now, the reserve included."""
        now = self._clock.now()
        self._forget(now)
        free_at = self._free_at(now, self._limit)
        left = 0 if free_at is not None else self._limit - self._counted
        return Quota(self._what, self._limit, self._per, left, self._reserved, free_at)

    @property
    def _counted(self) -> int:
        return self._under_way + len(self._ended)

    def _take(self) -> int | None:
        """Begin a call; return the customer it is counted against, None for the staff."""
        now = self._clock.now()
        self._forget(now)
        caller = current_caller()
        customer_id = None if caller.is_staff else caller.user_id
        free_at = self._free_at(now, self._limit if caller.is_staff else self._limit - self._reserved)
        if customer_id is not None and self._by_customer[customer_id] >= self._share:
            own_free_at = self._customer_free_at(now, customer_id)
            free_at = own_free_at if free_at is None else max(free_at, own_free_at)
        if free_at is not None:
            raise RateLimitExceeded(free_at)
        self._under_way += 1
        if customer_id is not None:
            self._by_customer[customer_id] += 1
        return customer_id

    def _free_at(self, now: datetime, allowed: int) -> datetime | None:
        """Return when a call may be made, or None for now."""
        blocked_until = self._blocked_until if self._blocked_until is not None and self._blocked_until > now else None
        over = self._counted - allowed
        if over < 0:
            return blocked_until
        # The call that has to leave the window: one that ended, or one under way, which ends now at the earliest.
        free_at = (self._ended[over][0] if over < len(self._ended) else now) + self._per
        return free_at if blocked_until is None else max(free_at, blocked_until)

    def _customer_free_at(self, now: datetime, customer_id: int) -> datetime:
        oldest = next((ended for ended, whose in self._ended if whose == customer_id), now)
        return oldest + self._per

    def _forget(self, now: datetime) -> None:
        while self._ended and self._ended[0][0] + self._per <= now:
            _, customer_id = self._ended.popleft()
            if customer_id is not None:
                self._by_customer[customer_id] -= 1
                if not self._by_customer[customer_id]:
                    del self._by_customer[customer_id]


class RateLimiter:
    """The windows of one provider's credentials, by method and path."""

    def __init__(self, windows: Mapping[tuple[str, str], SlidingWindow], clock: Clock) -> None:
        self._windows = dict(windows)
        self._clock = clock

    @asynccontextmanager
    async def call(self, method: str, path: str) -> AsyncIterator[None]:
        """Count a call against its window; a call without a documented limit is not counted."""
        window = self._windows.get((method, path))
        if window is None:
            yield
            return
        async with window.call():
            yield

    def update_from_headers(
        self, method: str, path: str, status: int, headers: Mapping[str, str], retry_after: timedelta | None
    ) -> None:
        """Obey what an answer says of the limit: HTTP 429 with its wait, or no call remaining until a reset."""
        window = self._windows.get((method, path))
        if window is None:
            return
        now = self._clock.now()
        if status == 429:  # noqa: PLR2004 -- Too Many Requests
            window.block(now + (retry_after or timedelta(seconds=1)))
        if headers.get("x-ratelimit-remaining", "").strip() == "0":
            reset = _unix(headers.get("x-ratelimit-reset", ""))
            if reset is not None and reset > now:
                window.block(reset)

    def quotas(self) -> tuple[Quota, ...]:
        """Return every window's state."""
        return tuple(window.quota() for window in self._windows.values())


def _unix(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
