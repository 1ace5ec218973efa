"""A desk for every test, from which nothing may have got out, and at which nobody may have been left waiting."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.providers.all import SimulatedProviders
from bot.demo.world import World
from tests.e2e.desk import LiveDesk
from tests.support.discord_server import LoopbackDiscord


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[LiveDesk]:
    async with LoopbackDiscord() as server, SimulatedProviders(World()) as providers:
        yield LiveDesk(server, providers, tmp_path)
