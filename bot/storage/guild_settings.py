"""Keeps each guild's settings and whether its resends are paused. Each change has its audit row in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from typing_extensions import override

from bot.domain.audit import AuditAction, AuditEntry, AuditRow
from bot.domain.resends import Resend, ResendPause
from bot.domain.settings import GuildSettings, Setting
from bot.ports import GuildSettingsRepository
from bot.ports.resends import PauseRepository
from bot.storage.audit.log import append
from bot.storage.database import Connection, Database, from_ms, to_ms

_COLUMNS: Mapping[Setting, str] = {
    Setting.APPROVALS_CHANNEL: "approvals_channel_id",
    Setting.AUDIT_CHANNEL: "audit_channel_id",
    Setting.APPROVALS_ROLE: "approvals_role_id",
    Setting.LANGUAGE: "language",
}

_NAMES_IN_AUDIT = {Setting.APPROVALS_ROLE: "role", Setting.LANGUAGE: "language"}
"""The detail that has the new value; of all others it is the channel."""

_SETTINGS = """
SELECT approvals_channel_id, audit_channel_id, approvals_role_id, language FROM guilds WHERE guild_id = :guild_id
"""

# One column only: two changes at once do not undo each other.
_PUT = """
INSERT INTO guilds (guild_id, {column}) VALUES (:guild_id, :value)
ON CONFLICT (guild_id) DO UPDATE SET {column} = excluded.{column}
"""

_PAUSE_OF_GUILD = "SELECT * FROM guilds WHERE guild_id = :guild_id AND resends_paused_at IS NOT NULL"

_PAUSE = """
INSERT INTO guilds (guild_id, resends_paused_at, resends_paused_by) VALUES (:guild_id, :at, :by)
ON CONFLICT (guild_id) DO UPDATE SET
    resends_paused_at = excluded.resends_paused_at, resends_paused_by = excluded.resends_paused_by
WHERE guilds.resends_paused_at IS NULL
RETURNING *
"""

_PAUSE_FOR = """
INSERT INTO guilds (guild_id, resends_paused_at, resends_paused_for) VALUES (:guild_id, :at, :resend_id)
ON CONFLICT (guild_id) DO UPDATE SET
    resends_paused_at = excluded.resends_paused_at, resends_paused_by = NULL,
    resends_paused_for = excluded.resends_paused_for
WHERE guilds.resends_paused_for IS NULL
RETURNING *
"""

_PAUSE_INCOMPLETE = """
INSERT INTO guilds (guild_id, resends_paused_at) VALUES (:guild_id, :at)
ON CONFLICT (guild_id) DO UPDATE SET resends_paused_at = excluded.resends_paused_at, resends_paused_by = NULL
"""

_RESUME = """
UPDATE guilds SET resends_paused_at = NULL, resends_paused_by = NULL, resends_paused_for = NULL
WHERE guild_id = :guild_id AND resends_paused_at = :number
RETURNING *
"""


class PauseReason(StrEnum):
    """Why the database may not know everything that was sent, as the audit log has it."""

    RESTORED = "restored"
    """A backup was restored."""
    NEW_DATABASE = "new_database"
    """It was started new where there was one before."""
    INCOMPLETE = "incomplete"
    """One of the two, before the guild got its first grants."""


class SqlGuildSettingsRepository(GuildSettingsRepository):
    """Settings as columns of the guild's row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def of_guild(self, guild_id: int) -> GuildSettings:
        rows = await self._db.read(_SETTINGS, {"guild_id": guild_id})
        return GuildSettings(guild_id, *rows[0]) if rows else GuildSettings(guild_id)

    @override
    async def put(
        self, guild_id: int, setting: Setting, value: int | str | None, *, by: int, at: datetime
    ) -> AuditRow | None:
        column = _COLUMNS[setting]

        def job(connection: Connection) -> AuditRow | None:
            values = {"guild_id": guild_id, "value": value}
            before = connection.execute(_SETTINGS, values).fetchone()
            if value == (None if before is None else before[column]):
                return None
            connection.execute(_PUT.format(column=column), values)
            name = _NAMES_IN_AUDIT.get(setting, "channel")
            detail = {"setting": setting.value, name: "none" if value is None else str(value)}
            return append(connection, AuditEntry(guild_id, at, by, AuditAction.SETTINGS_CHANGED, "guild", detail))

        return await self._db.write(job)


class SqlPauseRepository(PauseRepository):
    """Pauses as columns of the guild's row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def of_guild(self, guild_id: int) -> ResendPause | None:
        for row in await self._db.read(_PAUSE_OF_GUILD, {"guild_id": guild_id}):
            return ResendPause(
                guild_id=row["guild_id"],
                at=from_ms(row["resends_paused_at"]),
                by=row["resends_paused_by"],
                resend_id=row["resends_paused_for"],
            )
        return None

    @override
    async def pause(self, guild_id: int, *, by: int, at: datetime) -> AuditRow | None:
        def job(connection: Connection) -> AuditRow | None:
            if connection.execute(_PAUSE, {"guild_id": guild_id, "by": by, "at": to_ms(at)}).fetchone() is None:
                return None
            return append(connection, AuditEntry(guild_id, at, by, AuditAction.RESENDS_PAUSED, "guild"))

        return await self._db.write(job)

    @override
    async def resume(self, guild_id: int, number: int, *, by: int, at: datetime) -> AuditRow | None:
        def job(connection: Connection) -> AuditRow | None:
            if connection.execute(_RESUME, {"guild_id": guild_id, "number": number}).fetchone() is None:
                return None
            return append(connection, AuditEntry(guild_id, at, by, AuditAction.RESENDS_RESUMED, "guild"))

        return await self._db.write(job)


def pause_for(connection: Connection, resend: Resend, *, at: datetime) -> AuditRow | None:
    """Pause a guild's resends because of the answer to ``resend``, in the job that stores the answer.

    It replaces a pause by a user, but not an earlier one of its own kind: then None is returned, else the audit row.
    """
    values = {"guild_id": resend.guild_id, "resend_id": resend.id, "at": to_ms(at)}
    if connection.execute(_PAUSE_FOR, values).fetchone() is None:
        return None
    detail = {"resend": str(resend.id), "trade": str(resend.trade_id), "answered_about": resend.outcome_detail or ""}
    return append(connection, AuditEntry(resend.guild_id, at, None, AuditAction.RESENDS_PAUSED, "guild", detail))


def pause_incomplete(connection: Connection, guild_id: int, *, reason: PauseReason, at: datetime) -> None:
    """Pause a guild's resends because the database does not know everything that was sent.

    It replaces a pause by a user. An alarm stays one, but with a new number: a user who was shown the old one does not
    know about this.
    """
    connection.execute(_PAUSE_INCOMPLETE, {"guild_id": guild_id, "at": to_ms(at)})
    append(connection, AuditEntry(guild_id, at, None, AuditAction.RESENDS_PAUSED, "guild", {"reason": reason.value}))
