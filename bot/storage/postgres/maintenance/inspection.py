"""Inspects a PostgreSQL database without changing it: the server, whose tables there are, who works on them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bot.domain.audit import ChainReport
from bot.storage.errors import ProgramMissing
from bot.storage.postgres.address import name_of, parts_of
from bot.storage.postgres.audit_check import chain_in
from bot.storage.postgres.connection import connection_options
from bot.storage.postgres.database import CONNECTIONS, OLDEST
from bot.storage.postgres.maintenance.programs import find
from bot.storage.postgres.reasons import explained
from bot.storage.postgres.schema import bundled, has_tables, is_ours, unknown_capabilities, version_of

_LOOPBACK = ("localhost", "127.", "::1")

_SERVER = """
SELECT
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
    current_setting('fsync')::boolean AND current_setting('synchronous_commit') <> 'off',
    pg_backend_pid(),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
    current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
    coalesce((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1),
    coalesce((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1)
"""

_WORKERS = "SELECT shards, extract(epoch FROM clock_timestamp() - started_at)::float8 FROM living_workers ORDER BY 2"

_CHANNELS = """
SELECT guild_id, approvals_channel_id, audit_channel_id, first_at IS NOT NULL FROM guilds ORDER BY guild_id
"""


@dataclass(frozen=True, slots=True)
class Encryption:
    """How the connection is protected. ``is_used`` is None if none was made."""

    mode: str
    is_local: bool
    is_used: bool | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """The state of the server. ``version`` is its major one; ``fast_by`` is how much this machine's clock is fast.

    ``most`` connections are allowed, ``needed`` by each process; ``in_use`` are open now, of all programs.
    """

    version: int
    is_old: bool
    encoding: str
    is_read_only: bool
    is_durable: bool
    is_pooled: bool
    most: int
    in_use: int
    needed: int
    may_create: bool
    fast_by: timedelta


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works on the database: its shards, and for how long it has."""

    shards: str
    since: timedelta


@dataclass(frozen=True, slots=True)
class Tables:
    """SkinDesk's tables. Those after ``version`` are only known if that is one that this SkinDesk knows."""

    version: int
    moved_to: str | None = None
    unknown_capabilities: tuple[str, ...] = ()
    chain: ChainReport | None = None
    workers: tuple[Worker, ...] = ()
    channels: Sequence[tuple[int, int | None, int | None, bool]] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. ``tables`` is None if SkinDesk's are not there; ``is_foreign`` if others are."""

    name: str
    encryption: Encryption
    server: Server
    newest: int
    is_foreign: bool
    tables: Tables | None
    missing_program: ProgramMissing | None


def inspect(url: str) -> Inspection:
    """Inspect a database. ServerUnreachable and ServerUnusable if that is not possible."""
    name = name_of(url)
    with (
        explained(name),
        psycopg.connect(**connection_options(url, role="check") | {"autocommit": False}) as connection,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        server = _server(connection)
        encryption = encryption_of(url, is_used=bool(connection.pgconn.ssl_in_use))
        ours = is_ours(connection)
        is_foreign = not ours and has_tables(connection)
        tables = _tables(connection) if ours else None
    return Inspection(name, encryption, server, len(bundled()), is_foreign, tables, _missing_program(server.version))


def encryption_of(url: str, *, is_used: bool | None = None) -> Encryption:
    """Return what the address says of encryption; no connection is needed."""
    parts = parts_of(url)
    hosts = [host for host in str(parts.get("host") or os.environ.get("PGHOST") or "").split(",") if host]
    is_local = all(host.startswith(("/", "@", *_LOOPBACK)) for host in hosts)
    mode = str(parts.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer")
    return Encryption(mode, is_local, is_used)


def _server(connection: psycopg.Connection[Any]) -> Server:
    before = datetime.now(UTC)
    ((there,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    here = before + (datetime.now(UTC) - before) / 2
    (found,) = connection.execute(_SERVER).fetchall()
    read_only, durable, pid, in_use, may_create, *limits = found
    return Server(
        version=connection.info.server_version // 10_000,
        is_old=connection.info.server_version < OLDEST,
        encoding=connection.info.parameter_status("server_encoding") or "",
        is_read_only=read_only,
        is_durable=durable,
        is_pooled=pid != connection.info.backend_pid,
        most=min(limit for limit in limits if limit >= 0),
        in_use=in_use,
        needed=CONNECTIONS,
        may_create=may_create,
        fast_by=here - there,
    )


def _tables(connection: psycopg.Connection[Any]) -> Tables:
    version = version_of(connection)
    if version > len(bundled()):
        return Tables(version)
    return Tables(
        version,
        moved_to=connection.execute("SELECT moved_to FROM desk").fetchall()[0][0],
        unknown_capabilities=unknown_capabilities(connection),
        chain=chain_in(connection),
        workers=tuple(Worker(shards, timedelta(seconds=since)) for shards, since in connection.execute(_WORKERS)),
        channels=[tuple(row) for row in connection.execute(_CHANNELS)],
    )


def _missing_program(server: int) -> ProgramMissing | None:
    """Return why a backup could not be made on this machine."""
    try:
        find("pg_dump", server=server)
        find("pg_restore")
    except ProgramMissing as missing:
        return missing
    return None
