"""Finds the copies of a SQLite database, and deletes the oldest of those made with ``skindesk backup``."""

import re
import sqlite3
from functools import partial
from pathlib import Path

from bot.storage import copy_files
from bot.storage.copy_files import COUNT, STAMP, dated_in, matching, stamp
from bot.storage.errors import StorageError
from bot.storage.maintenance import Identity
from bot.storage.sqlite.maintenance.identity import is_copy_of
from bot.storage.sqlite.maintenance.inspection import reading
from bot.storage.sqlite.maintenance.record import last_backup
from bot.storage.sqlite.schema import require_ours


def delete_oldest(database: Path, identity: Identity, newest: Path, keep: int) -> list[Path]:
    """Delete the oldest dated copies of the database beside its copy ``newest``, and return their paths; OSError."""
    is_of = partial(_is_of, identity=identity)
    return copy_files.delete_oldest(newest, database.stem, database.suffix, keep, is_of=is_of)


def newest_copy(database: Path, *, besides: Path | None = None) -> Path | None:
    """Return the newest copy that is known: of ``skindesk backup``, else one kept beside the file.

    ``besides`` is a copy that is no good: another one of its folder will do.
    """
    real = database.resolve()
    record = last_backup(real)
    known = [] if record is None else [record.path]
    found = {(stamp(record.at), record.path)} if record is not None else set()
    for folder in {path.absolute().parent for path in (*known, *filter(None, [besides]))}:
        copies = dated_in(folder, database.stem, database.suffix)
        found |= {(_stamp_of(path, database), path) for path in copies}
    if besides is not None:
        found = {each for each in found if each[1] != besides.absolute()}
    if not found:
        pattern = re.compile(rf"{re.escape(real.name)}\.(?:before-\d{{4}}|replaced)-{STAMP}{COUNT}")
        found = {(match["stamp"], path) for path, match in matching(real.parent, pattern)}
    return max(found)[1] if found else None


def _stamp_of(path: Path, database: Path) -> str:
    return path.name.removeprefix(f"{database.stem}-")[: len("20260101T000000Z")]


def _is_of(path: Path, identity: Identity) -> bool:
    try:
        with reading(path) as (connection, _):
            return not require_ours(connection, path) and is_copy_of(connection, identity)
    except (StorageError, sqlite3.Error, OSError):
        return False
