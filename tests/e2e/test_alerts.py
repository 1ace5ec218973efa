"""The alerts, the dashboard and the documentation name metrics that a running bot has; a real Prometheus agrees."""

import asyncio
import json
import re
import shutil
import sqlite3
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.live_bot import LiveBot
from tests.e2e.test_watching import fetched

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "deploy" / "prometheus-rules.yml"
PANELS: list[dict[str, Any]] = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text("utf-8"))["panels"]
_SERIES = re.compile(r"\b(?:skindesk|process)_[a-z_]+")
_PARTS = re.compile(r"_(?:bucket|count|sum)$")
_EMPTY_IN_HEALTH = {"Provider errors by code", "Faults of the database", "Last backup, age"}


async def test_names(live: LiveBot, unused_tcp_port: int) -> None:
    """Rules and dashboard use no metric that is not there; dashboard and documentation have all of SkinDesk's own."""
    async with live.running(observability__listen=f"127.0.0.1:{unused_tcp_port}"):
        _, text = await fetched(unused_tcp_port, "/metrics")
    found = set(re.findall(r"(?m)^# TYPE (\S+) ", text))
    own = {name for name in found if name.startswith("skindesk_")}
    expressions = re.findall(r"(?s)\n +expr: (.*?)\n +(?:for|labels):", RULES.read_text("utf-8"))
    alerting = {_PARTS.sub("", name) for each in expressions for name in _SERIES.findall(each)}
    shown = {_PARTS.sub("", name) for panel in PANELS for name in _SERIES.findall(json.dumps(panel["targets"]))}
    table = "\n".join(re.findall(r"(?m)^\| (`skindesk_[^|]*) \|", (ROOT / "docs" / "monitoring.md").read_text("utf-8")))

    assert len(expressions) > 10
    assert alerting - found == set()
    assert shown - found == set()
    assert own - shown == set()
    assert set(_SERIES.findall(table)) == own


class Prometheus:
    """Asks a Prometheus that scrapes a bot every second."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self._address = address
        self._session = session

    async def get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"{self._address}/api/v1/{path}", params=parameters) as answer:
            body = await answer.json()
        assert body["status"] == "success", (parameters, body)
        return body["data"]

    async def query(self, expression: str) -> list[dict[str, Any]]:
        for variable, value in (("$__rate_interval", "10s"), ("$job", ".+"), ("$instance", ".+")):
            expression = expression.replace(variable, value)
        result: list[dict[str, Any]] = (await self.get("query", query=expression))["result"]
        return result

    async def firing(self) -> set[str]:
        alerts = (await self.get("alerts"))["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


async def until(condition: Callable[[], Awaitable[bool]], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.2)


@asynccontextmanager
async def prometheus(folder: Path, *, port: int, target: int) -> AsyncIterator[Prometheus]:
    """Run a Prometheus with the rules, and wait until it has scraped the target a few times."""
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "skindesk", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        async with aiohttp.ClientSession() as session:
            asked = Prometheus(f"http://127.0.0.1:{port}", session)

            async def has_scraped() -> bool:
                try:
                    counted = await asked.query('count_over_time(up{job="skindesk"}[1m])')
                except aiohttp.ClientError:
                    return False
                return bool(counted) and float(counted[0]["value"][1]) > 3

            await until(has_scraped)
            yield asked
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus (Debian's package) is not installed")
async def test_prometheus(live: LiveBot, tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> None:
    """Every panel has data in health or says why not, no alert fires, and the first failure fires one."""
    listen, port = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with (
        live.running(observability__listen=f"127.0.0.1:{listen}"),
        prometheus(tmp_path, port=port, target=listen) as asked,
    ):
        await live.use(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
        called = 'skindesk_provider_calls_total{provider="assetpay", operation="inventory", outcome="ok"} > 0'
        await until(lambda: _has_data(asked, called))
        await until(lambda: _has_all(asked))  # a rate needs two samples
        assert await _empty(asked) == _EMPTY_IN_HEALTH
        assert [panel["title"] for panel in PANELS if not panel["fieldConfig"]["defaults"].get("noValue")] == []
        assert await asked.firing() == set()

        with closing(sqlite3.connect(live.database)) as other:
            other.execute("ALTER TABLE links RENAME TO others")
        await live.use(live.customer, "link status")
        await until(lambda: _fires(asked, "SkinDeskInteractionsFailed"))


async def _empty(asked: Prometheus) -> set[str]:
    """Return the panels without data."""
    return {panel["title"] for panel in PANELS if not any([await asked.query(e["expr"]) for e in panel["targets"]])}


async def _has_all(asked: Prometheus) -> bool:
    return await _empty(asked) <= _EMPTY_IN_HEALTH


async def _has_data(asked: Prometheus, expression: str) -> bool:
    return bool(await asked.query(expression))


async def _fires(asked: Prometheus, alert: str) -> bool:
    return alert in await asked.firing()
