"""``skindesk backup`` and ``skindesk restore``: what they say, and with which exit code they leave."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.exit_codes import ExitCode
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseTooNew, DatabaseUnusable, UnknownCapability
from bot.storage.maintenance.backup import back_up
from bot.storage.maintenance.restore import restore

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.errors import StorageError
    from bot.storage.maintenance.restore import Restored

_MEBIBYTE = 2**20

_AFTERWARDS = """\
Rights, links and settings are as they were then. Before somebody resumes resends in Discord (/approvals), compare the
newest trades in Mannco.store's dashboard: what was sent since then is not known here."""


def run_backup(database: Path, destination: Path) -> ExitCode:
    """Copy the database, whether SkinDesk is running or not, and say where the copy is."""
    if missing := _missing(database, f"database at {_shown(database)} (database.path)"):
        return _failed("backup", ExitCode.UNAVAILABLE, missing)
    if not destination.suffix and not os.path.lexists(destination):
        # A first backup would become a file of that name, and every later one find no folder.
        what = (
            f"there is no folder {_shown(destination)}: make it first (install -d -m 0700 {_shown(destination)}), or "
            f"name a file with an ending, like {_shown(destination)}.db"
        )
        return _failed("backup", ExitCode.CANNOT_CREATE, what)
    try:
        made = back_up(database, destination)
    except BackupNotWritten as error:
        return _failed("backup", ExitCode.CANNOT_CREATE, f"cannot write {_shown(error.path)}: {error.reason}")
    except (DatabaseUnusable, DatabaseTooNew) as error:
        return _failed("backup", ExitCode.DATA, _fault(error))
    except OSError as error:
        return _failed("backup", ExitCode.CANNOT_CREATE, f"cannot write {_shown(destination)}: {error.strerror}")
    size = f"{made.size / _MEBIBYTE:.1f} MiB"
    print(f"ok {_shown(made.path)}: schema {made.version}, {made.rows} rows of the record, {size}, verified")
    return ExitCode.OK


def run_restore(source: Path, database: Path) -> ExitCode:
    """Put a copy in the place of the database, and say what that means."""
    if missing := _missing(source, f"file {_shown(source)}"):
        return _failed("restore", ExitCode.UNAVAILABLE, missing)
    try:
        restored = asyncio.run(restore(source, database, at=datetime.now(UTC)))
    except DatabaseInUse:
        what = f"SkinDesk is running on {_shown(database)}: stop it first"
        return _failed("restore", ExitCode.DATABASE_IN_USE, what)
    except BackupNotWritten as error:
        return _failed("restore", ExitCode.CANNOT_CREATE, f"cannot write {_shown(error.path)}: {error.reason}")
    except (DatabaseUnusable, DatabaseTooNew, UnknownCapability) as error:
        return _failed("restore", ExitCode.DATA, _fault(error))
    except OSError as error:
        return _failed("restore", ExitCode.CANNOT_CREATE, f"cannot write {_shown(database)}: {error.strerror}")
    for line in _told(restored):
        print(line)
    return ExitCode.OK


def _missing(path: Path, what: str) -> str | None:
    """Return why there is nothing to read, None where there is something; the system may not even let it look."""
    try:
        return None if path.is_file() else f"there is no {what}"
    except OSError as error:
        return f"cannot read {_shown(path)}: {error.strerror}"


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
