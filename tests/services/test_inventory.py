"""Lookups of inventories: permissions, shared lookups, refreshes, the cache, and deadlines. See also test_sharing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.errors import AccessDenied, GameNotOffered, InvalidInput, NotLinked, ProviderError, ProviderOff
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Sort
from bot.domain.snapshots import InventoryAnswer
from bot.domain.steam import Game
from bot.services.inventory import InventoryRequest, InventoryService
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW, OWNER, item
from tests.fakes.inventory_provider import FakeInventoryProvider
from tests.fakes.trade_sources import hints
from tests.services.members import AGENT, CUSTOMER, GUILD, SUPPORT, Members
from tests.support.loop_time import pass_time_later, until

URL = f"https://steamcommunity.com/tradeoffer/new/?partner={OWNER.account_id}&token=AbCdEfGh"
FAILURE = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=31, key="STEAM_UNAVAILABLE")


class Services(Members):
    """The service over real storage."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(repositories)
        self.provider = FakeInventoryProvider()
        self.service = self.with_providers(self.provider)

    def with_providers(
        self,
        *providers: FakeInventoryProvider,
        default: ProviderName | None = ProviderName.ASSETPAY,
        deadline: timedelta = timedelta(seconds=14),
    ) -> InventoryService:
        self.service = InventoryService(
            providers=providers,
            default=default,
            links=self.repositories.links,
            audit=self.audit,
            hints=hints(),
            clock=self.clock,
            deadline=deadline,
        )
        return self.service

    async def look_up(self, by: Actor = AGENT, url: str = URL, **options: Any) -> InventoryAnswer:
        return await self.service.look_up(InventoryRequest(url, **options), by=await self.access.viewer(by))

    def waiting(self) -> int:
        """Count the lookups that wait for the call in flight: each shields the task by a callback."""
        (call,) = self.service._flights._running or (None,)
        return sum("_inner_done_callback" in repr(callback) for callback, _ in getattr(call, "_callbacks", None) or ())


@pytest.fixture
async def services(repositories: Repositories) -> AsyncIterator[Services]:
    opened = Services(repositories)
    await opened.grant(Capability.INVENTORY_ANY)
    yield opened
    await opened.service.close()


def names(answer: InventoryAnswer) -> list[str]:
    (part,) = answer.answers
    assert part.inventory is not None
    return [each.name for each in part.inventory.items]


# Permissions


async def test_refused_without_a_call(services: Services):
    """Refused before a provider is called: no link, no capability, a role of another guild."""
    with pytest.raises(NotLinked):
        await services.look_up(CUSTOMER)
    await services.revoke(Capability.INVENTORY_OWN)
    for actor in (CUSTOMER, Actor(GUILD, 9, frozenset(), administers=True), Actor(GUILD, 9, frozenset({200}))):
        with pytest.raises(AccessDenied) as denied:
            await services.look_up(actor)
        assert denied.value.capability is Capability.INVENTORY_OWN
    with pytest.raises(NotLinked):
        await services.look_up(Actor(200, AGENT.user_id, frozenset({200, SUPPORT})))
    assert services.provider.asked == []


async def test_linked_user(services: Services):
    """The answer names the member to whom the account is linked, if there is one."""
    assert (await services.look_up()).linked_user_id is None
    await services.link(CUSTOMER, OWNER)
    assert (await services.look_up()).linked_user_id == CUSTOMER.user_id


# Providers and options


async def test_provider_option(services: Services):
    """The named provider or the default one; no provider is called if it is off, unknown, or has not the game."""
    other = FakeInventoryProvider(ProviderName.SKINSBACK, games=frozenset({Game.CS2, Game.DOTA2}))
    services.with_providers(services.provider, other)
    assert [part.provider for part in (await services.look_up()).answers] == ["assetpay"]
    assert [part.provider for part in (await services.look_up(provider="skinsback")).answers] == ["skinsback"]
    assert [part.provider for part in (await services.look_up(provider="all")).answers] == ["assetpay", "skinsback"]
    both = await services.look_up(provider="all", game=Game.DOTA2)
    assert [part.provider for part in both.answers] == ["skinsback"]

    before = len(services.provider.asked) + len(other.asked)
    with pytest.raises(GameNotOffered):
        await services.look_up(game=Game.DOTA2)
    with pytest.raises(GameNotOffered):
        await services.look_up(provider="all", game=Game.TF2)
    with pytest.raises(ProviderOff):
        await services.look_up(provider="mannco")
    with pytest.raises(InvalidInput, match="provider: unknown"):
        await services.look_up(provider="paypal")
    services.with_providers(other, default=None)
    with pytest.raises(ProviderOff):
        await services.look_up()
    services.with_providers()
    with pytest.raises(ProviderOff):
        await services.look_up(provider="all")
    assert len(services.provider.asked) + len(other.asked) == before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"min_price": Decimal("NaN")}, "min_price: not_a_price"),
        ({"min_price": Decimal(2), "max_price": Decimal(1)}, "min_price: above_max_price"),
        ({"search": "x" * 101}, "search: too_long"),
    ],
)
async def test_invalid_options(services: Services, options: dict[str, Any], problem: str):
    with pytest.raises(InvalidInput, match=problem):
        await services.look_up(**options)
    assert services.provider.asked == []


# Shared lookups and refreshes


async def test_different_lookups_are_not_shared(services: Services):
    services.provider.gate.clear()
    waiting = [
        asyncio.create_task(services.look_up(url=url, **options))
        for url, options in (
            (URL, {}),
            (URL, {"game": Game.RUST}),
            (URL, {"search": "ak"}),
            (URL, {"sort": Sort.NAME_ASC}),
            (URL.replace("AbCdEfGh", "ZyXwVuTs"), {}),
            (URL.replace(f"partner={OWNER.account_id}", "partner=1"), {}),
        )
    ]
    await until(lambda: len(services.provider.asked) == 6)
    services.provider.gate.set()
    await asyncio.gather(*waiting)


async def test_joining_a_refresh(services: Services):
    """The same lookup joins the refresh in flight; one with another search does not refresh once more."""
    services.provider.gate.clear()
    refresh = asyncio.create_task(services.look_up(refresh=True))
    await until(lambda: len(services.provider.asked) == 1)
    joining = [asyncio.create_task(services.look_up(refresh=twice)) for twice in (False, True)]
    await until(lambda: services.waiting() == 3)
    joining.append(asyncio.create_task(services.look_up(refresh=True, search="ak")))
    await until(lambda: len(services.provider.asked) == 2)
    services.provider.gate.set()

    await asyncio.gather(refresh, *joining)
    assert [query.refresh for query in services.provider.asked] == [True, False]
    assert services.service.next_refresh(await refresh) == NOW + timedelta(minutes=2)


async def test_refresh_cool_down(services: Services):
    """One refresh in two minutes for each provider, account and game, and meanwhile what it read.

    A failed one does not count, nor does a machine's clock that is set back.
    """
    other = FakeInventoryProvider(ProviderName.SKINSBACK)
    services.with_providers(services.provider, other)
    await services.look_up(refresh=True)
    await services.look_up(refresh=True, game=Game.RUST)
    await services.look_up(refresh=True, url=URL.replace(f"partner={OWNER.account_id}", "partner=1"))
    services.clock.advance(minutes=1, seconds=59)
    services.provider.items = (item("too new", "1"),)
    assert names(await services.look_up(refresh=True, search="ak")) == ["AK-47"]
    both = await services.look_up(refresh=True, provider="all")
    assert [len(part.inventory.items) for part in both.answers if part.inventory] == [3, 3]
    assert [query.refresh for query in other.asked] == [True]
    services.service.evict(OWNER)
    assert names(await services.look_up(refresh=True)) == ["too new"]
    assert [query.refresh for query in services.provider.asked] == [True] * 3 + [False]
    services.clock.step(hours=-1)
    services.clock.advance(seconds=1)
    services.provider.failure = ProviderError(FAILURE)
    await services.look_up(refresh=True)
    services.provider.failure = None
    await services.look_up(refresh=True)

    assert [query.refresh for query in services.provider.asked[4:]] == [True] * 2


async def test_refresh_overtakes_a_slow_lookup(services: Services):
    """A refresh does not wait for an older lookup, whose late result is not cached."""
    services.provider.gate.clear()
    slow_gate = services.provider.gate
    old = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 1)
    services.provider.gate = asyncio.Event()
    services.provider.gate.set()
    services.provider.items = (item("new", "1"),)

    assert names(await services.look_up(refresh=True)) == ["new"]
    slow_gate.set()
    assert len(names(await old)) == 3
    assert names(await services.look_up()) == ["new"]
    assert [query.refresh for query in services.provider.asked] == [False, True]


@pytest.mark.parametrize(
    ("older", "refreshed"),
    [({}, {"search": "ak"}), ({"search": "ak"}, {}), ({"url": f"{URL[:-8]}ZzZzZzZz"}, {})],
    ids=["of everything", "of a search", "with another token"],
)
async def test_refresh_outdates_other_lookups(services: Services, older: dict[str, Any], refreshed: dict[str, Any]):
    """Lookups of the account that began before a refresh are neither cached nor joined once it succeeded."""
    services.provider.gate.clear()
    slow_gate = services.provider.gate
    old = asyncio.create_task(services.look_up(**older))
    await until(lambda: len(services.provider.asked) == 1)
    services.provider.gate = asyncio.Event()
    services.provider.gate.set()
    services.provider.items = (item("AK-74", "1"),)
    await services.look_up(refresh=True, **refreshed)

    assert names(await services.look_up(**older)) == ["AK-74"]
    slow_gate.set()
    assert names(await old)[0] == "AK-47"
    assert names(await services.look_up(**older)) == ["AK-74"]
    assert names(await services.look_up(search="ak")) == ["AK-74"]


async def test_failed_refresh_outdates_nothing(services: Services):
    """Lookups in flight are cached, and cached inventories stay."""
    services.provider.gate.clear()
    slow_gate = services.provider.gate
    old = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 1)
    services.provider.gate, services.provider.failure = asyncio.Event(), ProviderError(FAILURE)
    services.provider.gate.set()
    assert (await services.look_up(refresh=True, search="ak")).answers[0].failure == FAILURE

    services.provider.failure = None
    slow_gate.set()
    await old
    assert len(names(await services.look_up())) == 3
    assert len(services.provider.asked) == 2


async def test_lookup_during_a_refresh(services: Services):
    """A different lookup that began during a refresh may have read older data: it is not cached."""
    services.provider.gate.clear()
    refresh = asyncio.create_task(services.look_up(refresh=True, search="ak"))
    await until(lambda: len(services.provider.asked) == 1)
    refresh_gate, services.provider.gate = services.provider.gate, asyncio.Event()
    lookup = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 2)
    refresh_gate.set()
    await refresh
    services.provider.gate.set()
    await lookup
    services.provider.items = (item("AK-74", "1"),)

    assert names(await services.look_up()) == ["AK-74"]


# Cache


async def test_cached_for_15_minutes(services: Services):
    """The cache is per account: for every caller and every spelling of the trade URL."""
    await services.link(CUSTOMER, OWNER)
    await services.look_up()
    services.clock.advance(minutes=14, seconds=59)
    await services.look_up(CUSTOMER, f"<{URL}&l=english>")
    assert len(services.provider.asked) == 1

    services.clock.advance(seconds=1)
    await services.look_up()
    assert len(services.provider.asked) == 2


async def test_whole_inventory_answers_every_search(services: Services):
    """A cached whole inventory answers searches and sort orders; a cached search answers only itself."""
    assert names(await services.look_up(search="ak")) == ["AK-47"]
    assert names(await services.look_up(search="ak")) == ["AK-47"]
    assert len(services.provider.asked) == 1
    await services.look_up()
    assert len(services.provider.asked) == 2

    assert names(await services.look_up(search="m4", sort=Sort.PRICE_DESC)) == ["M4A4"]
    assert names(await services.look_up(min_price=Decimal(6), sort=Sort.PRICE_DESC)) == ["AWP", "AK-47"]
    assert len(services.provider.asked) == 2


async def test_search_of_its_own(services: Services):
    """If a provider's own search finds nothing, all items are searched: once, and if it sends all of them."""
    services.provider.total, services.provider.finds = 5000, False
    assert names(await services.look_up(search="47 ak")) == []
    services.clock.advance(minutes=15)
    services.provider.total = None
    assert names(await services.look_up(search="47 ak")) == ["AK-47"]
    assert names(await services.look_up(search="m4")) == ["M4A4"]
    assert [query.filter.search for query in services.provider.asked[2:]] == ["47 ak", None]


async def test_partial_inventory(services: Services):
    """If the provider sent only a part, a search calls the provider."""
    services.provider.total = 5000
    await services.look_up()
    await services.look_up()
    assert len(services.provider.asked) == 1

    await services.look_up(search="karambit")
    assert len(services.provider.asked) == 2


async def test_refresh_evicts_older_results(services: Services):
    """All cached results of that account and game go; others stay."""
    await services.look_up(search="ak")
    await services.look_up(game=Game.RUST)
    services.provider.items = (item("AK-74", "1"),)
    await services.look_up(refresh=True, sort=Sort.NAME_ASC)

    assert names(await services.look_up(search="ak")) == ["AK-74"]
    asked = len(services.provider.asked)
    await services.look_up(game=Game.RUST)
    assert len(services.provider.asked) == asked


async def test_bounded_cache(services: Services):
    """At most a hundred thousand items are cached, of one account a quarter; expired ones go."""
    theirs = URL.replace(f"partner={OWNER.account_id}", "partner=9")
    services.provider.items = ()
    await services.look_up(url=theirs)
    for number in range(1100):
        await services.look_up(min_price=Decimal(number))
    asked = len(services.provider.asked)
    await services.look_up(url=theirs)
    assert len(services.provider.asked) == asked, "another account's share is its own"

    services.provider.items = tuple(item(f"{number}") for number in range(30_000))
    for account in range(1, 6):
        await services.look_up(url=URL.replace(f"partner={OWNER.account_id}", f"partner={account}"))
    assert sum(len(kept.items) for kept in services.service._cache.values()) <= 100_000
    asked = len(services.provider.asked)
    await services.look_up(url=URL.replace(f"partner={OWNER.account_id}", "partner=5"))
    assert len(services.provider.asked) == asked, "the newest is cached"
    services.clock.advance(minutes=15)
    await services.look_up()
    assert len(services.service._cache) == 1


# Deadlines and failures


async def test_hanging_provider(services: Services):
    """A provider that hangs fails at the deadline; the others' answers are there."""
    quick = FakeInventoryProvider(ProviderName.SKINSBACK)
    services.with_providers(services.provider, quick)
    services.provider.gate.clear()
    looking = asyncio.create_task(services.look_up(provider="all"))
    await until(lambda: services.provider.asked and quick.asked)
    await pass_time_later(60.0)
    hanging, answered = (await looking).answers

    assert hanging.failure == Failure(ProviderName.ASSETPAY, FailureKind.TIMED_OUT)
    assert answered.inventory is not None


async def test_bug_in_one_of_several_providers(services: Services):
    """An unexpected error is raised, not hidden behind the others' answers."""
    broken = FakeInventoryProvider(ProviderName.SKINSBACK)
    broken.failure = RuntimeError("a bug")
    services.with_providers(services.provider, broken)

    with pytest.raises(RuntimeError):
        await services.look_up(provider="all")
