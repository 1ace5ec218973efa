"""Puts a backup in the place of the database, and makes sure that nothing is sent a second time because of it."""

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.domain.audit import AuditAction
from bot.storage.audit.log import append
from bot.storage.database import Database, from_ms, to_ms
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseUnusable
from bot.storage.guild_settings import pause_restored
from bot.storage.lock import lock_of, locked
from bot.storage.maintenance.backup import copy_into, dated, require_sound, sync, unused
from bot.storage.maintenance.inspection import inspect, inspect_connection, open_uri, reading
from bot.storage.resend_rows import audit_entry, resend_of
from bot.storage.schema import require_ours

_PRIVATE = 0o600
_SUFFIXES = ("-wal", "-shm", "-journal")

_SKIPPED_IDS = 100_000
"""How far the next request's id is moved on if the ids given out since the backup are unknown."""

_MARK_UNKNOWN = """
UPDATE resends SET
    state = 'unknown', shown_version = NULL, outcome = 'restored', outcome_detail = state, settle_after = :at
WHERE state IN ('pending', 'approved', 'sending')
RETURNING *
"""

_GUILDS = "SELECT guild_id FROM guilds UNION SELECT guild_id FROM resends ORDER BY guild_id"

_HIGHEST_ID = """
SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'resends'), 0),
           coalesce((SELECT max(id) FROM resends), 0)) AS highest
"""

_DELETE_SEQUENCE = "DELETE FROM sqlite_sequence WHERE name = 'resends'"
_SET_SEQUENCE = "INSERT INTO sqlite_sequence (name, seq) VALUES ('resends', :highest)"


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore.

    ``replaced`` is the new path of the former database. ``saved_until`` is the time of the backup's newest audit row.
    ``in_doubt`` counts the requests that are unknown now, ``guilds_paused`` the guilds whose resends are paused.
    """

    path: Path
    replaced: Path | None
    version: int
    migrated_from: int
    saved_until: datetime | None
    in_doubt: int
    guilds_paused: int


@dataclass(frozen=True, slots=True)
class _Replaced:
    """Facts from the database that is replaced: its guilds, and the highest id of a request."""

    guild_ids: frozenset[int] = frozenset()
    highest_id: int | None = None


async def restore(source: Path, database: Path, *, at: datetime) -> Restored:
    """Put the backup at ``source`` in the place of ``database``, which is kept beside it under a dated name.

    A copy is verified, migrated and prepared (see :func:`_prepare`) beside the database, then renamed to it: a kill at
    any moment leaves one of the two, whole. DatabaseInUse if SkinDesk is running, DatabaseUnusable and DatabaseTooNew
    if either file cannot be used, BackupNotWritten if there is no room. All of them leave the database as it was.
    """
    with locked(database) as real:
        copy = real.with_name(f".{real.name}.restoring")
        _remove(copy)
        try:
            _require_another(source, real)
            _same_owner(real, lock_of(real))
            migrated_from, saved_until = await asyncio.to_thread(_copy_and_verify, source, copy)
            replaced = _read_replaced(real)
            in_doubt, guilds = await _prepare(copy, replaced, at=at)
            version = await asyncio.to_thread(_verify_prepared, copy)
            _same_owner(real, copy)
            kept = _put_in_place(copy, real, at=at)
        except OSError as error:
            raise BackupNotWritten(real, error.strerror or type(error).__name__) from error
        finally:
            _remove(copy)
        await asyncio.to_thread(_verify_in_place, real)
        return Restored(real, kept, version, migrated_from, saved_until, in_doubt, guilds)


def _require_another(source: Path, real: Path) -> None:
    if source.exists() and real.exists() and source.samefile(real):
        raise DatabaseUnusable(source, "this is the database itself")


def _copy_and_verify(source: Path, copy: Path) -> tuple[int, datetime | None]:
    """Copy the source, verify the copy, and return its schema version and the time of its newest audit row."""
    with reading(source) as (connection, _):
        require_ours(connection, source)
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE))
        try:
            copy_into(connection, copy, named=source)
        except sqlite3.Error as error:
            raise BackupNotWritten(copy, str(error)) from error
    with reading(copy) as (connection, _):
        found = inspect_connection(connection, source)
        require_sound(found, source)
        newest = connection.execute("SELECT max(at) FROM audit").fetchone()[0]
    return found.version, None if newest is None else from_ms(newest)


def _read_replaced(real: Path) -> _Replaced:
    """Read the facts needed from the database that is replaced, if it exists and can be read.

    DatabaseUnusable if it is another program's: the configuration may have a wrong path.
    """
    try:
        if not real.exists() or not real.stat().st_size:
            return _Replaced()
        with closing(sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True)) as connection:
            require_ours(connection, real)
            guild_ids = frozenset(row[0] for row in connection.execute(_GUILDS))
            return _Replaced(guild_ids, int(connection.execute(_HIGHEST_ID).fetchone()[0]))
    except sqlite3.Error:
        return _Replaced()


async def _prepare(copy: Path, replaced: _Replaced, *, at: datetime) -> tuple[int, int]:
    """Make sure that the copy sends nothing twice; return how many requests are unknown and how many guilds are paused.

    Requests that were open when the backup was made may have been sent since: they become unknown, to be settled by
    reading or by hand. Later requests are not in it: resends are paused in every guild until a user resumes them. Ids
    given out since are skipped, because they are in the buttons of cards; sign-ins in progress end; the commands are
    synced again, because another version may have synced others.
    """
    async with Database.open(copy) as database:
        return await database.write(partial(_prepare_job, replaced=replaced, at=at))


def _prepare_job(connection: sqlite3.Connection, *, replaced: _Replaced, at: datetime) -> tuple[int, int]:
    unknown = [resend_of(row) for row in connection.execute(_MARK_UNKNOWN, {"at": to_ms(at)}).fetchall()]
    for resend in unknown:
        action, was = AuditAction.RESEND_UNKNOWN, resend.outcome_detail or ""
        append(connection, audit_entry(resend, action, by=None, at=at, was=was))
    guild_ids = {row["guild_id"] for row in connection.execute(_GUILDS)} | replaced.guild_ids
    for guild_id in sorted(guild_ids):
        pause_restored(connection, guild_id, at=at)
    highest = int(connection.execute(_HIGHEST_ID).fetchone()["highest"])
    if replaced.highest_id is not None and replaced.highest_id >= highest:
        highest = replaced.highest_id
    else:
        highest += _SKIPPED_IDS
    connection.execute(_DELETE_SEQUENCE)
    connection.execute(_SET_SEQUENCE, {"highest": highest})
    connection.execute("DELETE FROM sign_ins")
    connection.execute("DELETE FROM command_syncs")
    return len(unknown), len(guild_ids)


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
    if real.exists() and real.stat().st_size:
        for name in real.parent.glob(f"{real.name}.replaced-*"):
            if name.samefile(real):  # of a restore that was killed before the renaming
                name.unlink()
        _make_one_file(real)
        kept = unused(real.with_name(dated(f"{real.name}.replaced", at)))
        _give_name(real, kept)
        # Journals are left only if SQLite could not read the database. They must not be taken for the copy's own.
        for suffix in _SUFFIXES:
            journal = real.with_name(real.name + suffix)
            if journal.exists():
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


def _same_owner(model: Path, path: Path) -> None:
    """Give ``path`` to the owner of the database, or of its folder: root may restore, SkinDesk must read."""
    owner = (model if model.exists() else model.parent).stat()
    if os.geteuid() == 0 and path.exists():
        os.chown(path, owner.st_uid, owner.st_gid)


def _remove(copy: Path) -> None:
    """Remove the files that a restore leaves beside the database."""
    for path in (copy, lock_of(copy), *(copy.with_name(copy.name + suffix) for suffix in _SUFFIXES)):
        with suppress(OSError):
            path.unlink(missing_ok=True)
