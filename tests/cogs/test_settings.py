"""/settings through the simulated Discord: where cards and audit posts go."""

import discord
import simcord

from bot.demo.scene import Scene
from tests.cogs.test_access import owner_of
from tests.support.seen import text_of


async def say(scene: Scene, actor: simcord.MemberActor, command: str, **options: object) -> str:
    result = await actor.slash(scene.channel, f"settings {command}", **options)
    assert result.ephemeral
    return text_of(result)


async def test_show_and_set(scene: Scene) -> None:
    """Each channel is set by itself and shown from then on; setting one leaves the other."""
    owner = owner_of(scene)
    approvals, audit = scene.guild.create_text_channel("approvals"), scene.guild.create_text_channel("audit")
    here = f"Approvals channel\n{scene.channel.mention}"
    assert f"{here}\nAudit channel\nnot set" in await say(scene, owner, "show")

    assert f"{here}\nAudit channel\n{audit.mention}" in await say(scene, owner, "audit-channel", channel=audit)
    assert f"Approvals channel\n{approvals.mention}" in await say(scene, owner, "approvals-channel", channel=approvals)
    assert f"Approvals channel\n{approvals.mention}\nAudit channel\n{audit.mention}" in await say(scene, owner, "show")


async def test_a_channel_everybody_can_read(scene: Scene) -> None:
    """A channel that @everyone can read is set, and a warning says so, then and whenever settings are shown."""
    everybody, hidden = scene.guild.default_role, discord.PermissionOverwrite(view_channel=False)
    readers = discord.PermissionOverwrite(view_channel=True)
    private = scene.guild.create_text_channel("private", overwrites={everybody: hidden, scene.moderators: readers})
    public = scene.guild.create_text_channel("public")
    owner = owner_of(scene)

    assert "Approvals channel: everyone can read it" in await say(scene, owner, "show")
    hidden_now = await say(scene, owner, "approvals-channel", channel=private)
    assert "everyone" not in hidden_now
    shown_before = await say(scene, owner, "audit-channel", channel=public)
    assert "Audit channel: everyone can read it\nIt shows who did what to whom." in shown_before
    shown = await say(scene, owner, "show")
    assert "Approvals channel: everyone" not in shown
    assert "Audit channel: everyone can read it" in shown


async def test_show_tells_every_problem(scene: Scene) -> None:
    """Both channels are looked at whenever they are shown: not usable, readable by everybody, gone."""
    everybody = scene.guild.default_role
    closed = scene.guild.create_text_channel(
        "closed", overwrites={everybody: discord.PermissionOverwrite(send_messages=False)}
    )
    gone = scene.guild.create_text_channel("gone")
    owner = owner_of(scene)
    await say(scene, owner, "approvals-channel", channel=closed)
    await say(scene, owner, "audit-channel", channel=gone)
    scene.env.backend.delete_channel(gone.id)

    shown = await say(scene, owner, "show")

    assert "Approvals channel: SkinDesk cannot post there yet\nSkinDesk lacks: Send Messages and Embed Links." in shown
    assert "Approvals channel: everyone can read it" in shown
    assert "Audit channel: SkinDesk does not see it" in shown
