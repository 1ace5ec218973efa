"""/link: which Steam account belongs to which member."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.links import Link, LinkSource
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Tone, card
from bot.ui.rights import needs, open_to_everybody
from bot.ui.text import relative

_SOURCES = {LinkSource.STAFF: "set by", LinkSource.SIGN_IN: "by signing in through Steam:"}


class LinksCog(commands.GroupCog, group_name="link", group_description="Connect a Steam account with a member"):
    """One's own link, and links set by the staff."""

    @app_commands.command(name="set", description="Staff: link a member to their Steam account")
    @app_commands.describe(member="Whose account it is", steam="Their SteamID (17 digits) or their trade URL")
    @needs(Capability.MANAGE_LINKS)
    async def set(self, interaction: Interaction, member: discord.Member, steam: str) -> None:
        """Link a member."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        link = await desk_of(interaction).links.set_for(member.id, steam, by=actor_of(interaction))
        await reply(
            interaction,
            card(
                title="✅ Linked",
                description=f"<@{link.user_id}> is SteamID `{link.steam_id}` on this server from now on.",
                colour=Tone.GOOD,
            ),
        )

    @app_commands.command(name="status", description="See which Steam account is linked to you on this server")
    @open_to_everybody("it shows one's own link alone")
    async def status(self, interaction: Interaction) -> None:
        """Show the caller's link."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        link = await desk_of(interaction).links.status(by=actor_of(interaction))
        await reply(interaction, _status_embed(link))

    @app_commands.command(name="remove", description="Remove the link between you and your Steam account")
    @open_to_everybody("it removes one's own link alone")
    async def remove(self, interaction: Interaction) -> None:
        """Remove the caller's link."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        link = await desk_of(interaction).links.remove_own(by=actor_of(interaction))
        if link is None:
            await reply(interaction, _status_embed(None))
            return
        await reply(
            interaction,
            card(
                title="✅ Removed",
                description=f"SteamID `{link.steam_id}` is no longer linked to you on this server.",
                colour=Tone.GOOD,
            ),
        )


def _status_embed(link: Link | None) -> discord.Embed:
    if link is None:
        return card(
            title="No Steam account is linked to you",
            description="Ask the staff here to link it, and tell them your SteamID or trade URL in private.",
            colour=Tone.NEUTRAL,
        )
    return card(
        title="Your Steam account",
        description=(
            f"SteamID `{link.steam_id}`, {_SOURCES[link.source]} <@{link.linked_by}> {relative(link.linked_at)}."
        ),
        colour=Tone.NEUTRAL,
    )


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(LinksCog())
