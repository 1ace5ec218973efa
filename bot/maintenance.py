"""The output and exit codes of ``skindesk backup`` and ``skindesk restore``."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.exit_codes import ExitCode
from bot.storage.errors import (
    BackupNotWritten,
    DatabaseInUse,
    DatabaseTooNew,
    DatabaseUnusable,
    StorageError,
    UnknownCapability,
)
from bot.storage.maintenance.backup import back_up
from bot.storage.maintenance.restore import restore

_MEBIBYTE = 2**20

_AFTERWARDS = """\
Rights, links and settings are as they were then. Before anyone resumes resends in Discord (/approvals), compare the
newest trades in Mannco.store's dashboard: trades sent since then are not known here."""


def run_backup(database: Path, destination: Path) -> ExitCode:
    """Copy the database, even while SkinDesk runs, and print the path of the copy."""
    target = _shown(destination)
    try:
        if not database.is_file():
            missing = f"there is no database at {_shown(database)} (database.path)"
            return _failed("backup", ExitCode.UNAVAILABLE, missing)
    except OSError as error:
        return _failed("backup", ExitCode.UNAVAILABLE, f"cannot read {_shown(database)}: {error.strerror}")
    if not destination.suffix and not os.path.lexists(destination):
        # The first backup would become a file of that name, and later ones would find no folder.
        no_folder = (
            f"there is no folder {target}: make it first (install -d -m 0700 {target}), or name a file with an ending, "
            f"like {target}.db"
        )
        return _failed("backup", ExitCode.CANNOT_CREATE, no_folder)
    try:
        made = back_up(database, destination)
    except (StorageError, OSError) as error:
        return _failed("backup", *_explained(error, destination))
    size = f"{made.size / _MEBIBYTE:.1f} MiB"
    print(f"ok {_shown(made.path)}: schema {made.version}, {made.rows} audit log rows, {size}, verified")
    return ExitCode.OK


def run_restore(source: Path, database: Path) -> ExitCode:
    """Replace the database by a backup, and print the consequences."""
    try:
        if not source.is_file():
            return _failed("restore", ExitCode.UNAVAILABLE, f"there is no file {_shown(source)}")
    except OSError as error:
        return _failed("restore", ExitCode.UNAVAILABLE, f"cannot read {_shown(source)}: {error.strerror}")
    try:
        restored = asyncio.run(restore(source, database, at=datetime.now(UTC)))
    except (StorageError, OSError) as error:
        return _failed("restore", *_explained(error, database))
    until = restored.saved_until
    ends = f"; its audit log ends at {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    print(f"ok {_shown(restored.path)}: restored and verified{ends}")
    if restored.migrated_from < restored.version:
        print(f"ok its schema was {restored.migrated_from} and is {restored.version} now")
    if restored.replaced is not None:
        print(f"ok the replaced database is kept: {_shown(restored.replaced)}")
    print(f"ok resends open then are unknown now: {restored.in_doubt}")
    print(f"ok servers whose resends are stopped: {restored.guilds_paused}")
    print(_AFTERWARDS)
    return ExitCode.OK


def _explained(error: StorageError | OSError, target: Path) -> tuple[ExitCode, str]:
    match error:
        case DatabaseInUse():
            return ExitCode.DATABASE_IN_USE, f"SkinDesk is running on {_shown(error.path)}: stop it first"
        case BackupNotWritten():
            return ExitCode.CANNOT_CREATE, f"cannot write {_shown(error.path)}: {error.reason}"
        case DatabaseTooNew():
            message = (
                f"{_shown(error.path)} was written by a later SkinDesk (schema {error.found}, this one knows "
                f"{error.newest}): install that version first"
            )
            return ExitCode.DATA, message
        case DatabaseUnusable():
            return ExitCode.DATA, f"{_shown(error.path)} cannot be used: {error.reason}"
        case UnknownCapability():
            return ExitCode.DATA, f"a role holds capabilities that this SkinDesk does not know: {error}"
        case OSError():
            return ExitCode.CANNOT_CREATE, f"cannot write {_shown(target)}: {error.strerror}"
        case _:
            raise error


def _failed(command: str, code: ExitCode, message: str) -> ExitCode:
    print(f"skindesk {command}: {message}", file=sys.stderr)
    return code


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]
