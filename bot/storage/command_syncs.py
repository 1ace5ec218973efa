"""Remembers which commands Discord was told last."""

import aiosqlite

from bot.storage.database import Database

_OF = "SELECT digest FROM command_syncs WHERE scope = :scope"

_PUT = """
INSERT INTO command_syncs (scope, digest) VALUES (:scope, :digest)
ON CONFLICT (scope) DO UPDATE SET digest = excluded.digest
"""


class SqliteCommandSyncs:
    """Digests as rows, by where the commands are."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def digest(self, scope: str) -> str | None:
        """Return the digest of the commands that Discord was told there last."""
        rows = await self._db.read(_OF, {"scope": scope})
        return rows[0]["digest"] if rows else None

    async def put(self, scope: str, digest: str) -> None:
        """Remember what Discord has been told."""

        async def unit(connection: aiosqlite.Connection) -> None:
            await connection.execute_fetchall(_PUT, {"scope": scope, "digest": digest})

        await self._db.write(unit)
