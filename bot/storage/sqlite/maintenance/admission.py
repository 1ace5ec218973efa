"""Decides whether a start may use the database that it finds: not a new or another one in the place of the desk's."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.domain.errors import DatabaseUnavailable
from bot.storage.aftermath import Former, prepare
from bot.storage.copy_files import dated, unused
from bot.storage.errors import DatabaseChanged, DatabaseMoved, DatabaseNotWritable
from bot.storage.files import size_of, status_of
from bot.storage.guild_settings import PauseReason
from bot.storage.maintenance import Identity
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.lock import remember, remembered
from bot.storage.sqlite.maintenance.backup import keep_before_migration
from bot.storage.sqlite.maintenance.copies import newest_copy
from bot.storage.sqlite.maintenance.identity import identity_in, identity_of, moved_to
from bot.storage.sqlite.maintenance.record import BackupRecord, last_backup
from bot.storage.sqlite.maintenance.request_ids import SqliteRequestIds
from bot.storage.sqlite.schema import version_of

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_admitted(path: Path, *, accepts_new: bool, at: datetime) -> AsyncIterator[SqliteDatabase]:
    """Open the desk's database for a start: see :meth:`SqliteDatabase.open` for the errors.

    A copy is kept before an upgrade. ``accepts_new`` is the operator's decision: ``skindesk run --new-database``.
    """
    admission = Admission(path, accepts_new=accepts_new)
    async with SqliteDatabase.open(path, admit=admission.admit, before_migration=keep_before_migration) as database:
        await admission.settle(database, at=at)
        yield database


class Admission:
    """The decision of one start."""

    def __init__(self, database: Path, *, accepts_new: bool = False) -> None:
        self._real = database.resolve()
        self._accepts_new = accepts_new
        self._has_accepted = False

    def admit(self, real: Path, connection: sqlite3.Connection | None) -> None:
        """Raise DatabaseChanged if the file is not the desk's and the operator has not accepted it.

        ``connection`` is None if there is no file, or an empty one.
        """
        is_empty = connection is None or version_of(connection) == 0
        changed = doubt(real, connection)
        if changed is not None and not self._accepts_new:
            raise changed
        # The operator knows of a database before, even if nothing here does.
        self._has_accepted = self._accepts_new and (changed is not None or is_empty)
        if self._has_accepted and connection is None:
            _keep_journal(real)

    async def settle(self, database: SqliteDatabase, *, at: datetime) -> None:
        """Prepare a database that was accepted, and remember the database from now on. Call it once it is open."""
        if self._has_accepted:
            job = partial(prepare, ids=SqliteRequestIds(), former=Former(), reason=PauseReason.NEW_DATABASE, at=at)
            try:
                await database.write(job)
            except DatabaseUnavailable as unavailable:
                raise DatabaseNotWritable(self._real, unavailable.fault.value) from unavailable
            _log.warning(
                "started with a new database: resends are stopped on every server until they are resumed under "
                "/approvals, because the database does not know what was sent before"
            )
        identity = await identity_of(database)
        try:
            await asyncio.to_thread(remember, self._real, identity.database_id)
        except OSError as error:
            _log.warning("the lock file does not name the database: %s", error.strerror)


def doubt(real: Path, connection: sqlite3.Connection | None) -> DatabaseChanged | None:
    """Return why the database at ``real`` may not be the one used there before; None if there is no reason to doubt.

    ``connection`` is None if there is no file, or an empty one.
    """
    known, record = remembered(real), last_backup(real)
    if connection is None or version_of(connection) == 0:
        copy = newest_copy(real)
        if known is None and copy is None and not _has_journal(real):
            return None  # a first start
        return DatabaseChanged(real, "is empty, but held data before" if status_of(real) else "is gone", copy)
    if (to := moved_to(connection)) is not None:
        return DatabaseMoved(real, to)
    identity = identity_in(connection)
    if identity is None or (known and identity.database_id in known):
        return None
    if not known and (record is None or _is_of(record, identity)):
        return None
    return DatabaseChanged(real, "is another database than the one used here before", newest_copy(real))


def _is_of(record: BackupRecord, identity: Identity) -> bool:
    """Return whether a backup was made of a database; before it had an id, by its age."""
    if record.database_id is None:
        return identity.created_at <= record.at
    return record.database_id == identity.database_id


def _journal(real: Path) -> Path:
    return real.with_name(f"{real.name}-wal")


def _has_journal(real: Path) -> bool:
    return size_of(_journal(real)) > 0


def _keep_journal(real: Path) -> None:
    """Rename the journal of a database that is gone: SQLite would delete it."""
    if _has_journal(real):
        _journal(real).rename(unused(real.with_name(f"{dated(f'{real.name}.replaced')}-wal")))
