"""Figures about a PostgreSQL database, for the metrics."""

from typing_extensions import override

from bot.domain.health import DatabaseFiles
from bot.storage.metrics import EngineMetrics
from bot.storage.postgres.database import PostgresDatabase


class PostgresMetrics(EngineMetrics):
    """Asks the server. What its log takes and what its disk has left is the server's own monitoring's business."""

    def __init__(self, db: PostgresDatabase) -> None:
        self._db = db

    @override
    async def last_backup(self) -> float:
        ((at,),) = await self._db.run("SELECT backed_up_at FROM desk")
        return 0.0 if at is None else float(at) / 1000

    @override
    async def files(self) -> DatabaseFiles:
        ((size,),) = await self._db.run("SELECT pg_database_size(current_database())")
        return DatabaseFiles(size)
