"""Measures what the chain over the record costs: writing, reading, checking, migrating, wiping.

``uv run python -m benchmarks.audit_chain --rows 100000`` prints ratios against plain rows written in the same run.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry
from bot.storage.audit.log import SqliteAuditRepository, verify_file, write_down
from bot.storage.columns import to_ms
from bot.storage.database import Database
from bot.storage.schema import bundled

GUILD, USER, ACCOUNT = 900_000_000_000_000_001, 800_000_000_000_000_000, 76_561_197_960_265_728
PEOPLE = 500
NOW = datetime(2026, 3, 29, tzinfo=UTC)

PLAIN_TABLE = """
CREATE TABLE plain (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, guild_id INTEGER NOT NULL, at INTEGER NOT NULL, actor_id INTEGER,
    action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
) STRICT
"""
PLAIN = "INSERT INTO {} (guild_id, at, actor_id, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)"

Unit = Callable[[aiosqlite.Connection], Awaitable[None]]


def entry(n: int) -> AuditEntry:
    """Return an entry as resends make most of them: an actor, and two people in the details."""
    who = n * 7919 % PEOPLE
    detail = {"provider": "mannco", "trade": str(n), "owner": str(ACCOUNT + who), "requester": str(USER + who)}
    action = list(AuditAction)[n % len(AuditAction)]
    return AuditEntry(GUILD, NOW, USER + n % PEOPLE, action, f"resend:{n // 5}", detail)


def plain_row(one: AuditEntry) -> tuple[object, ...]:
    return (one.guild_id, to_ms(one.at), one.actor_id, one.action, one.subject, json.dumps(dict(one.detail)))


@contextmanager
def measured(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what:<44}{time.perf_counter() - began:>8.2f} s", flush=True)


async def pragma(db: Database, sql: str) -> None:
    async with db._units.turn:  # noqa: SLF001 -- a setting for the measurement only
        await db._writer.execute_fetchall(sql)  # noqa: SLF001 -- same


async def writing(folder: Path, writes: int) -> None:
    """Write the same entries as plain rows and as chained ones, in turns, each in a unit of its own."""
    async with Database.open(folder / "writing.db") as db:
        await pragma(db, PLAIN_TABLE)
        await pragma(db, "CREATE INDEX plain_by_guild ON plain (guild_id, id)")

        def plain(n: int) -> Unit:
            async def unit(connection: aiosqlite.Connection) -> None:
                await connection.execute_fetchall(PLAIN.format("plain"), plain_row(entry(n)))

            return unit

        def chained(n: int) -> Unit:
            return lambda connection: write_down(connection, entry(n))

        for synchronous in ("FULL", "OFF"):
            await pragma(db, f"PRAGMA synchronous = {synchronous}")
            kinds: dict[str, tuple[str, Callable[[int], Unit]]] = {
                "plain": ("ON", plain),
                "chained": ("ON", chained),
                "chained, nothing overwritten": ("OFF", chained),
            }
            times: dict[str, list[float]] = {kind: [] for kind in kinds}
            for n in range(writes):
                for kind, (overwritten, unit) in kinds.items():
                    await pragma(db, f"PRAGMA secure_delete = {overwritten}")
                    began = time.perf_counter()
                    await db.write(unit(n))
                    times[kind].append(time.perf_counter() - began)
            base = median(times["plain"])
            print(f"one audited write, median of {writes}, synchronous = {synchronous}")
            for kind, all_times in times.items():
                print(f"  {kind:<32}{median(all_times) * 1000:>8.3f} ms {median(all_times) / base:>6.2f} x")


async def reading(path: Path, rows: int) -> None:
    """Check a long record, read from it, and wipe its file."""
    async with Database.open(path) as db:
        audit = SqliteAuditRepository(db)
        filters: dict[str, dict[str, Any]] = {
            "newest 25": {},
            "newest 25 of a user": {"user_id": USER},
            "newest 25 of a user and an action": {"user_id": USER, "action": AuditAction.RESEND_DENIED},
            "newest 25 of a resend": {"subject": "resend:1"},
        }
        for what, filtered in filters.items():
            times = []
            for _ in range(50):
                began = time.perf_counter()
                await audit.newest(GUILD, limit=25, **filtered)
                times.append(time.perf_counter() - began)
            print(f"{what:<44}{median(times) * 1000:>8.2f} ms")
        with measured(f"check of {rows} rows beside the bot"):
            report = await audit.verify()
        assert (report.rows, report.faults) == (rows, ())
        with measured("wiping the file"):
            assert await db.wipe()
    with measured(f"check of {rows} rows in a closed file"):
        assert await verify_file(path) == report
    print(f"{Path.stat(path).st_size / 1_000_000:.0f} MB")


def first_release(path: Path, rows: int) -> None:
    """Make a database as the first release left it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"BEGIN;{bundled()[0].sql}")
    connection.executemany(PLAIN.format("audit"), (plain_row(entry(n)) for n in range(rows)))
    application = int.from_bytes(b"SkDk")
    for end in (f"PRAGMA application_id = {application}", "PRAGMA user_version = 1", "COMMIT"):
        connection.execute(end)
    connection.close()


async def measure(folder: Path, *, rows: int, writes: int) -> None:
    await writing(folder, writes)
    path = folder / "reading.db"
    first_release(path, rows)
    with measured(f"migrating {rows} rows of the first release"):
        async with Database.open(path):
            pass
    await reading(path, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--writes", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), rows=options.rows, writes=options.writes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
