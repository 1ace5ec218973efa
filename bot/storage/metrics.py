"""Figures about the whole database, for the metrics."""

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.health import DatabaseFiles, ResendBacklog
from bot.domain.resends import ResendState
from bot.storage.database import Database, to_ms

# A request that a restore made unknown may never have been sent.
_RESENDS = """
SELECT
    state,
    count(*) AS requests,
    max(:now - CASE state WHEN 'pending' THEN requested_at ELSE coalesce(sent_at, decided_at, requested_at) END) AS age,
    max(CASE state WHEN 'pending' THEN 1.0 * (:now - requested_at) / (expires_at - requested_at) END) AS life_used
FROM resends GROUP BY state
"""


class EngineMetrics(Protocol):
    """Figures that each engine finds in its own way."""

    async def files(self) -> DatabaseFiles:
        """Return the sizes of the database."""
        ...

    async def last_backup(self) -> float:
        """Return when the newest backup was made, in seconds since 1970; 0 if there is none."""
        ...


class SqlTableMetrics:
    """Figures about the tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def resends(self, at: datetime) -> ResendBacklog:
        """Return the requests by state and the ages of the oldest ones; states with none are left out."""
        rows = {ResendState(row["state"]): row for row in await self._db.read(_RESENDS, {"now": to_ms(at)})}

        def age(state: ResendState) -> timedelta:
            return max(timedelta(milliseconds=rows[state]["age"]), timedelta(0)) if state in rows else timedelta(0)

        life_used = rows[ResendState.PENDING]["life_used"] if ResendState.PENDING in rows else None
        return ResendBacklog(
            {state: row["requests"] for state, row in rows.items()},
            oldest_pending=age(ResendState.PENDING),
            oldest_unknown=age(ResendState.UNKNOWN),
            life_used=max(life_used or 0.0, 0.0),
        )
