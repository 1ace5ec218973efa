"""Whose trades are listed, and to whom a code is shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as altered

from bot.domain.access import Actor, Capability
from bot.domain.errors import AccessDenied, NotLinked
from bot.domain.failures import ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, Scope, Trade, TradeList
from bot.providers.mannco_source import ManncoSource
from bot.services.trades import TradeService, TradesRequest
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW, OWNER, trade
from tests.fakes.trade_sources import hints
from tests.services.members import AGENT, CUSTOMER, GUILD, Members

STRANGERS = SteamId.from_account_id(77)
CODE = TradeCode("ABCDEFGH")


class Trades:
    """Mannco.store with two trades of the customer and one of a stranger."""

    name = ProviderName.MANNCO
    per_account = False

    def __init__(self) -> None:
        self.kept: tuple[Trade, ...] = (
            trade(id=3, status=0),
            trade(id=2, owner=STRANGERS, status=0),
            trade(id=1),
        )
        self.asked: list[Scope] = []

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        self.asked.append(scope)
        return TradeList(tuple(each for each in self.kept if scope is Scope.ALL or each.status == "0"))

    def owner_of(self, trade_id: int) -> SteamId | None:
        raise AssertionError

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        raise AssertionError


class Services(Members):
    """The service over real storage. The customer is linked; Support may see every account."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(repositories)
        self.provider = Trades()
        self.service = TradeService(
            sources=(ManncoSource(self.provider),),
            resending=self.provider,
            access=self.access,
            links=repositories.links,
            audit=self.audit,
            hints=hints(),
            clock=self.clock,
        )

    async def list_for(self, *, by: Actor, **options: Any) -> TradesAnswer:
        return await self.service.list_for(TradesRequest(**options), by=await self.access.viewer(by))


@pytest.fixture
async def services(repositories: Repositories) -> Services:
    opened = Services(repositories)
    await opened.grant(Capability.TRADES_ANY)
    await opened.link(CUSTOMER, OWNER)
    return opened


async def test_self_made_link(services: Services):
    """A staff member who linked an account to themselves sees no codes; after signing in, those of that account."""
    link = Link(GUILD, AGENT.user_id, STRANGERS, LinkSource.STAFF, AGENT.user_id, NOW)
    await services.repositories.links.put(link)
    for own in (False, True):
        answer = await services.list_for(by=AGENT, own=own)
        assert [each.code for each in answer.trades] == [None] * len(answer.trades)
        assert answer.viewer is None

    await services.repositories.links.put(replace(link, linked_by=0))
    assert [each.code for each in (await services.list_for(by=AGENT, own=True)).trades] == [CODE]
    assert {each.owner for each in (await services.list_for(by=AGENT)).trades if each.code} == {STRANGERS}


async def test_refused_without_a_call(services: Services):
    """Another account needs trades.any; one's own needs trades.own and a link."""
    for named in ({"member_id": 5}, {"member_id": CUSTOMER.user_id}, {"steam_id": str(OWNER)}, {"steam_id": "x"}):
        with pytest.raises(AccessDenied) as denied:
            await services.list_for(by=CUSTOMER, **named)
        assert denied.value.capability is Capability.TRADES_ANY
    with pytest.raises(NotLinked):
        await services.list_for(by=replace(CUSTOMER, user_id=9))
    await services.revoke(Capability.TRADES_OWN)
    with pytest.raises(AccessDenied) as denied:
        await services.list_for(by=CUSTOMER)
    assert denied.value.capability is Capability.TRADES_OWN
    assert services.provider.asked == []


async def test_window_full(services: Services):
    """A full window of all trades is reported, even to viewers who see few of them."""
    services.provider.kept = (trade(id=9), *(trade(id=10 + number, owner=STRANGERS) for number in range(WINDOW - 1)))
    assert (await services.list_for(by=AGENT, scope=Scope.ALL)).parts[0].is_full
    assert (await services.list_for(by=CUSTOMER, scope=Scope.ALL)).parts[0].is_full
    assert not (await services.list_for(by=AGENT)).parts[0].is_full
    services.provider.kept = services.provider.kept[1:]
    assert not (await services.list_for(by=AGENT, scope=Scope.ALL)).parts[0].is_full


async def test_long_list(services: Services):
    """Thousands of trades are narrowed and sorted like a few."""
    kept = [trade(id=number, owner=OWNER if number % 3 else STRANGERS, status=0) for number in range(3_000)]
    services.provider.kept = tuple(altered(each, created_at=NOW + timedelta(seconds=int(each.id))) for each in kept)

    own = [int(each.id) for each in (await services.list_for(by=CUSTOMER)).trades]
    assert own == [number for number in reversed(range(3_000)) if number % 3]
    assert len((await services.list_for(by=AGENT)).trades) == 3_000
