"""Keeps which server was the first one that the desk was in."""

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from bot.ports import FirstGuildRepository
from bot.storage.database import Connection, Database, to_ms

_KEPT = "SELECT guild_id FROM guilds WHERE first_at IS NOT NULL"

_KEEP = """
INSERT INTO guilds (guild_id, first_at) SELECT :guild_id, :at
WHERE NOT EXISTS (SELECT 1 FROM guilds WHERE first_at IS NOT NULL)
ON CONFLICT (guild_id) DO UPDATE SET first_at = excluded.first_at
"""

_WITH_DATA = "SELECT guild_id FROM guilds UNION SELECT guild_id FROM links ORDER BY guild_id"


class SqlFirstGuildRepository(FirstGuildRepository):
    """A mark on one of the guilds' rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def kept(self) -> int | None:
        rows = await self._db.read(_KEPT)
        return rows[0]["guild_id"] if rows else None

    @override
    async def keep(self, guild_id: int, *, at: datetime) -> int:
        def job(connection: Connection) -> int:
            connection.execute(_KEEP, {"guild_id": guild_id, "at": to_ms(at)})
            kept: int = connection.execute(_KEPT).fetchone()["guild_id"]
            return kept

        return await self._db.write(job)

    @override
    async def with_data(self) -> Sequence[int]:
        return [row["guild_id"] for row in await self._db.read(_WITH_DATA)]
