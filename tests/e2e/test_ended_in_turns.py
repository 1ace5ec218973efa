"""People use commands while two processes are killed, or stopped, in turns."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.e2e.two_processes import TwoProcesses, kill, stop
from tests.support import postgres
from tests.support.discord_server import LoopbackDiscord


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[TwoProcesses]:
    with postgres.database() as url:
        async with (
            LoopbackDiscord() as server,
            SimulatedProviders(World(), mannco_as_admin=True) as providers,
            TwoProcesses.running(LiveBot(server, providers, tmp_path, url=url)) as running,
        ):
            yield running


async def test_killed(desk: TwoProcesses) -> None:
    """Nothing is answered or done twice; unanswered is only what a killed process had, and a log names it."""
    report = await desk.rush(kill, rate=20, ends=2)

    assert (report.twice, report.lost, desk.done_twice()) == ([], [], [])
    assert await desk.names(report.unanswered)


async def test_stopped(desk: TwoProcesses) -> None:
    """A rolling restart loses no interaction, answers none twice, and asks no one to try again."""
    report = await desk.rush(stop, rate=20, ends=2)

    assert (report.twice, report.unanswered, report.interrupted, desk.done_twice()) == ([], [], [], [])
