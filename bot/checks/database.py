"""Checks the database, even while SkinDesk runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.checks.findings import Channels, DatabaseChecked, Finding, ok, problem
from bot.config_loading import printable
from bot.storage.errors import DatabaseUnusable
from bot.storage.maintenance.inspection import Inspection, inspect_connection, reading

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.audit import ChainReport

_CHANNELS = "SELECT guild_id, approvals_channel_id, audit_channel_id, {first} FROM guilds ORDER BY guild_id"
_FIRST_SINCE = 2
"""The schema that has ``guilds.first_at``."""


def check_database(path: Path) -> DatabaseChecked:
    """Check the file, its schema, grants and audit log without changing anything."""
    try:
        with reading(path) as (connection, is_running):
            found = inspect_connection(connection, path, is_in_use=is_running)
            sql = _CHANNELS.format(first="first_at IS NOT NULL" if found.version >= _FIRST_SINCE else "0")
            rows = [] if found.is_new or found.damage or found.is_too_new else list(connection.execute(sql))
    except DatabaseUnusable as unusable:
        fix = "stop SkinDesk and restore a backup: skindesk restore"
        if "another program" in unusable.reason:
            fix = "name another file in database.path"
        return DatabaseChecked((problem("database", f"cannot be used: {unusable.reason}", fix, key="database.path"),))
    channels = tuple(Channels(guild_id, approvals, audit, bool(first)) for guild_id, approvals, audit, first in rows)
    return DatabaseChecked(tuple(_findings(found, path)), is_running, channels)


def _findings(found: Inspection, path: Path) -> list[Finding]:
    state = "SkinDesk is running on it; it was read only" if found.is_in_use else "no SkinDesk is running on it"
    findings = [ok("database", f"{ascii(str(path))[1:-1]}: {state}")]
    if found.is_new:
        return [*findings, ok("database.schema", "empty: the first start fills it")]
    findings += [_schema(found), _integrity(found)]
    if found.chain is not None:
        findings += [_grants(found), _audit(found.chain)]
    return findings


def _schema(found: Inspection) -> Finding:
    name = "database.schema"
    if found.is_too_new:
        what = f"it was written by a later SkinDesk: schema {found.version}, this one knows {found.newest}"
        return problem(name, what, "install that version, or restore an earlier backup")
    if found.version < found.newest:
        return ok(name, f"schema {found.version} becomes {found.newest} at the next start, which keeps a copy first")
    return ok(name, f"schema {found.version}, the newest")


def _integrity(found: Inspection) -> Finding:
    name = "database.integrity"
    wrong = [*found.damage, *(f"rows of {table} refer to none" for table in found.orphans)]
    if wrong:
        fix = "stop SkinDesk, keep a copy of the file, and restore a backup: skindesk restore"
        return problem(name, printable(f"damaged: {'; '.join(wrong)}"), fix)
    return ok(name, "sound")


def _grants(found: Inspection) -> Finding:
    name = "database.grants"
    if found.unknown_capabilities:
        what = f"roles hold capabilities that this SkinDesk does not know: {', '.join(found.unknown_capabilities)}"
        return problem(name, printable(what), "run the version of SkinDesk that wrote them; this one will not start")
    return ok(name, "every capability is known")


def _audit(chain: ChainReport) -> Finding:
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
