"""The metrics of a running bot's state, read at each scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.domain.health import DatabaseFault, ProviderState
from bot.domain.resends import ResendState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from prometheus_client.core import Metric

    from bot.domain.health import ProviderHealth, ResendBacklog, ShardHealth
    from bot.observability.readings import Readings


class ReadingsCollector(Collector):
    """Writes ``latest``; nothing of earlier readings is kept."""

    def __init__(self) -> None:
        self.latest: Readings | None = None

    def collect(self) -> Iterator[Metric]:
        """Go through the metrics of what was read."""
        if (read := self.latest) is None:
            return
        yield _gauge("guilds", "Servers that SkinDesk is on", [((), read.guilds)])
        yield from _gateway(read.shards, read.at)
        yield from _providers(read.providers)
        yield from _database(read)
        if read.resends is not None:
            yield from _resends(read.resends)
        if read.last_backup is not None:
            about = "When the last backup was written, in seconds since 1970; 0 if there is none"
            yield _gauge("last_backup_timestamp_seconds", about, [((), read.last_backup)])
        about = "1 if this process does the background work of these shards, or the desk's housekeeping"
        yield _gauge("leader", about, [((name,), float(leads)) for name, leads in read.duties.items()], "shards")
        yield _counter("log_records_dropped", "Log records lost because they were not read", read.dropped_records)


def _gateway(shards: Iterable[ShardHealth], at: datetime) -> Iterator[Metric]:
    shards = tuple(shards)
    about = "1 while the shard is connected to Discord's gateway"
    connected = [((str(each.shard),), float(each.connected)) for each in shards]
    yield _gauge("gateway_connected", about, connected, "shard")
    about = "How long the shard has not been connected to Discord's gateway; 0 while it is"
    lasted = [
        ((str(each.shard),), 0.0 if each.connected else max(0.0, (at - each.since).total_seconds())) for each in shards
    ]
    yield _gauge("gateway_disconnected_seconds", about, lasted, "shard")


def _providers(providers: Iterable[ProviderHealth]) -> Iterator[Metric]:
    states, up, left, limits = [], [], [], []
    for each in providers:
        name = each.provider.value
        states += [((name, state.value), float(each.state is state)) for state in ProviderState]
        up.append(((name,), float(each.is_up)))
        left += [((name, quota.what), quota.left) for quota in each.quotas]
        limits += [((name, quota.what), quota.limit) for quota in each.quotas]
    about = "1 for the state that a provider is in: " + ", ".join(ProviderState)
    yield _gauge("provider_state", about, states, "provider", "state")
    about = "0 if the last call that shows it had no answer, or the desk was refused"
    yield _gauge("provider_up", about, up, "provider")
    yield _gauge("provider_quota_left", "Calls left of a documented limit", left, "provider", "quota")
    yield _gauge("provider_quota_limit", "Calls that a documented limit allows", limits, "provider", "quota")


def _database(read: Readings) -> Iterator[Metric]:
    if read.database is not None:
        fault = read.database.fault
        yield _gauge("database_usable", "1 while the database can be read and written", [((), float(fault is None))])
        faults = [((each.value,), float(each is fault)) for each in DatabaseFault]
        yield _gauge("database_fault", "1 for the fault that the database has", faults, "fault")
    if read.write_failures is not None:
        yield _counter("database_write_failures", "Writes that failed because of the database", read.write_failures)
    if read.files is not None:
        yield _gauge("database_size_bytes", "Size of the database", [((), read.files.size)])
        if read.files.log_size is not None:
            yield _gauge("database_wal_bytes", "Size of the log beside the database", [((), read.files.log_size)])
        if read.files.free is not None:
            about = "Space that SkinDesk's user may use on the database's file system"
            yield _gauge("database_free_bytes", about, [((), read.files.free)])


def _resends(backlog: ResendBacklog) -> Iterator[Metric]:
    counts = [((state.value,), backlog.by_state.get(state, 0)) for state in ResendState]
    yield _gauge("resends", "Resend requests by state", counts, "state")
    ages = {ResendState.PENDING: backlog.oldest_pending, ResendState.UNKNOWN: backlog.oldest_unknown}
    about = "How long the oldest resend request in a state has waited; 0 without one"
    waited = [((state.value,), age.total_seconds()) for state, age in ages.items()]
    yield _gauge("resends_oldest_seconds", about, waited, "state")
    about = "Share of its time until expiry that a pending request has used: the largest; 0 without one"
    yield _gauge("resends_life_used_ratio", about, [((), backlog.life_used)])


def _gauge(name: str, about: str, samples: Iterable[tuple[tuple[str, ...], float]], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"skindesk_{name}", about, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"skindesk_{name}", about, value=value)
