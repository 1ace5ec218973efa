"""Lists as the field sends them: one odd value costs that value, one odd row that row, and none is a list too."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.inventory import Refusal
from bot.domain.money import Money
from tests.providers.calls import client, client_by_key, secure, skinsback
from tests.support.loopback import as_json, content

NAMES = {
    secure: ProviderName.ASSETPAY,
    client: ProviderName.ASSETPAY_CLIENT,
    client_by_key: ProviderName.ASSETPAY_LEGACY,
    skinsback: ProviderName.SKINSBACK,
}
OF = pytest.mark.parametrize("call", [secure, client, client_by_key], ids=lambda call: call.__name__)
OFFER = Money(Decimal("1.25"))


@pytest.fixture
def looked_up(server, connect):
    """Look up an inventory in an answer; the older dialect gets a token first."""

    async def look_up(call, answer):
        token = as_json({"success": True, "data": {"token": "token-1"}})
        server.script = lambda request: token if request.path.startswith("/auth") else answer
        return await call(connect(NAMES[call]))

    return look_up


def asset(number=0, **changed):
    return {"id": f"i{number}", "tradable": True, "marketPrice": 2.5, "accepted": True,
            "offer": {"price": 1.25, "accepted": True}, **changed}  # fmt: skip


def skin(number=0, **changed):
    return {"item": {"asset_id": f"i{number}", "tradable": 1}, "name": "AK", "price": 1, "multiplied_price_local": 1.25,
            "stickers": [], "disabled": False, **changed}  # fmt: skip


def assetpay(*rows, **data):
    return as_json({"requestId": "r-1", "success": True, "data": {"inventory": rows, "count": len(rows), **data}})


def skins(items, **data):
    return as_json({"status": "success", "data": {"items": items, "currency_local": "eur", **data}})


@OF
@pytest.mark.parametrize(
    ("odd", "facts", "place"),
    [
        ({"marketPrice": -1}, {"market_price": None}, "marketPrice"),
        ({"marketPrice": ""}, {"market_price": None}, "marketPrice"),
        ({"marketPrice": "N/A"}, {"market_price": None}, "marketPrice"),
        ({"marketPrice": "2,5"}, {"market_price": None}, "marketPrice"),
        ({"marketPrice": True}, {"market_price": None}, "marketPrice"),
        ({"marketPrice": " 2.50 "}, {"market_price": Money(Decimal("2.50"))}, None),
        ({"tradable": "1"}, {"tradable": True}, None),
        ({"tradable": "maybe"}, {"tradable": None}, "tradable"),
        ({"amount": 0}, {"amount": 1}, "amount"),
        ({"amount": "5"}, {"amount": 5}, None),
        ({"name": 5}, {"name": "5"}, None),
        ({"name": {}}, {"name": "i7"}, "name"),
        ({"stickers": {"0": {}}}, {"stickers": ()}, "stickers"),
        ({"offer": False}, {"offer": None, "refusal": Refusal.NO_OFFER}, "offer"),
        ({"offer": {"price": -1, "accepted": True}}, {"offer": None, "refusal": Refusal.NO_OFFER}, "offer.price"),
        ({"offer": {"price": "N/A", "accepted": True}}, {"offer": None, "refusal": Refusal.NO_OFFER}, "offer.price"),
        ({"offer": {"price": 1, "accepted": []}}, {"offer": None, "refusal": Refusal.NO_OFFER}, "offer.accepted"),
        ({"offer": {"price": "1.25", "accepted": 1}}, {"offer": OFFER, "refusal": None}, None),
        ({"offer": {"price": 1.25000000000000000001, "accepted": True}}, {"offer": OFFER, "refusal": None}, None),
    ],
)
async def test_odd_value(looked_up, caplog, call, odd, facts, place):
    """Of 200 items, one has an odd value: all are shown, and the place is logged."""
    rows = [asset(number) for number in range(200)]
    rows[7] |= odd

    found = await looked_up(call, assetpay(*rows))

    assert (len(found.items), found.total, found.left_out) == (200, 200, 0)
    assert {name: getattr(found.items[7], name) for name in facts} == facts
    assert [found.items[number].offer for number in (6, 8)] == [OFFER, OFFER]
    assert {record.args[1] for record in caplog.records} == ({f"data.inventory[].{place}"} if place else set())


@OF
@pytest.mark.parametrize("odd", [None, 5, "x", [], {}, {"id": None}, {"id": " "}, {"id": []}, {"id": True}])
async def test_odd_row(looked_up, call, odd):
    """A row that is no item, or has no id, is left out and counted."""
    found = await looked_up(call, assetpay(asset(1), odd, asset(2)))

    assert [item.id for item in found.items] == ["i1", "i2"]
    assert (found.left_out, found.total, found.is_partial) == (1, 2, False)


@OF
@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ({"collateral": ""}, {"collateral": None}),
        ({"collateral": "150.00"}, {"collateral": Money(Decimal("150.00"))}),
        ({"collateral": {}}, {"collateral": None}),
        ({"count": -1}, {"total": 1}),
        ({"count": "3"}, {"total": 3}),
        ({"updatedAt": 1_780_315_200}, {"updated_at": datetime(2026, 6, 1, 12, tzinfo=UTC)}),
        ({"updatedAt": "1780315200000"}, {"updated_at": datetime(2026, 6, 1, 12, tzinfo=UTC)}),
        ({"updatedAt": "2026-06-01T14:00:00+02:00"}, {"updated_at": datetime(2026, 6, 1, 12, tzinfo=UTC)}),
        ({"count": []}, {"request_id": "r-1"}),
    ],
)
async def test_odd_facts(looked_up, call, data, facts):
    """What is said beside the items is read alike."""
    found = await looked_up(call, assetpay(asset(), **data))

    assert ([item.id for item in found.items], found.left_out) == (["i0"], 0)
    assert {name: getattr(found, name) for name in facts} == facts


@OF
@pytest.mark.parametrize(
    "data", [[], {"count": 0}, {"inventory": None}, {"inventory": {}}, {"inventory": []}, {"inventory": {}, "count": 0}]
)
async def test_empty(looked_up, call, data):
    """However an empty inventory is written, it is empty."""
    found = await looked_up(call, as_json({"success": True, "data": data}))

    assert (found.items, found.total, found.left_out) == ((), 0, 0)


@OF
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1e999999999", "1" * 400, "1e-99"])
async def test_no_number(looked_up, call, number):
    """What is no number of human size is never an amount, and costs at most the whole answer."""
    body = json.dumps({"success": True, "data": {"inventory": [asset(offer={"price": 0, "accepted": True})]}})

    try:
        (item,) = (await looked_up(call, content(body.replace(": 0", f": {number}").encode()))).items
    except Exception as error:  # noqa: BLE001 -- which one, the hostile tests say
        assert type(error).__name__ == "ProviderError"  # noqa: PT017 -- either is fine
    else:
        assert (item.offer, item.refusal) == (None, Refusal.NO_OFFER)


@pytest.mark.parametrize(
    ("items", "ids", "left_out"),
    [
        ({}, [], 0),
        (None, [], 0),
        ({"0": skin(1), "2": skin(2)}, ["i1", "i2"], 0),
        ([skin(1), {}, skin(2)], ["i1", "i2"], 1),
        ([skin(1), skin(2, item=None), skin(2, item={"asset_id": ""}), 5], ["i1"], 3),
        ([skin(1, item={"asset_id": 7, "tradable": "1"}), skin(2, name=[], stickers=["x"])], ["7", "i2"], 0),
    ],
)
async def test_skins(looked_up, items, ids, left_out):
    """SkinsBack's lists come in PHP's spellings too, and are read as tolerantly."""
    found = await looked_up(skinsback, skins(items))

    assert ([item.id for item in found.items], found.total, found.left_out) == (ids, len(ids), left_out)
    assert {item.offer for item in found.items} <= {Money(Decimal("1.25"), "EUR")}


@pytest.mark.parametrize(
    ("odd", "facts", "place"),
    [
        ({"price_local": "N/A"}, {"refusal": None}, "price_local"),
        (
            {"item": {"asset_id": "i7", "tradable": "?", "app_id": []}},
            {"tradable": None, "refusal": None},
            "item.app_id",
        ),
        ({"name": False}, {"name": "i7"}, "name"),
        ({"disabled": "0"}, {"refusal": None}, None),
        ({"disabled": "?"}, {"refusal": Refusal.DISABLED}, "disabled"),
        ({"multiplied_price_local": ""}, {"offer": None, "refusal": Refusal.NO_OFFER}, "multiplied_price_local"),
    ],
)
async def test_odd_skin(looked_up, caplog, odd, facts, place):
    """Of 200 items, one has an odd value: all are shown, and the place is logged."""
    rows = [skin(number) for number in range(200)]
    rows[7] |= odd

    found = await looked_up(skinsback, skins(rows))

    assert (len(found.items), found.left_out, found.credits_known) == (200, 0, True)
    assert {name: getattr(found.items[7], name) for name in facts} == facts
    places = {record.args[1] for record in caplog.records}
    assert f"data.items[].{place}" in places if place else not places


@pytest.mark.parametrize("call", NAMES, ids=lambda call: call.__name__)
@pytest.mark.parametrize("status", [401, 403, 404, 451])
@pytest.mark.parametrize("body", [b"", b"<!doctype html><h1>Access denied", b'{"message": "Forbidden"}', b"[]"])
async def test_refused_before(server, connect, failure_of, call, status, body):
    """Without the provider's envelope these statuses come from in front of its API."""
    server.script = lambda _: content(body, status)

    failure = await failure_of(call(connect(NAMES[call])))

    assert (failure.kind, failure.http_status, failure.place) == (FailureKind.BLOCKED, status, None)
