"""The simulated api.assetpay.gg follows seeds 000 and 001."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.people import trade_url
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


async def test_filter_and_sort(secure):
    """Search, prices and sort apply to names and offers, and the count covers the matching items."""
    _, named = await secure(search="redline")
    _, priced = await secure(minPrice="1", maxPrice="20.5", sort="priceAsc", limit="-1")
    _, by_name = await secure(sort="nameDesc", limit="-1")

    assert {"redline" in item["name"].lower() for item in named["data"]["inventory"]} == {True}
    prices = [item["offer"]["price"] for item in priced["data"]["inventory"]]
    assert prices == sorted(prices)
    assert 0 < len(prices) == priced["data"]["count"] < by_name["data"]["count"]
    names = [item["name"].casefold() for item in by_name["data"]["inventory"]]
    assert names == sorted(names, reverse=True)


async def test_kinds_of_items(secure):
    """There are accepted and refused items, items on hold, items without an offer, and stacks."""
    _, body = await secure(limit="-1")
    _, rust = await secure(game="252490")

    kinds = {(item["tradable"], "offer" in item and item["offer"]["accepted"]) for item in body["data"]["inventory"]}
    assert kinds == {(True, True), (True, False), (False, False)}
    assert any("offer" not in item for item in body["data"]["inventory"])
    stack = rust["data"]["inventory"][0]
    assert (stack["appid"], stack["amount"] > 1, stack["offer"]["maxAmount"]) == (252490, True, 10)


@pytest.mark.parametrize(
    "query",
    [
        {"perPage": "10"},
        {"sort": "price_asc"},
        {"game": "570"},
        {"refresh": "True"},
        {"search": "x" * 101},
        {"minPrice": "1E+3"},
        {"maxPrice": "-1"},
        {"page": "0"},
        {"limit": "-2"},
        {"limit": ""},
    ],
)
async def test_bad_query(secure, query):
    """An undocumented parameter or value is a validation error that names the parameter."""
    status, body = await secure(**query)

    assert (status, body["error"]["code"], body["error"]["key"]) == (422, 1001, "VALIDATION_FAILED")
    assert list(body["error"]["fields"]) == list(query)
    assert isinstance(body["error"]["message"], list)


async def test_repeated_and_missing_parameter(server, session, world):
    """Both are validation errors."""
    query = [("game", "730"), ("game", "252490")]
    headers = {"api-key": world.credentials.assetpay_api_key}
    async with session.get(f"{server.url}/secure/inventory", params=query, headers=headers) as response:
        body = await response.json()

    assert set(body["error"]["fields"]) == {"game", "tradeUrl"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://", "http://"),
        ("/new/?", "/new?"),
        ("partner=", "partner=0000000"),
        ("&token=", "&amp;token="),
    ],
)
async def test_refused_trade_url(secure, world, old, new):
    """A trade URL is refused in any spelling but one, and with another account's token."""
    for url in (world.customer.trade_url.replace(old, new), trade_url(world.customer.steam_id, "AbCdEfGh")):
        assert error_of(await secure(url)) == (400, 13, "INVALID_TRADEURL")


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        (None, (401, 1900, "MISSING_API_KEY")),
        ("x", (401, 1901, "INVALID_API_KEY")),
        ("_revoked", (401, 1902, "API_KEY_REVOKED")),
        ("_noscope", (403, 1903, "API_KEY_SCOPE_DENIED")),
        ("_elsewhere", (403, 1904, "API_KEY_IP_DENIED")),
    ],
)
async def test_wrong_api_key(secure, world, suffix, expected):
    """Each kind of wrong key has its own code."""
    key = None if suffix is None else world.credentials.assetpay_api_key + suffix

    assert error_of(await secure(key=key)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("private", (424, 3, "INVENTORY_FETCH_FAILED")),
        ("trade_banned", (400, 7, "USER_NOT_TRADEABLE")),
        ("steam_down", (424, 31, "STEAM_UNAVAILABLE")),
        ("rate_limited", (424, 33, "STEAM_RATE_LIMITED")),
        ("no_bots", (503, 1010, "NO_BOTS_AVAILABLE")),
        ("fleet_degraded", (503, 1011, "FLEET_DEGRADED")),
        ("undocumented", (400, 4242, "SOMETHING_NEW")),
    ],
)
async def test_conditions(secure, client, server, world, name, expected):
    """Each condition leads to the documented error, on both paths."""
    person = getattr(world, name)
    token = server.client_tokens.issue(person.steam_id, person.trade_url)

    assert error_of(await secure(person.trade_url)) == expected
    assert error_of(await client(token)) == expected


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


@pytest.mark.parametrize("change", [{"clientSteamId": "76561197960265729"}, {"clientSteamId": 1}, {"tradeUrl": "x"}])
async def test_bad_authentication_body(authenticate, world, change):
    """A body other than the documented one is refused."""
    body = {"clientSteamId": str(world.customer.steam_id), "clientTradeUrl": world.customer.trade_url, **change}

    assert error_of(await authenticate(body))[1] == 1001
    assert error_of(await authenticate(body, key="ap_x"))[1] == 1901


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
