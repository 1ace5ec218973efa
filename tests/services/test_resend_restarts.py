"""Shutdown begins nothing new and leaves honest outcomes; a start recovers requests and sends nothing."""

import asyncio

import pytest

from bot.domain.errors import ShuttingDown
from bot.domain.resends import TELLING_IN_DOUBT, Outcome, ResendState
from tests.fakes.trade_provider import Held
from tests.services.resend_setup import CUSTOMER, MODERATOR, TRADE, ResendSetup, face


@pytest.mark.parametrize("done", [True, False])
async def test_shutdown_during_the_call(services: ResendSetup, *, done: bool) -> None:
    """The outcome is unknown; the next start settles it by reading, or shows the buttons to settle it by hand."""
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

    recovered = await services.row(resend)
    assert recovered.state is (ResendState.SENT if done else ResendState.UNKNOWN)
    assert face(services.cards.shown[resend.id]) == face(recovered)
    assert services.provider.calls == {TRADE: 1}


async def test_answer_during_shutdown(services: ResendSetup) -> None:
    """An answer that comes in time is stored, shown and told."""
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
    assert services.cards.states_for(CUSTOMER.user_id) == ["sent"]


async def test_shutdown_while_discord_hangs(services: ResendSetup) -> None:
    """Discord delays neither the shutdown nor the stored outcome."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)

    async def hang(name: str) -> None:
        if name == "cards.update before":
            await asyncio.Event().wait()

    services.step = hang
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    async with asyncio.timeout(30):
        await services.delivery.close(within=0.0)

    await asyncio.gather(approving, return_exceptions=True)
    assert (await services.row(resend)).outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize("moment", [None, "provider.trades after", "resends.approve after"])
async def test_shutdown_before_the_call(services: ResendSetup, moment: str | None) -> None:
    """Nothing is sent once the shutdown began; the next process can approve."""
    resend = await services.requested()

    async def stop(name: str) -> None:
        if name == moment:
            services.step = None
            await asyncio.wait({asyncio.create_task(services.delivery.close(within=0.0))}, timeout=0)
            await asyncio.sleep(0)

    services.step = stop
    if moment is None:
        await services.delivery.close(within=0.0)
    answers = await asyncio.gather(services.approve(resend.id, by=MODERATOR), return_exceptions=True)

    assert isinstance(answers[0], ShuttingDown | asyncio.CancelledError)
    assert services.provider.calls == {}
    await services.restart()
    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


@pytest.mark.parametrize("moment", ["cards.post before", "cards.post after", "resends.attach_card before"])
async def test_crash_around_the_first_post(services: ResendSetup, moment: str) -> None:
    """The next start posts the card, or finds the one that was posted; the request is never cancelled for it."""

    async def crash(name: str) -> None:
        if name == moment:
            services.crash()

    services.step = crash
    await asyncio.gather(services.requested(), return_exceptions=True)
    services.step = None
    (left,) = await services.repositories.resends.all_open()
    assert left.message_id is None

    await services.start()

    assert services.cards.cards_of(left.id) == [(await services.row(left)).message_id]
    assert services.cards.posted == {left.id: 1}
    assert services.cards.messages == []
    assert (await services.approve(left.id, by=MODERATOR)).state is ResendState.SENT


async def test_starts_leave_ended_requests_alone(services: ResendSetup) -> None:
    await services.approve((await services.requested()).id, by=MODERATOR)
    messages, written = list(services.cards.messages), await services.written()

    for _ in range(3):
        await services.restart()

    assert services.cards.messages == messages
    assert await services.written() == written


@pytest.mark.parametrize(
    ("moment", "is_told"),
    [
        ("resends.begin_telling before", True),
        ("resends.begin_telling after", False),
        ("cards.tell before", False),
        ("resends.finalise before", False),
    ],
)
async def test_crash_around_telling(services: ResendSetup, moment: str, *, is_told: bool) -> None:
    """The next start tells an end that no one has begun to tell; what was begun is not told again, says the card."""
    resend = await services.requested()

    async def crash(name: str) -> None:
        if name == moment:
            services.crash()

    services.step = crash
    await asyncio.gather(services.deny(resend.id, by=MODERATOR), return_exceptions=True)
    services.step = None
    services.cards.messages.clear()

    await services.restart()

    assert bool(services.cards.messages) is is_told
    assert (TELLING_IN_DOUBT in services.cards.shown[resend.id].notes) is not is_told
    assert await services.repositories.resends.not_finalised() == ()
