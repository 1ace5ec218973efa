"""The quota at a provider: exact in any window, a reserve for the staff, a share for each customer."""

from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import Caller, on_behalf_of
from bot.providers.rate_limits import MINUTE, RateLimiter, RateLimitExceeded, SlidingWindow
from tests.fakes.clock import FakeClock

STAFF = Caller(1, is_staff=True)


async def taken(window: SlidingWindow, caller: Caller, times: int) -> int:
    """How many of ``times`` calls may be made now."""
    made = 0
    for _ in range(times):
        try:
            with on_behalf_of(caller):
                async with window.call():
                    made += 1
        except RateLimitExceeded:
            break
    return made


async def test_limit_in_a_window() -> None:
    """The staff may use every call of a window and not one more; the refusal says until when."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 10, MINUTE, clock)

    assert await taken(window, STAFF, 20) == 10
    with pytest.raises(RateLimitExceeded) as spent, on_behalf_of(STAFF):
        async with window.call():
            pass
    assert spent.value.free_at == clock.now() + MINUTE
    clock.advance(seconds=59.9)
    assert await taken(window, STAFF, 1) == 0
    clock.advance(seconds=0.1)
    assert await taken(window, STAFF, 20) == 10


async def test_slow_calls_count_until_they_end() -> None:
    """A call that took long may have been counted by the provider at its end."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 2, MINUTE, clock)
    with on_behalf_of(STAFF):
        async with AsyncExitStack() as under_way:
            await under_way.enter_async_context(window.call())
            await under_way.enter_async_context(window.call())
            clock.advance(seconds=120)
            assert await taken(window, STAFF, 1) == 0
        clock.advance(seconds=59)
        assert await taken(window, STAFF, 1) == 0
        clock.advance(seconds=1)
        assert await taken(window, STAFF, 1) == 1


async def test_storm_of_customers_leaves_the_reserve() -> None:
    """200 customers at once use up their part; the staff's fifth is left."""
    window = SlidingWindow("inventory", 100, MINUTE, FakeClock())
    for number in range(200):
        await taken(window, Caller(number, is_staff=False), 3)

    assert await taken(window, Caller(999, is_staff=False), 1) == 0
    assert await taken(window, STAFF, 100) == 20


async def test_one_customer_has_a_share() -> None:
    """Nobody burns the merchant's quota alone, and their share comes back with time."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 100, MINUTE, clock)
    greedy = Caller(7, is_staff=False)

    assert await taken(window, greedy, 100) == 20
    assert await taken(window, Caller(8, is_staff=False), 100) == 20
    clock.advance(seconds=60)
    assert await taken(window, greedy, 100) == 20


async def test_cancelled_and_failed_calls_count() -> None:
    """What was sent was counted by the provider, however it ended."""
    window = SlidingWindow("inventory", 2, MINUTE, FakeClock())
    with on_behalf_of(STAFF), pytest.raises(RuntimeError):
        async with window.call():
            raise RuntimeError

    assert await taken(window, STAFF, 5) == 1


@pytest.mark.parametrize(
    ("status", "headers", "retry_after", "free_after"),
    [
        (429, {}, timedelta(seconds=30), 30),
        (429, {}, None, 1),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1778760045"}, None, 45),
        (200, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1778760045"}, None, 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None, 0),
        (429, {}, timedelta(days=400), 3600),
    ],
)
async def test_provider_says_stop(
    status: int, headers: dict[str, str], retry_after: timedelta | None, free_after: float
) -> None:
    """Retry-After and X-RateLimit are obeyed, for an hour at the longest."""
    clock = FakeClock()
    limiter = RateLimiter({("GET", "/x"): SlidingWindow("x", 10, MINUTE, clock)}, clock)
    limiter.update_from_headers("GET", "/x", status, headers, retry_after)

    (quota,) = limiter.quotas()
    if free_after:
        assert quota.free_at == clock.now() + timedelta(seconds=free_after)
        clock.advance(seconds=free_after)
    async with limiter.call("GET", "/x"):
        pass


async def test_path_without_a_limit() -> None:
    """What has no documented limit is not counted."""
    limiter = RateLimiter({}, FakeClock())
    async with limiter.call("GET", "/y"):
        limiter.update_from_headers("GET", "/y", 429, {}, timedelta(seconds=5))
    assert limiter.quotas() == ()


@settings(max_examples=60)
@given(
    limit=st.integers(1, 6),
    steps=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 20), st.integers(0, 3), st.floats(0, 1)), max_size=60),
)
async def test_no_window_of_the_provider_holds_more(limit: int, steps: list[tuple[float, float, int, float]]) -> None:
    """Wherever between sending and answer the provider counts a call, no minute of its holds more than the limit."""
    clock = FakeClock()
    window = SlidingWindow("x", limit, MINUTE, clock)
    counted: list[datetime] = []
    for pause, lasts, who, arrives in steps:
        clock.advance(seconds=pause)
        try:
            with on_behalf_of(Caller(who, is_staff=who == 0)):
                async with window.call():
                    counted.append(clock.now() + timedelta(seconds=lasts * arrives))
                    clock.advance(seconds=lasts)
        except RateLimitExceeded:
            continue

    for first in counted:
        assert sum(first <= other < first + MINUTE for other in counted) <= limit
