"""A PostgreSQL database: written by one queue of jobs in each process, read by a pool of connections."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self, TypeVar

import psycopg
import psycopg_pool
from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.storage.database import Database, Job, Parameters, WriteObserver
from bot.storage.errors import DatabaseClosed, ServerMoved, ServerUnreachable, ServerUnusable, UnknownCapability
from bot.storage.postgres.address import name_of
from bot.storage.postgres.connection import CONNECT_WITHIN, AsyncBoundedConnection, PostgresWriter, connection_options
from bot.storage.postgres.guard import PostgresGuard
from bot.storage.postgres.pool_log import FirstOfEach
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.schema import Migration, bundled, migrate, moved_to, unknown_capabilities
from bot.storage.postgres.sql import translated
from bot.storage.write_queue import WriteQueue
from bot.storage.writing_tasks import WritingTasks

_log = logging.getLogger(__name__)
logging.getLogger("psycopg.pool").addFilter(FirstOfEach())

_T = TypeVar("_T")

_READERS = 4
"""Connections of the pool; a statement takes some tenths of a millisecond."""

CONNECTIONS = _READERS + 3
"""Connections of a process: those, the one that writes, one for signs of life, and one at a start."""

_WAIT = 2.0
"""Seconds to wait for a connection of the pool: Discord wants an answer within three.

After as long the pool gives up to connect, and begins again with the next caller: it would wait minutes between two
attempts after a long outage.
"""

OLDEST = 140_000
"""PostgreSQL 14."""


class PostgresDatabase(Database):
    """The connections of one process: one that writes, and a pool for statements that need no order with the jobs."""

    is_shared = True

    def __init__(
        self,
        *,
        url: str,
        guard: PostgresGuard,
        queue: WriteQueue,
        pool: psycopg_pool.AsyncConnectionPool[AsyncBoundedConnection],
    ) -> None:
        self._url = url
        self.name = name_of(url)
        """Server and database, without the password."""
        self.guard = guard
        self._queue = queue
        self._pool = pool
        self._writing = WritingTasks()
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, migrations: Sequence[Migration] | None = None) -> AsyncIterator[Self]:
        """Connect, bring the database to the newest schema, check it, and close the connections at the end.

        AddressUnusable, ServerUnreachable, ServerUnusable and UnknownCapability are reasons not to start.
        """
        name = name_of(url)
        async with AsyncExitStack() as stack:
            guard = PostgresGuard()
            writer = PostgresWriter(url, guard)
            stack.callback(writer.close)
            queue = stack.enter_context(WriteQueue(writer))
            try:
                with explained(name):
                    await asyncio.to_thread(_prepare, url, name, bundled() if migrations is None else migrations)
                options = connection_options(url, role="reader") | {"cursor_factory": psycopg.AsyncClientCursor}
                pool = psycopg_pool.AsyncConnectionPool(
                    options.pop("conninfo"),
                    connection_class=AsyncBoundedConnection,
                    min_size=1,
                    max_size=_READERS,
                    timeout=_WAIT,
                    reconnect_timeout=_WAIT,
                    name="PostgreSQL",
                    open=False,
                    kwargs=options,
                )
                await pool.open(wait=True, timeout=CONNECT_WITHIN * 2)
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
                raise ServerUnreachable(name, str(error)) from error
            stack.push_async_callback(pool.close, timeout=1.0)
            database = cls(url=url, guard=guard, queue=queue, pool=pool)
            guard.begin(database.probe)
            stack.push_async_callback(database._finish)
            yield database

    @override
    def observe_writes(self, observer: WriteObserver) -> None:
        self._queue.on_write = observer

    @override
    async def write(self, job: Job[_T], *, on_done: Callable[[], None] | None = None) -> _T:
        if self._is_closed:
            raise DatabaseClosed
        try:
            self.guard.require_usable()
            result = await self._queue.add(job, on_done)
        except DatabaseUnavailable as error:
            raise self._writing.explained(error) from None
        self._writing.add_current()
        return result

    @override
    async def read(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        return await self.run(sql, parameters)

    @override
    async def read_inline(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        return await self.run(sql, parameters)

    async def run(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """Run one statement beside the jobs, committed at once, and return its rows.

        A connection that turns out to be broken is replaced, and the statement is run once more if it only reads.
        """
        if self._is_closed:
            raise DatabaseClosed
        try:
            self.guard.require_usable()
            return await self._run(sql, parameters)
        except psycopg.OperationalError as error:
            if not sql.lstrip().upper().startswith(("SELECT", "WITH")) or not _is_lost(error):
                raise self._explained(error) from None
        except (psycopg.Error, psycopg_pool.PoolTimeout, DatabaseUnavailable) as error:
            raise self._explained(error) from None
        try:
            return await self._run(sql, parameters)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            raise self._explained(error) from None

    def _explained(self, error: BaseException) -> BaseException:
        return self._writing.explained(self.guard.explained(error))

    async def probe(self) -> None:
        """Write a row and read it again, past the queue."""
        if self.guard.health.fault is not None:
            await self._pool.check()  # all connections may be broken, and each probe would find only one
        await self._run("UPDATE desk SET probed_at = floor(extract(epoch FROM now()))::bigint * 1000", ())

    @override
    async def wipe(self) -> bool:
        """Let VACUUM make the space of deleted rows reusable; docs/privacy.md says what that leaves."""
        options = connection_options(self._url, role="vacuum", is_patient=True)
        try:
            async with await psycopg.AsyncConnection.connect(**options) as connection:
                await connection.execute("VACUUM")
        except psycopg.Error as error:
            _log.warning("deleted rows are not vacuumed yet: %s", type(error).__name__)
            return False
        return True

    @override
    def begin_shutdown(self, *, within: float) -> None:
        self._queue.begin_shutdown(within=within)

    async def _run(self, sql: str, parameters: Parameters) -> list[Any]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(translated(sql), parameters)
            return [] if cursor.description is None else await cursor.fetchall()

    async def _finish(self) -> None:
        self._is_closed = True
        self.guard.end()
        await self._queue.finish()


def require_server(connection: psycopg.Connection[Any], name: str) -> None:
    """Raise ServerUnusable for a server or a database of a kind that SkinDesk does not work with."""
    if connection.info.server_version < OLDEST:
        raise ServerUnusable(name, f"PostgreSQL {connection.info.server_version // 10_000}; 14 is the oldest")
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise ServerUnusable(name, f"its encoding is {encoding}, not UTF8")


def _prepare(url: str, name: str, migrations: Sequence[Migration]) -> None:
    """Check the server and bring the schema up to date, on a connection of its own."""
    with psycopg.connect(**connection_options(url, role="start")) as connection:
        require_server(connection, name)
        migrate(connection, name, migrations)
        if unknown := unknown_capabilities(connection):
            raise UnknownCapability(*unknown)
        if (to := moved_to(connection)) is not None:
            raise ServerMoved(name, to)


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Return whether the connection is gone, not only the statement."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
