"""Metrics: an alert sees the first failure, and what cannot be read costs its own figures only."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.health import DatabaseFault, ProviderHealth, ProviderState
from bot.domain.resends import ResendState
from bot.monitoring import READINGS, Monitor
from bot.observability import readings
from bot.observability.discord_http import DiscordRequests
from bot.observability.metrics import Metrics, ProcessMetrics
from bot.observability.readings import Reading, Readings
from bot.storage.database import to_ms
from bot.storage.metrics import SqlTableMetrics
from bot.storage.only_worker import OnlyWorker
from bot.storage.sqlite import guard
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.record import BackupRecord, note_backup
from bot.storage.sqlite.metrics import SqliteMetrics
from bot.storage_setup import Storage
from bot.system_clock import SystemClock

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def values(text: bytes) -> dict[str, float]:
    """Return the samples by name and labels, as they are written."""
    return {
        each.name + "".join(f" {name}={value}" for name, value in sorted(each.labels.items())): each.value
        for family in text_string_to_metric_families(text.decode())
        for each in family.samples
    }


@asynccontextmanager
async def monitored(folder: Path) -> AsyncIterator[tuple[Monitor, Path]]:
    """Yield the monitor of a bot with its own database, and the database's path."""
    path = folder / "skindesk.db"
    client: Any = SimpleNamespace(
        shards_health=lambda: (),
        guilds=[1],
        interaction_names=lambda: (),
        services=SimpleNamespace(clock=SystemClock()),
    )
    requests = DiscordRequests(on_answer=lambda _method, _status: None)
    async with SqliteDatabase.open(path) as database:
        metrics = Metrics(build={}, readings=READINGS)
        storage = Storage(database, database.guard, OnlyWorker("me"), SqliteMetrics(path))
        yield Monitor(client, requests, metrics, storage), path


def deleted(path: Path) -> None:
    for each in path.parent.glob("skindesk.db*"):
        each.unlink()


def without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE resends")


def damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    path.write_bytes(b"\xff" * size)


@pytest.mark.parametrize(
    ("trouble", "lost", "fault"),
    [
        (deleted, {"database files", "resends"}, "missing"),
        (without_a_table, {"resends"}, None),
        (damaged, {"resends"}, "damaged"),
    ],
)
async def test_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Path], None], lost: set[str], fault: str | None
) -> None:
    """A figure that cannot be read is missing and counted; the others are there, and the database's fault is named."""
    monkeypatch.setattr(guard, "PROBE_EVERY", 0.0)
    parts = {"resends": "skindesk_resends state=unknown", "database files": "skindesk_database_size_bytes"}
    async with monitored(tmp_path) as (monitor, path):
        before = values(await monitor.metrics())
        trouble(path)
        after = values(await monitor.metrics())

    assert all(before[series] >= 0 for series in parts.values())
    assert all(before[f"skindesk_scrape_failures_total reading={reading}"] == 0 for reading in READINGS)
    assert {reading for reading, series in parts.items() if series not in after} == lost
    assert all(after[f"skindesk_scrape_failures_total reading={reading}"] == 1 for reading in lost)
    assert after["skindesk_guilds"] == 1
    assert [before["skindesk_database_usable"], after["skindesk_database_usable"]] == [1, float(fault is None)]
    assert [each for each in DatabaseFault if after[f"skindesk_database_fault fault={each}"]] == (
        [fault] if fault else []
    )


async def test_last_backup(tmp_path: Path) -> None:
    """The time of the last backup is 0 before there is one, so that its age alone can alert."""
    async with monitored(tmp_path) as (monitor, path):
        before = values(await monitor.metrics())
        note_backup(path, BackupRecord(NOW, tmp_path / "copy.db"))
        after = values(await monitor.metrics())

    metric = "skindesk_last_backup_timestamp_seconds"
    assert (before[metric], after[metric]) == (0, NOW.timestamp())


async def test_reading_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that hangs is given up by its scrape, and is not begun a second time before it has ended."""
    monkeypatch.setattr(readings, "_READ_WITHIN", 0.01)
    begun: list[int] = []
    failed: list[str] = []
    may_end = asyncio.Event()

    async def read() -> int:
        begun.append(1)
        await may_end.wait()
        return len(begun)

    reading = Reading("figure", read, failed.append)
    assert [await reading.read() for _ in range(3)] == [None] * 3
    assert (len(begun), failed) == (1, ["figure"] * 3)
    may_end.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await reading.read() == 2


def test_first_failures() -> None:
    """Series whose first event may matter are at 0 before it, and no series says only when it began."""
    metrics = Metrics(build={"version": "1.2.3"}, readings=READINGS)
    health = ProviderHealth(ProviderName.MANNCO, ProviderState.WORKING, operations=frozenset({"resend"}))
    text = metrics.text(Readings(NOW, providers=(health,)), commands=[("resend", True)])
    found = values(text)

    assert found["skindesk_interactions_total command=resend outcome=failed"] == 0
    assert found["skindesk_interactions_total command=resend suggestions outcome=failed"] == 0
    for outcome in ("ok", *FailureKind):
        assert found[f"skindesk_provider_calls_total operation=resend outcome={outcome} provider=mannco"] == 0
    assert found["skindesk_discord_requests_total method=POST status=0"] == 0
    assert found["skindesk_build_info version=1.2.3"] == 1
    assert b"_created" not in text


def test_leader() -> None:
    """Each duty of the process tells whether it leads there."""
    found = values(Metrics(build={}).text(Readings(NOW, duties={"0-3/8": True, "housekeeping": False})))

    assert found["skindesk_leader shards=0-3/8"] == 1
    assert found["skindesk_leader shards=housekeeping"] == 0


def test_start_time_without_the_systems_files(tmp_path: Path) -> None:
    """The start of the process and its memory are known in a service from which systemd hides /proc/stat."""
    (tmp_path / "self").symlink_to("/proc/self")
    registry = CollectorRegistry()
    ProcessMetrics(proc=str(tmp_path), registry=registry)
    visible = CollectorRegistry()
    ProcessMetrics(registry=visible)

    started = registry.get_sample_value("process_start_time_seconds")
    assert started is not None
    assert started == pytest.approx(visible.get_sample_value("process_start_time_seconds"), abs=1)
    assert registry.get_sample_value("process_resident_memory_bytes") is not None


def test_codes_are_bounded() -> None:
    """A provider that sends a new code with every answer does not fill the memory."""
    metrics = Metrics(build={})
    for code in range(1_000):
        failure = Failure(ProviderName.MANNCO, FailureKind.REFUSED, code=code)
        metrics.called(ProviderName.MANNCO, "resend", seconds=0.1, failure=failure)
    found = values(metrics.text(Readings(NOW)))

    assert len([name for name in found if name.startswith("skindesk_provider_errors_total")]) == 201
    assert found["skindesk_provider_errors_total code=other provider=mannco"] == 800
    assert found["skindesk_provider_calls_total operation=resend outcome=refused provider=mannco"] == 1_000


_ROW = """
INSERT INTO resends
    (guild_id, provider, trade_id, owner, requested_by, state, facts, version, requested_at, expires_at, sent_at)
VALUES (1, 'mannco', :trade, 1, 1, :state, '', 1, :now - :asked, :now + :left, :now - :sent)
"""


async def test_waiting_resends(tmp_path: Path) -> None:
    """The oldest request counts: from its call if its outcome is unknown, else by its share of the time it has."""
    rows = [
        {"state": "pending", "asked": 7_200_000, "left": 14_400_000, "sent": None},
        {"state": "pending", "asked": 1_000, "left": 1_000, "sent": None},
        {"state": "unknown", "asked": 9_000_000, "left": 1, "sent": 660_000},
        {"state": "unknown", "asked": 300_000, "left": 1, "sent": None},
        {"state": "sent", "asked": 90_000_000, "left": 1, "sent": 80_000_000},
    ]
    path = tmp_path / "skindesk.db"
    async with SqliteDatabase.open(path) as database:
        tables = SqlTableMetrics(database)
        none = await tables.resends(NOW)
        for trade, row in enumerate(rows):
            fields = {"trade": trade, "now": to_ms(NOW), **row}
            await database.write(partial(_insert, values=fields))
        found = await tables.resends(NOW)

    assert (none.oldest_pending, none.oldest_unknown, none.life_used) == (timedelta(0), timedelta(0), 0)
    assert (found.oldest_pending, found.oldest_unknown) == (timedelta(hours=2), timedelta(minutes=11))
    assert found.life_used == 0.5
    assert found.by_state == {ResendState.PENDING: 2, ResendState.UNKNOWN: 2, ResendState.SENT: 1}


def _insert(connection: sqlite3.Connection, *, values: dict[str, Any]) -> None:
    connection.execute(_ROW, values)
