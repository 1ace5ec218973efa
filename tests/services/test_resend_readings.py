"""Unknown outcomes are settled by reading the trades."""

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.failures import FailureKind
from bot.domain.resends import ResendState
from bot.domain.secrets import TradeCode
from tests.fakes.trade_provider import refusal
from tests.services.resend_setup import ROUND, STRANGERS_ACCOUNT, TRADE, ResendSetup, ticks, unknown_resend


async def test_how_often(services: ResendSetup) -> None:
    """At once, at least every 10 s for five minutes, then ever less often, at most an hour apart."""
    began = services.clock.now()
    read_at: list[timedelta] = []

    async def step(name: str) -> None:
        if name == "provider.trades before" and services.provider.calls:
            read_at.append(services.clock.now() - began)
            services.clock.advance(seconds=0.3)  # an answer takes its time

    services.step = step
    unknown = await unknown_resend(services)
    assert len(read_at) == 1
    for number in range(1, 12 * 60 * 12):
        services.clock.advance(
            seconds=(began + timedelta(seconds=ROUND * number) - services.clock.now()).total_seconds()
        )
        await services.tick()

    gaps = [(later, later - earlier) for earlier, later in pairwise(read_at)]
    often = [gap for at, gap in gaps if at <= timedelta(minutes=5)]
    seldom = [gap for at, gap in gaps if at > timedelta(minutes=6)]
    assert len(often) >= 30
    assert max(often) <= timedelta(seconds=10)
    assert all(later >= earlier - timedelta(seconds=2 * ROUND) for earlier, later in pairwise(seldom))
    assert timedelta(minutes=30) < seldom[-1] <= timedelta(hours=1, seconds=ROUND)
    assert services.provider.calls == {TRADE: 1}
    assert (await services.row(unknown)).state is ResendState.UNKNOWN


@pytest.mark.parametrize("after", [0, 3600, 86_400])
async def test_clock_set_back(services: ResendSetup, after: float) -> None:
    """A machine's clock that is set back does not put off the next reading."""
    unknown = await unknown_resend(services)
    services.clock.advance(seconds=after)
    await services.tick()
    services.provider.carry_out(TRADE)
    services.clock.step(hours=-1)
    await ticks(services, seconds=ROUND)

    assert (await services.row(unknown)).state is ResendState.SENT


async def test_one_reading_for_several(services: ResendSetup) -> None:
    unknown = [await unknown_resend(services, trade_id) for trade_id in (1, 2, 3)]
    services.provider.carry_out(1)
    services.provider.carry_out(3)
    readings = services.provider.readings

    await ticks(services, seconds=ROUND)

    assert services.provider.readings == readings + 1
    assert [(await services.row(resend)).state.value for resend in unknown] == ["sent", "unknown", "sent"]


async def test_one_reading_for_each_account(services: ResendSetup) -> None:
    """If accounts are asked for alone, each owner's trades are read; one that is not listed stays unknown."""
    services.provider.per_account = True
    unknown = [await unknown_resend(services, trade_id) for trade_id in (1, 2)]
    services.provider.add(3, STRANGERS_ACCOUNT)
    unknown.append(await unknown_resend(services, 3))
    services.provider.carry_out(1)
    services.provider.carry_out(3)
    del services.provider.kept[2]
    readings = services.provider.readings

    await ticks(services, seconds=ROUND)

    assert services.provider.readings == readings + 2
    assert [(await services.row(resend)).state.value for resend in unknown] == ["sent", "unknown", "sent"]


async def test_provider_cannot_be_read(services: ResendSetup) -> None:
    """Meanwhile requests still expire, and the outcome is settled once the provider is back."""
    unknown = await unknown_resend(services)
    waiting = await services.requested(2)
    services.provider.cannot_be_read = refusal(FailureKind.UNREACHABLE)
    services.provider.carry_out(TRADE)
    services.clock.advance(hours=24)
    await services.tick()
    assert (await services.row(unknown)).state is ResendState.UNKNOWN
    assert (await services.row(waiting)).state is ResendState.EXPIRED
    services.provider.cannot_be_read = None

    services.clock.advance(hours=1)
    await services.tick()

    assert (await services.row(unknown)).state is ResendState.SENT


@pytest.mark.parametrize(
    "facts",
    [
        {"last_error": "another"},
        {"status": 5},
        {"code": None},
        {"offer_id": "9"},
        {"code": TradeCode("NEWER"), "owner": STRANGERS_ACCOUNT},
    ],
)
async def test_a_change_that_proves_nothing(services: ResendSetup, facts: dict[str, object]) -> None:
    unknown = await unknown_resend(services)
    services.provider.change(TRADE, **facts)

    await ticks(services, seconds=30)

    assert (await services.row(unknown)).state is ResendState.UNKNOWN
