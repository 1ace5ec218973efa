"""The trades of the simulated AssetPay, in both dialects, follow trades.md."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from yarl import URL

from bot.demo.people import trade_url
from bot.demo.providers.assetpay import SimulatedAssetPay, SimulatedAssetPayLegacy

# The fields that trades.md, 1.5, marks as required.
REQUIRED = {
    *("id", "type", "source", "status", "game", "merchantId", "clientUserId", "clientSteamID", "clientTradeUrl"),
    *("items", "totalPrice", "createdAt", "updatedAt"),
}


@pytest.fixture
async def server(world):
    async with SimulatedAssetPay(world) as server:
        yield server


@pytest.fixture
async def legacy(world):
    async with SimulatedAssetPayLegacy(world) as server:
        yield server


@pytest.fixture
def single(server, world, session):
    """Ask for trades by their numbers, as they are to stand in the path; return status and body."""

    async def call(path, *, key=world.credentials.assetpay_api_key, **query):
        url = URL(f"{server.url}/secure/trades/{path}", encoded=True)
        async with session.get(url, params=query, headers={"api-key": key}) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
def listed(server, world, session):
    """List the trades of a client; return status and body."""

    async def call(person=world.customer, on=server, **query):
        headers = {"Authorization": on.client_tokens.issue(person.steam_id, person.trade_url)}
        async with session.get(f"{on.url}/client/trades", params=query, headers=headers) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
def check(server, world, session):
    """Check a trade URL; return status and body."""

    async def call(tradeurl, **more):
        url, headers = f"{server.url}/secure/check-tradeurl", {"api-key": world.credentials.assetpay_api_key}
        async with session.post(url, json={"tradeurl": tradeurl, **more}, headers=headers) as response:
            return response.status, await response.json()

    return call


def error_of(answer):
    status, body = answer
    assert body["success"] is False
    return status, body["error"]["code"], body["error"]["key"]


async def test_single_trade(single, world):
    """A trade is found by its own number and by the shop's; a number that no trade has is not found."""
    held = world.assetpay_trades[0]

    for ref in (held.id, held.shop_reference):
        status, body = await single(ref)
        row = body["data"]
        assert (status, row["id"], row["status"], row["type"]) == (200, held.id, "hold", "deposit")
        assert row.keys() >= REQUIRED | {"preCredit", "pendingCredit", "isInstant", "offerID", "holdEndDate", "botInfo"}
        assert (row["clientSteamID"], row["clientTradeUrl"]) == (
            str(world.customer.steam_id),
            world.customer.trade_url,
        )
        assert row["preCredit"] + row["pendingCredit"] == pytest.approx(row["totalPrice"])
    assert error_of(await single("order-1")) == (404, 21, "TRADE_NOT_FOUND")
    assert error_of(await single(held.id, key="ap_wrong"))[2] == "INVALID_API_KEY"
    assert error_of(await single(held.id, game="730"))[1] == 1001
    assert error_of(await single("E0001005"))[2] == "RATE_LIMITED"


async def test_several_trades(single, world):
    """Several numbers, each encoded and with bare commas between, get those that are found, each once."""
    hostile = next(trade for trade in world.assetpay_trades if trade.owner is world.hostile)
    refs = [world.assetpay_trades[0].id, quote(hostile.shop_reference, safe=""), "order-1"]

    _, body = await single(",".join(refs * 2))

    assert {row["id"] for row in body["data"]} == {world.assetpay_trades[0].id, hostile.id}
    assert (await single(f"{refs[0]},{refs[0]}"))[1]["data"]["id"] == refs[0]
    assert (await single(",".join(map(str, range(100)))))[1]["data"] == []
    assert error_of(await single(",".join(map(str, range(101)))))[1] == 1001


async def test_pages(listed, world):
    """Cursors lead through all trades of a game, the newest first, each once."""
    own = [trade for trade in world.assetpay_trades if trade.owner is world.customer and trade.game == 730]
    rows, query, pages = [], {"limit": "7"}, 0
    while query.get("cursor", "") is not None:
        data = (await listed(**query))[1]["data"]
        rows += data["items"]
        query["cursor"], pages = data["nextCursor"], pages + 1

    assert pages == -(-len(own) // 7)
    assert [row["id"] for row in rows] == [each.id for each in sorted(own, key=lambda each: each.created_at)][::-1]
    assert {row["type"] for row in (await listed(type="withdraw"))[1]["data"]["items"]} == {"withdraw"}
    rust = (await listed(game="252490"))[1]["data"]["items"]
    assert {(row["game"], row["pendingCredit"], row.get("holdEndDate")) for row in rust} == {("252490", 0, None)}


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"cursor": "x"}, {"game": "570"}, {"page": "1"}])
async def test_refused_queries(listed, query):
    """Parameters that are not documented, or outside of their limits, are refused by name."""
    answer = await listed(**query)

    assert error_of(answer)[1:] == (1001, "VALIDATION_FAILED")
    assert list(answer[1]["error"]["fields"]) == list(query)


async def test_items(listed):
    """A withdrawal's items have a status each; a fresh one's have no names; the trade's error is its items'."""
    rows = (await listed(limit="100"))[1]["data"]["items"]
    withdrawals = [row for row in rows if row["type"] == "withdraw"]

    for row in rows:
        for item in row["items"]:
            assert ("status" in item) == (row in withdrawals)
            assert ("name" in item) == (row["status"] != "initiated" or row not in withdrawals)
    mixed = next(row for row in withdrawals if "externalId" not in row)
    assert [item.get("error") for item in mixed["items"]] == [None, "NO_LISTING_AT_PRICE", None]
    failed = next(row for row in withdrawals if row["status"] == "failed")
    assert {item["error"] for item in failed["items"]} == {failed["error"]}


async def test_legacy(legacy, listed, world):
    """The older dialect has upper-case words, numbered pages, a count, ``readyAt`` and ``purchaseStatus``."""
    data = (await listed(on=legacy, limit="4", page="3"))[1]["data"]
    everything = (await listed(on=legacy))[1]["data"]["trades"]

    assert (data["count"], data["trades"]) == (9, everything[8:])
    assert all(row["status"].isupper() and row["type"] in ("DEPOSIT", "WITHDRAW") for row in everything)
    assert not any(row.keys() & {"source", "activeAt"} for row in everything)
    assert any("readyAt" in row for row in everything)
    partial = next(row for row in everything if row["status"] == "PARTIAL")
    assert [item["purchaseStatus"] for item in partial["items"]] == ["COMPLETED", "FAILED"]
    assert error_of(await listed(on=legacy, cursor="x"))[1] == 1001


async def test_trade_url_checks(check, world):
    """A check names the account's state, and why it cannot trade."""
    states = {}
    for person in (world.customer, world.trade_banned, world.private, world.escrowed, world.steam_down):
        data = (await check(person.trade_url, forceRefresh=True))[1]["data"]
        states[person.nickname] = data["state"], data.get("canTrade"), data.get("reason", {}).get("escrowDays")

    assert states == {
        "Mia": (1, True, None),
        "Bruno": (4, False, 0),
        "Priya": (5, None, None),
        "Tomas": (1, False, 15),
        "Stella": (10, None, None),
    }
    assert (await check(trade_url(world.customer.steam_id, "AAAAAAAA")))[1]["data"]["state"] == 6
    assert error_of(await check("https://steamcommunity.com/id/mia"))[1] == 1001
    assert error_of(await check(world.customer.trade_url, more=1))[1] == 1001
