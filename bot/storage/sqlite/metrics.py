"""Figures about a SQLite database's files, for the metrics."""

import asyncio
import shutil
from pathlib import Path

from typing_extensions import override

from bot.domain.health import DatabaseFiles
from bot.storage.metrics import EngineMetrics
from bot.storage.sqlite.maintenance.record import last_backup


class SqliteMetrics(EngineMetrics):
    """Reads the files beside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # SQLite keeps the log beside the file itself, not beside a link to it

    @override
    async def last_backup(self) -> float:
        record = await asyncio.to_thread(last_backup, self._path)
        return 0.0 if record is None else record.at.timestamp()

    @override
    async def files(self) -> DatabaseFiles:
        """Return the sizes of the files; OSError if the database is not at its path."""
        size = self._path.stat().st_size
        try:
            log_size = self._path.with_name(f"{self._path.name}-wal").stat().st_size
        except FileNotFoundError:
            log_size = 0
        return DatabaseFiles(size, log_size, shutil.disk_usage(self._path.parent).free)
