"""Stopping all resends of a server, by hand or by an alarm, through the simulated Discord."""

import discord
import pytest
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import ResendAnswer
from bot.domain.access import Capability
from bot.services.resend_delivery import ResendDelivery
from bot.ui.kit.text import relative
from tests.cogs.approvals import (
    another_moderator,
    direct_messages,
    face,
    failed_trade,
    followups,
    give_reason,
    newest_card,
    requested,
    state_of,
)
from tests.cogs.test_resend_life import restarted
from tests.support.seen import buttons_of, embed_text, text_of


@pytest.fixture
async def manager(scene: Scene) -> simcord.MemberActor:
    """Return a member who may approve and change settings."""
    role = scene.guild.create_role("Managers")
    for capability in (Capability.MANAGE_SETTINGS, Capability.APPROVE_RESEND):
        await scene.client.services.access.grant(role.id, capability, by=scene.owner)
    return scene.guild.add_member(scene.env.create_user("kim"), roles=[role])


async def _audit_channel(scene: Scene) -> simcord.ChannelHandle:
    channel = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(channel.id, by=scene.owner)
    return channel


def _titles(channel: simcord.ChannelHandle) -> list[str]:
    return [message.embeds[0].title or "" for message in channel.history()]


async def _approvals(scene: Scene, who: simcord.MemberActor) -> discord.Message:
    """Return the answer to ``/approvals``."""
    result = await who.slash(scene.channel, "approvals")
    assert result.ephemeral
    assert result.response is not None
    return result.response.message


async def test_kill_switch(scene: Scene, manager: simcord.MemberActor) -> None:
    """Stopped, nothing is asked for or approved until it is resumed, and both are written down and posted."""
    audit = await _audit_channel(scene)
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    shown = await _approvals(scene, manager)
    assert buttons_of(shown)["Stop resends"].custom_id == "resends:pause"

    stopped = await manager.click(shown, label="Stop resends")

    pause = await scene.client.services.pauses.pause_of(scene.guild.id)
    assert pause is not None
    assert stopped.ephemeral
    assert "Resends are stopped" in text_of(stopped)
    asked = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene, 1).id))
    for refused in (asked, await scene.moderator.click(card, label="Approve")):
        assert refused.ephemeral
        text = text_of(refused)
        assert f"this server were stopped by <@{manager.id}> {relative(pause.at)}" in text
        assert "`settings.manage`" in text
    assert len(scene.channel.history()) == 1
    assert state_of(scene, card) == "pending"
    assert scene.providers.mannco.resend_calls == {}

    shown = await _approvals(scene, manager)
    assert f"this server were stopped by <@{manager.id}>" in embed_text(shown.embeds[0])
    assert "**Resend 1**" in embed_text(shown.embeds[0])
    assert buttons_of(shown)["Resume resends"].custom_id == f"resends:resume:{pause.number}"
    assert "Stop resends" not in buttons_of(shown)

    assert "Resends go on" in text_of(await manager.click(shown, label="Resume resends"))

    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    assert [title for title in _titles(audit) if title.startswith("Resends")] == ["Resends stopped", "Resends resumed"]


async def test_stopped_by_a_moderator(scene: Scene, manager: simcord.MemberActor) -> None:
    """Whoever may approve may stop; to resume, they need to be allowed to change settings."""
    stopped = text_of(await scene.moderator.click(await _approvals(scene, scene.moderator), label="Stop resends"))
    refused = text_of(await scene.moderator.click(await _approvals(scene, scene.moderator), label="Resume resends"))

    assert "Resends are stopped" in stopped
    assert "A member with `settings.manage` can resume them" in stopped
    assert "(`settings.manage`)" in refused
    pause = await scene.client.services.pauses.pause_of(scene.guild.id)
    assert pause is not None
    assert pause.by == scene.moderator.id


async def test_another_stop_by_now(
    scene: Scene, manager: simcord.MemberActor, caplog: pytest.LogCaptureFixture
) -> None:
    """An old answer to ``/approvals`` does not lift an alarm that came later: that has to be read first."""
    scene.providers.mannco.next_resends.append(ResendAnswer.OTHER_TRADE)
    card = await requested(scene, failed_trade(scene))
    await manager.click(await _approvals(scene, manager), label="Stop resends")
    old = await _approvals(scene, manager)
    await manager.click(old, label="Resume resends")
    await scene.env.advance_time(1)
    await scene.moderator.click(card, label="Approve")
    caplog.clear()  # of the alarm

    refused = text_of(await manager.click(old, label="Resume resends"))

    assert "Resends were stopped again" in refused
    assert "Mannco.store answered resend 1 about another trade" in refused
    assert "`/approvals`" in refused
    assert await scene.client.services.pauses.pause_of(scene.guild.id) is not None
    assert "Resends go on" in text_of(await manager.click(await _approvals(scene, manager), label="Resume resends"))


async def test_button_of_before(scene: Scene, manager: simcord.MemberActor) -> None:
    """A button that does not say for which stop it was shown resumes nothing."""
    await manager.click(await _approvals(scene, manager), label="Stop resends")
    old = await _approvals(scene, manager)
    (row,) = scene.env.backend.get_message(scene.channel.id, old.id).components
    row["components"][-1]["custom_id"] = "resends:resume"

    refused = text_of(await manager.click(old, label="Resume resends"))

    assert "Resends were stopped again" in refused
    assert await scene.client.services.pauses.pause_of(scene.guild.id) is not None


async def test_over_a_restart(scene: Scene, manager: simcord.MemberActor) -> None:
    """A stop outlives the run, and so do its buttons."""
    card = await requested(scene, failed_trade(scene))
    await manager.click(await _approvals(scene, manager), label="Stop resends")
    shown = await _approvals(scene, manager)

    await restarted(scene)

    assert "Resends are stopped" in text_of(await scene.moderator.click(card, label="Approve"))
    await manager.click(shown, label="Resume resends")
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"


async def test_alarm(scene: Scene, manager: simcord.MemberActor, caplog: pytest.LogCaptureFixture) -> None:
    """An answer about another trade stops everything by itself, and card, audit channel and refusals say so loudly."""
    audit = await _audit_channel(scene)
    other = another_moderator(scene)
    scene.providers.mannco.next_resends.append(ResendAnswer.OTHER_TRADE)
    request = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)
    waiting = await requested(scene, failed_trade(scene, 1))

    await scene.moderator.click(card, label="Approve")
    caplog.clear()

    assert state_of(scene, card) == "sent"
    assert "🚨 **ALARM: the answer was about another trade. All resends here were stopped.**" in face(scene, card)
    for text in (*followups(request), *direct_messages(scene.customer)):
        assert "ALARM" not in text
    (post,) = [message.embeds[0] for message in audit.history() if "ALARM" in (message.embeds[0].title or "")]
    assert "Resend: `1`" in embed_text(post)
    refused = text_of(await other.click(waiting, label="Approve"))
    assert "Mannco.store answered resend 1 about another trade" in refused
    assert "ALARM" in embed_text((await _approvals(scene, manager)).embeds[0])
    assert list(scene.providers.mannco.resend_calls.values()) == [1]

    denied = await give_reason(await other.click(waiting, label="Deny"), other, "not today")
    assert "denied" in text_of(denied)
    await manager.click(await _approvals(scene, manager), label="Resume resends")
    assert state_of(scene, await requested(scene, failed_trade(scene, 1))) == "pending"


@pytest.mark.parametrize("by_hand", [False, True])
async def test_doubt_while_stopped(scene: Scene, manager: simcord.MemberActor, *, by_hand: bool) -> None:
    """A doubt is settled while resends are stopped, by reading or by hand."""
    trade = failed_trade(scene)
    scene.providers.mannco.next_resends.append(ResendAnswer.LOST_BEFORE)
    card = await requested(scene, trade)
    await scene.moderator.click(card, label="Approve")
    await manager.click(await _approvals(scene, manager), label="Stop resends")
    assert state_of(scene, card) == "unknown"

    if by_hand:
        await give_reason(await scene.moderator.click(card, label="Mark as sent"), scene.moderator, "seen")
    else:
        scene.providers.mannco.carry_out(trade)
        await scene.env.advance_time(10)

    assert state_of(scene, card) == "sent"


async def test_stopped_between_approval_and_call(
    scene: Scene, manager: simcord.MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that comes after an approval and before its call still counts: pending again, and nothing is sent."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    pauses, send = scene.client.services.pauses, ResendDelivery.send

    async def stopped_first(delivery, approved):
        await pauses._pauses.pause(scene.guild.id, by=manager.id, at=scene.clock.now())
        return await send(delivery, approved)

    monkeypatch.setattr(ResendDelivery, "send", stopped_first)
    result = await scene.moderator.click(card, label="Approve")
    monkeypatch.undo()

    assert "Resends are stopped" in text_of(result)
    assert state_of(scene, card) == "pending"
    assert "stopped after an approval and before sending" in face(scene, card)
    assert scene.providers.mannco.resend_calls == {}
    await manager.click(await _approvals(scene, manager), label="Resume resends")
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "sent"
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
