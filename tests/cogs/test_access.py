"""/access through the simulated Discord: which role may do what, from the first grant on."""

import discord
import simcord

from bot.demo.scene import Scene
from bot.domain.access import SEEDED
from tests.support.seen import text_of


def owner_of(scene: Scene) -> simcord.MemberActor:
    return simcord.MemberActor(scene.env, scene.guild, scene.guild.owner)


async def say(scene: Scene, actor: simcord.MemberActor, command: str, **options: object) -> str:
    result = await actor.slash(scene.channel, f"access {command}", **options)
    assert result.ephemeral
    return text_of(result)


async def test_a_new_server(scene: Scene) -> None:
    """Everybody may see and do their own, nothing else is granted, and the owner can begin."""
    elsewhere = scene.env.create_guild("Elsewhere")
    scene.client.services.guilds.use([elsewhere.id])
    channel = elsewhere.create_text_channel("desk")
    owner = simcord.MemberActor(scene.env, elsewhere, elsewhere.owner)
    text = text_of(await owner.slash(channel, "access list"))

    assert f"@everyone: {', '.join(f'`{each.value}`' for each in sorted(SEEDED))}\n" in text
    granted, _, warnings = text.partition("Check: ")
    assert granted.count("`") == 2 * (len(SEEDED) + 2), "nothing but the seed and what owners always hold"
    assert warnings.startswith("1 warning\n⚠️ **No one can approve resends**"), "and nobody has to look at the rest"
    assert "The server's owner and administrators: `access.manage`, `settings.manage`" in text


async def test_permissions_of_discord(scene: Scene) -> None:
    """Of Discord's permissions only Administrator lets a member change grants."""
    managing = discord.Permissions(manage_guild=True, manage_roles=True)
    managers = scene.guild.create_role("Managers", permissions=managing)
    manager = scene.guild.add_member(scene.env.create_user("max"), roles=[managers])
    grant = {"role": scene.support, "capability": "audit.read"}

    for command, options in (("grant", grant), ("revoke", grant), ("list", {})):
        assert "`access.manage`" in await say(scene, manager, command, **options)
    assert "`audit.read`" not in (await say(scene, owner_of(scene), "list")).split(scene.moderators.mention)[0]


async def test_an_audit_channel_that_cannot_be_used(scene: Scene) -> None:
    """A change is kept and confirmed although the audit channel cannot be posted to."""
    log = scene.guild.create_text_channel("audit")
    await scene.client.services.settings.set_audit_channel(log.id, by=scene.owner)
    scene.env.inject_error("POST", f"/channels/{log.id}/messages", status=403, code=50013)
    grant = {"role": scene.support, "capability": "audit.read"}

    assert "✅ Done" in await say(scene, owner_of(scene), "grant", **grant)

    audit_channel = scene.client.services.access._audit._channel
    audit_channel._client = Unreachable()  # type: ignore[attr-defined]
    assert "✅ Done" in await say(scene, owner_of(scene), "revoke", **grant)


class Unreachable:
    """A Discord to which no connection is made."""

    def get_partial_messageable(self, channel_id: int, *, guild_id: int) -> "Unreachable":
        return self

    async def send(self, **_: object) -> None:
        raise ConnectionResetError
