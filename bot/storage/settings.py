"""Keeps what each guild has set."""

from collections.abc import Mapping
from datetime import datetime

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.settings import GuildSettings, Setting
from bot.storage.audit.log import write_down
from bot.storage.database import Database, fetch_one

_COLUMNS: Mapping[Setting, str] = {
    Setting.APPROVALS_CHANNEL: "approvals_channel_id",
    Setting.AUDIT_CHANNEL: "audit_channel_id",
}

_OF_GUILD = "SELECT approvals_channel_id, audit_channel_id FROM guilds WHERE guild_id = :guild_id"

# Its own column and no other: two changes at once do not undo each other.
_SET = """
INSERT INTO guilds (guild_id, {column}) VALUES (:guild_id, :channel_id)
ON CONFLICT (guild_id) DO UPDATE SET {column} = excluded.{column}
"""


class SqliteGuildSettingsRepository:
    """Settings as columns of the guild's row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_guild(self, guild_id: int) -> GuildSettings:
        """Return the guild's settings, empty ones for a guild that set nothing."""
        rows = await self._db.read(_OF_GUILD, {"guild_id": guild_id})
        return GuildSettings(guild_id, *rows[0]) if rows else GuildSettings(guild_id)

    async def set_channel(
        self, guild_id: int, setting: Setting, channel_id: int | None, *, by: int, at: datetime
    ) -> bool:
        """Set or empty one of the guild's channels, with its audit row; False where it was so already."""
        column = _COLUMNS[setting]

        async def unit(connection: aiosqlite.Connection) -> bool:
            row = {"guild_id": guild_id, "channel_id": channel_id}
            before = await fetch_one(connection, _OF_GUILD, row)
            if channel_id == (None if before is None else before[column]):
                return False
            await connection.execute_fetchall(_SET.format(column=column), row)
            detail = {"setting": setting.value, "channel": "none" if channel_id is None else str(channel_id)}
            await write_down(connection, AuditEntry(guild_id, at, by, AuditAction.SETTINGS_CHANGED, "guild", detail))
            return True

        return await self._db.write(unit)
