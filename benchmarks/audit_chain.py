"""Measures the cost of the chained audit log: writing, reading, checking, wiping, removing old views.

``uv run python -m benchmarks.audit_chain --rows 100000`` prints ratios against plain rows written in the same run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import percentile
from bot.domain.audit import VIEWS, VIEWS_KEPT_FOR, AuditAction, AuditEntry, ChainReport, views_removed_before
from bot.services.audit import REMOVED_AT_ONCE
from bot.storage.audit.log import SqlAuditRepository, append
from bot.storage.database import Connection, Job, to_ms
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.inspection import inspect

GUILD, USER, ACCOUNT = 900_000_000_000_000_001, 800_000_000_000_000_000, 76_561_197_960_265_728
PEOPLE = 500
ACTIONS = [action for action in AuditAction if action is not AuditAction.VIEWS_REMOVED]
NOW = datetime(2026, 3, 29, tzinfo=UTC)

PLAIN_TABLE = """
CREATE TABLE plain (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, guild_id INTEGER NOT NULL, at INTEGER NOT NULL, actor_id INTEGER,
    action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
) STRICT
"""
PLAIN = "INSERT INTO plain (guild_id, at, actor_id, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)"


def entry(n: int) -> AuditEntry:
    """Return an entry like most of them: an actor, and two people in the details."""
    who = n * 7919 % PEOPLE
    detail = {"provider": "mannco", "trade": str(n), "owner": str(ACCOUNT + who), "requester": str(USER + who)}
    action = ACTIONS[n % len(ACTIONS)]
    return AuditEntry(GUILD, NOW, USER + n % PEOPLE, action, f"resend:{n // 5}", detail)


def write_plain(n: int, connection: Connection) -> None:
    one = entry(n)
    row = (one.guild_id, to_ms(one.at), one.actor_id, one.action, one.subject, json.dumps(dict(one.detail)))
    connection.execute(PLAIN, row)


def write_chained(n: int, connection: Connection) -> None:
    append(connection, entry(n))


@contextmanager
def measured(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what:<44}{time.perf_counter() - began:>8.2f} s", flush=True)


async def execute(db: SqliteDatabase, sql: str) -> None:
    await db._queue.run(lambda connection: connection.execute(sql).fetchall())  # noqa: SLF001 -- outside a transaction


async def writing(folder: Path, writes: int) -> None:
    """Write the same entries as plain rows and as chained ones, in turns, each in a job of its own."""
    async with SqliteDatabase.open(folder / "writing.db") as db:
        await execute(db, PLAIN_TABLE)
        await execute(db, "CREATE INDEX plain_by_guild ON plain (guild_id, id)")
        for synchronous in ("FULL", "OFF"):
            await execute(db, f"PRAGMA synchronous = {synchronous}")
            kinds: dict[str, tuple[str, Callable[[int, Connection], None]]] = {
                "plain": ("ON", write_plain),
                "chained": ("ON", write_chained),
                "chained, nothing overwritten": ("OFF", write_chained),
            }
            times: dict[str, list[float]] = {kind: [] for kind in kinds}
            for n in range(writes):
                for kind, (overwritten, write) in kinds.items():
                    await execute(db, f"PRAGMA secure_delete = {overwritten}")
                    began = time.perf_counter()
                    await db.write(partial(write, n))
                    times[kind].append(time.perf_counter() - began)
            base = median(times["plain"])
            print(f"one audited write, median of {writes}, synchronous = {synchronous}")
            for kind, all_times in times.items():
                print(f"  {kind:<32}{median(all_times) * 1000:>8.3f} ms {median(all_times) / base:>6.2f} x")


async def reading(path: Path, rows: int) -> None:
    """Write a long audit log, read from it, wipe its file and check it."""

    def filling(first: int) -> Job[None]:
        def job(connection: Connection) -> None:
            for n in range(first, min(first + 1_000, rows)):
                append(connection, entry(n))

        return job

    async with SqliteDatabase.open(path) as db:
        with measured(f"writing {rows} rows"):
            for first in range(0, rows, 1_000):
                await db.write(filling(first))
        audit = SqlAuditRepository(db)
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
        with measured("wiping the file"):
            assert await db.wipe()
    with measured(f"inspecting a file with {rows} rows"):
        assert inspect(path).chain == ChainReport(rows)
    print(f"{Path.stat(path).st_size / 1_000_000:.0f} MB")


def view(n: int) -> AuditEntry:
    """Return an entry of which nine of ten are views of accounts."""
    if n % 10 == 0:
        return entry(n)
    who = n * 7919 % PEOPLE
    detail = {"steam_id": str(ACCOUNT + who), "provider": "mannco"}
    return AuditEntry(GUILD, NOW, USER + n % 20, AuditAction.TRADES_VIEWED, f"user:{USER + who}", detail)


async def used(db: SqliteDatabase) -> str:
    """Return how much of the file is in use."""
    sizes = [(await db.read(f"PRAGMA {name}"))[0][0] for name in ("page_size", "page_count", "freelist_count")]
    return f"{sizes[0] * (sizes[1] - sizes[2]) / 1e6:.1f} MB of {sizes[0] * sizes[1] / 1e6:.1f} MB in use"


async def removing(path: Path, rows: int) -> None:
    """Remove the views of a log of which nine of ten rows are views, while another job writes every 10 ms."""

    def filling(first: int) -> Job[None]:
        return lambda connection: [append(connection, view(n)) for n in range(first, min(first + 1_000, rows))].clear()

    async def write_beside(db: SqliteDatabase, times: list[float]) -> None:
        while True:
            began = time.perf_counter()
            await db.write(partial(write_chained, 10))
            times.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)

    later = NOW + VIEWS_KEPT_FOR + timedelta(days=31)
    async with SqliteDatabase.open(path) as db:
        for first in range(0, rows, 1_000):
            await db.write(filling(first))
        print(f"nine of ten of {rows} rows are views: {await used(db)}")
        with measured("checking the log"):
            assert inspect(path).chain == ChainReport(rows)
        audit = SqlAuditRepository(db)
        beside: list[float] = []
        batches: list[float] = []
        writer = asyncio.create_task(write_beside(db, beside))
        await asyncio.sleep(5)
        alone, removed = len(beside), 1
        while removed:
            began = time.perf_counter()
            removed = await audit.remove_views(before=views_removed_before(later), limit=REMOVED_AT_ONCE, at=later)
            batches.append(time.perf_counter() - began)
            await asyncio.sleep(0.05)
        writer.cancel()
        for what, times in (
            ("one write alone", beside[:alone]),
            ("one write beside the removal", beside[alone:]),
            (f"removing {REMOVED_AT_ONCE} views", batches),
        ):
            figures = [median(times), percentile(times, 0.99), max(times)]
            print(f"{what}: median, p99 and longest {' '.join(f'{each * 1e3:.1f}' for each in figures)} ms")
        print(await used(db))
        with measured("checking the log"):
            chain = inspect(path).chain
        assert chain is not None
        assert chain.fault is None
        assert chain.removed == sum(view(n).action in VIEWS for n in range(rows))


async def measure(folder: Path, *, rows: int, writes: int) -> None:
    await writing(folder, writes)
    await reading(folder / "reading.db", rows)
    await removing(folder / "removing.db", rows)


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
