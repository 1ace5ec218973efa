"""The fixtures of the wire tests: a clock, a loopback server, and transports to it."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import InventoryFilter, InventoryQuery
from bot.domain.secrets import Secret, TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco, MerchantLogin
from bot.providers.rate_limits import RateLimiter
from bot.providers.transport import Limits, Transport
from tests.fakes.clock import FakeClock
from tests.support.loopback import Loopback, as_json

_CONTEXT = ssl.create_default_context()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback(lambda _: as_json({})) as loopback:
        yield loopback


Connect = Callable[..., Transport]


@pytest.fixture
async def connect(server: Loopback, clock: FakeClock) -> AsyncIterator[Connect]:
    """Open transports to the server for a provider, under ``path``, with ``limits`` and ``windows`` of calls."""
    async with contextlib.AsyncExitStack() as stack:

        def make(provider: ProviderName, path: str = "", windows: Any = None, **limits: Any) -> Transport:
            limiter = None if windows is None else RateLimiter(windows, clock)
            transport = Transport(provider, server.url + path, _CONTEXT, clock, Limits(**limits), limiter=limiter)
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
    """Await a call that has to fail, and return its failure."""

    async def wait(call: Awaitable[object]) -> Failure:
        with pytest.raises(ProviderError) as caught:
            await call
        return caught.value.failure

    return wait


@pytest.fixture
def provider(connect: Connect) -> Callable[..., Mannco]:
    """Make Mannco.store with a fixed JWT, or with an API key if it is None."""

    def make(token: str | None = "JWT", *, per_account: bool = False, **options: Any) -> Mannco:  # noqa: S107 -- made up
        resend_parameter = options.pop("resend_parameter", "resend")
        transport = connect(ProviderName.MANNCO, **options)
        login: MerchantLogin = ApiKeyLogin(transport, Secret("mk_CANARY")) if token is None else FixedJwt(Secret(token))
        return Mannco(transport, login, resend_parameter=resend_parameter, per_account=per_account)

    return make
