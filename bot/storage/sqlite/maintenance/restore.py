"""Puts a backup in the place of the database, and makes sure that nothing is sent a second time because of it."""

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.domain.errors import DatabaseUnavailable
from bot.storage.aftermath import Former, former_in, prepare
from bot.storage.copy_files import dated, sync, unused
from bot.storage.database import from_ms
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseNotWritable, DatabaseUnusable, of_sqlite
from bot.storage.files import size_of, status_of
from bot.storage.guild_settings import PauseReason
from bot.storage.maintenance import Prepared, Restored
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.lock import lock_of, locked, remember, remembered
from bot.storage.sqlite.maintenance.backup import copy_failed, copy_into, require_sound
from bot.storage.sqlite.maintenance.identity import identity_of
from bot.storage.sqlite.maintenance.inspection import inspect, inspect_connection, open_uri, reading
from bot.storage.sqlite.maintenance.request_ids import SqliteRequestIds
from bot.storage.sqlite.schema import require_ours

_PRIVATE = 0o600
_SUFFIXES = ("-wal", "-shm", "-journal")


async def restore(source: Path, database: Path, *, at: datetime) -> Restored:
    """Put the backup at ``source`` in the place of ``database``, which is kept beside it under a dated name.

    A copy is verified, migrated and prepared (see :func:`prepare`) beside the database, then renamed to it: a kill at
    any moment leaves one of the two, whole. It keeps the id of the desk it was made of. DatabaseInUse if SkinDesk is
    running, DatabaseUnusable and DatabaseTooNew if either file cannot be used, BackupNotWritten and DatabaseNotWritable
    if there is no room. All of them leave the database as it was.
    """
    with locked(database) as real:
        copy = real.with_name(f".{real.name}.restoring")
        _remove(copy)
        try:
            _require_another(source, real)
            same_owner(real, lock_of(real))
            migrated_from, saved_until = await asyncio.to_thread(_copy_and_verify, source, copy)
            former = _read_replaced(real)
            prepared, database_id = await _prepare(copy, former, at=at)
            version = await asyncio.to_thread(_verify_prepared, copy)
            same_owner(real, copy)
            remember(real, database_id, *(remembered(real) or ()))  # a kill from here on leaves either of them
            kept = _put_in_place(copy, real, at=at)
        except OSError as error:
            raise BackupNotWritten(real, error.strerror or type(error).__name__) from error
        except sqlite3.Error as error:
            raise of_sqlite(real, error) from error
        except DatabaseUnavailable as unavailable:
            raise DatabaseNotWritable(copy, unavailable.fault.value) from unavailable
        finally:
            _remove(copy)
        with suppress(OSError):  # the former one is accepted too, then
            remember(real, database_id)
        await asyncio.to_thread(_verify_in_place, real)
        return Restored(kept, version, migrated_from, saved_until, prepared)


def accept_recovered(database: Path, *, at: datetime) -> Prepared:
    """Prepare a database in its place: it was put back to an earlier state by other means than :func:`restore`.

    DatabaseInUse if SkinDesk is running, DatabaseUnusable and DatabaseNotWritable otherwise.
    """
    real = database.resolve()
    if not size_of(real):
        raise DatabaseUnusable(database, "there is none")
    with reading(database) as (connection, _):
        require_sound(inspect_connection(connection, database), database)
    try:
        prepared, _ = asyncio.run(_prepare(database, Former(), at=at))
    except DatabaseUnavailable as unavailable:
        raise DatabaseNotWritable(database, unavailable.fault.value) from unavailable
    same_owner(real, lock_of(real))
    return prepared


def _require_another(source: Path, real: Path) -> None:
    if status_of(source) and status_of(real) and source.samefile(real):
        raise DatabaseUnusable(source, "this is the database itself")


def _copy_and_verify(source: Path, copy: Path) -> tuple[int, datetime | None]:
    """Copy the source, verify the copy, and return its schema version and the time of its newest audit row."""
    with reading(source) as (connection, _):
        require_ours(connection, source)
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE))
        try:
            copy_into(connection, copy, named=source)
        except sqlite3.Error as error:
            raise copy_failed(source, copy, error) from error
    with reading(copy) as (connection, _):
        found = inspect_connection(connection, source)
        require_sound(found, source)
        newest = connection.execute("SELECT max(at) FROM audit").fetchone()[0]
    return found.version, None if newest is None else from_ms(newest)


def _read_replaced(real: Path) -> Former:
    """Read the facts needed from the database that is replaced, if it exists and can be read.

    DatabaseUnusable if it is another program's: the configuration may have a wrong path.
    """
    try:
        if not size_of(real):
            return Former()
        with closing(sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True)) as connection:
            require_ours(connection, real)
            return former_in(connection, SqliteRequestIds())
    except sqlite3.Error:
        return Former()


async def _prepare(copy: Path, former: Former, *, at: datetime) -> tuple[Prepared, str]:
    """Prepare a database, and return how, and its id."""
    async with SqliteDatabase.open(copy) as database:
        job = partial(prepare, ids=SqliteRequestIds(), former=former, reason=PauseReason.RESTORED, at=at)
        return await database.write(job), (await identity_of(database)).database_id


def _verify_prepared(copy: Path) -> int:
    """Fold the journal into the copy, verify and sync it; return its schema version."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    found = inspect(copy)
    require_sound(found, copy)
    sync(copy)
    return found.version


def _verify_in_place(real: Path) -> None:
    """Verify the database in its place. It has no journal, and reading creates none."""
    with closing(open_uri(f"{real.as_uri()}?mode=ro")) as connection:
        require_sound(inspect_connection(connection, real), real)


def _put_in_place(copy: Path, real: Path, *, at: datetime) -> Path | None:
    """Rename the copy to the database, after giving that a second name; return that name."""
    kept = None
    if size_of(real):
        for name in real.parent.glob(f"{real.name}.replaced-*"):
            if name.samefile(real):  # of a restore that was killed before the renaming
                name.unlink()
        _make_one_file(real)
        kept = unused(real.with_name(dated(f"{real.name}.replaced", at)))
        _give_name(real, kept)
        # Journals are left only if SQLite could not read the database. They must not be taken for the copy's own.
        for suffix in _SUFFIXES:
            journal = real.with_name(real.name + suffix)
            if status_of(journal):
                journal.rename(kept.with_name(kept.name + suffix))
    else:
        for suffix in _SUFFIXES:
            real.with_name(real.name + suffix).unlink(missing_ok=True)
    sync(real.parent)
    copy.replace(real)
    sync(real.parent)
    return kept


def _make_one_file(real: Path) -> None:
    """Fold the journal into the database, unless it is damaged."""
    try:
        with closing(sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DatabaseInUse(real) from error
    except sqlite3.DatabaseError:
        return


def _give_name(real: Path, kept: Path) -> None:
    try:
        os.link(real, kept)
    except OSError:  # the file system has no hard links
        with real.open("rb") as before, kept.open("xb") as after:
            kept.chmod(_PRIVATE)
            while piece := before.read(2**20):
                after.write(piece)
        sync(kept)


def same_owner(model: Path, path: Path) -> None:
    """Give ``path`` to the owner of the database, or of its folder: root may restore, SkinDesk must read."""
    owner = status_of(model) or model.parent.stat()
    if os.geteuid() == 0 and os.path.lexists(path):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _remove(copy: Path) -> None:
    """Remove the files that a restore leaves beside the database."""
    for path in (copy, lock_of(copy), *(copy.with_name(copy.name + suffix) for suffix in _SUFFIXES)):
        with suppress(OSError):
            path.unlink(missing_ok=True)
