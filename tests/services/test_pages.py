"""What a pager turns is kept for the one who asked, and shown only as long as they may see it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import AccessDenied, NotYourPage, PageExpired, QueryExpired
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.links import Link, LinkSource
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, InventoryAnswer, ProviderAnswer, Snapshot, TradesAnswer
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.inventory import InventoryRequest, InventoryService
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.record import RecordService
from bot.services.snapshots import SnapshotService
from tests.contracts.engines import ENGINES, Repositories
from tests.domain.builders import NOW, OWNER, inventory, item, trade
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock

GUILD, SUPPORT, CUSTOMERS = 100, 7, 8
CUSTOMER = Actor(GUILD, 1, frozenset({GUILD, CUSTOMERS}))
AGENT = Actor(GUILD, 2, frozenset({GUILD, SUPPORT}))
OTHER_ACCOUNT = SteamId.from_account_id(77)
INVENTORY = InventoryAnswer(
    OWNER, Game.CS2, InventoryFilter(), (ProviderAnswer(ProviderName.ASSETPAY, inventory(item("AK-47"))),)
)


def trades_answer(*, of: SteamId | None = OWNER, viewer: SteamId | None = OWNER) -> TradesAnswer:
    shown = trade() if viewer == OWNER else replace(trade(), code=None)
    return TradesAnswer(ProviderName.MANNCO, Scope.ALL, of, viewer, (shown,), NOW)


class Services:
    """The service over real storage: @everyone holds what a new guild is seeded with, Support everybody's."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self.clock = FakeClock(NOW)
        self.snapshots = self.restarted()

    def restarted(self) -> SnapshotService:
        """Return the service as a new process has it."""
        audit = AuditService(settings=self.repositories.settings, channel=FakeAuditChannel())
        access = AccessService(grants=self.repositories.grants, audit=audit, clock=self.clock)
        links = LinkService(links=self.repositories.links, access=access, audit=audit, clock=self.clock)
        self.snapshots = SnapshotService(
            repository=self.repositories.snapshots,
            inventory=InventoryService(
                providers=(),
                default=None,
                access=access,
                links=links,
                link_rows=self.repositories.links,
                record=RecordService(
                    rows=self.repositories.audit, links=self.repositories.links, access=access, clock=self.clock
                ),
                clock=self.clock,
            ),
            access=access,
            links=links,
            clock=self.clock,
        )
        return self.snapshots

    async def open(self, answer: InventoryAnswer | TradesAnswer, **how: Any) -> Snapshot:
        """Open an answer, and wait until a new process would find it."""
        pages = await self.snapshots.open(answer, **how)
        await self.snapshots.saved()
        return pages

    async def grant(self, *capabilities: Capability, role: int = SUPPORT) -> None:
        for capability in capabilities:
            await self.repositories.grants.grant(Grant(GUILD, role, capability), by=0, at=NOW)

    async def revoke(self, capability: Capability, *, role: int = GUILD) -> None:
        await self.repositories.grants.revoke(Grant(GUILD, role, capability), by=0, at=NOW)

    async def link(self, actor: Actor, steam_id: SteamId) -> None:
        link = Link(GUILD, actor.user_id, steam_id, LinkSource.STAFF, 0, NOW)
        await self.repositories.links.put(link)

    async def unlink(self, actor: Actor) -> None:
        await self.repositories.links.remove(GUILD, actor.user_id, by=0, at=NOW)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.snapshots.SAVED_WITHIN", timedelta(milliseconds=1))


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        opened = Services(repositories)
        await opened.grant(Capability.INVENTORY_ANY, Capability.TRADES_ANY)
        await opened.link(CUSTOMER, OWNER)
        yield opened


async def refused(services: Services, pages: Snapshot, by: Actor) -> Capability:
    with pytest.raises(AccessDenied) as denied:
        await services.snapshots.turn(pages.id, by=by)
    return denied.value.capability


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_turned_by_who_asked(services: Services, answer: InventoryAnswer | TradesAnswer):
    """Who asked turns it, before a restart and after one; trade codes do not outlive the process."""
    pages = await services.open(answer, by=CUSTOMER)
    assert pages.audience is Audience.CUSTOMER
    assert await services.snapshots.turn(pages.id, by=CUSTOMER) == pages

    after_restart = await services.restarted().turn(pages.id, by=CUSTOMER)
    kept = answer.without_codes() if isinstance(answer, TradesAnswer) else answer
    assert after_restart == replace(pages, answer=kept)


async def test_somebody_else(services: Services):
    """Nobody else turns it, whatever they may do, from memory or after a restart."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    for service in (services.snapshots, services.restarted()):
        with pytest.raises(NotYourPage):
            await service.turn(pages.id, by=AGENT)


async def test_another_guild(services: Services):
    """In another guild the pages do not exist, for the same person neither."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    for service in (services.snapshots, services.restarted()):
        with pytest.raises(PageExpired):
            await service.turn(pages.id, by=replace(CUSTOMER, guild_id=200, role_ids=frozenset({200})))


async def test_unknown(services: Services):
    """Pages that never were, or no longer are, have expired."""
    with pytest.raises(PageExpired):
        await services.snapshots.turn("AAAAAAAAAAAA", by=CUSTOMER)


async def test_expired(services: Services):
    """After 24 hours they are gone, from memory and after a restart, and purging takes the rows."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    services.clock.advance(hours=23, minutes=59)
    assert (await services.snapshots.turn(pages.id, by=CUSTOMER)).id == pages.id
    services.clock.advance(minutes=1)
    for service in (services.snapshots, services.restarted()):
        with pytest.raises(PageExpired):
            await service.turn(pages.id, by=CUSTOMER)
    await services.snapshots.purge()
    assert await services.repositories.snapshots.load(GUILD, pages.id, at=NOW) is None


async def test_after_a_revocation(services: Services):
    """A right that was taken away counts on the next click, and is the one that is named."""
    own_inventory = await services.open(INVENTORY, by=CUSTOMER)
    own_trades = await services.open(trades_answer(), by=CUSTOMER)
    anybodys_inventory = await services.open(INVENTORY, by=AGENT)
    everybodys_trades = await services.open(trades_answer(of=None, viewer=None), by=AGENT)
    for capability in (Capability.INVENTORY_OWN, Capability.TRADES_OWN):
        await services.revoke(capability)
    for capability in (Capability.INVENTORY_ANY, Capability.TRADES_ANY):
        await services.revoke(capability, role=SUPPORT)

    assert await refused(services, own_inventory, CUSTOMER) is Capability.INVENTORY_OWN
    assert await refused(services, own_trades, CUSTOMER) is Capability.TRADES_OWN
    assert await refused(services, anybodys_inventory, AGENT) is Capability.INVENTORY_OWN
    assert await refused(services, everybodys_trades, AGENT) is Capability.TRADES_OWN


async def test_a_role_that_was_taken_away(services: Services):
    """The roles that count are those of the click."""
    pages = await services.open(INVENTORY, by=AGENT)

    assert await refused(services, pages, replace(AGENT, role_ids=frozenset({GUILD}))) is Capability.INVENTORY_ANY


async def test_everybodys_trades_are_nobodys_own(services: Services):
    """Who may see only their own does not turn a list of everybody's, linked or not."""
    pages = await services.open(trades_answer(of=None), by=AGENT)
    await services.revoke(Capability.TRADES_ANY, role=SUPPORT)
    assert await refused(services, pages, AGENT) is Capability.TRADES_ANY
    await services.link(AGENT, OTHER_ACCOUNT)
    assert await refused(services, pages, AGENT) is Capability.TRADES_ANY


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_unlinked_since(services: Services, answer: InventoryAnswer | TradesAnswer):
    """What was one's own is no longer, once the link is gone or leads elsewhere."""
    pages = await services.open(answer, by=CUSTOMER)
    anybodys = Capability.INVENTORY_ANY if isinstance(answer, InventoryAnswer) else Capability.TRADES_ANY
    await services.unlink(CUSTOMER)
    assert await refused(services, pages, CUSTOMER) is anybodys
    await services.link(CUSTOMER, OTHER_ACCOUNT)
    assert await refused(services, pages, CUSTOMER) is anybodys


async def test_codes_by_ones_own_word(services: Services):
    """An agent who has linked the account to themselves meanwhile sees no codes: nobody else vouches for that link."""
    await services.unlink(CUSTOMER)
    await services.link(AGENT, OWNER)
    pages = await services.open(trades_answer(of=None), by=AGENT)
    self_made = Link(GUILD, AGENT.user_id, OWNER, LinkSource.STAFF, AGENT.user_id, NOW)
    await services.repositories.links.put(self_made)
    answer = (await services.snapshots.turn(pages.id, by=AGENT)).answer

    assert isinstance(answer, TradesAnswer)
    assert [each.code for each in answer.trades] == [None] * len(answer.trades)


async def test_codes_of_an_agent_who_was_unlinked(services: Services):
    """An agent turns on after their link went to somebody else, but no longer sees that account's codes."""
    await services.unlink(CUSTOMER)
    await services.link(AGENT, OWNER)
    pages = await services.open(trades_answer(of=None), by=AGENT)
    with_code = (await services.snapshots.turn(pages.id, by=AGENT)).answer
    assert isinstance(with_code, TradesAnswer)
    assert with_code.trades[0].code == TradeCode("ABCDEFGH")

    await services.unlink(AGENT)
    await services.link(CUSTOMER, OWNER)
    without = (await services.snapshots.turn(pages.id, by=AGENT)).answer
    assert isinstance(without, TradesAnswer)
    assert without.trades[0].code is None


async def test_who_joined_or_left_the_staff(services: Services):
    """The words are those for what the reader is at the click."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    await services.grant(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await services.snapshots.turn(pages.id, by=CUSTOMER)).audience is Audience.STAFF
    await services.revoke(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await services.snapshots.turn(pages.id, by=CUSTOMER)).audience is Audience.CUSTOMER


async def test_bounded_memory(services: Services):
    """Not more than a hundred snapshots are held in memory; older ones come from storage."""
    first = await services.open(trades_answer(), by=replace(CUSTOMER, user_id=CUSTOMER.user_id))
    for number in range(120):
        await services.open(INVENTORY, by=replace(AGENT, user_id=1000 + number))

    assert len(services.snapshots._recent) == 100
    turned = await services.snapshots.turn(first.id, by=CUSTOMER)
    assert turned.answer == trades_answer().without_codes()
    assert len(services.snapshots._recent) == 100


async def test_ids_cannot_be_guessed(services: Services):
    """Every snapshot has an id of its own, made of 72 random bits, that fits a button."""
    ids = {(await services.open(INVENTORY, by=AGENT)).id for _ in range(50)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {12}


VIEW = InventoryFilter("ak", Sort.NAME_ASC)
QUESTION = InventoryRequest("https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEfGh")


async def test_arranged(services: Services):
    """How its reader sorts and narrows a snapshot stays, before a restart and after one; the answer is the same."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    assert pages.view is None
    assert await services.snapshots.apply_view(pages.id, VIEW, by=CUSTOMER) == replace(pages, view=VIEW)

    for service in (services.snapshots, services.restarted()):
        assert await service.turn(pages.id, by=CUSTOMER) == replace(pages, view=VIEW)
    after_restart = await services.snapshots.apply_view(pages.id, InventoryFilter(), by=CUSTOMER)
    assert after_restart == pages
    assert await services.restarted().turn(pages.id, by=CUSTOMER) == pages


async def test_arranged_as_it_was_asked_for(services: Services):
    """The order that was asked for is no arrangement of the reader's."""
    asked = replace(INVENTORY, filter=InventoryFilter("ak", Sort.PRICE_DESC))
    pages = await services.open(asked, by=CUSTOMER)

    assert pages.current_view == InventoryFilter(sort=Sort.PRICE_DESC)
    assert (await services.snapshots.apply_view(pages.id, pages.current_view, by=CUSTOMER)).view is None


async def test_arranged_by_somebody_else(services: Services):
    """Nobody else sorts or narrows it, nor its reader after a revocation."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    with pytest.raises(NotYourPage):
        await services.snapshots.apply_view(pages.id, VIEW, by=AGENT)
    await services.revoke(Capability.INVENTORY_OWN)
    with pytest.raises(AccessDenied):
        await services.snapshots.apply_view(pages.id, VIEW, by=CUSTOMER)

    kept = await services.repositories.snapshots.load(GUILD, pages.id, at=NOW)
    assert kept is not None
    assert kept.view is None


async def test_arranged_while_it_is_turned(services: Services):
    """A page that is turned at the same moment does not take back what its reader has just chosen."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    await asyncio.gather(
        services.snapshots.turn(pages.id, by=CUSTOMER),
        services.snapshots.apply_view(pages.id, VIEW, by=CUSTOMER),
        services.snapshots.turn(pages.id, by=CUSTOMER),
    )

    assert (await services.snapshots.turn(pages.id, by=CUSTOMER)).view == VIEW


async def test_trade_url_in_a_search(services: Services):
    """A trade URL typed into the search is shown and kept without its token."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    viewed_snapshot = await services.snapshots.apply_view(pages.id, InventoryFilter(QUESTION.trade_url), by=CUSTOMER)

    assert "AbCdEfGh" not in repr(viewed_snapshot)
    assert "partner=1" in repr(viewed_snapshot)
    assert await services.restarted().turn(pages.id, by=CUSTOMER) == viewed_snapshot


async def test_question(services: Services):
    """What was asked can be asked again until a restart, or the end of the pages; its trade URL does not print."""
    pages = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION)

    assert services.snapshots.query_of(pages) == QUESTION
    assert "AbCdEfGh" not in repr(QUESTION)
    services.clock.advance(hours=24)
    await services.snapshots.purge()
    with pytest.raises(QueryExpired):
        services.snapshots.query_of(pages)
    with pytest.raises(QueryExpired):
        services.restarted().query_of(await services.open(INVENTORY, by=CUSTOMER))


async def test_questions_are_bounded(services: Services, monkeypatch: pytest.MonkeyPatch):
    """Not every question of a busy day is remembered: the oldest go first."""
    monkeypatch.setattr("bot.services.snapshots._MAX_QUESTIONS", 2)
    first, second, third = [await services.open(INVENTORY, by=CUSTOMER, question=QUESTION) for _ in range(3)]

    with pytest.raises(QueryExpired):
        services.snapshots.query_of(first)
    assert services.snapshots.query_of(second) == services.snapshots.query_of(third) == QUESTION


async def test_taking_the_place_of_another(services: Services):
    """A fresh answer is arranged like the one it replaces, has an id of its own, and is found by the old one's."""
    old = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    old = await services.snapshots.apply_view(old.id, VIEW, by=CUSTOMER)
    fresh = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=old)
    fresher = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=fresh)

    assert len({old.id, fresh.id, fresher.id}) == 3
    assert fresh.view == fresher.view == VIEW
    assert [services.snapshots.newest(each.id) for each in (old, fresh, fresher)] == [fresher.id] * 3
    assert await services.snapshots.turn(old.id, by=CUSTOMER) == old
    assert await services.restarted().turn(fresher.id, by=CUSTOMER) == fresher


async def test_arranged_while_the_next_is_on_its_way(services: Services, monkeypatch: pytest.MonkeyPatch):
    """What its reader chooses while a fresh answer is on its way holds for that as well."""
    monkeypatch.setattr("bot.services.snapshots._MAX_IN_MEMORY", 1)
    turned = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    await services.snapshots.apply_view(turned.id, VIEW, by=CUSTOMER)
    fresh = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=turned)
    assert fresh.view == VIEW

    await services.snapshots.apply_view(turned.id, InventoryFilter(), by=CUSTOMER)
    await services.open(INVENTORY, by=AGENT)
    assert (await services.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=turned)).view is None


async def test_forgotten_questions(services: Services):
    """With somebody's snapshots goes what they asked, and nothing of anybody else's."""
    theirs = await services.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    others = await services.open(INVENTORY, by=AGENT, question=QUESTION)
    services.snapshots.forget(GUILD, CUSTOMER.user_id)

    with pytest.raises(QueryExpired):
        services.snapshots.query_of(theirs)
    assert services.snapshots.query_of(others) == QUESTION


class Watched:
    """The repository, which says what it was asked to keep at once, and can fail."""

    def __init__(self, services: Services) -> None:
        self._repository = services.repositories.snapshots
        self.saved: list[int] = []
        self.error: Exception | None = None
        services.snapshots._repository = self

    async def save(self, *snapshots: Snapshot) -> None:
        self.saved.append(len(snapshots))
        if self.error is not None:
            raise self.error
        await self._repository.save(*snapshots)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)


async def test_written_together(services: Services):
    """Nobody waits for the disk, and what is opened in the same moment is written at once."""
    watched = Watched(services)
    opened = [await services.snapshots.open(INVENTORY, by=CUSTOMER) for _ in range(5)]
    assert watched.saved == []

    await services.snapshots.saved()
    assert watched.saved == [5]
    restarted = services.restarted()
    assert [await restarted.turn(pages.id, by=CUSTOMER) for pages in opened] == opened


async def test_turned_before_it_is_written(services: Services, monkeypatch: pytest.MonkeyPatch):
    """What is neither written yet nor among the newest in memory is turned and arranged all the same."""
    monkeypatch.setattr("bot.services.snapshots._MAX_IN_MEMORY", 1)
    first = await services.snapshots.open(INVENTORY, by=CUSTOMER)
    await services.snapshots.open(INVENTORY, by=CUSTOMER)
    assert await services.snapshots.apply_view(first.id, VIEW, by=CUSTOMER) == replace(first, view=VIEW)

    await services.snapshots.saved()
    assert await services.restarted().turn(first.id, by=CUSTOMER) == replace(first, view=VIEW)


async def test_arranged_while_it_is_written(services: Services):
    """What its reader chooses while the snapshot is on its way to the disk gets there after it."""
    pages = await services.snapshots.open(INVENTORY, by=CUSTOMER)
    repository = services.repositories.snapshots

    class Slow(Watched):
        async def save(self, *snapshots: Snapshot) -> None:
            if not self.saved:
                await services.snapshots.apply_view(pages.id, VIEW, by=CUSTOMER)
            await super().save(*snapshots)

    Slow(services)
    await services.snapshots.saved()
    kept = await repository.load(GUILD, pages.id, at=NOW)
    assert kept is not None
    assert kept.view == VIEW


async def test_writing_that_was_cancelled(services: Services):
    """Nobody waits for a task that was cancelled, and the next page has everything written that is left."""
    first = await services.snapshots.open(INVENTORY, by=CUSTOMER)
    assert services.snapshots._saving is not None
    services.snapshots._saving.cancel()
    await asyncio.wait_for(services.snapshots.saved(), 1.0)

    second = await services.open(INVENTORY, by=CUSTOMER)
    restarted = services.restarted()
    assert [await restarted.turn(pages.id, by=CUSTOMER) for pages in (first, second)] == [first, second]


async def test_that_cannot_be_written(services: Services, caplog: pytest.LogCaptureFixture):
    """Where the disk takes nothing, pages are turned from memory and the log says so; later ones are kept again."""
    watched = Watched(services)
    watched.error = OSError("disk full")
    lost = await services.open(INVENTORY, by=CUSTOMER)
    assert await services.snapshots.turn(lost.id, by=CUSTOMER) == lost
    assert caplog.messages == ["snapshots not kept count=1 error=OSError"]

    watched.error = None
    kept = await services.open(INVENTORY, by=CUSTOMER)
    restarted = services.restarted()
    assert await restarted.turn(kept.id, by=CUSTOMER) == kept
    with pytest.raises(PageExpired):
        await restarted.turn(lost.id, by=CUSTOMER)


def my_data_of(services: Services) -> MyDataService:
    service: Any = SimpleNamespace(forget=lambda *_: None)
    return MyDataService(
        repository=services.repositories.my_data,
        rows=services.repositories.audit,
        snapshots=services.snapshots,
        inventory=service,
        cards=service,
        sign_ins=service,
        clock=services.clock,
    )


async def test_forgotten_while_it_is_written(services: Services):
    """A page that is on its way to the disk while its reader is forgotten is not kept there."""
    forgotten = asyncio.Event()

    class Slow(Watched):
        async def save(self, *snapshots: Snapshot) -> None:
            await forgotten.wait()
            await super().save(*snapshots)

    Slow(services)
    pages, others = [await services.snapshots.open(INVENTORY, by=by) for by in (CUSTOMER, AGENT)]
    await asyncio.sleep(0.01)  # its snapshot is being written by then
    services.snapshots.forget(GUILD, CUSTOMER.user_id)
    forgotten.set()
    await services.snapshots.saved()

    assert await services.repositories.snapshots.load(GUILD, pages.id, at=NOW) is None
    assert await services.repositories.snapshots.load(GUILD, others.id, at=NOW) is not None


async def test_turned_while_its_reader_is_forgotten(services: Services, monkeypatch: pytest.MonkeyPatch):
    """A click that is being answered while its reader is forgotten brings nothing back into memory."""
    pages = await services.open(INVENTORY, by=CUSTOMER)
    link_of = LinkService.of

    async def forgotten_meanwhile(links: LinkService, actor: Actor) -> Link | None:
        found = await link_of(links, actor)
        await my_data_of(services).forget(by=CUSTOMER)
        return found

    monkeypatch.setattr(LinkService, "of", forgotten_meanwhile)
    with pytest.raises(PageExpired):
        await services.snapshots.turn(pages.id, by=CUSTOMER)
    assert services.snapshots._recent == {}


async def test_forgotten_before_it_is_written(services: Services):
    """Who is forgotten in the moment a page is opened leaves no snapshot, and who looks at what is kept misses none."""
    my_data = my_data_of(services)
    await services.snapshots.open(INVENTORY, by=CUSTOMER)
    assert (await my_data.export(by=CUSTOMER)).snapshots == 1

    pages = await services.snapshots.open(INVENTORY, by=CUSTOMER)
    assert (await my_data.forget(by=CUSTOMER)).snapshots == 2

    later = await services.snapshots.open(INVENTORY, by=CUSTOMER)
    services.snapshots.forget(GUILD, CUSTOMER.user_id)
    await services.snapshots.saved()
    for each in (pages, later):
        assert await services.repositories.snapshots.load(GUILD, each.id, at=NOW) is None
