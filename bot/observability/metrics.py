"""Prometheus metrics of interactions, provider calls, requests to Discord, the database and the event loop."""

from __future__ import annotations

import asyncio
import time
from itertools import product
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, disable_created_metrics, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bot.domain.failures import FailureKind
from bot.observability.state_metrics import ReadingsCollector
from bot.observability.tracing import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.domain.failures import Failure, ProviderName
    from bot.observability.readings import Readings
    from bot.observability.tracing import InteractionTrace

_ANSWERS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Buckets in seconds; Discord wants an acknowledgement within 3, a lookup may take 15."""
_WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_CODES_KEPT = 200
_SUGGESTIONS = " suggestions"
_LAG_INTERVAL = 0.25

_OUTCOMES = tuple(each.value for each in Outcome)
_CALL_OUTCOMES = ("ok", *(kind.value for kind in FailureKind))
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_STATUSES = (0, 200, 201, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504)
"""Statuses that Discord is known to send; 0 is no answer."""


class Metrics:
    """The metrics of one running bot, in their own registry.

    A series whose first event may be the one that matters begins at 0: Prometheus sees no increase in a series that
    begins at 1. ``build`` are the versions that run; ``readings`` are the names of what a scrape reads.
    """

    def __init__(self, *, build: Mapping[str, str], readings: Iterable[str] = ()) -> None:
        # Twice as many series, which Prometheus' text format gives no meaning.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._codes: set[tuple[str, str]] = set()
        self._expected: set[tuple[str, ...]] = set()
        self._state = ReadingsCollector()
        for collector in (ProcessMetrics, PlatformCollector, GCCollector):
            collector(registry=registry)
        registry.register(self._state)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"skindesk_{name}", about, labels, registry=registry)

        def seconds(name: str, about: str, *labels: str, buckets: tuple[float, ...] = _ANSWERS) -> Histogram:
            return Histogram(f"skindesk_{name}_seconds", about, labels, buckets=buckets, registry=registry)

        Info("skindesk_build", "The versions that run", registry=registry).info(dict(build))
        self._interactions = counter("interactions", "Interactions by outcome", "command", "outcome")
        self._acknowledged = seconds("interaction_acknowledged", "Time until Discord took the first answer", "command")
        self._finished = seconds("interaction_finished", "Time until the interaction was finished", "command")
        calls = "Calls to providers by outcome: ok, or the kind of failure"
        self._calls = counter("provider_calls", calls, "provider", "operation", "outcome")
        self._errors = counter("provider_errors", "Errors of providers by their own code", "provider", "code")
        self._call_seconds = seconds("provider_call", "Duration of calls to providers", "provider", "operation")
        self._lag = seconds("event_loop_lag", "Delay of the event loop", buckets=_WAITS)
        self._database_wait = seconds("database_wait", "Time that a write waited in the queue", buckets=_WAITS)
        self._database_write = seconds("database_write", "Duration of a write", buckets=_WAITS)
        self._discord = counter(
            "discord_requests", "Requests to Discord by status; 0 without an answer", "method", "status"
        )
        self._unread = counter("scrape_failures", "Figures that could not be read at a scrape", "reading")
        for method, status in product(_METHODS, _STATUSES):
            self._discord.labels(method, str(status))
        for reading in readings:
            self._unread.labels(reading)

    def handled(self, trace: InteractionTrace) -> None:
        """Count an interaction."""
        command = f"{trace.command}{_SUGGESTIONS}" if trace.is_suggestion else trace.command
        self._interactions.labels(command, trace.outcome.value).inc()
        self._finished.labels(command).observe(trace.finished_after)
        if trace.acknowledged_after is not None:
            self._acknowledged.labels(command).observe(trace.acknowledged_after)

    def called(self, provider: ProviderName, operation: str, *, seconds: float, failure: Failure | None) -> None:
        """Count a call to a provider."""
        outcome = "ok" if failure is None else failure.kind.value
        self._calls.labels(provider.value, operation, outcome).inc()
        self._call_seconds.labels(provider.value, operation).observe(seconds)
        if failure is not None and failure.code is not None:
            self._errors.labels(provider.value, self._code(provider, failure.code)).inc()

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

    def not_read(self, reading: str) -> None:
        """Count a figure that could not be read."""
        self._unread.labels(reading).inc()

    def text(self, readings: Readings, *, commands: Iterable[tuple[str, bool]] = ()) -> bytes:
        """Return all metrics in Prometheus' text format.

        ``commands`` are the names of interactions that may come, and whether Discord asks for suggestions to them.
        """
        for name, suggests in commands:
            for each in (name, f"{name}{_SUGGESTIONS}") if suggests else (name,):
                self._expect(self._interactions, _OUTCOMES, each)
        for provider in readings.providers:
            for operation in provider.operations:
                self._expect(self._calls, _CALL_OUTCOMES, provider.provider.value, operation)
        self._state.latest = readings
        return generate_latest(self._registry)

    def _expect(self, counter: Counter, outcomes: Iterable[str], *labels: str) -> None:
        """Begin the series of a command, or of a provider and operation, at 0."""
        if labels not in self._expected:
            self._expected.add(labels)
            for outcome in outcomes:
                counter.labels(*labels, outcome)

    def _code(self, provider: ProviderName, number: int) -> str:
        """Return the provider's code as a label, or "other" once a provider has used too many."""
        code = (provider.value, str(number))
        if code not in self._codes and len(self._codes) >= _CODES_KEPT:
            return "other"
        self._codes.add(code)
        return code[1]


class ProcessMetrics(ProcessCollector):
    """Memory, CPU time, open files and start time of this process.

    The time of the last boot is in a file that systemd hides from the service (ProcSubset=pid), so it is computed.
    """

    def _boot_time(self) -> float:
        if not hasattr(time, "CLOCK_BOOTTIME"):  # not Linux: there are no such metrics
            raise OSError
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
