"""Keeps which commands were last synced to Discord."""

import sqlite3

from bot.storage.database import Database

_OF = "SELECT digest FROM command_syncs WHERE scope = :scope"

_PUT = """
INSERT INTO command_syncs (scope, digest) VALUES (:scope, :digest)
ON CONFLICT (scope) DO UPDATE SET digest = excluded.digest
"""


class SqliteCommandSyncs:
    """Digests as rows, by scope."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def digest(self, scope: str) -> str | None:
        """Return the digest of the commands that were last synced to a scope."""
        rows = await self._db.read(_OF, {"scope": scope})
        return rows[0]["digest"] if rows else None

    async def put(self, scope: str, digest: str) -> None:
        """Store the digest of the commands that were synced."""

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(_PUT, {"scope": scope, "digest": digest})

        await self._db.write(job)
