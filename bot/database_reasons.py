"""Puts an error of the database into an exit code and a message that names the way back."""

from __future__ import annotations

from pathlib import Path

from bot.config_loading import printable
from bot.exit_codes import ExitCode
from bot.storage.errors import (
    AddressUnusable,
    BackupNotWritten,
    DatabaseChanged,
    DatabaseInUse,
    DatabaseMoved,
    DatabaseNotWritable,
    DatabaseTooNew,
    DatabaseUnusable,
    DriverMissing,
    ProgramMissing,
    ServerEmpty,
    ServerInUse,
    ServerMoved,
    ServerUnreachable,
    ServerUnusable,
    StorageError,
    UnknownCapability,
)
from bot.storage.sqlite.maintenance.copies import newest_copy


def database_reason(error: StorageError, *, database: Path | None = None) -> tuple[ExitCode, str]:
    """Return the exit code and the message. ``database`` is the configured one, if the error may name another file."""
    code = ExitCode.DATA
    match error:
        case DatabaseInUse():
            code = ExitCode.DATABASE_IN_USE
            message = f"SkinDesk is running on {shown(error.path)}: stop it first"
        case BackupNotWritten():
            code = ExitCode.CANNOT_CREATE
            message = f"cannot write {shown(error.path)}: {error.reason}"
        case DatabaseNotWritable():
            code = ExitCode.CANNOT_CREATE
            message = f"cannot write {shown(error.path)}: {error.reason}. Look whether its disk is full or read-only"
        case DatabaseTooNew():
            message = (
                f"a later SkinDesk has written {shown(error.path)} (schema {error.found}, this one knows "
                f"{error.newest}): install that version, or restore an earlier copy with skindesk restore"
            )
        case DatabaseMoved():
            message = (
                f"the database {shown(error.path)} {error.reason}, which has everything since: set database.url to its "
                "address. Or go on with what is there, as after a restore: skindesk run --new-database"
            )
        case DatabaseChanged():
            message = (
                f"the database {shown(error.path)} {error.reason}. Put a copy back: "
                f"skindesk restore {_copy(error.copy)}. Or go on with what is there: skindesk run --new-database"
            )
        case DatabaseUnusable():
            message = f"{shown(error.path)} cannot be used: {error.reason}{_step(error, database or error.path)}"
        case UnknownCapability():
            message = f"a role holds capabilities that this SkinDesk does not know: {error}"
        case _:
            return _server_reason(error)
    return code, message


def _server_reason(error: StorageError) -> tuple[ExitCode, str]:
    """Do the same for PostgreSQL."""
    code = ExitCode.DATA
    match error:
        case DriverMissing():
            code = ExitCode.CONFIG
            message = (
                "database.url (SKINDESK_DATABASE__URL) needs the extra postgres: "
                f"pip install 'skindesk[postgres]' (or uv sync --extra postgres): {_one_line(str(error))}"
            )
        case AddressUnusable():
            code = ExitCode.CONFIG
            message = (
                "PostgreSQL's library does not understand the database's address: write odd characters of the password "
                "as their code (%40 for @, %25 for %), and check the names of the options after the ?"
            )
        case ServerUnreachable():
            code = ExitCode.UNAVAILABLE
            message = f"cannot connect to PostgreSQL at {_one_line(error.name)}: {_one_line(error.reason)}"
        case ServerInUse():
            code = ExitCode.DATABASE_IN_USE
            what = f"{error.processes} SkinDesk processes are" if error.processes > 1 else "SkinDesk is"
            message = f"{what} running on {_one_line(error.name)}: stop all of them first"
        case ProgramMissing():
            code = ExitCode.UNAVAILABLE
            message = _program(error)
        case ServerEmpty():
            message = (
                f"the database {_one_line(error.name)} is empty. If the desk had data, put a copy back: skindesk "
                "restore COPY. If it is on SQLite, bring it: skindesk migrate. For a new desk: "
                "skindesk run --new-database"
            )
        case ServerMoved():
            message = (
                f"the desk has moved from {_one_line(error.name)} to {_one_line(error.to)}, which has everything "
                "since: set database.path to it, and leave database.url out. Or go on with what is there, as after a "
                "restore: skindesk restore --after-recovery"
            )
        case ServerUnusable():
            message = f"the database {_one_line(error.name)} cannot be used: {_one_line(error.reason)}"
        case _:
            raise error
    return code, message


def _program(error: ProgramMissing) -> str:
    version = "" if error.server is None else f"-{error.server}"
    install = f"install PostgreSQL's client programs (Debian: apt install postgresql-client{version})"
    if error.found is None:
        return f"{error.program} is not in PATH: {install}"
    return f"{error.program} {error.found} is older than the server, which is version {error.server}: {install}"


def shown(path: Path) -> str:
    """Return a path for a line of output, with odd characters escaped."""
    return ascii(str(path))[1:-1]


def _one_line(text: str) -> str:
    """Return the server's message on one line of the output."""
    return printable(" ".join(text.split()), at_most=600)


def _step(error: DatabaseUnusable, database: Path) -> str:
    is_copy = error.path.resolve() != database.resolve()
    if error.is_foreign and not is_copy:
        return ". Name SkinDesk's own file in database.path"
    if not error.is_damaged:
        return ""
    copy = newest_copy(database, besides=error.path)
    if is_copy:
        return "" if copy is None else f". Take another copy: skindesk restore {shown(copy)}"
    return f". Stop SkinDesk and put a copy back: skindesk restore {_copy(copy)}"


def _copy(path: Path | None) -> str:
    return "COPY" if path is None else shown(path)
