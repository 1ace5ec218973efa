"""Configured providers have their documented limits, a circuit breaker, and retries for reads, but not for resends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from bot.config import Settings
from bot.domain.access import Caller, on_behalf_of
from bot.domain.errors import ProviderError, ShuttingDown
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.health import ProviderState
from bot.domain.inventory import InventoryQuery
from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.trades import Scope, TradeQuery, TradeReference
from bot.provider_setup import ProvidersOn, open_providers
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock
from tests.providers.jwts import jwt
from tests.support.loopback import Recorded, Reply, as_json, content, drop

ASSETPAY, CLIENT, LEGACY, SKINSBACK, MANNCO = ProviderName
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ACCOUNT = SteamId.from_account_id(5)
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
    "/secure/trades/dep_1": as_json({"success": False, "error": {"code": 21, "key": "TRADE_NOT_FOUND"}}, 404),
    "/client/trades": as_json({"success": True, "data": {"items": [], "trades": []}}),
    "/secure/check-tradeurl": as_json({"success": True, "data": {"state": 1}}),
    "/": as_json({"status": "success", "data": {"items": []}, "items": [], "transaction_id": "7"}),
    "/user/login": as_json({"err": False, "success": True, "content": {"jwt": "jwt-1"}}),
    "/trades/active": as_json({"err": False, "success": True, "content": {"trades": []}}),
    "/trades/all": as_json({"err": False, "success": True, "content": {"trades": []}}),
    "/trade/resend": as_json({"err": False, "success": True, "content": {"trade_id": 5, "code": "ABC"}}),
}
"""The successful answer of each path."""
LOGINS = ("/auth/authenticate-client", "/user/login")


def query(account: int = 1) -> InventoryQuery:
    return InventoryQuery(TradeUrl(SteamId.from_account_id(account), TradeToken("AbCdEfGh")), Game.CS2)


TRADES = TradeQuery(account=query().trade_url.steam_id, trade_url=query().trade_url, reference=TradeReference("dep_1"))


Open = Callable[..., Awaitable[ProvidersOn]]


@pytest.fixture
async def opened(server, clock: FakeClock) -> AsyncIterator[Open]:
    """Open the providers of these tables at the loopback server."""
    server.script = lambda asked: PLAIN[asked.path.removesuffix(f"/{ACCOUNT}")]
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


def read_of(providers: ProvidersOn) -> Callable[..., Awaitable[object]]:
    """Return a read of the only provider, by a customer about their account."""

    async def read(by: int = 1) -> object:
        with on_behalf_of(Caller(by, is_staff=False)):
            if providers.resending is not None:
                return await providers.resending.trades(Scope.ALL)
            return await providers.inventories[0].look_up(query(by))

    return read


def failing_first(*replies: Reply) -> Callable[[Recorded], Reply]:
    """Give these replies to the first requests that are no logins, then the successful answers."""
    left = list(replies)

    def script(asked: Recorded) -> Reply:
        return left.pop(0) if left and asked.path not in LOGINS else PLAIN[asked.path]

    return script


UNVERIFIED_CLIENT = {("inventories", 10, MINUTE), ("trades", 30, MINUTE), ("client_tokens", 100, HOUR)}
VERIFIED_CLIENT = {("inventories", 1_000, MINUTE), ("trades", 3_000, MINUTE), ("client_tokens", 1_000_000, HOUR)}
DOCUMENTED = [
    (ASSETPAY, False, {("inventories", 100, MINUTE), ("trades", 100, MINUTE), ("trade_url_checks", 100, HOUR)}),
    (
        ASSETPAY,
        True,
        {("inventories", 10_000, MINUTE), ("trades", 3_000, MINUTE), ("trade_url_checks", 100_000, HOUR)},
    ),
    (CLIENT, False, UNVERIFIED_CLIENT | {("trade_url_checks", 100, HOUR)}),
    (CLIENT, True, VERIFIED_CLIENT | {("trade_url_checks", 100_000, HOUR)}),
    (LEGACY, False, UNVERIFIED_CLIENT),
    (LEGACY, True, VERIFIED_CLIENT),
    (SKINSBACK, None, {("requests", 500, MINUTE)}),
    (
        MANNCO,
        None,
        {(route, 600, MINUTE) for route in ("active_trades", "all_trades", "resends", "logins")},
    ),
]


@pytest.mark.parametrize(("name", "verified", "limits"), DOCUMENTED)
async def test_documented_limits(opened: Open, name: ProviderName, verified, limits):
    """Each provider has its documented limits, by tier, with a fifth reserved for the staff."""
    providers = await opened(**{name: KEYS[name] | ({} if verified is None else {"verified": verified})})

    (source,) = providers.health
    quotas = (await source.health()).quotas
    assert {(quota.what, quota.limit, quota.per) for quota in quotas} == limits
    assert [quota.reserved for quota in quotas] == [quota.limit // 5 for quota in quotas]
    assert [quota.left for quota in quotas] == [quota.limit for quota in quotas]


async def test_every_call_is_counted(opened: Open):
    """Every call counts against the documented limit of its route, whichever account it names."""
    providers = await opened(**KEYS | {MANNCO: KEYS[MANNCO] | {"per_user_paths": True}})
    for each in providers.inventories:
        await each.look_up(query())
    for source in providers.sources:
        if source.name.family == "assetpay":
            await source.read(TRADES)
    assert providers.trade_url_checker is not None
    await providers.trade_url_checker.check(query().trade_url)
    assert providers.resending is not None
    await providers.resending.trades(Scope.ACTIVE)
    await providers.resending.trades(Scope.ALL)
    await providers.resending.trades(Scope.ALL, ACCOUNT)
    await providers.resending.resend(5)
    (deposits,) = (source for source in providers.sources if source.name is SKINSBACK)
    await deposits.read(TradeQuery())
    await deposits.read(TradeQuery(reference=TradeReference("7")))

    spent = {
        (health.provider, quota.what): quota.limit - quota.left
        for health in [await source.health() for source in providers.health]
        for quota in health.quotas
    }
    assert spent == {
        (ASSETPAY, "inventories"): 1,
        (ASSETPAY, "trades"): 1,
        (ASSETPAY, "trade_url_checks"): 1,
        (CLIENT, "inventories"): 1,
        (CLIENT, "trades"): 2,
        (CLIENT, "client_tokens"): 1,
        (LEGACY, "inventories"): 1,
        (LEGACY, "trades"): 2,
        (LEGACY, "client_tokens"): 1,
        (SKINSBACK, "requests"): 3,
        (MANNCO, "active_trades"): 1,
        (MANNCO, "all_trades"): 2,
        (MANNCO, "resends"): 1,
        (MANNCO, "logins"): 1,
    }


async def test_which_are_on(opened: Open):
    """A provider with credentials is on, and reports its health."""
    providers = await opened(assetpay_legacy=KEYS[LEGACY], skinsback={})

    assert [each.name for each in providers.inventories] == [LEGACY]
    assert providers.resending is None
    assert [(await source.health()).provider for source in providers.health] == [LEGACY]
    assert [source.name for source in providers.sources] == [LEGACY]


@pytest.mark.parametrize(
    ("tables", "asked"),
    [
        ({ASSETPAY: KEYS[ASSETPAY], CLIENT: KEYS[CLIENT]}, ASSETPAY),
        ({CLIENT: KEYS[CLIENT], LEGACY: KEYS[LEGACY]}, CLIENT),
        ({CLIENT: {"client_token": "token-1"}, LEGACY: KEYS[LEGACY]}, None),
    ],
)
async def test_trade_url_checker(opened: Open, tables, asked):
    """Trade URLs are checked with an API key of the current dialect, and one limit is kept."""
    providers = await opened(**tables)

    limited = [
        health.provider
        for health in [await source.health() for source in providers.health]
        for quota in health.quotas
        if quota.what == "trade_url_checks"
    ]
    assert limited == ([] if asked is None else [asked])
    assert (providers.trade_url_checker is None) is (asked is None)


@pytest.mark.parametrize("name", ProviderName)
async def test_reads_are_tried_again(opened: Open, server, name: ProviderName):
    """A read of any provider is retried after a lost connection."""
    read = read_of(await opened(**{name: KEYS[name]}))
    server.script = failing_first(drop)

    await read()

    first, second = (request.target for request in server.requests if request.path not in LOGINS)
    assert first == second


@pytest.mark.parametrize(("name", "calls"), [(ASSETPAY, 1), (CLIENT, 2), (LEGACY, 2)])
async def test_trades_are_tried_again(opened: Open, server, name: ProviderName, calls):
    """So are a source of trades, if nothing was read, and a check of a trade URL."""
    providers = await opened(**{name: KEYS[name]})
    (source,), checker = providers.sources, providers.trade_url_checker
    server.script = failing_first(drop)

    await source.read(TRADES)

    assert sum("/trades" in request.path for request in server.requests) == 2 * calls
    if checker is not None:
        server.script = failing_first(drop)
        assert (await checker.check(query().trade_url)).state == "1"


@pytest.mark.parametrize("name", ProviderName)
async def test_circuit(opened: Open, server, failure_of, name: ProviderName):
    """The circuit of any provider that keeps failing opens, and closes after a success."""
    providers = await opened(**{name: KEYS[name]})
    read, (source,) = read_of(providers), providers.health
    server.script = failing_first(*[HTML] * 3)
    for customer in (1, 2, 3):
        assert (await failure_of(read(customer))).kind is FailureKind.NONSENSE
    asked = len(server.requests)

    assert (await failure_of(read(1))).kind is FailureKind.CIRCUIT_OPEN
    assert len(server.requests) == asked
    assert (await source.health()).state is ProviderState.CIRCUIT_OPEN
    await read(4)
    assert (await source.health()).state is ProviderState.WORKING


HOSTILE = SteamId.from_account_id(666)
UNREADABLE = as_json({"success": True, "data": {"inventory": "none"}})


@pytest.mark.parametrize(
    "reply",
    [HTML, content(b"", 500), UNREADABLE, drop, content(b"", 429, retry_after="3600")],
    ids=["no-envelope", "500", "unreadable", "lost", "429"],
)
async def test_one_accounts_trouble(opened: Open, server, reply: Reply):
    """One customer whose account cannot be read, again and again, refuses the provider to nobody else."""
    providers = await opened(assetpay=KEYS[ASSETPAY] | {"verified": True})
    (inventories,), (source,) = providers.inventories, providers.health
    server.script = lambda asked: reply if str(HOSTILE.account_id) in asked.target else EMPTY
    for _ in range(2):
        await asyncio.gather(*(failure(inventories.look_up(query(666)), by=666) for _ in range(6)))
        assert (await source.health()).state is not ProviderState.CIRCUIT_OPEN
        for caller in (Caller(1, is_staff=False), Caller(2)):
            with on_behalf_of(caller):
                await inventories.look_up(query())
                await inventories.look_up(query(2))
    assert (await failure(inventories.look_up(query(666)), by=666)).kind is not FailureKind.CIRCUIT_OPEN


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(drop, FailureKind.LOST), (content(b"", 503), FailureKind.BROKEN)],
    ids=["lost", "broken"],
)
async def test_resend_is_asked_once(opened: Open, server, failure_of, reply: Reply, kind: FailureKind):
    """A resend is one request, though the same failure of a read is retried."""
    trades = (await opened(mannco=KEYS[MANNCO])).resending
    assert trades is not None
    server.script = failing_first(reply, reply)
    assert (await failure_of(trades.resend(5))).kind is kind
    resends = [request for request in server.requests if request.path == "/trade/resend"]
    assert len(resends) == 1

    server.script = failing_first(reply)
    await trades.trades(Scope.ALL)
    assert [request for request in server.requests if request.path == "/trade/resend"] == resends


async def test_resend_with_an_open_circuit(opened: Open, server):
    """An approved resend is sent once even if the circuit for reads is open."""
    trades = (await opened(mannco=KEYS[MANNCO])).resending
    assert trades is not None
    server.script = failing_first(*[HTML] * 3)
    for customer in (1, 2, 3):
        await failure(trades.trades(Scope.ALL), by=customer)
    assert (await failure(trades.trades(Scope.ALL), by=1)).kind is FailureKind.CIRCUIT_OPEN

    assert (await trades.resend(5)).trade_id == 5


async def test_resend_refused_in_the_last_moment(opened: Open, server):
    """The check of a resend runs after the login, right before the call, and can refuse it."""
    trades = (await opened(mannco=KEYS[MANNCO])).resending
    assert trades is not None
    logins: list[int] = []

    async def stopped() -> None:
        logins.append(len(server.requests))
        raise ShuttingDown

    with pytest.raises(ShuttingDown):
        await trades.resend(5, before_send=stopped)

    assert [request.path for request in server.requests] == ["/user/login"]
    assert logins == [1]


async def failure(call: Awaitable[object], *, by: int) -> Failure:
    with on_behalf_of(Caller(by, is_staff=False)), pytest.raises(ProviderError) as raised:
        await call
    return raised.value.failure


async def test_limit_in_the_envelope(opened: Open, server, clock: FakeClock):
    """SkinsBack's -7 is about all methods and accounts: SkinDesk asks it nothing for a minute."""
    providers = await opened(skinsback=KEYS[SKINSBACK])
    (inventories,), (deposits,) = providers.inventories, providers.sources
    server.script = lambda _: as_json({"status": "error", "error_code": -7, "error_message": "request_limit_reached"})
    assert (await failure(inventories.look_up(query()), by=1)).kind is FailureKind.THROTTLED

    refused = await failure(deposits.read(TradeQuery(reference=TradeReference("7"))), by=2)

    assert (refused.kind, refused.retry_after) == (FailureKind.RATE_LIMITED_LOCALLY, MINUTE)
    assert len(server.requests) == 1
    server.script = lambda asked: PLAIN[asked.path]
    clock.advance(minutes=1)
    assert (await deposits.read(TradeQuery())).trades == ()


async def test_local_refusals(opened: Open, server, clock: FakeClock):
    """A call that SkinDesk itself refuses neither closes the circuit nor ends an outage."""
    providers = await opened(assetpay={**KEYS[ASSETPAY]}, assetpay_client={"client_token": "opaque"})
    client, source = providers.inventories[1], providers.health[1]
    server.script = lambda _: HTML
    for _ in range(2):  # a customer's share of ten a minute
        assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.NONSENSE
    began = clock.now()

    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.RATE_LIMITED_LOCALLY
    health = await source.health()
    assert (health.state, health.since) == (ProviderState.FAILING, began)
    for customer in (2, 3):
        await failure(client.look_up(query(customer)), by=customer)
    assert (await source.health()).state is ProviderState.CIRCUIT_OPEN
    clock.advance(seconds=10)

    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.RATE_LIMITED_LOCALLY
    health = await source.health()
    assert (health.state, health.since) == (ProviderState.CIRCUIT_OPEN, began)
    assert (await failure(client.look_up(query(5)), by=5)).kind is FailureKind.NONSENSE


async def test_token_of_another_account(opened: Open, server):
    """A fixed token of another account is noticed without a call, and does not change the provider's state."""
    token = jwt({"client": {"steamID": str(SteamId.from_account_id(1))}}).reveal()
    providers = await opened(assetpay_client={"client_token": token})
    (client,), (source,) = providers.inventories, providers.health
    server.script = lambda _: HTML
    assert (await failure(client.look_up(query()), by=1)).kind is FailureKind.NONSENSE

    assert (await failure(client.look_up(query(account=2)), by=2)).kind is FailureKind.WRONG_ACCOUNT
    assert (await source.health()).state is ProviderState.FAILING
    assert len(server.requests) == 1
