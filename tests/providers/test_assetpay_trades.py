"""A trade in AssetPay's answers: the example, every drift that trades.md mentions, and no token kept."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, FailureKind, ProviderName
from bot.domain.money import Money
from bot.domain.secrets import Secret
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Direction, Trade, TradeItem, TradeQuery, TradeReference, TradeState, UnreadRow
from bot.providers.assetpay_client import ClientCalls, FixedClientToken
from bot.providers.assetpay_sources import AssetPayClientSource, AssetPaySource
from bot.providers.assetpay_trades import read_page, read_trade, state_of
from bot.providers.explanations import Catalogue
from bot.providers.reading import Fields, parse_json
from tests.providers.assetpay_fake import KEY, OWNER, TOKEN, item, refused, said, trade

HELD_UNTIL = datetime(2026, 3, 11, 10, tzinfo=UTC)
MADE = datetime(2026, 3, 4, 10, tzinfo=UTC)
CHANGED = datetime(2026, 3, 4, 10, 5, tzinfo=UTC)
URL = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={TOKEN}"
MASKED = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=••••"
NAME = "AK-47 | Redline (Field-Tested)"
SIDES = ("direction", "from_customer", "to_customer")
TOGETHER = {
    "items": SIDES, "direction": SIDES, "to_customer": SIDES,
    "state": ["status"], "status": ["state"], "bot": ["bot_name"],
}  # fmt: skip
"""Fields that come from one value."""
FINE = TradeItem(NAME, "1234567", Money(Decimal("10.75")))

ODD: list[tuple[str, str, object, tuple[object, ...]]] = [
    ("type", "direction", Direction.NOTHING, ("swap", None, [], 5)),
    ("clientSteamID", "owner", None, (None, "", "0", "CANARY", [], True)),
    ("game", "game", None, (None, "cs2", 5, {})),
    ("items", "items", (), (None, [], {}, "none", 5, {"a": item()})),
    ("totalPrice", "total", None, (None, -1, "much", [], True)),
    ("externalId", "shop_reference", "", (None, "", [])),
    ("holdEndDate", "hold_ends", None, (None, "", "soon", [], {}, -1)),
    ("error", "last_error", "", (None, "", {}, False)),
    ("botInfo", "bot", None, (None, [], "b1", {}, {"steamId": "x"}, {"steamId": {}})),
]
"""A field of an answer, what it is read as, that without a readable value, and values that are none."""
NO_TEXT: tuple[object, ...] = (None, " ", [], True)
NO_ROW: tuple[object, ...] = (None, [], "CANARY", 5)


def sent(document):
    """Return a document as an answer is read."""
    return parse_json(json.dumps(document).encode())


def one(**changed) -> Trade:
    found = read_trade(sent(trade(**changed)), "data", ProviderName.ASSETPAY, lambda _: None)
    assert isinstance(found, Trade)
    return found


def test_example():
    """The example of trades.md reads as the values it shows."""
    assert one() == Trade(
        provider=ProviderName.ASSETPAY,
        id="0b5c0000-0000-0000-0000-000000000001",
        owner=OWNER,
        direction=Direction.DEPOSIT,
        state=TradeState.HELD,
        status="hold",
        from_customer=(FINE,),
        game=Game.CS2,
        offer_id="9088000001",
        shop_reference="dep_1",
        bot=SteamId(76561198111111111),
        bot_name="b1",
        total=Money(Decimal("10.75")),
        credited_now=Money(Decimal("8.6")),
        credited_later=Money(Decimal("2.15")),
        created_at=MADE,
        updated_at=CHANGED,
        hold_ends=HELD_UNTIL,
    )


@pytest.mark.parametrize(
    ("changed", "name", "value"),
    [
        ({"id": 42}, "id", "42"),
        ({"status": " hold "}, "state", TradeState.HELD),
        ({"status": "HOLD"}, "state", TradeState.UNKNOWN),
        ({"status": "paused"}, "status", "paused"),
        ({"type": "withdraw"}, "to_customer", (FINE,)),
        ({"type": "DEPOSIT"}, "direction", Direction.DEPOSIT),
        ({"type": "swap"}, "items", (FINE,)),
        ({"clientSteamID": int(str(OWNER))}, "owner", OWNER),
        ({"game": 252490}, "game", Game.RUST),
        ({"items": {"0": item()}}, "items", (FINE,)),
        ({"items": [None, item(), "x"]}, "items", (FINE,)),
        ({"items": [{"id": "e1", "appid": 730, "tradable": False}]}, "items", (TradeItem(),)),
        ({"items": [item(marketHashName=None, name="AK")]}, "items", (TradeItem("AK", "1234567", FINE.price),)),
        ({"items": [item(assetId=5, offer=None, marketPrice=9)]}, "items", (TradeItem(NAME, "5"),)),
        ({"items": [item(offer={"price": "1.50"})]}, "items", (TradeItem(NAME, "1234567", Money(Decimal("1.50"))),)),
        ({"items": [item(offer={"price": "much"}, assetId=[], name={})]}, "items", (TradeItem(NAME),)),
        (
            {"items": [{"status": "failed", "error": "PRICE_CHANGED"}]},
            "items",
            (TradeItem(status="failed", error="PRICE_CHANGED"),),
        ),
        ({"items": [{"purchaseStatus": "FAILED"}]}, "items", (TradeItem(status="FAILED"),)),
        ({"items": [{"error": f"no {URL}"}]}, "items", (TradeItem(error=f"no {MASKED}"),)),
        ({"totalPrice": "12.30"}, "total", Money(Decimal("12.30"))),
        ({"preCredit": None}, "credited_now", None),
        ({"pendingCredit": 0}, "credited_later", Money(Decimal(0))),
        ({"externalId": 5}, "shop_reference", "5"),
        ({"offerID": 9088123456}, "offer_id", "9088123456"),
        ({"holdEndDate": 1773223200000}, "hold_ends", HELD_UNTIL),
        ({"holdEndDate": "2026-03-11T10:00:00"}, "hold_ends", HELD_UNTIL),
        ({"autoCancelAt": "2026-03-11T10:00:00Z"}, "expires_at", HELD_UNTIL),
        ({"updatedAt": None, "activeAt": "2026-03-04T10:05:00Z"}, "updated_at", CHANGED),
        ({"updatedAt": "?", "readyAt": "2026-03-04T10:05:00Z"}, "updated_at", CHANGED),
        ({"revertedBy": "user"}, "reverted_by", "user"),
        ({"error": f"see {URL}"}, "last_error", f"see {MASKED}"),
        ({"botInfo": {"name": 5, "steamId": 76561198111111111}}, "bot_name", "5"),
        ({"botInfo": {"name": [], "steamId": 76561198111111111}}, "bot", SteamId(76561198111111111)),
        *(({field: value}, name, read) for field, name, read, odd in ODD for value in odd),
        ({"merchantId": [], "collateral": 5, "unknown": {"a": []}}, "id", "0b5c0000-0000-0000-0000-000000000001"),
    ],
)  # fmt: skip
def test_drift(changed, name, value):
    """Numbers may be texts and the other way round; an odd or missing value costs that value alone."""
    found = one(**changed)

    assert getattr(found, name) == value
    before = one()
    differs = {each for each in Trade.__struct_fields__ if getattr(found, each) != getattr(before, each)}
    assert differs <= {name, *TOGETHER.get(name, ())}


@pytest.mark.parametrize(
    ("row", "place", "owner"),
    [
        *((trade(id=value), ".id", OWNER) for value in NO_TEXT),
        *((trade(status=value), ".status", OWNER) for value in NO_TEXT),
        (trade(status=None, clientSteamID="?"), ".status", None),
        ({}, ".id", None),
        *((value, "", None) for value in NO_ROW),
    ],
)
def test_unread(row, place, owner):
    """A row without a number or a status is left out and named, with its owner; the others are read."""
    places: list[str] = []
    document = sent({"success": True, "data": {"items": [trade(), row], "nextCursor": None}})
    answer = Fields(document, note=places.append)

    page = read_page(answer, ProviderName.ASSETPAY_CLIENT)

    assert page.unread == (UnreadRow(f"data.items[1]{place}", owner),)
    assert (len(page.trades), page.rows, page.is_cut) == (1, 2, False)
    assert f"data.items[1]{place}" in places


@pytest.mark.parametrize("dialect", [Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY])
def test_states(dialect):
    """Each status word of the catalogue has its state, and both agree whether the trade may still change."""
    catalogue = [each for each in Catalogue.load().statuses if (each.dialect, each.kind) == (dialect, "trade")]

    assert len(catalogue) == 9
    for each in catalogue:
        assert state_of(dialect, each.word) is not TradeState.UNKNOWN
        assert state_of(dialect, each.word).is_open is not each.is_final


def test_same_word_in_capitals():
    """The dialects' words differ in their meaning, not in their letters alone."""
    words = [state_of(Dialect.ASSETPAY, "pending"), state_of(Dialect.ASSETPAY_LEGACY, "PENDING")]
    words += [state_of(Dialect.ASSETPAY, "active"), state_of(Dialect.ASSETPAY_LEGACY, "ACTIVE")]

    assert words == [TradeState.PREPARED, TradeState.OFFERED, TradeState.OFFERED, TradeState.HELD]
    assert state_of(Dialect.ASSETPAY, "PENDING") is state_of(Dialect.ASSETPAY_LEGACY, "pending") is TradeState.UNKNOWN
    assert state_of(Dialect.ASSETPAY, "cancelled") is TradeState.CANCELLED


SPELLINGS = (URL, URL.replace("&", "&amp;"), f"token%3D{TOKEN}", f'"token":"{TOKEN}"', f"Token = {TOKEN}", f"<{URL}>")
FIELDS = (
    "id", "status", "type", "game", "clientSteamID", "items", "totalPrice", "externalId", "offerID", "holdEndDate",
    "revertedBy", "error", "botInfo",
)  # fmt: skip
WITHIN = ("name", "steamId", "marketHashName", "assetId", "price", "status", "purchaseStatus", "error")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    texts=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(SPELLINGS), max_size=4),
    within=st.dictionaries(st.sampled_from(WITHIN), st.sampled_from(SPELLINGS), max_size=4),
    refusal=st.none() | st.sampled_from(SPELLINGS),
)
async def test_no_token_is_kept(connect, server, caplog, texts, within, refusal):
    """No reading, log or failure holds the token of the client's trade URL, wherever else AssetPay repeats it."""
    caplog.set_level("DEBUG")
    row = trade(**{"items": [{**within, "offer": within}], "botInfo": within, "externalId": "dep_1", **texts})
    answer = said({"items": [row, trade(2)], "nextCursor": None})
    if refusal is not None:
        answer = refused(1001, "VALIDATION_FAILED", message=refusal, details={"a": refusal, refusal: 1})
    server.script = lambda asked: answer if asked.path == "/client/trades" or refusal else said(row)
    secure = connect(ProviderName.ASSETPAY)
    client = connect(ProviderName.ASSETPAY_CLIENT)
    tokens = FixedClientToken(ProviderName.ASSETPAY_CLIENT, Secret("token1"))
    query = TradeQuery(reference=TradeReference("dep_1"))
    for source in (
        AssetPaySource(secure, Secret(KEY)),
        AssetPayClientSource(ClientCalls(client, Dialect.ASSETPAY, tokens)),
    ):
        try:
            kept = repr(await source.read(query))
        except ProviderError as error:
            assert error.failure.kind is FailureKind.REFUSED  # noqa: PT017 -- an answer is fine too
            kept = f"{error} {error.failure!r}"
        assert TOKEN not in kept
    assert TOKEN not in caplog.text
