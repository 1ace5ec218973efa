"""The simulated SkinsBack follows seed 003."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from bot.demo.providers.skinsback import ERRORS, SimulatedSkinsBack

ENTRY = {"item", "name", "price", "stickers", "disabled"}
ITEM = {"asset_id", "tradable", "app_id", "icon_url", "class_id"}


@pytest.fixture
async def server(world):
    async with SimulatedSkinsBack(world) as server:
        yield server


@pytest.fixture
def call(server, world, session):
    """Call ``user_inventory`` with the headers' authentication, for the customer unless said otherwise."""

    async def call(person=world.customer, *, headers=None, **changes):
        fields = {
            "method": "user_inventory",
            "game": "cs2",
            "steam_id": str(person.steam_id),
            "trade_token": person.token,
            **changes,
        }
        credentials = world.credentials
        right = {"X-CLIENT-ID": credentials.skinsback_client_id, "X-CLIENT-SECRET": credentials.skinsback_client_secret}
        sent = {name: value for name, value in fields.items() if value is not None}
        async with session.post(server.url, data=sent, headers=right if headers is None else headers) as response:
            assert response.status == 200
            return await response.json()

    return call


def error_of(body: dict[str, Any]) -> tuple[int, str]:
    assert set(body) == {"status", "error_code", "error_message"}
    assert body["status"] == "error"
    return body["error_code"], body["error_message"]


async def test_inventory(call, server):
    """One answer of the seed's shape has all items, without local prices."""
    body = await call()

    assert (body["status"], set(body["data"])) == ("success", {"items"})
    items = body["data"]["items"]
    assert len(items) == 64
    assert all(set(entry) == ENTRY and set(entry["item"]) == ITEM for entry in items)
    assert {type(entry["item"]["tradable"]) for entry in items} == {int}
    assert {entry["item"]["tradable"] for entry in items} == {0, 1}
    assert {entry["disabled"] for entry in items} == {True, False}
    assert any(entry["stickers"] for entry in items)
    assert not server.unknown_parameters


CUSTOM = {"custom_currency": "GEM", "custom_currency_rate": "10"}


@pytest.mark.parametrize(
    ("sent", "currency", "rate", "multiplier"),
    [
        ({"currency": "RUB"}, "rub", 92.7, 0.7),
        ({"currency": "usd", "custom_multiplier": "2"}, "usd", 1, 2),
        (CUSTOM, "GEM", 10, 0.7),
        ({"currency": "eur", "custom_multiplier": "0.5"} | CUSTOM, "GEM", 10, 0.5),
    ],
)
async def test_currency(call, sent, currency, rate, multiplier):
    """With a currency there are local prices, one of them multiplied by the project's or the given multiplier."""
    data = (await call(**sent))["data"]

    entry = data["items"][0]
    assert data["currency_local"] == currency
    assert set(entry) == ENTRY | {"price_local", "multiplied_price_local"}
    assert entry["price_local"] == pytest.approx(entry["price"] * rate, abs=0.01)
    assert entry["multiplied_price_local"] == pytest.approx(entry["price_local"] * multiplier, abs=0.01)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"currency": "xyz"}, 4),
        (CUSTOM | {"custom_currency": "COINS"}, 8),
        ({"custom_currency_rate": "10"}, 8),
        (CUSTOM | {"custom_currency_rate": "0.09"}, 9),
        ({"custom_currency": "GEM"}, 9),
        ({"custom_multiplier": "0.49"}, 10),
        ({"custom_multiplier": "2.01"}, 10),
    ],
)
async def test_refused_prices(call, sent, code):
    """Currencies, rates and multipliers outside of the seed's bounds are refused with its errors."""
    assert error_of(await call(**sent)) == (code, ERRORS[code])


async def test_every_documented_code(call, world):
    """A trade token selects every documented error, negative ones too."""
    tokens = {code: world.error_trade_url(code).rpartition("=")[2] for code in ERRORS}
    reached = dict([error_of(await call(trade_token=token)) for token in tokens.values()])

    assert reached == ERRORS
    assert len(ERRORS) == 19
    assert tokens[-10] == "N0000010"


async def test_signature(call, world):
    """Without the headers, ``shopid`` and a signature over all plain parameters authenticate."""
    credentials, customer = world.credentials, world.customer
    # The documented rule: sorted by name, each "name:value;", without arrays, HMAC-SHA1, lower-case hex.
    text = (
        f"currency:eur;game:cs2;method:user_inventory;shopid:{credentials.skinsback_client_id};"
        f"steam_id:{customer.steam_id};trade_token:{customer.token};"
    )
    sign = hmac.new(credentials.skinsback_client_secret.encode(), text.encode(), hashlib.sha1).hexdigest()
    signed = {"shopid": credentials.skinsback_client_id, "currency": "eur", "more[]": "1"}

    assert (await call(headers={}, **signed, sign=sign))["status"] == "success"
    assert error_of(await call(headers={}, **signed, sign=sign.upper()))[0] == -3
    assert error_of(await call(headers={}, **signed, sign=sign, game="rust"))[0] == -3
    assert error_of(await call(headers={}, **signed))[0] == -3
    assert error_of(await call(headers={}, shopid="1", sign=sign))[0] == -2
