"""A doubt is settled by reading the trade: how often, from what, and from what not."""

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.failures import FailureKind
from bot.domain.resends import Outcome, ResendState
from bot.domain.secrets import TradeCode
from tests.fakes.trade_provider import refusal
from tests.services.resend_setup import STRANGERS_ACCOUNT, TICK, TRADE, ResendDesk, doubtful, ticks


async def test_how_often_a_doubt_is_read(services: ResendDesk) -> None:
    """A doubt is read at once, at least every 10 s for five minutes, then ever more slowly, at most an hour apart."""
    began = services.clock.now()
    read_at: list[timedelta] = []

    async def step(name: str) -> None:
        if name == "provider.trades before" and services.provider.calls:
            read_at.append(services.clock.now() - began)
            services.clock.advance(seconds=0.3)  # an answer takes its time

    services.step = step
    unknown = await doubtful(services)
    assert len(read_at) == 1
    for number in range(1, 12 * 60 * 12):
        services.clock.advance(
            seconds=(began + timedelta(seconds=TICK * number) - services.clock.now()).total_seconds()
        )
        await services.delivery.tick()

    gaps = [(later, later - earlier) for earlier, later in pairwise(read_at)]
    often = [gap for at, gap in gaps if at <= timedelta(minutes=5)]
    seldom = [gap for at, gap in gaps if at > timedelta(minutes=6)]
    assert len(often) >= 30
    assert max(often) <= timedelta(seconds=10)
    assert all(later >= earlier - timedelta(seconds=2 * TICK) for earlier, later in pairwise(seldom))
    assert timedelta(minutes=30) < seldom[-1] <= timedelta(hours=1, seconds=TICK)
    assert services.provider.calls == {TRADE: 1}
    assert (await services.row(unknown)).state is ResendState.UNKNOWN


async def test_read_at_every_start(services: ResendDesk) -> None:
    """However seldom a doubt is read by then, a start reads it at once."""
    unknown = await doubtful(services)
    await ticks(services, seconds=15 * 60)
    readings = services.provider.readings
    await services.delivery.tick()
    assert services.provider.readings == readings
    services.provider.carry_out(TRADE)

    await services.restart()

    ended = await services.row(unknown)
    assert (ended.state, ended.outcome) == (ResendState.SENT, Outcome.READ_BACK)
    assert services.cards.shown[unknown.id] == ended
    assert services.cards.told[-1].code == services.provider.kept[TRADE].code


async def test_several_doubts(services: ResendDesk) -> None:
    """One reading settles all that it can: several doubts do not wait for each other's readings."""
    doubts = [await doubtful(services, trade_id) for trade_id in (1, 2, 3)]
    services.provider.carry_out(1)
    services.provider.carry_out(3)
    readings = services.provider.readings

    await ticks(services, seconds=TICK)

    assert services.provider.readings == readings + 1
    assert [(await services.row(doubt)).state.value for doubt in doubts] == ["sent", "unknown", "sent"]


async def test_provider_that_cannot_be_read(services: ResendDesk) -> None:
    """While the provider is down a doubt stays one, requests still expire, and it is settled once it is back."""
    unknown = await doubtful(services)
    waiting = await services.requested(2)
    services.provider.cannot_be_read = refusal(FailureKind.UNREACHABLE)
    services.provider.carry_out(TRADE)
    await ticks(services, seconds=60)
    assert (await services.row(unknown)).state is ResendState.UNKNOWN
    services.clock.advance(hours=24)
    await services.delivery.tick()
    assert (await services.row(waiting)).state is ResendState.EXPIRED
    services.provider.cannot_be_read = None

    services.clock.advance(hours=1)
    await services.delivery.tick()

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
async def test_reading_that_proves_nothing(services: ResendDesk, facts: dict[str, object]) -> None:
    """A trade that merely changed, or is another's by now, does not settle a doubt."""
    unknown = await doubtful(services)
    services.provider.change(TRADE, **facts)

    await ticks(services, seconds=30)

    assert (await services.row(unknown)).state is ResendState.UNKNOWN
