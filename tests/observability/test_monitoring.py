"""What a desk tells of its health: which part of it would keep an interaction from being answered."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.monitoring import DeskWatch
from bot.observability.discord_http import DiscordRequests
from bot.observability.metrics import Metrics
from bot.storage.database import Database
from bot.storage.metrics import SqliteTableMetrics


def client(*, ready: bool = True, connected: bool = True, closed: bool = False) -> Any:
    """Return as much of a client as counts here."""
    return SimpleNamespace(
        is_ready=lambda: ready, is_connected=connected, is_closed=lambda: closed, guilds=[object(), object()]
    )


def requests(*, taken: bool | None = None) -> DiscordRequests:
    heard = DiscordRequests()
    if taken is not None:
        heard.last_acknowledgement = (datetime(2026, 1, 1, tzinfo=UTC), taken)
    return heard


@pytest.mark.parametrize(
    ("state", "taken", "parts"),
    [
        ({}, None, (True, True, True)),
        ({}, True, (True, True, True)),
        ({}, False, (True, True, False)),
        ({"connected": False}, True, (False, True, True)),
        ({"ready": False}, True, (False, True, True)),
        ({"closed": True}, True, (False, True, True)),
    ],
)
async def test_parts(tmp_path: Path, state: dict[str, bool], taken: bool | None, parts: tuple[bool, ...]) -> None:  # noqa: FBT001 -- a column
    """Each part is told by itself, and readiness needs all of them."""
    async with Database.open(tmp_path / "desk.db") as database:
        watch = DeskWatch(
            client(**state), requests(taken=taken), Metrics(), figures=SqliteTableMetrics(database), providers=()
        )
        health = await watch.health()

    assert (health.gateway, health.database, health.acknowledgements) == parts
    assert health.is_ready is all(parts)
    assert bool(health.detail) is not all(parts)


async def test_database_gone(tmp_path: Path) -> None:
    """A database that cannot be read is a finding, not an exception."""
    async with Database.open(tmp_path / "desk.db") as database:
        watch = DeskWatch(client(), requests(), Metrics(), figures=SqliteTableMetrics(database), providers=())
    health = await watch.health()

    assert (health.gateway, health.database) == (True, False)
    assert not health.is_ready


async def test_codes_are_bounded() -> None:
    """A provider that makes up a new code for every answer does not fill the memory of whoever counts."""
    metrics = Metrics()
    for code in range(1_000):
        failure = Failure(ProviderName.MANNCO, FailureKind.REFUSED, code=code)
        metrics.called(ProviderName.MANNCO, "resend", seconds=0.1, failure=failure)
    lines = metrics.text(health=[], resends={}, guilds=0, connected=False).decode().splitlines()

    assert len([line for line in lines if line.startswith("skindesk_provider_calls_total{")]) == 201
    assert any('code="other"' in line and line.endswith(" 800.0") for line in lines)
