"""A doubt is settled by reading the trade: how often, from what, and from what not."""

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.failures import FailureKind
from bot.domain.resends import Outcome, ResendState
from bot.domain.secrets import TradeCode
from tests.fakes.trade_provider import refusal
from tests.services.resend_desk import STRANGERS_ACCOUNT, TICK, TRADE, ResendDesk, doubtful, ticks


async def test_how_often_a_doubt_is_read(desk: ResendDesk) -> None:
    """A doubt is read at once, at least every 10 s for five minutes, then ever more slowly, at most an hour apart."""
    began = desk.clock.now()
    read_at: list[timedelta] = []

    async def step(name: str) -> None:
        if name == "provider.trades before" and desk.provider.calls:
            read_at.append(desk.clock.now() - began)
            desk.clock.advance(seconds=0.3)  # an answer takes its time

    desk.step = step
    unknown = await doubtful(desk)
    assert len(read_at) == 1
    for number in range(1, 12 * 60 * 12):
        desk.clock.advance(seconds=(began + timedelta(seconds=TICK * number) - desk.clock.now()).total_seconds())
        await desk.delivery.tick()

    gaps = [(later, later - earlier) for earlier, later in pairwise(read_at)]
    often = [gap for at, gap in gaps if at <= timedelta(minutes=5)]
    seldom = [gap for at, gap in gaps if at > timedelta(minutes=6)]
    assert len(often) >= 30
    assert max(often) <= timedelta(seconds=10)
    assert all(later >= earlier - timedelta(seconds=2 * TICK) for earlier, later in pairwise(seldom))
    assert timedelta(minutes=30) < seldom[-1] <= timedelta(hours=1, seconds=TICK)
    assert desk.provider.calls == {TRADE: 1}
    assert (await desk.row(unknown)).state is ResendState.UNKNOWN


async def test_read_at_every_start(desk: ResendDesk) -> None:
    """However seldom a doubt is read by then, a start reads it at once."""
    unknown = await doubtful(desk)
    await ticks(desk, seconds=15 * 60)
    readings = desk.provider.readings
    await desk.delivery.tick()
    assert desk.provider.readings == readings
    desk.provider.carry_out(TRADE)

    await desk.restart()

    ended = await desk.row(unknown)
    assert (ended.state, ended.outcome) == (ResendState.SENT, Outcome.READ_BACK)
    assert desk.cards.shown[unknown.id] == ended
    assert desk.cards.told[-1].code == desk.provider.kept[TRADE].code


async def test_several_doubts(desk: ResendDesk) -> None:
    """One reading settles all that it can: several doubts do not wait for each other's readings."""
    doubts = [await doubtful(desk, trade_id) for trade_id in (1, 2, 3)]
    desk.provider.carry_out(1)
    desk.provider.carry_out(3)
    readings = desk.provider.readings

    await ticks(desk, seconds=TICK)

    assert desk.provider.readings == readings + 1
    assert [(await desk.row(doubt)).state.value for doubt in doubts] == ["sent", "unknown", "sent"]


async def test_provider_that_cannot_be_read(desk: ResendDesk) -> None:
    """While the provider is down a doubt stays one, requests still expire, and it is settled once it is back."""
    unknown = await doubtful(desk)
    waiting = await desk.requested(2)
    desk.provider.cannot_be_read = refusal(FailureKind.UNREACHABLE)
    desk.provider.carry_out(TRADE)
    await ticks(desk, seconds=60)
    assert (await desk.row(unknown)).state is ResendState.UNKNOWN
    desk.clock.advance(hours=24)
    await desk.delivery.tick()
    assert (await desk.row(waiting)).state is ResendState.EXPIRED
    desk.provider.cannot_be_read = None

    desk.clock.advance(hours=1)
    await desk.delivery.tick()

    assert (await desk.row(unknown)).state is ResendState.SENT


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
async def test_reading_that_proves_nothing(desk: ResendDesk, facts: dict[str, object]) -> None:
    """A trade that merely changed, or is another's by now, does not settle a doubt."""
    unknown = await doubtful(desk)
    desk.provider.change(TRADE, **facts)

    await ticks(desk, seconds=30)

    assert (await desk.row(unknown)).state is ResendState.UNKNOWN
