"""A database with data in its tables, and a process that writes to one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.domain.access import Capability, Grant
from bot.domain.links import Link, LinkSource
from bot.domain.resends import ResendState
from bot.storage.database import Database
from bot.storage.grants import SqlGrantRepository
from bot.storage.links import SqlLinkRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, GUILD, NOW, in_state

TRADES = {state: 5000 + number for number, state in enumerate(ResendState)}
"""The trade whose request is in a state."""

CHANGED_LOG = ("DROP TRIGGER audit_is_never_updated", "UPDATE audit SET at = at + 1 WHERE id = 2")
"""Changes a row of the audit log without SkinDesk."""


async def filled(path: Path) -> None:
    """Make a SQLite database with data."""
    async with SqliteDatabase.open(path) as db:
        await fill(db)


async def fill(db: Database) -> None:
    """Store a request in every state, grants and links."""
    grants = SqlGrantRepository(db, now=lambda: NOW)
    await grants.of_guild(GUILD)
    await grants.grant(Grant(GUILD, 77, Capability.APPROVE_RESEND), by=BEN, at=NOW)
    await SqlLinkRepository(db).put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.STAFF, BEN, NOW))
    resends = SqlResendRepository(db, "worker")
    for state, trade_id in TRADES.items():
        resend = await in_state(resends, state, trade_id=trade_id)
        await resends.attach_card(GUILD, resend.id, channel_id=1, message_id=resend.id, version=1)


def states(path: Path) -> dict[int, str]:
    """Return each trade's state."""
    return dict(query(path, "SELECT trade_id, state FROM resends ORDER BY id"))


def query(path: Path, sql: str) -> list[Any]:
    """Return the rows of a closed database."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return list(connection.execute(sql))


def edit(path: Path, *statements: str) -> None:
    """Change a database without SkinDesk."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def names(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


WRITE = """
import asyncio, itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.sqlite.database import SqliteDatabase

async def main():
    async with SqliteDatabase.open(Path(sys.argv[1])) as db:
        audit = SqlAuditRepository(db)
        for n in itertools.count(1):
            entry = AuditEntry(7, datetime.now(UTC), 8, AuditAction.INVENTORY_VIEWED, "user:9", {"n": str(n)})
            await audit.append(entry)
            if n % 50 == 0:
                print(n, flush=True)

asyncio.run(main())
"""
"""Writes one row after another, and prints their number after every fifty."""
