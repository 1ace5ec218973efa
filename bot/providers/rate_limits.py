"""Keeps the merchant's limits at each provider: exact sliding windows with a reserve for the staff."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from bot.domain.access import current_caller
from bot.domain.health import Quota
from bot.ports import Clock
from bot.providers.response import Response

MINUTE = timedelta(minutes=1)

_STAFF_SHARE = 5
"""One call in five is reserved for the staff."""
_CUSTOMER_SHARE = 4
"""A customer may make a quarter of the calls that remain for all customers, but at least two."""
_MIN_CUSTOMER_CALLS = 2
_MAX_BLOCK = timedelta(hours=1)


class RateLimitExceeded(Exception):
    """No call may be made before ``free_at``."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(free_at.isoformat())
        self.free_at = free_at


class SlidingWindow:
    """At most ``limit`` calls in any period of ``per``, as the provider counts them.

    The provider counts a call some time between its sending and its response. So it counts here from its
    beginning until ``per`` after its end: no window of the provider holds more than ``limit``.
    """

    def __init__(self, what: str, limit: int, per: timedelta, clock: Clock) -> None:
        if limit < 1:
            raise ValueError(limit)
        self._what = what
        self._limit = limit
        self._per = per
        self._clock = clock
        self._reserved = limit // _STAFF_SHARE
        self._customer_limit = max(_MIN_CUSTOMER_CALLS, (limit - self._reserved) // _CUSTOMER_SHARE)
        self._ended: deque[tuple[datetime, int | None]] = deque()
        self._in_flight = 0
        self._by_customer: Counter[int] = Counter()
        self._blocked_until: datetime | None = None

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call while it is made; RateLimitExceeded, without counting, if none may be made now."""
        now = self._clock.now()
        caller = current_caller()
        customer_id = None if caller.is_staff else caller.user_id
        free_at = self._free_at(now, self._limit if caller.is_staff else self._limit - self._reserved)
        if customer_id is not None and self._by_customer[customer_id] >= self._customer_limit:
            own_oldest = next((ended for ended, user_id in self._ended if user_id == customer_id), now)
            free_at = max(free_at or now, own_oldest + self._per)
        if free_at is not None:
            raise RateLimitExceeded(free_at)
        self._in_flight += 1
        if customer_id is not None:
            self._by_customer[customer_id] += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._ended.append((self._clock.now(), customer_id))

    def block(self, until: datetime) -> None:
        """Make no call before ``until``, as the provider asked."""
        until = min(until, self._clock.now() + _MAX_BLOCK)
        if self._blocked_until is None or until > self._blocked_until:
            self._blocked_until = until

    def quota(self) -> Quota:
        """Return how many calls are left now, including the reserve."""
        free_at = self._free_at(self._clock.now(), self._limit)
        left = 0 if free_at is not None else self._limit - self._in_flight - len(self._ended)
        return Quota(self._what, self._limit, self._per, left, self._reserved, free_at)

    def _free_at(self, now: datetime, limit: int) -> datetime | None:
        """Drop the calls that have left the window; return when the next call may be made, or None for now."""
        while self._ended and self._ended[0][0] + self._per <= now:
            _, customer_id = self._ended.popleft()
            if customer_id is not None:
                self._by_customer[customer_id] -= 1
                if not self._by_customer[customer_id]:
                    del self._by_customer[customer_id]
        blocked_until = self._blocked_until if self._blocked_until is not None and self._blocked_until > now else None
        excess = self._in_flight + len(self._ended) - limit
        if excess < 0:
            return blocked_until
        # The call that has to leave the window has ended, or is in flight and ends now at the earliest.
        free_at = (self._ended[excess][0] if excess < len(self._ended) else now) + self._per
        return free_at if blocked_until is None else max(free_at, blocked_until)


class RateLimiter:
    """The sliding windows of one provider's credentials, by method and path."""

    def __init__(self, windows: Mapping[tuple[str, str], SlidingWindow], clock: Clock) -> None:
        self._windows = dict(windows)
        self._clock = clock

    def call(self, method: str, path: str) -> AbstractContextManager[None]:
        """Count a call against its window; a route without a documented limit is not counted."""
        window = self._windows.get((method, path))
        return nullcontext() if window is None else window.call()

    def update_from_headers(self, method: str, path: str, response: Response) -> None:
        """Block the route after HTTP 429, or until the reset that ``X-RateLimit`` headers name."""
        window = self._windows.get((method, path))
        if window is None:
            return
        now = self._clock.now()
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            window.block(now + (response.retry_after or timedelta(seconds=1)))
        if response.headers.get("x-ratelimit-remaining", "").strip() == "0":
            try:
                reset = datetime.fromtimestamp(int(response.headers.get("x-ratelimit-reset", "")), UTC)
            except (ValueError, OverflowError, OSError):
                return
            if reset > now:
                window.block(reset)

    def quotas(self) -> tuple[Quota, ...]:
        """Return the state of each window."""
        return tuple(window.quota() for window in self._windows.values())
