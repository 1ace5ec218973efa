"""Numbers of trades as people paste them, and what no provider is asked for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.failures import ProviderName
from bot.domain.secrets import mask_trade_urls
from bot.domain.trade_reference import MAX_REFERENCE, read_reference
from bot.domain.trades import TradeReference
from tests.domain.builders import PROPERTY, trade

URL = "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=AbCdEfGh"
ODD = st.text(st.sampled_from(",./\\%#=:&?\u200b\u0600\x00\n\ud800 `\"'tokenpar123"), max_size=40)
PASTED = st.one_of(
    st.text(max_size=140),
    ODD,
    st.tuples(ODD, st.sampled_from([URL, "token=AbCdEfGh", "to\u0600ken=AbCdEfGh", "..", "1,2"]), ODD).map("".join),
)


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("480101", "480101"),
        (" #12 ", "12"),
        ("`dep_123`", "dep_123"),
        ("“dep 123”", "dep 123"),
        ("0b5c\u200b1f2e-AA", "0b5c1f2e-AA"),
        ("https://steamcommunity.com/tradeoffer/9088123456/", "9088123456"),
        ("<steamcommunity.com/tradeoffer/9088123456?l=english>", "9088123456"),
        ("order/7..8/.a", "order/7..8/.a"),
        ("x" * MAX_REFERENCE, "x" * MAX_REFERENCE),
    ],
)
def test_read(pasted: str, read: str) -> None:
    assert read_reference(pasted) == TradeReference(read)


@pytest.mark.parametrize(
    ("pasted", "problem"),
    [
        ("", "empty"),
        ("\n# ", "empty"),
        ("x" * (MAX_REFERENCE + 1), "too_long"),
        ("x" * 6_000, "too_long"),
        ("1,2", "not_a_number"),
        ("..", "not_a_number"),
        ("../../client/trades", "not_a_number"),
        ("a%252f..;x/b", "not_a_number"),
        ("\uff0e\uff0e\\x", "not_a_number"),
        ("a\x07b", "not_a_number"),
        ("https://mannco.store/trade/12", "not_a_number"),
        (URL, "trade_url"),
        (URL.replace("token", "to\u0600ken"), "trade_url"),
        (URL.partition("&")[0], "trade_url"),
        ("\uff30artner=1", "trade_url"),
        ("\uff34oken=AbCdEfGh", "trade_url"),
    ],
)
def test_refused(pasted: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_reference(pasted)
    assert (refused.value.option, refused.value.problem) == ("reference", problem)
    assert "AbCdEfGh" not in str(refused.value)


@PROPERTY
@given(PASTED)
def test_what_a_provider_may_be_asked_for(pasted: str) -> None:
    """No accepted text separates numbers, is a step in a path, holds a token, or is unreadable or too long."""
    try:
        read = read_reference(pasted).text
    except InvalidInput:
        return
    assert 0 < len(read) <= MAX_REFERENCE
    assert re.search(r"[,\x00-\x1f\x7f-\x9f\u0600\ud800]", read) is None
    assert read not in {".", ".."}
    assert mask_trade_urls(read) == read
    assert "AbCdEfGh" not in read


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("0B5C1F2E", True),
        ("9088123456", True),
        ("Dep_1", True),
        ("dep_1", False),
        ("0b5c", False),
        ("", False),
    ],
)
def test_matches(text: str, *, matches: bool) -> None:
    """A trade's own number matches in any case, its offer's and its shop's as they are spelled."""
    named = trade(provider=ProviderName.ASSETPAY, id="0b5c1f2e", offer_id="9088123456", shop_reference="Dep_1")

    assert TradeReference(text).matches(named) is matches
    assert not TradeReference("").matches(trade(id=1, offer_id=""))
