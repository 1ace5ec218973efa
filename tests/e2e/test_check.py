"""``skindesk check`` as a process, on the loopback Discord and the simulated providers."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Any

from bot.exit_codes import ExitCode
from tests.deploy.containerfile import parsed
from tests.e2e.live_bot import LiveBot


async def checked(live: LiveBot, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the check and return its exit code and its findings by id; no secret is in the output."""
    async with live.bot("check", "--json", **settings) as bot:
        code = await bot.wait(60.0)
        [output] = bot.stdout_lines
        assert bot.stderr == ""
    assert not any(secret in output for secret in live.secrets())
    answer = json.loads(output)
    assert (answer["version"], answer["exit_code"]) == (1, code)
    assert answer["ok"] is (code == 0)
    assert live.server.unknown_requests == []
    return code, {finding["id"]: finding for finding in answer["findings"]}


def levels(findings: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: finding["level"] for name, finding in findings.items() if finding["level"] != "ok"}


async def test_while_running(live: LiveBot):
    """A check of a running SkinDesk finds no problem, and changes and sends nothing."""
    async with live.running(observability__listen=""):
        before = len(live.server.requests), len(live.audit.messages), live.server.gateway.sessions_started

        code, findings = await checked(live)

        assert code == ExitCode.OK
        assert set(levels(findings)) <= {"sqlite.version"}
        assert "SkinDesk is running on it" in findings["database"]["what"]
        assert findings.keys() >= {
            "configuration", "database.schema", "database.integrity", "database.audit", "database.room", "clock",
            "discord.token", "discord.application", "discord.guilds", "discord.commands",
            "discord.channels.approvals", "discord.channels.audit",
            *(f"providers.{name}" for name in live.providers.settings()),
        }  # fmt: skip
        assert {request.method for request in live.server.requests[before[0] :]} == {"GET"}
        assert (len(live.audit.messages), live.server.gateway.sessions_started) == before[1:]
        assert live.providers.mannco.resend_calls == {}
    live.assert_sound()


async def test_commands_outside_the_served_guilds(live: LiveBot):
    """Commands in a server that the desk does not serve are a problem."""
    code, findings = await checked(live, discord__guild_ids=str(live.guild.id), discord__command_guild_ids="5")

    assert code == ExitCode.CONFIG
    assert findings["discord.guilds.commands"]["key"] == "discord.command_guild_ids"
    assert "does not name: 5" in findings["discord.guilds.commands"]["what"]


async def test_before_the_first_start(live: LiveBot):
    """Before the first start the check names the missing settings and creates no file."""
    code, findings = await checked(live)

    assert code == ExitCode.OK
    assert levels(findings).keys() - {"sqlite.version"} == {"discord.channels", "discord.commands"}
    assert list(live.folder.iterdir()) == []


async def test_health_of_the_container(live: LiveBot, unused_tcp_port: int):
    """The container's health check succeeds while SkinDesk runs, and fails after it."""
    _, last = parsed(Path(__file__).parent.parent.parent / "Containerfile")
    _, *question = last.one("HEALTHCHECK").arguments
    environ = {"SKINDESK_OBSERVABILITY__LISTEN": f"127.0.0.1:{unused_tcp_port}"}

    async def asked() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, *question, env=environ, stderr=DEVNULL)
        return await process.wait()

    async with live.running(observability__listen=environ["SKINDESK_OBSERVABILITY__LISTEN"], set_up=False):
        assert await asked() == 0
    assert await asked() != 0
