"""Keeps the limits of each provider: exact sliding windows with a reserve for the staff, and waits it asks for."""

from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

from cachetools import TLRUCache
from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import Quota
from bot.domain.steam import SteamId
from bot.ports import Clock
from bot.providers.evidence import Evidence, Question, current_question
from bot.providers.response import Response

MINUTE = timedelta(minutes=1)

_STAFF_SHARE = 5
"""One call in five is reserved for the staff."""
_CUSTOMER_SHARE = 4
"""A customer may make a quarter of the calls that remain for all customers, but at least two."""
_MIN_CUSTOMER_CALLS = 2
_MAX_BLOCK = timedelta(hours=1)
_SEVERAL = 3
"""Throttled questions that have no customer and no account in common, and so may be about the provider's own limit."""
_MAX_ACCOUNTS = 10_000


class RateLimitExceeded(Exception):
    """No call may be made before ``wait`` is over."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(str(wait))
        self.wait = wait


class CallWindow(Protocol):
    """At most so many calls in any period of ``per``, as the provider counts them, with a reserve for the staff.

    The provider counts a call some time between its sending and its response. So it counts here from its
    beginning until ``per`` after its end: no window of the provider holds more than the limit.
    """

    per: timedelta

    def call(self) -> AbstractAsyncContextManager[None]:
        """Count a call while it is made; RateLimitExceeded, without counting, if none may be made now."""

    async def check(self) -> None:
        """Raise RateLimitExceeded if the caller may make no call now."""

    async def block(self, wait: timedelta) -> None:
        """Make no call for ``wait``, as the provider asked, but at most for the length of the window."""

    async def block_customers(self, wait: timedelta) -> None:
        """Make no call of customers for ``wait``, or the length of the window; staff may still ask."""

    async def block_account(self, account: SteamId, wait: timedelta) -> None:
        """Make no call about an account for ``wait``."""

    async def answered(self) -> None:
        """Let customers ask again: the provider answers."""

    async def quota(self) -> Quota:
        """Return how many calls are left now, including the reserve."""


def shares_of(limit: int) -> tuple[int, int]:
    """Return how many calls are reserved for the staff, and how many one customer may make."""
    if limit < 1:
        raise ValueError(limit)
    reserved = limit // _STAFF_SHARE
    return reserved, max(_MIN_CUSTOMER_CALLS, (limit - reserved) // _CUSTOMER_SHARE)


class SlidingWindow(CallWindow):
    """A window of this process alone."""

    def __init__(self, what: str, limit: int, per: timedelta, clock: Clock) -> None:
        self.per = per
        self._what = what
        self._limit = limit
        self._seconds = per.total_seconds()
        self._clock = clock
        self._reserved, self._customer_limit = shares_of(limit)
        self._ended: deque[tuple[float, int | None]] = deque()
        self._in_flight = 0
        self._by_customer: Counter[int] = Counter()
        self._blocked_until = self._customers_blocked_until = 0.0
        self._accounts: TLRUCache[SteamId, float, float] = TLRUCache(_MAX_ACCOUNTS, _until, clock.monotonic)
        """Until when no call is made about an account."""

    @override
    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        self._check()
        customer_id = customer_of(current_question())
        self._in_flight += 1
        if customer_id is not None:
            self._by_customer[customer_id] += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._ended.append((self._clock.monotonic(), customer_id))

    @override
    async def check(self) -> None:
        self._check()

    def _check(self) -> None:
        now, question = self._clock.monotonic(), current_question()
        if question.account is not None and (until := self._accounts.get(question.account)) is not None:
            raise RateLimitExceeded(timedelta(seconds=max(0.0, until - now)))
        customer_id, is_staff = customer_of(question), question.caller.is_staff
        free_at = self._free_at(now, self._limit if is_staff else self._limit - self._reserved)
        if not is_staff:
            free_at = max(free_at, self._customers_blocked_until)
        if customer_id is not None and self._by_customer[customer_id] >= self._customer_limit:
            own_oldest = next((ended for ended, user_id in self._ended if user_id == customer_id), now)
            free_at = max(free_at, own_oldest + self._seconds)
        if free_at > now:
            raise RateLimitExceeded(timedelta(seconds=free_at - now))

    @override
    async def block(self, wait: timedelta) -> None:
        wait = min(wait, self.per)
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + wait.total_seconds())

    @override
    async def block_customers(self, wait: timedelta) -> None:
        self._customers_blocked_until = self._clock.monotonic() + min(wait, self.per).total_seconds()

    @override
    async def block_account(self, account: SteamId, wait: timedelta) -> None:
        self._accounts[account] = self._clock.monotonic() + wait.total_seconds()

    @override
    async def answered(self) -> None:
        self._customers_blocked_until = 0.0

    @override
    async def quota(self) -> Quota:
        now = self._clock.monotonic()
        free_at = self._free_at(now, self._limit)
        if free_at > now:
            wall = self._clock.now() + timedelta(seconds=free_at - now)
            return Quota(self._what, self._limit, self.per, 0, self._reserved, wall)
        left = self._limit - self._in_flight - len(self._ended)
        return Quota(self._what, self._limit, self.per, left, self._reserved)

    def _free_at(self, now: float, limit: int) -> float:
        """Drop the calls that have left the window; return when the next call may be made, ``now`` at the earliest."""
        while self._ended and self._ended[0][0] + self._seconds <= now:
            _, customer_id = self._ended.popleft()
            if customer_id is not None:
                self._by_customer[customer_id] -= 1
                if not self._by_customer[customer_id]:
                    del self._by_customer[customer_id]
        excess = self._in_flight + len(self._ended) - limit
        if excess < 0:
            return max(now, self._blocked_until)
        # The call that has to leave the window has ended, or is in flight and ends now at the earliest.
        free_at = (self._ended[excess][0] if excess < len(self._ended) else now) + self._seconds
        return max(free_at, self._blocked_until)


class RateLimiter:
    """The limits of one provider's credentials, by method and path: sliding windows, and what the provider asks.

    A 429 to a question about one account may be about that account alone: Steam's limits, a provider's guard of a
    single user. It may also be the provider's own limit, which the merchant's other software uses up with the same
    credentials. So it blocks the account for as long as the provider asks. It blocks the route if it was about no
    account, or if this window has only its reserve left. If questions of three customers about three accounts were
    throttled within a minute and none was answered in between, it blocks the route for customers, until an answer to
    staff; for staff only if a question of theirs is among them. At worst that costs a few more requests. The
    documented limit is the window's: no route is blocked for longer than that, whatever the provider asks. The same
    holds for ``X-RateLimit-Remaining: 0``.
    """

    def __init__(self, windows: Mapping[tuple[str, str], CallWindow], clock: Clock) -> None:
        self._windows = dict(windows)
        self._clock = clock
        self._throttled = {route: Evidence(clock, MINUTE) for route in self._windows}

    def call(self, method: str, path: str) -> AbstractAsyncContextManager[None]:
        """Count a call against its window; a route without a documented limit is not counted."""
        window = self._windows.get((method, path))
        return nullcontext() if window is None else window.call()

    async def check(self, method: str, path: str) -> None:
        """Raise RateLimitExceeded if the caller may make no such call now."""
        window = self._windows.get((method, path))
        if window is not None:
            await window.check()

    async def pause(self, method: str, path: str) -> None:
        """Make no call of a route for the length of its window: the provider said that its limit is reached."""
        window = self._windows.get((method, path))
        if window is not None:
            await window.block(window.per)

    async def update_from_headers(self, method: str, path: str, response: Response) -> None:
        """Block the account, and the route if its limit seems to be used up, for as long as the response asks."""
        question, window = current_question(), self._windows.get((method, path))
        if window is None:
            return
        wait = self._asked_for(response, window.per)
        if wait is None:
            if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._throttled[method, path].clear()
                await window.answered()
            return
        if question.account is not None:
            await window.block_account(question.account, min(wait, _MAX_BLOCK))
        throttled = self._throttled[method, path]
        throttled.add(question)
        is_shared = throttled.is_shared(_SEVERAL)
        if question.account is None or (is_shared and question.caller.is_staff) or await _has_only_reserve(window):
            await window.block(wait)
        elif is_shared:
            await window.block_customers(wait)

    def _asked_for(self, response: Response, per: timedelta) -> timedelta | None:
        """Return how long the response asks to wait, None if it does not. A reset ends a window: within ``per``."""
        waits = []
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            waits.append(response.retry_after or timedelta(seconds=1))
        if response.headers.get("x-ratelimit-remaining", "").strip() == "0":
            with suppress(ValueError, OverflowError, OSError):
                reset = datetime.fromtimestamp(int(response.headers.get("x-ratelimit-reset", "")), UTC)
                waits.append(min(reset - self._clock.now(), per))
        return max((wait for wait in waits if wait > timedelta(0)), default=None)

    async def quotas(self) -> tuple[Quota, ...]:
        """Return the state of each window; none while the database does not answer."""
        with suppress(DatabaseUnavailable):
            return tuple([await window.quota() for window in self._windows.values()])
        return ()


def customer_of(question: Question) -> int | None:
    """Return the customer who asks; None for staff."""
    return None if question.caller.is_staff else question.caller.user_id


async def _has_only_reserve(window: CallWindow) -> bool:
    """Return whether only the staff's reserve is left, or less."""
    with suppress(DatabaseUnavailable):
        quota = await window.quota()
        return quota.left <= quota.reserved
    return False


def _until(_: object, until: float, __: float) -> float:
    return until
