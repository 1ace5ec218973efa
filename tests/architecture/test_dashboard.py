"""The dashboard shows existing metrics, and every metric of SkinDesk's own is on it."""

import json
import re
from datetime import timedelta
from typing import Any

from bot.domain.failures import ProviderName
from bot.domain.health import ProviderHealth, ProviderState, Quota
from bot.observability.metrics import Metrics
from bot.observability.tracing import InteractionTrace
from tests.architecture.sources import ROOT

_PARTS = ("_total", "_bucket", "_count", "_sum", "_created")


def served() -> tuple[set[str], set[str]]:
    """Return the names of all series, and of SkinDesk's own metrics."""
    metrics = Metrics()
    trace = InteractionTrace("status", 2, 3)
    trace.acknowledged_after = 0.1
    metrics.handled(trace)
    metrics.called(ProviderName.MANNCO, "resend", seconds=0.1, failure=None)
    metrics.asked_discord("GET", 200)
    metrics.wrote(waited=0.1, took=0.1)
    quota = Quota("resends", 600, timedelta(minutes=1), 600, 120)
    health = ProviderHealth(ProviderName.MANNCO, ProviderState.WORKING, quotas=(quota,))
    text = metrics.text(health=[health], resends={}, guilds=0, connected=True).decode()
    series = set(re.findall(r"(?m)^([a-z_]+)[{ ]", text))
    own = {re.sub(rf"({'|'.join(_PARTS)})$", "", name) for name in series if name.startswith("skindesk_")}
    return series, own


def shown() -> set[str]:
    """Return the series in the dashboard's queries."""
    dashboard: dict[str, Any] = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return {name for query in queries for name in re.findall(r"\b(?:skindesk|process)_[a-z_]+", query)}


def test_metrics_exist() -> None:
    """No panel asks for an unknown series."""
    series, _ = served()

    assert shown() - series == set()


def test_metrics_are_shown() -> None:
    _, own = served()
    names = {re.sub(rf"({'|'.join(_PARTS)})$", "", name) for name in shown()}

    assert own - names == set()
