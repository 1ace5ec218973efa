"""The output and exit codes of ``skindesk backup`` and ``skindesk restore``."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.database_reasons import database_reason, shown
from bot.exit_codes import ExitCode
from bot.storage.errors import StorageError
from bot.storage.files import is_file, is_folder
from bot.storage.sqlite.maintenance.backup import Backup, back_up
from bot.storage.sqlite.maintenance.copies import delete_oldest
from bot.storage.sqlite.maintenance.record import BackupRecord, note_backup
from bot.storage.sqlite.maintenance.restore import restore

_MEBIBYTE = 2**20

_AFTERWARDS = """\
Rights, links and settings are as they were then. Before anyone resumes resends in Discord (/approvals), compare the
newest trades in Mannco.store's dashboard: trades sent since then are not known here."""


def run_backup(database: Path, destination: Path, *, keep: int | None = None) -> ExitCode:
    """Copy the database, even while SkinDesk runs, and print the path of the copy.

    With ``keep``, delete the oldest of its dated copies in the folder, so that so many are left.
    """
    target = shown(destination)
    try:
        if not is_file(database):
            what = "is not a file" if os.path.lexists(database) else "does not exist"
            return _failed("backup", ExitCode.UNAVAILABLE, f"{shown(database)} {what} (database.path)")
    except OSError as error:
        return _failed("backup", ExitCode.UNAVAILABLE, f"cannot read {shown(database)}: {error.strerror}")
    if not destination.suffix and not os.path.lexists(destination):
        # The first backup would become a file of that name, and later ones would find no folder.
        no_folder = (
            f"there is no folder {target}: make it first (install -d -m 0700 {target}), or name a file with an ending, "
            f"like {target}.db"
        )
        return _failed("backup", ExitCode.CANNOT_CREATE, no_folder)
    if keep is not None and not _is_folder(destination):
        return _failed("backup", ExitCode.USAGE, f"--keep needs a folder, and {target} is none")
    try:
        made = back_up(database, destination)
    except (StorageError, OSError) as error:
        return _failed("backup", *_explained(error, database, destination))
    size = f"{made.size / _MEBIBYTE:.1f} MiB"
    print(f"ok {shown(made.path)}: schema {made.version}, {made.rows} audit log rows, {size}, verified")
    try:
        note_backup(database, BackupRecord(made.at, made.path, made.identity.database_id if made.identity else None))
    except OSError as error:
        print(f"skindesk backup: cannot note it beside the database: {error.strerror}", file=sys.stderr)
    return ExitCode.OK if keep is None else _keep(keep, made, database)


def _keep(keep: int, made: Backup, database: Path) -> ExitCode:
    if made.identity is None:
        print("no older copy was deleted: this database gets its id at the next start")
        return ExitCode.OK
    try:
        for path in delete_oldest(database, made.identity, made.path, keep):
            print(f"ok deleted {shown(path)}")
    except OSError as error:
        return _failed("backup", ExitCode.CANNOT_CREATE, f"cannot delete an older copy: {error.strerror}")
    return ExitCode.OK


def _is_folder(path: Path) -> bool:
    try:
        return is_folder(path)
    except OSError:
        return False


def run_restore(source: Path, database: Path) -> ExitCode:
    """Replace the database by a backup, and print the consequences."""
    try:
        if not is_file(source):
            return _failed("restore", ExitCode.UNAVAILABLE, f"there is no file {shown(source)}")
    except OSError as error:
        return _failed("restore", ExitCode.UNAVAILABLE, f"cannot read {shown(source)}: {error.strerror}")
    try:
        restored = asyncio.run(restore(source, database, at=datetime.now(UTC)))
    except (StorageError, OSError) as error:
        return _failed("restore", *_explained(error, database, database))
    until = restored.saved_until
    ends = f"; its audit log ends at {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    print(f"ok {shown(restored.path)}: restored and verified{ends}")
    if restored.migrated_from < restored.version:
        print(f"ok its schema was {restored.migrated_from} and is {restored.version} now")
    if restored.replaced is not None:
        print(f"ok the replaced database is kept: {shown(restored.replaced)}")
    print(f"ok resends open then are unknown now: {restored.in_doubt}")
    print(f"ok servers whose resends are stopped: {restored.guilds_paused}")
    print(_AFTERWARDS)
    return ExitCode.OK


def _explained(error: StorageError | OSError, database: Path, target: Path) -> tuple[ExitCode, str]:
    if isinstance(error, StorageError):
        return database_reason(error, database=database)
    return ExitCode.CANNOT_CREATE, f"cannot write {shown(target)}: {error.strerror}"


def _failed(command: str, code: ExitCode, message: str) -> ExitCode:
    print(f"skindesk {command}: {message}", file=sys.stderr)
    return code
