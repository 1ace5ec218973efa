"""Prometheus metrics of interactions, provider calls, requests to Discord, the database and the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bot.domain.health import ProviderState
from bot.domain.resends import ResendState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.domain.failures import Failure, ProviderName
    from bot.domain.health import ProviderHealth
    from bot.observability.tracing import InteractionTrace

_ANSWERS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Buckets in seconds; Discord wants an acknowledgement within 3, a lookup may take 15."""
_WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_CODES_KEPT = 200
_LAG_INTERVAL = 0.25


class Metrics:
    """The metrics of one running bot, in their own registry."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._codes: set[tuple[str, str]] = set()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"skindesk_{name}", about, labels, registry=registry)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(f"skindesk_{name}", about, labels, registry=registry)

        def seconds(name: str, about: str, *labels: str, buckets: tuple[float, ...] = _ANSWERS) -> Histogram:
            return Histogram(f"skindesk_{name}_seconds", about, labels, buckets=buckets, registry=registry)

        self._interactions = counter("interactions", "Interactions by outcome", "command", "outcome")
        self._acknowledged = seconds("interaction_acknowledged", "Time until Discord took the first answer", "command")
        self._finished = seconds("interaction_finished", "Time until the interaction was finished", "command")
        calls = "Calls to providers by outcome (ok, or the kind of failure) and the provider's own code"
        self._calls = counter("provider_calls", calls, "provider", "operation", "outcome", "code")
        self._call_seconds = seconds("provider_call", "Duration of calls to providers", "provider", "operation")
        self._quota = gauge("provider_quota_left", "Calls left of a documented limit", "provider", "quota")
        states = "1 for the state a provider is in: " + ", ".join(ProviderState)
        self._states = gauge("provider_state", states, "provider", "state")
        self._resends = gauge("resends", "Resend requests by state", "state")
        self._lag = seconds("event_loop_lag", "Delay of the event loop", buckets=_WAITS)
        self._database_wait = seconds("database_wait", "Time that a write waited in the queue", buckets=_WAITS)
        self._database_write = seconds("database_write", "Duration of a write", buckets=_WAITS)
        self._discord = counter(
            "discord_requests", "Requests to Discord by status; 0 without an answer", "method", "status"
        )
        self._ready = gauge("gateway_connected", "1 while Discord's gateway is connected")
        self._guilds = gauge("guilds", "Servers that SkinDesk is on")

    def handled(self, trace: InteractionTrace) -> None:
        """Count an interaction."""
        command = f"{trace.command} suggestions" if trace.is_suggestion else trace.command
        self._interactions.labels(command, trace.outcome.value).inc()
        self._finished.labels(command).observe(trace.finished_after)
        if trace.acknowledged_after is not None:
            self._acknowledged.labels(command).observe(trace.acknowledged_after)

    def called(self, provider: ProviderName, operation: str, *, seconds: float, failure: Failure | None) -> None:
        """Count a call to a provider."""
        outcome = "ok" if failure is None else failure.kind.value
        self._calls.labels(provider.value, operation, outcome, self._code(provider, failure)).inc()
        self._call_seconds.labels(provider.value, operation).observe(seconds)

    async def measure_lag(self) -> None:
        """Measure four times a second by how much the event loop delays a sleep; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_INTERVAL
            await asyncio.sleep(_LAG_INTERVAL)
            self._lag.observe(max(0.0, loop.time() - due))

    def wrote(self, *, waited: float, took: float) -> None:
        """Count a write transaction."""
        self._database_wait.observe(waited)
        self._database_write.observe(took)

    def asked_discord(self, method: str, status: int) -> None:
        """Count a request to Discord."""
        self._discord.labels(method, str(status)).inc()

    def text(
        self, *, health: Iterable[ProviderHealth], resends: Mapping[ResendState, int], guilds: int, connected: bool
    ) -> bytes:
        """Return all metrics in Prometheus' text format; the arguments set the gauges."""
        for each in health:
            for state in ProviderState:
                self._states.labels(each.provider.value, state.value).set(each.state is state)
            for quota in each.quotas:
                self._quota.labels(each.provider.value, quota.what).set(quota.left)
        for resend_state in ResendState:
            self._resends.labels(resend_state.value).set(resends.get(resend_state, 0))
        self._ready.set(connected)
        self._guilds.set(guilds)
        return generate_latest(self._registry)

    def _code(self, provider: ProviderName, failure: Failure | None) -> str:
        """Return the provider's code as a label, or "other" once a provider has used too many."""
        if failure is None or failure.code is None:
            return ""
        code = (provider.value, str(failure.code))
        if code not in self._codes and len(self._codes) >= _CODES_KEPT:
            return "other"
        self._codes.add(code)
        return code[1]
