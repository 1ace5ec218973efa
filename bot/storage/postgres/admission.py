"""Decides whether a start may fill an empty PostgreSQL database.

Nothing beside the server remembers which database a desk had: an empty one may be a new desk's, or what is left where
the data was lost, or a wrong address. So none is filled unasked.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import psycopg

from bot.storage.aftermath import Former, prepare
from bot.storage.errors import ServerEmpty
from bot.storage.guild_settings import PauseReason
from bot.storage.postgres.address import name_of
from bot.storage.postgres.connection import SharedStatements, connection_options, take_write_lock
from bot.storage.postgres.database import PostgresDatabase, require_server
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.request_ids import PostgresRequestIds
from bot.storage.postgres.schema import bundled, has_tables, is_ours, migrate

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_admitted(url: str, *, accepts_new: bool, at: datetime) -> AsyncIterator[PostgresDatabase]:
    """Open the desk's database for a start: see :meth:`PostgresDatabase.open` for the errors.

    ServerEmpty if it is empty, unless the operator accepts that: ``skindesk run --new-database``.
    """
    await asyncio.to_thread(_admit, url, accepts_new=accepts_new, at=at)
    async with PostgresDatabase.open(url) as database:
        yield database


def _admit(url: str, *, accepts_new: bool, at: datetime) -> None:
    name = name_of(url)
    options = connection_options(url, role="start") | {"cursor_factory": psycopg.ClientCursor}
    with explained(name), psycopg.connect(**options) as connection:
        require_server(connection, name)
        if is_ours(connection) or has_tables(connection):  # those of another program are refused later
            return
        if not accepts_new:
            raise ServerEmpty(name)
        with connection.transaction():
            take_write_lock(connection)
            if is_ours(connection):  # another process was faster
                return
            migrate(connection, name, bundled())
            prepare(
                SharedStatements(connection),
                ids=PostgresRequestIds(),
                former=Former(),
                reason=PauseReason.NEW_DATABASE,
                at=at,
            )
    _log.warning(
        "started with a new database: resends are stopped on every server until they are resumed under "
        "/approvals, because the database does not know what was sent before"
    )
