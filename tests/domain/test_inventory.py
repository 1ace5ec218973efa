"""Prices, refusals, filters and orders of an inventory's items."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.inventory import InventoryFilter, Item, MerchantPrice, Refusal, Sort, refusal_of
from bot.domain.money import Money
from tests.domain.builders import PROPERTY, inventory, item, rub, usd

NAMES = ("AK-47 | Redline", "ak-47 | redline", "AWP | Asiimov", "★ Karambit", "Straße", "Ödland", "")
OFFERS = (None, "0", "0.07", "10.75", "10.750", "99.99")
ITEMS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(OFFERS)), max_size=12).map(
    lambda drawn: tuple(item(name, offer, id=str(place)) for place, (name, offer) in enumerate(drawn))
)
PRICES = st.one_of(st.none(), st.sampled_from([Decimal(price) for price in ("0", "0.07", "5", "10.75", "99.99")]))
FILTERS = st.builds(
    InventoryFilter,
    search=st.one_of(st.none(), st.sampled_from(["", " ", "ak", "AK redline", "redline | ak", "STRASSE", "ö", "x"])),
    sort=st.sampled_from(Sort),
    min_price=PRICES,
    max_price=PRICES,
)


def ids(items: tuple[Item, ...]) -> str:
    return "".join(each.id for each in items)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_amount_of_money_is_finite(amount):
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal(amount))


def test_a_float_is_no_amount():
    amount: Any = 0.1
    with pytest.raises((TypeError, AttributeError)):
        Money(amount)


@pytest.mark.parametrize(
    ("tradable", "accepted", "offer", "refusal"),
    [
        (True, True, "1", None),
        (None, True, "0", None),
        (False, True, "1", Refusal.NOT_TRADABLE),
        (True, False, "1", Refusal.NO_OFFER),
        (True, None, "1", Refusal.NO_OFFER),
        (True, True, None, Refusal.NO_OFFER),
    ],
)
def test_refusal(tradable, accepted, offer, refusal):
    """An item is accepted only if the provider says so and names a price."""
    assert refusal_of(tradable=tradable, accepted=accepted, offer=usd(offer) if offer else None) is refusal


@PROPERTY
@given(items=ITEMS, by=FILTERS)
def test_a_filter_selects_and_sorts(items, by):
    """No item is added or repeated, filtering again changes nothing, and equal items keep the provider's order."""
    shown = by.apply(items)

    assert len({each.id for each in shown}) == len(shown)
    assert set(shown) <= set(items)
    assert by.apply(shown) == shown
    assert by.is_active or len(shown) == len(items)
    for one, other in pairwise(shown):
        equal = {
            Sort.RELEVANCE: True,
            Sort.NAME_ASC: one.name.casefold() == other.name.casefold(),
            Sort.NAME_DESC: one.name.casefold() == other.name.casefold(),
            Sort.PRICE_ASC: one.offer == other.offer,
            Sort.PRICE_DESC: one.offer == other.offer,
        }[by.sort]
        assert not equal or int(one.id) < int(other.id)


@PROPERTY
@given(items=ITEMS, low=PRICES, high=PRICES)
def test_price_bounds(items, low, high):
    """Price bounds are inclusive and apply to the offer; without an offer an item fails any bound."""
    shown = InventoryFilter(min_price=low, max_price=high).apply(items)

    assert set(shown) == {
        each
        for each in items
        if (low is None and high is None)
        or (
            each.offer is not None
            and (low is None or low <= each.offer.amount)
            and (high is None or each.offer.amount <= high)
        )
    }


@PROPERTY
@given(items=ITEMS)
def test_price_order(items):
    """Items without an offer come last in both price orders."""
    for sort, reverse in ((Sort.PRICE_ASC, False), (Sort.PRICE_DESC, True)):
        shown = InventoryFilter(sort=sort).apply(items)
        priced = [each.offer.amount for each in shown if each.offer is not None]

        assert priced == sorted(priced, reverse=reverse)
        assert all(each.offer is None for each in shown[len(priced) :])


def test_name_order():
    """Names are sorted case-insensitively."""
    items = (item("b", id="1"), item("A", id="2"), item("C", id="3"))

    assert ids(InventoryFilter(sort=Sort.NAME_ASC).apply(items)) == "213"
    assert ids(InventoryFilter(sort=Sort.NAME_DESC).apply(items)) == "312"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("redline", "12"),
        ("REDLINE", "12"),
        ("ak redline", "12"),
        ("redline ak", "12"),
        ("field-tested", "2"),
        ("  redline\t47 ", "12"),
        ("ak awp", ""),
        ("STRASSE", "4"),
        (" ", "1234"),
        (".*", ""),
    ],
)
def test_search(search, found):
    """Every word must be in one of the item's names, in any order and case."""
    items = (
        item("AK-47 | Redline", id="1"),
        item("Redline", id="2", market_hash_name="AK-47 | Redline (Field-Tested)"),
        item("AWP | Asiimov", id="3"),
        item("Straße", id="4"),
    )

    assert ids(InventoryFilter(search=search).apply(items)) == found


@pytest.mark.parametrize(
    ("by", "is_active"),
    [
        (InventoryFilter(), False),
        (InventoryFilter(sort=Sort.PRICE_ASC), False),
        (InventoryFilter(search=" "), False),
        (InventoryFilter(search="ak"), True),
        (InventoryFilter(min_price=Decimal(0)), True),
        (InventoryFilter(max_price=Decimal(0)), True),
    ],
)
def test_is_active(by, is_active):
    """Only a search or a price bound can leave items out."""
    assert by.is_active == is_active


@pytest.mark.parametrize(
    ("items", "worth"),
    [
        ((), ()),
        ((item(offer="0.10"), item(offer="0.20")), (usd("0.30"),)),
        ((item(offer="10.75"), item(offer="5", refusal=Refusal.DISABLED)), (usd("10.75"),)),
        ((item(offer="5", refusal=Refusal.NOT_TRADABLE),), ()),
        ((item(offer=None, market_price=usd("9")),), ()),
        ((item(offer="0.07", amount=1000),), (usd("70"),)),
        ((item(offer="0.07", amount=1000, max_amount=10),), (usd("0.70"),)),
        ((item(offer="0.07", amount=3, max_amount=10),), (usd("0.21"),)),
        ((item(offer="0.07", amount=3, max_amount=0),), (usd("0"),)),
        ((item(offer=rub("6.49")), item(offer="1"), item(offer=rub("5"), amount=2)), (usd("1"), rub("16.49"))),
    ],
)
def test_sum(items, worth):
    """The sum adds accepted offers in each currency, and of a stack the pieces that one deposit may hold."""
    assert inventory(*items).sum.worth == worth


def test_prices_in_several_currencies():
    """Amounts of different currencies are not compared: each currency is sorted by itself, USD first."""
    items = (item("a", rub("1")), item("b", "5"), item("c", None), item("d", rub("900")), item("e", "7"))

    assert ids(InventoryFilter(sort=Sort.PRICE_DESC).apply(items)) == "ebdac"
    assert ids(InventoryFilter(sort=Sort.PRICE_ASC).apply(items)) == "beadc"


def test_for_customers():
    """The merchant's prices are left out, always in the same object; without any, the inventory stays itself."""
    with_prices = inventory(item(), merchant_prices={"1": MerchantPrice(usd("1"))})

    assert with_prices.for_customers == inventory(item())
    assert with_prices.for_customers is with_prices.for_customers
    assert inventory(item()).for_customers.merchant_prices == {}


def test_only_sorted():
    """Sorting keeps the provider's own count, which may exceed the items it sent."""
    by_name = inventory(item("b", "1"), item("a", "2"), total=50).filtered(InventoryFilter(sort=Sort.NAME_ASC))

    assert (by_name.total, ids(by_name.items)) == (50, "ab")


def test_filtered():
    """A filter changes the items and their count only, and not the original."""
    whole = inventory(
        item("b", "1"), item("a", "2"), item("a", "3"), total=50, collateral=usd("7"), owner_certain=False
    )
    filtered = whole.filtered(InventoryFilter(search="a", sort=Sort.PRICE_DESC))

    assert [each.offer for each in filtered.items] == [usd("3"), usd("2")]
    assert filtered.total == 2
    assert filtered.collateral == usd("7")
    assert not filtered.owner_certain
    assert (filtered.owner, filtered.game, filtered.updated_at) == (whole.owner, whole.game, whole.updated_at)
    assert len(whole.items) == 3
