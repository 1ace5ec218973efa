"""Keeps which role holds which capability, and seeds a guild once."""

from collections.abc import Callable, Sequence
from datetime import datetime

from cachetools import LRUCache
from typing_extensions import override

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.audit import AuditAction, AuditEntry, AuditRow
from bot.ports import GrantRepository
from bot.storage.audit.log import append
from bot.storage.database import Connection, Database, Row, to_ms
from bot.storage.errors import UnknownCapability
from bot.storage.guild_settings import PauseReason, pause_incomplete

_IN_GUILD = "SELECT * FROM grants WHERE guild_id = :guild_id"

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

_SEED = """
INSERT INTO grants (guild_id, role_id, capability) VALUES (:guild_id, :role_id, :capability)
ON CONFLICT (guild_id, role_id, capability) DO NOTHING
"""

_IS_INCOMPLETE = "SELECT 1 FROM desk WHERE incomplete_until IS NOT NULL"

_GRANT = f"{_SEED} RETURNING role_id"

_REVOKE = """
DELETE FROM grants WHERE guild_id = :guild_id AND role_id = :role_id AND capability = :capability
RETURNING role_id
"""


def grants_in(connection: Connection, guild_id: int) -> tuple[Grant, ...]:
    """Return a guild's grants, inside a job."""
    return tuple(map(_grant, connection.execute(_IN_GUILD, {"guild_id": guild_id})))


class SqlGrantRepository(GrantRepository):
    """Grants as rows. If no other process writes, those of recently used guilds are cached: every command checks them.

    Use one repository per process: changes by another one are not noticed in the cache. ``now`` dates the seeding of a
    guild.
    """

    def __init__(self, db: Database, *, now: Callable[[], datetime], max_guilds: int = 1_000) -> None:
        self._db = db
        self._now = now
        self._cache: LRUCache[int, tuple[Grant, ...]] = LRUCache(max_guilds)
        self._writes = 0
        """Jobs that have ended. A read that a job overlapped may be older than the job and is not cached."""

    @override
    async def of_guild(self, guild_id: int) -> tuple[Grant, ...]:
        cached: tuple[Grant, ...] | None = self._cache.get(guild_id)
        if cached is not None:
            return cached
        writes, rows = await self._read(guild_id)
        if not rows:
            await self._db.write(
                lambda connection: self._seed_if_new(connection, guild_id), on_done=lambda: self._evict(guild_id)
            )
            writes, rows = await self._read(guild_id)
        # A guild whose every grant was revoked has one row, without a role.
        grants = tuple(_grant(row) for row in rows if row["role_id"] is not None)
        if writes == self._writes and not self._db.is_shared:
            self._cache[guild_id] = grants
        return grants

    @override
    async def grant(self, grant: Grant, *, by: int, at: datetime) -> AuditRow | None:
        return await self._change(_GRANT, grant, AuditAction.ACCESS_GRANTED, by=by, at=at)

    @override
    async def revoke(self, grant: Grant, *, by: int, at: datetime) -> AuditRow | None:
        return await self._change(_REVOKE, grant, AuditAction.ACCESS_REVOKED, by=by, at=at)

    async def _read(self, guild_id: int) -> tuple[int, Sequence[Row]]:
        """Return the guild's rows, and how many jobs had ended when the read began."""
        return self._writes, await self._db.read(_OF_GUILD, {"guild_id": guild_id})

    async def _change(self, sql: str, grant: Grant, action: AuditAction, *, by: int, at: datetime) -> AuditRow | None:
        def job(connection: Connection) -> AuditRow | None:
            self._seed_if_new(connection, grant.guild_id)
            if connection.execute(sql, _row(grant)).fetchone() is None:
                return None
            detail = {"capability": grant.capability.value}
            return append(connection, AuditEntry(grant.guild_id, at, by, action, f"role:{grant.role_id}", detail))

        return await self._db.write(job, on_done=lambda: self._evict(grant.guild_id))

    def _evict(self, guild_id: int) -> None:
        self._writes += 1
        self._cache.pop(guild_id, None)

    def _seed_if_new(self, connection: Connection, guild_id: int) -> None:
        """Give @everyone, whose role id is the guild's, the grants of a new guild."""
        at = self._now()
        if connection.execute(_MARK_SEEDED, {"guild_id": guild_id, "at": to_ms(at)}).fetchone() is None:
            return
        connection.executemany(_SEED, [_row(Grant(guild_id, guild_id, capability)) for capability in sorted(SEEDED)])
        detail = {"capabilities": " ".join(sorted(SEEDED))}
        append(connection, AuditEntry(guild_id, at, None, AuditAction.GUILD_SEEDED, "guild", detail))
        if connection.execute(_IS_INCOMPLETE).fetchone() is not None:
            pause_incomplete(connection, guild_id, reason=PauseReason.INCOMPLETE, at=at)


def _row(grant: Grant) -> dict[str, int | str]:
    return {"guild_id": grant.guild_id, "role_id": grant.role_id, "capability": grant.capability.value}


def _grant(row: Row) -> Grant:
    try:
        capability = Capability(row["capability"])
    except ValueError:
        raise UnknownCapability(row["capability"]) from None
    return Grant(row["guild_id"], row["role_id"], capability)
