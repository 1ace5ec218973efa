"""Cards keep up with their requests, and no one approves facts that the card did not show."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import Literal

import pytest

from bot.domain.errors import ApprovalsChannelUnusable, CardOutdated, CardReplaced, TradeChanged
from bot.domain.resends import CardMessage, Resend, ResendState
from tests.fakes.trade_provider import loses
from tests.services.resend_setup import APPROVALS, MODERATOR, OTHER_MODERATOR, TRADE, Crashed, ResendSetup


async def test_slow_edit(services: ResendSetup) -> None:
    """An edit that began before a decision does not replace the decision's edit, and the decision does not wait."""
    resend = await services.requested()
    slow, go_on = asyncio.Event(), asyncio.Event()

    async def step(name: str) -> None:
        if name == "cards.update before" and not slow.is_set():
            slow.set()
            await go_on.wait()

    services.step = step
    services.board.show(resend, again=True)
    await slow.wait()
    approved = await services.service.approve(resend.id, by=MODERATOR, seen=1)
    assert approved.state is ResendState.SENT
    assert services.cards.shown[resend.id].state is ResendState.PENDING
    go_on.set()
    await services.told()

    assert services.cards.shown[resend.id].state is ResendState.SENT


async def test_cards_that_cannot_be_posted(services: ResendSetup) -> None:
    """Each round posts one of them; those that fail take turns, ever less often, and the request stays open."""
    requests = [await services.requested(trade_id) for trade_id in (1, 2, 3)]
    services.clock.advance(minutes=31)
    services.cards.gone = {(await services.row(resend)).message_id for resend in requests}
    services.cards.posts = "refused"
    for _ in range(3):
        await services.refresh()
        services.clock.advance(seconds=5)
    tried = 0

    async def count(name: str) -> None:
        nonlocal tried
        tried += name == "cards.post before"

    services.step = count
    for _ in range(120):
        await services.refresh()
        services.clock.advance(seconds=5)
    assert 30 <= tried <= 60
    assert sum(services.cards.posted.values()) == 3
    services.cards.posts = "taken"
    services.clock.step(hours=-1)

    for _ in range(13):
        await services.refresh()
        services.clock.advance(seconds=5)

    assert services.cards.posted == {resend.id: 2 for resend in requests}
    assert {(await services.row(resend)).state for resend in requests} == {ResendState.PENDING}


@pytest.mark.parametrize("error", [ApprovalsChannelUnusable(), OSError()])
async def test_card_lost_while_it_is_sent(services: ResendSetup, error: Exception) -> None:
    """A card that can be neither edited nor posted does not affect the outcome."""
    resend = await services.requested()
    services.cards.gone.add((await services.row(resend)).message_id)
    services.cards.post_fails_with = error

    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_unchanged_cards_are_left_alone(services: ResendSetup) -> None:
    """A card that is up to date is never edited; one that was deleted is found, at once if moderators look."""
    resend = await services.requested()
    log: list[str] = []

    async def note(name: str) -> None:
        log.append(name)

    services.step = note
    for _ in range(6 * 60 // 5):
        services.clock.advance(minutes=5)
        await services.refresh()
    assert "cards.update before" not in log
    assert log.count("cards.is_there before") <= 13
    services.cards.gone.add((await services.row(resend)).message_id)
    services.clock.advance(minutes=11)

    await services.queue.read(by=MODERATOR)
    await services.told()

    assert services.cards.posted[resend.id] == 2


# Discord is slow


async def test_discord_answers_no_edit(services: ResendSetup) -> None:
    """Decisions are told and unknown outcomes read while every edit hangs; the new cards show the end."""
    requests = [await services.requested(trade_id) for trade_id in (1, 2, 3)]
    services.cards.edits = "hang"

    for resend in requests[:2]:
        services.provider.ways.append(loses)
        assert (await services.service.approve(resend.id, by=MODERATOR, seen=1)).state is ResendState.UNKNOWN
    assert (await services.service.deny(requests[2].id, by=MODERATOR)).state is ResendState.DENIED
    await asyncio.wait(services.notifier.running)
    assert len(services.cards.messages) == 6
    assert len(services.board.running) >= 3
    read: list[float] = []

    async def note(name: str) -> None:
        if name == "provider.trades before":
            read.append((services.clock.now() - requests[0].requested_at).total_seconds())

    services.step = note
    for _ in range(12):
        services.clock.advance(seconds=5)
        await services.delivery.tick()
        await services.delivery.refresh_cards()
    assert max(later - earlier for earlier, later in pairwise(read)) <= 10
    services.provider.carry_out(1)
    services.clock.advance(seconds=5)
    await services.delivery.tick()
    assert (await services.row(requests[0])).state is ResendState.SENT

    services.cards.edits = "taken"
    await services.restart()
    for resend in requests:
        assert services.cards.shown[resend.id].state is (await services.row(resend)).state


@pytest.mark.parametrize("edits", ["late", "limited"])
async def test_limited_card(services: ResendSetup, edits: Literal["late", "limited"]) -> None:
    """A card whose edits are limited is posted again; the old one is removed, and decides nothing."""
    resend = await services.requested()
    old = await services.row(resend)
    services.provider.change(TRADE, status=5)
    services.cards.edits = edits
    with pytest.raises(TradeChanged):
        await services.approve(resend.id, by=MODERATOR)

    card = await services.row(resend)

    assert services.cards.cards_of(resend.id) == [card.message_id] != [old.message_id]
    assert (card.shown_version, services.cards.shown[resend.id].facts.status) == (2, 5)
    pressed = CardMessage(APPROVALS, old.message_id or 0)
    for version in (1, 2):
        with pytest.raises(CardReplaced) as replaced:
            await services.service.approve(resend.id, by=MODERATOR, seen=version, card=pressed)
        assert replaced.value.resend.message_id == card.message_id
    with pytest.raises(CardReplaced):
        await services.service.deny(resend.id, by=MODERATOR, card=pressed)
    assert services.provider.calls == {}
    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT
    assert services.cards.shown[resend.id].state is ResendState.SENT
    assert len(services.cards.cards_of(resend.id)) == 1


async def test_ends_are_told_once(services: ResendSetup) -> None:
    """Neither a card that is behind nor a restart tells an end again; the next start brings the card up to date."""
    denied, sent = await services.requested(1), await services.requested(2)
    services.cards.edits = "refused"
    await services.deny(denied.id, by=MODERATOR)
    await services.approve(sent.id, by=MODERATOR)
    assert services.cards.shown[denied.id].state is ResendState.PENDING
    told = list(services.cards.messages)

    for _ in range(2):
        await services.restart()
    services.cards.edits = "taken"
    await services.restart()

    assert services.cards.messages == told
    assert services.cards.shown[denied.id].state is ResendState.DENIED
    assert services.cards.shown[sent.id].state is ResendState.SENT


async def test_disk_full_after_telling(services: ResendSetup) -> None:
    """While it cannot be stored that an end was told, it is not told again; storing that is tried again."""
    resend = await services.requested()

    async def fail(name: str) -> None:
        if name == "resends.finalise before":
            raise OSError

    services.step = fail
    await services.deny(resend.id, by=MODERATOR)
    told = list(services.cards.messages)
    for _ in range(3):
        await services.tick()
    assert len(await services.repositories.resends.not_finalised()) == 1
    services.step = None
    await services.tick()

    assert services.cards.messages == told
    assert await services.repositories.resends.not_finalised() == ()


async def test_message_too_late(services: ResendSetup) -> None:
    """A message that Discord does not take in time is noted on the card, and the end is stored as told."""
    resend = await services.requested()
    services.cards.tells = "late"

    await services.deny(resend.id, by=MODERATOR)

    assert set(services.cards.shown[resend.id].notes) == {"requester_not_told", "owner_not_told"}
    assert await services.repositories.resends.not_finalised() == ()


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
    await services.deny(denied.id, by=MODERATOR)
    for _ in range(3):
        services.clock.advance(seconds=5)
        await services.refresh()
    assert services.cards.shown[denied.id].state is ResendState.PENDING
    services.cards.edits = "taken"

    for _ in range(6):
        services.clock.advance(seconds=5)
        await services.refresh()

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
