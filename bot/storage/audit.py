"""Keeps the append-only record.

A row's subject is ``user:<Discord id>``, ``role:<id>``, ``resend:<id>`` or ``guild``. Details are short facts, by
name, as text; what people typed is not among them, because nothing can ever be removed from here.
"""

import json
import sqlite3
from collections.abc import Sequence

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry, AuditRow, ChainReport
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database

_INSERT = """
INSERT INTO audit (guild_id, at, actor_id, action, subject, detail)
VALUES (:guild_id, :at, :actor_id, :action, :subject, :detail)
"""

_NEWEST = """
SELECT * FROM audit
WHERE guild_id = :guild_id
  AND (:user_id IS NULL OR actor_id = :user_id OR subject = :user_subject)
  AND (:subject IS NULL OR subject = :subject)
  AND (:action IS NULL OR action = :action)
ORDER BY id DESC
LIMIT :limit
"""


async def write_down(connection: aiosqlite.Connection, entry: AuditEntry) -> None:
    """Add an entry to the unit that does what it tells of."""
    row = {
        "guild_id": entry.guild_id,
        "at": to_ms(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action.value,
        "subject": entry.subject,
        "detail": json.dumps(dict(entry.detail)),
    }
    await connection.execute_fetchall(_INSERT, row)


class SqliteAuditRepository:
    """The record in its own table, whose triggers refuse every change."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def append(self, entry: AuditEntry) -> None:
        """Write down an entry that belongs to no other change."""

        async def unit(connection: aiosqlite.Connection) -> None:
            await write_down(connection, entry)

        await self._db.write(unit)

    async def newest(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow]:
        """Return the rows that match, newest first: those written down last, whatever their clock said."""
        wanted = {
            "guild_id": guild_id,
            "user_id": user_id,
            "user_subject": f"user:{user_id}",
            "action": None if action is None else action.value,
            "subject": subject,
            "limit": max(limit, 0),
        }
        return [_row(row) for row in await self._db.read(_NEWEST, wanted)]

    async def verify(self) -> ChainReport:
        """Read the whole record."""
        (row,) = await self._db.read("SELECT count(*) AS rows FROM audit")
        return ChainReport(row["rows"])


def _row(row: sqlite3.Row) -> AuditRow:
    return AuditRow(
        number=row["id"],
        at=from_ms(row["at"]),
        actor="skindesk" if row["actor_id"] is None else f"user:{row['actor_id']}",
        action=AuditAction(row["action"]),
        subject=row["subject"],
        detail=json.loads(row["detail"]),
        digest="",
    )
