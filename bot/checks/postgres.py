"""Checks a PostgreSQL database, even while SkinDesk runs on it. Nothing is imported of this on SQLite."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.checks.database import audit_finding, grants_finding
from bot.checks.findings import Channels, DatabaseChecked, Finding, ok, problem, unreachable, warning
from bot.config_loading import printable
from bot.database_reasons import database_reason
from bot.storage.errors import AddressUnusable, DriverMissing, ServerUnreachable, ServerUnusable

if TYPE_CHECKING:
    from bot.storage.postgres.maintenance.inspection import Encryption, Inspection, Server, Tables

_KEY = "database.url"
_CLOCK_TOLERANCE = timedelta(seconds=5)


def check_postgres(url: str, *, offline: bool) -> DatabaseChecked:
    """Check the server, the tables and the audit log without changing anything; ``offline`` only the address."""
    try:
        from bot.storage.postgres.maintenance.inspection import encryption_of, inspect  # noqa: PLC0415 -- a finding

        if offline:
            fix = "check again without --offline"
            skipped = warning("database", "not checked: PostgreSQL is reached by the network", fix, key=_KEY)
            return DatabaseChecked((skipped, *_encryption(encryption_of(url))))
        return _checked(inspect(url))
    except ImportError as error:
        if not (error.name or "").startswith("psycopg"):
            raise
        missing = database_reason(DriverMissing(str(error)))[1]
        return DatabaseChecked((problem("database", missing, "install it, or take database.url out", key=_KEY),))
    except AddressUnusable as error:
        fix = "compare it with postgresql://user:password@host/name?option=value"
        return DatabaseChecked((problem("database", database_reason(error)[1], fix, key=_KEY),))
    except ServerUnreachable as error:
        fix = "look whether the server runs and can be reached, and at user, password and database in the address"
        what = database_reason(error)[1]
        return DatabaseChecked((unreachable("database", what, fix, key=_KEY),))
    except ServerUnusable as error:
        fix = "look at the server's log"
        what = database_reason(error)[1]
        return DatabaseChecked((problem("database", what, fix, key=_KEY),))


def _checked(found: Inspection) -> DatabaseChecked:
    tables = found.tables
    workers = () if tables is None else tables.workers
    running = f"{len(workers)} (shards {', '.join(each.shards for each in workers)})" if workers else "none"
    what = f"PostgreSQL {found.server.version} at {found.name}; processes of SkinDesk that run now: {running}"
    findings = [ok("database", printable(what))]
    findings += [*_server(found.server), *_encryption(found.encryption), *_connections(found.server), *_schema(found)]
    if found.missing_program is not None:
        what = f"skindesk backup would fail on this machine: {database_reason(found.missing_program)[1]}"
        findings.append(warning("database.backup", what, "install it where backups are made"))
    if tables is None or tables.chain is None:
        return DatabaseChecked(tuple(findings), bool(workers))
    findings += [*_moved(tables), grants_finding(tables.unknown_capabilities), audit_finding(tables.chain)]
    channels = tuple(Channels(*row) for row in tables.channels)
    return DatabaseChecked(tuple(findings), bool(workers), channels)


def _server(server: Server) -> list[Finding]:
    findings = []
    if server.is_old:
        what = f"PostgreSQL {server.version}; SkinDesk needs 14 or later"
        findings.append(problem("database.server", what, "upgrade the server", key=_KEY))
    if server.encoding != "UTF8":
        fix = "make a database with ENCODING 'UTF8' TEMPLATE template0"
        findings.append(problem("database.encoding", f"its encoding is {server.encoding}, not UTF8", fix, key=_KEY))
    if server.is_read_only:
        what = "it can only be read: it is a standby, or default_transaction_read_only is on"
        findings.append(problem("database.read_only", what, "name the primary server", key=_KEY))
    if not server.is_durable:
        what = "fsync or synchronous_commit is off: a crash of the server loses what it has confirmed"
        fix = "switch both on: a resend is sent only after it was stored for good"
        findings.append(problem("database.durability", what, fix, key=_KEY))
    if server.is_pooled:
        what = (
            "something between here and the server shares its connections (PgBouncer?); SkinDesk has its own pool "
            "and was not tried with one. In transaction mode two processes can start an upgrade at once"
        )
        findings.append(warning("database.pooler", what, "name the server itself", key=_KEY))
    fast = server.fast_by
    if abs(fast) > _CLOCK_TOLERANCE:
        what = f"this machine's clock is {abs(fast).total_seconds():.0f} s {'fast' if fast > timedelta(0) else 'slow'}"
        findings.append(warning("database.clock", f"{what} by the server's", "synchronise both with NTP"))
    return findings


def _connections(server: Server) -> list[Finding]:
    name, left = "database.connections", server.most - server.in_use
    what = f"{server.most} connections are allowed, {server.in_use} in use now; a process needs {server.needed}"
    fix = "raise max_connections, or the limit of the role or database"
    if server.most < server.needed:
        return [problem(name, what, fix)]
    if left < server.needed:
        return [warning(name, what, fix)]
    return [ok(name, what)]


def _encryption(encryption: Encryption) -> list[Finding]:
    name = "database.tls"
    if encryption.is_local:
        return [ok(name, "the server is on this machine")]
    if encryption.mode == "verify-full":
        return [ok(name, "encrypted, and the server proves who it is (sslmode=verify-full)")]
    if encryption.is_used is False:
        what = f"the connection is not encrypted (sslmode={encryption.mode}): the password and all data can be read"
    elif encryption.mode in ("disable", "allow", "prefer"):
        what = f"sslmode={encryption.mode}: encrypted only if the server offers it, and it need not prove who it is"
    else:
        what = f"sslmode={encryption.mode}: encrypted, but the server need not prove that it is the one in the address"
    return [warning(name, what, "add ?sslmode=verify-full&sslrootcert=… to the address", key=_KEY)]


def _schema(found: Inspection) -> list[Finding]:
    name, tables = "database.schema", found.tables
    if found.is_foreign:
        return [problem(name, "it holds tables of another program", "make a database for SkinDesk alone", key=_KEY)]
    if (tables is None or tables.version < found.newest) and not found.server.may_create:
        fix = "make the role the owner of the database, or GRANT CREATE ON SCHEMA"
        return [problem(name, "the role may not create tables", fix, key=_KEY)]
    if tables is None:
        fix = "skindesk migrate brings a desk here, skindesk restore a copy; for a new desk skindesk run --new-database"
        return [problem(name, "it is empty, and a start does not fill it unasked", fix, key=_KEY)]
    if tables.version > found.newest:
        what = f"it was written by a later SkinDesk: schema {tables.version}, this one knows {found.newest}"
        return [problem(name, what, "install that version, or restore an earlier backup")]
    if tables.version < found.newest:
        return [ok(name, f"schema {tables.version} becomes {found.newest} at the next start: make a backup first")]
    return [ok(name, f"schema {tables.version}, the newest")]


def _moved(tables: Tables) -> list[Finding]:
    if tables.moved_to is None:
        return []
    fix = "use that one; or go on with what is here, as after a restore: skindesk restore --after-recovery"
    return [problem("database.identity", printable(f"its desk has moved to {tables.moved_to}"), fix, key=_KEY)]
