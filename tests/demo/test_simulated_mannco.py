"""The simulated Mannco.store follows seed 004."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.demo.providers import tokens
from bot.demo.providers.mannco import SimulatedMannco
from bot.demo.trades import ResendAnswer

ACTIVE_TRADE = {
    *("id", "items_received", "status", "items_send", "user", "bot", "code", "lasterror", "offerid", "timestamp"),
}
NOT_MET = "Failed to resend trade. Trade not found or conditions not met."


@pytest.fixture
async def server(world):
    async with SimulatedMannco(world, as_admin=True) as server:
        yield server


@pytest.fixture
def get(server, session):
    """GET a path with a JWT and return status and body."""

    async def call(path, *, authorization=None, **query):
        headers = {"Authorization": authorization or f"Bearer {server.issue_token()}"}
        async with session.get(server.url + path, params=query, headers=headers, allow_redirects=False) as response:
            return response.status, await (response.text() if response.content_type == "text/html" else response.json())

    return call


@pytest.fixture
def resendable(world):
    return world.trades_of(world.customer)[0]


def error_of(answer: tuple[int, Any]) -> tuple[int, Any]:
    status, body = answer
    assert (body["err"], body["success"], set(body)) == (True, False, {"err", "success", "content"})
    return status, body["content"]


async def all_trades(get: Callable[[str], Awaitable[tuple[int, Any]]]) -> Any:
    status, body = await get("/trades/all")
    assert (status, body["err"], body["success"]) == (200, False, True)
    return body["content"]["trades"]


@pytest.mark.parametrize("form", ["json", "data"])
async def test_login(server, session, world, get, form):
    """The API key, in JSON or in a form, gets a valid JWT."""
    body = {form: {"apiKey": world.credentials.mannco_api_key}}
    async with session.post(f"{server.url}/user/login", **body) as response:
        answer = await response.json()

    assert (answer["err"], answer["success"], set(answer["content"])) == (False, True, {"jwt"})
    assert (await get("/trades/all", authorization=f"Bearer {answer['content']['jwt']}"))[0] == 200


async def test_active(get):
    """Only pending trades are active, in the seed's shape."""
    _, body = await get("/trades/active")

    trades = body["content"]["trades"]
    assert len(trades) == 6
    assert all(set(trade) == ACTIVE_TRADE and trade["status"] == 0 for trade in trades)
    assert all(isinstance(trade["timestamp"], str) and len(trade["timestamp"]) == 13 for trade in trades)


async def test_all(get):
    """All statuses except the hidden one are listed, the newest first, with the game."""
    trades = await all_trades(get)

    assert all(set(trade) == ACTIVE_TRADE | {"game"} for trade in trades)
    assert {trade["status"] for trade in trades} == {-1, 0, 3, 4, 5, 6, 7, 10, -12, 1, 2, 8, 9}
    stamps = [int(trade["timestamp"]) for trade in trades]
    assert stamps == sorted(stamps, reverse=True)
    assert {bool(trade["items_send"]) != bool(trade["items_received"]) for trade in trades} == {True}
    assert error_of(await get("/trades/all", page="2"))[0] == 300


async def test_resend(server, get, resendable, clock):
    """A resend makes a new pending offer of the same items, with a new code."""
    before = replace(resendable)
    clock.move(timedelta(minutes=1))

    status, body = await get("/trade/resend", resend=str(resendable.id))

    content = body["content"]
    assert (status, body["err"], body["success"]) == (200, False, True)
    assert content == {"message": "Trade resent successfully", "trade_id": before.id, "code": resendable.code}
    assert len(content["code"]) == 8
    assert content["code"] != before.code
    shown = (await all_trades(get))[0]
    assert (shown["id"], shown["status"], shown["code"]) == (before.id, 0, content["code"])
    assert shown["items_send"] == ",".join(before.items_send)
    assert shown["offerid"] != before.offer_id
    assert int(shown["timestamp"]) == clock().timestamp() * 1000
    assert error_of(await get("/trade/resend", resend=str(resendable.id))) == (300, NOT_MET)
    assert server.resend_calls == {before.id: 2}


async def test_missing_parameter(server, get, resendable):
    """Without the parameter nothing is done, and the answer names it; the other name counts as a call."""
    assert error_of(await get("/trade/resend")) == (300, "Missing resend parameter")
    assert error_of(await get("/trade/resend", id=str(resendable.id))) == (300, "Missing resend parameter")
    assert error_of(await get("/trade/resend", resend=str(resendable.id), id="1"))[0] == 300
    assert resendable.status == -1
    assert server.resend_calls == {resendable.id: 2, 1: 1}


@pytest.mark.parametrize(
    ("answer", "status", "done"),
    [
        (ResendAnswer.HTML, 200, False),
        (ResendAnswer.OTHER_TRADE, 200, True),
        (ResendAnswer.REFUSE, 300, False),
        (ResendAnswer.FORBIDDEN, 403, False),
        (ResendAnswer.THROTTLED, 429, False),
        (ResendAnswer.SERVER_ERROR_AFTER, 500, True),
    ],
)
async def test_programmed_answers(server, get, resendable, answer, status, done):
    """The next call gets the programmed answer, and the call after it the documented one."""
    server.next_resends.append(answer)

    found, body = await get("/trade/resend", resend=str(resendable.id))

    assert found == status
    assert resendable.code not in str(body)
    assert (resendable.status == 0) is done
    assert (await get("/trade/resend", resend=str(resendable.id)))[0] == (300 if done else 200)


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (ResendAnswer.LOST_BEFORE, False),
        (ResendAnswer.LOST_AFTER, True),
        (ResendAnswer.HANG, False),
        (ResendAnswer.HANG_AFTER, True),
    ],
)
async def test_no_answer(server, get, resendable, answer, done):
    """Without an answer the resend may have been done; the call is counted once."""
    server.next_resends.append(answer)

    asking = asyncio.create_task(get("/trade/resend", resend=str(resendable.id)))
    await server.called("GET /trade/resend")
    done_by_now = resendable.status == 0
    asking.cancel()
    ended = await asyncio.gather(asking, return_exceptions=True)

    assert isinstance(ended[0], (aiohttp.ClientError, asyncio.CancelledError))
    assert done_by_now is done
    assert server.resend_calls == {resendable.id: 1}


async def test_key_of_one_account(server, get, world):
    """A key that is not an administrator's lists and resends its own account's trades only; its JWT names it."""
    server.as_admin, server.key_owner = False, world.other_customer.steam_id
    claims = tokens.claims_of(server.issue_token(), secret=world.credentials.mannco_jwt_secret)
    foreign = world.trades_of(world.customer)[0].id

    assert claims is not None
    assert claims["sub"] == claims["steamid"] == str(server.key_owner)
    assert {trade["user"] for trade in await all_trades(get)} == {str(server.key_owner)}
    assert (await get("/trades/all/76561198000000000"))[0] == 403
    assert error_of(await get("/trade/resend", resend=str(foreign))) == (300, NOT_MET)
    server.as_admin = True
    _, body = await get(f"/trades/active/{world.customer.steam_id}")
    assert {trade["user"] for trade in body["content"]["trades"]} == {str(world.customer.steam_id)}
