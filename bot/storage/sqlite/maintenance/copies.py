"""Finds the copies of a database, and deletes the oldest of those made with ``skindesk backup``."""

import os
import re
import sqlite3
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.storage.errors import StorageError
from bot.storage.sqlite.maintenance.identity import Identity, is_copy_of
from bot.storage.sqlite.maintenance.inspection import reading
from bot.storage.sqlite.maintenance.record import last_backup
from bot.storage.sqlite.schema import require_ours

_STAMP = r"(?P<stamp>\d{8}T\d{6}Z)"
_COUNT = r"(?:-(?P<count>\d+))?"


def dated(stem: str, at: datetime | None = None, suffix: str = "") -> str:
    """Return a name with the time in it, UTC, that sorts by time."""
    return f"{stem}-{_stamp(at or datetime.now(UTC))}{suffix}"


def unused(path: Path) -> Path:
    """Return ``path``, with a number if the name is taken."""
    found, count = path, 1
    while os.path.lexists(found):
        count += 1
        found = path.with_name(f"{path.name}-{count}")
    return found


def delete_oldest(database: Path, identity: Identity, newest: Path, keep: int) -> list[Path]:
    """Delete the oldest dated copies of the database beside its copy ``newest``, and return their paths; OSError.

    ``keep`` are left, ``newest`` among them, even if the clock went back. Every other file stays: other names, links,
    copies of another database, files that cannot be read.
    """
    others = [path for path in _dated_in(newest.parent, database) if path != newest and _is_of(path, identity)]
    deleted = others[: max(0, len(others) - (keep - 1))]
    for path in deleted:  # the oldest first: if this is killed, newer ones are left
        path.unlink(missing_ok=True)
    return deleted


def newest_copy(database: Path, *, besides: Path | None = None) -> Path | None:
    """Return the newest copy that is known: of ``skindesk backup``, else one kept beside the file.

    ``besides`` is a copy that is no good: another one of its folder will do.
    """
    real = database.resolve()
    record = last_backup(real)
    known = [] if record is None else [record.path]
    found = {(_stamp(record.at), record.path)} if record is not None else set()
    for folder in {path.absolute().parent for path in (*known, *filter(None, [besides]))}:
        found |= {(_stamp_of(path, database), path) for path in _dated_in(folder, database)}
    if besides is not None:
        found = {each for each in found if each[1] != besides.absolute()}
    if not found:
        pattern = re.compile(rf"{re.escape(real.name)}\.(?:before-\d{{4}}|replaced)-{_STAMP}{_COUNT}")
        found = {(match["stamp"], path) for path, match in _matching(real.parent, pattern)}
    return max(found)[1] if found else None


def _dated_in(folder: Path, database: Path) -> list[Path]:
    """Return the files in a folder that have the dated names of the database's copies, the oldest first."""
    pattern = re.compile(rf"{re.escape(database.stem)}-{_STAMP}{re.escape(database.suffix)}{_COUNT}")
    found = [(match["stamp"], int(match["count"] or 1), path) for path, match in _matching(folder, pattern)]
    return [path for _, _, path in sorted(found)]


def _stamp_of(path: Path, database: Path) -> str:
    return path.name.removeprefix(f"{database.stem}-")[: len("20260101T000000Z")]


def _matching(folder: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = pattern.fullmatch(path.name)
            if match is not None and stat.S_ISREG(path.lstat().st_mode):
                found.append((path, match))
    return found


def _is_of(path: Path, identity: Identity) -> bool:
    try:
        with reading(path) as (connection, _):
            return not require_ours(connection, path) and is_copy_of(connection, identity)
    except (StorageError, sqlite3.Error, OSError):
        return False


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
