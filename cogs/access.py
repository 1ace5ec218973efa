"""/access: which role may do what."""

from collections import defaultdict

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import BOOTSTRAP, Capability
from bot.services.access import GrantChange
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Field, Tone, card
from bot.ui.rights import needs

_WHAT = {
    Capability.INVENTORY_OWN: "look up one's own inventory",
    Capability.INVENTORY_ANY: "look up anybody's inventory",
    Capability.TRADES_OWN: "see one's own trades",
    Capability.TRADES_ANY: "see everybody's trades",
    Capability.RESEND_OWN: "ask for resends of one's own trades",
    Capability.RESEND_ANY: "ask for resends of anybody's trades",
    Capability.APPROVE_RESEND: "approve and deny resends",
    Capability.MANAGE_LINKS: "link Steam accounts to members",
    Capability.MANAGE_ACCESS: "grant and revoke capabilities",
    Capability.MANAGE_SETTINGS: "change this server's settings",
    Capability.READ_AUDIT: "read the audit",
}
_CHOICES = [
    app_commands.Choice(name=f"{capability.value}: {_WHAT[capability]}", value=capability.value)
    for capability in Capability
]


class AccessCog(commands.GroupCog, group_name="access", group_description="Decide which role may do what"):
    """Grants and revocations; needs access.manage."""

    @app_commands.command(name="grant", description="Give a role a capability")
    @app_commands.describe(role="Who gets it", capability="What they may do then")
    @app_commands.choices(capability=_CHOICES)
    @needs(Capability.MANAGE_ACCESS)
    async def grant(self, interaction: Interaction, role: discord.Role, capability: str) -> None:
        """Grant, and say whether that changed anything."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        change = await desk_of(interaction).access.grant(role.id, Capability(capability), by=actor_of(interaction))
        await reply(interaction, _change_embed(change, "may now" if change.changed else "already may"))

    @app_commands.command(name="revoke", description="Take a capability from a role")
    @app_commands.describe(role="Who loses it", capability="What they may no longer do")
    @app_commands.choices(capability=_CHOICES)
    @needs(Capability.MANAGE_ACCESS)
    async def revoke(self, interaction: Interaction, role: discord.Role, capability: str) -> None:
        """Revoke, and say whether that changed anything."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        change = await desk_of(interaction).access.revoke(role.id, Capability(capability), by=actor_of(interaction))
        await reply(interaction, _change_embed(change, "may no longer" if change.changed else "already may not"))

    @app_commands.command(name="list", description="See which role may do what")
    @needs(Capability.MANAGE_ACCESS)
    async def list(self, interaction: Interaction) -> None:
        """Show every grant, a role a line."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        actor = actor_of(interaction)
        by_role: dict[int, list[str]] = defaultdict(list)
        for grant in await desk_of(interaction).access.grants(by=actor):
            by_role[grant.role_id].append(grant.capability.value)
        lines = [
            f"{_mention(role_id, actor.guild_id)}: {', '.join(f'`{word}`' for word in sorted(words))}"
            for role_id, words in sorted(by_role.items())
        ]
        bootstrap = ", ".join(f"`{capability.value}`" for capability in sorted(BOOTSTRAP))
        await reply(
            interaction,
            card(
                title="Who may do what",
                description="\n".join(lines) or "No role holds anything.",
                fields=[Field("Always", f"The server's owner and administrators: {bootstrap}")],
                colour=Tone.NEUTRAL,
            ),
        )


def _change_embed(change: GrantChange, verb: str) -> discord.Embed:
    grant = change.grant
    who = _mention(grant.role_id, grant.guild_id)
    return card(
        title=("✅ " if change.changed else "") + ("Done" if change.changed else "Nothing to change"),
        description=f"{who} {verb} {_WHAT[grant.capability]} (`{grant.capability.value}`).",
        colour=Tone.GOOD if change.changed else Tone.NEUTRAL,
    )


def _mention(role_id: int, guild_id: int) -> str:
    return "@everyone" if role_id == guild_id else f"<@&{role_id}>"


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(AccessCog())
