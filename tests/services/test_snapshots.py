"""A snapshot is shown to its reader only, as long as they may see it, before and after a restart."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.errors import AccessDenied, NotYourPage, PageExpired, QueryExpired
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter, MerchantPrice, Sort
from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, InventoryAnswer, ProviderAnswer, Snapshot, TradesAnswer, TradesView
from bot.domain.steam import Game, SteamId
from bot.domain.trade_url import parse_trade_url
from bot.domain.trades import Scope
from bot.services.inventory import InventoryRequest
from bot.services.snapshots import SnapshotService
from bot.services.trades import TradeService, TradesRequest
from tests.contracts.engines import ENGINES, Repositories
from tests.domain import builders
from tests.domain.builders import NOW, OWNER, inventory, item, rub, trade, usd
from tests.fakes.trade_sources import FakeTradeSource, hints
from tests.services.members import AGENT, GUILD, SUPPORT, Members

CUSTOMERS = 8
CUSTOMER = Actor(GUILD, 1, frozenset({GUILD, CUSTOMERS}))
OTHER_ACCOUNT = SteamId.from_account_id(77)
INVENTORY = InventoryAnswer(
    OWNER, Game.CS2, InventoryFilter(), (ProviderAnswer(ProviderName.ASSETPAY, inventory(item("AK-47"))),)
)
VIEW = InventoryFilter("ak", Sort.NAME_ASC)
REQUEST = InventoryRequest(f"https://steamcommunity.com/tradeoffer/new/?partner={OWNER.account_id}&token=AbCdEfGh")


def trades_answer(*, of: SteamId | None = OWNER, viewer: SteamId | None = OWNER) -> TradesAnswer:
    shown = trade() if viewer == OWNER else trade(code=None)
    return builders.trades_answer(shown, of=of, viewer=viewer)


class Services(Members):
    """The service over real storage. The customer is linked; Support may see every account."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(repositories)
        self.snapshots = self.restarted()

    def restarted(self) -> SnapshotService:
        """Return the service of a new process."""
        self.source = FakeTradeSource(ProviderName.MANNCO, trade())
        trades = TradeService(
            sources=(self.source,),
            resending=None,
            access=self.access,
            links=self.repositories.links,
            audit=self.audit,
            hints=hints(),
            clock=self.clock,
        )
        self.snapshots = self.snapshots_of(trades)
        return self.snapshots

    async def open_unsaved(self, answer: InventoryAnswer | TradesAnswer, *, by: Actor, **how: Any) -> Snapshot:
        return await self.snapshots.open(answer, by=await self.access.viewer(by), **how)

    async def open(self, answer: InventoryAnswer | TradesAnswer, *, by: Actor, **how: Any) -> Snapshot:
        """Open an answer, and wait until a new process would find it."""
        snapshot = await self.open_unsaved(answer, by=by, **how)
        await self.snapshots.saved()
        return snapshot

    async def saved_view(self, snapshot: Snapshot) -> InventoryFilter | TradesView | None:
        saved = await self.repositories.snapshots.load(GUILD, snapshot.id, at=NOW)
        assert saved is not None
        return saved.view

    async def unlink(self, actor: Actor) -> None:
        await self.repositories.links.remove(GUILD, actor.user_id, by=0, at=NOW)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.snapshots.SAVED_WITHIN", timedelta(milliseconds=1))


@pytest.fixture
async def services(repositories: Repositories) -> Services:
    opened = Services(repositories)
    await opened.grant(Capability.INVENTORY_ANY, Capability.TRADES_ANY)
    await opened.link(CUSTOMER, OWNER)
    return opened


async def refused(services: Services, snapshot: Snapshot, by: Actor) -> Capability:
    with pytest.raises(AccessDenied) as denied:
        await services.snapshots.load(snapshot.id, by=by)
    return denied.value.capability


# The merchant's prices


@pytest.mark.parametrize("by", [CUSTOMER, AGENT])
async def test_merchant_prices(services: Services, by: Actor):
    """Only holders of ``inventory.any`` get them: on opening, on loading, without the right, and after a restart."""
    theirs = replace(inventory(item("A", id="1")), provider=ProviderName.SKINSBACK)
    with_prices = replace(theirs, merchant_prices={"1": MerchantPrice(usd("0.07"), rub("6.49"))})
    found = InventoryAnswer(OWNER, Game.CS2, InventoryFilter(), (ProviderAnswer(theirs.provider, with_prices),))
    without = replace(found, answers=(ProviderAnswer(theirs.provider, theirs),))
    snapshot = await services.open(found, by=by)

    for service in (services.snapshots, services.restarted()):
        for shown in (snapshot, await service.load(snapshot.id, by=by)):
            assert shown.answer == (found if by is AGENT else without)
    await services.unlink(CUSTOMER)
    await services.link(by, OWNER)
    await services.revoke(Capability.INVENTORY_ANY, role=SUPPORT)
    for service in (services.snapshots, services.restarted()):
        assert (await service.load(snapshot.id, by=by)).answer == without


# Loading


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_loaded_by_its_reader(services: Services, answer: InventoryAnswer | TradesAnswer):
    """Trade codes do not survive a restart; everything else does."""
    snapshot = await services.open(answer, by=CUSTOMER)
    assert snapshot.audience is Audience.CUSTOMER
    assert await services.snapshots.load(snapshot.id, by=CUSTOMER) == snapshot

    after_restart = await services.restarted().load(snapshot.id, by=CUSTOMER)
    kept = builders.without_codes(answer) if isinstance(answer, TradesAnswer) else answer
    assert after_restart == replace(snapshot, answer=kept)


async def test_another_user_or_guild(services: Services):
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    for service in (services.snapshots, services.restarted()):
        with pytest.raises(NotYourPage):
            await service.load(snapshot.id, by=AGENT)
        with pytest.raises(PageExpired):
            await service.load(snapshot.id, by=replace(CUSTOMER, guild_id=200, role_ids=frozenset({200})))


async def test_expired_after_24_hours(services: Services):
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    services.clock.advance(hours=23, minutes=59)
    assert (await services.snapshots.load(snapshot.id, by=CUSTOMER)).id == snapshot.id
    services.clock.advance(minutes=1)
    for service in (services.snapshots, services.restarted()):
        with pytest.raises(PageExpired):
            await service.load(snapshot.id, by=CUSTOMER)
    await services.snapshots.purge()
    assert await services.repositories.snapshots.load(GUILD, snapshot.id, at=NOW) is None


async def test_a_list_of_all_trades_is_no_ones_own(services: Services):
    snapshot = await services.open(trades_answer(of=None), by=AGENT)
    await services.revoke(Capability.TRADES_ANY, role=SUPPORT)
    assert await refused(services, snapshot, AGENT) is Capability.TRADES_ANY
    await services.link(AGENT, OTHER_ACCOUNT)
    assert await refused(services, snapshot, AGENT) is Capability.TRADES_ANY


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_unlinked(services: Services, answer: InventoryAnswer | TradesAnswer):
    snapshot = await services.open(answer, by=CUSTOMER)
    any_account = Capability.INVENTORY_ANY if isinstance(answer, InventoryAnswer) else Capability.TRADES_ANY
    await services.unlink(CUSTOMER)
    assert await refused(services, snapshot, CUSTOMER) is any_account
    await services.link(CUSTOMER, OTHER_ACCOUNT)
    assert await refused(services, snapshot, CUSTOMER) is any_account


async def test_codes_of_an_agent_whose_link_changes(services: Services):
    """An open page shows codes only while Steam, or for 72 hours another person, says that the account is theirs."""

    def linked(source: LinkSource, by: int) -> Link:
        return Link(GUILD, AGENT.user_id, OWNER, source, by, NOW)

    async def code() -> tuple[TradeCode | None, datetime | None]:
        answer = (await services.snapshots.load(snapshot.id, by=AGENT)).answer
        assert isinstance(answer, TradesAnswer)
        return answer.trades[0].code, answer.codes_from

    shown, waiting = TradeCode("ABCDEFGH"), NOW + RELINK_COOL_DOWN
    await services.unlink(CUSTOMER)
    await services.repositories.links.put(linked(LinkSource.SIGN_IN, AGENT.user_id))
    snapshot = await services.open(trades_answer(of=None), by=AGENT)
    assert await code() == (shown, None)

    await services.repositories.links.put(linked(LinkSource.STAFF, CUSTOMER.user_id))
    assert await code() == (None, waiting)
    await services.repositories.links.put(linked(LinkSource.STAFF, AGENT.user_id))
    assert await code() == (None, None)
    await services.unlink(AGENT)
    await services.link(CUSTOMER, OWNER)
    assert await code() == (None, None)


async def test_codes_wait_after_a_change(services: Services):
    """An account that changed hands shows no code for 72 hours, not in an older page either."""
    await services.unlink(CUSTOMER)
    await services.link(AGENT, OWNER)
    early = await services.open(trades_answer(), by=AGENT)
    services.clock.advance(hours=72, seconds=-1)
    late = await services.open(trades_answer(), by=AGENT)
    services.clock.advance(seconds=1)

    for snapshot in (early, late):
        assert isinstance(snapshot.answer, TradesAnswer)
        assert (snapshot.answer.trades[0].code, snapshot.answer.codes_from) == (None, NOW + RELINK_COOL_DOWN)
    over = (await services.open(trades_answer(), by=AGENT)).answer
    assert isinstance(over, TradesAnswer)
    assert (over.trades[0].code, over.codes_from) == (TradeCode("ABCDEFGH"), None)
    assert "ABCDEFGH" not in repr((await services.snapshots.load(late.id, by=AGENT)).answer)


async def test_changed_during_the_lookup(services: Services):
    """Rights and links count as they are when the answer is there."""
    asked = await services.access.viewer(CUSTOMER)
    await services.revoke(Capability.TRADES_OWN)
    with pytest.raises(AccessDenied):
        await services.snapshots.open(trades_answer(), by=asked)


async def test_audience_of_the_click(services: Services):
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    await services.grant(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await services.snapshots.load(snapshot.id, by=CUSTOMER)).audience is Audience.STAFF
    await services.revoke(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await services.snapshots.load(snapshot.id, by=CUSTOMER)).audience is Audience.CUSTOMER


async def test_bounded_memory_and_random_ids(services: Services):
    """A hundred snapshots are in memory, older ones in the repository; ids of 72 random bits fit a button."""
    first = await services.open(trades_answer(), by=CUSTOMER)
    ids = {(await services.open(INVENTORY, by=replace(AGENT, user_id=1000 + number))).id for number in range(120)}

    assert len(services.snapshots._recent) == 100
    assert (await services.snapshots.load(first.id, by=CUSTOMER)).answer == builders.without_codes(trades_answer())
    assert len(services.snapshots._recent) == 100
    assert len(ids) == 120
    assert {len(each) for each in ids} == {12}


# Views


async def test_view(services: Services):
    """A view survives a restart; the default view is none."""
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    assert snapshot.view is None
    assert await services.snapshots.apply_view(snapshot.id, lambda _: VIEW, by=CUSTOMER) == replace(snapshot, view=VIEW)
    for service in (services.snapshots, services.restarted()):
        assert await service.load(snapshot.id, by=CUSTOMER) == replace(snapshot, view=VIEW)
    assert await services.snapshots.apply_view(snapshot.id, lambda _: InventoryFilter(), by=CUSTOMER) == snapshot
    assert await services.restarted().load(snapshot.id, by=CUSTOMER) == snapshot

    sorted_by_price = replace(INVENTORY, filter=InventoryFilter("ak", Sort.PRICE_DESC))
    snapshot = await services.open(sorted_by_price, by=CUSTOMER)
    assert snapshot.current_view == InventoryFilter(sort=Sort.PRICE_DESC)
    assert (await services.snapshots.apply_view(snapshot.id, lambda view: view, by=CUSTOMER)).view is None


async def test_two_processes(tmp_path: Path):
    """On PostgreSQL a page is as its reader left it in another process, and gone once they erased their data there."""
    async with ENGINES["postgres"](tmp_path) as repositories:
        services = Services(repositories)
        await services.link(CUSTOMER, OWNER)
        here = services.snapshots
        snapshot = await services.open(INVENTORY, by=CUSTOMER, request=REQUEST)
        there = services.restarted()
        await there.apply_view(snapshot.id, lambda _: VIEW, by=CUSTOMER)
        assert (await here.load(snapshot.id, by=CUSTOMER)).view == VIEW

        await repositories.my_data.erase(GUILD, CUSTOMER.user_id, at=NOW)
        await services.link(CUSTOMER, OWNER)
        with pytest.raises(PageExpired):
            await here.load(snapshot.id, by=CUSTOMER)
        await here.purge()
        assert not here._queries, "a request holds a trade token"


async def test_view_by_another_user_or_after_a_revocation(services: Services):
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    with pytest.raises(NotYourPage):
        await services.snapshots.apply_view(snapshot.id, lambda _: VIEW, by=AGENT)
    await services.revoke(Capability.INVENTORY_OWN)
    with pytest.raises(AccessDenied):
        await services.snapshots.apply_view(snapshot.id, lambda _: VIEW, by=CUSTOMER)

    assert await services.saved_view(snapshot) is None


async def test_view_applied_while_the_snapshot_is_loaded(services: Services):
    """A concurrent click does not undo the view, whether the snapshot is in memory or not."""
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    for service in (services.snapshots, services.restarted()):
        await asyncio.gather(
            service.load(snapshot.id, by=CUSTOMER),
            service.apply_view(snapshot.id, lambda _: VIEW, by=CUSTOMER),
            service.load(snapshot.id, by=CUSTOMER),
        )
        assert (await service.load(snapshot.id, by=CUSTOMER)).view == VIEW
        await service.apply_view(snapshot.id, lambda _: InventoryFilter(), by=CUSTOMER)


async def test_trade_url_in_a_search(services: Services):
    """The token of a trade URL in the search text is neither shown nor stored, in a command or a form."""
    looked_up = await services.snapshots.look_up(replace(REQUEST, search=REQUEST.trade_url), by=CUSTOMER)
    opened, typed = await services.open(INVENTORY, by=CUSTOMER), InventoryFilter.of(search=REQUEST.trade_url)
    viewed = await services.snapshots.apply_view(opened.id, lambda _: typed, by=CUSTOMER)

    for snapshot in (looked_up, viewed):
        assert "AbCdEfGh" not in repr(snapshot)
        assert f"partner={OWNER.account_id}" in repr(snapshot)
    assert await services.restarted().load(viewed.id, by=CUSTOMER) == viewed


# Refreshes


async def test_refresh(services: Services):
    """The new snapshot has an id of its own and the old one's view. Too soon after it, the next one has its items."""
    old = await services.snapshots.look_up(REQUEST, by=CUSTOMER)
    await services.snapshots.apply_view(old.id, lambda _: VIEW, by=CUSTOMER)
    fresh = await services.snapshots.refresh(old.id, by=CUSTOMER)
    assert fresh.id != old.id
    assert fresh.view == VIEW

    again = await services.snapshots.refresh(old.id, by=CUSTOMER)
    assert (again.answer, again.view) == (fresh.answer, VIEW)
    assert (await services.snapshots.load(old.id, by=CUSTOMER)).answer == old.answer


async def test_two_thousand_pages_of_one_reader(services: Services):
    """They leave another reader's page as it was: in memory, after a restart, and to be refreshed."""
    mine = await services.snapshots.look_up(REQUEST, by=AGENT)
    large = ProviderAnswer(ProviderName.ASSETPAY, inventory(*(item(str(number)) for number in range(4_000))))
    for number in range(2_100):
        await services.snapshots.look_up(replace(REQUEST, min_price=Decimal(number)), by=CUSTOMER)
    for _ in range(20):
        await services.open_unsaved(replace(INVENTORY, answers=(large,)), by=CUSTOMER)
    await services.snapshots.saved()

    assert mine.id in services.snapshots._recent
    assert (await services.snapshots.refresh(mine.id, by=AGENT)).id != mine.id
    assert (await services.restarted().load(mine.id, by=AGENT)).answer == mine.answer


async def test_view_changed_during_a_refresh(services: Services):
    old = await services.open(INVENTORY, by=CUSTOMER, request=REQUEST)
    await services.snapshots.apply_view(old.id, lambda _: VIEW, by=CUSTOMER)
    services.snapshots._recent.clear()

    assert (await services.open(INVENTORY, by=CUSTOMER, request=REQUEST, replaces=old)).view == VIEW


async def test_requests_are_not_stored(services: Services, monkeypatch: pytest.MonkeyPatch):
    """A request holds a trade token: it is in memory only, bounded, and never printed."""
    monkeypatch.setattr("bot.services.snapshots._MAX_QUERIES", 2)
    services.restarted()
    first, second, third = [await services.open(INVENTORY, by=CUSTOMER, request=REQUEST) for _ in range(3)]
    with pytest.raises(QueryExpired):
        await services.snapshots.refresh(first.id, by=CUSTOMER)
    assert (await services.snapshots.refresh(second.id, by=CUSTOMER)).id != second.id
    assert "AbCdEfGh" not in repr(REQUEST)

    services.restarted()
    with pytest.raises(QueryExpired):
        await services.snapshots.refresh(third.id, by=CUSTOMER)


async def test_trades_asked_for_again(services: Services):
    """Trades are asked for again as they were, or with ended ones, and keep their view; a change of rights counts."""
    url = str(REQUEST.trade_url)
    first = await services.snapshots.list_trades(TradesRequest(trade_url=url, own=True), by=CUSTOMER)
    viewed = await services.snapshots.show_trades(first.id, TradesView.FAILED, by=CUSTOMER)
    again = await services.snapshots.refresh(first.id, by=CUSTOMER)
    everything = await services.snapshots.refresh(first.id, by=CUSTOMER, scope=Scope.ALL)
    still = await services.snapshots.refresh(everything.id, by=CUSTOMER)

    assert viewed.view == again.view == still.view == TradesView.FAILED
    assert [each.scope for each in services.source.asked] == [Scope.ACTIVE, Scope.ACTIVE, Scope.ALL, Scope.ALL]
    assert {each.trade_url for each in services.source.asked} == {parse_trade_url(url)}
    assert "AbCdEfGh" not in repr((first, TradesRequest(trade_url=url)))
    assert (await services.snapshots.show_trades(first.id, None, by=CUSTOMER)).view is None
    with pytest.raises(NotYourPage):
        await services.snapshots.refresh(first.id, by=AGENT)
    await services.revoke(Capability.TRADES_OWN)
    with pytest.raises(AccessDenied):
        await services.snapshots.refresh(first.id, by=CUSTOMER)
    assert len(services.source.asked) == 4
