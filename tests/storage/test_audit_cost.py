"""Reading and writing a few audit rows costs the same in a log of a hundred thousand."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import SqlAuditRepository, append, remove_views, rows_about
from bot.storage.database import Job
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, LATER, NOW

RARE = AuditEntry(
    GUILD, NOW, ADA, AuditAction.RESEND_DENIED, "guild", {"owner": str(ADAS_ACCOUNT), "requester": str(CLEO)}
)
COMMON = replace(RARE, action=AuditAction.RESEND_APPROVED, subject=f"user:{BEN}", detail={})

# The worst case: all rows are alike, but for the oldest one, which is looked for.
_GROW = """
WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :rows)
INSERT INTO audit (guild_id, at, actor, action, subject, detail, digest)
SELECT guild_id, at, actor, action, subject, detail, digest
FROM counted CROSS JOIN (SELECT * FROM audit WHERE action = :action ORDER BY id LIMIT 1)
"""

FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "user": {"user_id": ADA},
    "user as subject": {"user_id": BEN},
    "action": {"action": RARE.action},
    "subject": {"subject": RARE.subject},
    "person": {"subject": COMMON.subject},
    "user and action": {"user_id": ADA, "action": RARE.action},
    "subject and action": {"subject": COMMON.subject, "action": RARE.action},
    "unknown user": {"user_id": 5},
}


class _Statements:
    """Counts the steps of SQLite's virtual machine."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self.steps = 0
        self._connection.set_progress_handler(self._count, 1)

    def _count(self) -> int:
        self.steps += 1
        return 0

    async def read(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def write(self, job: Job[object]) -> None:
        self._connection.execute("BEGIN")
        job(self._connection)
        self._connection.execute("ROLLBACK")

    def grow(self, rows: int, action: AuditAction = COMMON.action) -> None:
        self._connection.execute(_GROW, {"rows": rows, "action": action})

    def close(self) -> None:
        self._connection.close()


async def _costs(statements: _Statements) -> dict[str, int]:
    """Return the steps of each way to read, and of writing a row."""
    found = {}
    db: Any = statements
    for name, filters in FILTERS.items():
        statements.steps = 0
        await SqlAuditRepository(db).newest(GUILD, limit=5, **filters)
        found[name] = statements.steps
    statements.steps = 0
    await rows_about(statements.read, GUILD, user_id=CLEO, steam_ids=[ADAS_ACCOUNT.value])
    found["rows about a person"] = statements.steps
    statements.steps = 0
    statements.write(lambda connection: append(connection, RARE))
    return found | {"writing": statements.steps}


async def test_hundred_thousand_rows(path: Path) -> None:
    """No read or write costs more with a hundred thousand rows than with a thousand."""
    async with SqliteDatabase.open(path) as db:
        await SqlAuditRepository(db).append(RARE)
        await SqlAuditRepository(db).append(COMMON)
    statements = _Statements(path)
    statements.grow(1_000)
    small = await _costs(statements)
    statements.grow(99_000)
    large = await _costs(statements)
    statements.close()

    assert set(small) == {*FILTERS, "rows about a person", "writing"}
    assert {name: (steps, large[name]) for name, steps in small.items() if large[name] > steps * 1.1} == {}


async def test_removing_views(path: Path) -> None:
    """To remove a view, and the people whom only it names, costs no more in a long log."""
    details = {"steam_id": str(BENS_ACCOUNT)}
    view = AuditEntry(GUILD, NOW, BEN, AuditAction.TRADES_VIEWED, f"steam:{BENS_ACCOUNT}", details)
    async with SqliteDatabase.open(path) as db:
        for entry in (RARE, view):
            await SqlAuditRepository(db).append(entry)
    statements = _Statements(path)
    steps = []
    for rows in (1_000, 29_000):
        statements.grow(rows, RARE.action)
        statements.steps = 0
        statements.write(lambda connection: remove_views(connection, before=LATER, limit=5, at=LATER))
        steps.append(statements.steps)
    statements.close()

    assert steps[0] > 0
    assert steps[1] <= steps[0] * 1.1
