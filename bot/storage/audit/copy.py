"""Copies the record of the first release, which named people by their ids, into the chained one.

Part of migration 0002 and of nothing else.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit import pseudonyms
from bot.storage.audit.chain import BEFORE_THE_FIRST, Columns, Link, add_all, digest_of
from bot.storage.audit.pseudonyms import Person, Pseudonym
from bot.storage.audit.rows import actor_column, detail_column, people_in, subject_column
from bot.storage.columns import from_ms

_AT_ONCE = 1000

_SMALLEST = -(2**63)

_OLD = "SELECT * FROM audit_before WHERE id > :after ORDER BY id LIMIT :limit"

# The last id that the old record gave, although the row may be gone: that it is missing must be seen in the new one.
_GIVEN = "SELECT max(seq) AS seq FROM sqlite_sequence WHERE name IN ('audit', 'audit_before')"


async def copy_audit(connection: aiosqlite.Connection) -> None:
    """Fill ``audit`` from ``audit_before`` and drop that; ValueError where people cannot be told from the rest."""
    names: dict[tuple[int, Person], str] = {}
    last = Link(_SMALLEST, BEFORE_THE_FIRST)
    while rows := list(await connection.execute_fetchall(_OLD, {"after": last.id, "limit": _AT_ONCE})):
        new: list[Pseudonym] = []
        copied: list[tuple[Link, Columns]] = []
        for row in rows:
            entry = _entry(row)
            for somebody in people_in(entry):
                if (row["guild_id"], somebody) not in names:
                    new.append(pseudonyms.introduce(row["guild_id"], somebody))
                    names[row["guild_id"], somebody] = new[-1].pseudonym
            columns = _columns(row, entry, {one: names[row["guild_id"], one] for one in people_in(entry)})
            last = Link(row["id"], digest_of(last.digest, row["id"], columns))
            copied.append((last, columns))
        await pseudonyms.add(connection, new)
        await add_all(connection, copied)
    (given,) = await connection.execute_fetchall(_GIVEN)
    await connection.execute_fetchall("DROP TABLE audit_before")
    await connection.execute_fetchall("DELETE FROM sqlite_sequence WHERE name = 'audit'")
    if given["seq"] is not None:
        await connection.execute_fetchall("INSERT INTO sqlite_sequence (name, seq) VALUES ('audit', :seq)", given)


def _columns(row: sqlite3.Row, entry: AuditEntry, names: Mapping[Person, str]) -> Columns:
    return Columns(
        guild_id=row["guild_id"],
        at=row["at"],
        actor=actor_column(entry, names),
        action=row["action"],
        subject=subject_column(entry.subject, names),
        detail=detail_column(entry.detail, names),
    )


def _entry(row: sqlite3.Row) -> AuditEntry:
    detail = json.loads(row["detail"])
    if not isinstance(detail, dict):
        raise ValueError(f"audit row {row['id']}")  # noqa: TRY004 -- what it says about a file, not about a caller
    action = cast("AuditAction", row["action"])  # a word that is none is copied like any other
    with suppress(ValueError):
        action = AuditAction(row["action"])
    return AuditEntry(row["guild_id"], from_ms(row["at"]), row["actor_id"], action, row["subject"], detail)
