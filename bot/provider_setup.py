"""Builds the providers that the configuration turns on: transport, limits, credentials, adapter, resilience."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from bot.config import AssetPay as AssetPayTable
from bot.config import AssetPayClient as AssetPayClientTable
from bot.config import Settings
from bot.domain.failures import ProviderName
from bot.domain.secrets import Secret
from bot.ports import (
    CallObserver,
    Clock,
    Explanations,
    HealthSource,
    InventoryProvider,
    TradeProvider,
    TradeSource,
    TradeUrlChecker,
)
from bot.ports.watches import WatchedTrades
from bot.ports.windows import SharedWindows
from bot.providers.assetpay import AssetPaySecure
from bot.providers.assetpay_client import AssetPayClient, ClientCalls, FixedClientToken, IssuedClientTokens
from bot.providers.assetpay_sources import AssetPayClientSource, AssetPaySource
from bot.providers.assetpay_tradeurl import AssetPayTradeUrls
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco
from bot.providers.mannco_source import ManncoSource
from bot.providers.rate_limits import MINUTE, CallWindow, RateLimiter, SlidingWindow
from bot.providers.resilience import (
    ResilientInventories,
    ResilientProvider,
    ResilientSource,
    ResilientTrades,
    ResilientTradeUrls,
)
from bot.providers.shared_windows import Names, SharedWindow
from bot.providers.skinsback import Shop, SkinsBack
from bot.providers.skinsback_source import SkinsBackDeposits
from bot.providers.transport import Limits, Transport
from bot.providers.watched import WatchedDeposits, WatchedTradesOfAssetPay, WatchedTradesOfMannco

_HOUR = timedelta(hours=1)
_MERCHANT_ROUTES = (
    ("GET", "/secure/inventory", "inventories", 10_000, 100, MINUTE),
    ("GET", "/secure/trades", "trades", 3_000, 100, MINUTE),
)
_CLIENT_ROUTES = (
    ("GET", "/client/inventory", "inventories", 1_000, 10, MINUTE),
    ("GET", "/client/trades", "trades", 3_000, 30, MINUTE),
    ("POST", "/auth/authenticate-client", "client_tokens", 1_000_000, 100, _HOUR),
)
_CHECK_ROUTES = (("POST", "/secure/check-tradeurl", "trade_url_checks", 100_000, 100, _HOUR),)
"""AssetPay's routes, with the limits of verified merchants and of others."""
_MANNCO_ROUTES = (
    ("GET", "/trades/active", "active_trades"),
    ("GET", "/trades/all", "all_trades"),
    ("GET", "/trade/resend", "resends"),
    ("POST", "/user/login", "logins"),
)


@dataclass(frozen=True, slots=True)
class ProvidersOn:
    """The providers for the services."""

    inventories: tuple[InventoryProvider, ...]
    sources: tuple[TradeSource, ...]
    resending: TradeProvider | None
    trade_url_checker: TradeUrlChecker | None
    watched: tuple[WatchedTrades, ...]
    health: tuple[HealthSource, ...]


async def open_providers(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    clock: Clock,
    explanations: Explanations,
    observers: Sequence[CallObserver] = (),
    windows: SharedWindows | None = None,
) -> ProvidersOn:
    """Return the providers that have credentials, in the order of their tables; ``stack`` closes their connections.

    ``windows`` count calls for several processes; without them this process is alone.
    """
    tls = ssl.create_default_context()  # shared: creating one takes tens of milliseconds
    inventories: list[InventoryProvider] = []
    health: list[HealthSource] = []
    sources: list[TradeSource] = []
    watched: list[WatchedTrades] = []
    resending: TradeProvider | None = None
    checker: TradeUrlChecker | None = None
    for name in settings.providers_on:
        limiter = RateLimiter(_windows(name, settings, clock, windows), clock)
        transport = Transport(name, settings.providers.table(name).base_url, tls, clock, limiter=limiter)
        await stack.enter_async_context(transport)
        resilience = ResilientProvider(
            name, clock=clock, limiter=limiter, explanations=explanations, observers=observers
        )
        health.append(resilience)
        if name is ProviderName.MANNCO:
            table = settings.providers.mannco
            login = FixedJwt(_secret(table.token)) if table.token else ApiKeyLogin(transport, _secret(table.api_key))
            mannco = Mannco(transport, login, resend_parameter=table.resend_parameter, per_account=table.per_user_paths)
            resending = ResilientTrades(mannco, resilience)
            sources.append(ManncoSource(resending))
            watched.append(WatchedTradesOfMannco(resending))
        else:
            inventory_provider, source = _adapters(name, settings, transport)
            inventories.append(ResilientInventories(inventory_provider, resilience))
            if source is not None:
                sources.append(ResilientSource(source, resilience))
            if isinstance(source, AssetPaySource):
                watched.append(WatchedTradesOfAssetPay(source, resilience))
        if name is ProviderName.SKINSBACK:
            deposits = SkinsBackDeposits(_shop(settings, transport), resilience)
            stack.push_async_callback(deposits.close)
            sources.append(deposits)
            watched.append(WatchedDeposits(deposits))
        if name is checker_of_trade_urls(settings):
            checker = ResilientTradeUrls(AssetPayTradeUrls(transport, assetpay_key(name, settings)), resilience)
    return ProvidersOn(tuple(inventories), tuple(sources), resending, checker, tuple(watched), tuple(health))


def _windows(
    name: ProviderName, settings: Settings, clock: Clock, shared: SharedWindows | None
) -> dict[tuple[str, str], CallWindow]:
    """Return the windows of a provider's documented limits, each of one credential."""
    credential = _credential(name, settings)
    within = timedelta(seconds=Limits().deadline)
    windows: dict[tuple[str, str], CallWindow] = {}
    for method, path, what, limit, per in _limits(name, settings):
        windows[method, path] = (
            SlidingWindow(what, limit, per, clock)
            if shared is None
            else SharedWindow(
                what,
                limit,
                per,
                clock,
                shared=shared,
                names=Names(credential),
                route=(name.value, method, path),
                within=within,
            )
        )
    return windows


def _limits(name: ProviderName, settings: Settings) -> Iterator[tuple[str, str, str, int, timedelta]]:
    """Go through a provider's documented limits: seeds 000, 001, 003; providers.md, 1.8, 2.3, 4.3; trades.md, 1 and 2.

    Each is a method, a path, what is counted, and how many calls in which time.
    """
    match name:
        case ProviderName.ASSETPAY | ProviderName.ASSETPAY_CLIENT | ProviderName.ASSETPAY_LEGACY:
            routes = [*(_MERCHANT_ROUTES if name is ProviderName.ASSETPAY else _CLIENT_ROUTES)]
            if name is checker_of_trade_urls(settings):
                routes += _CHECK_ROUTES
            verified = _assetpay_table(name, settings).verified
            for method, path, what, most, least, per in routes:
                yield method, path, what, most if verified else least, per
        case ProviderName.SKINSBACK:
            yield "POST", "", "requests", 500, MINUTE
        case ProviderName.MANNCO:
            for method, path, what in _MANNCO_ROUTES:
                yield method, path, what, 600, MINUTE


def _credential(name: ProviderName, settings: Settings) -> Secret:
    """Return what a provider knows this desk by, and counts its calls by."""
    match name:
        case ProviderName.ASSETPAY:
            return assetpay_key(name, settings)
        case ProviderName.SKINSBACK:
            return _secret(settings.providers.skinsback.client_secret)
        case ProviderName.MANNCO:
            return _secret(settings.providers.mannco.token or settings.providers.mannco.api_key)
        case _:
            table = _client_table(name, settings)
            return _secret(table.client_token or table.api_key)


def _adapters(
    name: ProviderName, settings: Settings, transport: Transport
) -> tuple[InventoryProvider, TradeSource | None]:
    match name:
        case ProviderName.ASSETPAY:
            api_key = assetpay_key(name, settings)
            return AssetPaySecure(transport, api_key), AssetPaySource(transport, api_key)
        case ProviderName.SKINSBACK:
            table = settings.providers.skinsback
            shop = _shop(settings, transport)
            return SkinsBack(shop, currency=table.currency, custom_prices=table.custom_prices), None
        case _:
            client = _client_table(name, settings)
            calls = ClientCalls(
                transport,
                name.dialect,
                FixedClientToken(name, _secret(client.client_token))
                if client.client_token
                else IssuedClientTokens(transport, assetpay_key(name, settings)),
                authorization=client.authorization,
            )
            return AssetPayClient(calls), AssetPayClientSource(calls)


def checker_of_trade_urls(settings: Settings) -> ProviderName | None:
    """Return whose API key checks trade URLs: the current dialect's, the merchant's first."""
    names = (ProviderName.ASSETPAY, ProviderName.ASSETPAY_CLIENT)
    return next((name for name in names if _assetpay_table(name, settings).api_key), None)


def assetpay_key(name: ProviderName, settings: Settings) -> Secret:
    """Return the API key of AssetPay's dialect or endpoint."""
    return _secret(_assetpay_table(name, settings).api_key)


def _assetpay_table(name: ProviderName, settings: Settings) -> AssetPayTable:
    return settings.providers.assetpay if name is ProviderName.ASSETPAY else _client_table(name, settings)


def _shop(settings: Settings, transport: Transport) -> Shop:
    table = settings.providers.skinsback
    return Shop(transport, table.client_id, _secret(table.client_secret), table.auth)


def _client_table(name: ProviderName, settings: Settings) -> AssetPayClientTable:
    tables = settings.providers
    return tables.assetpay_client if name is ProviderName.ASSETPAY_CLIENT else tables.assetpay_legacy


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())
