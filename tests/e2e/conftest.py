"""A live bot for every test of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.support.discord_server import LoopbackDiscord


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveBot]:
    async with LoopbackDiscord() as server, SimulatedProviders(World(), mannco_as_admin=True) as providers:
        yield LiveBot(server, providers, tmp_path)
