"""Many callers at once: one call for equal lookups, and a fair share of the provider's limit for each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import assembled
from bot.config import Settings
from bot.domain.access import Actor, Capability
from bot.domain.failures import Failure, FailureKind
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer
from bot.domain.steam import SteamId
from bot.services.container import Services
from bot.services.inventory import InventoryRequest
from tests.fakes.clock import FakeClock
from tests.support.loopback import Loopback, Recorded, Reply, as_json, hang

GUILD, SUPPORT = 900, 901
OWNER = Actor(GUILD, 1, frozenset({GUILD}), administers=True)
ITEM = {"id": "1", "marketHashName": "AK-47", "tradable": True, "offer": {"price": 5, "accepted": True}}
INVENTORY = as_json({"success": True, "data": {"inventory": [ITEM], "count": 1}})
TOKEN = as_json({"success": True, "data": {"token": "token-1"}})
SKINSBACK_ITEM = {"item": {"asset_id": "1", "tradable": 1}, "name": "AK-47", "price": 5}
SKINSBACK_INVENTORY = as_json({"status": "success", "data": {"items": [SKINSBACK_ITEM]}})


def customer(number: int) -> Actor:
    return Actor(GUILD, 1000 + number, frozenset({GUILD}))


def agent(number: int = 0) -> Actor:
    return Actor(GUILD, 5000 + number, frozenset({GUILD, SUPPORT}))


def url(account: int) -> str:
    return f"https://steamcommunity.com/tradeoffer/new/?partner={account}&token=AbCdEfGh"


class Provider:
    """A server that counts requests and answers when its gate is open; never for accounts that are ``hanging``."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: Counter[str] = Counter()
        self.refreshes = 0
        self.hanging: set[int] = set()
        self.hung = 0
        self.reached = asyncio.Event()

    def __call__(self, asked: Recorded) -> Reply:
        self.asked[asked.path] += 1
        self.refreshes += ("refresh", "true") in asked.query
        self.reached.set()
        if any(f"partner%3D{account}%26" in asked.target for account in self.hanging):
            self.hung += 1
            return hang
        plain = {"/auth/authenticate-client": TOKEN, "/": SKINSBACK_INVENTORY}.get(asked.path, INVENTORY)

        async def reply(writer: asyncio.StreamWriter) -> bool:
            await self.gate.wait()
            return await plain(writer)

        return reply


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def services(tmp_path: Path, provider: Provider, clock: FakeClock) -> AsyncIterator[Services]:
    """The assembled services, with providers on loopback."""
    async with Loopback(provider) as server:
        tables: dict[str, dict[str, Any]] = {
            "assetpay": {"api_key": "key-1"},
            "assetpay_client": {"api_key": "key-1"},
            "skinsback": {"client_id": "id", "client_secret": "secret-1"},
        }
        settings = Settings.model_validate(
            {
                "discord": {"token": "simulated"},
                "database": {"path": str(tmp_path / "desk.db")},
                "providers": {name: {"base_url": server.url, **table} for name, table in tables.items()},
            }
        )
        async with assembled(settings, clock=clock) as bot:
            for capability in (Capability.INVENTORY_ANY, Capability.MANAGE_LINKS):
                await bot.services.access.grant(SUPPORT, capability, by=OWNER)
            yield bot.services


async def look_up(services: Services, request: InventoryRequest, *, by: Actor) -> InventoryAnswer:
    return await services.inventory.look_up(request, by=await services.access.viewer(by))


async def ask(services: Services, account: int, *, by: Actor, **options: Any) -> ProviderAnswer:
    answer: InventoryAnswer = await look_up(services, InventoryRequest(url(account), **options), by=by)
    (part,) = answer.answers
    return part


async def link(services: Services, number: int) -> None:
    """Link a customer to the account with their number."""
    await services.links.set_for(customer(number).user_id, str(SteamId.from_account_id(number)), by=agent())


def rate_limited(part: ProviderAnswer) -> Failure | None:
    return part.failure if part.failure is not None and part.failure.kind is FailureKind.RATE_LIMITED_LOCALLY else None


# Shared lookups


async def test_two_hundred_callers(services: Services, provider: Provider) -> None:
    """Two hundred lookups of one inventory make one call, even if the first caller is cancelled."""
    provider.gate.clear()
    first = asyncio.create_task(ask(services, 7, by=agent(0)))
    await provider.reached.wait()
    others = [asyncio.create_task(ask(services, 7, by=agent(number))) for number in range(1, 200)]
    await asyncio.sleep(0.2)  # most of them wait for the answer by then; the others get it from the cache
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    provider.gate.set()

    parts = await asyncio.gather(*others)
    assert first.cancelled()
    assert [len(part.inventory.items) for part in parts if part.inventory is not None] == [1] * 199
    assert provider.asked == {"/secure/inventory": 1}


async def test_two_hundred_callers_with_a_token_to_create(services: Services, provider: Provider) -> None:
    """Two hundred lookups that need a new client token create one and make one call with it."""
    parts = await asyncio.gather(
        *(ask(services, 7, by=agent(number), provider="assetpay_client") for number in range(200))
    )

    assert all(part.inventory is not None for part in parts)
    assert provider.asked == {"/auth/authenticate-client": 1, "/client/inventory": 1}


# Fair shares


async def test_storm_of_customers(services: Services, provider: Provider, clock: FakeClock) -> None:
    """Of 200 customers at once, at 100 calls a minute, 80 are answered; 20 calls are left for staff."""
    for number in range(1, 201):
        await link(services, number)
    parts = await asyncio.gather(*(ask(services, number, by=customer(number)) for number in range(1, 201)))

    refused = [(number, failure) for number, part in enumerate(parts, 1) if (failure := rate_limited(part)) is not None]
    assert len(refused) == 120
    assert sum(part.inventory is not None for part in parts) == 80
    assert {failure.retry_after for _, failure in refused} == {timedelta(minutes=1)}
    assert provider.asked == {"/secure/inventory": 80}

    served = [await ask(services, 1000 + number, by=agent()) for number in range(20)]
    assert all(part.inventory is not None for part in served)
    assert rate_limited(await ask(services, 2000, by=agent())) is not None
    assert provider.asked.total() == 100

    number = refused[0][0]
    clock.advance(seconds=59.9)
    assert rate_limited(await ask(services, number, by=customer(number))) is not None
    clock.advance(seconds=0.1)
    assert (await ask(services, number, by=customer(number))).inventory is not None


async def test_one_customer_alone(services: Services, provider: Provider) -> None:
    """One customer gets a quarter of the customers' share; the others have the rest."""
    await link(services, 1)
    await link(services, 2)
    parts = [await ask(services, 1, by=customer(1), search=f"ak {number}") for number in range(50)]

    assert sum(part.inventory is not None for part in parts) == 20
    assert {rate_limited(part) is not None for part in parts if part.inventory is None} == {True}
    assert provider.asked.total() == 20
    assert (await ask(services, 2, by=customer(2))).inventory is not None


async def test_shared_lookups_cost_their_first_caller(services: Services) -> None:
    """Cached and joined lookups do not use up a customer's share."""
    await link(services, 1)
    await asyncio.gather(ask(services, 1, by=agent()), *(ask(services, 1, by=customer(1)) for _ in range(50)))
    await ask(services, 1, by=customer(1))

    parts = [await ask(services, 1, by=customer(1), search=f"ak {number}") for number in range(30)]
    assert all(part.inventory is not None for part in parts)


async def test_joining_a_caller_whose_share_is_used_up(services: Services, provider: Provider) -> None:
    """An agent who joined a customer's lookup is answered, although the customer's share is used up."""
    await link(services, 1)
    assert (await ask(services, 1, by=customer(1), provider="assetpay_client", search="ak")).inventory is not None
    provider.gate.clear()
    provider.reached.clear()
    other_token = url(1).replace("AbCdEfGh", "ZyXwVuTs")  # for which a client token has to be created first
    request = InventoryRequest(other_token, "assetpay_client")
    begun = asyncio.create_task(look_up(services, request, by=customer(1)))
    await provider.reached.wait()
    # Meanwhile the customer makes the second of their two calls a minute.
    provider.reached.clear()
    last = asyncio.create_task(ask(services, 1, by=customer(1), provider="assetpay_client", search="awp"))
    await provider.reached.wait()
    joining = asyncio.create_task(look_up(services, request, by=agent()))
    await asyncio.sleep(0.1)
    provider.gate.set()

    assert rate_limited((await begun).answers[0]) is not None
    assert (await last).inventory is not None
    assert (await joining).answers[0].inventory is not None


async def test_customer_whose_lookups_hang(services: Services, provider: Provider) -> None:
    """Twenty hanging lookups of one customer hold two slots: all others are answered, also about that account."""
    for number in range(1, 21):
        await link(services, number)
    provider.hanging.add(1)
    hostile = [
        asyncio.create_task(ask(services, 1, by=customer(1), search=f"ak {number}", refresh=number == 4))
        for number in range(20)
    ]
    others = [ask(services, number, by=customer(number)) for number in range(2, 21)]
    parts = await asyncio.gather(*others, ask(services, 30, by=agent()))

    assert all(part.inventory is not None for part in parts)
    assert provider.hung == 2
    refused = [task.result().failure for task in hostile if task.done()]
    assert [failure.kind for failure in refused if failure is not None] == [FailureKind.BUSY_WITH_OWN] * 14

    provider.hanging.clear()
    for same in ({"search": "ak 3"}, {"search": "ak 4"}, {"search": "ak 4", "refresh": True}):
        assert (await ask(services, 1, by=agent(), **same)).inventory is not None, "not in the customer's place"
    for task in hostile:
        task.cancel()


async def test_trade_urls_of_one_customer(services: Services, provider: Provider) -> None:
    """Many trade URLs with wrong tokens cost no more client tokens than the customer may make lookups."""
    await link(services, 1)
    viewer = await services.access.viewer(customer(1))
    for number in range(100):
        request = InventoryRequest(url(1).replace("AbCdEfGh", f"wrong{number:03}"), "assetpay_client", refresh=True)
        await services.inventory.look_up(replace(request, search=f"ak {number}"), by=viewer)

    assert provider.asked == {"/auth/authenticate-client": 2, "/client/inventory": 2}


async def test_customers_whose_lookups_hang(services: Services, provider: Provider) -> None:
    """If the lookups of many customers hang, staff are answered, and other customers hear that SkinDesk is busy."""
    for number in range(1, 11):
        await link(services, number)
    provider.hanging.update(range(1, 10))
    hostile = [
        asyncio.create_task(ask(services, number, by=customer(number), search=search))
        for number in range(1, 10)
        for search in ("ak", "awp", "m4")
    ]
    waiting = asyncio.create_task(ask(services, 10, by=customer(10)))

    assert all([(await ask(services, 100 + number, by=agent(number))).inventory for number in range(8)])
    assert provider.hung == 12
    failure = (await waiting).failure
    assert failure is not None
    assert (failure.kind, failure.took) == (FailureKind.BUSY, None)
    for task in hostile:
        task.cancel()


async def test_agents_who_look_up_the_same(services: Services, provider: Provider) -> None:
    """An agent who joined the lookup of one whose own calls take all their slots is asked for in their own name."""
    provider.hanging.update(range(1, 5))
    hanging = [asyncio.create_task(ask(services, account, by=agent(1))) for account in range(1, 5)]
    queued = [asyncio.create_task(ask(services, 100 + number, by=agent(1))) for number in range(8)]
    refused = asyncio.create_task(ask(services, 7, by=agent(1)))
    joining = asyncio.create_task(ask(services, 7, by=agent(2)))

    assert (await joining).inventory is not None
    failure = (await refused).failure
    assert failure is not None
    assert failure.kind is FailureKind.BUSY_WITH_OWN
    for task in (*hanging, *queued):
        task.cancel()
