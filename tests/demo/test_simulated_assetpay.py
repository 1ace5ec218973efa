"""The simulated api.assetpay.gg follows seeds 000 and 001."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.providers.assetpay import ERRORS, SimulatedAssetPay

# The keys of the samples in seeds 000 and 001.
SECURE_ITEM = {
    *("id", "name", "marketHashName", "appid", "tradable", "marketPrice", "offer", "exterior", "wear", "stickers"),
}
CLIENT_ITEM = SECURE_ITEM | {"type", "iconUrl", "rarity", "color", "paintSeed", "propId"}
CLIENT_OFFER = {"price", "reference", "accepted", "maxAmount"}
STICKER = {"name", "marketHashName", "slot", "wear", "iconUrl"}


@pytest.fixture
async def server(world):
    async with SimulatedAssetPay(world) as server:
        yield server


@pytest.fixture
def secure(server, world, session):
    """Call ``/secure/inventory`` and return status and body."""

    async def call(url=None, *, key=world.credentials.assetpay_api_key, **query):
        headers = {} if key is None else {"api-key": key}
        query = {"tradeUrl": url or world.customer.trade_url, **query}
        async with session.get(f"{server.url}/secure/inventory", params=query, headers=headers) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
def client(server, session):
    """Call ``/client/inventory`` and return status and body."""

    async def call(authorization, **query):
        headers = {} if authorization is None else {"Authorization": authorization}
        async with session.get(f"{server.url}/client/inventory", params=query, headers=headers) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
def authenticate(server, world, session):
    """Call ``/auth/authenticate-client`` and return status and body."""

    async def call(body, *, key=world.credentials.assetpay_api_key):
        url = f"{server.url}/auth/authenticate-client"
        async with session.post(url, json=body, headers={"api-key": key}) as response:
            return response.status, await response.json()

    return call


def error_of(answer: tuple[int, Any]) -> tuple[int, int, str]:
    status, body = answer
    assert body["success"] is False
    assert set(body) == {"requestId", "success", "error"}
    return status, body["error"]["code"], body["error"]["key"]


async def test_secure_inventory(secure):
    """The answer has seed 000's shape and its sample item."""
    status, body = await secure()

    assert status == 200
    assert set(body) == {"requestId", "success", "data"}
    assert body["success"] is True
    assert set(body["data"]) == {"inventory", "count", "updatedAt", "collateral"}
    assert body["data"]["collateral"] == 0
    assert body["data"]["updatedAt"] == "2026-11-05T11:53:00.000Z"
    redline = body["data"]["inventory"][0]
    assert set(redline) >= SECURE_ITEM
    assert redline["marketHashName"] == "AK-47 | Redline (Field-Tested)"
    assert (redline["marketPrice"], redline["offer"]["price"], redline["wear"]) == (12.5, 10.75, "0.25432")
    assert redline["offer"]["reference"].isdigit()
    assert redline["offer"]["accepted"] is True


async def test_client_inventory(server, client, world):
    """The answer has seed 001's shape and belongs to the token's user."""
    token = server.client_tokens.issue(world.customer.steam_id, world.customer.trade_url)

    status, body = await client(token)

    assert status == 200
    assert body["data"]["collateral"] == 150
    redline = body["data"]["inventory"][0]
    assert set(redline) == CLIENT_ITEM
    assert set(redline["offer"]) == CLIENT_OFFER
    assert set(redline["stickers"][0]) == STICKER
    assert redline["propId"].startswith(f"S{world.customer.steam_id}A")


async def test_pages(secure, world):
    """A page has 50 items by default, the count covers all pages, and -1 turns paging off."""
    total = len(world.customer.inventories[730])
    first, second, third, everything = [
        (await secure(**query))[1]["data"]
        for query in ({}, {"page": "2"}, {"page": "3", "limit": "50"}, {"limit": "-1"})
    ]

    assert total > 60
    assert [page["count"] for page in (first, second, third, everything)] == [total] * 4
    assert len(first["inventory"]) == 50
    assert first["inventory"] + second["inventory"] == everything["inventory"]
    assert third["inventory"] == []


async def test_every_documented_code(secure, client, server, world):
    """A trade token selects every documented error, both keys of a number, and any other number."""
    reached = set()
    for row in ERRORS:
        for second in (False, True):
            url = world.error_trade_url(row.code, second=second)
            reached.add(error_of(await secure(url)))
    token = server.client_tokens.issue(world.customer.steam_id, world.error_trade_url(31))

    assert reached == {(row.status, row.code, row.key) for row in ERRORS}
    assert len(ERRORS) == 90
    assert error_of(await client(token)) == (424, 31, "STEAM_UNAVAILABLE")
    assert error_of(await secure(world.error_trade_url(-10))) == (400, -10, "SOMETHING_NEW")


async def test_authenticate_client(authenticate, client, world):
    """The API key gets a client token for the account, valid for 24 hours."""
    customer = world.customer
    body = {"clientSteamId": str(customer.steam_id), "clientTradeUrl": customer.trade_url}

    status, answer = await authenticate(body)

    token = answer["data"]["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert status == 200
    assert claims["client"]["steamID"] == str(customer.steam_id)
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert (await client(token))[0] == 200


async def test_wrong_client_token(server, client, world, clock):
    """A token that is missing, unknown, forged or expired is refused."""
    token = server.client_tokens.issue(world.customer.steam_id, world.customer.trade_url)
    other = server.client_tokens.issue(world.other_customer.steam_id, world.other_customer.trade_url)
    head, _, signature = token.split(".")

    assert error_of(await client(None)) == (401, 1108, "MISSING_BEARER")
    for wrong in ("nonsense", "a.b.c", f"Bearer {token}", f"{head}.{other.split('.')[1]}.{signature}"):
        assert error_of(await client(wrong)) == (401, 1102, "INVALID_TOKEN")
    assert (await client(token))[0] == 200
    clock.move(timedelta(hours=24))
    assert error_of(await client(token)) == (401, 1102, "INVALID_TOKEN")
