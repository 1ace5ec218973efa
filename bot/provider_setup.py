"""Builds the providers that the configuration turns on: transport, limits, credentials, adapter, resilience."""

import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from bot.config import AssetPayClient as AssetPayClientTable
from bot.config import Settings
from bot.domain.failures import ProviderName
from bot.domain.secrets import Secret
from bot.ports import CallObserver, Clock, Explanations, HealthSource, InventoryProvider, TradeProvider, TradeSource
from bot.providers.assetpay import AssetPaySecure
from bot.providers.assetpay_client import AssetPayClient, FixedClientToken, IssuedClientTokens
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco
from bot.providers.mannco_source import ManncoSource
from bot.providers.rate_limits import MINUTE, RateLimiter, SlidingWindow
from bot.providers.resilience import ResilientInventories, ResilientProvider, ResilientTrades
from bot.providers.skinsback import Shop, SkinsBack
from bot.providers.skinsback_source import SkinsBackDeposits
from bot.providers.transport import Transport

_HOUR = timedelta(hours=1)
_MANNCO_ROUTES = (
    ("GET", "/trades/active", "active trades"),
    ("GET", "/trades/all", "all trades"),
    ("GET", "/trade/resend", "resends"),
    ("POST", "/user/login", "logins"),
)


@dataclass(frozen=True, slots=True)
class ProvidersOn:
    """The providers for the services."""

    inventories: tuple[InventoryProvider, ...]
    sources: tuple[TradeSource, ...]
    resending: TradeProvider | None
    health: tuple[HealthSource, ...]


async def open_providers(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    clock: Clock,
    explanations: Explanations,
    observers: Sequence[CallObserver] = (),
) -> ProvidersOn:
    """Return the providers that have credentials, in the order of their tables; ``stack`` closes their connections."""
    tls = ssl.create_default_context()  # shared: creating one takes tens of milliseconds
    inventories: list[InventoryProvider] = []
    health: list[HealthSource] = []
    sources: list[TradeSource] = []
    resending: TradeProvider | None = None
    for name in settings.providers_on:
        limiter = RateLimiter(_windows(name, settings, clock), clock)
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
        else:
            inventories.append(ResilientInventories(_inventory_provider(name, settings, transport), resilience))
        if name is ProviderName.SKINSBACK:
            deposits = SkinsBackDeposits(_shop(settings, transport), resilience)
            stack.push_async_callback(deposits.close)
            sources.append(deposits)
    return ProvidersOn(tuple(inventories), tuple(sources), resending, tuple(health))


def _windows(name: ProviderName, settings: Settings, clock: Clock) -> dict[tuple[str, str], SlidingWindow]:
    """Return a provider's documented limits: seeds 000, 001, 003 and providers.md, 1.8, 2.3 and 4.3."""
    match name:
        case ProviderName.ASSETPAY:
            limit = 10_000 if settings.providers.assetpay.verified else 100
            return {("GET", "/secure/inventory"): SlidingWindow("inventories", limit, MINUTE, clock)}
        case ProviderName.ASSETPAY_CLIENT | ProviderName.ASSETPAY_LEGACY:
            verified = _client_table(name, settings).verified
            windows = {
                ("GET", "/client/inventory"): SlidingWindow("inventories", 1_000 if verified else 10, MINUTE, clock)
            }
            if name is ProviderName.ASSETPAY_LEGACY:
                limit = 1_000_000 if verified else 100
                windows["POST", "/auth/authenticate-client"] = SlidingWindow("client tokens", limit, _HOUR, clock)
            return windows
        case ProviderName.SKINSBACK:
            return {("POST", ""): SlidingWindow("requests", 500, MINUTE, clock)}
        case ProviderName.MANNCO:
            return {(method, path): SlidingWindow(what, 600, MINUTE, clock) for method, path, what in _MANNCO_ROUTES}


def _inventory_provider(name: ProviderName, settings: Settings, transport: Transport) -> InventoryProvider:
    match name:
        case ProviderName.ASSETPAY:
            return AssetPaySecure(transport, _secret(settings.providers.assetpay.api_key))
        case ProviderName.SKINSBACK:
            table = settings.providers.skinsback
            shop = _shop(settings, transport)
            return SkinsBack(shop, currency=table.currency, custom_prices=table.custom_prices)
        case _:
            client = _client_table(name, settings)
            return AssetPayClient(
                transport,
                name.dialect,
                FixedClientToken(name, _secret(client.client_token))
                if client.client_token
                else IssuedClientTokens(transport, _secret(client.api_key)),
                authorization=client.authorization,
            )


def _shop(settings: Settings, transport: Transport) -> Shop:
    table = settings.providers.skinsback
    return Shop(transport, table.client_id, _secret(table.client_secret), table.auth)


def _client_table(name: ProviderName, settings: Settings) -> AssetPayClientTable:
    tables = settings.providers
    return tables.assetpay_client if name is ProviderName.ASSETPAY_CLIENT else tables.assetpay_legacy


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())
