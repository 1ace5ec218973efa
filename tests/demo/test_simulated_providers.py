"""The simulated providers run together, fail on the wire as programmed, stop at once and log no secret."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest

from bot.demo.providers import SimulatedProviders, faults
from tests.support.turns import Turns


@pytest.fixture
async def providers(world):
    async with SimulatedProviders(world) as providers:
        yield providers


@pytest.fixture
def ask(providers, world, session):
    """Request the customer's inventory from AssetPay."""

    async def call():
        url = f"{providers.assetpay.url}/secure/inventory"
        query, headers = {"tradeUrl": world.customer.trade_url}, {"api-key": world.credentials.assetpay_api_key}
        async with session.get(url, params=query, headers=headers, allow_redirects=False) as response:
            return response, await response.read()

    return call


async def test_stop_under_hanging_requests(world, session):
    """Hanging requests do not delay a stop."""
    async with Turns() as turns, SimulatedProviders(world) as providers:
        gates = [faults.Gate() for _ in range(3)]
        providers.mannco.faults.extend(gates)
        hanging = [asyncio.create_task(session.get(f"{providers.mannco.url}/trades/all")) for _ in gates]
        await asyncio.gather(*(gate.reached.wait() for gate in gates))
        began = turns.seconds

    assert turns.seconds - began < 3  # aiohttp would wait for a minute
    ended = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(end, aiohttp.ClientError) for end in ended)


async def test_no_secret_is_logged(providers, ask, world, caplog):
    """Neither logs nor the repr of a logged request contain a token or a key."""
    caplog.set_level(logging.DEBUG)
    providers.assetpay.faults.append(faults.lost_before)
    with pytest.raises(aiohttp.ClientError):
        await ask()
    await ask()

    logged = caplog.text + repr(list(providers.assetpay.asked))
    assert world.customer.token not in logged
    assert world.credentials.assetpay_api_key not in logged
