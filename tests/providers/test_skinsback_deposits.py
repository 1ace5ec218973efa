"""A SkinsBack deposit: its fields, their drifts, its statuses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.failures import Dialect, ProviderName
from bot.domain.money import Money
from bot.domain.steam import SteamId
from bot.domain.trades import Direction, Trade, TradeItem, TradeState, UnreadRow
from bot.providers.explanations import Catalogue
from bot.providers.skinsback_deposits import STATES, deposit_from
from tests.providers.skinsback_shop import NOW, OWNER, row

CREDIT, MERCHANTS = Money(Decimal("12.6")), Money(Decimal("10.5"))
SENT = datetime(2026, 5, 14, 11, 0, tzinfo=UTC)
AMOUNTS: dict[str, Any] = {"amount": MERCHANTS.amount, "user_amount": CREDIT.amount, "amount_currency": "usd"}
HELD = {"skins_send_date": NOW - 3600, **AMOUNTS}


def read(value: object) -> tuple[Trade | UnreadRow, list[str]]:
    noted: list[str] = []
    return deposit_from(value, "items[0]", noted.append), noted


def deposit(value: object) -> Trade:
    found, _ = read(value)
    assert isinstance(found, Trade)
    return found


def test_documented():
    """Every documented field is kept where it belongs."""
    skins = [{"name": "AK-47 | Redline", "price": 5.25, "price_multiplied": 6.3}, {"name": "Gut Knife"}]
    value = row(678431, "success", offer_date=NOW - 7200, skins=skins, **HELD, sign="s")

    assert read(value) == (
        Trade(
            provider=ProviderName.SKINSBACK,
            id="678431",
            owner=SteamId.parse(OWNER),
            direction=Direction.DEPOSIT,
            state=TradeState.COMPLETED,
            status="success",
            from_customer=(TradeItem("AK-47 | Redline"), TradeItem("Gut Knife")),
            shop_reference="shop-678431",
            total=CREDIT,
            credited_now=CREDIT,
            merchant_amount=MERCHANTS,
            created_at=SENT,
            updated_at=SENT,
        ),
        [],
    )


WORDS = {
    "pending": (TradeState.OFFERED, None, None, False),
    "in_hold": (TradeState.HELD, None, CREDIT, True),
    "hold_approved": (TradeState.HELD, CREDIT, None, True),
    "success": (TradeState.COMPLETED, CREDIT, None, False),
    "fail": (TradeState.FAILED, None, None, False),
    "hold_returned": (TradeState.REVERTED, None, None, False),
    "In_Hold": (TradeState.UNKNOWN, None, None, False),
    "7": (TradeState.UNKNOWN, None, None, False),
}


@pytest.mark.parametrize("word", WORDS)
def test_statuses(word: str):
    """A word says what is credited when, and whether Steam's protection has an end, which is an estimate."""
    state, now, later, is_held = WORDS[word]

    found = deposit(row(status=word, **HELD))

    assert (found.status, found.state) == (word, state)
    assert (found.total, found.credited_now, found.credited_later) == (CREDIT, now, later)
    assert found.hold_ends == (SENT + timedelta(days=8) if is_held else None)
    assert found.hold_end_is_estimate is is_held


def test_catalogue():
    """The catalogue explains the words that have a state, and calls the same ones final."""
    catalogue = Catalogue.load()

    assert {each.word for each in catalogue.statuses if each.kind == "deposit"} == STATES.keys()
    for word, state in STATES.items():
        assert catalogue.status(Dialect.SKINSBACK, word, kind="deposit").is_final is not state.is_open


DRIFTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "numbers-as-texts": ({"amount": "10.5", "user_amount": " 12.60 ", "amount_currency": "USD"}, {"total": CREDIT}),
    "currency": ({**AMOUNTS, "amount_currency": "rub"}, {"total": Money(Decimal("12.6"), "RUB")}),
    "no-currency": ({**AMOUNTS, "amount_currency": None}, {"total": None, "merchant_amount": None}),
    "odd-currency": ({**AMOUNTS, "amount_currency": "<b>"}, {"total": None}),
    "no-amounts": ({"amount": None, "user_amount": None}, {"total": None, "credited_now": None}),
    "ids-as-numbers": ({"transaction_id": 9, "order_id": 7, "status": 3}, {"id": "9", "shop_reference": "7"}),
    "no-order": ({"order_id": None}, {"shop_reference": ""}),
    "owner-as-number": ({"steam_id": int(OWNER)}, {"owner": SteamId.parse(OWNER)}),
    "no-owner": ({"steam_id": None}, {"owner": None}),
    "owner-not-chosen": ({"steam_id": ""}, {"owner": None}),
    "dates-as-texts": ({"date": str(NOW - 3600)}, {"created_at": SENT}),
    "iso-dates": ({"date": "2026-05-14 11:00:00"}, {"created_at": SENT}),
    "milliseconds": ({"date": (NOW - 3600) * 1000}, {"created_at": SENT}),
    "no-dates": ({"date": 0, "offer_date": None, "skins_send_date": "0"}, {"created_at": None, "updated_at": None}),
    "offered": ({"offer_date": NOW - 3600, "skins_send_date": ""}, {"updated_at": SENT}),
    "end-of-time": ({"skins_send_date": "9999-12-31", "status": "in_hold"}, {"hold_ends": None}),
    "php-object": ({"skins": {"0": {"name": "A"}, "3": {"name": None}}}, {"items": (TradeItem("A"), TradeItem())}),
    "no-skins": ({"skins": None}, {"items": ()}),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_drifts(drift: str):
    """Values in other types and missing ones are read as what they are, without a note."""
    changed, expected = DRIFTS[drift]

    found, noted = read(row(**{"status": "success", **changed}))

    assert {name: getattr(found, name) for name in expected} == expected
    assert noted == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"steam_id": "[U:1:5]"}, "steam_id"),
        ({"steam_id": {}}, "steam_id"),
        ({"date": "yesterday"}, "date"),
        ({"user_amount": "-1"}, "user_amount"),
        ({"order_id": [1]}, "order_id"),
        ({"skins": "three"}, "skins"),
        ({"skins": [5]}, "skins[0]"),
    ],
)
def test_odd_values(changed: dict[str, object], place: str):
    """An odd value costs itself only, and its place is noted."""
    found, noted = read(row(**changed))

    assert isinstance(found, Trade)
    assert noted == [f"items[0].{place}"]


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        (row(status=None), SteamId.parse(OWNER)),
        (row(transaction_id={}), SteamId.parse(OWNER)),
        (row(transaction_id="", steam_id=5), None),
        ("CANARY", None),
    ],
)
def test_unread(value: object, owner: SteamId | None):
    """A row without a number or a status cannot be shown; its owner is known if it names one."""
    assert read(value)[0] == UnreadRow("items[0]", owner)


TRADE_URL = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=CANARY12"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just(TRADE_URL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@example(dict.fromkeys(row(), TRADE_URL))
@given(st.dictionaries(st.sampled_from([*row(skins=[], **HELD), "offer_date"]), JSON))
def test_anything(changed: dict[str, object]):
    """Whatever a row holds, it is read or counted, and no trade token is kept or noted."""
    found, noted = read(row(skins=[{"name": TRADE_URL}]) | changed)

    assert "CANARY12" not in repr(found) + repr(noted)
    assert isinstance(found, UnreadRow) or (found.id and found.status)
