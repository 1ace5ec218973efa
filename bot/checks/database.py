"""Checks the database, even while SkinDesk runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.checks.findings import Channels, DatabaseChecked, Finding, ok, problem
from bot.config_loading import printable
from bot.database_reasons import shown
from bot.storage.errors import DatabaseChanged, DatabaseMoved, DatabaseUnusable
from bot.storage.files import size_of, status_of
from bot.storage.sqlite.lock import lock_of
from bot.storage.sqlite.maintenance.admission import doubt
from bot.storage.sqlite.maintenance.copies import newest_copy
from bot.storage.sqlite.maintenance.inspection import Inspection, inspect_connection, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.domain.audit import ChainReport

_CHANNELS = "SELECT guild_id, approvals_channel_id, audit_channel_id, {first} FROM guilds ORDER BY guild_id"
_FIRST_SINCE = 2
"""The schema that has ``guilds.first_at``."""


def check_database(path: Path) -> DatabaseChecked:
    """Check the file, its schema, grants and audit log without changing anything."""
    real = path.resolve()
    try:
        changed = None if size_of(real) else doubt(real, None)
        if changed is not None:
            return DatabaseChecked((_changed(changed),))
        with reading(path) as (connection, is_running):
            found = inspect_connection(connection, path, is_in_use=is_running)
            sql = _CHANNELS.format(first="first_at IS NOT NULL" if found.version >= _FIRST_SINCE else "0")
            changed = doubt(real, connection)
            rows = [] if found.is_new or found.damage or found.is_too_new else list(connection.execute(sql))
    except DatabaseUnusable as unusable:
        fix = "name another file in database.path"
        if not unusable.is_foreign:
            fix = f"if it is damaged, stop SkinDesk and put a copy back: {_restore(newest_copy(path))}"
        return DatabaseChecked((problem("database", f"cannot be used: {unusable.reason}", fix, key="database.path"),))
    channels = tuple(Channels(guild_id, approvals, audit, bool(first)) for guild_id, approvals, audit, first in rows)
    findings = _findings(found, path)
    if changed is not None:
        findings.append(_changed(changed))
    findings += _owners(real)
    return DatabaseChecked(tuple(findings), is_running, channels)


def check_missing(path: Path) -> DatabaseChecked:
    """Check a database that does not exist: whether there was one before."""
    changed = doubt(path.resolve(), None)
    if changed is None:
        return DatabaseChecked((ok("database", f"none yet: the first start creates it at {shown(path)}"),))
    return DatabaseChecked((_changed(changed),))


def _changed(changed: DatabaseChanged) -> Finding:
    back = f"put a copy back: {_restore(changed.copy)}"
    if isinstance(changed, DatabaseMoved):
        back = "set database.url to its address"
    fix = f"{back}; or go on with what is there: skindesk run --new-database"
    return problem("database.identity", f"{shown(changed.path)} {changed.reason}", fix, key="database.path")


def _owners(real: Path) -> list[Finding]:
    """Find files that root has left beside a database of another user, which SkinDesk may not be able to open."""
    owner = real.parent.stat().st_uid
    files = [real, lock_of(real), *(real.with_name(f"{real.name}{end}") for end in ("-wal", "-shm"))]
    wrong = [each.name for each in files if owner and (status := status_of(each)) and status.st_uid != owner]
    if not wrong:
        return []
    what = f"{', '.join(wrong)} in {shown(real.parent)} belong to another user than that folder"
    fix = "give them to the user that SkinDesk runs as (chown)"
    return [problem("database.owner", printable(what), fix, key="database.path")]


def _restore(copy: Path | None) -> str:
    return f"skindesk restore {'COPY' if copy is None else shown(copy)}"


def _findings(found: Inspection, path: Path) -> list[Finding]:
    state = "SkinDesk is running on it; it was read only" if found.is_in_use else "no SkinDesk is running on it"
    findings = [ok("database", f"{shown(path)}: {state}")]
    if found.is_new:
        return [*findings, ok("database.schema", "empty: the first start fills it")]
    findings += [_schema(found), _integrity(found, path)]
    if found.chain is not None:
        findings += [grants_finding(found.unknown_capabilities), audit_finding(found.chain)]
    return findings


def _schema(found: Inspection) -> Finding:
    name = "database.schema"
    if found.is_too_new:
        what = f"it was written by a later SkinDesk: schema {found.version}, this one knows {found.newest}"
        return problem(name, what, "install that version, or restore an earlier backup")
    if found.version < found.newest:
        return ok(name, f"schema {found.version} becomes {found.newest} at the next start, which keeps a copy first")
    return ok(name, f"schema {found.version}, the newest")


def _integrity(found: Inspection, path: Path) -> Finding:
    name = "database.integrity"
    wrong = [*found.damage, *(f"rows of {table} refer to none" for table in found.orphans)]
    if wrong:
        fix = f"stop SkinDesk and put a copy back, which keeps the damaged file: {_restore(newest_copy(path))}"
        return problem(name, printable(f"damaged: {'; '.join(wrong)}"), fix)
    return ok(name, "sound")


def grants_finding(unknown_capabilities: Sequence[str]) -> Finding:
    """Return the finding about the capabilities in the grants."""
    name = "database.grants"
    if unknown_capabilities:
        what = f"roles hold capabilities that this SkinDesk does not know: {', '.join(unknown_capabilities)}"
        return problem(name, printable(what), "run the version of SkinDesk that wrote them; this one will not start")
    return ok(name, "every capability is known")


def audit_finding(chain: ChainReport) -> Finding:
    """Return the finding about the audit log."""
    name = "database.audit"
    fault = chain.fault
    if fault is None:
        removed = f"; {chain.removed} views were removed after a year" if chain.removed else ""
        return ok(name, f"the audit log is unchanged, {chain.rows} rows{removed}")
    return problem(
        name,
        f"the audit log was changed: row {fault.number} ({fault.what}); {fault.following} rows follow it",
        "find out who could write to the file; compare it with your backups, and keep it unchanged for that",
    )
