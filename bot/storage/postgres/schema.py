"""Brings a PostgreSQL database to the newest schema, by one process at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

import psycopg

from bot.domain.access import Capability
from bot.storage.errors import ServerInUse, ServerUnusable
from bot.storage.migration_files import migration_files

HANGS_AFTER = 5.0
"""Seconds that a start may let the server wait while it holds the lock of starts: then it hangs, and others go on."""

_LOCK = "SELECT pg_advisory_lock(0x536B446B0002)"
_LOCK_IN_TRANSACTION = "SELECT pg_advisory_xact_lock(0x536B446B0002)"
_UNLOCK = "SELECT pg_advisory_unlock(0x536B446B0002)"

_VERSION = "SELECT coalesce(max(number), 0) FROM skindesk_migrations"

_IS_OURS = "SELECT to_regclass('skindesk_migrations') IS NOT NULL"

_TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"

_ALIVE = "SELECT count(*) FROM living_workers"

_CREATES = re.compile(r"^CREATE (TABLE|VIEW|FUNCTION) (\w+)", re.MULTILINE)

_FIRST = """
CREATE TABLE skindesk_migrations (
    number integer NOT NULL PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

OF_ANOTHER_PROGRAM = "it holds tables of another program. Make a database for SkinDesk alone"

NOT_OURS = "it holds no tables of SkinDesk's. Look at the address"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. ``number`` is the schema's version after it; ``sql`` has no transaction of its own."""

    number: int
    name: str
    sql: str


def bundled() -> tuple[Migration, ...]:
    """Return the migrations that come with SkinDesk, in order; ValueError if their numbers leave a gap."""
    return tuple(starmap(Migration, migration_files("bot.storage.postgres")))


def migrate(connection: psycopg.Connection[Any], name: str, migrations: Sequence[Migration]) -> None:
    """Apply the missing migrations, each whole or not at all; other processes wait.

    ServerUnusable if the database is another program's or a later SkinDesk's, or if one fails; ``name`` is for it.
    ServerInUse if processes of an earlier version work on it: the tables would change under them.
    """
    connection.execute(
        f"SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = {HANGS_AFTER * 1000:.0f}"
    )
    connection.execute(_LOCK)
    try:
        with connection.transaction():
            if not is_ours(connection):
                if has_tables(connection):
                    raise ServerUnusable(name, OF_ANOTHER_PROGRAM)
                connection.execute(_FIRST)
        version = version_of(connection)
        if version > len(migrations):
            raise ServerUnusable(name, later(version, len(migrations)))
        if 0 < version < len(migrations) and (alive := living(connection)):
            raise ServerInUse(name, alive)
        for migration in migrations[version:]:
            _apply(connection, name, migration)
    finally:
        connection.execute(_UNLOCK)


def later(version: int, newest: int) -> str:
    """Return the refusal of a database that a later SkinDesk has written."""
    return (
        f"a later SkinDesk has written it: schema {version}, this one knows {newest}. Install that version, or restore "
        "an earlier copy into an empty database"
    )


def keep_starts_out(connection: psycopg.Connection[Any]) -> None:
    """Have starts wait in :func:`migrate` until the transaction ends."""
    connection.execute(_LOCK_IN_TRANSACTION)


def created_by(migrations: Sequence[Migration], kind: str) -> tuple[str, ...]:
    """Return the names of all tables, views or functions that the migrations create; ``kind`` is the word in SQL."""
    text = "\n".join([_FIRST, *(migration.sql for migration in migrations)])
    return tuple(dict.fromkeys(name for found, name in _CREATES.findall(text) if found == kind))


def tables_of(migrations: Sequence[Migration]) -> tuple[str, ...]:
    """Return the names of SkinDesk's tables."""
    return created_by(migrations, "TABLE")


def is_ours(connection: psycopg.Connection[Any]) -> bool:
    """Return whether SkinDesk's tables are there."""
    return bool(_only(connection, _IS_OURS))


def has_tables(connection: psycopg.Connection[Any]) -> bool:
    """Return whether there is any table."""
    return bool(_only(connection, _TABLES))


def living(connection: psycopg.Connection[Any]) -> int:
    """Return how many processes work on the database."""
    return int(_only(connection, _ALIVE))


def unknown_capabilities(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Return the granted capabilities that this SkinDesk does not know."""
    granted = {row[0] for row in connection.execute("SELECT DISTINCT capability FROM grants")}
    return tuple(sorted(granted.difference(Capability)))


def moved_to(connection: psycopg.Connection[Any]) -> str | None:
    """Return the database that the desk has moved to; None if it has not."""
    to: str | None = _only(connection, "SELECT moved_to FROM desk")
    return to


def version_of(connection: psycopg.Connection[Any]) -> int:
    """Return the number of the last migration applied."""
    return int(_only(connection, _VERSION))


def _apply(connection: psycopg.Connection[Any], name: str, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO skindesk_migrations (number, name) VALUES (%s, %s)", (migration.number, migration.name)
            )
    except psycopg.Error as error:
        raise ServerUnusable(name, f"{migration.name}: {error}") from error


def _only(connection: psycopg.Connection[Any], sql: str) -> Any:
    row = connection.execute(sql.encode()).fetchone()
    return None if row is None else row[0]
