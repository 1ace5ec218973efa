"""/resend: requests, refusals and suggestions."""

import re
from pathlib import Path

import discord
import pytest
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import WorldTrade
from bot.domain.access import Actor, Capability
from bot.domain.trades import RESENDABLE_STATUSES
from tests.cogs.approvals import (
    buttons,
    direct_messages,
    face,
    failed_trade,
    followups,
    newest_card,
    requested,
    scene_with,
    state_of,
)
from tests.cogs.test_resend_life import restarted
from tests.support.seen import text_of

_REFERENCE = re.compile(r"Reference \w+")


async def _refusal(scene: Scene, trade_id: object, *, by: simcord.MemberActor | None = None) -> str:
    """Ask in vain; return the answer, with the number that was asked for and the reference taken out."""
    result = await (by or scene.customer).slash(scene.channel, "resend", id=str(trade_id))
    assert result.ephemeral
    return _REFERENCE.sub("", text_of(result)).replace(str(trade_id), "…")


def _posted(scene: Scene) -> list[discord.Message]:
    """Return what everybody in the approvals channel sees."""
    return scene.channel.history()


# Refused


async def test_not_found_and_not_yours(scene: Scene) -> None:
    """For a customer, another owner's trade reads exactly like one that does not exist."""
    others = scene.world.trades_of(scene.world.other_customer)
    hidden = next(trade for trade in scene.world.trades_of(scene.world.customer) if trade.status == -11)

    texts = {await _refusal(scene, trade_id) for trade_id in (999_999, hidden.id, *(trade.id for trade in others[:9]))}

    assert len(texts) == 1
    assert "No such trade" in texts.pop()
    assert _posted(scene) == []


async def test_no_approvals_channel(scene: Scene) -> None:
    """Without a channel to ask in nothing is asked, and the answer names the command that sets one."""
    other = scene.env.create_guild("Another Market")
    scene.client.services.guilds.use([other.id])
    channel = other.create_text_channel("desk")
    role = other.create_role("Staff")
    agent = other.add_member(scene.agent.user, roles=[role])
    owner = Actor(other.id, other.owner.id, frozenset({other.id}), administers=True)
    await scene.client.services.access.grant(role.id, Capability.RESEND_ANY, by=owner)

    text = text_of(await agent.slash(channel, "resend", id=str(failed_trade(scene).id)))

    assert "`/settings approvals-channel`" in text
    assert scene.providers.mannco.calls == {}


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (400, 50035)])
async def test_channel_that_cannot_be_used(scene: Scene, status: int, code: int) -> None:
    """If the card cannot be posted, nothing stays open: the next request goes through."""
    trade = failed_trade(scene)
    scene.env.inject_error("POST", f"/channels/{scene.channel.id}/messages", status=status, code=code)

    text = await _refusal(scene, trade.id, by=scene.agent)

    assert "The approvals channel cannot be used" in text
    assert _posted(scene) == []
    assert state_of(scene, await requested(scene, trade)) == "pending"


async def test_provider_off(tmp_path: Path) -> None:
    """Without Mannco.store there is nothing to resend, and nothing to suggest."""
    assetpay = {"base_url": "http://127.0.0.1:1", "api_key": "ap_nobody_asks_with_this"}
    async with scene_with(tmp_path, providers={"assetpay": assetpay}) as scene:
        text = await _refusal(scene, failed_trade(scene).id, by=scene.agent)

        assert "Not set up here" in text
        assert await scene.agent.autocomplete(scene.channel, "resend", "id", "4") == []
        assert _posted(scene) == []


# Suggested


def _numbers(choices: list[dict[str, str]]) -> set[str]:
    return {choice["value"] for choice in choices}


def _resendable(trades: tuple[WorldTrade, ...]) -> set[str]:
    return {str(trade.id) for trade in trades if str(trade.status) in RESENDABLE_STATUSES and trade.items_send}


async def test_suggested_to_a_customer(scene: Scene) -> None:
    """A customer is suggested their own resendable trades and no other."""
    own = _resendable(scene.world.trades_of(scene.world.customer))

    assert _numbers(await scene.customer.autocomplete(scene.channel, "resend", "id", "")) == own
    some = min(own)
    assert _numbers(await scene.customer.autocomplete(scene.channel, "resend", "id", some)) == {some}
    assert await scene.customer.autocomplete(scene.channel, "resend", "id", "nothing like it") == []


async def test_suggested_to_an_agent(scene: Scene) -> None:
    """An agent is suggested everybody's, as many as Discord takes, each in words."""
    everybody = _resendable(tuple(scene.world.trades))
    assert len(everybody) > 25

    choices = await scene.agent.autocomplete(scene.channel, "resend", "id", "")

    assert len(choices) == 25
    assert _numbers(choices) <= everybody
    trade = failed_trade(scene)
    (choice,) = await scene.agent.autocomplete(scene.channel, "resend", "id", str(trade.id))
    assert choice["name"] == f"#{trade.id} · Failed · 2 items"


async def test_suggestions_without_a_provider(scene: Scene) -> None:
    """A provider that is down suggests nothing, and answers in time."""
    await scene.providers.mannco.stop()

    assert await scene.agent.autocomplete(scene.channel, "resend", "id", "4") == []


# Withdrawn


async def test_withdrawn(scene: Scene) -> None:
    """Its requester takes a request back, also after a restart: the card says so and the owner hears of it, once."""
    trade = failed_trade(scene)
    await requested(scene, trade)
    again = await scene.agent.slash(scene.channel, "resend", id=str(trade.id))
    assert "You have already asked for" in text_of(again)
    card = newest_card(scene)
    assert again.response is not None
    await restarted(scene)

    withdrawn = await scene.agent.click(again.response, label="Withdraw")
    await scene.env.advance_time(1)

    assert withdrawn.ephemeral
    assert f"Withdrawn by {scene.agent.mention}" in text_of(withdrawn)
    assert state_of(scene, card) == "withdrawn"
    assert f"Withdrawn by {scene.agent.mention}" in face(scene, card)
    assert buttons(scene, card) == {}
    assert [text.count("Withdrawn by") for text in direct_messages(scene.customer)] == [1]
    assert direct_messages(scene.agent) == followups(again) == []
    late = await scene.agent.click(again.response, label="Withdraw")
    assert "Already decided" in text_of(late)


async def test_withdrawn_too_late(scene: Scene) -> None:
    """What was decided first counts."""
    asked = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)
    await scene.moderator.click(card, label="Approve")

    assert asked.response is not None
    refused = text_of(await scene.agent.click(asked.response, label="Withdraw"))

    assert "Already decided" in refused
    assert state_of(scene, card) == "sent"
