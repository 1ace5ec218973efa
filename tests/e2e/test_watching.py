"""Log, metrics and health of a running bot; commands at its start; reload of its configuration."""

import asyncio
import json
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.exit_codes import ExitCode
from tests.e2e.live_bot import LiveBot
from tests.support.bot_process import RUN, BotProcess

Sample = tuple[str, frozenset[tuple[str, str]]]


async def fetched(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def metrics(port: int) -> dict[Sample, float]:
    status, text = await fetched(port, "/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return f"skindesk_{name}", frozenset(labels.items())


def handled(bot: BotProcess, command: str) -> list[Mapping[str, Any]]:
    """Return the lines of a command's interactions from a JSON log."""
    entries = [json.loads(line) for line in bot.stderr_lines if line.startswith("{")]
    return [each for each in entries if each["message"] == "interaction handled" and each["command"] == command]


async def test_interactions(live: LiveBot, unused_tcp_port: int) -> None:
    """Each interaction is counted, and is one line with the reference that its user saw."""
    listen = f"127.0.0.1:{unused_tcp_port}"
    async with live.running(observability__listen=listen, observability__log_format="json") as bot:
        await bot.wait_line("ready guilds=")
        before = await metrics(unused_tcp_port)
        await live.use(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
        await live.use(live.agent, "trades", member=live.customer)
        refused = await live.use(live.customer, "access list")
        failed = await live.use(live.agent, "inventory", tradeurl=live.world.error_trade_url(1010))
        await asyncio.sleep(1.0)  # the same answer is given for a second
        counted = await metrics(unused_tcp_port)
    answered, went_wrong = handled(bot, "inventory")
    assert (answered["outcome"], answered["guild"], answered["user"]) == ("ok", live.guild.id, live.agent.id)
    assert 0 <= answered["acknowledged_ms"] <= answered["ms"]
    assert 0 < answered["provider_ms"] <= answered["ms"]
    assert "reference" not in answered
    (no,) = handled(bot, "access list")
    assert (no["outcome"], no["reason"], no["level"]) == ("refused", "AccessDenied", "info")
    assert f"Reference {no['reference']}" in refused.text
    assert (went_wrong["outcome"], went_wrong["level"]) == ("provider_failed", "warning")
    assert f"Reference {went_wrong['reference']}" in failed.text

    assert counted[sample("interactions_total", command="inventory", outcome="ok")] == 1
    assert counted[sample("interactions_total", command="access list", outcome="refused")] == 1
    assert counted[sample("interaction_acknowledged_seconds_count", command="inventory")] == 2
    assert counted[sample("interaction_finished_seconds_count", command="inventory")] == 2
    call = {"provider": "assetpay", "operation": "inventory"}
    assert counted[sample("provider_calls_total", **call, outcome="ok")] == 1
    assert counted[sample("provider_calls_total", **call, outcome="refused")] == 1
    assert counted[sample("provider_errors_total", provider="assetpay", code="1010")] == 1
    calls = {
        series for series in counted if series[0] in ("skindesk_provider_calls_total", "skindesk_interactions_total")
    }
    assert calls <= set(before)  # Prometheus sees the first one of each
    assert counted[sample("provider_quota_left", provider="assetpay", quota="inventories")] == 9_998
    assert counted[sample("provider_quota_limit", provider="assetpay", quota="inventories")] == 10_000
    assert counted[sample("provider_state", provider="assetpay", state="working")] == 1
    assert counted[sample("provider_up", provider="assetpay")] == 1
    assert counted[sample("resends", state="pending")] == 0
    assert counted[sample("gateway_connected", shard="0")] == 1
    assert counted[sample("gateway_disconnected_seconds", shard="0")] == 0
    assert counted[sample("database_write_seconds_count")] > 5
    assert counted[sample("event_loop_lag_seconds_count")] > 0
    assert counted[sample("discord_requests_total", method="PATCH", status="200")] > 3
    live.assert_sound()


async def test_health(live: LiveBot, unused_tcp_port: int) -> None:
    """Ready means that an interaction would be answered; healthy means that a restart would not help."""
    async with live.bot(observability__listen=f"127.0.0.1:{unused_tcp_port}") as bot:
        await bot.wait_line("ready guilds=")
        await live.set_up()
        assert [(await fetched(unused_tcp_port, path))[0] for path in ("/healthz", "/readyz", "/nothing")] == [
            200,
            200,
            404,
        ]

        # A slow answer is deferred first.
        unknown = live.server.faults.fail("POST", "/interactions/*/*/callback", 404, code=10062, times=9)
        lost = await live.begin(live.customer, "status")
        await bot.wait_line("interaction handled command=status")
        status, body = await fetched(unused_tcp_port, "/readyz")
        assert (status, json.loads(body)["acknowledgements"]) == (503, False)
        unknown.times = 0
        assert (await fetched(unused_tcp_port, "/healthz"))[0] == 200
        await live.use(live.customer, "status")
        assert (await fetched(unused_tcp_port, "/readyz"))[0] == 200
    live.assert_sound(unfinished=(lost,))


async def test_address_in_use(live: LiveBot) -> None:
    """An address in use stops the start, with the setting in the log."""
    taken = f"127.0.0.1:{live.providers.mannco.port}"
    async with live.bot(observability__listen=taken) as bot:
        assert await bot.wait() == ExitCode.UNAVAILABLE
    (line,) = [line for line in bot.stderr_lines if " ERROR " in line]
    assert taken in line
    assert "observability.listen" in line


async def test_commands_are_synced_once(live: LiveBot) -> None:
    """Commands are synced at the first start, and again only if they changed or are gone."""

    def syncs() -> int:
        return sum(request.method == "PUT" and request.path.endswith("/commands") for request in live.server.requests)

    for expected in (1, 1):
        async with live.running(set_up=False):
            pass
        assert syncs() == expected

    live.server.commands.listed().pop()
    async with live.running(set_up=False):
        pass
    assert syncs() == 2
    live.assert_sound()


SETTINGS = """
[inventory]
page_size = {page_size}
{more}
"""


async def test_reload(live: LiveBot, tmp_path: Path) -> None:
    """On SIGHUP a changed configuration is applied as a whole, or not at all if it has a mistake."""
    file = tmp_path / "config.toml"

    def write(page_size: int, more: str = "") -> None:
        file.write_text(SETTINGS.format(page_size=page_size, more=more))

    async def page_shows() -> int:
        answer = await live.use(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
        (total,) = re.findall(r"Page 1 of (\d+)", answer.text)
        return int(total)

    write(8)
    async with live.running() as bot:
        eights = await page_shows()

        write(4)
        bot.send_signal(signal.SIGHUP)
        assert "changed=inventory.page_size" in await bot.wait_line("configuration reloaded")
        assert await page_shows() in (2 * eights - 1, 2 * eights)

        for more, complaint in (
            ("[resends]\nexpires_after_hours = -1", "resends.expires_after_hours"),
            ('[observability]\nlisten = "127.0.0.1:1"', "observability.listen need a restart"),
            ("[resends\n", "is not TOML"),
            ("[discord]\nguild_ids = [0]", "discord.guild_ids"),
        ):
            write(8, more)
            bot.send_signal(signal.SIGHUP)
            assert "not reloaded" in await bot.wait_line(complaint)
            assert await page_shows() != eights
        write(4, "[discord]\nguild_ids = [1]")
        bot.send_signal(signal.SIGHUP)
        assert "discord.guild_ids" in await bot.wait_line("changed=discord.guild_ids")
        answer = await live.use(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
        assert "This desk serves another server" in answer.text
    live.assert_sound()


HUNG_UP = f"""
import signal, threading, sys

class HangingUp:
    def find_spec(self, name, *_):
        if name == "bot.app":
            # The thread of the tests does not handle the signals of the program.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGHUP)

sys.meta_path.insert(0, HangingUp())
{RUN}"""


async def test_reload_while_starting(live: LiveBot) -> None:
    """A SIGHUP during the start is handled after it."""
    async with live.bot(program=HUNG_UP) as bot:
        await bot.wait_line("configuration reloaded changed=nothing")
        await bot.wait_ready()
        assert await bot.terminate() == ExitCode.OK
