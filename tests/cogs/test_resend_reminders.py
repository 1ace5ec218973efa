"""The reminder of a request without a decision, through the simulated Discord."""

import asyncio
import re

import pytest

from bot.demo.scene import Scene
from tests.cogs.approvals import TO_APPROVE, buttons, face, failed_trade, newest_card, now, requested, state_of

_HALF = 12 * 3600


async def _settled(scene: Scene) -> None:
    """Wait until the cards are up to date: that is work in the background, over the database."""
    await scene.env.settle()
    while running := scene.client.services.delivery._board.running:
        await asyncio.wait(running, timeout=10)
        await scene.env.settle()


async def half_time(scene: Scene) -> None:
    """Let half of a request's life pass, with only the last round of the background."""
    await _settled(scene)
    scene.env.backend.advance_clock(_HALF)
    await scene.client.services.delivery.refresh_cards()
    await _settled(scene)


def _ids(scene: Scene) -> list[int]:
    return [message.id for message in scene.channel.history()]


async def test_half_time(scene: Scene) -> None:
    """At half of its life a card moves to the channel's end and says how long there is; the old one is gone."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    later = await requested(scene, failed_trade(scene, 1))
    scene.env.backend.advance_clock(_HALF - 10)
    await scene.client.services.delivery.refresh_cards()
    await _settled(scene)
    assert _ids(scene) == [card.id, later.id]
    assert "Still waiting" not in face(scene, card)

    scene.env.backend.advance_clock(11)
    await scene.client.services.delivery.refresh_cards()
    await _settled(scene)

    first, second = scene.channel.history()
    assert {first.id, second.id}.isdisjoint({card.id, later.id})
    assert re.search(r"\*\*Still waiting: expires <t:\d+:R>\.\*\*", face(scene, first))
    assert buttons(scene, first) == TO_APPROVE

    await scene.moderator.click(first, label="Approve")

    assert state_of(scene, first) == "sent"
    assert "Still waiting" not in face(scene, first)
    assert scene.providers.mannco.resend_calls == {trade.id: 1}


async def test_only_once(scene: Scene) -> None:
    """A request is recalled once, also over a restart."""
    await requested(scene, failed_trade(scene))
    await half_time(scene)
    again = _ids(scene)

    for _ in range(2):
        scene.env.backend.advance_clock(3600)
        await scene.client.services.delivery.recover()
        await scene.client.services.delivery.refresh_cards()
        await _settled(scene)

    assert _ids(scene) == again


@pytest.mark.parametrize("edit_fails", [False, True])
async def test_old_card_that_stays(scene: Scene, *, edit_fails: bool) -> None:
    """An old card that cannot be deleted loses its buttons; where not even that works, the new one is there still."""
    card = await requested(scene, failed_trade(scene))
    scene.env.inject_error("DELETE", f"/channels/*/messages/{card.id}", status=403, code=50013, times=None)
    if edit_fails:
        scene.env.inject_error("PATCH", f"/channels/*/messages/{card.id}", status=403, code=50013, times=None)

    await half_time(scene)

    assert (now(scene, card).components == []) is not edit_fails
    again = newest_card(scene)
    assert again.id != card.id
    await scene.moderator.click(again, label="Approve")
    assert state_of(scene, again) == "sent"


async def test_channel_that_takes_no_card(scene: Scene) -> None:
    """If the reminder cannot be posted, the old card stays."""
    card = await requested(scene, failed_trade(scene))
    scene.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)

    await half_time(scene)

    assert _ids(scene) == [card.id]
    assert buttons(scene, card) == TO_APPROVE
