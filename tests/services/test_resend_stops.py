"""Stopping takes nothing new and leaves an honest doubt; starting takes up what was left and sends nothing."""

import asyncio

import pytest

from bot.domain.errors import ShuttingDown
from bot.domain.resends import Outcome, ResendState
from tests.fakes.trade_provider import Held
from tests.services.resend_setup import AGENT, CUSTOMER, MODERATOR, TRADE, ResendDesk, face


@pytest.mark.parametrize("done", [True, False])
async def test_stopped_during_the_call(services: ResendDesk, *, done: bool) -> None:
    """A stop in a call leaves an honest doubt, which the next start settles by reading or shows with its buttons."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    await services.delivery.close(within=0.01)

    stopped = await services.row(resend)
    assert (stopped.state, stopped.outcome) == (ResendState.UNKNOWN, Outcome.INTERRUPTED)
    await asyncio.gather(approving, return_exceptions=True)
    assert approving.cancelled()
    if done:
        services.provider.carry_out(TRADE)

    await services.start()

    kept = await services.row(resend)
    assert kept.state is (ResendState.SENT if done else ResendState.UNKNOWN)
    assert face(services.cards.shown[resend.id]) == face(kept)
    assert services.provider.calls == {TRADE: 1}


async def test_stop_that_waits(services: ResendDesk) -> None:
    """An answer that comes while the stop still waits is kept, shown and told."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    stopping = asyncio.create_task(services.delivery.close(within=10.0))
    await asyncio.sleep(0)

    held.let_go()
    await stopping

    assert (await approving).state is ResendState.SENT
    assert services.cards.shown[resend.id].state is ResendState.SENT
    assert services.cards.told_to(CUSTOMER.user_id) == ["sent"]


async def test_stop_while_discord_hangs(services: ResendDesk) -> None:
    """A Discord that does not answer does not keep the program from stopping, nor the doubt from being kept."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)

    async def hang(name: str) -> None:
        if name == "cards.update before":
            await asyncio.Event().wait()

    services.step = hang
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    async with asyncio.timeout(5):
        await services.delivery.close(within=0.0)

    await asyncio.gather(approving, return_exceptions=True)
    assert (await services.row(resend)).outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize(
    ("left", "taken_up"),
    [
        (ResendState.APPROVED, ResendState.PENDING),
        (ResendState.SENDING, ResendState.UNKNOWN),
        (ResendState.UNKNOWN, ResendState.UNKNOWN),
        (ResendState.PENDING, ResendState.PENDING),
    ],
)
async def test_start_with_what_was_left(services: ResendDesk, left: ResendState, taken_up: ResendState) -> None:
    """A start sends nothing: sending becomes a doubt, approved is pending again, and the cards say so."""
    resend = await services.requested()
    resends, now = services.repositories.resends, services.clock.now()
    if left is not ResendState.PENDING:
        await resends.approve(resend.guild_id, resend.id, version=1, by=MODERATOR.user_id, at=now)
    if left in (ResendState.SENDING, ResendState.UNKNOWN):
        await resends.begin_sending(resend.guild_id, resend.id, at=now)
    if left is ResendState.UNKNOWN:
        await resends.mark_unknown(
            resend.guild_id, resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now
        )
    services.crash()

    await services.start()

    kept = await services.row(resend)
    assert kept.state is taken_up
    assert services.cards.shown[resend.id].state is taken_up
    assert services.provider.calls == {}
    if left is ResendState.APPROVED:
        assert (kept.decided_by, kept.notes, kept.version) == (None, ("restarted",), 2)
        assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_start_after_a_crash_before_the_card(services: ResendDesk) -> None:
    """A request whose card never came ends at the next start, its requester hears of it, and can ask again."""

    async def crash(name: str) -> None:
        if name == "cards.post before":
            services.crash()

    services.step = crash
    await asyncio.gather(services.requested(), return_exceptions=True)
    services.step = None
    (left,) = await services.repositories.resends.all_open()

    await services.start()

    assert (await services.row(left)).decision_reason == "card_not_posted"
    assert services.cards.told_to(AGENT.user_id) == ["cancelled"]
    assert (await services.requested()).state is ResendState.PENDING


async def test_start_does_not_disturb_what_has_ended(services: ResendDesk) -> None:
    """Ended requests stay as they are over any number of starts, and nobody is told again."""
    await services.approve((await services.requested()).id, by=MODERATOR)
    told, written = list(services.cards.told), await services.written()

    for _ in range(3):
        await services.restart()

    assert services.cards.told == told
    assert await services.written() == written


async def test_stopping(services: ResendDesk) -> None:
    """Once the program stops nothing is approved."""
    resend = await services.requested()
    await services.delivery.close(within=0.0)
    readings = services.provider.readings

    with pytest.raises(ShuttingDown):
        await services.approve(resend.id, by=MODERATOR)

    assert services.provider.readings == readings
    assert await services.row(resend) == resend


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve after"])
async def test_stopped_in_the_middle(services: ResendDesk, moment: str) -> None:
    """A stop between the click and the call sends nothing; after the next start somebody can decide."""
    resend = await services.requested()

    async def stop(name: str) -> None:
        if name == moment:
            services.step = None
            await asyncio.wait({asyncio.create_task(services.delivery.close(within=0.0))}, timeout=0)
            await asyncio.sleep(0)

    services.step = stop
    answers = await asyncio.gather(services.approve(resend.id, by=MODERATOR), return_exceptions=True)

    assert isinstance(answers[0], ShuttingDown | asyncio.CancelledError)
    assert services.provider.calls == {}
    await services.restart()
    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT
