"""Names the copies of a database, writes each whole or not at all, and deletes the oldest."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.storage.errors import BackupNotWritten
from bot.storage.files import is_folder

STAMP = r"(?P<stamp>\d{8}T\d{6}Z)"
"""The time in a dated name, as a pattern."""

COUNT = r"(?:-(?P<count>\d+))?"
"""The number behind a name that was taken, as a pattern."""

_PRIVATE = 0o600
_SUFFIXES = ("-journal", "-wal", "-shm")


def dated(stem: str, at: datetime | None = None, suffix: str = "") -> str:
    """Return a name with the time in it, UTC, that sorts by time."""
    return f"{stem}-{stamp(at or datetime.now(UTC))}{suffix}"


def stamp(at: datetime) -> str:
    """Return a time as it is in dated names."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def unused(path: Path) -> Path:
    """Return ``path``, with a number if the name is taken."""
    found, count = path, 1
    while os.path.lexists(found):
        count += 1
        found = path.with_name(f"{path.name}-{count}")
    return found


def target_of(destination: Path, stem: str, suffix: str, *, at: datetime | None = None) -> Path:
    """Return the path of a new copy: ``destination``, or a dated name in that folder; BackupNotWritten."""
    try:
        into_folder = is_folder(destination)
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise not_written(destination, error) from error
    if into_folder:
        return unused(destination / dated(stem, at, suffix))
    if os.path.lexists(destination):
        raise BackupNotWritten(destination, "it exists already")
    return destination


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """Yield an empty private file in the folder of ``target``, and remove what is left of it."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), _PRIVATE))
    except OSError as error:
        raise not_written(target, error) from error
    try:
        yield partial
    finally:
        for path in (partial, *(partial.with_name(partial.name + end) for end in _SUFFIXES)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def is_dump(path: Path) -> bool:
    """Return whether a file begins as one of pg_dump's in the custom format; OSError."""
    return _begins_with(path, b"PGDMP")


def is_sqlite(path: Path) -> bool:
    """Return whether a file begins as a SQLite database; OSError."""
    return _begins_with(path, b"SQLite format 3\0")


def _begins_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def put(partial: Path, target: Path) -> None:
    """Give the file its name, unless that was taken meanwhile; BackupNotWritten."""
    try:
        try:
            os.link(partial, target)
        except OSError:  # the name is taken, or the file system has no hard links
            if os.path.lexists(target):
                raise
            partial.rename(target)
        sync(target.parent)
    except OSError as error:
        raise not_written(target, error) from error


def put_unverified(partial: Path, target: Path) -> Path:
    """Give a copy that cannot be relied on another name, for inspection, and return that."""
    unverified = unused(target.with_name(f"{target.name}.unverified"))
    put(partial, unverified)
    return unverified


def sync(path: Path) -> None:
    """Sync a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def delete_oldest(newest: Path, stem: str, suffix: str, keep: int, *, is_of: Callable[[Path], bool]) -> list[Path]:
    """Delete the oldest dated copies beside the copy ``newest``, and return their paths; OSError.

    ``keep`` are left, ``newest`` among them, even if the clock went back. Every other file stays: other names, links,
    and files of which ``is_of`` does not say that they are copies of the same database.
    """
    others = [path for path in dated_in(newest.parent, stem, suffix) if path != newest and is_of(path)]
    deleted = others[: max(0, len(others) - (keep - 1))]
    for path in deleted:  # the oldest first: if this is killed, newer ones are left
        path.unlink(missing_ok=True)
    return deleted


def dated_in(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the files in a folder that have the dated names of a database's copies, the oldest first."""
    pattern = re.compile(rf"{re.escape(stem)}-{STAMP}{re.escape(suffix)}{COUNT}")
    found = [(match["stamp"], int(match["count"] or 1), path) for path, match in matching(folder, pattern)]
    return [path for _, _, path in sorted(found)]


def matching(folder: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    """Return the files in a folder whose names match; none if it cannot be read."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = pattern.fullmatch(path.name)
            if match is not None and stat.S_ISREG(path.lstat().st_mode):
                found.append((path, match))
    return found


def not_written(target: Path, error: Exception) -> BackupNotWritten:
    """Return the error of a copy that cannot be written, with the reason."""
    reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return BackupNotWritten(target, reason)
