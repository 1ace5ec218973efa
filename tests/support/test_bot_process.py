"""A bot process ends with the test that started it, or with the test run."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bot_process import BotExited, BotProcess
from tests.support.discord_server import LoopbackDiscord

STUB = """
import asyncio, os
import discord
from discord import app_commands

class Stub(discord.Client):
    async def setup_hook(self):
        tree = app_commands.CommandTree(self)
        tree.add_command(app_commands.Command(name="nothing", description="x", callback=self.nothing))
        await tree.sync()

    async def nothing(self, interaction: discord.Interaction) -> None: ...

asyncio.run(Stub(intents=discord.Intents(guilds=True)).start(os.environ["SKINDESK_DISCORD__TOKEN"]))
"""


async def test_killed(tmp_path: Path):
    """A killed bot is gone, and waiting for its successor does not see the old connection."""
    async with LoopbackDiscord() as server:
        async with BotProcess(server, cwd=tmp_path, program=STUB) as first:
            await first.wait_ready()
        assert first.returncode == -signal.SIGKILL
        async with BotProcess(server, cwd=tmp_path, program=STUB) as second:
            await second.wait_ready()
            assert server.gateway.sessions_started == 2


async def test_ends_early(tmp_path: Path):
    """A bot that does not start is reported at once, with its last lines."""
    async with (
        LoopbackDiscord() as server,
        BotProcess(server, cwd=tmp_path, program="import sys; sys.exit('no configuration')") as bot,
    ):
        with pytest.raises(BotExited, match="no configuration"):
            await bot.wait_ready()


def test_outlives_no_test_run(tmp_path: Path):
    run = """
import asyncio, os, pathlib
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord

async def main():
    async with LoopbackDiscord() as server:
        program = "import sys, time; print('up', file=sys.stderr); time.sleep(60)"
        async with BotProcess(server, cwd=pathlib.Path.cwd(), program=program) as bot:
            await bot.wait_line("up", 20)
            os.write(1, f"{bot.pid}".encode())
            os._exit(0)

asyncio.run(main())
"""
    command = [sys.executable, "-W", "ignore", "-c", run]
    output = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603 -- our own
    with contextlib.suppress(ProcessLookupError):
        bot = os.pidfd_open(int(output))
        ended, _, _ = select.select([bot], [], [], 10)
        os.close(bot)

        assert ended
