"""The menus and the form of an inventory."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.domain.errors import InvalidInput
from bot.domain.inventory import InventoryFilter, Item, Sort
from bot.domain.snapshots import Listing
from bot.languages import LANGUAGES, Language, in_language
from bot.ui.inventory.controls import item_options, refresh_label, sort_options, typed_filter
from bot.ui.inventory_pages import FilterModal
from tests.domain.builders import inventory, item
from tests.support.hostile_items import hostile_items
from tests.support.hostile_text import hostile
from tests.support.made_up import MadeUpLanguage
from tests.support.payload_audit import audit_requests
from tests.ui.test_inventory_page import answer

languages = st.sampled_from([*LANGUAGES.values(), MadeUpLanguage()])


def test_refresh_label():
    """The button names the minute from which it works again: from that minute's beginning it does."""
    assert refresh_label(None) == "Refresh"
    assert refresh_label(datetime(2026, 1, 1, 14, 32, tzinfo=UTC)) == "Refresh from 14:32 UTC"
    assert refresh_label(datetime(2026, 1, 1, 14, 32, 0, 1, tzinfo=UTC)) == "Refresh from 14:33 UTC"
    assert refresh_label(datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)) == "Refresh from 00:00 UTC"


def test_orders():
    """The menu has every order and shows which one is chosen."""
    options = sort_options(Listing.of(answer(inventory(item())), None), InventoryFilter(sort=Sort.NAME_DESC))

    assert [option.value for option in options] == [sort.value for sort in Sort]
    assert [option.value for option in options if option.default] == ["name_desc"]
    assert all(option.description is None for option in options)


def test_orders_where_one_was_asked_for():
    """The provider's own order is not offered if another one was asked for: it is not known."""
    listing = Listing.of(answer(inventory(item()), by=InventoryFilter(sort=Sort.PRICE_ASC)), None)

    assert "relevance" not in [option.value for option in sort_options(listing, InventoryFilter())]


def test_typed():
    """Typed text becomes a filter in the current order; blanks and invisible characters are ignored."""
    assert typed_filter({"search": " ak ", "min_price": "$ 1,204.50", "max_price": " "}, Sort.NAME_ASC) == (
        InventoryFilter("ak", Sort.NAME_ASC, Decimal("1204.50"), None)
    )
    assert typed_filter({"search": "\u200b"}, Sort.RELEVANCE) == InventoryFilter()
    assert typed_filter({}, Sort.RELEVANCE) == InventoryFilter()


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("price", ["0.5", "1204", "1.204", "1204.56", "0.00000001", "999999999999"])
def test_filled_in_prices_are_read_back(language: Language, price: str):
    """The form is filled in as the reader's language writes prices, and gives the same filter again."""
    view = InventoryFilter(min_price=Decimal(price), max_price=Decimal(price))
    with in_language(language):
        form = json.loads(json.dumps(FilterModal("AAAAAAAAAAA-", view, ["USD"]).to_dict()))
        filled = {each["component"]["custom_id"]: each["component"].get("value", "") for each in form["components"]}
        assert typed_filter(filled, Sort.RELEVANCE) == view

    assert (language.formats.decimal in filled["min_price"]) is ("." in price)


def test_prices_of_a_language():
    """A mark before three digits is read as the reader's language writes it."""
    typed = {"min_price": "1.204", "max_price": "1.204,50"}
    with in_language(LANGUAGES["de"]):
        german = typed_filter(typed, Sort.RELEVANCE)

    assert (german.min_price, german.max_price) == (Decimal(1204), Decimal("1204.50"))
    assert typed_filter(typed, Sort.RELEVANCE).min_price == Decimal("1.204")


@given(found=st.lists(hostile_items, min_size=1, max_size=25), language=languages)
def test_any_labels(found: list[Item], language: Language):
    """With any item, the labels are text that Discord takes, and each leads to its item."""
    with in_language(language):
        options = item_options(Listing.of(answer(inventory(*found)), None), range(len(found)))

    assert [int(option.value) for option in options] == list(range(len(found)))
    for option in options:
        assert 1 <= len(option.label.strip()) <= 100
        assert 1 <= len((option.description or "").strip()) <= 100


@given(
    search=hostile,
    low=st.text(max_size=20),
    high=st.text(max_size=20),
    currencies=st.sampled_from([(), ("USD",), ("USD", "RUB")]),
    language=languages,
)
def test_any_form(search: str, low: str, high: str, currencies: tuple[str, ...], language: Language):
    """Any typed text is a filter or named as unusable, and the form filled in with the filter can be shown."""
    try:
        typed = typed_filter({"search": search[:100], "min_price": low, "max_price": high}, Sort.RELEVANCE)
    except InvalidInput:
        typed = typed_filter({"search": search[:100]}, Sort.RELEVANCE)
    with in_language(language):
        body = {"type": 9, "data": FilterModal("AAAAAAAAAAA-", typed, currencies).to_dict()}
    found = audit_requests([HttpLogEntry("POST", "/interactions/1/token/callback", {}, body, None)])

    assert [each for each in found if "never" not in each] == []


@pytest.mark.parametrize(("option", "label"), [("min_price", "Brings at least"), ("max_price", "Brings at most")])
def test_unusable_price(option: str, label: str):
    """An invalid price is named by the label of its input."""
    with pytest.raises(InvalidInput) as error:
        typed_filter({option: "a lot"}, Sort.RELEVANCE)

    assert (error.value.option, error.value.problem) == (label, "not_a_price")
