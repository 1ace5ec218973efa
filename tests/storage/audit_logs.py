"""Audit logs to damage: entries of every kind, and changes that bypass SkinDesk."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import append
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.inspection import inspect
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW, OTHER_GUILD

ODD = "Ünï ★ \ud800 \0 '; DROP TABLE audit; --"

_OBSTACLES = "SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR sql LIKE 'CREATE INDEX %json_extract%'"

_PEOPLE = (ADA, BEN, CLEO)
_SUBJECTS = (f"user:{ADA}", f"user:{BEN}", f"steam:{ADAS_ACCOUNT}", "role:31", "resend:7", "guild")
_DETAILS: tuple[dict[str, str], ...] = (
    {},
    {"steam_id": str(ADAS_ACCOUNT), "source": "staff", "instead_of": str(BENS_ACCOUNT)},
    {"owner": str(BENS_ACCOUNT), "requester": str(CLEO), "provider": "mannco", "trade": "4812"},
    {"capability": "resend.approve"},
    {"odd": ODD},
)


def varied(count: int = 60) -> list[AuditEntry]:
    """Return entries with every other action, subject and kind of detail, in two guilds, by people and by SkinDesk."""
    actions = [action for action in AuditAction if action is not AuditAction.VIEWS_REMOVED]
    return [
        AuditEntry(
            guild_id=(GUILD, OTHER_GUILD)[n % 7 == 3],
            at=NOW + timedelta(milliseconds=137 * n),
            actor_id=None if n % 5 == 4 else _PEOPLE[n % 3],
            action=actions[n % len(actions)],
            subject=_SUBJECTS[n % len(_SUBJECTS)],
            detail=_DETAILS[n % len(_DETAILS)],
        )
        for n in range(count)
    ]


async def written(path: Path, entries: Sequence[AuditEntry]) -> None:
    """Write an audit log and close its database."""

    def job(connection: sqlite3.Connection) -> None:
        for entry in entries:
            append(connection, entry)

    async with SqliteDatabase.open(path) as db:
        await db.write(job)


def fault_of(path: Path) -> tuple[int, str] | None:
    """Return the first fault in the audit log of a file."""
    chain = inspect(path).chain
    assert chain is not None
    return None if chain.fault is None else (chain.fault.number, chain.fault.what)


@contextmanager
def by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file without SkinDesk, and without triggers and indexes that refuse changes."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for kind, name in connection.execute(_OBSTACLES).fetchall():
            connection.execute(f"DROP {kind} {name}")
        yield connection
    finally:
        connection.close()
