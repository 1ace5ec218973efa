"""Puts a saved copy in the place of the database, and makes sure that nothing is sent a second time because of it."""

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiosqlite

from bot.domain.audit import AuditAction
from bot.storage.audit.log import write_down
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database, fetch_one
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseUnusable
from bot.storage.lock import lock_of, locked
from bot.storage.maintenance.backup import copy_into, dated, require_sound, sync, unused
from bot.storage.maintenance.inspection import inspect, inspect_connection, opened, reading, require_ours
from bot.storage.pauses import pause_restored
from bot.storage.resend_rows import audit_entry, resend_of

_PRIVATE = 0o600
_BESIDE = ("-wal", "-shm", "-journal")

_SKIPPED_IDS = 100_000
"""How far the next request's id is moved on where nobody can say which were given out since the copy was made."""

_DOUBT = """
UPDATE resends SET state = 'unknown', outcome = 'restored', outcome_detail = state, settle_after = :at
WHERE state IN ('pending', 'approved', 'sending')
RETURNING *
"""

_GUILDS = "SELECT guild_id FROM guilds UNION SELECT guild_id FROM resends ORDER BY guild_id"

_HIGHEST_ID = """
SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'resends'), 0),
           coalesce((SELECT max(id) FROM resends), 0)) AS highest
"""

_FORGET_SEQUENCE = "DELETE FROM sqlite_sequence WHERE name = 'resends'"
_SET_SEQUENCE = "INSERT INTO sqlite_sequence (name, seq) VALUES ('resends', :highest)"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to.

    ``replaced`` is where the database lies that was there before. ``saved_until`` is the newest moment that the
    record of the copy knows. ``in_doubt`` counts the requests that are unknown now.
    """

    path: Path
    replaced: Path | None
    version: int
    migrated_from: int
    saved_until: datetime | None
    in_doubt: int
    guilds_stopped: int


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What the database that is being replaced still says: its guilds, and the highest id of a request."""

    guild_ids: frozenset[int] = frozenset()
    highest_id: int | None = None


async def restore(source: Path, database: Path, *, at: datetime) -> Restored:
    """Put the copy at ``source`` in the place of ``database``, which is kept beside it under a dated name.

    The copy is verified, brought to the newest schema and prepared (see :func:`_prepare`) beside the database; then
    one renaming makes it the database. A kill at any moment leaves the one or the other, whole.
    DatabaseInUse where SkinDesk is running, DatabaseUnusable and DatabaseTooNew where either file is not to be used,
    BackupNotWritten where there is no room. All of them leave the database as it was.
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
    """Copy the source first and judge the copy: what is judged is what becomes the database."""
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
    """Read what is needed of the database that goes; nothing where it is not there or cannot be read any more.

    DatabaseUnusable where it is another program's: a wrong path in the configuration costs nobody their data.
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
    """Make the copy a database from which nothing is sent twice; return the counts of doubts and of guilds stopped.

    What was open when the copy was made may have been sent since: it is unknown, to be settled by reading or by hand.
    What was asked for since is not known at all: resends are stopped in every guild until somebody resumes them.
    Ids given out since are skipped, because they are in the buttons of cards; sign-ins under way end; Discord is told
    the commands again, because another version may have told it others since.
    """

    async def unit(connection: aiosqlite.Connection) -> tuple[int, int]:
        doubtful = [resend_of(row) for row in await connection.execute_fetchall(_DOUBT, {"at": to_ms(at)})]
        for resend in doubtful:
            detail = {"outcome": "restored", "was": resend.outcome_detail or ""}
            await write_down(connection, audit_entry(resend, AuditAction.RESEND_UNKNOWN, by=None, at=at, detail=detail))
        guild_ids = {row["guild_id"] for row in await connection.execute_fetchall(_GUILDS)} | replaced.guild_ids
        for guild_id in sorted(guild_ids):
            await pause_restored(connection, guild_id, at=at)
        row = await fetch_one(connection, _HIGHEST_ID)
        highest = int(row["highest"]) if row is not None else 0
        is_ahead = replaced.highest_id is not None and replaced.highest_id >= highest
        highest = replaced.highest_id if is_ahead and replaced.highest_id is not None else highest + _SKIPPED_IDS
        await connection.execute_fetchall(_FORGET_SEQUENCE)
        await connection.execute_fetchall(_SET_SEQUENCE, {"highest": highest})
        await connection.execute_fetchall("DELETE FROM sign_ins")
        await connection.execute_fetchall("DELETE FROM command_syncs")
        return len(doubtful), len(guild_ids)

    async with Database.open(copy, keeps_before_migration=False) as database:
        return await database.write(unit)


def _verify_prepared(copy: Path) -> int:
    """Make one file of the copy again, verify it and put it on the disk; return its schema's version."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    found = inspect(copy)
    require_sound(found, copy)
    sync(copy)
    return found.version


def _verify_in_place(real: Path) -> None:
    """Verify the database that it is now. It has no journal, and reading makes none."""
    with closing(opened(f"{real.as_uri()}?mode=ro")) as connection:
        require_sound(inspect_connection(connection, real), real)


def _put_in_place(copy: Path, real: Path, *, at: datetime) -> Path | None:
    """Rename the copy to the database, which gets a second name before; return that name."""
    kept = None
    if real.exists() and real.stat().st_size:
        for name in real.parent.glob(f"{real.name}.replaced-*"):
            if name.samefile(real):  # of a restore that was killed before the renaming
                name.unlink()
        _make_one_file(real)
        kept = unused(real.with_name(dated(f"{real.name}.replaced", at)))
        _give_name(real, kept)
        # Only where SQLite could not read it are there journals still. Beside the copy they would be taken for its own.
        for end in _BESIDE:
            run_in_worker = real.with_name(real.name + end)
            if run_in_worker.exists():
                run_in_worker.rename(kept.with_name(kept.name + end))
    else:
        for end in _BESIDE:
            real.with_name(real.name + end).unlink(missing_ok=True)
    sync(real.parent)
    copy.replace(real)
    sync(real.parent)
    return kept


def _make_one_file(real: Path) -> None:
    """Bring what the journal holds into the database, so that the file alone is all of it; not if it is damaged."""
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
    except OSError:  # a file system without hard links: a copy is as good, but slower
        with real.open("rb") as before, kept.open("xb") as after:
            kept.chmod(_PRIVATE)
            while piece := before.read(2**20):
                after.write(piece)
        sync(kept)


def _same_owner(model: Path, path: Path) -> None:
    """Give ``path`` to whoever owns the database, or its folder: root may restore what SkinDesk has to read."""
    owner = (model if model.exists() else model.parent).stat()
    if os.geteuid() == 0 and path.exists():
        os.chown(path, owner.st_uid, owner.st_gid)


def _remove(copy: Path) -> None:
    """Remove what a restore, or one that was killed, has beside the database."""
    for path in (copy, lock_of(copy), *(copy.with_name(copy.name + end) for end in _BESIDE)):
        with suppress(OSError):
            path.unlink(missing_ok=True)
