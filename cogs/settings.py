"""/settings: the channels of approval cards and audit posts, and the role that cards mention."""

from collections.abc import Iterator

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.settings import GuildSettings
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.layout import Field, Tone, card


class SettingsCog(
    commands.GroupCog, group_name="settings", group_description="Set where SkinDesk posts on this server"
):
    """The server's settings."""

    @app_commands.command(
        name="show", description="Administrators: see where SkinDesk posts, and what keeps it from that"
    )
    @requires(Capability.MANAGE_SETTINGS)
    async def show(self, interaction: Interaction) -> None:
        """Show the settings."""
        session = session_of(interaction)
        session.defer_if_slow()
        settings = await session.services.settings.show(by=session.actor)
        await session.reply(_settings_embed("Settings", settings, session.guild))

    @app_commands.command(
        name="approvals-channel", description="Administrators: choose where moderators are asked to approve resends"
    )
    @app_commands.describe(channel="A channel only the moderators can read")
    @requires(Capability.MANAGE_SETTINGS)
    async def approvals_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the approvals channel."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_approvals_channel(channel.id, by=actor)
        await session.reply(_settings_embed("✅ Set", settings, session.guild))

    @app_commands.command(name="audit-channel", description="Administrators: choose where the staff reads who did what")
    @app_commands.describe(channel="A channel only the staff can read")
    @requires(Capability.MANAGE_SETTINGS)
    async def audit_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the audit channel."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_audit_channel(channel.id, by=actor)
        await session.reply(_settings_embed("✅ Set", settings, session.guild))

    @app_commands.command(
        name="approvals-role", description="Administrators: choose the role that a new approval card mentions"
    )
    @app_commands.describe(role="The moderators' role; choose @everyone to mention no one")
    @requires(Capability.MANAGE_SETTINGS)
    async def approvals_role(self, interaction: Interaction, role: discord.Role) -> None:
        """Set the role that cards mention."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_approvals_role(role.id, by=actor)
        await session.reply(_settings_embed("✅ Set", settings, session.guild))


def _settings_embed(title: str, settings: GuildSettings, guild: discord.Guild | None) -> discord.Embed:
    channels = {
        "Approvals channel": (settings.approvals_channel_id, "customers' trades, items and Steam accounts"),
        "Audit channel": (settings.audit_channel_id, "who did what to whom"),
    }
    problems = [
        problem
        for name, (channel_id, shown) in channels.items()
        if channel_id is not None and guild is not None
        for problem in _problems(name, channel_id, shown, guild)
    ]
    if guild is not None and settings.approvals_role_id is not None:
        problems += _role_problems(settings.approvals_role_id, settings.approvals_channel_id, guild)
    if guild is None and any(channel_id is not None for channel_id, _ in channels.values()):
        text = "So it cannot tell whether it may post there. Look at `/settings show` in a minute."
        problems.append(Field("⚠️ SkinDesk does not see this server yet", text))
    return card(
        title=title,
        fields=[
            *(Field(name, _channel(channel_id)) for name, (channel_id, _) in channels.items()),
            Field("Approvals role", _role(settings.approvals_role_id)),
            *problems,
        ],
        colour=Tone.WAITING if problems else Tone.NEUTRAL,
    )


def _problems(name: str, channel_id: int, shown: str, guild: discord.Guild) -> Iterator[Field]:
    """Yield the problems of a channel: SkinDesk cannot use it, or everyone can read it."""
    channel = guild.get_channel(channel_id)
    if channel is None:
        yield Field(f"⚠️ {name}: SkinDesk does not see it", "It was probably deleted. Set another one.")
        return
    missing = _missing_permissions(channel, guild)
    if missing:
        yield Field(
            f"⚠️ {name}: SkinDesk cannot post there yet",
            f"It lacks: {missing}. Allow it in the permissions of {channel.mention}.",
        )
    if channel.permissions_for(guild.default_role).view_channel:
        yield Field(
            f"⚠️ {name}: everyone can read it",
            f"It shows {shown}. In the permissions of {channel.mention} deny *View Channel* to @everyone, "
            "and allow it to its readers and to SkinDesk.",
        )


def _role_problems(role_id: int, channel_id: int | None, guild: discord.Guild) -> Iterator[Field]:
    """Yield what keeps a card's mention from reaching the role's members: Discord does not say it in the channel."""
    role, channel = guild.get_role(role_id), guild.get_channel(channel_id or 0)
    if role is None:
        yield Field("⚠️ Approvals role: it was deleted", "Cards mention no one. Set another one, or @everyone for none.")
        return
    allowed = guild.me.guild_permissions if channel is None else channel.permissions_for(guild.me)
    if not role.mentionable and not allowed.mention_everyone:
        where = "its permissions on this server" if channel is None else f"the permissions of {channel.mention}"
        yield Field(
            "⚠️ Approvals role: Discord would notify no one",
            f"Let everyone mention {role.mention} (*Server Settings*, *Roles*, *Allow anyone to @mention this role*), "
            f"or allow SkinDesk *Mention @everyone, @here, and All Roles* in {where}.",
        )
    if channel is not None and not channel.permissions_for(role).view_channel:
        yield Field(
            f"⚠️ Approvals role: it does not see {channel.mention}",
            "Discord notifies no one of a channel that they cannot read. Allow the role *View Channel* there.",
        )


def _missing_permissions(channel: discord.abc.GuildChannel, guild: discord.Guild) -> str:
    has = channel.permissions_for(guild.me)
    needed = {
        "View Channel": has.view_channel,
        "Send Messages": has.send_messages,
        "Embed Links": has.embed_links,
    }
    return ", ".join(name for name, held in needed.items() if not held)


def _channel(channel_id: int | None) -> str:
    return f"<#{channel_id}>" if channel_id is not None else "not set"


def _role(role_id: int | None) -> str:
    return f"<@&{role_id}>, mentioned on a new card and at its reminder" if role_id is not None else "none"


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(SettingsCog())
