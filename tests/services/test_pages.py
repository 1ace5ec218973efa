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
from bot.domain.errors import AccessDenied, NotYourPage, PageExpired, QuestionForgotten
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.links import Link, LinkSource
from bot.domain.pages import Audience, InventoryAnswer, Pages, ProviderAnswer, TradesAnswer
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.inventory import InventoryRequest
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.pages import PageService
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


class Desk:
    """The service over real storage: @everyone holds what a new guild is seeded with, Support everybody's."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self.clock = FakeClock(NOW)
        self.pages = self.restarted()

    def restarted(self) -> PageService:
        """Return the service as a new process has it."""
        audit = AuditService(settings=self.repositories.settings, channel=FakeAuditChannel())
        access = AccessService(grants=self.repositories.grants, audit=audit, clock=self.clock)
        links = LinkService(links=self.repositories.links, access=access, audit=audit, clock=self.clock)
        self.pages = PageService(repository=self.repositories.pages, access=access, links=links, clock=self.clock)
        return self.pages

    async def open(self, answer: InventoryAnswer | TradesAnswer, **how: Any) -> Pages:
        """Open an answer, and wait until a new process would find it."""
        pages = await self.pages.open(answer, **how)
        await self.pages.saved()
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
    monkeypatch.setattr("bot.services.pages.SAVED_WITHIN", timedelta(milliseconds=1))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        opened = Desk(repositories)
        await opened.grant(Capability.INVENTORY_ANY, Capability.TRADES_ANY)
        await opened.link(CUSTOMER, OWNER)
        yield opened


async def refused(desk: Desk, pages: Pages, by: Actor) -> Capability:
    with pytest.raises(AccessDenied) as denied:
        await desk.pages.turn(pages.id, by=by)
    return denied.value.capability


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_turned_by_who_asked(desk: Desk, answer: InventoryAnswer | TradesAnswer):
    """Who asked turns it, before a restart and after one; trade codes do not outlive the process."""
    pages = await desk.open(answer, by=CUSTOMER)
    assert pages.audience is Audience.CUSTOMER
    assert await desk.pages.turn(pages.id, by=CUSTOMER) == pages

    after_restart = await desk.restarted().turn(pages.id, by=CUSTOMER)
    kept = answer.without_codes() if isinstance(answer, TradesAnswer) else answer
    assert after_restart == replace(pages, answer=kept)


async def test_somebody_else(desk: Desk):
    """Nobody else turns it, whatever they may do, from memory or after a restart."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    for service in (desk.pages, desk.restarted()):
        with pytest.raises(NotYourPage):
            await service.turn(pages.id, by=AGENT)


async def test_another_guild(desk: Desk):
    """In another guild the pages do not exist, for the same person neither."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    for service in (desk.pages, desk.restarted()):
        with pytest.raises(PageExpired):
            await service.turn(pages.id, by=replace(CUSTOMER, guild_id=200, role_ids=frozenset({200})))


async def test_unknown(desk: Desk):
    """Pages that never were, or no longer are, have expired."""
    with pytest.raises(PageExpired):
        await desk.pages.turn("AAAAAAAAAAAA", by=CUSTOMER)


async def test_expired(desk: Desk):
    """After 24 hours they are gone, from memory and after a restart, and purging takes the rows."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    desk.clock.advance(hours=23, minutes=59)
    assert (await desk.pages.turn(pages.id, by=CUSTOMER)).id == pages.id
    desk.clock.advance(minutes=1)
    for service in (desk.pages, desk.restarted()):
        with pytest.raises(PageExpired):
            await service.turn(pages.id, by=CUSTOMER)
    await desk.pages.purge()
    assert await desk.repositories.pages.load(GUILD, pages.id, at=NOW) is None


async def test_after_a_revocation(desk: Desk):
    """A right that was taken away counts on the next click, and is the one that is named."""
    own_inventory = await desk.open(INVENTORY, by=CUSTOMER)
    own_trades = await desk.open(trades_answer(), by=CUSTOMER)
    anybodys_inventory = await desk.open(INVENTORY, by=AGENT)
    everybodys_trades = await desk.open(trades_answer(of=None, viewer=None), by=AGENT)
    for capability in (Capability.INVENTORY_OWN, Capability.TRADES_OWN):
        await desk.revoke(capability)
    for capability in (Capability.INVENTORY_ANY, Capability.TRADES_ANY):
        await desk.revoke(capability, role=SUPPORT)

    assert await refused(desk, own_inventory, CUSTOMER) is Capability.INVENTORY_OWN
    assert await refused(desk, own_trades, CUSTOMER) is Capability.TRADES_OWN
    assert await refused(desk, anybodys_inventory, AGENT) is Capability.INVENTORY_OWN
    assert await refused(desk, everybodys_trades, AGENT) is Capability.TRADES_OWN


async def test_a_role_that_was_taken_away(desk: Desk):
    """The roles that count are those of the click."""
    pages = await desk.open(INVENTORY, by=AGENT)

    assert await refused(desk, pages, replace(AGENT, role_ids=frozenset({GUILD}))) is Capability.INVENTORY_ANY


async def test_everybodys_trades_are_nobodys_own(desk: Desk):
    """Who may see only their own does not turn a list of everybody's, linked or not."""
    pages = await desk.open(trades_answer(of=None), by=AGENT)
    await desk.revoke(Capability.TRADES_ANY, role=SUPPORT)
    assert await refused(desk, pages, AGENT) is Capability.TRADES_ANY
    await desk.link(AGENT, OTHER_ACCOUNT)
    assert await refused(desk, pages, AGENT) is Capability.TRADES_ANY


@pytest.mark.parametrize("answer", [INVENTORY, trades_answer()], ids=["inventory", "trades"])
async def test_unlinked_since(desk: Desk, answer: InventoryAnswer | TradesAnswer):
    """What was one's own is no longer, once the link is gone or leads elsewhere."""
    pages = await desk.open(answer, by=CUSTOMER)
    anybodys = Capability.INVENTORY_ANY if isinstance(answer, InventoryAnswer) else Capability.TRADES_ANY
    await desk.unlink(CUSTOMER)
    assert await refused(desk, pages, CUSTOMER) is anybodys
    await desk.link(CUSTOMER, OTHER_ACCOUNT)
    assert await refused(desk, pages, CUSTOMER) is anybodys


async def test_codes_by_ones_own_word(desk: Desk):
    """An agent who has linked the account to themselves meanwhile sees no codes: nobody else vouches for that link."""
    await desk.unlink(CUSTOMER)
    await desk.link(AGENT, OWNER)
    pages = await desk.open(trades_answer(of=None), by=AGENT)
    self_made = Link(GUILD, AGENT.user_id, OWNER, LinkSource.STAFF, AGENT.user_id, NOW)
    await desk.repositories.links.put(self_made)
    answer = (await desk.pages.turn(pages.id, by=AGENT)).answer

    assert isinstance(answer, TradesAnswer)
    assert [each.code for each in answer.trades] == [None] * len(answer.trades)


async def test_codes_of_an_agent_who_was_unlinked(desk: Desk):
    """An agent turns on after their link went to somebody else, but no longer sees that account's codes."""
    await desk.unlink(CUSTOMER)
    await desk.link(AGENT, OWNER)
    pages = await desk.open(trades_answer(of=None), by=AGENT)
    with_code = (await desk.pages.turn(pages.id, by=AGENT)).answer
    assert isinstance(with_code, TradesAnswer)
    assert with_code.trades[0].code == TradeCode("ABCDEFGH")

    await desk.unlink(AGENT)
    await desk.link(CUSTOMER, OWNER)
    without = (await desk.pages.turn(pages.id, by=AGENT)).answer
    assert isinstance(without, TradesAnswer)
    assert without.trades[0].code is None


async def test_who_joined_or_left_the_staff(desk: Desk):
    """The words are those for what the reader is at the click."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    await desk.grant(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await desk.pages.turn(pages.id, by=CUSTOMER)).audience is Audience.STAFF
    await desk.revoke(Capability.READ_AUDIT, role=CUSTOMERS)
    assert (await desk.pages.turn(pages.id, by=CUSTOMER)).audience is Audience.CUSTOMER


async def test_bounded_memory(desk: Desk):
    """Not more than a hundred snapshots are held in memory; older ones come from storage."""
    first = await desk.open(trades_answer(), by=replace(CUSTOMER, user_id=CUSTOMER.user_id))
    for number in range(120):
        await desk.open(INVENTORY, by=replace(AGENT, user_id=1000 + number))

    assert len(desk.pages._recent) == 100
    turned = await desk.pages.turn(first.id, by=CUSTOMER)
    assert turned.answer == trades_answer().without_codes()
    assert len(desk.pages._recent) == 100


async def test_ids_cannot_be_guessed(desk: Desk):
    """Every snapshot has an id of its own, made of 72 random bits, that fits a button."""
    ids = {(await desk.open(INVENTORY, by=AGENT)).id for _ in range(50)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {12}


VIEW = InventoryFilter("ak", Sort.NAME_ASC)
QUESTION = InventoryRequest("https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEfGh")


async def test_arranged(desk: Desk):
    """How its reader sorts and narrows a snapshot stays, before a restart and after one; the answer is the same."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    assert pages.view is None
    assert await desk.pages.arrange(pages.id, VIEW, by=CUSTOMER) == replace(pages, view=VIEW)

    for service in (desk.pages, desk.restarted()):
        assert await service.turn(pages.id, by=CUSTOMER) == replace(pages, view=VIEW)
    after_restart = await desk.pages.arrange(pages.id, InventoryFilter(), by=CUSTOMER)
    assert after_restart == pages
    assert await desk.restarted().turn(pages.id, by=CUSTOMER) == pages


async def test_arranged_as_it_was_asked_for(desk: Desk):
    """The order that was asked for is no arrangement of the reader's."""
    asked = replace(INVENTORY, filter=InventoryFilter("ak", Sort.PRICE_DESC))
    pages = await desk.open(asked, by=CUSTOMER)

    assert pages.chosen == InventoryFilter(sort=Sort.PRICE_DESC)
    assert (await desk.pages.arrange(pages.id, pages.chosen, by=CUSTOMER)).view is None


async def test_arranged_by_somebody_else(desk: Desk):
    """Nobody else sorts or narrows it, nor its reader after a revocation."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    with pytest.raises(NotYourPage):
        await desk.pages.arrange(pages.id, VIEW, by=AGENT)
    await desk.revoke(Capability.INVENTORY_OWN)
    with pytest.raises(AccessDenied):
        await desk.pages.arrange(pages.id, VIEW, by=CUSTOMER)

    kept = await desk.repositories.pages.load(GUILD, pages.id, at=NOW)
    assert kept is not None
    assert kept.view is None


async def test_arranged_while_it_is_turned(desk: Desk):
    """A page that is turned at the same moment does not take back what its reader has just chosen."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    await asyncio.gather(
        desk.pages.turn(pages.id, by=CUSTOMER),
        desk.pages.arrange(pages.id, VIEW, by=CUSTOMER),
        desk.pages.turn(pages.id, by=CUSTOMER),
    )

    assert (await desk.pages.turn(pages.id, by=CUSTOMER)).view == VIEW


async def test_trade_url_in_a_search(desk: Desk):
    """A trade URL typed into the search is shown and kept without its token."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    arranged = await desk.pages.arrange(pages.id, InventoryFilter(QUESTION.trade_url), by=CUSTOMER)

    assert "AbCdEfGh" not in repr(arranged)
    assert "partner=1" in repr(arranged)
    assert await desk.restarted().turn(pages.id, by=CUSTOMER) == arranged


async def test_question(desk: Desk):
    """What was asked can be asked again until a restart, or the end of the pages; its trade URL does not print."""
    pages = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION)

    assert desk.pages.question_of(pages) == QUESTION
    assert "AbCdEfGh" not in repr(QUESTION)
    desk.clock.advance(hours=24)
    await desk.pages.purge()
    with pytest.raises(QuestionForgotten):
        desk.pages.question_of(pages)
    with pytest.raises(QuestionForgotten):
        desk.restarted().question_of(await desk.open(INVENTORY, by=CUSTOMER))


async def test_questions_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Not every question of a busy day is remembered: the oldest go first."""
    monkeypatch.setattr("bot.services.pages._MAX_QUESTIONS", 2)
    first, second, third = [await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION) for _ in range(3)]

    with pytest.raises(QuestionForgotten):
        desk.pages.question_of(first)
    assert desk.pages.question_of(second) == desk.pages.question_of(third) == QUESTION


async def test_taking_the_place_of_another(desk: Desk):
    """A fresh answer is arranged like the one it replaces, has an id of its own, and is found by the old one's."""
    old = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    old = await desk.pages.arrange(old.id, VIEW, by=CUSTOMER)
    fresh = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=old)
    fresher = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=fresh)

    assert len({old.id, fresh.id, fresher.id}) == 3
    assert fresh.view == fresher.view == VIEW
    assert [desk.pages.newest(each.id) for each in (old, fresh, fresher)] == [fresher.id] * 3
    assert await desk.pages.turn(old.id, by=CUSTOMER) == old
    assert await desk.restarted().turn(fresher.id, by=CUSTOMER) == fresher


async def test_arranged_while_the_next_is_on_its_way(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """What its reader chooses while a fresh answer is on its way holds for that as well."""
    monkeypatch.setattr("bot.services.pages._MAX_IN_MEMORY", 1)
    turned = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    await desk.pages.arrange(turned.id, VIEW, by=CUSTOMER)
    fresh = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=turned)
    assert fresh.view == VIEW

    await desk.pages.arrange(turned.id, InventoryFilter(), by=CUSTOMER)
    await desk.open(INVENTORY, by=AGENT)
    assert (await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION, instead_of=turned)).view is None


async def test_forgotten_questions(desk: Desk):
    """With somebody's snapshots goes what they asked, and nothing of anybody else's."""
    theirs = await desk.open(INVENTORY, by=CUSTOMER, question=QUESTION)
    others = await desk.open(INVENTORY, by=AGENT, question=QUESTION)
    desk.pages.forget(GUILD, CUSTOMER.user_id)

    with pytest.raises(QuestionForgotten):
        desk.pages.question_of(theirs)
    assert desk.pages.question_of(others) == QUESTION


class Watched:
    """The repository, which says what it was asked to keep at once, and can fail."""

    def __init__(self, desk: Desk) -> None:
        self._repository = desk.repositories.pages
        self.saved: list[int] = []
        self.error: Exception | None = None
        desk.pages._repository = self

    async def save(self, *snapshots: Pages) -> None:
        self.saved.append(len(snapshots))
        if self.error is not None:
            raise self.error
        await self._repository.save(*snapshots)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)


async def test_written_together(desk: Desk):
    """Nobody waits for the disk, and what is opened in the same moment is written at once."""
    watched = Watched(desk)
    opened = [await desk.pages.open(INVENTORY, by=CUSTOMER) for _ in range(5)]
    assert watched.saved == []

    await desk.pages.saved()
    assert watched.saved == [5]
    restarted = desk.restarted()
    assert [await restarted.turn(pages.id, by=CUSTOMER) for pages in opened] == opened


async def test_turned_before_it_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """What is neither written yet nor among the newest in memory is turned and arranged all the same."""
    monkeypatch.setattr("bot.services.pages._MAX_IN_MEMORY", 1)
    first = await desk.pages.open(INVENTORY, by=CUSTOMER)
    await desk.pages.open(INVENTORY, by=CUSTOMER)
    assert await desk.pages.arrange(first.id, VIEW, by=CUSTOMER) == replace(first, view=VIEW)

    await desk.pages.saved()
    assert await desk.restarted().turn(first.id, by=CUSTOMER) == replace(first, view=VIEW)


async def test_arranged_while_it_is_written(desk: Desk):
    """What its reader chooses while the snapshot is on its way to the disk gets there after it."""
    pages = await desk.pages.open(INVENTORY, by=CUSTOMER)
    repository = desk.repositories.pages

    class Slow(Watched):
        async def save(self, *snapshots: Pages) -> None:
            if not self.saved:
                await desk.pages.arrange(pages.id, VIEW, by=CUSTOMER)
            await super().save(*snapshots)

    Slow(desk)
    await desk.pages.saved()
    kept = await repository.load(GUILD, pages.id, at=NOW)
    assert kept is not None
    assert kept.view == VIEW


async def test_writing_that_was_cancelled(desk: Desk):
    """Nobody waits for a task that was cancelled, and the next page has everything written that is left."""
    first = await desk.pages.open(INVENTORY, by=CUSTOMER)
    assert desk.pages._saving is not None
    desk.pages._saving.cancel()
    await asyncio.wait_for(desk.pages.saved(), 1.0)

    second = await desk.open(INVENTORY, by=CUSTOMER)
    restarted = desk.restarted()
    assert [await restarted.turn(pages.id, by=CUSTOMER) for pages in (first, second)] == [first, second]


async def test_that_cannot_be_written(desk: Desk, caplog: pytest.LogCaptureFixture):
    """Where the disk takes nothing, pages are turned from memory and the log says so; later ones are kept again."""
    watched = Watched(desk)
    watched.error = OSError("disk full")
    lost = await desk.open(INVENTORY, by=CUSTOMER)
    assert await desk.pages.turn(lost.id, by=CUSTOMER) == lost
    assert caplog.messages == ["snapshots not kept count=1 error=OSError"]

    watched.error = None
    kept = await desk.open(INVENTORY, by=CUSTOMER)
    restarted = desk.restarted()
    assert await restarted.turn(kept.id, by=CUSTOMER) == kept
    with pytest.raises(PageExpired):
        await restarted.turn(lost.id, by=CUSTOMER)


def my_data_of(desk: Desk) -> MyDataService:
    service: Any = SimpleNamespace(forget=lambda *_: None)
    return MyDataService(
        repository=desk.repositories.my_data,
        rows=desk.repositories.audit,
        pages=desk.pages,
        inventory=service,
        cards=service,
        sign_ins=service,
        clock=desk.clock,
    )


async def test_forgotten_while_it_is_written(desk: Desk):
    """A page that is on its way to the disk while its reader is forgotten is not kept there."""
    forgotten = asyncio.Event()

    class Slow(Watched):
        async def save(self, *snapshots: Pages) -> None:
            await forgotten.wait()
            await super().save(*snapshots)

    Slow(desk)
    pages, others = [await desk.pages.open(INVENTORY, by=by) for by in (CUSTOMER, AGENT)]
    await asyncio.sleep(0.01)  # its snapshot is being written by then
    desk.pages.forget(GUILD, CUSTOMER.user_id)
    forgotten.set()
    await desk.pages.saved()

    assert await desk.repositories.pages.load(GUILD, pages.id, at=NOW) is None
    assert await desk.repositories.pages.load(GUILD, others.id, at=NOW) is not None


async def test_turned_while_its_reader_is_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """A click that is being answered while its reader is forgotten brings nothing back into memory."""
    pages = await desk.open(INVENTORY, by=CUSTOMER)
    link_of = LinkService.of

    async def forgotten_meanwhile(links: LinkService, actor: Actor) -> Link | None:
        found = await link_of(links, actor)
        await my_data_of(desk).forget(by=CUSTOMER)
        return found

    monkeypatch.setattr(LinkService, "of", forgotten_meanwhile)
    with pytest.raises(PageExpired):
        await desk.pages.turn(pages.id, by=CUSTOMER)
    assert desk.pages._recent == {}


async def test_forgotten_before_it_is_written(desk: Desk):
    """Who is forgotten in the moment a page is opened leaves no snapshot, and who looks at what is kept misses none."""
    my_data = my_data_of(desk)
    await desk.pages.open(INVENTORY, by=CUSTOMER)
    assert (await my_data.export(by=CUSTOMER)).snapshots == 1

    pages = await desk.pages.open(INVENTORY, by=CUSTOMER)
    assert (await my_data.forget(by=CUSTOMER)).snapshots == 2

    later = await desk.pages.open(INVENTORY, by=CUSTOMER)
    desk.pages.forget(GUILD, CUSTOMER.user_id)
    await desk.pages.saved()
    for each in (pages, later):
        assert await desk.repositories.pages.load(GUILD, each.id, at=NOW) is None
