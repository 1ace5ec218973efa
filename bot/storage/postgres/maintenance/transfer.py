"""A PostgreSQL database as one side of a move between engines."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from typing_extensions import override

from bot.domain.audit import ChainReport
from bot.storage.errors import ServerInUse, ServerUnusable
from bot.storage.postgres.address import name_of
from bot.storage.postgres.audit_check import chain_in
from bot.storage.postgres.connection import connection_options, take_write_lock
from bot.storage.postgres.database import require_server
from bot.storage.postgres.maintenance.restore import require_no_workers
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.schema import NOT_OURS, bundled, is_ours, keep_starts_out, migrate, moved_to, version_of
from bot.storage.transfer import NUMBERED, Row, Source, Target

_ROWS_AT_ONCE = 100
"""Rows in memory; those of snapshots are large."""

_LAST_ID = """
SELECT greatest(
    coalesce((SELECT seq FROM sequences WHERE name = '{table}'), 0),
    coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass), 0)
)
"""

_SET_LAST_ID = "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), greatest({last}, 1), {last} > 0)"

_SET_LAST_AUDIT_ROW = """
INSERT INTO sequences (name, seq) VALUES ('audit', {last}) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq
"""


class _Server:
    """A database in a transaction that no process starts or writes beside."""

    def __init__(self, url: str, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.name = f"PostgreSQL at {name_of(url)}"

    def execute(self, sql: str, /) -> psycopg.Cursor[Any]:
        return self._connection.execute(sql.encode())

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        order = "rowid" if table == "error_references" else columns[0]
        with psycopg.ServerCursor(self._connection, f"rows_of_{table}") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}".encode())  # noqa: S608 -- names of the schema
            yield from cursor

    def last_ids(self) -> Mapping[str, int]:
        return {table: self.execute(_LAST_ID.format(table=table)).fetchall()[0][0] for table in NUMBERED}


class PostgresSource(_Server, Source):
    """The desk's database."""

    @override
    def mark(self, to: str) -> None:
        self._connection.execute("UPDATE desk SET moved_to = %s", [to])
        self._connection.commit()

    @override
    def moved_to(self) -> str | None:
        return moved_to(self._connection)


class PostgresTarget(_Server, Target):
    """An empty database."""

    @override
    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    @override
    def set_last_ids(self, ids: Mapping[str, int]) -> None:
        ((snapshots,),) = self.execute("SELECT coalesce(max(seq), 0) FROM snapshots").fetchall()
        self.execute(_SET_LAST_ID.format(table="snapshots", column="seq", last=snapshots))
        for table, last in ids.items():
            self.execute(_SET_LAST_ID.format(table=table, column="id", last=last))
        self.execute(_SET_LAST_AUDIT_ROW.format(last=ids["audit"]))

    @override
    def chain(self) -> ChainReport:
        return chain_in(self._connection)

    @override
    def commit(self, mark: Callable[[], None]) -> None:
        self.execute("ANALYZE")
        mark()
        self._connection.commit()


@contextmanager
def source(url: str) -> Iterator[PostgresSource]:
    """Open the desk's database. ServerUnreachable, ServerUnusable and ServerInUse if it cannot be copied."""
    with _opened(url) as connection:
        name, newest = name_of(url), len(bundled())
        version = version_of(connection) if is_ours(connection) else 0
        if version != newest:
            step = (
                "Start this SkinDesk on it once, and stop it" if version < newest else "Move it with the version it has"
            )
            reason = f"its schema is {version}, not {newest}. {step}"
            raise ServerUnusable(name, reason if version else NOT_OURS)
        require_no_workers(connection, name)
        yield PostgresSource(url, connection)


@contextmanager
def target(url: str) -> Iterator[PostgresTarget]:
    """Open a database to copy to, and make the tables in the same transaction. The errors are those of source()."""
    with _opened(url) as connection:
        migrate(connection, name_of(url), bundled())
        require_no_workers(connection, name_of(url))
        yield PostgresTarget(url, connection)


@contextmanager
def _opened(url: str) -> Iterator[psycopg.Connection[Any]]:
    name = name_of(url)
    options = connection_options(url, role="migrate", is_patient=True) | {"row_factory": tuple_row, "autocommit": False}
    with explained(name), psycopg.connect(**options) as connection:
        require_server(connection, name)
        try:
            take_write_lock(connection)
            keep_starts_out(connection)
            yield connection
        except psycopg.errors.LockNotAvailable as error:
            raise ServerInUse(name, 1) from error
