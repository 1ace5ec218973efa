"""``skindesk backup`` and ``skindesk restore``: what they say, and with which exit code they leave."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.exit_codes import ExitCode
from bot.storage.backup import back_up
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseTooNew, DatabaseUnusable, UnknownCapability
from bot.storage.restore import restore

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.errors import StorageError
    from bot.storage.restore import Restored

_MEBIBYTE = 2**20

_AFTERWARDS = """\
Rights, links and settings are as they were then. Before somebody resumes resends in Discord (/approvals), compare the
newest trades in Mannco.store's dashboard: what was sent since then is not known here."""


def run_backup(database: Path, destination: Path) -> ExitCode:
    """Copy the database, whether SkinDesk is running or not, and say where the copy is."""
    if not database.is_file():
        return _failed("backup", ExitCode.UNAVAILABLE, f"there is no database at {_shown(database)} (database.path)")
    try:
        made = back_up(database, destination)
    except BackupNotWritten as error:
        return _failed("backup", ExitCode.CANNOT_CREATE, f"cannot write {_shown(error.path)}: {error.reason}")
    except (DatabaseUnusable, DatabaseTooNew) as error:
        return _failed("backup", ExitCode.DATA, _fault(error))
    size = f"{made.size / _MEBIBYTE:.1f} MiB"
    print(f"ok {_shown(made.path)}: schema {made.version}, {made.rows} rows of the record, {size}, verified")
    return ExitCode.OK


def run_restore(source: Path, database: Path) -> ExitCode:
    """Put a copy in the place of the database, and say what that means."""
    if not source.is_file():
        return _failed("restore", ExitCode.UNAVAILABLE, f"there is no file {_shown(source)}")
    try:
        restored = asyncio.run(restore(source, database, at=datetime.now(UTC)))
    except DatabaseInUse:
        what = f"SkinDesk is running on {_shown(database)}: stop it first"
        return _failed("restore", ExitCode.DATABASE_IN_USE, what)
    except BackupNotWritten as error:
        return _failed("restore", ExitCode.CANNOT_CREATE, f"cannot write {_shown(error.path)}: {error.reason}")
    except (DatabaseUnusable, DatabaseTooNew, UnknownCapability) as error:
        return _failed("restore", ExitCode.DATA, _fault(error))
    for line in _told(restored):
        print(line)
    return ExitCode.OK


def _told(restored: Restored) -> list[str]:
    until = restored.saved_until
    lines = [
        f"ok {_shown(restored.path)}: restored and verified"
        + (f"; its record ends at {until:%Y-%m-%d %H:%M:%S} UTC" if until else "")
    ]
    if restored.migrated_from < restored.version:
        lines.append(f"ok its schema was {restored.migrated_from} and is {restored.version} now")
    if restored.replaced is not None:
        lines.append(f"ok what was there before is kept: {_shown(restored.replaced)}")
    lines.append(f"ok resends open then are unknown now: {restored.in_doubt}")
    lines.append(f"ok servers whose resends are stopped: {restored.guilds_stopped}")
    lines.append(_AFTERWARDS)
    return lines


def _fault(error: StorageError) -> str:
    match error:
        case DatabaseTooNew():
            return (
                f"{_shown(error.path)} was written by a later SkinDesk (schema {error.found}, this one knows "
                f"{error.newest}): install that version first"
            )
        case DatabaseUnusable():
            return f"{_shown(error.path)} cannot be used: {error.reason}"
        case _:
            return f"a role holds capabilities that this SkinDesk does not know: {error}"


def _failed(command: str, code: ExitCode, what: str) -> ExitCode:
    print(f"skindesk {command}: {what}", file=sys.stderr)
    return code


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]
