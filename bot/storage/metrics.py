"""Counts over all guilds, for the metrics."""

from collections.abc import Mapping

from bot.domain.resends import ResendState
from bot.storage.database import Database

_RESENDS = "SELECT state, count(*) AS requests FROM resends GROUP BY state"


class SqliteTableMetrics:
    """Counts over the whole file."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def resends_by_state(self) -> Mapping[ResendState, int]:
        """Return how many requests are in each state; states with none are left out."""
        return {ResendState(row["state"]): row["requests"] for row in await self._db.read(_RESENDS)}
