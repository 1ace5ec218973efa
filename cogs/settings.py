"""/settings: the channels of approval cards and audit posts, the role that cards mention, and their language."""

from collections.abc import Iterator
from typing import NamedTuple

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.settings import GuildSettings
from bot.languages import LANGUAGES, Message, listed, of_code, of_locale, paragraph, t, tp
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.layout import Field, Tone, card

_AS_ON_DISCORD = "default"


class SettingsCog(
    commands.GroupCog,
    group_name="settings",
    group_description=locale_str("Set where SkinDesk posts on this server, and in which language"),
):
    """The server's settings."""

    @app_commands.command(
        name="show",
        description=locale_str("Administrators: see where SkinDesk posts, and what is wrong there"),
    )
    @requires(Capability.MANAGE_SETTINGS)
    async def show(self, interaction: Interaction) -> None:
        """Show the settings."""
        session = session_of(interaction)
        session.defer_if_slow()
        settings = await session.services.settings.show(by=session.actor)
        await session.reply(_settings_embed(t("Settings"), settings, session.guild))

    @app_commands.command(
        name="approvals-channel",
        description=locale_str("Administrators: choose where moderators are asked to approve resends"),
    )
    @app_commands.describe(channel=locale_str("A channel only the moderators can read"))
    @requires(Capability.MANAGE_SETTINGS)
    async def approvals_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the approvals channel."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_approvals_channel(channel.id, by=actor)
        await session.reply(_settings_embed(t("✅ Set"), settings, session.guild))

    @app_commands.command(
        name="audit-channel", description=locale_str("Administrators: choose where the staff reads who did what")
    )
    @app_commands.describe(channel=locale_str("A channel only the staff can read"))
    @requires(Capability.MANAGE_SETTINGS)
    async def audit_channel(self, interaction: Interaction, channel: discord.TextChannel) -> None:
        """Set the audit channel."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_audit_channel(channel.id, by=actor)
        await session.reply(_settings_embed(t("✅ Set"), settings, session.guild))

    @app_commands.command(
        name="approvals-role",
        description=locale_str("Administrators: choose the role that a new approval card mentions"),
    )
    @app_commands.describe(role=locale_str("The moderators' role; choose @everyone to mention no one"))
    @requires(Capability.MANAGE_SETTINGS)
    async def approvals_role(self, interaction: Interaction, role: discord.Role) -> None:
        """Set the role that cards mention."""
        session = session_of(interaction)
        await session.defer()
        services, actor = session.services, session.actor
        settings = await services.settings.set_approvals_role(role.id, by=actor)
        await session.reply(_settings_embed(t("✅ Set"), settings, session.guild))

    @app_commands.command(
        name="language",
        description=locale_str("Administrators: choose the language of cards, audit posts and reminders"),
    )
    @app_commands.describe(language=locale_str("Private answers are in each reader's own Discord language anyway"))
    @app_commands.choices(
        language=[
            app_commands.Choice(name=locale_str("As on Discord"), value=_AS_ON_DISCORD),
            *(app_commands.Choice(name=each.formats.name, value=code) for code, each in LANGUAGES.items()),
        ]
    )
    @requires(Capability.MANAGE_SETTINGS)
    async def language(self, interaction: Interaction, language: str) -> None:
        """Set the language of what all members read."""
        session = session_of(interaction)
        await session.defer()
        code = None if language == _AS_ON_DISCORD else language
        settings = await session.services.settings.set_language(code, by=session.actor)
        await session.reply(_settings_embed(t("✅ Set"), settings, session.guild))


class _Texts(NamedTuple):
    """The texts about a channel."""

    name: Message
    gone: Message
    unusable: Message
    public: Message
    shows: Message


_APPROVALS = _Texts(
    Message("Approvals channel"),
    Message("⚠️ Approvals channel: SkinDesk does not see it"),
    Message("⚠️ Approvals channel: SkinDesk cannot post there yet"),
    Message("⚠️ Approvals channel: everyone can read it"),
    Message(
        "It shows customers' trades, items and Steam accounts. In the permissions of {channel}, deny *View Channel* to "
        "@everyone, and allow it to its readers and to SkinDesk."
    ),
)
_AUDIT = _Texts(
    Message("Audit channel"),
    Message("⚠️ Audit channel: SkinDesk does not see it"),
    Message("⚠️ Audit channel: SkinDesk cannot post there yet"),
    Message("⚠️ Audit channel: everyone can read it"),
    Message(
        "It shows who did what to whom. In the permissions of {channel}, deny *View Channel* to @everyone, and allow "
        "it to its readers and to SkinDesk."
    ),
)


def _settings_embed(title: str, settings: GuildSettings, guild: discord.Guild | None) -> discord.Embed:
    channels = ((_APPROVALS, settings.approvals_channel_id), (_AUDIT, settings.audit_channel_id))
    problems = [
        problem
        for texts, channel_id in channels
        if channel_id is not None and guild is not None
        for problem in _problems(texts, channel_id, guild)
    ]
    if guild is not None and settings.approvals_role_id is not None:
        problems += _role_problems(settings.approvals_role_id, settings.approvals_channel_id, guild)
    if guild is None and any(channel_id is not None for _, channel_id in channels):
        text = t("SkinDesk cannot tell yet whether it may post there. Look at `/settings show` in a minute.")
        problems.append(Field(t("⚠️ SkinDesk does not see this server yet"), text))
    return card(
        title=title,
        fields=[
            *(Field(texts.name(), _channel(channel_id)) for texts, channel_id in channels),
            Field(t("Approvals role"), _role(settings.approvals_role_id)),
            Field(t("Language"), _language(settings.language, guild)),
            *problems,
        ],
        colour=Tone.WAITING if problems else Tone.NEUTRAL,
    )


def _problems(texts: _Texts, channel_id: int, guild: discord.Guild) -> Iterator[Field]:
    """Yield the problems of a channel: SkinDesk cannot use it, or everyone can read it."""
    channel = guild.get_channel(channel_id)
    if channel is None:
        yield Field(texts.gone(), t("It was probably deleted. Set another one."))
        return
    missing = _missing_permissions(channel, guild)
    if missing:
        text = t(
            "SkinDesk lacks: {permissions}. Allow this in the permissions of {channel}.",
            permissions=missing,
            channel=channel.mention,
        )
        yield Field(texts.unusable(), text)
    if channel.permissions_for(guild.default_role).view_channel:
        yield Field(texts.public(), texts.shows(channel=channel.mention))


def _role_problems(role_id: int, channel_id: int | None, guild: discord.Guild) -> Iterator[Field]:
    """Yield what keeps a card's mention from reaching the role's members: Discord does not say it in the channel."""
    role, channel = guild.get_role(role_id), guild.get_channel(channel_id or 0)
    if role is None:
        yield Field(
            t("⚠️ Approvals role: it was deleted"),
            t("Cards mention no one. Set another one, or @everyone for none."),
        )
        return
    allowed = guild.me.guild_permissions if channel is None else channel.permissions_for(guild.me)
    if not role.mentionable and not allowed.mention_everyone:
        first = t(
            "Let everyone mention {role} (*Server Settings*, *Roles*, *Allow anyone to @mention this role*).",
            role=role.mention,
        )
        second = (
            t("Or allow SkinDesk *Mention @everyone, @here, and All Roles* in its permissions on this server.")
            if channel is None
            else t(
                "Or allow SkinDesk *Mention @everyone, @here, and All Roles* in the permissions of {channel}.",
                channel=channel.mention,
            )
        )
        yield Field(t("⚠️ Approvals role: Discord would notify no one"), paragraph(first, second))
    if channel is not None and not channel.permissions_for(role).view_channel:
        yield Field(
            t("⚠️ Approvals role: it does not see {channel}", channel=channel.mention),
            t("Discord notifies no one of a channel that they cannot read. Allow the role *View Channel* there."),
        )


def _missing_permissions(channel: discord.abc.GuildChannel, guild: discord.Guild) -> str:
    has = channel.permissions_for(guild.me)
    needed = (
        # Translators: a permission, as Discord calls it in this language
        (t("View Channel"), has.view_channel),
        # Translators: a permission, as Discord calls it in this language
        (t("Send Messages"), has.send_messages),
        # Translators: a permission, as Discord calls it in this language
        (t("Embed Links"), has.embed_links),
    )
    return listed(name for name, held in needed if not held)


def _channel(channel_id: int | None) -> str:
    return f"<#{channel_id}>" if channel_id is not None else tp("channel", "not set")


def _role(role_id: int | None) -> str:
    if role_id is None:
        return tp("role", "none")
    return t("{role} · mentioned on a new card and at its reminder", role=f"<@&{role_id}>")


def _language(code: str | None, guild: discord.Guild | None) -> str:
    """Return the language in force, where it comes from, and what is in it."""
    locale = None if guild is None else str(guild.preferred_locale)
    language = of_code(code) if code is not None else of_locale(locale or "")
    name = language.formats.name
    if code is not None:
        line = t("{language} · set here", language=name)
    elif locale is None:
        line = t("{language} · SkinDesk does not see this server's language on Discord yet", language=name)
    elif locale in language.formats.locales:
        line = t("{language} · this server's language on Discord", language=name)
    else:
        line = t("{language} · SkinDesk does not have this server's language on Discord", language=name)
    scope = t(
        "Cards, audit posts and reminders are in this language. Private answers are in each reader's own Discord "
        "language."
    )
    return f"{line}\n{scope}"


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(SettingsCog())
