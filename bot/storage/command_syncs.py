"""Keeps which commands were last synced to Discord."""

from typing_extensions import override

from bot.ports import CommandSyncs
from bot.storage.database import Connection, Database

_OF = "SELECT digest FROM command_syncs WHERE scope = :scope"

_PUT = """
INSERT INTO command_syncs (scope, digest) VALUES (:scope, :digest)
ON CONFLICT (scope) DO UPDATE SET digest = excluded.digest
"""


class SqlCommandSyncs(CommandSyncs):
    """Digests as rows, by scope."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def digest(self, scope: str) -> str | None:
        rows = await self._db.read(_OF, {"scope": scope})
        return rows[0]["digest"] if rows else None

    @override
    async def put(self, scope: str, digest: str) -> None:
        def job(connection: Connection) -> None:
            connection.execute(_PUT, {"scope": scope, "digest": digest})

        await self._db.write(job)
