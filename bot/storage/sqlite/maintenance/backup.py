"""Backs a database up while it is in use, and keeps a copy before each migration."""

import logging
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.storage.copy_files import (
    dated,
    not_written,
    partial_file,
    put,
    put_unverified,
    sync,
    target_of,
    unused,
)
from bot.storage.errors import BackupNotWritten, DatabaseTooNew, DatabaseUnusable, is_damage
from bot.storage.maintenance import Backup
from bot.storage.sqlite.maintenance.identity import identity_in
from bot.storage.sqlite.maintenance.inspection import Inspection, inspect_connection, reading
from bot.storage.sqlite.schema import damage_of, require_ours

_log = logging.getLogger(__name__)

MAX_KEPT_PER_MIGRATION = 2
"""A migration that fails at every start must not push out the copies of earlier ones."""

MAX_KEPT = 5
"""Copies kept of those made before migrations."""

_BEFORE = re.compile(r"\.before-(?P<number>\d{4})-(?P<stamp>\d{8}T\d{6}Z)(?:-\d+)?")


def back_up(database: Path, destination: Path, *, at: datetime | None = None) -> Backup:
    """Copy ``database`` to ``destination``, or to a dated name in that folder, and verify the copy.

    The copy appears whole, verified and on the disk, or not at all; an existing file is never replaced.
    DatabaseUnusable and DatabaseTooNew if the database is not sound, BackupNotWritten otherwise.
    """
    target = target_of(destination, database.stem, database.suffix, at=at)
    return _copied(database, target, require_sound)


def keep_before_migration(database: Path, number: int, *, at: datetime | None = None) -> None:
    """Keep a copy beside ``database`` before migration ``number``, and delete the oldest if there are too many.

    Call it with the lock held. BackupNotWritten if it cannot be written: do not migrate then.
    """
    for left in database.parent.glob(f".{database.name}.before-*.partial*"):  # of a start that was killed
        left.unlink(missing_ok=True)
    target = unused(database.with_name(dated(f"{database.name}.before-{number:04}", at)))
    kept = _copied(database, target, require_whole)  # faults that allow a start allow this too
    _drop_oldest(database)
    _log.info("database kept before its upgrade path=%s version=%s", kept.path, kept.version)


def copy_into(source: sqlite3.Connection, target: Path, *, named: Path) -> None:
    """Copy a sound database into the empty file ``target`` and sync it; sqlite3.Error, OSError.

    VACUUM INTO reads one snapshot and writes rows, not pages: deleted data left in the file is not copied. It would
    copy a damaged database too, so that is DatabaseUnusable, with the path ``named``.
    """
    damage = damage_of(source)
    if damage:
        raise DatabaseUnusable(named, f"damaged: {damage[0]}", is_damaged=True)
    source.execute("VACUUM INTO ?", (str(target.absolute()),))
    sync(target)


def copy_failed(source: Path, target: Path, error: sqlite3.Error | OSError) -> DatabaseUnusable | BackupNotWritten:
    """Return whether a copy failed because ``source`` cannot be read, or ``target`` cannot be written."""
    if is_damage(error):
        return DatabaseUnusable(source, f"damaged: {error}", is_damaged=True)
    return not_written(target, error)


def require_sound(found: Inspection, path: Path) -> None:
    """Raise DatabaseUnusable or DatabaseTooNew if a copy cannot be relied on."""
    if found.is_new:
        raise DatabaseUnusable(path, "it is empty", is_damaged=True)
    if found.is_too_new:
        raise DatabaseTooNew(path, found=found.version, newest=found.newest)
    require_whole(found, path)
    if found.orphans:
        raise DatabaseUnusable(path, f"rows of {', '.join(found.orphans)} refer to none")
    if found.chain is not None and (fault := found.chain.fault) is not None:
        raise DatabaseUnusable(path, f"row {fault.number} of the audit log is not as it was written ({fault.what})")


def require_whole(found: Inspection, path: Path) -> None:
    """Raise DatabaseUnusable if SQLite reports damage."""
    if found.damage:
        raise DatabaseUnusable(path, f"damaged: {found.damage[0]}", is_damaged=True)


def _copied(database: Path, target: Path, judge: Callable[[Inspection, Path], None]) -> Backup:
    at = datetime.now(UTC)
    with partial_file(target) as partial:
        with reading(database) as (source, _):
            require_ours(source, database)
            try:
                copy_into(source, partial, named=database)
            except (sqlite3.Error, OSError) as error:
                raise copy_failed(database, target, error) from error
        with reading(partial) as (copy, _):
            found, identity = inspect_connection(copy, database), identity_in(copy)
        try:
            judge(found, database)
        except DatabaseUnusable as unsound:
            if found.is_new or found.damage:
                raise
            unverified = put_unverified(partial, target)
            raise DatabaseUnusable(database, f"{unsound.reason}; a copy as it is: {unverified}") from unsound
        put(partial, target)
        return Backup(
            at, target, found.version, target.stat().st_size, found.chain.rows if found.chain else 0, identity
        )


def _drop_oldest(database: Path) -> None:
    found = []
    for path in database.parent.glob(f"{database.name}.before-*"):
        match = _BEFORE.fullmatch(path.name.removeprefix(database.name))
        if match is not None:
            found.append((match["stamp"], path.name, match["number"], path))
    found.sort(reverse=True)
    of_number: dict[str, int] = {}
    kept = 0
    for _, _, number, path in found:
        of_number[number] = of_number.get(number, 0) + 1
        if of_number[number] <= MAX_KEPT_PER_MIGRATION and kept < MAX_KEPT:
            kept += 1
            continue
        with suppress(OSError):
            path.unlink()
