"""The simulated providers run together, fail on the wire as programmed, stop at once and log no secret."""

from __future__ import annotations

import asyncio
import logging
import time

import aiohttp
import pytest

from bot.demo.providers import SimulatedProviders, faults


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


async def test_unknown_path(providers, session):
    """Every provider has its own port and answers an unknown path with 404."""
    servers = (providers.assetpay, providers.assetpay_legacy, providers.skinsback, providers.mannco)

    assert len({server.port for server in servers}) == 4
    for server in servers:
        for method in ("GET", "DELETE"):
            async with session.request(method, f"http://127.0.0.1:{server.port}/unknown") as response:
                assert response.status == 404


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        (faults.html(502), 502, b"<!DOCTYPE html>"),
        (faults.answer(200, b""), 200, b""),
        (faults.redirect("https://elsewhere.example/"), 302, b""),
        (faults.throttled(retry_after="3"), 429, b"slow down"),
        (faults.oversized(9 * 2**20, compressed=True), 200, b"[   "),
    ],
)
async def test_wrong_answers(providers, ask, fault, status, start):
    """A fault applies to one request; both requests are logged."""
    providers.assetpay.faults.append(fault)

    response, body = await ask()

    assert (response.status, body[: len(start)]) == (status, start)
    assert (await ask())[1].startswith(b'{"requestId"')
    assert providers.assetpay.calls == {"GET /secure/inventory": 2}
    assert [asked.query.keys() for asked in providers.assetpay.asked] == [{"tradeUrl"}] * 2


@pytest.mark.parametrize("fault", [faults.lost_before, faults.lost_after, faults.half])
async def test_lost_answers(providers, ask, fault):
    """A connection that ends too early gives no whole response."""
    providers.assetpay.faults.append(fault)

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
        await ask()
    assert (await ask())[0].status == 200


async def test_stop_under_hanging_requests(world, session):
    """Hanging requests do not delay a stop."""
    async with SimulatedProviders(world) as providers:
        gates = [faults.Gate() for _ in range(3)]
        providers.mannco.faults.extend(gates)
        hanging = [asyncio.create_task(session.get(f"{providers.mannco.url}/trades/all")) for _ in gates]
        await asyncio.gather(*(gate.reached.wait() for gate in gates))
        began = time.monotonic()

    assert time.monotonic() - began < 3
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
