"""What a running desk tells of itself: a line for each interaction, figures, and whether it would answer now."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from bot.observability.discord_http import DiscordRequests
from bot.observability.loop_lag import measuring_lag
from bot.observability.tracing import add_provider_seconds
from bot.storage.metrics import SqliteTableMetrics

if TYPE_CHECKING:
    from bot.client import SkinDeskClient
    from bot.domain.failures import Failure, ProviderName
    from bot.observability.metrics import Metrics
    from bot.observability.server import Health
    from bot.observability.tracing import Observer
    from bot.ports import CallObserver, HealthSource
    from bot.storage.database import Database

_log = logging.getLogger(__name__)


class Telemetry:
    """Everything that listens to the parts of the desk. Without ``metrics`` it only writes the log."""

    def __init__(self, metrics: Metrics | None) -> None:
        self.metrics = metrics
        self.requests = DiscordRequests(on_answer=metrics.asked_discord if metrics is not None else None)

    @classmethod
    def new(cls, *, measures: bool) -> Self:
        """Return it with metrics of its own, where somebody is to ask for them."""
        if not measures:
            return cls(None)
        from bot.observability.metrics import Metrics  # noqa: PLC0415 -- prometheus takes memory that few need

        return cls(Metrics())

    @property
    def on_call(self) -> list[CallObserver]:
        """Who is told of each call to a provider."""
        return [_count_wait, *([self.metrics.called] if self.metrics is not None else [])]

    @property
    def on_handled(self) -> list[Observer]:
        """Who is told of each interaction, beside the log."""
        return [self.metrics.handled] if self.metrics is not None else []

    async def serve(
        self,
        stack: AsyncExitStack,
        address: tuple[str, int],
        *,
        client: SkinDeskClient,
        database: Database,
        providers: tuple[HealthSource, ...],
    ) -> None:
        """Serve metrics and health until ``stack`` closes; AddressUnusable where the address cannot be had."""
        if self.metrics is None:
            raise RuntimeError("nothing was measured that could be served")
        from bot.observability.server import listening  # noqa: PLC0415 -- a web server takes memory that few need

        database.on_write = self.metrics.wrote
        watch = DeskWatch(
            client, self.requests, self.metrics, figures=SqliteTableMetrics(database), providers=providers
        )
        await stack.enter_async_context(measuring_lag(self.metrics.lagged))
        await stack.enter_async_context(listening(watch, *address))


class DeskWatch:
    """One running desk, as metrics and health see it."""

    def __init__(
        self,
        client: SkinDeskClient,
        requests: DiscordRequests,
        metrics: Metrics,
        *,
        figures: SqliteTableMetrics,
        providers: tuple[HealthSource, ...],
    ) -> None:
        self._client = client
        self._requests = requests
        self._metrics = metrics
        self._figures = figures
        self._providers = providers

    async def metrics(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return self._metrics.text(
            health=[source.health() for source in self._providers],
            resends=await self._figures.resends_by_state(),
            guilds=len(self._client.guilds),
            connected=self._gateway_lives(),
        )

    async def health(self) -> Health:
        """Return how it is now: the gateway beats, the database answers, Discord took the last answer."""
        from bot.observability.server import Health  # noqa: PLC0415 -- whoever asks has loaded it

        last = self._requests.last_acknowledgement
        gateway, acknowledged = self._gateway_lives(), last is None or last[1]
        database = await self._database_answers()
        faults = [
            *([] if gateway else ["not connected to Discord's gateway"]),
            *([] if database else ["the database cannot be read"]),
            *([] if acknowledged else ["Discord did not take the last answer"]),
        ]
        return Health(gateway=gateway, database=database, acknowledgements=acknowledged, detail="; ".join(faults))

    async def _database_answers(self) -> bool:
        try:
            return await self._figures.answers()
        except Exception as error:  # noqa: BLE001 -- whatever keeps it from answering is the finding
            _log.warning("database not read error=%s", type(error).__name__)
            return False

    def _gateway_lives(self) -> bool:
        return self._client.is_ready() and self._client.is_connected and not self._client.is_closed()


def _count_wait(_provider: ProviderName, _operation: str, *, seconds: float, failure: Failure | None) -> None:
    del failure
    add_provider_seconds(seconds)
