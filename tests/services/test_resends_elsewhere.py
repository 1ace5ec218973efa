"""/resend with the number of a trade at a provider that has no resend."""

import asyncio

import pytest

from bot.domain.access import Actor, Caller, Capability, Grant
from bot.domain.errors import NotResendable, ProviderError, ResendNotPossible, SkinDeskError, TradeNotFound
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.settings import Setting
from bot.domain.steam import SteamId
from bot.domain.trades import NotResendableReason, TradeReading, TradeState
from tests.domain.builders import trade
from tests.fakes.trade_provider import refusal
from tests.fakes.trade_sources import FakeTradeSource
from tests.services.resend_setup import (
    AGENT,
    AGENTS,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    STRANGERS_ACCOUNT,
    TRADE,
    ResendSetup,
)

UUID = "0b5c1f2e-7a00-4c11-9d53-5a1e7b1f0a01"


@pytest.fixture
async def assetpay(services: ResendSetup) -> FakeTradeSource:
    """AssetPay with failed deposits of the customer and of a stranger."""
    source = FakeTradeSource(ProviderName.ASSETPAY)
    source.reading = TradeReading(
        tuple(
            trade(provider=source.name, id=number, owner=owner, status="failed", state=TradeState.FAILED)
            for number, owner in ((UUID, CUSTOMERS_ACCOUNT), (UUID[::-1], STRANGERS_ACCOUNT), ("77", CUSTOMERS_ACCOUNT))
        )
    )
    mannco = FakeTradeSource(ProviderName.MANNCO)
    mannco.error = AssertionError("asked again")
    services.sources = (mannco, source)
    await services.restart()
    return source


async def refused(services: ResendSetup, number: str, *, by: Actor) -> SkinDeskError:
    with pytest.raises(SkinDeskError) as error:
        await services.service.request(number, by=by)
    return error.value


async def views(services: ResendSetup) -> list[str]:
    return [row.subject for row in await services.written() if row.action.value == "trades.viewed"]


@pytest.mark.parametrize(
    ("by", "number", "owner"),
    [
        (CUSTOMER, UUID.upper(), CUSTOMERS_ACCOUNT),
        (CUSTOMER, "77", CUSTOMERS_ACCOUNT),
        (AGENT, UUID, CUSTOMERS_ACCOUNT),
        (AGENT, UUID[::-1], STRANGERS_ACCOUNT),
    ],
)
async def test_reason(services: ResendSetup, assetpay: FakeTradeSource, by: Actor, number: str, owner: SteamId) -> None:
    """A caller who may see the trade reads that its provider has no resend; a view of another's is logged."""
    error = await refused(services, number, by=by)

    assert isinstance(error, NotResendable)
    assert (error.reason, error.trade.owner) == (NotResendableReason.NO_RESEND, owner)
    assert assetpay.callers == [Caller(by.user_id, is_staff=by is AGENT)]
    subject = f"user:{CUSTOMER.user_id}" if owner == CUSTOMERS_ACCOUNT else f"steam:{owner}"
    assert await views(services) == [subject] * (by is AGENT)


@pytest.mark.parametrize("number", [UUID[::-1], "999", "https://example.com", "a,b"])
async def test_not_yours_or_not_there(services: ResendSetup, assetpay: FakeTradeSource, number: str) -> None:
    error = await refused(services, number, by=CUSTOMER)

    assert isinstance(error, TradeNotFound)
    assert error.trade_id == number
    assert await views(services) == []


async def test_mannco_has_it(services: ResendSetup, assetpay: FakeTradeSource) -> None:
    """No other provider is asked then, whether the trade can be resent or not."""
    services.provider.add(77, CUSTOMERS_ACCOUNT, status=3)
    assert isinstance(error := await refused(services, "77", by=CUSTOMER), NotResendable)
    assert error.reason is NotResendableReason.STATUS
    await services.requested(TRADE)
    assert assetpay.asked == []


async def test_mannco_fails(services: ResendSetup, assetpay: FakeTradeSource) -> None:
    """A number that Mannco.store cannot have is looked for all the same, also where no card could be posted."""
    services.provider.cannot_be_read = refusal(FailureKind.BROKEN)
    await services.repositories.settings.put(GUILD, Setting.APPROVALS_CHANNEL, None, by=1, at=services.clock.now())
    assert isinstance(await refused(services, UUID, by=CUSTOMER), NotResendable)
    assetpay.error = ProviderError(Failure(assetpay.name, FailureKind.BROKEN))
    assert not isinstance(await refused(services, UUID, by=CUSTOMER), NotResendable)


async def test_without_the_right_to_see(services: ResendSetup, assetpay: FakeTradeSource) -> None:
    """`resend.any` alone learns nothing, not even of the caller's own trade; `resend.own` needs `trades.own` too."""
    grants, now = services.repositories.grants, services.clock.now()
    await grants.revoke(Grant(GUILD, AGENTS, Capability.TRADES_ANY), by=1, at=now)
    await services.link(AGENT, STRANGERS_ACCOUNT)
    for number in (UUID, UUID[::-1], "77"):
        assert isinstance(await refused(services, number, by=AGENT), ResendNotPossible)
    await grants.revoke(Grant(GUILD, GUILD, Capability.TRADES_OWN), by=1, at=now)
    assert isinstance(await refused(services, UUID, by=CUSTOMER), TradeNotFound)
    assert assetpay.asked == []


async def test_no_time_left(services: ResendSetup, assetpay: FakeTradeSource) -> None:
    """After a slow answer of Mannco.store, the others are asked for what is left of the time only."""
    assetpay.gate.clear()

    async def slowly(step: str) -> None:
        if step == "provider.trades after":
            services.clock.advance(seconds=14)

    services.step = slowly
    async with asyncio.timeout(10):
        assert isinstance(await refused(services, "77", by=CUSTOMER), TradeNotFound)
