"""What the menus and buttons under an inventory say, and the form behind *Filter*."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import discord

from bot.domain.errors import InvalidInput
from bot.domain.inventory import MAX_SEARCH, InventoryFilter, Item, Sort, name_of, price_from
from bot.domain.snapshots import Listing
from bot.ui.inventory.messages import SORTS
from bot.ui.kit.text import NAME_REACH, NOTHING, item_label, money, plain

MOST_OPTIONS = 25
_OPTION = 100
_LONGEST_PRICE = 20

_LABELS = {"search": "Name contains", "min_price": "Brings at least", "max_price": "Brings at most"}
"""What the form calls the options of the command."""


def refresh_label(fresh_until: datetime | None) -> str:
    """Return what the button says; a label cannot count down, so it names the minute from whose beginning it works."""
    if fresh_until is None:
        return "Refresh"
    minute = (fresh_until + timedelta(minutes=1, microseconds=-1)).replace(second=0, microsecond=0)
    return f"Refresh from {minute.astimezone(UTC):%H:%M} UTC"


def item_options(listing: Listing, positions: Sequence[int]) -> list[discord.SelectOption]:
    """Return an option for each item of a page; its value is the item's position, which never changes."""
    return [_item_option(listing.rows[position], position) for position in positions[:MOST_OPTIONS]]


def sort_options(listing: Listing, chosen: InventoryFilter) -> list[discord.SelectOption]:
    """Return the orders there are. The provider's own is gone where it was asked for another one."""
    asked = listing.answer.filter.sort
    inventories = [part.inventory for part in listing.answer.answers if part.inventory is not None]
    is_partial = any(inventory.is_partial for inventory in inventories)
    return [
        discord.SelectOption(
            label=f"Sort: {words}",
            value=sort.value,
            description="Only among the items that were sent" if is_partial and sort is not asked else None,
            default=sort is chosen.sort,
        )
        for sort, words in SORTS.items()
        if sort is not Sort.RELEVANCE or sort is asked
    ]


def filter_inputs(chosen: InventoryFilter) -> "list[discord.ui.Label[Any]]":
    """Return the inputs of the form, filled in with what is set."""
    return [
        discord.ui.Label(
            text=_LABELS["search"],
            description="Every word has to be in the name. Leave everything empty to see all items.",
            component=_input("search", chosen.search, MAX_SEARCH, "ak redline"),
        ),
        discord.ui.Label(
            text=f"{_LABELS['min_price']}, in US dollars",
            component=_input("min_price", _typed(chosen.min_price), _LONGEST_PRICE, "0.50"),
        ),
        discord.ui.Label(
            text=f"{_LABELS['max_price']}, in US dollars",
            component=_input("max_price", _typed(chosen.max_price), _LONGEST_PRICE, "100"),
        ),
    ]


def typed_filter(values: Mapping[str, str], sort: Sort) -> InventoryFilter:
    """Return what the form was filled in with; InvalidInput, by the form's own words, where that cannot be used."""
    search = plain(values.get("search", ""), MAX_SEARCH)
    try:
        return InventoryFilter.of(
            search=None if search == NOTHING else search,
            sort=sort,
            min_price=price_from("min_price", values.get("min_price", "")),
            max_price=price_from("max_price", values.get("max_price", "")),
        )
    except InvalidInput as error:
        raise InvalidInput(_LABELS[error.option], error.problem) from None


@lru_cache(maxsize=4096)
def _item_option(item: Item, position: int) -> discord.SelectOption:
    stack = f"{item.amount:,} × " if item.amount > 1 else ""
    if item.accepted and item.offer is not None:
        facts = [f"✅ {money(item.offer)}", *(f"wear {item.wear:.4f}" for _ in range(item.wear is not None))]
    else:
        facts = ["❌ refused"]
    return discord.SelectOption(
        label=item_label(f"{stack}{name_of(item)}"[:NAME_REACH], _OPTION),
        value=str(position),
        description=item_label(" · ".join(facts), _OPTION),
    )


def _input(custom_id: str, value: str | None, most: int, example: str) -> "discord.ui.TextInput[Any]":
    return discord.ui.TextInput(
        custom_id=custom_id, default=value, max_length=most, placeholder=f"for example {example}", required=False
    )


def _typed(price: object) -> str | None:
    return None if price is None else f"{price:f}"
