"""What a moderator has not been shown is not approved, even where a crash kept the card from showing it."""

from contextlib import suppress
from dataclasses import replace
from typing import Literal

import pytest

from bot.domain.errors import AlreadyDecided, CardOutdated, TradeChanged
from bot.domain.resends import Resend, ResendState
from tests.services.resend_setup import GUILD, MODERATOR, OTHER_MODERATOR, TRADE, Crashed, ResendDesk


async def _changed_unseen(services: ResendDesk, edits: Literal["refused", "lost"] = "refused") -> Resend:
    """Return a request whose new facts did not get to its card for certain, as a first try to approve it left it."""
    resend = await services.requested()
    services.provider.change(TRADE, status=5)
    services.cards.edits = edits
    with pytest.raises(TradeChanged):
        await services.approve(resend.id, by=MODERATOR)
    return resend


@pytest.mark.parametrize("edits", ["refused", "lost"])
async def test_facts_that_did_not_get_to_the_card(services: ResendDesk, edits: Literal["refused", "lost"]):
    """While Discord does not say that the card shows the new facts nobody approves them, whatever they see there."""
    resend = await _changed_unseen(services, edits)

    for seen in (None, 1, 2):
        with pytest.raises(CardOutdated) as outdated:
            await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=seen)
        assert not outdated.value.resend.is_shown

    assert (await services.row(resend)).state is ResendState.PENDING
    assert services.provider.calls == {}


async def test_pressing_brings_the_card_up_to_date(services: ResendDesk):
    """Whoever presses an outdated card gets to see the newest one, and it is that which they approve then."""
    resend = await _changed_unseen(services)
    services.cards.edits = "taken"
    assert services.cards.shown[resend.id].facts.status == -1

    with pytest.raises(CardOutdated) as outdated:
        await services.approve(resend.id, by=OTHER_MODERATOR)

    assert outdated.value.resend.is_shown
    assert services.cards.shown[resend.id].facts.status == 5
    assert services.provider.calls == {}
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_edit_whose_answer_was_lost(services: ResendDesk):
    """Who presses a card that shows the newest facts, which nobody knew, has that found out, and approves then."""
    resend = await _changed_unseen(services, "lost")
    services.cards.edits = "taken"

    with pytest.raises(CardOutdated) as outdated:
        await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=2)

    assert outdated.value.resend.is_shown
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_new_facts_whose_finder_left(services: ResendDesk):
    """Where whoever found new facts was gone before the card was edited, the background shows them within seconds."""
    resend = await services.requested()
    facts = replace(resend.facts, status=5)
    await services.repositories.resends.revise(GUILD, resend.id, facts, version=1, at=services.clock.now())
    services.clock.advance(seconds=5)

    await services.delivery.refresh_cards()

    assert services.cards.shown[resend.id].facts.status == 5


@pytest.mark.parametrize("seen", [None, 0, 1, 3])
async def test_pressed_on_what_is_not_the_newest(services: ResendDesk, seen: int | None):
    """A click on a message that showed something else, or nothing, approves nothing, though the card is right now."""
    resend = await _changed_unseen(services)
    services.cards.edits = "taken"
    await services.delivery.refresh_cards()
    assert (await services.row(resend)).is_shown

    with pytest.raises(CardOutdated):
        await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=seen)

    assert services.provider.calls == {}
    assert (await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=2)).state is ResendState.SENT


async def test_outdated_cards_in_the_background(services: ResendDesk):
    """Cards that Discord left as they were are shown anew within seconds of its being back, ended ones too."""
    resend = await _changed_unseen(services)
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


async def test_outdated_card_over_a_restart(services: ResendDesk):
    """That a card does not show the newest facts is known to the next process too."""
    resend = await _changed_unseen(services)

    await services.restart()
    with pytest.raises(CardOutdated):
        await services.service.approve(resend.id, by=OTHER_MODERATOR, seen=2)

    services.cards.edits = "taken"
    await services.restart()
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_outdated_card_that_is_gone(services: ResendDesk):
    """A card that could not be edited and then is gone is posted anew, and that one can be approved."""
    resend = await _changed_unseen(services)
    services.cards.gone.add((await services.row(resend)).message_id)

    with pytest.raises(CardOutdated) as outdated:
        await services.approve(resend.id, by=OTHER_MODERATOR)

    assert outdated.value.resend.is_shown
    assert services.cards.posted[resend.id] == 2
    assert (await services.approve(resend.id, by=OTHER_MODERATOR)).state is ResendState.SENT


async def test_pressed_on_an_outdated_card_after_the_end(services: ResendDesk):
    """Whoever presses a card that is outdated because somebody decided is told of that decision."""
    resend = await _changed_unseen(services)
    await services.service.deny(resend.id, by=MODERATOR)

    with pytest.raises(AlreadyDecided):
        await services.approve(resend.id, by=OTHER_MODERATOR)


async def test_crash_between_new_facts_and_their_card(services: ResendDesk):
    """Facts that were kept just before a crash are on the card once the next process has started."""
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
