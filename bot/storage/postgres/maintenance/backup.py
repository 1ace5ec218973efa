"""Backs a PostgreSQL database up with pg_dump while it is in use, and compares the file with the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bot.domain.audit import ChainFault
from bot.storage.copy_files import not_written, partial_file, put, put_unverified, target_of
from bot.storage.database import from_ms
from bot.storage.errors import (
    BackupNotWritten,
    DatabaseUnusable,
    ProgramFailed,
    ServerUnusable,
)
from bot.storage.maintenance import Backup, Identity
from bot.storage.postgres.address import name_of, parts_of
from bot.storage.postgres.audit_check import chain_in
from bot.storage.postgres.connection import connection_options
from bot.storage.postgres.maintenance.dump_file import TableRows, contents
from bot.storage.postgres.maintenance.programs import find, run
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.schema import NOT_OURS, bundled, is_ours, later, tables_of, version_of

NOT_KEPT = ("workers", "duties", "interaction_claims", "provider_calls", "provider_pauses", "identify_slots")
"""Tables about what processes do right now: their rows are in no backup."""

SUFFIX = ".dump"

_LOCK_WITHIN = "10s"
"""How long pg_dump waits for a table that is being changed."""


@dataclass(frozen=True, slots=True)
class _Contents:
    """The rows of a table, in any order."""

    rows: int
    digest: int


def back_up(url: str, destination: Path, *, at: datetime | None = None) -> Backup:
    """Dump the database to ``destination``, or to a dated name in that folder, and verify the file.

    It appears whole, verified and on the disk, or not at all; an existing file is never replaced. Each row in it was
    compared with the database as it was at one moment, whose audit log was checked. ServerUnreachable, ServerUnusable,
    ProgramMissing and BackupNotWritten otherwise.
    """
    target = target_of(destination, stem_of(url), SUFFIX, at=at)
    with reading(url) as connection:
        _require_ours(connection, name_of(url))
        return dump(connection, url, target)


def stem_of(url: str) -> str:
    """Return the database's name as the names of its copies have it."""
    name = parts_of(url).get("dbname", "skindesk")
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


@contextmanager
def reading(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection that sees the database as it is at one moment, for as long as it takes."""
    with explained(name_of(url)):
        options = connection_options(url, role="backup", is_patient=True) | {"autocommit": False}
        with psycopg.connect(**options) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield connection


def dump(connection: psycopg.Connection[Any], url: str, target: Path, *, is_judged: bool = True) -> Backup:
    """Dump what ``connection`` sees to ``target``. Unless ``is_judged``, a changed audit log is no reason not to."""
    name, at = name_of(url), datetime.now(UTC)
    program = find("pg_dump", server=connection.info.server_version // 10_000)
    find("pg_restore")
    ((snapshot, schema),) = connection.execute("SELECT pg_export_snapshot(), quote_ident(current_schema())").fetchall()
    ((database_id, created_at),) = connection.execute("SELECT database_id, created_at FROM desk").fetchall()
    chain = chain_in(connection)
    here = _contents_of(connection)
    with partial_file(target) as partial:
        arguments = (
            "--format=custom",
            "--encoding=UTF8",
            "--no-password",
            "--no-owner",
            "--no-privileges",
            f"--lock-wait-timeout={_LOCK_WITHIN}",
            f"--schema={schema}",
            *(f"--exclude-table-data={schema}.{table}" for table in NOT_KEPT),
            f"--snapshot={snapshot}",
            f"--file={partial}",
        )
        try:
            run(program, arguments, url=url)
        except ProgramFailed as failed:
            raise BackupNotWritten(target, failed.reason) from failed
        _verify(partial, here, target)
        if is_judged and chain.fault is not None:
            unverified = put_unverified(partial, target)
            raise ServerUnusable(name, f"{faulty(chain.fault)}; a copy as it is: {unverified}")
        put(partial, target)
    identity = Identity(database_id, from_ms(created_at))
    return Backup(at, target, version_of(connection), target.stat().st_size, chain.rows, identity)


def _require_ours(connection: psycopg.Connection[Any], name: str) -> None:
    if not is_ours(connection):
        raise ServerUnusable(name, NOT_OURS)
    if (version := version_of(connection)) > (newest := len(bundled())):
        raise ServerUnusable(name, later(version, newest))


def _contents_of(connection: psycopg.Connection[Any]) -> dict[str, _Contents]:
    """Return what each table holds."""
    found = {}
    there = {row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE pg_table_is_visible(oid)")}
    for table in (table for table in tables_of(bundled()) if table in there and table not in NOT_KEPT):
        with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
            found[table] = _contents(map(bytes, rows))
    return found


def _contents(rows: Iterator[bytes]) -> _Contents:
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(blake2b(row, digest_size=16).digest())
    return _Contents(count, total)


def _verify(partial: Path, here: dict[str, _Contents], target: Path) -> None:
    """Read the whole file and compare it with the database; BackupNotWritten."""
    try:
        there = {found.table: _contents(found.rows) for found in contents(partial) if isinstance(found, TableRows)}
    except (DatabaseUnusable, OSError) as error:
        raise not_written(target, error) from error
    if wrong := [table for table, held in here.items() if there.get(table) != held]:
        raise BackupNotWritten(target, f"the file does not hold what the database does ({', '.join(wrong)})")


def faulty(fault: ChainFault) -> str:
    """Return what is wrong with the audit log."""
    return f"row {fault.number} of the audit log is not as it was written ({fault.what})"
