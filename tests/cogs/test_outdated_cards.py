"""Cards that do not show the newest facts cannot be approved."""

import discord
from discord import MessageFlags

from bot.demo.scene import Scene
from bot.ui.resends.card import version_on
from tests.cogs.approvals import another_moderator, face, failed_trade, newest_card, now, requested, state_of
from tests.support.seen import text_of


async def _changed_unseen(scene: Scene) -> discord.Message:
    """Return a card that Discord did not let SkinDesk edit when a first try to approve it found other facts."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    trade.offer_id = "777"
    scene.env.inject_error("PATCH", f"/channels/*/messages/{card.id}", status=403, code=50013, times=None)
    assert "The trade has changed" in text_of(await scene.moderator.click(card, label="Approve"))
    return card


async def test_edit_refused(scene: Scene) -> None:
    """While Discord refuses the edit, no one can approve; after it, the facts on the card can be approved."""
    card = await _changed_unseen(scene)
    other = another_moderator(scene)
    assert "777" not in face(scene, card)

    refused = text_of(await other.click(card, label="Approve"))

    assert "The card is out of date" in refused
    assert "Nothing was sent" in refused
    assert "says `v2`" in refused
    assert "777" not in face(scene, card)
    assert scene.providers.mannco.resend_calls == {}

    scene.env.backend.faults.clear()
    shown = text_of(await other.click(card, label="Approve"))

    assert "The card was out of date" in shown
    assert "777" in face(scene, card)
    assert "#1 · v2 · Approving" in face(scene, card)
    assert scene.providers.mannco.resend_calls == {}
    assert "Resend 1 · sent" in text_of(await other.click(card, label="Approve"))
    assert list(scene.providers.mannco.resend_calls.values()) == [1]


async def test_brought_up_to_date_in_the_background(scene: Scene) -> None:
    """A refused edit is repeated within seconds, without a click."""
    card = await _changed_unseen(scene)
    scene.env.backend.faults.clear()

    await scene.env.advance_time(10)

    assert "777" in face(scene, card)
    assert "Resend 1 · sent" in text_of(await scene.moderator.click(card, label="Approve"))


async def test_pressed_before_the_edit_arrived(scene: Scene) -> None:
    """A click on what the card showed before the edit approves nothing, though the edit has been taken since."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    stored = scene.env.backend.get_message(scene.channel.id, card.id)
    before = list(stored.embeds)
    trade.offer_id = "777"
    await scene.moderator.click(card, label="Approve")
    assert "777" in face(scene, card)
    stored.embeds = before

    refused = text_of(await another_moderator(scene).click(card, label="Approve"))

    assert "The card was out of date" in refused
    assert "777" in face(scene, card)
    assert scene.providers.mannco.resend_calls == {}


async def test_embed_hidden_by_a_moderator(scene: Scene) -> None:
    """A card whose embed was hidden shows nothing to approve: it is brought back, and then can be approved."""
    card = await requested(scene, failed_trade(scene))
    stored = scene.env.backend.get_message(scene.channel.id, card.id)
    stored.flags |= MessageFlags.suppress_embeds.flag

    refused = text_of(await scene.moderator.click(card, label="Approve"))

    assert "The card was out of date" in refused
    assert scene.providers.mannco.resend_calls == {}
    assert not now(scene, card).flags.suppress_embeds
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"


async def test_version_of_another_request(scene: Scene) -> None:
    """The version in a message counts only for its own request."""
    card = await requested(scene, failed_trade(scene))
    await requested(scene, failed_trade(scene, 1))

    assert version_on(now(scene, card), 1) == 1
    assert version_on(now(scene, card), 2) is None
    assert version_on(newest_card(scene), 2) == 1
    assert version_on(None, 1) is None
