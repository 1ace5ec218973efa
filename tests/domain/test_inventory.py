"""What a provider takes, what an inventory is worth, and which of its items are shown in what order."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.inventory import InventoryFilter, Item, Refusal, Sort, price_from, refusal_of
from bot.domain.money import Money
from tests.domain.builders import PROPERTY, inventory, item, usd

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


@pytest.mark.parametrize(
    ("tradable", "accepted", "offer", "refusal"),
    [
        (True, True, "1", None),
        (None, True, "1", None),
        (True, True, "0", None),
        (False, True, "1", Refusal.NOT_TRADABLE),
        (False, False, None, Refusal.NOT_TRADABLE),
        (False, None, None, Refusal.NOT_TRADABLE),
        (True, False, "1", Refusal.NO_OFFER),
        (True, None, "1", Refusal.NO_OFFER),
        (True, True, None, Refusal.NO_OFFER),
        (None, None, None, Refusal.NO_OFFER),
        (None, False, "1", Refusal.NO_OFFER),
    ],
)
def test_refusal(tradable, accepted, offer, refusal):
    """An item is taken only where the provider says so and names a price; what it does not say is a no."""
    assert refusal_of(tradable=tradable, accepted=accepted, offer=usd(offer) if offer else None) is refusal


@pytest.mark.parametrize("refusal", [None, *Refusal])
def test_accepted(refusal):
    """Exactly the items that nothing speaks against are accepted."""
    one = item(refusal=refusal)

    assert one.accepted == (refusal is None)
    assert inventory(one).accepted_items == ((one,) if refusal is None else ())


def test_filter_by_default():
    """Without a wish every item comes, in the provider's own order."""
    items = (item("b", "1"), item("a", None), item("c", "2"))

    assert InventoryFilter().apply(items) == items


@PROPERTY
@given(items=ITEMS, by=FILTERS)
def test_no_item_is_made_up(items, by):
    """What is shown is a part of what there was, each item once."""
    shown = [each.id for each in by.apply(items)]

    assert len(shown) == len(set(shown))
    assert set(shown) <= {each.id for each in items}


@PROPERTY
@given(items=ITEMS, by=FILTERS)
def test_filtered_twice(items, by):
    """Filtering what is filtered changes nothing."""
    once = by.apply(items)

    assert by.apply(once) == once


@PROPERTY
@given(items=ITEMS, by=FILTERS)
def test_left_out(items, by):
    """An item is left out only by a bound or a search, never by the order."""
    assert by.is_active or len(by.apply(items)) == len(items)


@PROPERTY
@given(items=ITEMS, by=FILTERS)
def test_stable(items, by):
    """Items that are equal in what is sorted by keep the provider's order, whichever way it runs."""
    shown = by.apply(items)
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
    """Prices are compared with the offer, both ends included; where a bound is set, no offer is no match."""
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


@pytest.mark.parametrize(
    "by", [InventoryFilter(min_price=Decimal("10.75")), InventoryFilter(max_price=Decimal("10.75"))]
)
def test_price_at_the_bound(by):
    """An item of exactly the asked price is shown."""
    one = item(offer="10.75")

    assert by.apply([one]) == (one,)


def test_bounds_the_wrong_way_round():
    """A lowest price above the highest matches nothing."""
    assert InventoryFilter(min_price=Decimal(5), max_price=Decimal(1)).apply([item(offer="3")]) == ()


@PROPERTY
@given(items=ITEMS)
def test_price_order(items):
    """Cheapest or dearest first, and in both orders what has no offer comes last."""
    for sort, reverse in ((Sort.PRICE_ASC, False), (Sort.PRICE_DESC, True)):
        shown = InventoryFilter(sort=sort).apply(items)
        priced = [each.offer.amount for each in shown if each.offer is not None]

        assert priced == sorted(priced, reverse=reverse)
        assert all(each.offer is None for each in shown[len(priced) :])


def test_name_order():
    """Names are sorted without regard to case."""
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
        ("  redline\t47 ", "12"),
        ("red", "12"),
        ("field-tested", "2"),
        ("field-tested ak", "2"),
        ("AK-47 | Redline", "12"),
        ("ak awp", ""),
        ("redlines", ""),
        ("STRASSE", "4"),
        ("", "1234"),
        (" ", "1234"),
        (".*", ""),
    ],
)
def test_search(search, found):
    """Every word has to be in the name, in any order and case; the market's name counts as well."""
    items = (
        item("AK-47 | Redline", id="1"),
        item("Redline", id="2", market_hash_name="AK-47 | Redline (Field-Tested)"),
        item("AWP | Asiimov", id="3"),
        item("Straße", id="4"),
    )

    assert ids(InventoryFilter(search=search).apply(items)) == found


@PROPERTY
@given(items=ITEMS, words=st.permutations(["ak", "red", "4"]))
def test_order_of_words(items, words):
    """The order and case of the words do not matter."""
    assert InventoryFilter(search=" ".join(words).upper()).apply(items) == InventoryFilter(search="ak red 4").apply(
        items
    )


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
def test_narrows(by, is_active):
    """A search or a price bound can leave items out; an order or a blank search cannot."""
    assert by.is_active == is_active


@pytest.mark.parametrize(
    ("items", "worth"),
    [
        ((), "0"),
        ((item(offer="10.75"), item(offer="0.07")), "10.82"),
        ((item(offer="10.75"), item(offer="5", refusal=Refusal.DISABLED)), "10.75"),
        ((item(offer="5", refusal=Refusal.NOT_TRADABLE),), "0"),
        ((item(offer=None),), "0"),
        ((item(offer="0.07", amount=1000),), "70"),
        ((item(offer="0.07", amount=1000, max_amount=10),), "0.70"),
        ((item(offer="0.07", amount=3, max_amount=10),), "0.21"),
        ((item(offer="0.07", amount=3, max_amount=0),), "0"),
        ((item(offer=None, local_offer=Money(Decimal(9), "EUR")),), "0"),
        ((item(offer=None, market_price=usd("9")),), "0"),
        ((item(offer="1"), Item("x", "x", None, offer=Money(Decimal(5), "EUR"))), "1"),
    ],
)
def test_worth(items, worth):
    """An inventory is worth what can be deposited now: accepted offers in USD, stacks up to what is taken."""
    assert inventory(*items).worth == usd(worth)


@PROPERTY
@given(items=ITEMS)
def test_worth_of_parts(items):
    """Two halves are together worth what the whole is."""
    half = len(items) // 2

    assert inventory(*items).worth == inventory(*items[:half]).worth + inventory(*items[half:]).worth


@pytest.mark.parametrize("sort", Sort)
def test_only_sorted(sort):
    """Sorting leaves the provider's own count alone, which may exceed what it sent."""
    whole = inventory(item("b", "1"), item("a", "2"), total=50)
    sorted_ = whole.filtered(InventoryFilter(sort=sort, search=""))

    assert sorted_.total == 50
    assert len(sorted_.items) == 2


def test_narrowed():
    """Narrowing keeps everything but the items and their count, and leaves the whole inventory as it was."""
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


@pytest.mark.parametrize("sort", Sort)
def test_empty(sort):
    """An empty inventory is no special case."""
    assert InventoryFilter(search="x", sort=sort, min_price=Decimal(1)).apply(()) == ()


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("", None),
        ("  ", None),
        ("$", None),
        ("0", "0"),
        ("12.50", "12.50"),
        ("$1,204.50", "1204.50"),
        (" $ 7 ", "7"),
        ("12,50", "12.50"),
        ("12,5", "12.5"),
        ("1,204", "1204"),
        ("1,204,500", "1204500"),
    ],
)
def test_price_as_people_type_it(typed: str, price: str | None):
    """Dollar signs, thousands and a decimal comma are understood; nothing typed is no price."""
    assert price_from("min_price", typed) == (None if price is None else Decimal(price))


@pytest.mark.parametrize(
    "typed",
    ["cheap", "-1", "1e5", "NaN", "Infinity", "1.2.3", "12,3456", "1,20,300", "1 000", "٣", "9" * 13, "1.", ".5"],
)
def test_what_is_no_price(typed: str):
    """Anything else is named by the input it was typed into."""
    with pytest.raises(InvalidInput) as error:
        price_from("max_price", typed)

    assert (error.value.option, error.value.problem) == ("max_price", "not_a_price")
