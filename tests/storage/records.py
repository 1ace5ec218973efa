"""Records to damage: entries of every kind, databases of the first release, and hands that bypass SkinDesk."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.domain.audit import AuditAction, AuditEntry, AuditRow
from bot.storage.audit.log import SqliteAuditRepository, verify_file, write_down
from bot.storage.columns import to_ms
from bot.storage.database import Database
from bot.storage.schema import bundled
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW, OTHER_GUILD

SKINDESK = int.from_bytes(b"SkDk")
ODD = "Ünï ★ \ud800 \0 '; DROP TABLE audit; --"

_HINDRANCES = "SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR sql LIKE 'CREATE INDEX %json_extract%'"

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
    """Return entries with every action, subject and kind of detail, in two guilds, by people and by SkinDesk."""
    actions = list(AuditAction)
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
    """Write a record and close its database."""

    async def unit(connection) -> None:
        for entry in entries:
            await write_down(connection, entry)

    async with Database.open(path) as db:
        await db.write(unit)


async def read_back(path: Path, guild_id: int) -> list[AuditRow]:
    """Open the database and return a guild's record, oldest first."""
    async with Database.open(path) as db:
        return list(reversed(await SqliteAuditRepository(db).newest(guild_id, limit=10_000)))


async def faults(path: Path) -> dict[int, str]:
    """Check the record of a closed database and return what is wrong with which row."""
    report = await verify_file(path)
    assert len({fault.number for fault in report.faults}) == len(report.faults)
    return {fault.number: fault.what for fault in report.faults}


@contextmanager
def by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody does who is not SkinDesk and stops neither at triggers nor at malformed JSON."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for kind, name in connection.execute(_HINDRANCES).fetchall():
            connection.execute(f"DROP {kind} {name}")
        yield connection
    finally:
        connection.close()


def first_release(path: Path, entries: Sequence[AuditEntry]) -> None:
    """Make a database as the first release left it, with these entries in its record."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN;\n{bundled()[0].sql}\nCOMMIT;")
    connection.executemany(
        "INSERT INTO audit (guild_id, at, actor_id, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (one.guild_id, to_ms(one.at), one.actor_id, one.action, one.subject, json.dumps(dict(one.detail)))
            for one in entries
        ],
    )
    connection.execute(f"PRAGMA application_id = {SKINDESK}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def as_read(entries: Sequence[AuditEntry], guild_id: int) -> list[AuditRow]:
    """Return how a guild's part of a record of these entries reads, without the digests."""
    return [
        AuditRow(
            number=number,
            at=one.at,
            actor="skindesk" if one.actor_id is None else f"user:{one.actor_id}",
            action=one.action,
            subject=one.subject,
            detail=one.detail,
            digest="",
        )
        for number, one in enumerate(entries, 1)
        if one.guild_id == guild_id
    ]


def without_digests(rows: Sequence[AuditRow]) -> list[AuditRow]:
    return [replace(row, digest="") for row in rows]
