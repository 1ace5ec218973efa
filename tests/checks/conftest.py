"""Settings for the loopback servers."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.config import Settings
from bot.config_loading import load_settings
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.support.discord_server import LoopbackDiscord, pointed_at

MakeSettings = Callable[..., Settings]


@pytest.fixture
async def providers() -> AsyncIterator[SimulatedProviders]:
    async with SimulatedProviders(World()) as running:
        yield running


@pytest.fixture
async def server() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as running:
        with pointed_at(running):
            yield running
        assert running.unknown_requests == []


@pytest.fixture
def settings_of_all(providers: SimulatedProviders) -> MakeSettings:
    """Settings with every provider on; ``table__key="…"`` changes one."""

    def make(**changed: str) -> Settings:
        variables = {"discord__token": "a-token", "providers__skinsback__currency": "usd"}
        for provider, table in providers.settings().items():
            variables |= {f"providers__{provider}__{key}": value for key, value in table.items()}
        return load_settings(None, {f"SKINDESK_{key}".upper(): value for key, value in (variables | changed).items()})

    return make
