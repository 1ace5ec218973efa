"""Every adapter turns a hostile answer into a clear failure that repeats nothing secret."""

import json
import logging
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind, TradeUrlCheck
from bot.domain.inventory import Inventory
from bot.domain.resends import Receipt
from bot.domain.trades import TradeList, TradeReading
from tests.providers.calls import (
    CALLS,
    check_of_trade_url,
    resend,
    secure,
    skinsback,
    trade_by_reference,
    trades,
    trades_by_token,
)
from tests.support.loopback import as_json, content, hang, in_turn, redirect, runs_out, truncated

HOSTILE = {
    "html": (content(b"<!doctype html><h1>CANARY", content_type="text/html"), FailureKind.NONSENSE),
    "empty": (content(b""), FailureKind.NONSENSE),
    "cut json": (content(b'{"success": true, "data": {"inventory": ['), FailureKind.NONSENSE),
    "list": (content(b"[]"), FailureKind.NONSENSE),
    "empty object": (content(b"{}"), FailureKind.NONSENSE),
    "deep": (content(b'{"err":' + b"[" * 1_000 + b"]" * 1_000 + b"}"), FailureKind.NONSENSE),
    "large html": (content(b"<p>" * 200_000), FailureKind.NONSENSE),
    "wrong types": (as_json({"success": [], "err": {}, "status": 5, "data": "CANARY"}), FailureKind.NONSENSE),
    "bad gzip": (content(b"CANARY", content_encoding="gzip"), FailureKind.NONSENSE),
    "large": (content(b" " * 2_000_000), FailureKind.TOO_LARGE),
    "truncated": (truncated(b'{"success":', missing=9), FailureKind.LOST),
    "hangs": (runs_out(hang), FailureKind.TIMED_OUT),
    "redirect": (redirect("https://CANARY.example/?token=CANARY"), FailureKind.REDIRECTED),
    "404 html": (content(b"<html>CANARY", 404), FailureKind.BLOCKED),
    "451": (content(b"", 451), FailureKind.BLOCKED),
    "429": (content(b"slow down", 429), FailureKind.THROTTLED),
    "502 html": (content(b"<html>CANARY", 502), FailureKind.BROKEN),
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize(("reply", "kind"), HOSTILE.values(), ids=HOSTILE)
async def test_hostile_answers(server, connect, caplog, call, reply, kind):
    """Each hostile answer is one kind of failure; no part of it or of the request is shown or logged."""
    caplog.set_level(logging.DEBUG)
    server.script = in_turn(reply)

    with pytest.raises(ProviderError) as caught:
        await call(connect(CALLS[call], body=1_000_000))

    assert caught.value.failure.kind is kind
    asked = [request.target for request in server.requests]
    assert len(asked) == len(set(asked))  # none was sent again
    shown = [str(caught.value), repr(caught.value), repr(caught.value.failure), caplog.text]
    shown += traceback.format_exception(caught.value)
    assert "CANARY" not in "".join(shown)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = (
    "id name marketHashName offer price accepted maxAmount wear color stickers amount tradable item asset_id disabled "
    "items_send user bot code timestamp lasterror trade_id message "
    "type game clientSteamID items totalPrice preCredit externalId offerID holdEndDate createdAt error botInfo "
    "nextCursor count state steamid canTrade reason bans"
)
OBJECT = st.dictionaries(st.sampled_from(NAMES.split()), ANYTHING, max_size=8)
ENVELOPE = st.fixed_dictionaries(
    {
        "success": st.just(True) | ANYTHING,
        "err": st.just(False) | ANYTHING,
        "status": st.just("success") | ANYTHING,
        "data": ANYTHING
        | OBJECT
        | st.lists(OBJECT)
        | st.fixed_dictionaries({"inventory": st.lists(OBJECT), "items": st.lists(OBJECT), "nextCursor": ANYTHING}),
        "content": ANYTHING | OBJECT | st.fixed_dictionaries({"trades": st.lists(OBJECT)}),
        "error": ANYTHING | OBJECT,
    }
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=ENVELOPE)
async def test_any_document(server, connect, document):
    """Any document is an answer or a ProviderError."""
    body = json.dumps(document).encode()
    server.script = in_turn(content(body))
    for call in (secure, skinsback, trades, resend, trade_by_reference, trades_by_token, check_of_trade_url):
        try:
            found = await call(connect(CALLS[call]))
        except ProviderError as error:
            assert error.failure.kind in {FailureKind.NONSENSE, FailureKind.REFUSED}  # noqa: PT017 -- either is fine
        else:
            assert isinstance(found, Inventory | Receipt | TradeList | TradeReading | TradeUrlCheck)
