"""Wires logs, metrics and health checks to a running bot."""

from __future__ import annotations

import asyncio
import platform
import sqlite3
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from bot.observability.discord_http import DiscordRequests
from bot.observability.logs import dropped_records
from bot.observability.readings import Reading, Readings
from bot.observability.tracing import add_provider_seconds
from bot.shards import disconnections
from bot.storage.metrics import SqlTableMetrics
from bot.version import version

if TYPE_CHECKING:
    from bot.client import SkinDeskClient
    from bot.observability.metrics import Metrics
    from bot.observability.server import Health
    from bot.observability.tracing import Observer
    from bot.ports import CallObserver, HealthSource
    from bot.storage_setup import Storage

READINGS = ("database", "database files", "resends", "last backup")
"""What a scrape reads that may fail."""


class Telemetry:
    """The observers of provider calls, interactions and requests to Discord. Without ``metrics`` they only log."""

    def __init__(self, metrics: Metrics | None) -> None:
        self._metrics = metrics
        self.on_call: list[CallObserver] = [add_provider_seconds]
        self.on_handled: list[Observer] = []
        self.requests = DiscordRequests(on_answer=metrics.asked_discord if metrics is not None else None)
        if metrics is not None:
            self.on_call.append(metrics.called)
            self.on_handled.append(metrics.handled)

    @classmethod
    def new(cls, *, measures: bool) -> Self:
        """Return telemetry, with metrics if they will be served."""
        if not measures:
            return cls(None)
        from bot.observability.metrics import Metrics  # noqa: PLC0415 -- prometheus_client takes memory

        build = {"version": version(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
        return cls(Metrics(build=build, readings=READINGS))

    async def serve(
        self,
        stack: AsyncExitStack,
        address: tuple[str, int],
        *,
        client: SkinDeskClient,
        storage: Storage,
        providers: tuple[HealthSource, ...],
    ) -> None:
        """Serve metrics and health until ``stack`` closes. Raise AddressUnusable if it cannot listen."""
        if self._metrics is None:
            raise RuntimeError("no metrics to serve")
        from bot.observability.server import listening  # noqa: PLC0415 -- a web server takes memory

        storage.database.observe_writes(self._metrics.wrote)
        monitor = Monitor(client, self.requests, self._metrics, storage, providers)
        lag = asyncio.create_task(self._metrics.measure_lag(), name="event loop lag")
        stack.callback(lag.cancel)
        await stack.enter_async_context(listening(monitor.metrics, monitor.health, *address))


class Monitor:
    """Answers requests for metrics and health from the state of a running bot."""

    def __init__(
        self,
        client: SkinDeskClient,
        requests: DiscordRequests,
        metrics: Metrics,
        storage: Storage,
        providers: tuple[HealthSource, ...] = (),
    ) -> None:
        self._client = client
        self._clock = client.services.clock
        self._requests = requests
        self._metrics = metrics
        self._guard = storage.guard
        self._workers = storage.workers
        self._providers = providers
        tables = SqlTableMetrics(storage.database)
        self._database = Reading("database", storage.guard.check, metrics.not_read)
        self._resends = Reading("resends", lambda: tables.resends(self._clock.now()), metrics.not_read)
        self._files = Reading("database files", storage.metrics.files, metrics.not_read)
        self._backup = Reading("last backup", storage.metrics.last_backup, metrics.not_read)

    async def metrics(self) -> bytes:
        """Return all metrics in Prometheus' text format, without those that cannot be read now."""
        database = await self._database.read()  # first: it says whether the others may be read
        resends, files, backup = await asyncio.gather(self._resends.read(), self._files.read(), self._backup.read())
        readings = Readings(
            at=self._clock.now(),
            guilds=len(self._client.guilds),
            shards=self._client.shards_health(),
            providers=tuple([await source.health() for source in self._providers]),
            database=database,
            write_failures=self._guard.write_failures,
            files=files,
            resends=resends,
            last_backup=backup,
            duties=self._workers.duties,
            dropped_records=dropped_records(),
        )
        return self._metrics.text(readings, commands=self._client.interaction_names())

    async def health(self) -> Health:
        """Return whether the gateway is connected, the database works and Discord accepted the last answer."""
        from bot.observability.server import Health  # noqa: PLC0415 -- loaded by the server that asks

        last = self._requests.last_acknowledgement
        acknowledged = last is None or last[1]
        shards = self._client.shards_health()
        fault = (await self._guard.check()).fault
        faults = [
            *disconnections(shards),
            *([] if fault is None else [f"the database cannot be used: {fault.value}"]),
            *([] if acknowledged else ["Discord did not take the last answer"]),
        ]
        return Health(
            gateway=all(each.connected for each in shards),
            database=fault is None,
            acknowledgements=acknowledged,
            database_fault=fault and fault.value,
            shards=len(shards),
            shards_down=tuple(each.shard for each in shards if not each.connected),
            detail="; ".join(faults),
        )
