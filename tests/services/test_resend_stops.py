"""Stopping takes nothing new and leaves an honest doubt; starting takes up what was left and sends nothing."""

import asyncio

import pytest

from bot.domain.errors import ShuttingDown
from bot.domain.resends import Outcome, ResendState
from tests.fakes.trade_provider import Held
from tests.services.resend_desk import AGENT, CUSTOMER, MODERATOR, TRADE, ResendDesk, face


@pytest.mark.parametrize("done", [True, False])
async def test_stopped_during_the_call(desk: ResendDesk, *, done: bool) -> None:
    """A stop in a call leaves an honest doubt, which the next start settles by reading or shows with its buttons."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    await desk.delivery.close(within=0.01)

    stopped = await desk.row(resend)
    assert (stopped.state, stopped.outcome) == (ResendState.UNKNOWN, Outcome.INTERRUPTED)
    await asyncio.gather(approving, return_exceptions=True)
    assert approving.cancelled()
    if done:
        desk.provider.carry_out(TRADE)

    await desk.start()

    kept = await desk.row(resend)
    assert kept.state is (ResendState.SENT if done else ResendState.UNKNOWN)
    assert face(desk.cards.shown[resend.id]) == face(kept)
    assert desk.provider.calls == {TRADE: 1}


async def test_stop_that_waits(desk: ResendDesk) -> None:
    """An answer that comes while the stop still waits is kept, shown and told."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    stopping = asyncio.create_task(desk.delivery.close(within=10.0))
    await asyncio.sleep(0)

    held.let_go()
    await stopping

    assert (await approving).state is ResendState.SENT
    assert desk.cards.shown[resend.id].state is ResendState.SENT
    assert desk.cards.told_to(CUSTOMER.user_id) == ["sent"]


async def test_stop_while_discord_hangs(desk: ResendDesk) -> None:
    """A Discord that does not answer does not keep the program from stopping, nor the doubt from being kept."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)

    async def hang(name: str) -> None:
        if name == "cards.update before":
            await asyncio.Event().wait()

    desk.step = hang
    approving = asyncio.create_task(desk.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    async with asyncio.timeout(5):
        await desk.delivery.close(within=0.0)

    await asyncio.gather(approving, return_exceptions=True)
    assert (await desk.row(resend)).outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize(
    ("left", "taken_up"),
    [
        (ResendState.APPROVED, ResendState.PENDING),
        (ResendState.SENDING, ResendState.UNKNOWN),
        (ResendState.UNKNOWN, ResendState.UNKNOWN),
        (ResendState.PENDING, ResendState.PENDING),
    ],
)
async def test_start_with_what_was_left(desk: ResendDesk, left: ResendState, taken_up: ResendState) -> None:
    """A start sends nothing: sending becomes a doubt, approved is pending again, and the cards say so."""
    resend = await desk.requested()
    resends, now = desk.repositories.resends, desk.clock.now()
    if left is not ResendState.PENDING:
        await resends.approve(resend.guild_id, resend.id, version=1, by=MODERATOR.user_id, at=now)
    if left in (ResendState.SENDING, ResendState.UNKNOWN):
        await resends.begin_sending(resend.guild_id, resend.id, at=now)
    if left is ResendState.UNKNOWN:
        await resends.mark_unknown(
            resend.guild_id, resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now
        )
    desk.crash()

    await desk.start()

    kept = await desk.row(resend)
    assert kept.state is taken_up
    assert desk.cards.shown[resend.id].state is taken_up
    assert desk.provider.calls == {}
    if left is ResendState.APPROVED:
        assert (kept.decided_by, kept.notes, kept.version) == (None, ("restarted",), 2)
        assert (await desk.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_start_after_a_crash_before_the_card(desk: ResendDesk) -> None:
    """A request whose card never came ends at the next start, its requester hears of it, and can ask again."""

    async def crash(name: str) -> None:
        if name == "cards.post before":
            desk.crash()

    desk.step = crash
    await asyncio.gather(desk.requested(), return_exceptions=True)
    desk.step = None
    (left,) = await desk.repositories.resends.all_open()

    await desk.start()

    assert (await desk.row(left)).decision_reason == "card_not_posted"
    assert desk.cards.told_to(AGENT.user_id) == ["cancelled"]
    assert (await desk.requested()).state is ResendState.PENDING


async def test_start_does_not_disturb_what_has_ended(desk: ResendDesk) -> None:
    """Ended requests stay as they are over any number of starts, and nobody is told again."""
    await desk.approve((await desk.requested()).id, by=MODERATOR)
    told, written = list(desk.cards.told), await desk.written()

    for _ in range(3):
        await desk.restart()

    assert desk.cards.told == told
    assert await desk.written() == written


async def test_stopping(desk: ResendDesk) -> None:
    """Once the program stops nothing is approved."""
    resend = await desk.requested()
    await desk.delivery.close(within=0.0)
    readings = desk.provider.readings

    with pytest.raises(ShuttingDown):
        await desk.approve(resend.id, by=MODERATOR)

    assert desk.provider.readings == readings
    assert await desk.row(resend) == resend


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve after"])
async def test_stopped_in_the_middle(desk: ResendDesk, moment: str) -> None:
    """A stop between the click and the call sends nothing; after the next start somebody can decide."""
    resend = await desk.requested()

    async def stop(name: str) -> None:
        if name == moment:
            desk.step = None
            await asyncio.wait({asyncio.create_task(desk.delivery.close(within=0.0))}, timeout=0)
            await asyncio.sleep(0)

    desk.step = stop
    answers = await asyncio.gather(desk.approve(resend.id, by=MODERATOR), return_exceptions=True)

    assert isinstance(answers[0], ShuttingDown | asyncio.CancelledError)
    assert desk.provider.calls == {}
    await desk.restart()
    assert (await desk.approve(resend.id, by=MODERATOR)).state is ResendState.SENT
