"""The simulated api.assetpay.co follows seed 002, with the older numbering."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.providers.assetpay import LEGACY_ERRORS, SimulatedAssetPayLegacy

# The keys of the sample in seed 002.
ITEM = {
    *("id", "name", "marketHashName", "type", "iconUrl", "appid", "contextid", "tradable", "accepted", "marketPrice"),
    *("offer", "exterior", "wear", "rarity", "color", "stickers", "paintSeed"),
}
OFFER = {"price", "reference", "maxAmount"}
STICKER = {"name", "slot", "wear", "iconUrl"}


@pytest.fixture
async def server(world):
    async with SimulatedAssetPayLegacy(world) as server:
        yield server


@pytest.fixture
def inventory_of(server, session):
    """Call ``/client/inventory`` with a token for a person or a trade URL."""

    async def call(person, url=None, **query):
        token = server.client_tokens.issue(person.steam_id, url or person.trade_url)
        address = f"{server.url}/client/inventory"
        async with session.get(address, params=query, headers={"Authorization": token}) as response:
            return response.status, await response.json()

    return call


def error_of(answer: tuple[int, Any]) -> tuple[int, int, str]:
    status, body = answer
    assert (body["success"], set(body)) == (False, {"requestId", "success", "error"})
    return status, body["error"]["code"], body["error"]["key"]


async def test_inventory(inventory_of, world):
    """The answer has the seed's shape: ``accepted`` is at the top of an item, not in its offer."""
    status, body = await inventory_of(world.customer)

    data = body["data"]
    assert status == 200
    assert set(data) == {"inventory", "count", "updatedAt", "collateral"}
    assert (len(data["inventory"]), data["count"], data["collateral"]) == (50, 64, 150)
    redline = data["inventory"][0]
    assert set(redline) == ITEM
    assert set(redline["offer"]) == OFFER
    assert set(redline["stickers"][0]) == STICKER
    assert (redline["contextid"], redline["accepted"]) == (2, True)
    assert {item.get("accepted") for item in data["inventory"]} == {True, False, None}


@pytest.mark.parametrize("query", [{"limit": "10"}, {"perPage": "-1"}, {"sort": "priceAsc"}, {"tradeUrl": "x"}])
async def test_spelling_of_the_other_dialect(inventory_of, world, query):
    """The spellings of the newer dialect are refused."""
    answer = await inventory_of(world.customer, **query)

    assert error_of(answer) == (400, 1001, "VALIDATION_FAILED")
    assert list(answer[1]["error"]["fields"]) == list(query)


async def test_every_documented_code(inventory_of, world):
    """A trade token selects every documented error."""
    reached = {error_of(await inventory_of(world.customer, world.error_trade_url(row.code))) for row in LEGACY_ERRORS}

    assert reached == {(row.status, row.code, row.key) for row in LEGACY_ERRORS}
    assert len(LEGACY_ERRORS) == 37
