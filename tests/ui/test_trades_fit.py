"""Pages of trades fit Discord, whole and as text only, whatever the providers send."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as altered
from simcord.types import HttpLogEntry

from bot.domain.failures import ProviderName
from bot.domain.money import Money
from bot.domain.resends import ResendState
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, TradesPart
from bot.domain.steam import Game
from bot.domain.trades import Direction, Trade, TradeItem, TradeState
from bot.languages import ENGLISH, Language, in_language, t
from bot.providers.mannco_answers import state_of
from bot.services.trade_context import TradeContext
from bot.ui.kit.layout import page_at
from bot.ui.trade_pages import TradeSelect
from bot.ui.trades.lines import trade_lines, trade_option
from bot.ui.trades.page import TRADES_A_PAGE, trade_details
from tests.domain.builders import NOW, OWNER, PROPERTY, resend, trade, usd
from tests.domain.builders import trades_answer as answer
from tests.support.hostile_text import hostile, rendered, varied
from tests.support.made_up import MadeUpLanguage
from tests.support.payload_audit import audit_requests
from tests.ui.test_trades_page import EXPLANATIONS, MANNCO, SENDING, WORDS, D, W, embed_of

PLAIN = {"paragraph", "inline", "text", "break", "strong_open", "strong_close", "code", "timestamp"} | {
    "link_open",
    "link_close",
}
texts = varied(hostile | st.text(max_size=3000))
amounts = st.none() | st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False), st.just("USD") | texts)
moments = st.none() | st.integers(-99, 99).map(lambda days: NOW + timedelta(days=days))
items = st.lists(st.builds(TradeItem, texts, texts, amounts, texts, texts), max_size=5).map(tuple)
words = st.sampled_from([(row[0], row[1], row[3]) for row in WORDS]) | st.tuples(
    st.sampled_from(ProviderName), st.sampled_from(MANNCO).map(str) | texts, st.sampled_from(TradeState)
)


@st.composite
def any_trade(draw: st.DrawFn) -> Trade:
    provider, status, state = draw(words)
    facts: dict[str, Any] = {
        name: draw(values)
        for values, names in (
            (items, ("to_customer", "from_customer")),
            (texts, ("offer_id", "shop_reference", "bot_name", "reverted_by", "last_error")),
            (amounts, ("total", "credited_now", "credited_later")),
            (moments, ("created_at", "expires_at", "hold_ends")),
            (st.none() | st.just(OWNER), ("owner", "bot")),
            (st.booleans(), ("hold_end_is_estimate",)),
            (st.sampled_from(Direction), ("direction",)),
        )
        for name in names
    }
    number = draw(st.uuids().map(str) | st.integers(1, 10**18).map(str))
    secret: dict[str, Any] = {"code": TradeCode("SECRETCODE"), "merchant_amount": usd("987.65")}
    return altered(trade(), provider=provider, status=status, state=state, id=number, **facts, **secret)


@PROPERTY
@given(shown=st.lists(any_trade(), max_size=5), audience=st.sampled_from(Audience), everyones=st.booleans())
def test_any_trades(shown: list[Trade], audience: Audience, everyones: bool):  # noqa: FBT001 -- drawn
    """With any trades, Discord takes every page, each trade is whole on one, and the pages are only text.

    A reader without rights to others' trades and without a proven link sees no code and no merchant's amount.
    """
    parts = tuple(TradesPart(name, is_full=True, is_cut=True, since=NOW) for name in ProviderName)
    listed = replace(answer(*shown, of=None if everyones else OWNER), parts=parts)
    listed = listed.for_reader(None, NOW, sees_all=everyones)
    pages = [embed_of(listed, audience, index) for index in range(page_at(listed.trades, 0, TRADES_A_PAGE).count)]
    details = [
        trade_details(each, listed, TradeContext(), audience=audience, explanations=EXPLANATIONS)
        for each in listed.trades
    ]
    options = [
        trade_option(each, place, NOW, explanations=EXPLANATIONS, staff=audience is Audience.STAFF)
        for place, each in enumerate(listed.trades)
    ]
    for embed in (*pages, *details):
        assert violations(embed, *options) == []
        assert set(rendered(str(embed.description), "embed")[0]) <= PLAIN
        assert "SECRETCODE" not in str(embed.description)
        assert everyones or "987.65" not in str(embed.description)
    for each, embed, option in zip(listed.trades, details, options, strict=True):
        assert f" `{each.id}`" in str(embed.description)
        assert each.id in str(option.description)
    assert sum(str(embed.description).count("\n\n") for embed in pages) == max(len(listed.trades), 1)


LONGEST = "W" * 3000
LONG: dict[str, Any] = {
    "id": "0b5c1111-2222-3333-4444-555566667777",
    "shop_reference": "w" * 128,
    "offer_id": "9" * 20,
    "bot_name": LONGEST,
    "reverted_by": LONGEST,
    "last_error": LONGEST,
    "code": TradeCode("W" * 40),
    "total": usd("1e15"),
    "credited_now": usd("1e15"),
    "credited_later": usd("1e15"),
    "merchant_amount": usd("1e15"),
    "expires_at": NOW,
    "hold_ends": NOW,
    "to_customer": (*[TradeItem(LONGEST, error=word) for word in (LONGEST, "PRICE_CHANGED", "x")], TradeItem()),
    "game": Game.TF2,
    "direction": W,
}


@pytest.fixture(params=[ENGLISH, MadeUpLanguage()], ids=str)
def language(request: pytest.FixtureRequest) -> Iterator[Language]:
    """English, and a language that is longer."""
    with in_language(request.param):
        yield request.param


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("row", [*WORDS, *((ProviderName.MANNCO, str(number)) for number in MANNCO)], ids=str)
@pytest.mark.parametrize("last_error", ["", LONGEST, "TRADE_URL_INVALID", f"{SENDING} (26)"])
def test_nothing_is_cut_off(row: tuple[Any, ...], last_error: str):
    """The longest of everything on a page still leaves room for every trade's last line, and for the head."""
    state = row[3] if len(row) > 2 else state_of(row[1])
    asked = resend(
        state=ResendState.DENIED, settled_at=NOW, settled_by=10**18, decision_reason="W" * 200, trade_id=10**18
    )
    for direction, audience in product((D, W), Audience):
        longest = LONG | {"last_error": last_error, "from_customer": LONG["to_customer"], "direction": direction}
        one = altered(trade(), provider=row[0], status=row[1], state=state, **longest)
        shown, context = answer(one, one, of=None), TradeContext({one.id: asked}, {OWNER: 10**18})
        line = trade_lines(one, shown, context, explanations=EXPLANATIONS, staff=audience is Audience.STAFF)
        details = trade_details(one, shown, context, audience=audience, explanations=EXPLANATIONS)

        assert TRADES_A_PAGE * (len(line) + 2) <= 4096 - 300
        assert str(details.description).endswith("\n\n" + t("Read: {when}", when=f"<t:{int(NOW.timestamp())}:R>"))


def violations(embed: discord.Embed, *options: discord.SelectOption) -> list[str]:
    view = discord.ui.View()
    if options:
        view.add_item(TradeSelect("AAAAAAAAAAA-", list(options[:TRADES_A_PAGE])))
    body = {"embeds": [embed.to_dict()], "components": view.to_components(), "allowed_mentions": {"parse": []}}
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])
