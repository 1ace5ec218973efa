"""Why a database cannot be used. Each is a reason not to start, except DatabaseClosed.

StorageError
├── DatabaseInUse
├── DatabaseTooNew
├── DatabaseUnusable
├── DatabaseNotWritable
├── DatabaseChanged
│   └── DatabaseMoved
├── UnknownCapability
├── BackupNotWritten
├── DriverMissing
├── AddressUnusable
├── ServerUnreachable
├── ServerUnusable
├── ServerMoved
├── ServerInUse
├── ServerEmpty
├── ProgramMissing
├── ProgramFailed
└── DatabaseClosed
"""

import sqlite3
from pathlib import Path

_CANNOT_READ = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
_CANNOT_WRITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    }
)


class StorageError(Exception):
    """The database cannot be used."""


class DatabaseInUse(StorageError):
    """Another process has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class DatabaseTooNew(StorageError):
    """The database was written by a later SkinDesk: its schema is ``found``, this one knows up to ``newest``."""

    def __init__(self, path: Path, *, found: int, newest: int) -> None:
        super().__init__(f"{path}: {found} > {newest}")
        self.path = path
        self.found = found
        self.newest = newest


class DatabaseUnusable(StorageError):
    """The file cannot be opened, is not a database, is another program's, is damaged, or cannot be migrated.

    ``reason`` is the operating system's or SQLite's message. A copy helps if ``is_damaged``.
    """

    def __init__(self, path: Path, reason: str, *, is_damaged: bool = False, is_foreign: bool = False) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.is_damaged = is_damaged
        self.is_foreign = is_foreign


class DatabaseNotWritable(StorageError):
    """The disk is full, or the file cannot be written for another reason; ``reason`` is SQLite's message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class DatabaseChanged(StorageError):
    """The file is gone, is empty, or is another database than the one used there before; ``reason`` says which.

    ``copy`` is the newest known copy of the one before.
    """

    def __init__(self, path: Path, reason: str, copy: Path | None) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.copy = copy


class DatabaseMoved(DatabaseChanged):
    """``skindesk migrate`` copied the desk to another database, which has everything since; ``to`` names it."""

    def __init__(self, path: Path, to: str) -> None:
        super().__init__(path, f"has moved to {to}", None)
        self.to = to


class UnknownCapability(StorageError):
    """Grants have capabilities that this SkinDesk does not know."""

    def __init__(self, *capabilities: str) -> None:
        super().__init__(", ".join(capabilities))
        self.capabilities = capabilities


class BackupNotWritten(StorageError):
    """A copy could not be written to ``path``; ``reason`` is the operating system's or SQLite's message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class DriverMissing(StorageError):
    """The extra ``postgres`` is not installed, or its library cannot be loaded; the text says what is missing."""


class AddressUnusable(StorageError):
    """libpq does not understand the address of the PostgreSQL database."""


class ServerUnreachable(StorageError):
    """PostgreSQL does not answer or does not let SkinDesk in; ``reason`` is its message, without the password.

    ``name`` is the server and the database.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason.rpartition("All failures were:\n- ")[2]  # psycopg's own, if it has tried several hosts


class ServerUnusable(StorageError):
    """The PostgreSQL database is another program's, was written by a later SkinDesk, or cannot be migrated."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class ServerMoved(StorageError):
    """``skindesk migrate`` copied the desk from PostgreSQL to another database, which has everything since."""

    def __init__(self, name: str, to: str) -> None:
        super().__init__(f"{name}: has moved to {to}")
        self.name = name
        self.to = to


class ServerEmpty(StorageError):
    """The PostgreSQL database ``name`` is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ServerInUse(StorageError):
    """``processes`` work on the PostgreSQL database ``name``."""

    def __init__(self, name: str, processes: int) -> None:
        super().__init__(f"{name}: {processes}")
        self.name = name
        self.processes = processes


class ProgramMissing(StorageError):
    """A program of PostgreSQL's is not installed, or is the one of ``found``, which is older than the ``server``."""

    def __init__(self, program: str, server: int | None, *, found: int | None = None) -> None:
        super().__init__(program)
        self.program = program
        self.server = server
        self.found = found


class ProgramFailed(StorageError):
    """A program of PostgreSQL's failed; ``reason`` is what it said, without the password."""

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(f"{program}: {reason}")
        self.program = program
        self.reason = reason


class DatabaseClosed(StorageError):
    """The database is closed."""


def of_sqlite(path: Path, error: sqlite3.Error, *, during: str = "") -> DatabaseUnusable | DatabaseNotWritable:
    """Return what SQLite's error says about the file; ``during`` is put before its message."""
    reason = f"{during}: {error}" if during else str(error)
    code = code_of(error)
    if code in _CANNOT_WRITE or code & 0xFF in _CANNOT_WRITE:
        return DatabaseNotWritable(path, reason)
    return DatabaseUnusable(path, reason, is_damaged=is_damage(error))


def is_damage(error: BaseException) -> bool:
    """Return whether a page of the file cannot be read, or does not fit the others."""
    code = code_of(error)
    return code in _CANNOT_READ or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def code_of(error: BaseException) -> int:
    """Return SQLite's extended code of an error; 0 if it is none of SQLite's."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
