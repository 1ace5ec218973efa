"""Backup and restore of a SQLite file, as the commands use them."""

import asyncio
import os
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from bot.storage.files import is_file
from bot.storage.maintenance import Backup, Maintenance, Prepared, Restored
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.sqlite.maintenance.copies import delete_oldest
from bot.storage.sqlite.maintenance.record import BackupRecord, note_backup
from bot.storage.sqlite.maintenance.restore import accept_recovered, restore


class SqliteMaintenance(Maintenance):
    """The file at a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    @override
    def name(self) -> str:
        return str(self._path)

    @override
    def missing(self) -> str | None:
        if is_file(self._path):
            return None
        return f"{'is not a file' if os.path.lexists(self._path) else 'does not exist'} (database.path)"

    @override
    def back_up(self, destination: Path) -> Backup:
        return back_up(self._path, destination)

    @override
    def note_backup(self, made: Backup) -> None:
        database_id = made.identity.database_id if made.identity else None
        note_backup(self._path, BackupRecord(made.at, made.path, database_id))

    @override
    def delete_oldest(self, made: Backup, keep: int) -> list[Path] | None:
        return None if made.identity is None else delete_oldest(self._path, made.identity, made.path, keep)

    @override
    def restore(self, source: Path, *, at: datetime) -> Restored:
        return asyncio.run(restore(source, self._path, at=at))

    @override
    def accept_recovered(self, *, at: datetime) -> Prepared:
        return accept_recovered(self._path, at=at)
