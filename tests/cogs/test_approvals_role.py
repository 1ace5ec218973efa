"""/settings approvals-role: whom a new card and its reminder mention, and what keeps that from reaching them."""

from typing import Any

import discord
import pytest
import simcord

from bot.demo.scene import Scene
from tests.cogs.approvals import another_moderator, failed_trade, newest_card, refreshed, requested
from tests.cogs.test_access import owner_of
from tests.cogs.test_resend_reminders import half_time
from tests.cogs.test_settings import say


def _posts(scene: Scene) -> list[dict[str, Any]]:
    """Return every message to the channel and every edit there, as Discord got them."""
    where = f"/channels/{scene.channel.id}/messages"
    found = [each for each in scene.env.http_requests if each.method in ("POST", "PATCH") and where in each.path]
    return [each.json for each in found if each.json is not None]


def _mentions(scene: Scene) -> list[tuple[str, list[int]]]:
    """Return what messages to the channel said beside their embed, and which roles they could notify."""
    return [
        (post["content"], [int(role) for role in post["allowed_mentions"].get("roles", ())])
        for post in _posts(scene)
        if post.get("content") or post.get("allowed_mentions", {"parse": []}) != {"parse": []}
    ]


async def _set(scene: Scene, role: simcord.RoleHandle | discord.Role) -> str:
    return await say(scene, owner_of(scene), "approvals-role", role=role)


async def test_new_card_and_reminder(scene: Scene) -> None:
    """A new card and its reminder mention the role, each once; no edit does, and nothing else is mentioned."""
    role = scene.moderators
    assert f"Approvals role\n{role.mention} · mentioned on a new card" in await _set(scene, role)
    card = await requested(scene, failed_trade(scene))
    once = [(f"<@&{role.id}>", [role.id])]
    assert _mentions(scene) == once
    await scene.moderator.click(card, label="Take")
    assert _mentions(scene) == once

    await half_time(scene)

    assert _mentions(scene) == once * 2
    await another_moderator(scene).click(newest_card(scene), label="Approve")
    assert _mentions(scene) == once * 2


async def test_replaced_card(scene: Scene) -> None:
    """A card that was deleted is posted again without a second mention."""
    await _set(scene, scene.moderators)
    card = await requested(scene, failed_trade(scene))
    scene.env.backend.delete_message(scene.channel.id, card.id)

    scene.env.backend.advance_clock(1860)
    await refreshed(scene)

    assert newest_card(scene).id != card.id
    assert len(_mentions(scene)) == 1


async def test_everyone_stands_for_no_one(scene: Scene) -> None:
    """With @everyone the setting is cleared: that never notifies a whole server."""
    await _set(scene, scene.moderators)

    assert "Approvals role\nnone" in await _set(scene, scene.guild.default_role)
    await requested(scene, failed_trade(scene))

    assert _mentions(scene) == []


async def test_deleted_role(scene: Scene) -> None:
    """A deleted role is not mentioned, and the settings say so."""
    role = scene.guild.create_role("Night shift", mentionable=True)
    await _set(scene, role)
    scene.env.backend.delete_role(scene.guild.id, role.id)

    await requested(scene, failed_trade(scene))

    assert _mentions(scene) == []
    assert "Approvals role: it was deleted" in await say(scene, owner_of(scene), "show")


@pytest.mark.parametrize("mentionable", [True, False])
async def test_role_that_discord_would_not_notify(scene: Scene, *, mentionable: bool) -> None:
    """The command says what to change if Discord would notify no one, or the role cannot read the channel."""
    everybody = scene.guild.default_role
    hidden: dict[Any, discord.PermissionOverwrite] = {
        everybody: discord.PermissionOverwrite(view_channel=False),
        scene.moderators: discord.PermissionOverwrite(view_channel=True),
    }
    private = scene.guild.create_text_channel("private", overwrites=hidden)
    await say(scene, owner_of(scene), "approvals-channel", channel=private)
    role = scene.guild.create_role("Night shift", mentionable=mentionable)

    shown = await _set(scene, role)

    assert ("Discord would notify no one" in shown) is not mentionable
    assert ("Mention @everyone, @here, and All Roles" in shown) is not mentionable
    assert f"Approvals role: it does not see {private.mention}" in shown
