"""Cards whose message or channel is gone while their request is open, through the simulated Discord."""

from typing import Any

import pytest
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import ResendAnswer
from bot.domain.resends import PostedCard
from tests.cogs.approvals import (
    buttons,
    choose_reason,
    failed_trade,
    followups,
    give_reason,
    newest_card,
    refreshed,
    requested,
    state_of,
)
from tests.support.seen import embed_text, extra_text_of, text_of


async def _half_an_hour(scene: Scene) -> None:
    """Let the time pass in which a card is looked for, with only the last round of the background."""
    await scene.env.settle()
    scene.env.backend.advance_clock(1800)
    await _round(scene)


async def _round(scene: Scene) -> None:
    scene.env.backend.advance_clock(60)
    await refreshed(scene)


def _delete(scene: Scene, message_id: int) -> None:
    """Delete a message, as a moderator may in their channel."""
    scene.env.backend.delete_message(scene.channel.id, message_id)


def _posts(channel: simcord.ChannelHandle) -> list[str]:
    return [embed_text(message.embeds[0]) for message in channel.history()]


async def test_deleted_card(scene: Scene) -> None:
    """A deleted card is posted again with working buttons, and ``/approvals`` links to it."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    _delete(scene, card.id)
    assert _posts(scene.channel) == []

    await _half_an_hour(scene)

    again = newest_card(scene)
    assert again.id != card.id
    assert state_of(scene, again) == "pending"
    assert f"/{scene.channel.id}/{again.id})" in text_of(await scene.moderator.slash(scene.channel, "approvals"))
    await scene.moderator.click(again, label="Approve")
    assert state_of(scene, again) == "sent"
    assert len(_posts(scene.channel)) == 1
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    posts = [request.json for request in scene.env.http_requests if request.method == "POST" and request.json]
    first, second = [post["nonce"] for post in posts if "nonce" in post and "Resend 1" in str(post)][:2]
    assert first.startswith("1-")
    assert second == f"re-{card.id}"
    assert all(len(nonce) <= 25 for nonce in (first, second))


async def test_card_deleted_before_an_edit(scene: Scene) -> None:
    """An edit that finds no card posts it: a doubt that arises then has its buttons."""
    scene.providers.mannco.next_resends.append(ResendAnswer.LOST_BEFORE)
    card = await requested(scene, failed_trade(scene))
    click = scene.moderator.click(card, label="Approve")
    scene.env.inject_error("PATCH", f"/channels/*/messages/{card.id}", status=404, code=10008, times=None)

    await click

    again = newest_card(scene)
    assert again.id != card.id
    assert state_of(scene, again) == "unknown"
    assert "Mark as sent" in str(again.components)


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001), (403, 50005)])
async def test_channel_gone(scene: Scene, status: int, code: int) -> None:
    """A card whose channel is gone or closed, or that is another bot's, moves to the channel that is set now.

    Until then it is tried again.
    """
    card = await requested(scene, failed_trade(scene))
    paths = (f"/channels/{scene.channel.id}/messages/*", "/channels/*/messages")
    for method, path in (("GET", paths[0]), ("PATCH", paths[0]), ("POST", paths[1])):
        scene.env.inject_error(method, path, status=status, code=code, times=None)
    await _half_an_hour(scene)
    tried = [one for one in scene.env.http_requests if one.method == "POST" and one.path.endswith("/messages")]

    await _round(scene)
    await _round(scene)

    tried_again = [one for one in scene.env.http_requests if one.method == "POST" and one.path.endswith("/messages")]
    assert len(tried_again) - len(tried) == 2
    scene.env.backend.faults.clear()
    scene.env.inject_error("PATCH", f"/channels/{scene.channel.id}/messages/*", status=status, code=code, times=None)
    elsewhere = scene.guild.create_text_channel("approvals")
    await scene.client.services.settings.set_approvals_channel(elsewhere.id, by=scene.owner)

    await _round(scene)

    (message,) = elsewhere.history()
    assert "Resend 1 · pending" in embed_text(message.embeds[0])
    link = f"https://discord.com/channels/{scene.guild.id}/{elsewhere.id}/{message.id}"
    assert link in text_of(await scene.moderator.slash(scene.channel, "approvals"))
    await scene.moderator.click(message, label="Approve")
    assert "Resend 1 · sent" in embed_text(elsewhere.history()[0].embeds[0])
    assert state_of(scene, card) == "pending"


async def test_deleted_by_the_end(scene: Scene) -> None:
    """If the card is gone when its request ends, it stays gone, and the outcome is reported."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    asked = await scene.moderator.click(card, label="Deny")
    scene.env.inject_error("PATCH", f"/channels/*/messages/{card.id}", status=404, code=10008, times=None)

    answer = await give_reason(asked, scene.moderator, "no")

    assert "Resend 1 · denied" in text_of(answer)
    assert len(_posts(scene.channel)) == 1


async def test_deleted_after_the_end(scene: Scene) -> None:
    """The card of a settled request is not posted again."""
    card = await requested(scene, failed_trade(scene))
    await scene.moderator.click(card, label="Approve")
    _delete(scene, card.id)

    await _half_an_hour(scene)

    assert _posts(scene.channel) == []


# Discord's trouble


async def test_post_that_discord_does_not_take(scene: Scene) -> None:
    """While Discord is broken, the request is kept and its card posted later; the requester is told so."""
    scene.env.inject_error("POST", f"/channels/{scene.channel.id}/messages", status=503, times=None)

    answer = text_of(await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id)))

    assert "as soon as Discord takes it" in answer
    assert _posts(scene.channel) == []
    listed = text_of(await scene.moderator.slash(scene.channel, "approvals"))
    assert "Resend 1" in listed
    assert "its card is not posted yet" in listed
    scene.env.backend.faults.clear()
    await _round(scene)
    card = newest_card(scene)
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"


async def test_click_brings_a_lost_card(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card whose answer was lost works, and becomes the request's card; no other one is posted."""

    async def lost(*args: Any, **how: Any) -> PostedCard:
        await post(*args, **how)
        raise OSError

    post = scene.client.cards.post
    monkeypatch.setattr(scene.client.cards, "post", lost)
    card = await requested(scene, failed_trade(scene))
    monkeypatch.undo()
    asked = await scene.moderator.click(card, label="Deny")
    await give_reason(asked, scene.moderator, "no")
    await _round(scene)

    assert state_of(scene, card) == "denied"
    assert len(_posts(scene.channel)) == 1


async def test_edits_limited(scene: Scene) -> None:
    """A card that is edited too often is posted again; the old one decides nothing, nor does a menu opened on it."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    menu = await scene.moderator.click(card, label="Deny")
    for method in ("PATCH", "DELETE"):
        path = f"/channels/*/messages/{card.id}"
        scene.env.inject_error(method, path, status=429, code=30046, times=None)
    trade.offer_id = "777"
    assert "The trade has changed" in text_of(await scene.moderator.click(card, label="Approve"))
    newest = newest_card(scene)
    assert newest.id != card.id

    late = await scene.moderator.click(card, label="Approve")

    (said,) = followups(late)
    assert "This card was replaced" in said
    assert f"/{newest.id})" in said
    assert buttons(scene, card) == {}
    assert "This card was replaced" in extra_text_of(await choose_reason(menu, scene.moderator, "duplicate"))
    assert scene.providers.mannco.resend_calls == {}
    await scene.moderator.click(newest, label="Approve")
    assert state_of(scene, newest) == "sent"


async def test_end_that_the_card_does_not_show(scene: Scene) -> None:
    """A click on a card whose last edit is limited shows the end on it, by the click's own answer."""
    card = await requested(scene, failed_trade(scene))
    for method, path in (("PATCH", f"/channels/*/messages/{card.id}"), ("POST", "/channels/*/messages")):
        scene.env.inject_error(method, path, status=429, code=30046, times=None)
    asked = await scene.moderator.click(card, label="Deny")
    await give_reason(asked, scene.moderator, "no")
    assert state_of(scene, card) == "pending"

    (said,) = followups(await scene.moderator.click(card, label="Deny"))

    assert "Already decided" in said
    assert state_of(scene, card) == "denied"
    assert buttons(scene, card) == {}
