"""What a record of a hundred thousand rows costs: reading and writing a few rows does not notice."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditEntry
from bot.storage.audit.log import SqliteAuditRepository, concerning, write_down
from bot.storage.database import Database
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, GUILD, NOW

RARE = AuditEntry(
    GUILD, NOW, ADA, AuditAction.RESEND_DENIED, "guild", {"owner": str(ADAS_ACCOUNT), "requester": str(BEN)}
)
COMMON = replace(RARE, action=AuditAction.RESEND_APPROVED, subject=f"user:{BEN}", detail={})

# The worst there is: the same people do the same over and over, and what is asked for was long ago.
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
    "nobody": {"user_id": 5},
}


class _Statements:
    """Counts the steps of SQLite's machine for what a repository reads and writes."""

    def __init__(self, path: Path) -> None:
        self._connection = self._conn = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self.steps = 0
        self._connection.set_progress_handler(self._count, 1)

    def _count(self) -> int:
        self.steps += 1
        return 0

    async def read(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, parameters).fetchall()

    async def execute_fetchall(self, sql: str, parameters: Any = ()) -> Iterable[sqlite3.Row]:
        return await self.read(sql, parameters)

    async def _execute(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    async def write(self, unit: Callable[[Any], Any]) -> None:
        self._connection.execute("BEGIN")
        await unit(self)
        self._connection.execute("ROLLBACK")

    def grow(self, rows: int) -> None:
        self._connection.execute(_GROW, {"rows": rows, "action": COMMON.action})

    def close(self) -> None:
        self._connection.close()


async def _costs(statements: _Statements) -> dict[str, int]:
    """Return the steps that each way to read, and writing a row, takes."""
    found = {}
    db: Any = statements
    for name, filters in FILTERS.items():
        statements.steps = 0
        await SqliteAuditRepository(db).newest(GUILD, limit=5, **filters)
        found[name] = statements.steps
    statements.steps = 0
    await concerning(db, GUILD, user_id=77, steam_ids=[ADAS_ACCOUNT.value])
    found["concerning"] = statements.steps
    statements.steps = 0
    await statements.write(lambda connection: write_down(connection, RARE))
    return found | {"writing": statements.steps}


async def test_hundred_thousand_rows(path: Path) -> None:
    """Nothing costs more with a hundred thousand rows than with a thousand, be it read or written."""
    async with Database.open(path) as db:
        await SqliteAuditRepository(db).append(RARE)
        await SqliteAuditRepository(db).append(COMMON)
    statements = _Statements(path)
    statements.grow(1_000)
    small = await _costs(statements)
    statements.grow(99_000)
    large = await _costs(statements)
    statements.close()

    assert set(small) == {*FILTERS, "concerning", "writing"}
    assert {name: (steps, large[name]) for name, steps in small.items() if large[name] > steps * 1.1} == {}


@pytest.mark.parametrize("key", PERSONAL_DETAILS)
async def test_index_of_each_personal_detail(db: Database, key: str) -> None:
    """Somebody who is named in the details is found by an index of that detail."""
    sql = f"EXPLAIN QUERY PLAN SELECT id FROM audit WHERE json_extract(detail, '$.{key}') = :pseudonym"  # noqa: S608 -- ours
    (plan,) = await db.read(sql, {"pseudonym": "0"})

    assert f"audit_by_{key}" in plan["detail"]
