"""The bot as a process: where and with what it runs, how it ends, and that it always does."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bot_process import BotExited, BotProcess
from tests.support.discord_server import LoopbackDiscord

STUB = """
import asyncio, os, signal, sys
import discord
from discord import app_commands

class Stub(discord.Client):
    def __init__(self):
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self):
        @self.tree.command(description="x")
        async def where(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(f"{os.getcwd()} {os.environ.get('SKINDESK_X')} {sys.argv[1:]}")

        await self.tree.sync()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(self.close()))
        print("set up", file=sys.stderr)

asyncio.run(Stub().start(os.environ["SKINDESK_DISCORD__TOKEN"]))
print("left", file=sys.stderr)
sys.stderr.write("last words")
sys.exit(3)
"""


@pytest.fixture
async def discord_server() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        yield server


async def test_process(discord_server: LoopbackDiscord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A bot in its own process runs where and with what the test says, answers, and leaves at SIGTERM with its code."""
    monkeypatch.setenv("SKINDESK_X", "of the test run")
    guild = discord_server.add_guild()
    channel = guild.add_channel("support")
    answers, lines = [], []
    for settings in ({"SKINDESK_X": "given"}, {}):
        async with BotProcess(discord_server, cwd=tmp_path, settings=settings, program=STUB) as bot:
            assert await bot.wait_line("set up", 20) == "set up"
            await bot.wait_ready()
            record = await discord_server.slash(guild, channel, guild.owner, "where")
            message = (await record.finished()).message
            answers.append(message and message.content)
            assert await bot.terminate() == 3
            lines.append(bot.stderr_lines)

    assert answers == [f"{tmp_path} given ['run']", f"{tmp_path} None ['run']"]
    assert lines == [["set up", "left", "last words"]] * 2
    assert discord_server.unknown_requests == []


async def test_process_killed(discord_server: LoopbackDiscord, tmp_path: Path):
    """A bot that a test forgets is gone afterwards; one that is killed is followed by a new one, not by its ghost."""
    async with BotProcess(discord_server, cwd=tmp_path, program=STUB) as first:
        await first.wait_ready()
    assert first.returncode == -signal.SIGKILL
    async with BotProcess(discord_server, cwd=tmp_path, program=STUB) as second:
        await second.wait_ready()
        assert discord_server.gateway.sessions_started == 2
        assert await second.kill() == -signal.SIGKILL


async def test_process_ends_early(discord_server: LoopbackDiscord, tmp_path: Path):
    """A bot that does not start is reported at once, with its code and last lines."""
    program = "import sys; sys.exit('no configuration')"
    async with BotProcess(discord_server, cwd=tmp_path, program=program) as bot:
        with pytest.raises(BotExited, match="no configuration"):
            await bot.wait_ready()
        assert await bot.wait() == 1


async def test_process_deaf(discord_server: LoopbackDiscord, tmp_path: Path):
    """A bot that does not leave is killed after the time it was given."""
    program = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", file=sys.stderr)
time.sleep(60)
"""
    async with BotProcess(discord_server, cwd=tmp_path, program=program) as bot:
        await bot.wait_line("deaf", 20)
        with pytest.raises(TimeoutError, match="deaf"):
            await bot.wait_line("never", 0.01)
        with pytest.raises(TimeoutError, match="deaf"):
            await bot.terminate(0.2)
        assert bot.returncode == -signal.SIGKILL


def test_process_outlived(tmp_path: Path):
    """No bot outlives the test run that started it, however that ends."""
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
    pid = int(output)
    with contextlib.suppress(ProcessLookupError):
        bot = os.pidfd_open(pid)
        ended, _, _ = select.select([bot], [], [], 10)
        os.close(bot)

        assert ended
