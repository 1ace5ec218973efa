"""One reading of a provider serves as many watched trades as it can."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from itertools import islice

import pytest

from bot.config import Settings
from bot.demo.providers import SimulatedProviders
from bot.demo.trades import HIDDEN_STATUS
from bot.domain.failures import ProviderName
from bot.domain.watches import TradeKey
from bot.provider_setup import open_providers
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock

UNKNOWN = TradeKey("999999")


@pytest.fixture
def calls():
    """The calls by their provider."""
    return Counter()


@pytest.fixture
async def opened(world, calls):
    """Open the readings, by provider."""
    async with AsyncExitStack() as stack:

        async def open_these(*, per_user_paths: bool = False):
            providers = SimulatedProviders(world, mannco_as_admin=True, per_user_paths=per_user_paths)
            await stack.enter_async_context(providers)
            settings = Settings.model_validate({"discord": {"token": "t"}, "providers": providers.settings()})
            on = await open_providers(
                settings,
                stack,
                clock=FakeClock(world.now()),
                explanations=Catalogue.load(),
                observers=[lambda provider, *_, **__: calls.update([provider])],
            )
            return {each.name: each for each in on.watched}

        yield open_these


def keys_of(world, name):
    """Return what is asked for, everyone's."""
    if name is ProviderName.MANNCO:
        return [TradeKey(str(each.id), each.user) for each in world.trades if each.status != HIDDEN_STATUS]
    if name is ProviderName.SKINSBACK:
        recent = [each for each in world.deposits if (world.now() - each.created_at).days < 14]
        return [TradeKey(each.transaction_id, each.owner) for each in recent]
    return [TradeKey(each.id, each.owner.steam_id) for each in world.assetpay_trades][:99]


@pytest.mark.parametrize("name", [ProviderName.MANNCO, ProviderName.SKINSBACK, ProviderName.ASSETPAY])
async def test_one_call_for_all(opened, world, calls, name):
    """Everyone's trades are one call, also those of AssetPay by their numbers; one that is not there is None."""
    keys = keys_of(world, name)
    found = await (await opened())[name].read([UNKNOWN, *keys])

    assert found.pop(UNKNOWN.trade_id) is None
    assert {number: trade and trade.owner for number, trade in found.items()} == {
        each.trade_id: each.owner for each in keys
    }
    assert calls == {name: 1}


async def test_hundred_at_assetpay(opened, calls):
    """AssetPay is asked for a hundred in one call: the first ones, and the answer is about no others."""
    keys = [TradeKey(f"order-{number}") for number in range(250)]
    found = await (await opened())[ProviderName.ASSETPAY].read(keys)

    assert list(found) == [each.trade_id for each in islice(keys, 100)]
    assert calls == {ProviderName.ASSETPAY: 1}


async def test_accounts_at_mannco(opened, world, calls):
    """Where Mannco.store lists one account a call, the first trade's account is asked, once it is known whose it is."""
    readings = await opened(per_user_paths=True)
    keys = keys_of(world, ProviderName.MANNCO)
    first = [each for each in keys if each.owner == keys[0].owner]
    found = await readings[ProviderName.MANNCO].read(keys)
    again = await readings[ProviderName.MANNCO].read([TradeKey(keys[0].trade_id)])

    assert len(first) < len(keys)
    assert {number: trade and trade.owner for number, trade in found.items()} == {
        each.trade_id: each.owner for each in first
    }
    assert again[keys[0].trade_id] == found[keys[0].trade_id]
    assert calls == {ProviderName.MANNCO: 2}
