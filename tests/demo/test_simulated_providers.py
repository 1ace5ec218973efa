"""The simulated providers run together, fail on the wire as they are told, stop at once and log no secret."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import aiohttp
import pytest

from bot.demo.providers import faults
from bot.demo.providers.all import SimulatedProviders
from bot.demo.providers.mannco import SimulatedMannco


@pytest.fixture
async def providers(world):
    async with SimulatedProviders(world) as providers:
        yield providers


@pytest.fixture
def ask(providers, world, session):
    """Ask AssetPay for an inventory, the customer's unless said otherwise."""

    async def call(person=world.customer):
        url = f"{providers.assetpay_url}/secure/inventory"
        headers = {"api-key": world.credentials.assetpay_api_key}
        async with session.get(
            url, params={"tradeUrl": person.trade_url}, headers=headers, allow_redirects=False
        ) as response:
            return response, await response.read()

    return call


async def test_addresses(providers, world, session):
    """Every provider answers on loopback, each on a port of its own."""
    urls = {
        providers.assetpay_url,
        providers.assetpay_legacy_url,
        providers.skinsback_url.removesuffix("/api.php"),
        providers.mannco_url,
    }

    assert len(urls) == 4
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
    for url in urls:
        async with session.get(url) as response:
            assert response.status == 404


async def test_settings(providers):
    """The settings name the five tables of the configuration, with addresses and credentials."""
    settings = providers.settings()

    assert set(settings) == {"assetpay", "assetpay_client", "assetpay_legacy", "skinsback", "mannco"}
    assert settings["mannco"]["base_url"] == providers.mannco_url
    assert all("" not in table.values() for table in settings.values())


async def test_given_ports(world):
    """With a first port the others follow."""
    for first_port in range(42100, 42900, 10):  # the first four in a row that nobody has
        with contextlib.suppress(OSError):
            async with SimulatedProviders(world, first_port=first_port) as providers:
                assert providers.assetpay_url == f"http://127.0.0.1:{first_port}"
                assert providers.mannco_url == f"http://127.0.0.1:{first_port + 3}"
                return
    pytest.fail("no free ports")


async def test_port_in_use(world, session):
    """Where one port is in use none of the providers is left running."""
    async with SimulatedMannco(world) as other:
        providers = SimulatedProviders(world, first_port=other.port - 3)
        with pytest.raises(OSError, match="address already in use"):
            await providers.__aenter__()

    for server in (providers.assetpay, providers.assetpay_legacy, providers.skinsback):
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(server.url)


async def test_stopped_and_started(providers, ask):
    """A stopped provider is not reached; started again, it is where it was."""
    url = providers.assetpay_url
    await providers.assetpay.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask()
    await providers.assetpay.start()

    assert providers.assetpay_url == url
    assert (await ask())[0].status == 200


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        (faults.html(), 200, b"<!DOCTYPE html>"),
        (faults.html(502), 502, b"<!DOCTYPE html>"),
        (faults.answer(200, b""), 200, b""),
        (faults.answer(200, b'{"success":true}'), 200, b'{"success":true}'),
        (faults.redirect("https://elsewhere.example/"), 302, b""),
        (faults.throttled(retry_after="3"), 429, b"slow down"),
        (faults.oversized(9 * 2**20), 200, b"[   "),
        (faults.oversized(9 * 2**20, compressed=True), 200, b"[   "),
    ],
)
async def test_wrong_answers(providers, ask, fault, status, start):
    """A fault answers one request, the next one is answered as usual; both are remembered."""
    providers.assetpay.faults.append(fault)

    response, body = await ask()

    assert (response.status, body[: len(start)]) == (status, start)
    assert (await ask())[1].startswith(b'{"requestId"')
    assert providers.assetpay.calls == {"GET /secure/inventory": 2}
    assert [asked.query.keys() for asked in providers.assetpay.asked] == [{"tradeUrl"}] * 2


@pytest.mark.parametrize("fault", [faults.lost_before, faults.lost_after, faults.half])
async def test_lost_answers(providers, ask, fault):
    """A connection that ends too early gives no whole answer."""
    providers.assetpay.faults.append(fault)

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
        await ask()
    assert (await ask())[0].status == 200


async def test_slow_answers(providers, ask):
    """A drip begins, and does not end in time."""
    providers.assetpay.faults.append(faults.drip(pause=0.05))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(), timeout=0.5)


async def test_gate(providers, ask):
    """A gate holds a request, or its answer, until it is opened."""
    for after in (False, True):
        gate = faults.Gate(after=after)
        providers.assetpay.faults.append(gate)
        asking = asyncio.create_task(ask())
        await gate.reached.wait()
        assert not asking.done()
        gate.open()
        assert (await asking)[0].status == 200


async def test_page_for_a_person(ask, world):
    """Looking up a certain person always gets a proxy's page."""
    response, _ = await ask(world.html)

    assert (response.status, response.content_type) == (200, "text/html")


async def test_stop_under_hanging_requests(world, session):
    """Stopping takes no longer than a moment, whatever hangs."""
    async with SimulatedProviders(world) as providers:
        gates = [faults.Gate() for _ in range(3)]
        providers.mannco.faults.extend(gates)
        hanging = [asyncio.create_task(session.get(f"{providers.mannco_url}/trades/all")) for _ in gates]
        await asyncio.gather(*(gate.reached.wait() for gate in gates))
        began = time.monotonic()

    assert time.monotonic() - began < 3
    ended = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(end, aiohttp.ClientError) for end in ended)


async def test_client_that_gives_up(providers, ask):
    """A request whose client went away is cancelled at the server."""
    cancelled = asyncio.Event()

    async def fault(_request, _act):
        try:
            await faults.never()
        finally:
            cancelled.set()

    providers.assetpay.faults.append(fault)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(), timeout=0.2)

    await asyncio.wait_for(cancelled.wait(), timeout=10)


async def test_person_who_is_never_answered(ask, world):
    """Looking up a certain person never gets an answer."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(world.hanging), timeout=0.2)


async def test_nothing_secret_is_logged(providers, ask, world, caplog):
    """No log line, at any level, holds a token or a key, and a remembered request does not print them."""
    caplog.set_level(logging.DEBUG)
    providers.assetpay.faults.append(faults.lost_before)
    with pytest.raises(aiohttp.ClientError):
        await ask()
    await ask()
    await ask(world.private)

    told = caplog.text + repr(list(providers.assetpay.asked))
    assert world.customer.token not in told
    assert world.credentials.assetpay_api_key not in told
