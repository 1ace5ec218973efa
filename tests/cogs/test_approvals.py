"""/approvals: the queue of open requests, and *Take*, through the simulated Discord."""

import re

import discord
import simcord

from bot.demo.scene import Scene
from bot.domain.audit import AuditAction
from bot.domain.trades import RESENDABLE_STATUSES
from tests.cogs.approvals import (
    TO_APPROVE,
    another_moderator,
    buttons,
    face,
    failed_trade,
    give_reason,
    now,
    requested,
    state_of,
)
from tests.cogs.test_resend_life import restarted
from tests.support.seen import buttons_of, embed_text, text_of


async def _queue(scene: Scene, who: simcord.MemberActor | None = None) -> discord.Message:
    result = await (who or scene.moderator).slash(scene.channel, "approvals")
    assert result.ephemeral
    assert result.response is not None
    return result.response.message


# The queue


async def test_oldest_first(scene: Scene) -> None:
    """Each open request says whose it is, how old, why the trade failed and who is on it; ended ones are counted."""
    cards = [await requested(scene, failed_trade(scene, number)) for number in range(3)]
    await scene.env.advance_time(600)
    await give_reason(await scene.moderator.click(cards[1], label="Deny"), scene.moderator, "no")
    await scene.moderator.click(cards[2], label="Take")

    text = embed_text((await _queue(scene)).embeds[0])

    assert "Open resends: 2" in text
    assert "Asked for in the last 24 hours: 3 · denied: 1 · median time to a decision over 7 days: 10 min" in text
    first, third = text.split("\n\n")[1:]
    trade, asked = failed_trade(scene), int(scene.clock.now().timestamp()) - 600
    address = f"https://discord.com/channels/{scene.guild.id}/{scene.channel.id}/{cards[0].id}"
    assert first.split("\n") == [
        f"**Resend 1** · <@{scene.customer.id}> · trade #{trade.id} · 2 items · [open the card]({address})",
        f"Asked <t:{asked}:R> · expires <t:{asked + 24 * 3600}:R>",
        "Last error: An item of the offer is no longer there",
    ]
    assert third.startswith("**Resend 3**")
    assert f"/{cards[2].id})" in third
    assert f"👀 Taken by <@{scene.moderator.id}> <t:" in third


async def test_many(scene: Scene) -> None:
    """Many requests have pages, which show what is open when they are turned, also after a restart."""
    failed = [trade for trade in scene.world.trades if str(trade.status) in RESENDABLE_STATUSES and trade.items_send]
    cards = [await requested(scene, trade) for trade in failed[:14]]
    shown = await _queue(scene)
    assert {"First", "Previous", "Next", "Last", "Refresh", "Stop resends"} == set(buttons_of(shown))
    assert re.findall(r"Resend (\d+)", embed_text(shown.embeds[0])) == ["1", "2", "3", "4", "5", "6"]
    await restarted(scene)

    turned = await scene.moderator.click(shown, label="Last")

    assert turned.response is not None
    assert turned.response.id == shown.id
    assert re.findall(r"Resend (\d+)", text_of(turned)) == ["13", "14"]
    await give_reason(await scene.moderator.click(cards[0], label="Deny"), scene.moderator, "no")
    first = await scene.moderator.click(turned.response, label="First")
    assert re.findall(r"Resend (\d+)", text_of(first)) == ["2", "3", "4", "5", "6", "7"]


async def test_withdraw_from_the_queue(scene: Scene) -> None:
    """A moderator withdraws an own request here; others' requests have no such button."""
    await requested(scene, failed_trade(scene))
    own = await requested(scene, failed_trade(scene, 1), by=scene.moderator)
    shown = await _queue(scene)
    assert [label for label in buttons_of(shown) if "Withdraw" in label] == ["Withdraw 2"]
    assert not any("Withdraw" in label for label in buttons_of(await _queue(scene, another_moderator(scene))))

    await scene.moderator.click(shown, label="Withdraw 2")

    assert state_of(scene, own) == "withdrawn"
    refreshed = await scene.moderator.click(shown, label="Refresh")
    assert "Open resends: 1" in text_of(refreshed)


# Take


def _take(scene: Scene, card: discord.Message) -> str:
    (label,) = (label for label in buttons(scene, card) if label.startswith("Take"))
    return label


async def test_take(scene: Scene) -> None:
    """Who takes a card is named on it, another takes it over from them, and the taker releases it."""
    ana = another_moderator(scene, "ana")
    card = await requested(scene, failed_trade(scene))

    taken = text_of(await scene.moderator.click(card, label="Take"))

    assert "You are on it now" in taken
    assert f"👀 Taken by <@{scene.moderator.id}> <t:" in face(scene, card)
    assert buttons(scene, card) == {
        "Approve": "resend:1:approve",
        "Deny": "resend:1:deny",
        "Take over / release": f"resend:1:take:{scene.moderator.id}",
    }
    await restarted(scene)
    over = text_of(await ana.click(now(scene, card), label=_take(scene, card)))
    assert f"Taken over from <@{scene.moderator.id}>" in over
    assert f"👀 Taken by <@{ana.id}>" in face(scene, card)

    released = text_of(await ana.click(now(scene, card), label=_take(scene, card)))

    assert "No one is on it now" in released
    assert "👀" not in face(scene, card)
    assert buttons(scene, card) == TO_APPROVE
    rows = await scene.client.services.audit._rows.newest(scene.guild.id, limit=9, action=AuditAction.RESEND_TAKEN)
    assert [row.actor_id for row in reversed(rows)] == [scene.moderator.id, ana.id, ana.id]


async def test_taken_by_another_first(scene: Scene) -> None:
    """Of two who press *Take* on the same card one has it: the other learns who, and takes nothing away."""
    ana = another_moderator(scene, "ana")
    card = await requested(scene, failed_trade(scene))
    scene.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50013, times=None)
    await scene.moderator.click(card, label="Take")

    late = text_of(await ana.click(card, label="Take"))

    assert f"Taken by <@{scene.moderator.id}>" in late
    assert "Nothing was changed" in late
    scene.env.backend.faults.clear()
    assert "You are on it now" in text_of(await scene.moderator.click(card, label="Take"))
    assert f"👀 Taken by <@{scene.moderator.id}>" in face(scene, card)
    assert "Taken over from" in text_of(await ana.click(now(scene, card), label=_take(scene, card)))


async def test_others_decide_all_the_same(scene: Scene) -> None:
    """A taken card is approved by another as it was judged before; after the end no one is on it."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    await scene.moderator.click(card, label="Take")
    assert "Others may still decide." in face(scene, card)

    approved = await another_moderator(scene).click(card, label="Approve")

    assert "Resend 1 · sent" in text_of(approved)
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    assert "👀" not in face(scene, card)
    assert buttons(scene, card) == {}


async def test_take_what_one_may_not_decide(scene: Scene) -> None:
    """The requester does not take a card: that would only keep others away."""
    card = await requested(scene, failed_trade(scene), by=scene.moderator)

    refused = text_of(await scene.moderator.click(card, label="Take"))

    assert "Someone else has to decide" in refused
    assert "👀" not in face(scene, card)
    assert buttons(scene, card) == TO_APPROVE


# Earlier ones


async def test_history(scene: Scene) -> None:
    """The card says how earlier requests of this trade, and of the same account's others, ended."""
    first = await requested(scene, failed_trade(scene))
    await give_reason(await scene.moderator.click(first, label="Deny"), scene.moderator, "Wait for Monday")
    other = await requested(scene, failed_trade(scene, 1))
    await scene.moderator.click(other, label="Approve")

    again = face(scene, await requested(scene, failed_trade(scene)))

    denied = rf"Resend 1 · denied\*\* · by <@{scene.moderator.id}> · <t:\d+:R> · Reason: Wait for Monday"
    assert re.search(rf"Earlier requests for this trade\n\*\*{denied}", again)
    assert re.search(
        rf"Other trades of this account\n\*\*Resend 2 · sent\*\* · trade #{failed_trade(scene, 1).id} · <t:", again
    )
