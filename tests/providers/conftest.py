"""What the wire tests share: a clock that stands still, a loopback server, and transports to it."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import InventoryFilter, InventoryQuery
from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.providers.transport import Limits, Transport
from tests.support.loopback import Loopback, as_json

_CONTEXT = ssl.create_default_context()


class StandingClock:
    """A clock that goes on only when told."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def go_on(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback(lambda _: as_json({})) as loopback:
        yield loopback


Connect = Callable[..., Transport]


@pytest.fixture
async def connect(server: Loopback, clock: StandingClock) -> AsyncIterator[Connect]:
    """Make transports to the server: for a provider, under ``path``, with ``limits``."""
    async with contextlib.AsyncExitStack() as stack:
        made: list[Transport] = []

        def make(provider: ProviderName, path: str = "", **limits: Any) -> Transport:
            transport = Transport(provider, server.url + path, _CONTEXT, clock, Limits(**limits))
            made.append(transport)
            stack.push_async_callback(transport.aclose)
            return transport

        yield make


@pytest.fixture
def seed() -> Callable[[str], object]:
    """Read a sample document of a seed."""
    folder = Path(__file__).parent / "seeds"
    return lambda name: json.loads((folder / f"{name}.json").read_text())


TRADE_URL = TradeUrl(SteamId.from_account_id(12345), TradeToken("ABCDEFGH"))


@pytest.fixture
def query() -> Callable[..., InventoryQuery]:
    """Make a lookup of the seeds' trade URL."""

    def make(game: Game = Game.CS2, *, refresh: bool = False, **wanted: Any) -> InventoryQuery:
        return InventoryQuery(TRADE_URL, game, InventoryFilter(**wanted), refresh=refresh)

    return make


FailureOf = Callable[[Awaitable[object]], Awaitable[Failure]]


@pytest.fixture
def failure_of() -> FailureOf:
    """Wait for something that has to fail, and return its facts."""

    async def wait(call: Awaitable[object]) -> Failure:
        with pytest.raises(ProviderError) as caught:
            await call
        return caught.value.failure

    return wait
