"""The settings of SkinsBack's prices reach the simulated SkinsBack, and its answer the offers."""

from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from bot.config import Settings
from bot.demo.providers.skinsback import SimulatedSkinsBack
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryQuery
from bot.domain.steam import Game
from bot.domain.trade_url import parse_trade_url
from bot.provider_setup import open_providers
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock

GEM = {"custom_currency": "GEM", "custom_currency_rate": "10"}


@pytest.mark.parametrize("auth", ["headers", "signature"])
@pytest.mark.parametrize(
    ("asked", "currency", "factor"),
    [
        ({}, "USD", None),
        ({"custom_multiplier": "2"}, "USD", None),
        ({"currency": "usd"}, "USD", "0.7"),
        ({"currency": "RUB", "custom_multiplier": 1.5}, "RUB", "139.05"),
        (GEM | {"custom_multiplier": "0.50"}, "GEM", "5"),
    ],
)
async def test_credits(world, auth, asked, currency, factor):
    """Each item's offer is its price times rate and multiplier; without a currency it is SkinsBack's own price."""
    credentials = world.credentials
    login = {"client_id": credentials.skinsback_client_id, "client_secret": credentials.skinsback_client_secret}
    async with SimulatedSkinsBack(world) as server, AsyncExitStack() as stack:
        table = {"base_url": server.url, "auth": auth, **login, **asked}
        settings = Settings.model_validate({"discord": {"token": "t"}, "providers": {"skinsback": table}})
        on = await open_providers(settings, stack, clock=FakeClock(world.now()), explanations=Catalogue.load())
        (provider,) = on.inventories
        found = await provider.look_up(InventoryQuery(parse_trade_url(world.customer.trade_url), Game.CS2))
        assert not server.unknown_parameters

    assert (provider.name, found.credits_known) == (ProviderName.SKINSBACK, factor is not None)
    assert {each.offer.currency for each in found.items if each.offer} == {currency}
    for each in found.items:
        if each.offer is not None and factor is not None:
            price = found.merchant_prices[each.id].price.amount
            assert each.offer.amount == pytest.approx(price * Decimal(factor), abs=Decimal("0.02"))
