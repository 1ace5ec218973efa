"""A bot process ends with its test run."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord


async def test_does_not_end(tmp_path: Path):
    """A process that does not end in time fails its test and is killed."""
    async with (
        LoopbackDiscord() as server,
        BotProcess(server, cwd=tmp_path, program="import time; time.sleep(60)") as bot,
    ):
        with pytest.raises(TimeoutError):
            await bot.wait(0.2)
        assert bot.returncode == -signal.SIGKILL


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
