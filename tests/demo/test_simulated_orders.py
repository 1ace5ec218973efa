"""The deposits of the simulated SkinsBack follow trades.md, 3."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest

from bot.demo.providers.skinsback import ORDERSTATUS_ERRORS, SimulatedSkinsBack
from bot.demo.skinsback_deposits import RATES

ALWAYS = {"status", "transaction_id", "order_id", "steam_id", "date"}
AMOUNTS = {"amount", "amount_currency", "amount_in_currencies", "user_amount", "user_amount_in_currencies"}


@pytest.fixture
async def server(world):
    async with SimulatedSkinsBack(world) as server:
        yield server


@pytest.fixture
def call(server, world, session):
    """Call a method, signed as documented."""
    shop, secret = world.credentials.skinsback_client_id, world.credentials.skinsback_client_secret

    async def call(method, **fields):
        sent = {"method": method, "shopid": shop, **fields}
        text = "".join(f"{name}:{sent[name]};" for name in sorted(sent))
        sent["sign"] = hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()
        async with session.post(server.url, data=sent) as response:
            assert response.status == 200
            return await response.json()

    return call


@pytest.fixture
def orders(call, clock):
    """List the deposits of the last days."""

    async def orders(days=14, **more):
        starting = clock() - timedelta(days=days)
        return await call("orders", starting=int(starting.timestamp()), ending=int(clock().timestamp()), **more)

    return orders


async def test_walk(orders, server, world):
    """``start_from`` leads through the whole window, each deposit once; an older one is outside of it."""
    server.page_size = 10
    answers = [await orders()]
    while answers[-1]["has_more"]:
        answers.append(await orders(start_from=answers[-1]["start_from"]))

    inside = [each.transaction_id for each in world.deposits if world.now() - each.created_at <= timedelta(days=14)]
    assert {(answer["status"], answer["total_count"]) for answer in answers} == {("success", len(inside))}
    assert sorted(row["transaction_id"] for answer in answers for row in answer["items"]) == sorted(inside)
    assert len(answers) == server.method_calls["orders"] == -(-len(inside) // 10)
    assert (await orders(days=30))["total_count"] == len(world.deposits) > len(inside)
    assert not server.unknown_parameters


async def test_fields(orders):
    """Amounts, dates and skins are there in the documented states only."""
    rows = (await orders())["items"]

    for row in rows:
        has_amounts = row["status"] in ("success", "in_hold", "hold_approved")
        assert row.keys() >= ALWAYS
        assert row.keys() & AMOUNTS == (AMOUNTS if has_amounts else set())
        assert ("skins" in row) == (row["status"] == "success")
        if has_amounts:
            assert row["user_amount"] == pytest.approx(row["amount"] * 0.7, abs=0.01)
            assert row["amount_in_currencies"].keys() == RATES.keys()
            assert row["amount_in_currencies"][row["amount_currency"]] == row["amount"]
    pending = [row for row in rows if row["status"] == "pending"]
    assert {"offer_date" in row for row in pending} == {True, False}
    assert not any("skins_send_date" in row for row in pending)
    assert {row["steam_id"] is None for row in rows} == {True, False}


async def test_drift(orders, server):
    """Numbers and texts change places where third parties saw them so."""
    server.types_drift = True
    answer = await orders()

    row = next(row for row in answer["items"] if row["status"] == "success")
    kinds = [type(value) for value in (row["transaction_id"], row["order_id"], row["amount"], answer["total_count"])]
    assert kinds == [int, int, str, str]


async def test_one_deposit(call, world):
    """One deposit is found by either number; its status stands where an answer's usually does."""
    held = world.deposits[0]

    for named in ({"transaction_id": held.transaction_id}, {"order_id": held.order_id}):
        row = await call("orderstatus", **named)
        assert (row["status"], row["transaction_id"]) == ("in_hold", held.transaction_id)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({}, 1),
        ({"order_id": "x" * 129}, 2),
        ({"transaction_id": "x"}, 3),
        ({"order_id": "1"}, 4),
        ({"order_id": "E0000003"}, 3),
    ],
)
async def test_refused(call, named, code):
    answer = await call("orderstatus", **named)

    assert (answer["status"], answer["error_code"]) == ("error", code)
    assert answer["error_message"] == ORDERSTATUS_ERRORS[code]


async def test_missing_window(call):
    for window in ({}, {"starting": "1"}, {"starting": "1", "ending": "soon"}):
        assert (await call("orders", **window))["error_message"] == "missing_starting_or_ending"
