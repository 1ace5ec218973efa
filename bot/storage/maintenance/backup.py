"""Copies a database while it is in use, and keeps a copy before each change of its schema."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.storage.errors import BackupNotWritten, DatabaseTooNew, DatabaseUnusable
from bot.storage.maintenance.inspection import Inspection, damage_of, inspect_connection, reading, require_ours

KEPT_OF_A_MIGRATION = 2
"""A migration that fails at every start must not push out the copies of earlier ones."""

KEPT = 5
"""Copies kept of those made before migrations."""

_PRIVATE = 0o600
_BESIDE = ("-journal", "-wal", "-shm")
_BEFORE = re.compile(r"\.before-(?P<number>\d{4})-(?P<stamp>\d{8}T\d{6}Z)(?:-\d+)?")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was verified and is in its place. ``version`` is the schema's, ``rows`` are those of the record."""

    path: Path
    version: int
    size: int
    rows: int


def back_up(database: Path, destination: Path, *, at: datetime | None = None) -> Backup:
    """Copy ``database`` to ``destination``, or to a dated name in it where it is a folder, and verify the copy.

    The copy appears whole, verified and on the disk, or not at all; what is there already is never replaced.
    DatabaseUnusable and DatabaseTooNew where there is nothing sound to copy, BackupNotWritten otherwise.
    """
    try:
        is_folder = destination.is_dir()
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise _not_written(destination, error) from error
    if is_folder:
        destination = unused(destination / dated(database.stem, at, database.suffix))
    return _copied(database, destination, require_sound)


def dated(stem: str, at: datetime | None = None, suffix: str = "") -> str:
    """Return a name with a moment in it, UTC, that sorts by time."""
    return f"{stem}-{(at or datetime.now(UTC)).astimezone(UTC):%Y%m%dT%H%M%SZ}{suffix}"


def keep_before_migration(database: Path, *, number: int, at: datetime | None = None) -> Backup:
    """Keep a copy beside ``database`` before migration ``number``, and drop the oldest where there are too many.

    Call it with the lock held. BackupNotWritten where it cannot be written: the migration is not to begin then.
    """
    for left in database.parent.glob(f".{database.name}.before-*.partial*"):  # of a start that was killed
        left.unlink(missing_ok=True)
    target = unused(database.with_name(dated(f"{database.name}.before-{number:04}", at)))
    kept = _copied(database, target, require_whole)  # what does not keep it from starting does not keep it from this
    _drop_oldest(database)
    return kept


def unused(path: Path) -> Path:
    """Return ``path``, numbered where there is something of that name."""
    found, count = path, 1
    while os.path.lexists(found):
        count += 1
        found = path.with_name(f"{path.name}-{count}")
    return found


def copy_into(source: sqlite3.Connection, target: Path, *, named: Path) -> None:
    """Copy a sound database into the empty file ``target``, and put it on the disk; sqlite3.Error, OSError.

    All in one statement: it is one reading of one moment, whatever is written meanwhile. And it writes rows, not
    pages: what was deleted, and lies about in the file, is not in the copy. A damaged database, which would be copied
    as if it were none, is DatabaseUnusable; ``named`` is what to call it.
    """
    damage = damage_of(source)
    if damage:
        raise DatabaseUnusable(named, f"damaged: {damage[0]}")
    source.execute("VACUUM INTO ?", (str(target.absolute()),))
    sync(target)


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_sound(found: Inspection, path: Path) -> None:
    """Raise DatabaseUnusable or DatabaseTooNew where a copy is none to rely on."""
    if found.is_new:
        raise DatabaseUnusable(path, "there is nothing in it")
    if found.is_too_new:
        raise DatabaseTooNew(path, found=found.version, newest=found.newest)
    require_whole(found, path)
    if found.orphans:
        raise DatabaseUnusable(path, f"rows of {', '.join(found.orphans)} refer to none")
    if found.chain is not None and found.chain.faults:
        fault = found.chain.faults[0]
        raise DatabaseUnusable(path, f"row {fault.number} of the record is not as it was written ({fault.what})")


def require_whole(found: Inspection, path: Path) -> None:
    """Raise DatabaseUnusable where SQLite cannot rely on a file."""
    if found.damage:
        raise DatabaseUnusable(path, f"damaged: {found.damage[0]}")


def _copied(database: Path, target: Path, judge: Callable[[Inspection, Path], None]) -> Backup:
    if os.path.lexists(target):
        raise BackupNotWritten(target, "it exists already")
    with _partial(target) as partial:
        with reading(database) as (source, _):
            require_ours(source, database)
            try:
                copy_into(source, partial, named=database)
            except (sqlite3.Error, OSError) as error:
                raise _not_written(target, error) from error
        with reading(partial) as (copy, _):
            found = inspect_connection(copy, database)
        try:
            judge(found, database)
        except DatabaseUnusable as unsound:
            if found.is_new or found.damage:
                raise
            unverified = unused(target.with_name(f"{target.name}.unverified"))
            _put(partial, unverified)
            raise DatabaseUnusable(database, f"{unsound.reason}; a copy as it is: {unverified}") from unsound
        _put(partial, target)
        return Backup(target, found.version, target.stat().st_size, found.chain.rows if found.chain else 0)


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give an empty file in the folder of ``target``, and see that nothing of it is left."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), _PRIVATE))
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        yield partial
    finally:
        for path in (partial, *(partial.with_name(partial.name + end) for end in _BESIDE)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _put(partial: Path, target: Path) -> None:
    """Give the file its name, unless somebody else has taken that meanwhile."""
    try:
        try:
            os.link(partial, target)
        except OSError:  # somebody has it, or it is a file system without hard links
            if os.path.lexists(target):
                raise
            partial.rename(target)
        sync(target.parent)
    except OSError as error:
        raise _not_written(target, error) from error


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
        if of_number[number] <= KEPT_OF_A_MIGRATION and kept < KEPT:
            kept += 1
            continue
        with suppress(OSError):
            path.unlink()


def _not_written(target: Path, error: Exception) -> BackupNotWritten:
    reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return BackupNotWritten(target, reason)
