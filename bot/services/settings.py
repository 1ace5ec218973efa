"""Shows and changes what a guild sets for itself."""

import asyncio
from dataclasses import replace

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.settings import GuildSettings
from bot.ports import Clock, GuildSettingsRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService


class SettingsService:
    """The guild's channels. Everything here needs ``settings.manage``."""

    def __init__(
        self, *, settings: GuildSettingsRepository, access: AccessService, audit: AuditService, clock: Clock
    ) -> None:
        self._settings = settings
        self._access = access
        self._audit = audit
        self._clock = clock
        self._turn = asyncio.Lock()

    async def show(self, *, by: Actor) -> GuildSettings:
        """Return the guild's settings."""
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        return await self._settings.of_guild(by.guild_id)

    async def set_approvals_channel(self, channel_id: int, *, by: Actor) -> GuildSettings:
        """Let approval cards be posted in this channel."""
        async with self._turn:  # two changes at once would otherwise undo each other
            before = await self.show(by=by)
            after = replace(before, approvals_channel_id=channel_id)
            return await self._put(before, after, {"setting": "approvals-channel", "channel": str(channel_id)}, by)

    async def set_audit_channel(self, channel_id: int, *, by: Actor) -> GuildSettings:
        """Let copies of audit entries be posted in this channel."""
        async with self._turn:
            before = await self.show(by=by)
            after = replace(before, audit_channel_id=channel_id)
            return await self._put(before, after, {"setting": "audit-channel", "channel": str(channel_id)}, by)

    async def _put(
        self, before: GuildSettings, after: GuildSettings, detail: dict[str, str], by: Actor
    ) -> GuildSettings:
        if after != before:
            now = self._clock.now()
            await self._settings.put(after, by=by.user_id, at=now)
            await self._audit.announce(
                AuditEntry(by.guild_id, now, by.user_id, AuditAction.SETTINGS_CHANGED, "guild", detail)
            )
        return after
