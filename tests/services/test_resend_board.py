"""Cards that keep up with their requests, whoever edits them and whatever becomes of them."""

import asyncio

import pytest

from bot.domain.errors import ApprovalsChannelUnusable
from bot.domain.resends import ResendState
from tests.fakes.trade_provider import loses
from tests.services.resend_setup import MODERATOR, ResendDesk


async def test_older_edit_that_is_slow(services: ResendDesk) -> None:
    """An edit that began before a decision does not cover what came of it."""
    resend = await services.requested()
    services.clock.advance(minutes=11)
    slow, go_on, settled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def step(name: str) -> None:
        if name == "resends.settle after":
            settled.set()
        if name == "cards.update before" and not slow.is_set():
            slow.set()
            await go_on.wait()

    services.step = step
    looking = asyncio.create_task(services.delivery.refresh_cards())
    await slow.wait()
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await settled.wait()
    await asyncio.wait({approving}, timeout=0.2)  # time enough to overtake, if it could
    go_on.set()
    await asyncio.gather(looking, approving)

    assert services.cards.shown[resend.id].state is ResendState.SENT


async def test_one_card_a_tick(services: ResendDesk) -> None:
    """However many cards are gone, each tick posts one, and those that cannot be posted take turns."""
    requests = [await services.requested(trade_id) for trade_id in (1, 2, 3)]
    services.clock.advance(minutes=11)
    services.cards.gone = {(await services.row(resend)).message_id for resend in requests}
    services.cards.post_fails_with = ApprovalsChannelUnusable()
    for _ in range(4):
        await services.delivery.refresh_cards()
        services.clock.advance(seconds=5)
    assert sum(services.cards.posted.values()) == 3
    services.cards.post_fails_with = None

    for number in range(3):
        assert sum(services.cards.posted.values()) == 3 + number
        await services.delivery.refresh_cards()
        services.clock.advance(seconds=5)

    assert services.cards.posted == {resend.id: 2 for resend in requests}


@pytest.mark.parametrize("error", [ApprovalsChannelUnusable(), OSError()])
async def test_card_lost_while_it_is_sent(services: ResendDesk, error: Exception) -> None:
    """That a card can be neither edited nor posted does not make what is done look undone."""
    resend = await services.requested()
    services.cards.gone.add((await services.row(resend)).message_id)
    services.cards.post_fails_with = error

    sent = await services.approve(resend.id, by=MODERATOR)

    assert sent.state is ResendState.SENT


async def test_deleted_while_it_was_stopped(services: ResendDesk) -> None:
    """A card that was deleted before a start is back with the first ticks after it."""
    resend = await services.requested()
    services.cards.gone.add((await services.row(resend)).message_id)
    services.clock.advance(hours=1)

    await services.restart()
    await services.delivery.refresh_cards()

    assert services.cards.posted[resend.id] == 2
    assert (await services.row(resend)).message_id not in services.cards.gone


async def test_discord_that_hangs(services: ResendDesk) -> None:
    """While a look at a card hangs in Discord, doubts are read and what is due expires all the same."""
    resend = await services.requested()
    services.clock.advance(minutes=11)
    doubtful = await services.requested(2)
    services.provider.ways.append(loses)
    await services.approve(doubtful.id, by=MODERATOR)
    hangs, go_on = asyncio.Event(), asyncio.Event()

    async def step(name: str) -> None:
        if name == "cards.update before" and not hangs.is_set():
            hangs.set()
            await go_on.wait()

    services.step = step
    looking = asyncio.create_task(services.delivery.refresh_cards())
    await hangs.wait()
    services.provider.carry_out(2)
    services.clock.advance(seconds=5)

    await services.delivery.tick()

    assert (await services.row(doubtful)).state is ResendState.SENT
    go_on.set()
    await looking
    assert services.cards.shown[resend.id].state is ResendState.PENDING
