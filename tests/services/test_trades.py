"""Whose trades are listed, and to whom a code is shown."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import AccessDenied, InvalidInput, NotLinked, ProviderOff, TradeUrlRejected
from bot.domain.failures import ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.resends import Receipt
from bot.domain.secrets import TradeCode
from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, Scope, Trade
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.links import LinkService
from bot.services.record import RecordService
from bot.services.trades import TradeService
from tests.contracts.engines import ENGINES, Repositories
from tests.domain.builders import NOW, OWNER, trade
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock

GUILD, SUPPORT = 100, 7
CUSTOMER = Actor(GUILD, 1, frozenset({GUILD}))
AGENT = Actor(GUILD, 2, frozenset({GUILD, SUPPORT}))
STRANGERS = SteamId.from_account_id(77)
CODE = TradeCode("ABCDEFGH")


class Trades:
    """Mannco.store with three trades: two of the customer's, one of a stranger's."""

    name = ProviderName.MANNCO

    def __init__(self) -> None:
        self.kept: tuple[Trade, ...] = (
            trade(id=3, status=0),
            trade(id=2, owner=STRANGERS, status=0),
            trade(id=1),
        )
        self.asked: list[Scope] = []

    async def trades(self, scope: Scope) -> tuple[Trade, ...]:
        self.asked.append(scope)
        return tuple(each for each in self.kept if scope is Scope.ALL or each.status == 0)

    async def resend(self, trade_id: int) -> Receipt:
        raise AssertionError


class Desk:
    """The service over real storage: the customer is linked, Support sees everybody's."""

    def __init__(self, repositories: Repositories, provider: Trades | None) -> None:
        self.repositories = repositories
        clock = FakeClock(NOW)
        audit = AuditService(settings=repositories.settings, channel=FakeAuditChannel())
        access = AccessService(grants=repositories.grants, audit=audit, clock=clock)
        links = LinkService(links=repositories.links, access=access, audit=audit, clock=clock)
        self.provider = provider or Trades()
        self.service = TradeService(
            provider=provider,
            access=access,
            links=links,
            link_rows=repositories.links,
            record=RecordService(rows=repositories.audit, links=repositories.links, access=access, clock=clock),
            clock=clock,
        )

    async def link(self, actor: Actor, steam_id: SteamId) -> None:
        link = Link(GUILD, actor.user_id, steam_id, LinkSource.STAFF, 0, NOW)
        await self.repositories.links.put(link)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        opened = Desk(repositories, Trades())
        await repositories.grants.grant(Grant(GUILD, SUPPORT, Capability.TRADES_ANY), by=0, at=NOW)
        await opened.link(CUSTOMER, OWNER)
        yield opened


async def test_ones_own(desk: Desk):
    """A customer gets their own and nobody else's, of the scope that was asked."""
    active = await desk.service.list_for(by=CUSTOMER)
    everything = await desk.service.list_for(by=CUSTOMER, scope=Scope.ALL)

    assert [each.id for each in active.trades] == [3]
    assert [each.id for each in everything.trades] == [3, 1]
    assert active.steam_id == active.viewer == OWNER
    assert [each.code for each in everything.trades] == [CODE, CODE]
    assert desk.provider.asked == [Scope.ACTIVE, Scope.ALL]


async def test_own_by_ones_own_word(desk: Desk):
    """Who linked an account to themselves as staff sees its trades as before, and no code: nobody vouches for it."""
    link = Link(GUILD, AGENT.user_id, STRANGERS, LinkSource.STAFF, AGENT.user_id, NOW)
    await desk.repositories.links.put(link)
    for own in (False, True):
        answer = await desk.service.list_for(by=AGENT, own=own)
        assert [each.code for each in answer.trades] == [None] * len(answer.trades)
        assert answer.viewer is None

    await desk.repositories.links.put(replace(link, linked_by=0))
    assert [each.code for each in (await desk.service.list_for(by=AGENT, own=True)).trades] == [CODE]


async def test_refused_without_a_call(desk: Desk):
    """Naming somebody needs trades.any; without a link or a right there is nothing to list."""
    for named in ({"member_id": 5}, {"member_id": CUSTOMER.user_id}, {"steam_id": str(OWNER)}, {"steam_id": "x"}):
        with pytest.raises(AccessDenied) as denied:
            await desk.service.list_for(by=CUSTOMER, **named)
        assert denied.value.capability is Capability.TRADES_ANY
    with pytest.raises(NotLinked):
        await desk.service.list_for(by=replace(CUSTOMER, user_id=9))
    await desk.repositories.grants.revoke(Grant(GUILD, GUILD, Capability.TRADES_OWN), by=0, at=NOW)
    with pytest.raises(AccessDenied) as denied:
        await desk.service.list_for(by=CUSTOMER)
    assert denied.value.capability is Capability.TRADES_OWN
    assert desk.provider.asked == []


async def test_everybodys(desk: Desk):
    """A holder of trades.any gets everybody's, without any code."""
    answer = await desk.service.list_for(by=AGENT, scope=Scope.ALL)

    assert [each.id for each in answer.trades] == [3, 2, 1]
    assert answer.steam_id is None
    assert {each.code for each in answer.trades} == {None}


@pytest.mark.parametrize(
    "named",
    [
        {"member_id": CUSTOMER.user_id},
        {"steam_id": str(OWNER)},
        {"steam_id": f"https://steamcommunity.com/tradeoffer/new/?partner={OWNER.account_id}&token=AbCdEfGh"},
    ],
    ids=["member", "SteamID", "trade URL"],
)
async def test_somebodys(desk: Desk, named: dict[str, str]):
    """Named by member, SteamID or trade URL, that account's trades are listed, without its codes."""
    answer = await desk.service.list_for(by=AGENT, scope=Scope.ALL, **named)  # type: ignore[arg-type]

    assert [each.id for each in answer.trades] == [3, 1]
    assert answer.steam_id == OWNER
    assert {each.code for each in answer.trades} == {None}


async def test_an_agents_own(desk: Desk):
    """Among everybody's an agent's own trades have their codes, the others none."""
    await desk.link(AGENT, STRANGERS)
    answer = await desk.service.list_for(by=AGENT, scope=Scope.ALL)

    assert {each.id: each.code for each in answer.trades} == {3: None, 2: CODE, 1: None}


async def test_names_that_mean_nobody(desk: Desk):
    """Two names, a member without a link, another guild's link, and what is no account are told apart."""
    with pytest.raises(InvalidInput, match="steam_id: member_and_steam_id"):
        await desk.service.list_for(by=AGENT, member_id=CUSTOMER.user_id, steam_id=str(OWNER))
    with pytest.raises(InvalidInput, match="member: not_linked"):
        await desk.service.list_for(by=AGENT, member_id=9)
    with pytest.raises(InvalidInput, match="steam_id: steam_id"):
        await desk.service.list_for(by=AGENT, steam_id="123")
    with pytest.raises(TradeUrlRejected):
        await desk.service.list_for(by=AGENT, steam_id="mia")
    assert desk.provider.asked == []


async def test_the_window(desk: Desk):
    """A full list of all trades says so, also to who sees few of them; the active ones are never a window."""
    desk.provider.kept = (trade(id=9), *(trade(id=10 + number, owner=STRANGERS) for number in range(WINDOW - 1)))
    assert (await desk.service.list_for(by=AGENT, scope=Scope.ALL)).window_full
    assert (await desk.service.list_for(by=CUSTOMER, scope=Scope.ALL)).window_full
    assert not (await desk.service.list_for(by=AGENT)).window_full
    desk.provider.kept = desk.provider.kept[1:]
    assert not (await desk.service.list_for(by=AGENT, scope=Scope.ALL)).window_full


async def test_without_a_provider(tmp_path: Path):
    """Where no provider of trades is on, whoever may see trades is told so; the rest is refused as ever."""
    async with ENGINES["sqlite"](tmp_path) as repositories:
        desk = Desk(repositories, None)
        with pytest.raises(NotLinked):
            await desk.service.list_for(by=CUSTOMER)
        await desk.link(CUSTOMER, OWNER)
        with pytest.raises(ProviderOff):
            await desk.service.list_for(by=CUSTOMER)
