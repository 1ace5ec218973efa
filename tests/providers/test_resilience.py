"""Reads are retried after transient failures, and refused while the circuit is open."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from bot.domain.access import Caller, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.health import ProviderState
from bot.domain.secrets import Secret
from bot.domain.trades import Scope
from bot.providers.explanations import Catalogue
from bot.providers.mannco import ApiKeyLogin, Mannco
from bot.providers.rate_limits import RateLimiter
from bot.providers.resilience import DEADLINE, MAX_TRIES, ResilientProvider, ResilientTrades, wait_before_retry
from tests.fakes.clock import FakeClock
from tests.support.loop_time import pass_time
from tests.support.loopback import Reply, as_json

CATALOGUE = Catalogue.load()


class Scripted:
    """A read that fails with these kinds, one a call, and then succeeds."""

    def __init__(self, *kinds: FailureKind, clock: FakeClock | None = None) -> None:
        clock = clock or FakeClock()
        self.kinds = list(kinds)
        self.calls = 0
        self.resilience = ResilientProvider(
            ProviderName.MANNCO, clock=clock, limiter=RateLimiter({}, clock), explanations=CATALOGUE
        )

    async def _call(self) -> str:
        self.calls += 1
        if self.kinds:
            raise ProviderError(Failure(ProviderName.MANNCO, self.kinds.pop(0)))
        return "answer"

    async def read(self, user_id: int = 1) -> str:
        with on_behalf_of(Caller(user_id, is_staff=False)):
            return await self.resilience.read("trades", None, self._call)


async def failure_of(call: Awaitable[object]) -> Failure:
    with pytest.raises(ProviderError) as raised:
        await call
    return raised.value.failure


async def test_circuit() -> None:
    """An open circuit refuses without a call; a trial is one try, and says what it met itself."""
    clock = FakeClock()
    provider = Scripted(*[FailureKind.NONSENSE] * 3, FailureKind.BROKEN, clock=clock)
    for number in (1, 2, 3):
        await failure_of(provider.read(number))

    refused = await failure_of(provider.read(1))

    assert (refused.kind, refused.took, provider.calls) == (FailureKind.CIRCUIT_OPEN, None, 3)
    assert refused.retry_after == timedelta(seconds=10)
    assert (await failure_of(provider.read(4))).kind is FailureKind.BROKEN
    assert provider.calls == 4
    clock.advance(seconds=2)
    assert await provider.read(5) == "answer"
    assert await provider.read(1) == "answer"


async def test_retries_are_one_piece_of_evidence() -> None:
    """A question that fails three times is one failure, and a circuit that opens meanwhile does not hide it."""
    provider = Scripted(*[FailureKind.BROKEN] * 9)
    for number in (1, 2):
        await failure_of(provider.read(number))
    assert (provider.calls, (await provider.resilience.health()).state) == (6, ProviderState.FAILING)

    assert (await failure_of(provider.read(3))).kind is FailureKind.BROKEN
    assert (provider.calls, (await provider.resilience.health()).state) == (7, ProviderState.CIRCUIT_OPEN)


async def test_refusals_are_answers() -> None:
    """Refusals do not open the circuit, nor do answers from in front of the API."""
    provider = Scripted(*[FailureKind.REFUSED, FailureKind.BLOCKED] * 10)
    for number in range(20):
        await failure_of(provider.read(number))

    assert (await provider.resilience.health()).state is ProviderState.WORKING


async def test_cancelled_trial() -> None:
    """A cancelled trial makes room for the next."""
    provider = Scripted(*[FailureKind.NONSENSE] * 3)
    for number in (1, 2, 3):
        await failure_of(provider.read(number))
    with on_behalf_of(Caller(5, is_staff=False)):
        trying = asyncio.create_task(provider.resilience.read("inventory", None, asyncio.sleep, 60.0))
    await asyncio.sleep(0)
    assert (await failure_of(provider.read(4))).kind is FailureKind.CIRCUIT_OPEN
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)

    assert await provider.read(4) == "answer"


async def test_one_deadline(server, connect) -> None:
    """All requests of a read, and all its tries, have one deadline together."""

    def slow(_: object) -> Reply:
        pass_time(20.0)
        return as_json({"err": False, "success": True, "content": {"jwt": "jwt"}})

    server.script = slow
    transport = connect(ProviderName.MANNCO, read=60.0, deadline=60.0)
    resilience = ResilientProvider(
        ProviderName.MANNCO,
        clock=FakeClock(),
        limiter=RateLimiter({}, FakeClock()),
        explanations=CATALOGUE,
        deadline=timedelta(seconds=30),
    )
    trades = ResilientTrades(Mannco(transport, ApiKeyLogin(transport, Secret("key"))), resilience)

    failure = await failure_of(trades.trades(Scope.ALL))

    assert failure.kind is FailureKind.TIMED_OUT
    assert len(server.requests) == 2


def test_lookup_within_15_seconds() -> None:
    """The deadline of a read leaves time to answer a lookup within 15 seconds."""
    assert timedelta(seconds=15) - DEADLINE >= timedelta(seconds=1)


async def test_last_try() -> None:
    """After three tries the caller gets the failure, with the time of all together unless no request was sent."""
    provider = Scripted(*[FailureKind.UNREACHABLE] * 9)
    begun = asyncio.get_running_loop().time()
    failure = await failure_of(provider.read())
    waited = asyncio.get_running_loop().time() - begun

    assert (failure.kind, provider.calls) == (FailureKind.UNREACHABLE, 3)
    assert failure.took is not None
    assert waited / 2 < failure.took.total_seconds() <= waited
    for kind in (FailureKind.RATE_LIMITED_LOCALLY, FailureKind.CIRCUIT_OPEN):
        assert (await failure_of(Scripted(kind).read())).took is None


PLENTY = timedelta(seconds=12)


def wait(failure: Failure, *, tries: int = 1, left: timedelta = PLENTY, jitter: float = 0.5) -> timedelta | None:
    return wait_before_retry(failure, CATALOGUE.explain(failure), tries=tries, left=left, jitter=jitter)


def of_kind(kind: FailureKind, **facts: object) -> Failure:
    return Failure(ProviderName.ASSETPAY, kind, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FailureKind)
def test_kinds(kind: FailureKind) -> None:
    """Only transient failures are retried."""
    passes = {FailureKind.UNREACHABLE, FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN}

    assert (wait(of_kind(kind)) is not None) == (kind in passes)


@pytest.mark.parametrize(
    ("code", "key", "retry_after", "expected"),
    [
        (1011, "FLEET_DEGRADED", timedelta(seconds=2), timedelta(seconds=2)),
        (1011, "FLEET_DEGRADED", timedelta(seconds=30), None),
        (1011, "FLEET_DEGRADED", None, None),
        (7, "USER_NOT_TRADEABLE", timedelta(seconds=1), None),
        (4242, "SOMETHING_NEW", timedelta(seconds=1), None),
    ],
)
def test_refusals(code: int, key: str, retry_after: timedelta | None, expected: timedelta | None) -> None:
    """A refusal is retried only if the catalogue says that waiting helps, and within the deadline."""
    failure = of_kind(FailureKind.REFUSED, code=code, key=key, retry_after=retry_after)

    assert wait(failure) == expected


@pytest.mark.parametrize("kind", [FailureKind.BROKEN, FailureKind.THROTTLED, FailureKind.REFUSED])
def test_too_many_requests(kind: FailureKind) -> None:
    """HTTP 429 is never tried again."""
    assert wait(of_kind(kind, http_status=429, retry_after=timedelta(seconds=1))) is None


def test_waits_grow_and_are_spread() -> None:
    """Each wait is twice the one before, somewhere between half of it and all of it."""
    lost = of_kind(FailureKind.LOST)

    assert wait(lost, tries=1, jitter=0.0) == timedelta(seconds=0.2)
    assert wait(lost, tries=1, jitter=1.0) == timedelta(seconds=0.4)
    assert wait(lost, tries=2, jitter=1.0) == timedelta(seconds=0.8)
    assert wait(lost, tries=MAX_TRIES) is None


def test_deadline() -> None:
    """No try begins without time to end."""
    assert wait(of_kind(FailureKind.LOST), left=timedelta(seconds=1.1)) is None
