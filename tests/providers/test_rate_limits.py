"""Rate limits: exact in any window, with a reserve for the staff and a share for each customer, on each engine."""

import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import Caller, on_behalf_of
from bot.domain.failures import ProviderName
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId
from bot.providers.evidence import about
from bot.providers.rate_limits import MINUTE, CallWindow, RateLimiter, RateLimitExceeded, SlidingWindow
from bot.providers.response import Response
from bot.providers.shared_windows import Names, SharedWindow
from bot.storage.postgres import windows as windows_module
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.windows import PostgresWindows
from tests.fakes.clock import FakeClock
from tests.support import postgres

STAFF = Caller(1, is_staff=True)


class Windows:
    """Windows of one implementation, and time that passes for them."""

    def __init__(self) -> None:
        self.clock = FakeClock()

    def open(self, limit: int) -> CallWindow:
        """Return a window of a minute."""
        return SlidingWindow("x", limit, MINUTE, self.clock)

    def limiter(self, window: CallWindow) -> RateLimiter:
        """Return a limiter whose only route is limited by ``window``."""
        return RateLimiter({("GET", "/x"): window}, self.clock)

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds=seconds)


class WindowsInPostgres(Windows):
    """Windows on the server's clock."""

    def __init__(self, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        monkeypatch.setattr(windows_module, "time", self.clock)
        self._database = database
        self._shared = PostgresWindows(database)
        self._names = Names(Secret(uuid.uuid4().hex))  # the tests share a database

    def open(self, limit: int) -> CallWindow:
        return SharedWindow(
            "x",
            limit,
            MINUTE,
            self.clock,
            shared=self._shared,
            names=self._names,
            route=("x",),
            within=timedelta(seconds=13),
        )

    async def advance(self, seconds: float) -> None:
        await self._shared.stored()
        await self._database.run(postgres.LET_PASS, {"by": timedelta(seconds=seconds)})
        await super().advance(seconds)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield postgres.with_still_clock(address)


@pytest.fixture(params=["local", "postgres"])
async def windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Windows]:
    if request.param == "local":
        yield Windows()
    else:
        async with PostgresDatabase.open(request.getfixturevalue("url")) as database:
            yield WindowsInPostgres(database, monkeypatch)


def response(clock: FakeClock, status: int, headers: dict[str, str]) -> Response:
    return Response(ProviderName.ASSETPAY, status, headers, b"", clock.now())


def seconds(wait: timedelta) -> int:
    """Return whole seconds: time passes during a test on the server's clock."""
    return round(wait.total_seconds() + 0.4)


async def taken(window: CallWindow, caller: Caller, times: int) -> int:
    """Return how many of ``times`` calls may be made now."""
    made = 0
    for _ in range(times):
        try:
            with on_behalf_of(caller):
                async with window.call():
                    made += 1
        except RateLimitExceeded:
            break
    return made


async def free_in(window: CallWindow, customer_id: int) -> int:
    """Return how many seconds a refused customer has to wait."""
    with on_behalf_of(Caller(customer_id, is_staff=False)), pytest.raises(RateLimitExceeded) as exceeded:
        async with window.call():
            pass
    return seconds(exceeded.value.wait)


async def test_limit_in_a_window(windows: Windows) -> None:
    """The staff may make every call of a window; the next is refused with the time it is free."""
    window = windows.open(10)

    assert await taken(window, STAFF, 20) == 10
    with on_behalf_of(STAFF), pytest.raises(RateLimitExceeded) as exceeded:
        await window.check()
    assert seconds(exceeded.value.wait) == 60
    assert (await window.quota()).left == 0
    await windows.advance(58)
    assert await taken(window, STAFF, 1) == 0
    await windows.advance(2)
    assert (await window.quota()).left == 10
    assert await taken(window, STAFF, 20) == 10


async def test_slow_calls_count_until_they_end(windows: Windows) -> None:
    """A slow call counts until a window after its end."""
    window = windows.open(2)
    with on_behalf_of(STAFF):
        async with window.call(), window.call():
            await windows.advance(12)
            assert await taken(window, STAFF, 1) == 0
            await windows.advance(49)
            assert await taken(window, STAFF, 1) == 0
        await windows.advance(58)
        assert await taken(window, STAFF, 1) == 0
        await windows.advance(2)
        assert await taken(window, STAFF, 1) == 1


async def test_storm_of_customers_leaves_the_reserve(windows: Windows) -> None:
    """200 customers at once leave the staff's fifth."""
    window = windows.open(100)
    for number in range(200):
        await taken(window, Caller(number, is_staff=False), 3)

    assert await taken(window, Caller(999, is_staff=False), 1) == 0
    assert await taken(window, STAFF, 100) == 20


async def test_one_customer_has_a_share(windows: Windows) -> None:
    """One customer cannot use the whole limit, and gets a new share with time."""
    window = windows.open(100)
    greedy = Caller(7, is_staff=False)

    assert await taken(window, greedy, 100) == 20
    assert await taken(window, Caller(8, is_staff=False), 100) == 20
    await windows.advance(60)
    assert await taken(window, greedy, 100) == 20


async def test_later_of_two_waits(windows: Windows) -> None:
    """A customer over their own share and the limit waits for the later of both."""
    window = windows.open(100)
    for customer_id in range(100, 160):
        await taken(window, Caller(customer_id, is_staff=False), 1)
    await windows.advance(30)
    await taken(window, Caller(1, is_staff=False), 20)

    assert [await free_in(window, customer_id) for customer_id in (1, 2)] == [60, 30]
    await windows.advance(30)
    assert await taken(window, Caller(2, is_staff=False), 1) == 1
    assert await free_in(window, 1) == 30
    await windows.advance(30)
    assert await taken(window, Caller(1, is_staff=False), 1) == 1


async def test_full_window_after_a_429(windows: Windows) -> None:
    """A Retry-After does not shorten the wait for a full window."""
    window = windows.open(10)
    await taken(window, STAFF, 10)
    await window.block(timedelta(seconds=5))

    assert await free_in(window, 1) == 60


async def test_failed_calls_count(windows: Windows) -> None:
    """A call counts even if it fails."""
    window = windows.open(2)
    with on_behalf_of(STAFF), pytest.raises(RuntimeError):
        async with window.call():
            raise RuntimeError

    assert await taken(window, STAFF, 5) == 1


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
async def test_response_headers(windows: Windows, status: int, headers: dict[str, str], free_after: float) -> None:
    """Retry-After and X-RateLimit block the route, for its documented window at the longest."""
    limiter = windows.limiter(windows.open(10))
    await limiter.update_from_headers("GET", "/x", response(windows.clock, status, headers))

    (quota,) = await limiter.quotas()
    if free_after:
        assert quota.free_at is not None
        assert seconds(quota.free_at - windows.clock.now()) == free_after
        await windows.advance(free_after)
    async with limiter.call("GET", "/x"):
        pass


def asker(number: int) -> Caller:
    """Return a caller: customers have numbers below 100."""
    return Caller(number, is_staff=number >= 100)


async def wait_at(limiter: RateLimiter, number: int, account: int) -> int:
    """Return the seconds until this caller may ask about the account; 0 for now."""
    with on_behalf_of(asker(number)), about(SteamId.from_account_id(account)):
        try:
            async with limiter.call("GET", "/x"):
                return 0
        except RateLimitExceeded as exceeded:
            return seconds(exceeded.wait)


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
async def test_throttled_accounts(
    windows: Windows, asked: list[tuple[int, int, int]], customers_wait: float, staff_wait: float
) -> None:
    """A 429 blocks the account for an hour; three customers' accounts block customers for a minute, and never staff."""
    limiter = windows.limiter(windows.open(100))
    for number, account, status in asked:
        with on_behalf_of(asker(number)), about(SteamId.from_account_id(account)):
            answer = response(windows.clock, status, {"retry-after": "7200"})
            await limiter.update_from_headers("GET", "/x", answer)
    windows.clock.step(hours=-1)

    assert await wait_at(limiter, 9, 1) == 3600
    assert (await wait_at(limiter, 9, 9), await wait_at(limiter, 101, 9)) == (customers_wait, staff_wait)
    await windows.advance(60)
    assert (await wait_at(limiter, 9, 1), await wait_at(limiter, 9, 9)) == (3540, 0)


async def test_throttled_at_the_end_of_the_window(windows: Windows) -> None:
    """If only the reserve is left, a 429 is the provider's limit, whatever the question was about."""
    window = windows.open(10)
    limiter = windows.limiter(window)
    await taken(window, STAFF, 8)
    await windows.advance(50)
    with about(SteamId.from_account_id(1)):
        await limiter.update_from_headers("GET", "/x", response(windows.clock, 429, {"retry-after": "20"}))
    await windows.advance(10)

    assert await free_in(window, 2) == 10


async def test_path_without_a_limit() -> None:
    """A route without a documented limit is not counted."""
    limiter = RateLimiter({}, FakeClock())
    async with limiter.call("GET", "/y"):
        await limiter.update_from_headers("GET", "/y", response(FakeClock(), 429, {"retry-after": "5"}))
    assert await limiter.quotas() == ()


@settings(max_examples=60)
@given(
    limit=st.integers(1, 6),
    steps=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 20), st.integers(0, 3), st.floats(0, 1)), max_size=60),
)
async def test_no_window_of_the_provider_holds_more(limit: int, steps: list[tuple[float, float, int, float]]) -> None:
    """No minute holds more than the limit, at any moment between sending and answer that the provider counts."""
    clock = FakeClock()
    window = SlidingWindow("x", limit, MINUTE, clock)
    counted: list[float] = []
    for pause, lasts, who, arrives in steps:
        clock.advance(seconds=pause)
        clock.step(seconds=-pause * who)
        try:
            with on_behalf_of(Caller(who, is_staff=who == 0)):
                async with window.call():
                    counted.append(clock.monotonic() + lasts * arrives)
                    clock.advance(seconds=lasts)
        except RateLimitExceeded:
            continue

    for first in counted:
        assert sum(first <= other < first + 60 - 1e-5 for other in counted) <= limit, "but for rounding"
