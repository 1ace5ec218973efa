"""Lists of trades whose pages the worker does not read in time."""

from typing import Any

from bot.domain.errors import Overloaded
from bot.domain.failures import Dialect, FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.domain.trades import TradeQuery
from bot.providers.assetpay_client import ClientCalls, FixedClientToken
from bot.providers.assetpay_sources import AssetPayClientSource
from bot.providers.assetpay_trades import TradePage
from bot.providers.skinsback import Shop
from bot.providers.skinsback_orders import Orders
from tests.domain.builders import trade
from tests.providers.skinsback_shop import shop_of


class LateCalls(ClientCalls):
    """The worker reads the page of CS2 in time if ``has_first``."""

    has_first = True

    async def get(self, path: str, query: Any, *_: Any, **__: Any) -> Any:
        if ("game", "730") in query and self.has_first:
            return TradePage((trade(),))
        raise Overloaded


class LateShop(Shop):
    """The worker reads no page in time."""

    async def ask(self, *_: Any, **__: Any) -> Any:
        raise Overloaded


async def test_assetpay(connect, failure_of):
    """The trades so far are listed beside the failure; without one it is the answer's failure."""
    token = FixedClientToken(ProviderName.ASSETPAY_CLIENT, Secret("token1"))
    calls = LateCalls(connect(ProviderName.ASSETPAY_CLIENT), Dialect.ASSETPAY, token)
    source = AssetPayClientSource(calls)

    reading = await source.read(TradeQuery())
    calls.has_first = False
    failure = await failure_of(source.read(TradeQuery()))

    assert (len(reading.trades), reading.is_cut, reading.failure and reading.failure.kind) == (1, True, "busy")
    assert failure.kind is FailureKind.BUSY


async def test_skinsback(connect, failure_of):
    """It is the failure of all callers, also of those of the next seconds."""
    shop, resilience = shop_of(connect)
    orders = Orders(LateShop(shop.transport, "", Secret("")), resilience)

    first, next_one = await failure_of(orders.read()), await failure_of(orders.read())

    assert (first.kind, first.retry_after, next_one.kind) == (FailureKind.BUSY, None, FailureKind.BUSY)
    assert next_one.retry_after is not None
