"""Checks the database, beside a SkinDesk that may be running on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.checks.findings import Channels, DatabaseChecked, Finding, ok, problem
from bot.storage.errors import DatabaseUnusable
from bot.storage.maintenance.inspection import Inspection, inspect_connection, reading

if TYPE_CHECKING:
    from pathlib import Path

_FAULTS_NAMED = 10


def check_database(path: Path) -> DatabaseChecked:
    """Look at everything without changing anything."""
    try:
        with reading(path) as (connection, is_running):
            found = inspect_connection(connection, path, is_in_use=is_running)
            rows = [] if found.is_new or found.damage or found.is_too_new else list(connection.execute(_CHANNELS))
    except DatabaseUnusable as unusable:
        return DatabaseChecked((_unusable(unusable),))
    channels = tuple(Channels(*row) for row in rows)
    return DatabaseChecked(tuple(_findings(found, path)), is_running, channels)


_CHANNELS = "SELECT guild_id, approvals_channel_id, audit_channel_id FROM guilds ORDER BY guild_id"


def _findings(found: Inspection, path: Path) -> list[Finding]:
    where = _shown(path)
    if found.is_in_use:
        findings = [ok("database", f"{where}: SkinDesk is running on it; this was read beside it and changed nothing")]
    else:
        findings = [ok("database", f"{where}: no SkinDesk is running on it")]
    if found.is_new:
        return [*findings, ok("database.schema", "empty: it is filled at the first start")]
    findings += [_schema(found), _integrity(found)]
    if found.damage or found.is_too_new:
        return findings
    if found.unknown_capabilities:
        what = f"roles hold capabilities that this SkinDesk does not know: {', '.join(found.unknown_capabilities)}"
        fix = "run the version of SkinDesk that wrote them; a start refuses to guess what they allow"
        findings.append(problem("database.grants", _printable(what), fix))
    else:
        findings.append(ok("database.grants", "every capability is known"))
    findings.append(_record(found))
    return findings


def _unusable(unusable: DatabaseUnusable) -> Finding:
    fix = "stop SkinDesk and put a backup in its place: skindesk restore"
    if "another program" in unusable.reason:
        fix = "name another file in database.path"
    return problem("database", f"cannot be used: {unusable.reason}", fix, key="database.path")


def _schema(found: Inspection) -> Finding:
    name = "database.schema"
    if found.is_too_new:
        what = f"it was written by a later SkinDesk: schema {found.version}, this one knows {found.newest}"
        return problem(name, what, "install that version, or restore a backup of before")
    if found.version < found.newest:
        what = f"schema {found.version} becomes {found.newest} at the next start, which keeps a copy first"
        return ok(name, what)
    return ok(name, f"schema {found.version}, the newest")


def _integrity(found: Inspection) -> Finding:
    name = "database.integrity"
    wrong = [*found.damage, *(f"rows of {table} refer to none" for table in found.orphans)]
    if wrong:
        fix = "stop SkinDesk, keep a copy of the file, and put a backup in its place: skindesk restore"
        return problem(name, _printable(f"damaged: {'; '.join(wrong)}"), fix)
    return ok(name, "sound")


def _record(found: Inspection) -> Finding:
    name = "database.audit"
    if found.chain is None:
        return ok(name, "not chained yet: that comes with the next start")
    faults = found.chain.faults
    if not faults:
        return ok(name, f"the record is as it was written, {found.chain.rows} rows")
    named = ", ".join(f"row {fault.number} ({fault.what})" for fault in faults[:_FAULTS_NAMED])
    more = f" and {len(faults) - _FAULTS_NAMED} more" if len(faults) > _FAULTS_NAMED else ""
    return problem(
        name,
        f"the record is not as it was written: {named}{more}",
        "find out who could write to the file; compare it with your backups, and keep it as it is for that",
    )


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
