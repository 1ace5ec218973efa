"""Rate limits: exact in any window, a reserve for the staff, a share for each customer."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import Caller, on_behalf_of
from bot.domain.failures import ProviderName
from bot.domain.steam import SteamId
from bot.providers.evidence import about
from bot.providers.rate_limits import MINUTE, RateLimiter, RateLimitExceeded, SlidingWindow
from bot.providers.response import Response
from tests.fakes.clock import FakeClock

STAFF = Caller(1, is_staff=True)


def response(clock: FakeClock, status: int, headers: dict[str, str]) -> Response:
    return Response(ProviderName.ASSETPAY, status, headers, b"", clock.now())


def taken(window: SlidingWindow, caller: Caller, times: int) -> int:
    """Return how many of ``times`` calls may be made now."""
    made = 0
    for _ in range(times):
        try:
            with on_behalf_of(caller), window.call():
                made += 1
        except RateLimitExceeded:
            break
    return made


def test_limit_in_a_window() -> None:
    """The staff may make every call of a window; the next is refused with the time it is free."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 10, MINUTE, clock)

    assert taken(window, STAFF, 20) == 10
    with pytest.raises(RateLimitExceeded) as exceeded, on_behalf_of(STAFF), window.call():
        pass
    assert exceeded.value.wait == MINUTE
    clock.advance(seconds=59.9)
    assert taken(window, STAFF, 1) == 0
    clock.advance(seconds=0.1)
    assert taken(window, STAFF, 20) == 10


def test_slow_calls_count_until_they_end() -> None:
    """A slow call counts until a window after its end."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 2, MINUTE, clock)
    with on_behalf_of(STAFF):
        with window.call(), window.call():
            clock.advance(seconds=120)
            assert taken(window, STAFF, 1) == 0
        clock.advance(seconds=59)
        assert taken(window, STAFF, 1) == 0
        clock.advance(seconds=1)
        assert taken(window, STAFF, 1) == 1


def test_storm_of_customers_leaves_the_reserve() -> None:
    """200 customers at once leave the staff's fifth."""
    window = SlidingWindow("inventory", 100, MINUTE, FakeClock())
    for number in range(200):
        taken(window, Caller(number, is_staff=False), 3)

    assert taken(window, Caller(999, is_staff=False), 1) == 0
    assert taken(window, STAFF, 100) == 20


def test_one_customer_has_a_share() -> None:
    """One customer cannot use the whole limit, and gets a new share with time."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 100, MINUTE, clock)
    greedy = Caller(7, is_staff=False)

    assert taken(window, greedy, 100) == 20
    assert taken(window, Caller(8, is_staff=False), 100) == 20
    clock.advance(seconds=60)
    assert taken(window, greedy, 100) == 20


def free_in(window: SlidingWindow, customer_id: int) -> timedelta:
    """Return how long a refused customer has to wait."""
    caller = Caller(customer_id, is_staff=False)
    with pytest.raises(RateLimitExceeded) as exceeded, on_behalf_of(caller), window.call():
        pass
    return exceeded.value.wait


def test_later_of_two_waits() -> None:
    """A customer over their own share and the limit waits for the later of both."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 100, MINUTE, clock)
    for customer_id in range(100, 160):
        taken(window, Caller(customer_id, is_staff=False), 1)
    clock.advance(seconds=30)
    taken(window, Caller(1, is_staff=False), 20)

    assert [free_in(window, customer_id).total_seconds() for customer_id in (1, 2)] == [60, 30]
    clock.advance(seconds=30)
    assert taken(window, Caller(2, is_staff=False), 1) == 1
    assert free_in(window, 1).total_seconds() == 30
    clock.advance(seconds=30)
    assert taken(window, Caller(1, is_staff=False), 1) == 1


def test_full_window_after_a_429() -> None:
    """A Retry-After does not shorten the wait for a full window."""
    clock = FakeClock()
    window = SlidingWindow("inventory", 10, MINUTE, clock)
    taken(window, STAFF, 10)
    window.block(timedelta(seconds=5))

    assert free_in(window, 1) == MINUTE


def test_failed_calls_count() -> None:
    """A call counts even if it fails."""
    window = SlidingWindow("inventory", 2, MINUTE, FakeClock())
    with on_behalf_of(STAFF), pytest.raises(RuntimeError), window.call():
        raise RuntimeError

    assert taken(window, STAFF, 5) == 1


@pytest.mark.parametrize(
    ("status", "headers", "free_after"),
    [
        (429, {"retry-after": "30"}, 30),
        (429, {}, 1),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1778760045"}, 45),
        (200, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1778760045"}, 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1978760045"}, 60),
        (429, {"retry-after": "3600"}, 60),
    ],
)
def test_response_headers(status: int, headers: dict[str, str], free_after: float) -> None:
    """Retry-After and X-RateLimit block the route, for its documented window at the longest."""
    clock = FakeClock()
    limiter = RateLimiter({("GET", "/x"): SlidingWindow("x", 10, MINUTE, clock)}, clock)
    limiter.update_from_headers("GET", "/x", response(clock, status, headers))

    (quota,) = limiter.quotas()
    if free_after:
        assert quota.free_at == clock.now() + timedelta(seconds=free_after)
        clock.advance(seconds=free_after)
    with limiter.call("GET", "/x"):
        pass


def asker(number: int) -> Caller:
    """Return a caller: customers have numbers below 100."""
    return Caller(number, is_staff=number >= 100)


def wait_at(limiter: RateLimiter, number: int, account: int) -> float:
    """Return the seconds until this caller may ask about the account; 0 for now."""
    with on_behalf_of(asker(number)), about(SteamId.from_account_id(account)):
        try:
            with limiter.call("GET", "/x"):
                return 0
        except RateLimitExceeded as exceeded:
            return exceeded.wait.total_seconds()


@pytest.mark.parametrize(
    ("asked", "customers_wait", "staff_wait"),
    [
        ([(1, 1, 429)] * 5, 0, 0),
        ([(1, 1, 429), (1, 2, 429), (1, 3, 429)], 0, 0),
        ([(1, 1, 429), (2, 1, 429), (3, 1, 429)], 0, 0),
        ([(1, 1, 429), (2, 2, 429)], 0, 0),
        ([(1, 1, 429), (2, 2, 429), (4, 4, 200), (3, 3, 429)], 0, 0),
        ([(1, 1, 429), (2, 2, 429), (3, 3, 429)], 60, 0),
        ([(1, 1, 429), (2, 2, 429), (4, 4, 500), (3, 3, 429)], 60, 0),
        ([(1, 1, 429), (2, 2, 429), (3, 3, 429), (100, 4, 200)], 0, 0),
        ([(1, 1, 429), (2, 2, 429), (3, 3, 429), (100, 4, 429)], 60, 60),
        ([(100, 1, 429), (100, 2, 429), (100, 3, 429)], 60, 60),
    ],
    ids=str,
)
def test_throttled_accounts(asked: list[tuple[int, int, int]], customers_wait: float, staff_wait: float) -> None:
    """A 429 blocks the account for an hour; three customers' accounts block customers for a minute, and never staff."""
    clock = FakeClock()
    limiter = RateLimiter({("GET", "/x"): SlidingWindow("x", 100, MINUTE, clock)}, clock)
    for number, account, status in asked:
        with on_behalf_of(asker(number)), about(SteamId.from_account_id(account)):
            limiter.update_from_headers("GET", "/x", response(clock, status, {"retry-after": "7200"}))
    clock.step(hours=-1)

    assert wait_at(limiter, 9, 1) == 3600
    assert (wait_at(limiter, 9, 9), wait_at(limiter, 101, 9)) == (customers_wait, staff_wait)
    clock.advance(minutes=1)
    assert (wait_at(limiter, 9, 1), wait_at(limiter, 9, 9)) == (3540, 0)


def test_throttled_at_the_end_of_the_window() -> None:
    """If only the reserve is left, a 429 is the provider's limit, whatever the question was about."""
    clock = FakeClock()
    window = SlidingWindow("x", 10, MINUTE, clock)
    limiter = RateLimiter({("GET", "/x"): window}, clock)
    taken(window, STAFF, 8)
    clock.advance(seconds=50)
    with about(SteamId.from_account_id(1)):
        limiter.update_from_headers("GET", "/x", response(clock, 429, {"retry-after": "20"}))
    clock.advance(seconds=10)

    assert free_in(window, 2) == timedelta(seconds=10)


def test_path_without_a_limit() -> None:
    """A route without a documented limit is not counted."""
    limiter = RateLimiter({}, FakeClock())
    with limiter.call("GET", "/y"):
        limiter.update_from_headers("GET", "/y", response(FakeClock(), 429, {"retry-after": "5"}))
    assert limiter.quotas() == ()


@settings(max_examples=60)
@given(
    limit=st.integers(1, 6),
    steps=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 20), st.integers(0, 3), st.floats(0, 1)), max_size=60),
)
def test_no_window_of_the_provider_holds_more(limit: int, steps: list[tuple[float, float, int, float]]) -> None:
    """No minute holds more than the limit, at any moment between sending and answer that the provider counts."""
    clock = FakeClock()
    window = SlidingWindow("x", limit, MINUTE, clock)
    counted: list[float] = []
    for pause, lasts, who, arrives in steps:
        clock.advance(seconds=pause)
        clock.step(seconds=-pause * who)
        try:
            with on_behalf_of(Caller(who, is_staff=who == 0)), window.call():
                counted.append(clock.monotonic() + lasts * arrives)
                clock.advance(seconds=lasts)
        except RateLimitExceeded:
            continue

    for first in counted:
        assert sum(first <= other < first + 60 - 1e-5 for other in counted) <= limit, "but for rounding"
