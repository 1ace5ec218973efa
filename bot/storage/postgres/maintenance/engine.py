"""Backup and restore of a PostgreSQL database, as the commands use them."""

from datetime import datetime
from pathlib import Path

import psycopg
from typing_extensions import override

from bot.storage import copy_files
from bot.storage.database import to_ms
from bot.storage.maintenance import Backup, Maintenance, Prepared, Restored
from bot.storage.postgres.address import name_of
from bot.storage.postgres.connection import connection_options
from bot.storage.postgres.maintenance.backup import SUFFIX, back_up, stem_of
from bot.storage.postgres.maintenance.dump_file import is_of
from bot.storage.postgres.maintenance.restore import accept_recovered, restore
from bot.storage.postgres.reasons import explained


class PostgresMaintenance(Maintenance):
    """The database at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    @override
    def name(self) -> str:
        return name_of(self._url)

    @override
    def missing(self) -> str | None:
        return None

    @override
    def back_up(self, destination: Path) -> Backup:
        return back_up(self._url, destination)

    @override
    def note_backup(self, made: Backup) -> None:
        with (
            explained(self.name),
            psycopg.connect(**connection_options(self._url, role="backup")) as connection,
        ):
            connection.execute("UPDATE desk SET backed_up_at = %s", [to_ms(made.at)])

    @override
    def delete_oldest(self, made: Backup, keep: int) -> list[Path] | None:
        if made.identity is None:
            return None
        database_id = made.identity.database_id
        return copy_files.delete_oldest(
            made.path, stem_of(self._url), SUFFIX, keep, is_of=lambda path: is_of(path, database_id)
        )

    @override
    def restore(self, source: Path, *, at: datetime) -> Restored:
        return restore(source, self._url, at=at)

    @override
    def accept_recovered(self, *, at: datetime) -> Prepared:
        return accept_recovered(self._url, at=at)
