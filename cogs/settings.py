"""/settings: where cards and audit posts go."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.settings import GuildSettings
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Field, Tone, card
from bot.ui.rights import needs


class SettingsCog(commands.GroupCog, group_name="settings", group_description="Set this server's channels"):
    """The server's settings; needs settings.manage."""

    @app_commands.command(name="show", description="See this server's settings")
    @needs(Capability.MANAGE_SETTINGS)
    async def show(self, interaction: Interaction) -> None:
        """Show the settings."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        settings = await desk_of(interaction).settings.show(by=actor_of(interaction))
        await reply(interaction, _settings_embed("Settings", settings))

    @app_commands.command(name="approvals-channel", description="Set where moderators are asked to approve resends")
    @app_commands.describe(channel="A channel only the moderators can read")
    @needs(Capability.MANAGE_SETTINGS)
    async def approvals_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the approvals channel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        desk, actor = desk_of(interaction), actor_of(interaction)
        settings = await desk.settings.set_approvals_channel(channel.id, by=actor)
        await reply(interaction, _changed_embed(settings, channel, interaction))

    @app_commands.command(name="audit-channel", description="Set where the staff reads who did what")
    @app_commands.describe(channel="A channel only the staff can read")
    @needs(Capability.MANAGE_SETTINGS)
    async def audit_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the audit channel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        desk, actor = desk_of(interaction), actor_of(interaction)
        settings = await desk.settings.set_audit_channel(channel.id, by=actor)
        await reply(interaction, _changed_embed(settings, channel, interaction))


def _changed_embed(settings: GuildSettings, channel: discord.TextChannel, interaction: Interaction) -> discord.Embed:
    embed = _settings_embed("✅ Set", settings)
    missing = _missing_permissions(channel, interaction)
    if missing:
        embed.add_field(name="⚠️ SkinDesk cannot post there yet", value=f"It lacks: {missing}.", inline=False)
    return embed


def _missing_permissions(channel: discord.TextChannel, interaction: Interaction) -> str:
    if interaction.guild is None:
        return ""
    has = channel.permissions_for(interaction.guild.me)
    needed = {
        "View Channel": has.view_channel,
        "Send Messages": has.send_messages,
        "Embed Links": has.embed_links,
    }
    return ", ".join(name for name, held in needed.items() if not held)


def _settings_embed(title: str, settings: GuildSettings) -> discord.Embed:
    return card(
        title=title,
        fields=[
            Field("Approvals channel", _channel(settings.approvals_channel_id)),
            Field("Audit channel", _channel(settings.audit_channel_id)),
        ],
        colour=Tone.NEUTRAL,
    )


def _channel(channel_id: int | None) -> str:
    return f"<#{channel_id}>" if channel_id is not None else "not set"


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(SettingsCog())
