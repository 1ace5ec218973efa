"""Keeps what each guild has set."""

from datetime import datetime

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.settings import GuildSettings
from bot.storage.audit import write_down
from bot.storage.database import Database, fetch_one

_OF_GUILD = "SELECT approvals_channel_id, audit_channel_id FROM guilds WHERE guild_id = :guild_id"

_PUT = """
INSERT INTO guilds (guild_id, approvals_channel_id, audit_channel_id)
VALUES (:guild_id, :approvals_channel_id, :audit_channel_id)
ON CONFLICT (guild_id) DO UPDATE SET
    approvals_channel_id = excluded.approvals_channel_id, audit_channel_id = excluded.audit_channel_id
"""

_WORDS = {"approvals_channel_id": "approvals-channel", "audit_channel_id": "audit-channel"}
"""The settings as the commands call them."""


class SqliteGuildSettingsRepository:
    """Settings as columns of the guild's row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_guild(self, guild_id: int) -> GuildSettings:
        """Return the guild's settings, empty ones for a guild that set nothing."""
        rows = await self._db.read(_OF_GUILD, {"guild_id": guild_id})
        return GuildSettings(guild_id, *rows[0]) if rows else GuildSettings(guild_id)

    async def put(self, settings: GuildSettings, *, by: int, at: datetime) -> None:
        """Store the guild's settings, with an audit row for each one that is another than before."""

        async def unit(connection: aiosqlite.Connection) -> None:
            row = {name: getattr(settings, name) for name in ("guild_id", *_WORDS)}
            before = await fetch_one(connection, _OF_GUILD, row)
            await connection.execute_fetchall(_PUT, row)
            for name, word in _WORDS.items():
                if row[name] != (before[name] if before is not None else None):
                    detail = {"setting": word, "channel": "none" if row[name] is None else str(row[name])}
                    await write_down(
                        connection,
                        AuditEntry(settings.guild_id, at, by, AuditAction.SETTINGS_CHANGED, "guild", detail),
                    )

        await self._db.write(unit)
