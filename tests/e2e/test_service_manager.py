"""What systemd hears of the program."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.live_bot import LiveBot
from tests.support.bot_process import RUN

WATCHDOG_SECONDS = 0.4

STUCK = f"""
import time
from bot.reloading import Reloading
Reloading.reload = lambda _: time.sleep(60)
{RUN}"""
"""The program, whose event loop hangs at a SIGHUP."""


class Manager:
    """systemd's end of the socket: the reports of the program, in order."""

    def __init__(self) -> None:
        self.reports: list[str] = []

    async def receive(self, end: socket.socket) -> None:
        while True:
            self.reports += (await asyncio.get_running_loop().sock_recv(end, 4096)).decode().splitlines()

    async def hears(self, report: str, *, after: int = 0) -> int:
        """Wait for a report and return the number of those up to it."""
        async with asyncio.timeout(30.0):
            while not any(each.startswith(report) for each in self.reports[after:]):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.02)
        return next(n for n, each in enumerate(self.reports) if n >= after and each.startswith(report)) + 1

    def pings(self) -> int:
        return self.reports.count("WATCHDOG=1")


@pytest.fixture(params=["path", "abstract"])
async def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@{uuid4()}"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_SECONDS * 1_000_000)))
    found = Manager()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.setblocking(False)
        end.bind(address.replace("@", "\0"))
        receiving = asyncio.create_task(found.receive(end))
        yield found
        receiving.cancel()
        await asyncio.wait({receiving})


async def test_life(live: LiveBot, manager: Manager):
    """It is ready once Discord is there, says what it waits for, lives on without a database, and reports its stop."""
    async with live.running(set_up=False) as bot:
        heard = await manager.hears("READY=1")
        assert manager.reports.index("STATUS=connecting to Discord") < heard
        await manager.hears("STATUS=serving 1 server")
        bot.send_signal(signal.SIGHUP)
        heard = await manager.hears("RELOADING=1", after=heard)
        assert manager.reports[heard].startswith("MONOTONIC_USEC=")
        heard = await manager.hears("READY=1", after=heard)
        live.server.gateway.refusals += [502] * 9
        await live.server.gateway.close()
        await manager.hears("STATUS=shard 0 is not connected to Discord since", after=heard)
        live.database.unlink()
        await manager.hears("STATUS=the database cannot be used: missing", after=heard)
        pings = manager.pings()
        await live.server.until(lambda: manager.pings() > pings)
    await manager.hears("STATUS=stopping")
    assert manager.reports[-2:] == ["STOPPING=1", "STATUS=stopping"]


async def test_stuck(live: LiveBot, manager: Manager):
    """The reports that keep it alive end when its event loop hangs; systemd's signal then shows the place."""
    async with live.bot(program=STUCK) as bot:
        await manager.hears("READY=1")
        before = manager.pings()
        await live.server.until(lambda: manager.pings() > before + 2)
        bot.send_signal(signal.SIGHUP)
        await manager.hears("RELOADING=1")
        stopped_at = manager.pings()
        await asyncio.sleep(3 * WATCHDOG_SECONDS)
        assert manager.pings() == stopped_at
        bot.send_signal(signal.SIGABRT)
        assert await bot.wait() == -signal.SIGABRT
        assert "<lambda>" in bot.stderr
