"""Keeps which role holds which capability, in memory too, and seeds a guild once."""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import aiosqlite

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import write_down
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
    """Grants as rows, and those of the guilds asked about lately in memory.

    Every check of every command asks for them. One repository a database: what another one writes, or somebody by
    other means, is not noticed. ``now`` dates the one thing that happens by itself, the seeding.
    """

    def __init__(self, db: Database, *, now: Callable[[], datetime] = _utc_now, max_guilds: int = 1_000) -> None:
        self._db = db
        self._now = now
        self._max_guilds = max_guilds
        self._kept: OrderedDict[int, tuple[Grant, ...]] = OrderedDict()
        self._writes = 0
        """Units that have ended. A reading that one of them ended beside may be older than what it left."""

    async def of_guild(self, guild_id: int) -> tuple[Grant, ...]:
        """Return the guild's grants, seeding a guild that was never seen. What is in memory needs no statement."""
        kept = self._kept.get(guild_id)
        if kept is not None:
            self._kept.move_to_end(guild_id)
            return kept
        writes, rows = await self._read(guild_id)
        if not rows:
            await self._db.write(
                lambda connection: self._seed_if_new(connection, guild_id), ended=self._forgets(guild_id)
            )
            writes, rows = await self._read(guild_id)
        # A guild whose every grant was revoked has one row, without a role.
        grants = tuple(_grant(row) for row in rows if row["role_id"] is not None)
        if writes == self._writes:
            self._kept[guild_id] = grants
            while len(self._kept) > self._max_guilds:
                self._kept.popitem(last=False)
        return grants

    async def _read(self, guild_id: int) -> tuple[int, Sequence[sqlite3.Row]]:
        """Return the guild's rows, and how many units had ended when the reading began."""
        return self._writes, await self._db.read(_OF_GUILD, {"guild_id": guild_id})

    def _forgets(self, guild_id: int) -> Callable[[], None]:
        """Return what is to be called once a unit that writes the guild's grants has ended, with whatever end."""

        def forget() -> None:
            self._writes += 1
            self._kept.pop(guild_id, None)

        return forget

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

        return await self._db.write(unit, ended=self._forgets(grant.guild_id))

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
