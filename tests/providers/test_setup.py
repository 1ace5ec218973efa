"""The providers that are on come with their documented limits, a circuit, patience for reads, and none for a resend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from bot.config import Settings
from bot.domain.access import Caller, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.health import ProviderState
from bot.domain.inventory import InventoryQuery
from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.trades import Scope
from bot.provider_setup import ProvidersOn, open_providers
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock
from tests.providers.jwts import jwt
from tests.support.loopback import Recorded, Reply, as_json, content, drop

ASSETPAY, CLIENT, LEGACY, SKINSBACK, MANNCO = ProviderName
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KEYS = {
    ASSETPAY: {"api_key": "key-1"},
    CLIENT: {"api_key": "key-1"},
    LEGACY: {"api_key": "key-1"},
    SKINSBACK: {"client_id": "id", "client_secret": "secret-1"},
    MANNCO: {"api_key": "key-1"},
}
HTML = content(b"<!doctype html>")
EMPTY = as_json({"success": True, "data": {"inventory": [], "count": 0}})
PLAIN = {
    "/secure/inventory": EMPTY,
    "/client/inventory": EMPTY,
    "/auth/authenticate-client": as_json({"success": True, "data": {"token": "token-1"}}),
    "/": as_json({"status": "success", "data": {"items": []}}),
    "/user/login": as_json({"err": False, "success": True, "content": {"jwt": "jwt-1"}}),
    "/trades/active": as_json({"err": False, "success": True, "content": {"trades": []}}),
    "/trades/all": as_json({"err": False, "success": True, "content": {"trades": []}}),
    "/trade/resend": as_json({"err": False, "success": True, "content": {"trade_id": 5, "code": "ABC"}}),
}
"""What each path answers when all is well."""
LOGINS = ("/auth/authenticate-client", "/user/login")


def query(account: int = 1) -> InventoryQuery:
    return InventoryQuery(TradeUrl(SteamId.from_account_id(account), TradeToken("AbCdEfGh")), Game.CS2)


Open = Callable[..., Awaitable[ProvidersOn]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def opened(server, clock: FakeClock) -> AsyncIterator[Open]:
    """Open the providers of these tables, all of them at the loopback server."""
    server.script = lambda asked: PLAIN[asked.path]
    async with AsyncExitStack() as stack:

        async def open_these(**tables: dict[str, Any]) -> ProvidersOn:
            settings = Settings.model_validate(
                {
                    "discord": {"token": "simulated"},
                    "providers": {name: {"base_url": server.url, **table} for name, table in tables.items()},
                }
            )
            return await open_providers(settings, stack, clock=clock, explanations=Catalogue.load())

        yield open_these


def read_of(providers: ProvidersOn) -> Callable[[], Awaitable[object]]:
    """Return a read of the one provider that is on."""
    if providers.trades is not None:
        trades = providers.trades
        return lambda: trades.trades(Scope.ALL)
    (inventories,) = providers.inventories
    return lambda: inventories.look_up(query())


def failing_first(*replies: Reply) -> Callable[[Recorded], Reply]:
    """Give these replies, one a request, to whatever is no login; then answer as when all is well."""
    left = list(replies)

    def script(asked: Recorded) -> Reply:
        return left.pop(0) if left and asked.path not in LOGINS else PLAIN[asked.path]

    return script


DOCUMENTED = [
    (ASSETPAY, False, {("inventories", 100, MINUTE)}),
    (ASSETPAY, True, {("inventories", 10_000, MINUTE)}),
    (CLIENT, False, {("inventories", 10, MINUTE)}),
    (CLIENT, True, {("inventories", 1_000, MINUTE)}),
    (LEGACY, False, {("inventories", 10, MINUTE), ("client tokens", 100, HOUR)}),
    (LEGACY, True, {("inventories", 1_000, MINUTE), ("client tokens", 1_000_000, HOUR)}),
    (SKINSBACK, None, {("requests", 500, MINUTE)}),
    (
        MANNCO,
        None,
        {(route, 600, MINUTE) for route in ("active trades", "all trades", "resends", "logins")},
    ),
]


@pytest.mark.parametrize(("name", "verified", "limits"), DOCUMENTED)
async def test_documented_limits(opened: Open, name: ProviderName, verified, limits):
    """Each provider has the limits of its documentation, by tier; a fifth of each is kept for the staff."""
    providers = await opened(**{name: KEYS[name] | ({} if verified is None else {"verified": verified})})

    (source,) = providers.health
    quotas = source.health().quotas
    assert {(quota.what, quota.limit, quota.per) for quota in quotas} == limits
    assert [quota.reserved for quota in quotas] == [quota.limit // 5 for quota in quotas]
    assert [quota.left for quota in quotas] == [quota.limit for quota in quotas]


@pytest.mark.parametrize("auth", ["headers", "signature"])
async def test_every_call_is_counted(opened: Open, auth: str):
    """Whatever is asked of a provider with documented limits is counted against the limit of its own route."""
    providers = await opened(**KEYS | {SKINSBACK: KEYS[SKINSBACK] | {"auth": auth}})
    for each in providers.inventories:
        await each.look_up(query())
    assert providers.trades is not None
    await providers.trades.trades(Scope.ACTIVE)
    await providers.trades.trades(Scope.ALL)
    await providers.trades.resend(5)

    spent = {
        (health.provider, quota.what): quota.limit - quota.left
        for health in (source.health() for source in providers.health)
        for quota in health.quotas
    }
    assert spent == {
        (ASSETPAY, "inventories"): 1,
        (CLIENT, "inventories"): 1,
        (LEGACY, "inventories"): 1,
        (LEGACY, "client tokens"): 1,
        (SKINSBACK, "requests"): 1,
        (MANNCO, "active trades"): 1,
        (MANNCO, "all trades"): 1,
        (MANNCO, "resends"): 1,
        (MANNCO, "logins"): 1,
    }


async def test_which_are_on(opened: Open):
    """A provider is on when its credentials are there, and each that is on says how it does."""
    providers = await opened(assetpay_legacy=KEYS[LEGACY], skinsback={})

    assert [each.name for each in providers.inventories] == [LEGACY]
    assert providers.trades is None
    assert [source.health().provider for source in providers.health] == [LEGACY]


@pytest.mark.parametrize("name", ProviderName)
async def test_reads_are_tried_again(opened: Open, server, name: ProviderName):
    """A read of any provider survives a lost connection."""
    read = read_of(await opened(**{name: KEYS[name]}))
    server.script = failing_first(drop)

    await read()

    first, second = (request.target for request in server.requests if request.path not in LOGINS)
    assert first == second


@pytest.mark.parametrize("name", ProviderName)
async def test_failing_provider_rests(opened: Open, server, failure_of, clock: FakeClock, name: ProviderName):
    """Any provider that keeps failing is left alone, and the others are not."""
    providers = await opened(**{name: KEYS[name]})
    read, (source,) = read_of(providers), providers.health
    server.script = failing_first(*[HTML] * 5)
    for _ in range(5):
        assert (await failure_of(read())).kind is FailureKind.NONSENSE
    asked = len(server.requests)

    assert (await failure_of(read())).kind is FailureKind.CIRCUIT_OPEN
    assert len(server.requests) == asked
    assert source.health().state is ProviderState.CIRCUIT_OPEN
    clock.advance(seconds=15)
    await read()
    assert source.health().state is ProviderState.WORKING


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(drop, FailureKind.LOST), (content(b"", 503), FailureKind.BROKEN), (HTML, FailureKind.NONSENSE)],
    ids=["lost", "broken", "nonsense"],
)
async def test_resend_is_asked_once(opened: Open, server, failure_of, reply: Reply, kind: FailureKind):
    """On the wire a resend is one request, where the very same failure of a read is tried again."""
    trades = (await opened(mannco=KEYS[MANNCO])).trades
    assert trades is not None
    server.script = failing_first(reply, reply)
    assert (await failure_of(trades.resend(5))).kind is kind
    resends = [request for request in server.requests if request.path == "/trade/resend"]
    assert len(resends) == 1

    server.script = failing_first(reply)
    if kind is FailureKind.NONSENSE:
        await failure_of(trades.trades(Scope.ALL))
    else:
        await trades.trades(Scope.ALL)
    assert [request for request in server.requests if request.path == "/trade/resend"] == resends


async def test_resend_while_reads_rest(opened: Open, server, failure_of):
    """A provider that is left alone is asked for an approved resend all the same: once, and it is the answer's say."""
    trades = (await opened(mannco=KEYS[MANNCO])).trades
    assert trades is not None
    server.script = failing_first(*[HTML] * 5)
    for _ in range(5):
        await failure_of(trades.trades(Scope.ALL))
    assert (await failure_of(trades.trades(Scope.ALL))).kind is FailureKind.CIRCUIT_OPEN

    assert (await trades.resend(5)).trade_id == 5


async def failure(call: Awaitable[object], *, by: int) -> Failure:
    with on_behalf_of(Caller(by, is_staff=False)), pytest.raises(ProviderError) as raised:
        await call
    return raised.value.failure


async def test_own_refusals_say_nothing_about_the_provider(opened: Open, server, clock: FakeClock):
    """What SkinDesk itself refuses was never asked: it makes a failing provider no better, nor ends its outage."""
    providers = await opened(assetpay={**KEYS[ASSETPAY]}, assetpay_client={"client_token": "opaque"})
    client, source = providers.inventories[1], providers.health[1]
    server.script = lambda _: HTML
    for _ in range(2):  # a customer's share of ten a minute
        assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.NONSENSE
    began = clock.now()

    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.RATE_LIMITED_LOCALLY
    assert (source.health().state, source.health().since) == (ProviderState.FAILING, began)
    for customer in (2, 3, 4):
        await failure(client.look_up(query()), by=customer)
    assert source.health().state is ProviderState.CIRCUIT_OPEN
    clock.advance(seconds=15)

    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.RATE_LIMITED_LOCALLY
    assert (source.health().state, source.health().since) == (ProviderState.FAILING, began), "the rest is over"
    assert (await failure(client.look_up(query()), by=5)).kind is FailureKind.NONSENSE
    assert source.health().state is ProviderState.CIRCUIT_OPEN, "one failure is enough"


async def test_token_of_another_account_says_nothing_about_the_provider(opened: Open, server):
    """A fixed token that is somebody else's is noticed before the provider is asked, and makes it no better."""
    token = jwt({"client": {"steamID": str(SteamId.from_account_id(1))}}).reveal()
    providers = await opened(assetpay_client={"client_token": token})
    (client,), (source,) = providers.inventories, providers.health
    server.script = lambda _: HTML
    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.NONSENSE

    assert (await failure(client.look_up(query(account=2)), by=2)).kind is FailureKind.WRONG_ACCOUNT
    assert source.health().state is ProviderState.FAILING
    assert len(server.requests) == 1


async def test_wait_is_until_a_call_may_be_made(opened: Open, clock: FakeClock):
    """Who is over their own share and finds all shares spent is told the later moment; at it the call goes through."""
    providers = await opened(assetpay=KEYS[ASSETPAY])
    (assetpay,) = providers.inventories
    for customer in range(100, 160):
        with on_behalf_of(Caller(customer, is_staff=False)):
            await assetpay.look_up(query())
    clock.advance(seconds=30)
    with on_behalf_of(Caller(1, is_staff=False)):
        for _ in range(20):
            await assetpay.look_up(query())

    for customer, seconds in ((1, 60), (2, 30)):
        refused = await failure(assetpay.look_up(query()), by=customer)
        assert (refused.kind, refused.retry_after) == (FailureKind.RATE_LIMITED_LOCALLY, timedelta(seconds=seconds))
    clock.advance(seconds=30)
    with on_behalf_of(Caller(2, is_staff=False)):
        await assetpay.look_up(query())
    refused = await failure(assetpay.look_up(query()), by=1)
    assert refused.retry_after == timedelta(seconds=30)
    clock.advance(seconds=30)
    with on_behalf_of(Caller(1, is_staff=False)):
        await assetpay.look_up(query())


async def test_wait_after_a_429_in_a_full_window(opened: Open, server, clock: FakeClock):
    """A provider's Retry-After does not shorten the wait for a window that is full longer than that."""
    providers = await opened(assetpay_client={"client_token": "opaque"})
    (client,) = providers.inventories
    server.script = failing_first(*[EMPTY] * 9, content(b"", 429, retry_after="5"))
    for _ in range(9):
        await client.look_up(query())
    with pytest.raises(ProviderError) as throttled:
        await client.look_up(query())
    assert throttled.value.failure.kind is FailureKind.THROTTLED

    with pytest.raises(ProviderError) as refused:
        await client.look_up(query())
    assert refused.value.failure.kind is FailureKind.RATE_LIMITED_LOCALLY
    assert refused.value.failure.retry_after == MINUTE
