"""A SQLite file as one side of a move between engines."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from typing_extensions import override

from bot.domain.audit import ChainReport
from bot.storage.audit.check import check_chain
from bot.storage.copy_files import sync
from bot.storage.errors import BackupNotWritten, DatabaseUnusable, of_sqlite
from bot.storage.files import status_of
from bot.storage.sqlite.lock import create, lock_of, locked, remember, remembered
from bot.storage.sqlite.maintenance.backup import require_sound
from bot.storage.sqlite.maintenance.identity import moved_to
from bot.storage.sqlite.maintenance.inspection import inspect_connection
from bot.storage.sqlite.maintenance.restore import same_owner
from bot.storage.sqlite.schema import bundled, migrate, require_ours
from bot.storage.transfer import NUMBERED, Row, Source, Target

_LAST_ID = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)"


class _File:
    """A file in a write transaction, with its lock held: no other process reads or writes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self.name = str(path)

    def execute(self, sql: str, /) -> sqlite3.Cursor:
        return self._connection.execute(sql)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        return self.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid")  # noqa: S608 -- names of the schema

    def last_ids(self) -> Mapping[str, int]:
        return {table: self._connection.execute(_LAST_ID, (table,)).fetchone()[0] for table in NUMBERED}


class SqliteSource(_File, Source):
    """The desk's file."""

    @override
    def mark(self, to: str) -> None:
        self._connection.execute("UPDATE desk SET moved_to = ?", (to,))
        self.execute("COMMIT")

    @override
    def moved_to(self) -> str | None:
        return moved_to(self._connection)


class SqliteTarget(_File, Target):
    """A new file, or one that was never used."""

    @override
    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        values = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)  # noqa: S608 -- the same

    @override
    def set_last_ids(self, ids: Mapping[str, int]) -> None:
        self._connection.executemany("DELETE FROM sqlite_sequence WHERE name = ?", [(table,) for table in ids])
        given = [(table, last) for table, last in ids.items() if last]
        self._connection.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", given)

    @override
    def chain(self) -> ChainReport:
        return check_chain(self._connection, unreadable=sqlite3.DatabaseError, has_removal=True)

    @override
    def commit(self, mark: Callable[[], None]) -> None:
        [(database_id,)] = self.execute("SELECT database_id FROM desk").fetchall()
        remember(self._path, database_id, *(remembered(self._path) or ()))  # the file is empty yet: no start takes it
        mark()
        self.execute("COMMIT")
        with suppress(OSError):  # the former one is accepted too, then
            remember(self._path, database_id)


@contextmanager
def source(path: Path) -> Iterator[SqliteSource]:
    """Open the desk's file. DatabaseInUse, DatabaseUnusable and DatabaseTooNew if it cannot be copied."""
    with locked(path) as real, _opened(real) as connection:
        found = inspect_connection(connection, real)
        require_sound(found, real)
        if found.version < found.newest:
            reason = f"its schema is {found.version}, not {found.newest}. Start this SkinDesk on it once, and stop it"
            raise DatabaseUnusable(real, reason)
        connection.execute("BEGIN IMMEDIATE")
        yield SqliteSource(real, connection)


@contextmanager
def target(path: Path) -> Iterator[SqliteTarget]:
    """Open a file to copy to; it is made if it does not exist. The errors are those of :func:`source`."""
    with locked(path) as real, ExitStack() as undo:
        try:
            if status_of(real) is None:
                create(real)
                undo.callback(real.unlink)
                same_owner(real.parent, real)
                same_owner(real.parent, lock_of(real))
                sync(real.parent)
            with _opened(real) as connection:
                require_ours(connection, real)
                migrate(connection, real, bundled())
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("BEGIN IMMEDIATE")
                yield SqliteTarget(real, connection)
            undo.pop_all()
        except OSError as error:
            raise BackupNotWritten(real, error.strerror or type(error).__name__) from error


@contextmanager
def _opened(real: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except sqlite3.Error as error:
        raise of_sqlite(real, error) from error
