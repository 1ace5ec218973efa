"""Which database a file is: its id and its age."""

import sqlite3

from bot.storage.database import from_ms
from bot.storage.maintenance import Identity
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.schema import version_of

_SINCE = 5
"""The schema that has the table ``desk``."""

_MOVED_SINCE = 7

_IDENTITY = "SELECT database_id, created_at FROM desk"
_FIRST_ROW = "SELECT at FROM audit ORDER BY id LIMIT 1"


def identity_in(connection: sqlite3.Connection) -> Identity | None:
    """Return the identity; None before the schema had one."""
    row = connection.execute(_IDENTITY).fetchone() if version_of(connection) >= _SINCE else None
    return None if row is None else Identity(row[0], from_ms(row[1]))


def moved_to(connection: sqlite3.Connection) -> str | None:
    """Return the database that the desk has moved to; None if it has not."""
    row = connection.execute("SELECT moved_to FROM desk").fetchone() if version_of(connection) >= _MOVED_SINCE else None
    return None if row is None else row[0]


async def identity_of(database: SqliteDatabase) -> Identity:
    """Return the identity of an open database."""
    [row] = await database.read(_IDENTITY)
    return Identity(row["database_id"], from_ms(row["created_at"]))


def is_copy_of(connection: sqlite3.Connection, database: Identity) -> bool:
    """Return whether a copy was made of ``database``: by its id, or, before there was one, by its first audit row."""
    identity = identity_in(connection)
    if identity is not None:
        return identity.database_id == database.database_id
    row = connection.execute(_FIRST_ROW).fetchone()
    return row is not None and from_ms(row[0]) == database.created_at
