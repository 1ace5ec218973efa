"""Figures about the whole database, for the metrics."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.health import DatabaseFiles, ResendBacklog
from bot.domain.resends import ResendState
from bot.storage.database import Database, to_ms
from bot.storage.sqlite.maintenance.record import last_backup

# A request that a restore made unknown may never have been sent.
_RESENDS = """
SELECT
    state,
    count(*) AS requests,
    max(:now - CASE state WHEN 'pending' THEN requested_at ELSE coalesce(sent_at, decided_at, requested_at) END) AS age,
    max(CASE state WHEN 'pending' THEN 1.0 * (:now - requested_at) / (expires_at - requested_at) END) AS life_used
FROM resends GROUP BY state
"""


class SqlTableMetrics:
    """Figures about the tables and the files."""

    def __init__(self, db: Database, path: Path) -> None:
        self._db = db
        self._path = path.resolve()  # SQLite keeps the log beside the file itself, not beside a link to it

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

    def last_backup(self) -> float:
        """Return when the newest backup was made, in seconds since 1970; 0 if there is none."""
        record = last_backup(self._path)
        return 0.0 if record is None else record.at.timestamp()

    def files(self) -> DatabaseFiles:
        """Return the sizes of the files; OSError if the database is not at its path."""
        size = self._path.stat().st_size
        try:
            log_size = self._path.with_name(f"{self._path.name}-wal").stat().st_size
        except FileNotFoundError:
            log_size = 0
        return DatabaseFiles(size, log_size, shutil.disk_usage(self._path.parent).free)
