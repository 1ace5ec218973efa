"""Shows and changes a guild's settings."""

import logging
from collections.abc import Awaitable, Callable

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.settings import GuildSettings, Setting
from bot.ports import Clock, GuildSettingsRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService

_log = logging.getLogger(__name__)


@attrs.define(kw_only=True, eq=False)
class SettingsService:
    """The guild's channels, the role of its cards, its language. To show or change them needs ``settings.manage``."""

    _settings: GuildSettingsRepository
    _access: AccessService
    _audit: AuditService
    _clock: Clock
    _show_language: Callable[[int], Awaitable[None]]
    """Shows a changed language on the cards of a guild."""

    async def show(self, *, by: Actor) -> GuildSettings:
        """Return the guild's settings."""
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        return await self._settings.of_guild(by.guild_id)

    async def language_of(self, guild_id: int) -> str | None:
        """Return the code of the language that was set for a guild; None if it is the one that it has on Discord."""
        return (await self._settings.of_guild(guild_id)).language

    async def set_approvals_channel(self, channel_id: int, *, by: Actor) -> GuildSettings:
        """Set the channel for approval cards."""
        return await self._set(Setting.APPROVALS_CHANNEL, channel_id, by)

    async def set_audit_channel(self, channel_id: int, *, by: Actor) -> GuildSettings:
        """Set the channel for posts of the audit log."""
        return await self._set(Setting.AUDIT_CHANNEL, channel_id, by)

    async def set_approvals_role(self, role_id: int, *, by: Actor) -> GuildSettings:
        """Set the role that approval cards mention. @everyone, whose id is the guild's, stands for none."""
        return await self._set(Setting.APPROVALS_ROLE, None if role_id == by.guild_id else role_id, by)

    async def set_language(self, code: str | None, *, by: Actor) -> GuildSettings:
        """Set the language of cards, audit posts and reminders; None for the one that the server has on Discord."""
        settings = await self._set(Setting.LANGUAGE, code, by)
        try:
            await self._show_language(by.guild_id)
        except Exception as error:  # noqa: BLE001 -- the language is set; the cards' next edit shows it
            _log.warning("language not shown on cards guild=%s %s", by.guild_id, type(error).__name__)
        return settings

    async def _set(self, setting: Setting, value: int | str | None, by: Actor) -> GuildSettings:
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        now = self._clock.now()
        row = await self._settings.put(by.guild_id, setting, value, by=by.user_id, at=now)
        if row is not None:
            await self._audit.announce(row)
        return await self._settings.of_guild(by.guild_id)
