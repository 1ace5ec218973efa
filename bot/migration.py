"""The output and exit codes of ``skindesk migrate``."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import ValidationError

from bot.config import Database
from bot.config_loading import printable
from bot.database_reasons import database_reason, shown
from bot.exit_codes import ExitCode
from bot.storage.errors import DriverMissing, StorageError
from bot.storage.files import is_file
from bot.storage.sqlite.maintenance import transfer as sqlite
from bot.storage.transfer import CopyDiffers, Source, SourceMoved, Target, TargetNotEmpty, Transferred, transfer

_FILE = "sqlite:///"

_ADDRESS = "--to takes an address like postgresql://user:password@host/name, or the path of a file"


def run_migrate(database: Database, to: str) -> ExitCode:
    """Move the desk from ``database`` to the address or file ``to``, - for a line of stdin, and print the result."""
    to = sys.stdin.readline().strip() if to == "-" else to
    scheme, separator, _ = to.partition("://")
    url = database.url.get_secret_value()
    is_postgres = scheme in ("postgresql", "postgres") and bool(separator)
    if not to or (separator and not is_postgres and not to.startswith(_FILE)):
        return _failed(ExitCode.USAGE, _ADDRESS)
    if is_postgres and url:
        return _failed(
            ExitCode.USAGE,
            "the desk is on PostgreSQL, because database.url is set: leave it out of the configuration until the desk "
            "has moved there. To copy from one PostgreSQL to another, use skindesk backup and skindesk restore",
        )
    if not is_postgres and not url:
        return _failed(
            ExitCode.USAGE,
            "the desk is a SQLite file already, because database.url is not set. To copy it, use skindesk backup",
        )
    try:
        return _migrate(database.path, to) if is_postgres else _migrate_back(url, Path(to.removeprefix(_FILE)))
    except ImportError as error:
        if not (error.name or "").startswith("psycopg"):
            raise
        return _failed(*database_reason(DriverMissing(str(error))))
    except StorageError as error:
        return _failed(*_reason(error))


def _migrate(path: Path, to: str) -> ExitCode:
    from bot.storage.postgres.maintenance import transfer as postgres  # noqa: PLC0415 -- an extra

    try:
        Database.model_validate({"url": to})
    except ValidationError:
        return _failed(ExitCode.USAGE, _ADDRESS)
    try:
        if not is_file(path):
            return _failed(ExitCode.UNAVAILABLE, f"{shown(path)} does not exist, or is no file (database.path)")
    except OSError as error:
        return _failed(ExitCode.UNAVAILABLE, f"cannot read {shown(path)}: {error.strerror}")
    return _move(
        sqlite.source(path), postgres.target(to), "Set database.url (SKINDESK_DATABASE__URL) to the same address"
    )


def _migrate_back(url: str, path: Path) -> ExitCode:
    from bot.storage.postgres.maintenance import transfer as postgres  # noqa: PLC0415 -- an extra

    return _move(
        postgres.source(url), sqlite.target(path), f"Set database.path to {shown(path)}, leave database.url out"
    )


def _move(source: AbstractContextManager[Source], target: AbstractContextManager[Target], then: str) -> ExitCode:
    with source as here, target as there:
        moved, names = transfer(here, there), (printable(here.name), printable(there.name))
    _report(moved)
    print("ok the desk has moved from {} to {}".format(*names))
    print(f"{then}, and start SkinDesk. The former database is kept, and SkinDesk does not start on it again.")
    return ExitCode.OK


def _report(moved: Transferred) -> None:
    rows = sum(moved.rows.values())
    print(f"ok {len(moved.rows)} tables, {rows} rows: numbers and digests are the same on both sides")
    removed = f", {moved.chain.removed} removed views" if moved.chain.removed else ""
    print(f"ok the audit log's chain holds: {moved.chain.rows} rows{removed}")
    states = ", ".join(f"{count} {state}" for state, count in moved.open_requests.items())
    print(f"ok open requests: {states or 'none'}")


def _reason(error: StorageError) -> tuple[ExitCode, str]:
    match error:
        case SourceMoved():
            what = f"the desk has moved from {printable(error.name)} to {printable(error.to)} already"
            return ExitCode.DATA, f"{what}: set that one in the configuration, and start SkinDesk"
        case TargetNotEmpty(is_moved=True):
            return ExitCode.DATA, f"the desk is in {printable(error.name)} already, whole: start SkinDesk there"
        case TargetNotEmpty():
            what = f"{printable(error.name)} is not empty: it has rows in {', '.join(error.tables)}"
            return ExitCode.DATA, f"{what}. Name an empty database, or a file that does not exist"
        case CopyDiffers():
            what = "; ".join(error.differences)
            return ExitCode.DATA, f"the copy was undone, because it is not the same: {what}"
    return database_reason(error)


def _failed(code: ExitCode, message: str) -> ExitCode:
    print(f"skindesk migrate: {message}", file=sys.stderr)
    return code
