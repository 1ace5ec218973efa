"""Connections to PostgreSQL: how they are made, and the one by which jobs write."""

import contextlib
import time
from collections.abc import Iterable
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from typing_extensions import override

from bot.storage.database import Parameters
from bot.storage.postgres.address import parts_of
from bot.storage.postgres.guard import CommitUnknown, PostgresGuard
from bot.storage.postgres.sql import translated

_T = TypeVar("_T")

CONNECT_WITHIN = 3.0
"""Seconds for one attempt to connect; libpq allows no fewer than two."""

STATEMENT_WITHIN = 5.0
"""Seconds for one statement, the wait for locks included."""

_ANSWER_WITHIN = STATEMENT_WITHIN + 1.0
"""Seconds until a connection is given up on which the server does not say even that it has cancelled the statement.

TCP notices only that packets are lost: not that a proxy has forgotten the connection, or that the server hangs.
"""

_IDLE_WITHIN = 5.0
"""Seconds that a transaction may stand still. Then the server ends it: its process hangs, and holds up all others."""

_KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 6_000}
"""A server whose machine has died is noticed after some 9 seconds, instead of hours."""

_WRITE_LOCK = 0x536B446B0001
"""The advisory lock that every transaction which writes takes first: jobs of all processes run one after another."""

_BEGIN = f"""
BEGIN;
SET LOCAL lock_timeout = 200;
SELECT pg_advisory_xact_lock({_WRITE_LOCK});
SELECT pg_current_xact_id()::text
"""

_STATUS = "SELECT pg_xact_status(%(transaction)s::xid8)"


class Row(tuple[Any, ...]):
    """A row that is read by position and by the column's name, as one of SQLite."""

    __slots__ = ()
    columns: dict[str, int]
    """The position of each column; set by the statement's own class."""

    @override
    def __getitem__(self, key: Any, /) -> Any:
        return super().__getitem__(self.columns[key] if isinstance(key, str) else key)


def _within(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any], work: PQGen[_T]) -> PQGen[_T]:
    """Do ``work`` on a connection; OperationalError, and the connection is lost, if that takes too long."""
    until = time.monotonic() + _ANSWER_WITHIN
    try:
        waits_for = next(work)
        while True:
            ready = yield waits_for
            if not ready and time.monotonic() >= until:
                connection.pgconn.finish()
                raise psycopg.OperationalError("the server does not answer")
            waits_for = work.send(ready)
    except StopIteration as end:
        result: _T = end.value
        return result


class BoundedConnection(psycopg.Connection[Any]):
    """A connection on which nothing waits for ever."""

    @override
    def wait(self, gen: PQGen[_T], *args: Any, **kwargs: Any) -> _T:
        return super().wait(_within(self, gen), *args, **kwargs)


class AsyncBoundedConnection(psycopg.AsyncConnection[Any]):
    """The same for asyncio."""

    @override
    async def wait(self, gen: PQGen[_T], *args: Any, **kwargs: Any) -> _T:
        return await super().wait(_within(self, gen), *args, **kwargs)


def rows_by_name(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> Any:
    """Make rows that know their columns; a row factory of psycopg."""
    columns = {column.name: position for position, column in enumerate(cursor.description or ())}
    return type("Row", (Row,), {"__slots__": (), "columns": columns})


def connection_options(url: str, *, role: str, is_patient: bool = False) -> dict[str, Any]:
    """Return psycopg's arguments for a connection; ``role`` is shown in ``pg_stat_activity``.

    Values are put into the statements by the client: the server could not tell the type of a NULL by itself.
    ``is_patient`` is for backups: statements may take as long as they need, and values are written as pg_dump's are.
    """
    limits = {
        "statement_timeout": 0 if is_patient else STATEMENT_WITHIN,
        "lock_timeout": STATEMENT_WITHIN,
        "idle_in_transaction_session_timeout": 0 if is_patient else _IDLE_WITHIN,
    }
    parts = parts_of(url)
    options = " ".join(
        [parts.get("options", ""), *(f"-c {name}={seconds * 1000:.0f}" for name, seconds in limits.items())]
    )
    if is_patient:
        options += " -c TimeZone=UTC -c DateStyle=ISO -c client_encoding=UTF8"
    return {
        "conninfo": make_conninfo(**parts | {"application_name": f"skindesk {role}"}),
        "options": options,
        "connect_timeout": round(CONNECT_WITHIN),
        "autocommit": True,
        "row_factory": rows_by_name,
        **_KEEPALIVES,
    }


class SharedStatements:
    """Runs the statements that both engines share on an open connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Any = (), /) -> psycopg.Cursor[Any]:
        """Run one statement."""
        return self._connection.execute(translated(sql), parameters)

    def executemany(self, sql: str, rows: Iterable[Any], /) -> psycopg.Cursor[Any]:
        """Run one statement for each row."""
        cursor = self._connection.cursor()
        cursor.executemany(translated(sql), list(rows))
        return cursor


def take_write_lock(connection: psycopg.Connection[Any]) -> None:
    """Hold the lock of all processes until the transaction ends: nothing else is written meanwhile."""
    connection.execute(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")


class PostgresWriter:
    """The connection by which jobs write; it connects again by itself before a transaction."""

    def __init__(self, url: str, guard: PostgresGuard) -> None:
        self._guard = guard
        self._options = connection_options(url, role="writer")
        self._connection: psycopg.Connection[Any] | None = None
        self._transaction = ""

    def execute(self, sql: str, parameters: Parameters = (), /) -> psycopg.Cursor[Any]:
        """Run one statement of a job."""
        return self._open().execute(translated(sql), parameters)

    def executemany(self, sql: str, rows: Iterable[Parameters], /) -> psycopg.Cursor[Any]:
        """Run one statement of a job for each row."""
        cursor = self._open().cursor()
        cursor.executemany(translated(sql), list(rows))
        return cursor

    @property
    def connection(self) -> Self:
        """What jobs get."""
        return self

    def begin(self) -> Exception | None:
        """Begin a transaction with the lock of all processes. Return the error if another one holds it."""
        try:
            cursor = self._execute_begin()
        except psycopg.errors.LockNotAvailable as error:
            self.rollback()
            return error
        while cursor.nextset():
            pass
        self._transaction = cursor.fetchall()[0][0]
        return None

    def commit(self) -> None:
        """Commit. If the answer is lost, ask the server what became of it. CommitUnknown if that is not found out."""
        try:
            self.execute_commit()
        except psycopg.OperationalError:
            if not self._open().broken:
                raise
            if not self._has_committed():
                raise

    def execute_commit(self) -> None:
        """Send COMMIT and wait for its answer."""
        self._open().execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if there is one; a broken connection has undone it."""
        with contextlib.suppress(psycopg.Error):
            self._open().execute("ROLLBACK")

    def _execute_begin(self) -> psycopg.Cursor[Any]:
        connection = self._reconnected()
        try:
            return connection.execute(_BEGIN)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
        return self._reconnected().execute(_BEGIN)  # the server had closed it before: nothing was begun

    def has_begun(self) -> bool:
        """Return whether a transaction is open, failed or not."""
        connection = self._connection
        return connection is not None and connection.info.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
            TransactionStatus.ACTIVE,
        )

    def interrupt(self) -> None:
        """Cancel what runs, from another thread."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=1.0)

    def explained(self, error: BaseException, *, in_commit: bool = False) -> BaseException:
        """Return a DatabaseUnavailable for an error of the server, and any other error as it is."""
        return self._guard.explained(error, may_be_done=in_commit and isinstance(error, CommitUnknown))

    def on_failure(self) -> None:
        """Count a job that failed because of the database."""
        self._guard.write_failures += 1

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise psycopg.OperationalError("not connected")
        return self._connection

    def _reconnected(self) -> psycopg.Connection[Any]:
        connection = self._connection
        if connection is None or connection.closed:
            connection = BoundedConnection.connect(**self._options, cursor_factory=psycopg.ClientCursor)
            self._connection = connection
        return connection

    def _has_committed(self) -> bool:
        """Return whether the last transaction was committed, by its number; CommitUnknown if the server is gone."""
        deadline = time.monotonic() + STATEMENT_WITHIN
        while time.monotonic() < deadline:
            try:
                cursor = self._reconnected().execute(_STATUS, {"transaction": self._transaction})
                status = cursor.fetchall()[0][0]
            except psycopg.OperationalError:
                time.sleep(0.2)
                continue
            if status == "in progress":  # the server has not noticed yet that the client is gone
                time.sleep(0.05)
                continue
            return bool(status == "committed")
        raise CommitUnknown
