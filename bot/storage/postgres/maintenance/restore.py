"""Replaces a PostgreSQL database's content by a dump, in one transaction, so that nothing is sent twice."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bot.storage.aftermath import Former, former_in, prepare
from bot.storage.copy_files import dated, unused
from bot.storage.database import from_ms
from bot.storage.errors import (
    BackupNotWritten,
    DatabaseTooNew,
    DatabaseUnusable,
    ServerInUse,
    ServerUnusable,
    UnknownCapability,
)
from bot.storage.guild_settings import PauseReason
from bot.storage.maintenance import Prepared, Restored
from bot.storage.postgres.address import name_of
from bot.storage.postgres.audit_check import chain_in
from bot.storage.postgres.connection import SharedStatements, connection_options, take_write_lock
from bot.storage.postgres.database import require_server
from bot.storage.postgres.maintenance.backup import NOT_KEPT, SUFFIX, dump, faulty, reading, stem_of
from bot.storage.postgres.maintenance.dump_file import SequenceValue, TableRows, contents, version_of
from bot.storage.postgres.maintenance.programs import find
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.request_ids import PostgresRequestIds
from bot.storage.postgres.schema import (
    NOT_OURS,
    OF_ANOTHER_PROGRAM,
    Migration,
    bundled,
    created_by,
    has_tables,
    is_ours,
    keep_starts_out,
    later,
    living,
    migrate,
    tables_of,
    unknown_capabilities,
)
from bot.storage.postgres.schema import version_of as schema_version

_FUNCTIONS = """
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%s)
"""


def restore(source: Path, url: str, *, at: datetime) -> Restored:
    """Replace SkinDesk's tables by those of the dump at ``source``; a dump of them is kept beside it.

    Only rows are taken from the file: tables come from the migrations, and no statement in it is run. The rows are
    loaded, migrated, prepared (see :func:`prepare`) and checked in one transaction, so that a failure or a kill at any
    moment leaves the database as it was. ServerInUse if SkinDesk is running on it, DatabaseUnusable and DatabaseTooNew
    if the file cannot be used, ServerUnreachable, ServerUnusable, ProgramMissing and BackupNotWritten otherwise.
    """
    name, newest = name_of(url), bundled()
    find("pg_restore")
    version = version_of(source)
    if version > len(newest):
        raise DatabaseTooNew(source, found=version, newest=len(newest))
    with explained(name), _open(url, name) as connection, connection.transaction():
        keep_starts_out(connection)
        take_write_lock(connection)
        former, replaced = Former(), None
        if is_ours(connection):
            _require_not_newer(connection, name)
            require_no_workers(connection, name)
            replaced = _keep(source, url, at=at)
            former = former_in(SharedStatements(connection), PostgresRequestIds())
            _drop(connection, name)
        elif has_tables(connection):
            raise ServerUnusable(name, OF_ANOTHER_PROGRAM)
        _load(connection, source, name, newest[:version])
        migrate(connection, name, newest)
        found = SharedStatements(connection)
        until = found.execute("SELECT max(at) FROM audit").fetchall()[0][0]
        prepared = prepare(found, ids=PostgresRequestIds(), former=former, reason=PauseReason.RESTORED, at=at)
        _require_sound(connection, source)
    return Restored(replaced, len(newest), version, from_ms(until), prepared)


def accept_recovered(url: str, *, at: datetime) -> Prepared:
    """Prepare a database that was put back to an earlier state by other means, such as point-in-time recovery.

    The errors are those of :func:`restore`.
    """
    name = name_of(url)
    with explained(name), _open(url, name) as connection, connection.transaction():
        keep_starts_out(connection)
        take_write_lock(connection)
        if not is_ours(connection):
            raise ServerUnusable(name, NOT_OURS)
        _require_not_newer(connection, name)
        require_no_workers(connection, name)
        migrate(connection, name, bundled())
        return prepare(
            SharedStatements(connection),
            ids=PostgresRequestIds(),
            former=Former(),
            reason=PauseReason.RESTORED,
            at=at,
        )


def require_no_workers(connection: psycopg.Connection[Any], name: str) -> None:
    """Raise ServerInUse if processes work on the database; none can begin to before the transaction ends."""
    connection.execute("LOCK TABLE workers IN SHARE MODE")
    if alive := living(connection):
        raise ServerInUse(name, alive)


def _open(url: str, name: str) -> psycopg.Connection[Any]:
    connection: psycopg.Connection[Any] = psycopg.connect(
        **connection_options(url, role="restore", is_patient=True), cursor_factory=psycopg.ClientCursor
    )
    require_server(connection, name)
    return connection


def _require_not_newer(connection: psycopg.Connection[Any], name: str) -> None:
    if (version := schema_version(connection)) > (newest := len(bundled())):
        raise ServerUnusable(name, later(version, newest))


def _keep(source: Path, url: str, *, at: datetime) -> Path:
    """Dump what is replaced beside the source. No process writes meanwhile: the caller holds the lock."""
    kept = unused(source.absolute().with_name(dated(f"{stem_of(url)}.replaced", at, SUFFIX)))
    try:
        with reading(url) as connection:
            return dump(connection, url, kept, is_judged=False).path
    except (ServerUnusable, BackupNotWritten) as error:
        reason = f"what is there cannot be kept ({error.reason}). Restore into an empty database instead"
        raise BackupNotWritten(kept, reason) from error


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop SkinDesk's tables, and nothing that depends on them."""
    every = bundled()
    try:
        _drop_all(connection, "VIEW", map(sql.Identifier, created_by(every, "VIEW")))
        _drop_all(connection, "TABLE", map(sql.Identifier, tables_of(every)))
        functions = connection.execute(_FUNCTIONS, [list(created_by(every, "FUNCTION"))]).fetchall()
        _drop_all(connection, "FUNCTION", [sql.SQL(row[0]) for row in functions])
    except psycopg.errors.DependentObjectsStillExist as error:
        reason = (
            f"others depend on its tables: {error.diag.message_detail}. Drop them first, and make them again after it"
        )
        raise ServerUnusable(name, reason) from error


def _drop_all(connection: psycopg.Connection[Any], kind: str, names: Iterable[sql.Composable]) -> None:
    if every := list(names):
        connection.execute(sql.SQL("DROP {} IF EXISTS {}").format(sql.SQL(kind), sql.SQL(", ").join(every)))


def _load(connection: psycopg.Connection[Any], source: Path, name: str, migrations: tuple[Migration, ...]) -> None:
    """Make the tables as they were when the dump was made, and fill them. DatabaseUnusable if rows do not fit."""
    migrate(connection, name, migrations)
    tables = [table for table in tables_of(migrations) if table != "skindesk_migrations" and table not in NOT_KEPT]
    for table in map(sql.Identifier, tables):
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
        connection.execute(sql.SQL("DELETE FROM {}").format(table))
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    try:
        for found in contents(source):
            if isinstance(found, SequenceValue):
                values = [found.sequence, found.value, found.is_used]
                connection.execute("SELECT setval(to_regclass(%s), %s, %s)", values)
            elif found.table in tables:
                _copy(connection, found)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise DatabaseUnusable(source, f"its rows do not fit: {error.diag.message_primary}") from error
    for table in map(sql.Identifier, tables):
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(table))


def _copy(connection: psycopg.Connection[Any], found: TableRows) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(found.table),
        sql.SQL(found.columns),  # letters, digits, quotes and commas: see dump_file
    )
    with connection.cursor().copy(statement) as copy:
        for row in found.rows:
            copy.write(row)


def _require_sound(connection: psycopg.Connection[Any], source: Path) -> None:
    if unknown := unknown_capabilities(connection):
        raise UnknownCapability(*unknown)
    chain = chain_in(connection)
    if chain.fault is not None:
        raise DatabaseUnusable(source, faulty(chain.fault))
