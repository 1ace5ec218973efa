"""What AssetPay's check of a trade URL adds to an error of a lookup."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.access import Caller, Capability
from bot.domain.errors import Overloaded, ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.services.inventory import InventoryRequest, InventoryService
from bot.services.trades import TradeService, TradesRequest
from tests.contracts.engines import Repositories
from tests.domain.builders import OWNER
from tests.fakes.inventory_provider import FakeInventoryProvider
from tests.fakes.trade_sources import FakeTradeSource, FakeTradeUrlChecker, hints
from tests.services.members import CUSTOMER, Members
from tests.support.loop_time import pass_time_later, until

ASSETPAY, CLIENT, LEGACY, SKINSBACK, MANNCO = ProviderName
URL = f"https://steamcommunity.com/tradeoffer/new/?partner={OWNER.account_id}&token=AbCdEfGh"


def refusal(provider: ProviderName, code: int | None = 7, key: str | None = None) -> Failure:
    return Failure(provider, FailureKind.REFUSED, code=code, key=key)


class Desk(Members):
    """Inventories and trades of providers that fail. The customer is linked."""

    def __init__(self, repositories: Repositories, *, deadline: timedelta = timedelta(seconds=14)) -> None:
        super().__init__(repositories)
        self.checker = FakeTradeUrlChecker()
        self.shops = {name: FakeInventoryProvider(name) for name in (ASSETPAY, CLIENT, SKINSBACK)}
        self.source = FakeTradeSource(CLIENT)
        self.inventory = InventoryService(
            providers=tuple(self.shops.values()),
            default=ASSETPAY,
            links=repositories.links,
            audit=self.audit,
            hints=hints(self.checker),
            clock=self.clock,
            deadline=deadline,
        )
        self.trades = TradeService(
            sources=(self.source,),
            resending=None,
            access=self.access,
            links=repositories.links,
            audit=self.audit,
            hints=hints(self.checker),
            clock=self.clock,
            deadline=deadline,
        )

    async def look_up(self, provider: str = "assetpay") -> list[Failure | None]:
        viewer = await self.access.viewer(CUSTOMER)
        answer = await self.inventory.look_up(InventoryRequest(URL, provider=provider), by=viewer)
        return [part.failure for part in answer.answers]

    async def look_up_with(self, failure: Failure) -> Failure:
        self.shops[ASSETPAY].failure = ProviderError(failure)
        (found,) = await self.look_up()
        assert found is not None
        return found


@pytest.fixture
async def desk(repositories: Repositories) -> Desk:
    return await prepared(Desk(repositories))


async def prepared(desk: Desk) -> Desk:
    await desk.grant(Capability.INVENTORY_OWN, Capability.TRADES_OWN)
    await desk.link(CUSTOMER, OWNER)
    return desk


@pytest.mark.parametrize(
    ("failure", "helps"),
    [
        (refusal(ASSETPAY, 3), True),
        (refusal(ASSETPAY, 7), True),
        (refusal(ASSETPAY, 13), True),
        (refusal(ASSETPAY, None, "USER_NOT_TRADEABLE"), True),
        (refusal(ASSETPAY, 31), False),
        (refusal(ASSETPAY, 7, "TRADE_NOT_FOUND"), False),
        (refusal(LEGACY, 7), False),
        (refusal(SKINSBACK, 3), False),
        (Failure(ASSETPAY, FailureKind.TIMED_OUT), False),
    ],
)
async def test_errors_with_several_causes(desk: Desk, failure: Failure, *, helps: bool) -> None:
    """Only AssetPay's 3, 7 and 13 are followed by a check, on the caller's behalf and about the same account."""
    found = await desk.look_up_with(failure)

    assert found == failure
    assert found.trade_url_check == (desk.checker.found if helps else None)
    assert [each.canonical() for each in desk.checker.asked] == [URL] * helps
    assert desk.checker.callers == [Caller(CUSTOMER.user_id, is_staff=False)] * helps


async def test_two_ways_to_ask(desk: Desk) -> None:
    """Both errors have the result of one check; the other provider's answer waits for neither."""
    for name in (ASSETPAY, CLIENT):
        desk.shops[name].failure = ProviderError(refusal(name))
    first, second, other = await desk.look_up("all")

    assert first is not None
    assert second is not None
    assert first.trade_url_check == second.trade_url_check == desk.checker.found
    assert other is None
    assert len(desk.checker.asked) == 1


async def test_trades(desk: Desk) -> None:
    """A list that AssetPay refuses for the trade URL is checked like an inventory; without the URL there is nothing."""
    desk.source.error = ProviderError(refusal(CLIENT))
    viewer = await desk.access.viewer(CUSTOMER)
    for url, found in ((URL, desk.checker.found), (None, None)):
        with pytest.raises(ProviderError) as failed:
            await desk.trades.list_for(TradesRequest(trade_url=url), by=viewer)
        assert failed.value.failure.trade_url_check == found
    assert len(desk.checker.asked) == 1


async def test_check_fails(desk: Desk) -> None:
    desk.checker.error = ProviderError(Failure(ASSETPAY, FailureKind.UNREACHABLE))
    assert (await desk.look_up_with(refusal(ASSETPAY))).trade_url_check is None


async def test_check_is_late(repositories: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after its own time, and at the latest when the answer is due."""
    for within, deadline in ((60.0, 3_600.0), (3_600.0, 60.0)):
        monkeypatch.setattr("bot.services.trade_url_hints.WITHIN", within)
        desk = await prepared(Desk(repositories, deadline=timedelta(seconds=deadline)))
        desk.checker.gate.clear()
        looking = asyncio.create_task(desk.look_up_with(refusal(ASSETPAY)))
        await until(desk.checker.asked.__len__)
        await pass_time_later(60.0)
        async with asyncio.timeout(30):
            assert (await looking).trade_url_check is None
        assert len(desk.checker.asked) == 1


async def test_not_read_in_time(desk: Desk) -> None:
    """An answer that the worker does not read in time is a failure of its provider alone."""
    desk.shops[SKINSBACK].failure = desk.source.error = Overloaded()
    assert await desk.look_up("all") == [None, None, Failure(SKINSBACK, FailureKind.BUSY)]
    with pytest.raises(ProviderError) as failed:
        await desk.trades.list_for(TradesRequest(), by=await desk.access.viewer(CUSTOMER))
    assert failed.value.failure == Failure(CLIENT, FailureKind.BUSY)
