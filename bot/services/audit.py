"""Copies what the repositories wrote down to the guild's audit channel."""

from bot.domain.audit import AuditEntry
from bot.ports import AuditChannel, GuildSettingsRepository


class AuditService:
    """Posts entries where the guild wants to read them. The rows themselves belong to the deed's transaction."""

    def __init__(self, *, settings: GuildSettingsRepository, channel: AuditChannel) -> None:
        self._settings = settings
        self._channel = channel

    async def announce(self, entry: AuditEntry) -> None:
        """Post an entry to the audit channel, if the guild has set one."""
        settings = await self._settings.of_guild(entry.guild_id)
        if settings.audit_channel_id is not None:
            await self._channel.post(entry, channel_id=settings.audit_channel_id)
