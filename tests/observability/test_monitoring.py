"""Health: each part that could keep an interaction from being answered is reported by itself."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.health import ShardHealth
from bot.monitoring import Monitor
from bot.observability.discord_http import DiscordRequests
from bot.observability.metrics import Metrics
from bot.observability.server import Health
from bot.storage.only_worker import OnlyWorker
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.metrics import SqliteMetrics
from bot.storage_setup import Storage
from bot.system_clock import SystemClock

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


async def health_of(folder: Path, *, taken: bool | None = None, is_deleted: bool = False, **state: bool) -> Health:
    """Return the health of a bot with a client in this state, whose last answer Discord has taken or not."""
    shards = [ShardHealth(shard, connected=state.get("connected", True) or shard == 0, since=SINCE) for shard in (0, 1)]
    services = SimpleNamespace(clock=SystemClock())
    client: Any = SimpleNamespace(shards_health=lambda: tuple(shards), guilds=[], services=services)
    requests = DiscordRequests(on_answer=lambda _method, _status: None)
    if taken is not None:
        requests.last_acknowledgement = (SINCE, taken)
    path = folder / "skindesk.db"
    async with SqliteDatabase.open(path) as database:
        storage = Storage(database, database.guard, OnlyWorker("me"), SqliteMetrics(path))
        monitor = Monitor(client, requests, Metrics(build={}), storage)
        if is_deleted:
            path.unlink()
        return await monitor.health()


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        ({}, (True, True, True)),
        ({"taken": True}, (True, True, True)),
        ({"taken": False}, (True, True, False)),
        ({"connected": False}, (False, True, True)),
        ({"is_deleted": True}, (True, False, True)),
    ],
)
async def test_parts(tmp_path: Path, state: dict[str, bool], parts: tuple[bool, ...]) -> None:
    """Readiness needs all parts, and faults are explained."""
    health = await health_of(tmp_path, **state)

    assert (health.gateway, health.database, health.acknowledgements) == parts
    assert health.is_ready is all(parts)
    assert bool(health.detail) is not all(parts)
    assert ("shard 1 is not connected to Discord since 2026-01-01 00:00:00Z" in health.detail) is not health.gateway
    assert "shard 0" not in health.detail
    assert health.database_fault == (None if health.database else "missing")
