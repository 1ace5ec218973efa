"""Keeps which guilds' resends are stopped. Stopping and resuming are one compare-and-set each, with its audit row."""

import sqlite3
from datetime import datetime

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.resends import Resend, ResendPause
from bot.storage.audit.log import write_down
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database, fetch_one

_OF_GUILD = "SELECT * FROM guilds WHERE guild_id = :guild_id AND resends_halted_at IS NOT NULL"

_HALT = """
INSERT INTO guilds (guild_id, resends_halted_at, resends_halted_by) VALUES (:guild_id, :at, :by)
ON CONFLICT (guild_id) DO UPDATE SET
    resends_halted_at = excluded.resends_halted_at, resends_halted_by = excluded.resends_halted_by
WHERE guilds.resends_halted_at IS NULL
RETURNING *
"""

_HALT_FOR = """
INSERT INTO guilds (guild_id, resends_halted_at, resends_halted_for) VALUES (:guild_id, :at, :resend_id)
ON CONFLICT (guild_id) DO UPDATE SET
    resends_halted_at = excluded.resends_halted_at, resends_halted_by = NULL,
    resends_halted_for = excluded.resends_halted_for
WHERE guilds.resends_halted_for IS NULL
RETURNING *
"""

_HALT_RESTORED = """
INSERT INTO guilds (guild_id, resends_halted_at) VALUES (:guild_id, :at)
ON CONFLICT (guild_id) DO UPDATE SET resends_halted_at = excluded.resends_halted_at, resends_halted_by = NULL
RETURNING *
"""

_RESUME = """
UPDATE guilds SET resends_halted_at = NULL, resends_halted_by = NULL, resends_halted_for = NULL
WHERE guild_id = :guild_id AND resends_halted_at = :number
RETURNING *
"""


class SqlitePauseRepository:
    """Stops as columns of the guild's row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_guild(self, guild_id: int) -> ResendPause | None:
        """Return the guild's stop, None where its resends go on."""
        rows = await self._db.read(_OF_GUILD, {"guild_id": guild_id})
        return _pause_of(rows[0]) if rows else None

    async def pause(self, guild_id: int, *, by: int, at: datetime) -> ResendPause | None:
        """Stop the guild's resends; None where they are stopped already."""

        async def unit(connection: aiosqlite.Connection) -> ResendPause | None:
            row = await fetch_one(connection, _HALT, {"guild_id": guild_id, "by": by, "at": to_ms(at)})
            if row is None:
                return None
            await write_down(connection, AuditEntry(guild_id, at, by, AuditAction.RESENDS_PAUSED, "guild"))
            return _pause_of(row)

        return await self._db.write(unit)

    async def resume(self, guild_id: int, number: int, *, by: int, at: datetime) -> bool:
        """End the guild's stop of this number; False where it does not stand."""

        async def unit(connection: aiosqlite.Connection) -> bool:
            row = await fetch_one(connection, _RESUME, {"guild_id": guild_id, "number": number})
            if row is not None:
                await write_down(connection, AuditEntry(guild_id, at, by, AuditAction.RESENDS_RESUMED, "guild"))
            return row is not None

        return await self._db.write(unit)


async def pause_for(connection: aiosqlite.Connection, resend: Resend, *, at: datetime) -> None:
    """Stop the resends of a guild for the answer to ``resend``, in the unit that keeps that answer.

    It takes the place of a stop by hand, and leaves an earlier one of its own kind.
    """
    row = await fetch_one(connection, _HALT_FOR, {"guild_id": resend.guild_id, "resend_id": resend.id, "at": to_ms(at)})
    if row is not None:
        detail = {
            "resend": str(resend.id),
            "trade": str(resend.trade_id),
            "answered_about": resend.outcome_detail or "",
        }
        entry = AuditEntry(resend.guild_id, at, None, AuditAction.RESENDS_PAUSED, "guild", detail)
        await write_down(connection, entry)


async def pause_restored(connection: aiosqlite.Connection, guild_id: int, *, at: datetime) -> None:
    """Stop the resends of a guild because its past was restored.

    It takes the place of a stop by hand. An alarm stays one, but as a new stop: whoever was shown the old one has not
    been told of the restore.
    """
    await connection.execute_fetchall(_HALT_RESTORED, {"guild_id": guild_id, "at": to_ms(at)})
    entry = AuditEntry(guild_id, at, None, AuditAction.RESENDS_PAUSED, "guild", {"reason": "restored"})
    await write_down(connection, entry)


def _pause_of(row: sqlite3.Row) -> ResendPause:
    return ResendPause(
        guild_id=row["guild_id"],
        at=from_ms(row["resends_halted_at"]),
        by=row["resends_halted_by"],
        resend_id=row["resends_halted_for"],
    )
