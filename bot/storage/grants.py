"""Keeps which role holds which capability, and seeds a guild once."""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import aiosqlite

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit import write_down
from bot.storage.columns import to_ms
from bot.storage.database import Database, fetch_one
from bot.storage.errors import UnknownCapability

_OF_GUILD = """
SELECT guilds.guild_id, grants.role_id, grants.capability
FROM guilds LEFT JOIN grants ON grants.guild_id = guilds.guild_id
WHERE guilds.guild_id = :guild_id AND guilds.seeded_at IS NOT NULL
ORDER BY grants.role_id, grants.capability
"""

_MARK_SEEDED = """
INSERT INTO guilds (guild_id, seeded_at) VALUES (:guild_id, :at)
ON CONFLICT (guild_id) DO UPDATE SET seeded_at = excluded.seeded_at WHERE guilds.seeded_at IS NULL
RETURNING guild_id
"""

_GRANT = """
INSERT INTO grants (guild_id, role_id, capability) VALUES (:guild_id, :role_id, :capability)
ON CONFLICT (guild_id, role_id, capability) DO NOTHING
RETURNING role_id
"""

_REVOKE = """
DELETE FROM grants WHERE guild_id = :guild_id AND role_id = :role_id AND capability = :capability
RETURNING role_id
"""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteGrantRepository:
    """Grants as rows. ``now`` dates the one thing that happens by itself, the seeding."""

    def __init__(self, db: Database, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._db = db
        self._now = now

    async def of_guild(self, guild_id: int) -> tuple[Grant, ...]:
        """Return the guild's grants: one reading, and for a guild that was never seen one writing first."""
        rows: Iterable[sqlite3.Row] = await self._db.read(_OF_GUILD, {"guild_id": guild_id})
        if not rows:

            async def unit(connection: aiosqlite.Connection) -> Iterable[sqlite3.Row]:
                await self._seed_if_new(connection, guild_id)
                return await connection.execute_fetchall(_OF_GUILD, {"guild_id": guild_id})

            rows = await self._db.write(unit)
        # A guild whose every grant was revoked has one row, without a role.
        return tuple(_grant(row) for row in rows if row["role_id"] is not None)

    async def grant(self, grant: Grant, *, by: int, at: datetime) -> bool:
        """Add a grant with its audit row; False where it was there already."""
        return await self._change(_GRANT, grant, AuditAction.ACCESS_GRANTED, by=by, at=at)

    async def revoke(self, grant: Grant, *, by: int, at: datetime) -> bool:
        """Remove a grant with its audit row; False where there was none."""
        return await self._change(_REVOKE, grant, AuditAction.ACCESS_REVOKED, by=by, at=at)

    async def _change(self, sql: str, grant: Grant, action: AuditAction, *, by: int, at: datetime) -> bool:
        async def unit(connection: aiosqlite.Connection) -> bool:
            await self._seed_if_new(connection, grant.guild_id)
            if await fetch_one(connection, sql, _row(grant)) is None:
                return False
            detail = {"capability": grant.capability.value}
            entry = AuditEntry(grant.guild_id, at, by, action, f"role:{grant.role_id}", detail)
            await write_down(connection, entry)
            return True

        return await self._db.write(unit)

    async def _seed_if_new(self, connection: aiosqlite.Connection, guild_id: int) -> None:
        """Give @everyone, whose role id is the guild's, what a new guild starts with."""
        at = self._now()
        if await fetch_one(connection, _MARK_SEEDED, {"guild_id": guild_id, "at": to_ms(at)}) is None:
            return
        for capability in sorted(SEEDED):
            await connection.execute_fetchall(_GRANT, _row(Grant(guild_id, guild_id, capability)))
        detail = {"capabilities": " ".join(sorted(SEEDED))}
        await write_down(connection, AuditEntry(guild_id, at, None, AuditAction.GUILD_SEEDED, "guild", detail))


def _row(grant: Grant) -> dict[str, int | str]:
    return {"guild_id": grant.guild_id, "role_id": grant.role_id, "capability": grant.capability.value}


def _grant(row: sqlite3.Row) -> Grant:
    try:
        capability = Capability(row["capability"])
    except ValueError:
        raise UnknownCapability(row["capability"]) from None
    return Grant(row["guild_id"], row["role_id"], capability)
