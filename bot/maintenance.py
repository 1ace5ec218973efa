"""The output and exit codes of ``skindesk backup`` and ``skindesk restore``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.database_reasons import database_reason, shown
from bot.exit_codes import ExitCode
from bot.storage.copy_files import is_dump, is_sqlite
from bot.storage.errors import DriverMissing, StorageError
from bot.storage.files import is_file, is_folder

if TYPE_CHECKING:
    from bot.config import Database
    from bot.storage.maintenance import Backup, Maintenance, Prepared

_MEBIBYTE = 2**20

_AFTERWARDS = """\
Rights, links and settings are as they were then. Before anyone resumes resends in Discord (/approvals), compare the
newest trades in Mannco.store's dashboard: trades sent since then are not known here."""


def run_backup(database: Database, destination: Path, *, keep: int | None = None) -> ExitCode:
    """Copy the database, even while SkinDesk runs, and print the path of the copy.

    With ``keep``, delete the oldest of its dated copies in the folder, so that so many are left.
    """
    try:
        engine = _engine(database)
        problem = _backup_problem(engine, database, destination, keep=keep)
        if problem is not None:
            return _failed("backup", *problem)
        made = engine.back_up(destination)
    except (StorageError, OSError) as error:
        return _failed("backup", *_explained(error, database, destination))
    size = f"{made.size / _MEBIBYTE:.1f} MiB"
    print(f"ok {shown(made.path)}: schema {made.version}, {made.rows} audit log rows, {size}, verified")
    try:
        engine.note_backup(made)
    except OSError as error:
        print(f"skindesk backup: cannot note it beside the database: {error.strerror}", file=sys.stderr)
    except StorageError as error:
        print(f"skindesk backup: cannot note it: {database_reason(error)[1]}", file=sys.stderr)
    return ExitCode.OK if keep is None else _keep(keep, made, engine)


def _backup_problem(
    engine: Maintenance, database: Database, destination: Path, *, keep: int | None
) -> tuple[ExitCode, str] | None:
    """Return why there is nothing to copy, or nowhere to copy it to."""
    target = shown(destination)
    try:
        if (missing := engine.missing()) is not None:
            return ExitCode.UNAVAILABLE, f"{_shown(engine)} {missing}"
    except OSError as error:
        return ExitCode.UNAVAILABLE, f"cannot read {_shown(engine)}: {error.strerror}"
    if not destination.suffix and not os.path.lexists(destination):
        # The first backup would become a file of that name, and later ones would find no folder.
        no_folder = (
            f"there is no folder {target}: make it first (install -d -m 0700 {target}), or name a file with an ending, "
            f"like {target}.{'dump' if database.url else 'db'}"
        )
        return ExitCode.CANNOT_CREATE, no_folder
    if keep is not None and not _is_folder(destination):
        return ExitCode.USAGE, f"--keep needs a folder, and {target} is none"
    return None


def _keep(keep: int, made: Backup, engine: Maintenance) -> ExitCode:
    try:
        deleted = engine.delete_oldest(made, keep)
    except OSError as error:
        return _failed("backup", ExitCode.CANNOT_CREATE, f"cannot delete an older copy: {error.strerror}")
    if deleted is None:
        print("no older copy was deleted: this database gets its id at the next start")
    for path in deleted or ():
        print(f"ok deleted {shown(path)}")
    return ExitCode.OK


def _is_folder(path: Path) -> bool:
    try:
        return is_folder(path)
    except OSError:
        return False


def run_restore(source: Path, database: Database) -> ExitCode:
    """Replace the database by a backup, and print the consequences."""
    try:
        if not is_file(source):
            return _failed("restore", ExitCode.UNAVAILABLE, f"there is no file {shown(source)}")
        if of_another := _of_another_engine(source, database):
            return _failed("restore", ExitCode.DATA, of_another)
    except OSError as error:
        return _failed("restore", ExitCode.UNAVAILABLE, f"cannot read {shown(source)}: {error.strerror}")
    try:
        engine = _engine(database)
        restored = engine.restore(source, at=datetime.now(UTC))
    except (StorageError, OSError) as error:
        return _failed("restore", *_explained(error, database, database.path))
    until = restored.saved_until
    ends = f"; its audit log ends at {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    print(f"ok {_shown(engine)}: restored and verified{ends}")
    if restored.migrated_from < restored.version:
        print(f"ok its schema was {restored.migrated_from} and is {restored.version} now")
    if restored.replaced is not None:
        print(f"ok the replaced database is kept: {shown(restored.replaced)}")
    _print_prepared(restored.prepared)
    return ExitCode.OK


def run_after_recovery(database: Database) -> ExitCode:
    """Prepare a database that was put back to an earlier state by other means, and print the consequences."""
    try:
        engine = _engine(database)
        prepared = engine.accept_recovered(at=datetime.now(UTC))
    except (StorageError, OSError) as error:
        return _failed("restore", *_explained(error, database, database.path))
    print(f"ok {_shown(engine)}: prepared as after a restore")
    _print_prepared(prepared)
    return ExitCode.OK


def _print_prepared(prepared: Prepared) -> None:
    print(f"ok resends open then are unknown now: {prepared.in_doubt}")
    print(f"ok servers whose resends are stopped: {prepared.guilds_paused}")
    print(_AFTERWARDS)


def _engine(database: Database) -> Maintenance:
    """Return what works on the configured database; DriverMissing. Only its engine is imported."""
    if not database.url:
        from bot.storage.sqlite.maintenance.engine import SqliteMaintenance  # noqa: PLC0415 -- see above

        return SqliteMaintenance(database.path)
    try:
        from bot.storage.postgres.maintenance.engine import PostgresMaintenance  # noqa: PLC0415 -- see above
    except ImportError as error:
        if not (error.name or "").startswith("psycopg"):
            raise
        raise DriverMissing(str(error)) from None
    return PostgresMaintenance(database.url.get_secret_value())


def _of_another_engine(source: Path, database: Database) -> str | None:
    """Return the refusal of a copy that was made of the other kind of database."""
    if database.url and is_sqlite(source):
        first = f"{shown(source)} is a copy of a SQLite database, and database.url is set"
        return f"{first}. Restore it without database.url, then move the desk: skindesk migrate --to URL"
    if not database.url and is_dump(source):
        first = f"{shown(source)} is a copy of a PostgreSQL database, and database.url is not set"
        return f"{first}. Set it and restore the copy there; skindesk migrate moves a desk between the two"
    return None


def _explained(error: StorageError | OSError, database: Database, target: Path) -> tuple[ExitCode, str]:
    if isinstance(error, StorageError):
        return database_reason(error, database=None if database.url else database.path)
    return ExitCode.CANNOT_CREATE, f"cannot write {shown(target)}: {error.strerror}"


def _shown(engine: Maintenance) -> str:
    return ascii(engine.name)[1:-1]


def _failed(command: str, code: ExitCode, message: str) -> ExitCode:
    print(f"skindesk {command}: {message}", file=sys.stderr)
    return code
