"""A bot process ends with its test run."""

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path


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
