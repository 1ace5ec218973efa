"""The head of a page of trades says what each provider answered, and what to give where one was not asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.snapshots import Audience, TradesAnswer, TradesPart
from bot.domain.trades import KeyLimit, NotAsked, Scope, Trade, TradeReference, TradeState, UnreadRow
from tests.domain.builders import BOT, NOW, OWNER
from tests.domain.builders import trades_answer as answer
from tests.ui.test_trades_page import at, page

CUSTOMER, STAFF = Audience.CUSTOMER, Audience.STAFF
PAY, CLIENT, CO = ProviderName.ASSETPAY, ProviderName.ASSETPAY_CLIENT, ProviderName.ASSETPAY_LEGACY
BACK, MANNCO = ProviderName.SKINSBACK, ProviderName.MANNCO
DEPOSIT = at(BACK, "in_hold", TradeState.HELD)
ONLY_OWN = "This desk can only see the trades of the shop's own account at Mannco.store"
LATE = Failure(BACK, FailureKind.TIMED_OUT)
REFUSED = Failure(PAY, FailureKind.REFUSED, code=1900, key="INVALID_API_KEY")


def said(*parts: TradesPart, trades: tuple[Trade, ...] = (DEPOSIT,), **facts: Any) -> TradesAnswer:
    return replace(answer(*trades), parts=(*parts, TradesPart(MANNCO)), **facts)


def lines(shown: TradesAnswer, audience: Audience = CUSTOMER) -> list[str]:
    """Return the head below its first line; of an empty list, everything below that line."""
    first, _, below = page(shown, audience).partition("\n\n")
    return first.split("\n")[1:] if shown.trades else below.split("\n")


def test_ordinary_head():
    """An ordinary page has a head of three lines: what is shown, how far SkinsBack's list goes, and what is missing."""
    shown = said(
        TradesPart(PAY, not_asked=NotAsked.REFERENCE),
        TradesPart(CLIENT, not_asked=NotAsked.TRADE_URL),
        TradesPart(CO, not_asked=NotAsked.TRADE_URL),
        TradesPart(BACK, since=NOW - timedelta(days=14)),
    )
    step = "trade URL or a trade's number: `/trades` with `tradeurl` or `reference`."

    assert page(shown).startswith(f"**1 trade** · your own · Read: <t:{int(NOW.timestamp())}:R>\n")
    assert lines(shown) == ["SkinsBack: the last 14 days.", f"For trades of AssetPay, give your {step}"]
    others = replace(shown, steam_id=None)
    assert lines(others, STAFF)[-1] == f"For trades of AssetPay, give the customer's {step}"


@pytest.mark.parametrize(
    ("limit", "sees"),
    [(KeyLimit(BOT), f"lists only the trades of `{BOT}`"), (KeyLimit(None), "does not say whose trades it lists")],
)
def test_fixed_client_token(limit: KeyLimit, sees: str):
    """A fixed client token of AssetPay that may be another account's is said to be one, and no key of Mannco.store."""
    shown = said(TradesPart(CO, limit=limit))

    assert lines(shown)[0].startswith(
        "This desk can only see the trades of one account at AssetPay. SkinDesk cannot tell"
    )
    text = lines(shown, STAFF)[0]
    assert text.startswith(f"The client token that is set here for AssetPay (.co) {sees}. SkinDesk cannot tell")
    assert "`providers.assetpay_legacy.api_key`" in text


@pytest.mark.parametrize(
    ("lacking", "to_customer", "to_staff"),
    [
        (
            {CLIENT: NotAsked.TRADE_URL},
            "For trades of AssetPay, give your trade URL: `/trades` with `tradeurl`.",
            "For trades of AssetPay, give the customer's trade URL: `/trades` with `tradeurl`.",
        ),
        (
            {PAY: NotAsked.REFERENCE},
            "For a trade of AssetPay, give its number: `/trades` with `reference`.",
            "For a trade of AssetPay, give its number: `/trades` with `reference`.",
        ),
        (
            {CLIENT: NotAsked.OTHER_ACCOUNT},
            "Trades of AssetPay cannot be looked up here for you. Ask the staff.",
            "AssetPay (client): not asked. The client token that is set here belongs to another account.",
        ),
        ({PAY: NotAsked.REFERENCE, CLIENT: None}, None, None),
    ],
)
def test_not_asked(lacking: dict[ProviderName, NotAsked | None], to_customer: str | None, to_staff: str | None):
    """A provider that was not asked at all names the next step, once for all of AssetPay."""
    parts = [TradesPart(name, not_asked=reason) for name, reason in lacking.items()]

    assert lines(said(*parts)) == ([to_customer] if to_customer else [])
    assert lines(said(*parts, steam_id=BOT), STAFF) == ([to_staff] if to_staff else [])


def test_failures_beside_trades():
    """A failed provider is a short explanation with its reference; a customer learns nothing of credentials."""
    shown = said(
        TradesPart(PAY, failure=REFUSED, reference="a1b2c3"), TradesPart(BACK, failure=LATE, reference="d4e5f6")
    )
    late = "**SkinsBack**: ⚠️ The provider took too long to answer · Some trades may be missing · Reference `d4e5f6`"

    assert lines(shown) == ["**AssetPay**: ⚠️ Not set up right here · Reference `a1b2c3`", late]
    assert "Not set up" not in page(shown, STAFF)
    assert lines(shown, STAFF)[0].startswith("**AssetPay**: ⚠️ ")
    assert "SkinsBack" in page(shown)


def test_what_is_not_listed():
    """A list that was cut or is full, unreadable rows, and the key's limit are each said of their provider."""
    unread = (UnreadRow("items[3].steam_id"),)
    shown = said(
        TradesPart(CLIENT, is_cut=True, of_account_alone=True),
        TradesPart(BACK, unread=unread),
        TradesPart(MANNCO, is_full=True, limit=KeyLimit(BOT)),
    )

    assert lines(shown) == [
        "The list of AssetPay was too long to read to its end. 0 trades of it are here, others may be missing.",
        "⚠️ SkinsBack: 1 trade could not be read and is left out.",
        (
            f"{ONLY_OWN}. SkinDesk cannot tell whether you have a trade there. Ask the staff: they can look at "
            "Mannco.store."
        ),
        "Mannco.store lists only the newest 500 trades of all customers together. The staff can look up older ones.",
    ]
    hidden = said(TradesPart(MANNCO, limit=KeyLimit(None)))
    assert lines(hidden, STAFF)[0].startswith(ONLY_OWN)
    for_staff = "\n".join(lines(shown, STAFF))
    assert "The first: `items[3].steam_id`." in for_staff
    assert f"sees only the trades of one account: `{BOT}`. SkinDesk cannot tell whether this account has" in for_staff
    assert "deposit" in page(shown)


@pytest.mark.parametrize(
    ("of", "audience", "scope", "parts", "text"),
    [
        (
            OWNER,
            CUSTOMER,
            Scope.ACTIVE,
            (),
            "No trade of yours is waiting for anything at the moment. `/trades` with `sc",
        ),
        (OWNER, CUSTOMER, Scope.ALL, (), "No trade of yours was found. Your trades appear here as soon as you"),
        (BOT, STAFF, Scope.ACTIVE, (), "No trade of this account is waiting for anything at the moment."),
        (BOT, STAFF, Scope.ALL, (), "No trade of this account was found. If it should have one, compare the SteamID"),
        (None, STAFF, Scope.ACTIVE, (), "No trade is waiting for anything at the moment."),
        (None, STAFF, Scope.ALL, (), "No trade was found."),
        (OWNER, CUSTOMER, Scope.ALL, (TradesPart(BACK, failure=LATE),), "No trade of yours was found."),
        (
            OWNER,
            CUSTOMER,
            Scope.ACTIVE,
            (TradesPart(BACK),),
            "No trade of yours is waiting for anything at the moment.",
        ),
        (OWNER, CUSTOMER, Scope.ALL, (TradesPart(BACK, is_full=True),), "None of the listed trades is yours."),
        (OWNER, CUSTOMER, Scope.ALL, (TradesPart(BACK, since=NOW),), "None of the listed trades is yours."),
        (None, STAFF, Scope.ALL, (TradesPart(BACK, is_cut=True),), "No trade is listed."),
        (
            BOT,
            STAFF,
            Scope.ALL,
            (TradesPart(BACK, unread=(UnreadRow("x"),)),),
            "None of the trades that could be read belongs to this acc",
        ),
    ],
)
def test_nothing_there(of: Any, audience: Audience, scope: Scope, parts: tuple[TradesPart, ...], text: str):
    """An empty list has its own text for each owner and scope, with the next step, and says where nothing was found."""
    empty = said(*parts, trades=(), steam_id=of, scope=scope)

    assert lines(empty, audience)[0].startswith(text)
    assert ("`/trades` with `reference`." in lines(empty, audience)[0]) is (audience is CUSTOMER)


def test_nothing_answered():
    """If no provider answered, none is said to have no trade."""
    parts = {
        "No trade could be read. Use the command again in a few minutes.": TradesPart(BACK, failure=LATE),
        "No trade was looked up yet.": TradesPart(CLIENT, not_asked=NotAsked.TRADE_URL),
        "This desk can only see": TradesPart(MANNCO, limit=KeyLimit(None)),
    }
    for text, part in parts.items():
        empty = replace(answer(), parts=(part,))

        assert lines(empty)[0].startswith(text)
        assert page(empty).startswith("**No trade visible** · your own")


def test_reference():
    """A trade that was found by its number is shown in any state, to its owner without other providers' troubles."""
    parts = (TradesPart(PAY, failure=REFUSED, reference="a1b2c3"), TradesPart(BACK, since=NOW - timedelta(days=14)))
    found = said(*parts, reference=TradeReference("dep_1"), scope=Scope.ACTIVE)

    assert page(found).startswith("**1 trade** · Number: `dep_1` · your own · Read: ")
    assert lines(found) == []
    assert "Reference `a1b2c3`" in lines(found, STAFF)[0]


def test_reference_not_found():
    """A customer reads one text; staff read who was asked, and where it could not be looked for."""
    parts = (
        TradesPart(PAY, knows_offers=False),
        TradesPart(CLIENT, not_asked=NotAsked.TRADE_URL),
        TradesPart(BACK, failure=LATE, reference="a1b2c3"),
    )
    none = said(*parts, trades=(), reference=TradeReference("9088123456"))
    for_customer, for_staff = lines(none), lines(none, STAFF)
    late = "**SkinsBack**: ⚠️ The provider took too long to answer · Reference `a1b2c3`"
    offers = (
        "AssetPay cannot be searched by the number of a Steam offer. Give the number of the trade or of the order, or "
        "the trade URL too: `tradeurl`."
    )

    assert for_customer[0].startswith("None of your trades was found by this number. Check it:")
    assert for_customer[1:] == [
        "Could not be searched: SkinsBack. Try again in a few minutes.",
        offers,
        late,
    ]
    assert for_staff == [
        "This desk sees no such trade of this account at AssetPay and Mannco.store.",
        "Could not be searched: SkinsBack.",
        "Not asked: AssetPay (client).",
        offers,
        late,
    ]
    alone = replace(
        none, parts=(TradesPart(PAY, knows_offers=False),), steam_id=None, reference=TradeReference("dep_1")
    )
    assert lines(alone, STAFF) == ["This desk sees no such trade at AssetPay."]
