"""Inventories are looked up for those who may, once for equal questions, within a deadline, from a bounded memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import AccessDenied, GameNotOffered, InvalidInput, NotLinked, ProviderError, ProviderOff, TooSoon
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Sort
from bot.domain.links import Link, LinkSource
from bot.domain.snapshots import InventoryAnswer
from bot.domain.steam import Game, SteamId
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.inventory import InventoryRequest, InventoryService
from tests.contracts.engines import ENGINES, Repositories
from tests.domain.builders import NOW, OWNER, item
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock
from tests.fakes.inventory_provider import FakeInventoryProvider

GUILD, SUPPORT = 100, 7
CUSTOMER = Actor(GUILD, 1, frozenset({GUILD}))
AGENT = Actor(GUILD, 2, frozenset({GUILD, SUPPORT}))
URL = f"https://steamcommunity.com/tradeoffer/new/?partner={OWNER.account_id}&token=AbCdEfGh"
FAILURE = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=31, key="STEAM_UNAVAILABLE")


class Services:
    """The service over real storage, with one provider or several."""

    def __init__(self, repositories: Repositories) -> None:
        self.clock = FakeClock(NOW)
        self.links, self.grants, self.rows = repositories.links, repositories.grants, repositories.audit
        self._audit = AuditService(
            rows=self.rows, settings=repositories.settings, channel=FakeAuditChannel(), clock=self.clock
        )
        self.access = AccessService(
            grants=self.grants, links=self.links, rows=self.rows, audit=self._audit, clock=self.clock
        )
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
            links=self.links,
            audit=self._audit,
            clock=self.clock,
            deadline=deadline,
        )
        return self.service

    async def look_up(self, by: Actor = AGENT, url: str = URL, **options: Any) -> InventoryAnswer:
        return await self.service.look_up(InventoryRequest(url, **options), by=await self.access.viewer(by))

    def waiting(self) -> int:
        """Count the lookups that wait for the call in flight: each adds a callback to the task's own one."""
        (call,) = self.service._flights._running or (None,)
        return len(getattr(call, "_callbacks", None) or ()) - 1

    async def link(self, user_id: int, steam_id: SteamId) -> None:
        await self.links.put(Link(GUILD, user_id, steam_id, LinkSource.STAFF, AGENT.user_id, NOW))


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        opened = Services(repositories)
        await opened.grants.grant(Grant(GUILD, SUPPORT, Capability.INVENTORY_ANY), by=0, at=NOW)
        yield opened
        await opened.service.close()


def names(answer: InventoryAnswer) -> list[str]:
    (part,) = answer.answers
    assert part.inventory is not None
    return [each.name for each in part.inventory.items]


# Who may


async def test_own_account(services: Services):
    """The linked account, and only that one, is everybody's own, whatever the token in the trade URL."""
    await services.link(CUSTOMER.user_id, OWNER)

    assert names(await services.look_up(CUSTOMER)) == ["AK-47", "AWP", "M4A4"]
    assert names(await services.look_up(CUSTOMER, URL.replace("AbCdEfGh", "ZyXwVuTs"))) == ["AK-47", "AWP", "M4A4"]
    with pytest.raises(AccessDenied) as denied:
        await services.look_up(CUSTOMER, URL.replace(f"partner={OWNER.account_id}", "partner=1"))
    assert denied.value.capability is Capability.INVENTORY_ANY


async def test_refused_without_a_call(services: Services):
    """No link, no right, a role of another guild: each is refused before anybody is asked."""
    with pytest.raises(NotLinked):
        await services.look_up(CUSTOMER)
    await services.grants.revoke(Grant(GUILD, GUILD, Capability.INVENTORY_OWN), by=0, at=NOW)
    for nobody in (CUSTOMER, Actor(GUILD, 9, frozenset(), administers=True), Actor(GUILD, 9, frozenset({200}))):
        with pytest.raises(AccessDenied) as denied:
            await services.look_up(nobody)
        assert denied.value.capability is Capability.INVENTORY_OWN
    with pytest.raises(NotLinked):
        await services.look_up(Actor(200, AGENT.user_id, frozenset({200, SUPPORT})))
    assert services.provider.asked == []


async def test_whose_it_is(services: Services):
    """The answer names the member to whom the account is linked, if there is one."""
    assert (await services.look_up()).linked_user_id is None
    await services.link(CUSTOMER.user_id, OWNER)
    assert (await services.look_up()).linked_user_id == CUSTOMER.user_id


# What is asked


async def test_which_provider(services: Services):
    """The one that was named, else the default; what is off, unknown or without the game is said without a call."""
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
        ({"max_price": Decimal("Infinity")}, "max_price: not_a_price"),
        ({"min_price": Decimal("-0.01")}, "min_price: not_a_price"),
        ({"min_price": Decimal(2), "max_price": Decimal(1)}, "min_price: above_max_price"),
        ({"search": "x" * 101}, "search: too_long"),
    ],
)
async def test_options_that_cannot_be(services: Services, options: dict[str, Any], problem: str):
    """Prices that are none or contradict each other, and too long a search, are named without a call."""
    with pytest.raises(InvalidInput, match=problem):
        await services.look_up(**options)
    assert services.provider.asked == []


async def test_options_at_their_ends(services: Services):
    """The longest search and equal prices are fine; a blank search is none."""
    exactly: dict[str, Any] = {"min_price": Decimal(10), "max_price": Decimal(10)}
    assert names(await services.look_up(**exactly)) == ["AK-47"]
    assert names(await services.look_up(search="x" * 100)) == []
    assert len(names(await services.look_up(search="   "))) == 3
    assert services.provider.asked[-1].filter.search is None


# One call for equal questions


async def test_many_equal_lookups(services: Services):
    """Two hundred equal lookups under way are one call."""
    services.provider.gate.clear()
    waiting = [asyncio.create_task(services.look_up(sort=Sort.PRICE_ASC)) for _ in range(200)]
    await until(lambda: services.waiting() == 200)
    services.provider.gate.set()

    answers = await asyncio.gather(*waiting)
    assert len(services.provider.asked) == 1
    assert {tuple(names(answer)) for answer in answers} == {("M4A4", "AK-47", "AWP")}


async def test_the_first_goes_away(services: Services):
    """Whoever asked first may be cancelled: the others have their answer all the same, and it is kept."""
    services.provider.gate.clear()
    first, second = (asyncio.create_task(services.look_up()) for _ in range(2))
    await until(lambda: services.waiting() == 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    services.provider.gate.set()

    assert len(names(await second)) == 3
    assert len(names(await services.look_up())) == 3
    assert len(services.provider.asked) == 1


async def test_everybody_goes_away(services: Services):
    """A call that nobody waits for any more ends quietly, whatever comes of it."""
    services.provider.gate.clear()
    alone = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 1)
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    services.provider.failure = ProviderError(FAILURE)
    services.provider.gate.set()
    await until(lambda: not services.service._flights._running)


async def test_a_failure_is_shared_but_not_kept(services: Services):
    """Equal lookups under way fail together; the next one asks again."""
    services.provider.gate.clear()
    services.provider.failure = ProviderError(FAILURE)
    waiting = [asyncio.create_task(services.look_up()) for _ in range(5)]
    await until(lambda: services.waiting() == 5)
    services.provider.gate.set()

    for answer in await asyncio.gather(*waiting):
        assert answer.answers[0].failure == FAILURE
    assert len(services.provider.asked) == 1
    services.provider.failure = None
    assert len(names(await services.look_up())) == 3


async def test_what_is_not_equal(services: Services):
    """Another game, account, token, search or order is another question while it is under way."""
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


async def test_a_refresh_under_way(services: Services):
    """Whoever asks the same while it is refreshed gets the new answer; another refresh is told to wait."""
    services.provider.gate.clear()
    refresh = asyncio.create_task(services.look_up(refresh=True))
    await until(lambda: len(services.provider.asked) == 1)
    run_in_worker = [asyncio.create_task(services.look_up(refresh=twice)) for twice in (False, True)]
    await until(lambda: services.waiting() == 3)
    with pytest.raises(TooSoon) as too_soon:
        await services.look_up(refresh=True, search="ak")
    services.provider.gate.set()

    await asyncio.gather(refresh, *run_in_worker)
    assert [query.refresh for query in services.provider.asked] == [True]
    assert too_soon.value.until == NOW + timedelta(minutes=2)


async def test_refreshing_again(services: Services):
    """A game of an account is refreshed once in two minutes at a provider; a refresh that failed does not count."""
    await services.look_up(refresh=True)
    await services.look_up(refresh=True, game=Game.RUST)
    services.clock.advance(minutes=1, seconds=59)
    with pytest.raises(TooSoon):
        await services.look_up(refresh=True, search="ak")
    with pytest.raises(TooSoon):
        await services.look_up(refresh=True, provider="all")
    services.clock.advance(seconds=1)
    services.provider.failure = ProviderError(FAILURE)
    await services.look_up(refresh=True)
    services.provider.failure = None
    await services.look_up(refresh=True)

    assert [query.refresh for query in services.provider.asked] == [True] * 4


async def test_a_refresh_overtakes(services: Services):
    """A refresh does not wait for an older lookup, whose late answer does not take the place of the newer one."""
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
async def test_a_refresh_overtakes_other_questions(
    services: Services, older: dict[str, Any], refreshed: dict[str, Any]
):
    """What began before a refresh, of whatever items, is not kept once it comes, and nobody joins it any more."""
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


async def test_a_refresh_that_fails_overtakes_nothing(services: Services):
    """What was under way before a refresh that fails is kept: nothing newer is known."""
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


async def test_asked_during_a_refresh(services: Services):
    """Another question that is asked during a refresh may be answered from before it: that is not kept either."""
    services.provider.gate.clear()
    refresh = asyncio.create_task(services.look_up(refresh=True, search="ak"))
    await until(lambda: len(services.provider.asked) == 1)
    refresh_gate, services.provider.gate = services.provider.gate, asyncio.Event()
    run_in_worker = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 2)
    refresh_gate.set()
    await refresh
    services.provider.gate.set()
    await run_in_worker
    services.provider.items = (item("AK-74", "1"),)

    assert names(await services.look_up()) == ["AK-74"]


# Memory


async def test_kept(services: Services):
    """An inventory is kept 15 minutes for the account, whoever asks and however the trade URL is written."""
    await services.link(CUSTOMER.user_id, OWNER)
    await services.look_up()
    services.clock.advance(minutes=14, seconds=59)
    await services.look_up(CUSTOMER, f"<{URL}&l=english>")
    assert len(services.provider.asked) == 1

    services.clock.advance(seconds=1)
    await services.look_up()
    assert len(services.provider.asked) == 2


async def test_a_whole_inventory_answers_every_search(services: Services):
    """Once the whole inventory is kept, searches and orders are answered from it; a kept search answers only itself."""
    assert names(await services.look_up(search="ak")) == ["AK-47"]
    assert names(await services.look_up(search="ak")) == ["AK-47"]
    assert len(services.provider.asked) == 1
    await services.look_up()
    assert len(services.provider.asked) == 2

    assert names(await services.look_up(search="m4", sort=Sort.PRICE_DESC)) == ["M4A4"]
    assert names(await services.look_up(min_price=Decimal(6), sort=Sort.PRICE_DESC)) == ["AWP", "AK-47"]
    assert len(services.provider.asked) == 2


async def test_part_of_an_inventory(services: Services):
    """Where a provider sent only part of an inventory, a search in it is a question for the provider."""
    services.provider.total = 5000
    await services.look_up()
    await services.look_up()
    assert len(services.provider.asked) == 1

    await services.look_up(search="karambit")
    assert len(services.provider.asked) == 2


async def test_a_refresh_forgets_what_was_kept(services: Services):
    """After a refresh no older answer of that account and game is given, for no search; others stay."""
    await services.look_up(search="ak")
    await services.look_up(game=Game.RUST)
    services.provider.items = (item("AK-74", "1"),)
    await services.look_up(refresh=True, sort=Sort.NAME_ASC)

    assert names(await services.look_up(search="ak")) == ["AK-74"]
    asked = len(services.provider.asked)
    await services.look_up(game=Game.RUST)
    assert len(services.provider.asked) == asked


async def test_a_failed_refresh_leaves_what_was_kept(services: Services):
    """A refresh that fails says so; the next lookup still has the older answer."""
    await services.look_up()
    services.provider.failure = ProviderError(FAILURE)
    assert (await services.look_up(refresh=True)).answers[0].failure == FAILURE
    assert len(names(await services.look_up())) == 3


async def test_bounded_memory(services: Services):
    """However much is asked, not more than a thousand answers and a hundred thousand items are kept."""
    services.provider.items = ()
    for number in range(1100):
        await services.look_up(search=f"nothing {number}")
    assert len(services.service._cache) <= 1000

    services.provider.items = tuple(item(f"{number}") for number in range(30_000))
    for account in range(1, 6):
        await services.look_up(url=URL.replace(f"partner={OWNER.account_id}", f"partner={account}"))
    assert sum(len(kept.items) for kept in services.service._cache.values()) <= 100_000
    asked = len(services.provider.asked)
    await services.look_up(url=URL.replace(f"partner={OWNER.account_id}", "partner=5"))
    assert len(services.provider.asked) == asked, "the newest is kept"


async def test_what_has_expired_is_let_go(services: Services):
    """Memory does not hold what nobody may be answered with any more."""
    for number in range(10):
        await services.look_up(search=f"nothing {number}")
    services.clock.advance(minutes=15)
    await services.look_up()
    assert len(services.service._cache) == 1


# Deadlines and failures


async def test_hanging_provider(services: Services):
    """A provider that never answers is a failure of its own at the deadline, beside the others' answers."""
    quick = FakeInventoryProvider(ProviderName.SKINSBACK)
    services.with_providers(services.provider, quick, deadline=timedelta(seconds=0.5))
    services.provider.gate.clear()
    hanging, answered = (await services.look_up(provider="all")).answers

    assert hanging.failure == Failure(ProviderName.ASSETPAY, FailureKind.TIMED_OUT)
    assert answered.inventory is not None


async def test_a_fault_of_ours_in_one_of_several(services: Services):
    """What is no failure of a provider is not hidden behind the others' answers."""
    broken = FakeInventoryProvider(ProviderName.SKINSBACK)
    broken.failure = RuntimeError("a bug")
    services.with_providers(services.provider, broken)

    with pytest.raises(RuntimeError):
        await services.look_up(provider="all")


async def test_closing(services: Services):
    """Closing gives up what is under way, and leaves nothing running."""
    services.provider.gate.clear()
    waiting = asyncio.create_task(services.look_up())
    await until(lambda: len(services.provider.asked) == 1)
    await services.service.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until(lambda: not services.service._flights._running)


async def until(condition) -> None:
    """Wait until something is so; a test that hangs here fails by its promise."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- the service tells nobody
            await asyncio.sleep(0)
