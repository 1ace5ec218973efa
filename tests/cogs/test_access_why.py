"""/access why and the warnings about grants, through the simulated Discord."""

from typing import Any

import discord
import simcord
from simcord.backend import serializers

from bot.demo.scene import Scene
from bot.ui.access import RevokeDeletedButton
from tests.cogs.test_access import owner_of, say
from tests.support.seen import buttons_of, text_of


def announce(scene: Scene, role: simcord.RoleHandle, **facts: Any) -> None:
    """Let Discord say more of a role than the simulation knows: its tags and flags."""
    payload = dict(serializers.role_payload(role._role)) | facts
    scene.env.backend.emit("GUILD_ROLE_UPDATE", {"guild_id": str(scene.guild.id), "role": payload})


def role_with(scene: Scene, name: str, *permissions: str, position: int = 1) -> simcord.RoleHandle:
    """Make a role with some of Discord's permissions; 1 is the lowest place."""
    granted = discord.Permissions(**dict.fromkeys(permissions, True))
    return scene.guild.create_role(name, permissions=granted, position=position)


async def why(scene: Scene, member: simcord.MemberActor, capability: str) -> str:
    return await say(scene, owner_of(scene), "why", member=member, capability=capability)


async def warnings_in(scene: Scene) -> list[str]:
    return [line for line in (await say(scene, owner_of(scene), "list")).splitlines() if line.startswith("⚠️")]


# /access why


async def test_through_several_roles(scene: Scene) -> None:
    """Each role that gives it is named: taking it from one alone would change nothing. The newest grant counts."""
    owner = owner_of(scene)
    grant = {"role": scene.guild.default_role, "capability": "audit.read"}
    for command in ("grant", "revoke", "grant"):
        await say(scene, owner, command, **grant)

    text = await why(scene, scene.moderator, "audit.read")

    rows = await scene.client.services.access._rows.newest(scene.guild.id, limit=1, subject=f"role:{scene.guild.id}")
    assert f"Through @everyone. Granted by: {owner.mention}" in text
    assert f", row {rows[0].number})" in text
    assert f"Through {scene.moderators.mention}. Granted by: " in text
    for role in ("@everyone", "@Moderators"):
        assert f"`/access revoke role:{role} capability:audit.read`" in text


async def test_owner_and_administrators(scene: Scene) -> None:
    """Rights by office are listed apart from rights by a role."""
    admins = role_with(scene, "Admins", "administrator")
    administrator = scene.guild.add_member(scene.env.create_user("ada"), roles=[admins])
    for who, office in ((owner_of(scene), "the server's owner"), (administrator, "an administrator")):
        text = await why(scene, who, "access.manage")
        assert f"As {office}, who always has these: `access.manage`, `settings.manage`" in text
        assert "No command takes it from owner and administrators" in text
        assert "⛔ No" in await why(scene, who, "audit.read")


async def test_what_is_missing(scene: Scene) -> None:
    """Who holds it, how it is given, and who could: the owner, administrators, and the roles with access.manage."""
    assert "Who can grant it\nThe server's owner and administrators." in await why(scene, scene.agent, "audit.read")
    await say(scene, owner_of(scene), "grant", role=scene.moderators, capability="access.manage")

    text = await why(scene, scene.agent, "audit.read")

    assert text.startswith(f"⛔ No\n{scene.agent.mention} may not do this:\n**audit.read: read the audit log**\n")
    assert f"None of their roles has it. Roles that have it: {scene.moderators.mention}\n" in text
    assert f"Give them a role in the server's list of members: {scene.moderators.mention}\n" in text
    grant = "`/access grant role:@Support capability:audit.read`"
    assert f"To everyone with {scene.support.mention}: {grant}" in text
    assert f"administrators, and members with `access.manage`: {scene.moderators.mention}" in text


# Warnings


async def test_after_a_grant(scene: Scene) -> None:
    """The answer to a grant says what is so because of this very grant, and of no other."""
    fans, boosters = scene.guild.create_role("Fans"), scene.guild.create_role("Boosters")
    linked, buyers, bots = (scene.guild.create_role(name) for name in ("Linked", "Buyers", "Bots"))
    announce(scene, fans, flags=1)
    announce(scene, boosters, managed=True, tags={"premium_subscriber": None})
    announce(scene, linked, tags={"guild_connections": None})
    announce(scene, buyers, managed=True, tags={"integration_id": "5", "subscription_listing_id": "6"})
    announce(scene, bots, managed=True, tags={"bot_id": "7"})
    owner = owner_of(scene)
    for role, reason in (
        (fans, "members choose this role themselves"),
        (boosters, "members who boost the server get this role"),
        (linked, "members choose this role themselves"),
        (buyers, "members who buy this role get it"),
        (bots, "a bot or another service gives this role"),
        (scene.guild.default_role, "that is every member"),
    ):
        text = await say(scene, owner, "grant", role=role, capability="trades.any")
        assert "✅ Done" in text
        assert "Check: 1 warning" in text
        assert reason in text
        assert f"role:@{role.name.lstrip('@')} capability:trades.any`" in text
    assert "Check: " not in await say(scene, owner, "grant", role=scene.support, capability="audit.read")


async def test_manage_roles(scene: Scene) -> None:
    """A role that others can hand to themselves is named with theirs; administrators' and bots' roles are not."""
    role_with(scene, "Admins", "administrator", "manage_roles", position=20)
    assert await warnings_in(scene) == []
    helpers = role_with(scene, "Helpers", "manage_roles", position=19)

    support, moderators = await warnings_in(scene)

    for line, role in ((support, scene.support), (moderators, scene.moderators)):
        assert line.startswith(f"⚠️ {role.mention}: members without `access.manage` can give it to themselves")
        assert f"Members of these roles can: {helpers.mention}." in line
    await say(scene, owner_of(scene), "grant", role=helpers, capability="access.manage")
    assert await warnings_in(scene) == []


async def test_deleted_roles(scene: Scene) -> None:
    """What deleted roles hold is revoked by a button, which names no role: none of them can be chosen any more."""
    owner, gone = owner_of(scene), scene.guild.create_role("Gone")
    for capability in ("audit.read", "trades.any"):
        await say(scene, owner, "grant", role=gone, capability=capability)
    scene.env.backend.delete_role(scene.guild.id, gone.id)
    listed = await owner.slash(scene.channel, "access list")
    assert f"deleted role `{gone.id}`: `audit.read`, `trades.any`" in text_of(listed)
    (warning,) = await warnings_in(scene)
    assert f"1 deleted role still has capabilities (`{gone.id}`)." in warning
    assert listed.response is not None

    clicked = await owner.click(listed.response, label="Revoke deleted roles")

    assert clicked.ephemeral
    assert "Capabilities revoked: 2 · Deleted roles: 1" in text_of(clicked)
    assert await warnings_in(scene) == []
    lines = (await say(scene, owner, "list")).splitlines()
    assert sum(line.startswith((scene.support.mention, scene.moderators.mention, "@everyone")) for line in lines) == 3
    shown = await owner.slash(scene.channel, "access list")
    assert shown.response is not None
    assert buttons_of(shown.response.message) == {}


async def test_while_the_roles_are_not_known(scene: Scene) -> None:
    """While Discord has not told the roles, no role is called deleted, and the button takes nothing away."""
    owner = owner_of(scene)
    view = discord.ui.View(timeout=None)
    view.add_item(RevokeDeletedButton())
    await scene.client.get_partial_messageable(scene.channel.id, guild_id=scene.guild.id).send("Again", view=view)
    message = scene.channel.history()[-1]
    guild = scene.client.get_guild(scene.guild.id)
    assert guild is not None
    guild.unavailable = True

    listed = text_of(await owner.slash(scene.channel, "access list"))
    clicked = text_of(await owner.click(message, label="Revoke deleted roles"))

    guild.unavailable = False
    assert "SkinDesk does not see this server yet" in listed
    assert "deleted role" not in listed
    assert "SkinDesk does not see this server yet" in clicked
    assert f"{scene.support.mention}: `inventory.any`" in await say(scene, owner, "list")
