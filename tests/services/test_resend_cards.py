"""Cards keep up with their requests, and no one approves facts that the card did not show."""

import asyncio
from contextlib import suppress
from typing import Literal

import pytest

from bot.domain.errors import ApprovalsChannelUnusable, CardOutdated, TradeChanged
from bot.domain.resends import Resend, ResendState
from tests.fakes.trade_provider import loses
from tests.services.resend_setup import MODERATOR, OTHER_MODERATOR, TRADE, Crashed, ResendSetup


async def test_slow_edit(services: ResendSetup) -> None:
    """An edit that began before a decision does not replace the decision's edit."""
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
    refreshing = asyncio.create_task(services.delivery.refresh_cards())
    await slow.wait()
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await settled.wait()
    await asyncio.wait({approving}, timeout=0.2)  # time enough to overtake, if it could
    go_on.set()
    await asyncio.gather(refreshing, approving)

    assert services.cards.shown[resend.id].state is ResendState.SENT


async def test_one_repost_per_round(services: ResendSetup) -> None:
    """However many cards are deleted, each round posts one; cards that cannot be posted take turns."""
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
async def test_card_lost_while_it_is_sent(services: ResendSetup, error: Exception) -> None:
    """A card that can be neither edited nor posted does not affect the outcome."""
    resend = await services.requested()
    services.cards.gone.add((await services.row(resend)).message_id)
    services.cards.post_fails_with = error

    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_discord_hangs(services: ResendSetup) -> None:
    """While an edit hangs, unknown outcomes are settled all the same."""
    await services.requested()
    services.clock.advance(minutes=11)
    unknown = await services.requested(2)
    services.provider.ways.append(loses)
    await services.approve(unknown.id, by=MODERATOR)
    hangs, go_on = asyncio.Event(), asyncio.Event()

    async def step(name: str) -> None:
        if name == "cards.update before" and not hangs.is_set():
            hangs.set()
            await go_on.wait()

    services.step = step
    refreshing = asyncio.create_task(services.delivery.refresh_cards())
    await hangs.wait()
    services.provider.carry_out(2)
    services.clock.advance(seconds=5)

    await services.delivery.tick()

    assert (await services.row(unknown)).state is ResendState.SENT
    go_on.set()
    await refreshing


# New facts that the card may not show


async def outdated(services: ResendSetup, edits: Literal["refused", "lost"] = "refused") -> Resend:
    """Return a request with new facts of which Discord did not confirm that the card shows them."""
    resend = await services.requested()
    services.provider.change(TRADE, status=5)
    services.cards.edits = edits
    with pytest.raises(TradeChanged):
        await services.approve(resend.id, by=MODERATOR)
    return resend


@pytest.mark.parametrize("edits", ["refused", "lost"])
async def test_unconfirmed_facts(services: ResendSetup, edits: Literal["refused", "lost"]):
    """They cannot be approved, until a press on the card brings it up to date."""
    resend = await outdated(services, edits)
    for seen in (None, 1, 2):
        with pytest.raises(CardOutdated) as refused:
            await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=seen)
        assert not refused.value.resend.is_shown

    services.cards.edits = "taken"
    with pytest.raises(CardOutdated) as refused:
        await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=2)

    assert refused.value.resend.is_shown
    assert services.cards.shown[resend.id].facts.status == 5
    assert services.provider.calls == {}
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_background_edits_outdated_cards(services: ResendSetup):
    """Cards of open and ended requests are edited within seconds after Discord takes edits again."""
    resend = await outdated(services)
    denied = await services.requested(2)
    await services.service.deny(denied.id, by=MODERATOR)
    for _ in range(3):
        services.clock.advance(seconds=5)
        await services.delivery.refresh_cards()
    assert services.cards.shown[denied.id].state is ResendState.PENDING
    services.cards.edits = "taken"

    for _ in range(2):
        services.clock.advance(seconds=5)
        await services.delivery.refresh_cards()

    assert services.cards.shown[resend.id].facts.status == 5
    assert services.cards.shown[denied.id].state is ResendState.DENIED
    assert (await services.row(resend)).is_shown


async def test_outdated_card_after_a_restart(services: ResendSetup):
    """The next process knows, too, that the card is outdated."""
    resend = await outdated(services)

    await services.restart()
    with pytest.raises(CardOutdated):
        await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=2)

    services.cards.edits = "taken"
    await services.restart()
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_outdated_card_is_deleted(services: ResendSetup):
    """It is reposted, and the new card can be approved."""
    resend = await outdated(services)
    services.cards.gone.add((await services.row(resend)).message_id)

    with pytest.raises(CardOutdated) as refused:
        await services.approve(resend.id, by=OTHER_MODERATOR)

    assert refused.value.resend.is_shown
    assert services.cards.posted[resend.id] == 2
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_crash_between_new_facts_and_their_card(services: ResendSetup):
    """The next process shows the stored facts at its start."""
    resend = await services.requested()
    services.provider.change(TRADE, status=5)

    async def crash_after_revising(name: str) -> None:
        if name == "resends.revise after":
            services.crash()

    services.step = crash_after_revising
    with suppress(Crashed):
        await services.approve(resend.id, by=MODERATOR)
    services.step = None
    assert (await services.row(resend)).facts.status == 5
    assert services.cards.shown[resend.id].facts.status == -1

    await services.start()

    shown = services.cards.shown[resend.id]
    assert (shown.state, shown.version, shown.facts.status) == (ResendState.PENDING, 2, 5)
    assert services.provider.calls == {}
