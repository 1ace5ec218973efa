"""The options and labels of the controls under an inventory, and the form behind *Filter*."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import discord

from bot.domain.errors import InvalidInput
from bot.domain.inventory import MAX_SEARCH, InventoryFilter, Sort, name_of
from bot.domain.snapshots import Listing
from bot.domain.typed import price_from
from bot.languages import Message, current, decimal, number, t, tp
from bot.languages.numbers import localised
from bot.ui.inventory.messages import SORTS, refused
from bot.ui.kit.text import NAME_REACH, NOTHING, item_label, money, plain

MOST_OPTIONS = 25
_OPTION = 100
_LONGEST_PRICE = 20

_LABELS = {
    "search": Message("Name contains"),
    "min_price": Message("Brings at least"),
    "max_price": Message("Brings at most"),
}
"""The form's labels of the command's options."""


def refresh_label(fresh_until: datetime | None) -> str:
    """Return the label of *Refresh*, with the time from which it works: a label cannot count down."""
    if fresh_until is None:
        return tp("button", "Refresh")
    minute = (fresh_until + timedelta(minutes=1, microseconds=-1)).replace(second=0, microsecond=0)
    # Translators: a button with the time from which it works: Refresh from 14:32 UTC
    return t("Refresh from {time} UTC", time=f"{minute.astimezone(UTC):%H:%M}")


def item_options(listing: Listing, positions: Sequence[int]) -> list[discord.SelectOption]:
    """Return an option for each item of a page; its value is the item's position in the snapshot."""
    options = []
    for position in positions[:MOST_OPTIONS]:
        item = listing.rows[position]
        stack = f"{number(item.amount)} × " if item.amount > 1 else ""
        if item.accepted and item.offer is not None:
            wear = [] if item.wear is None else [t("wear {wear}", wear=decimal(item.wear, 4))]
            facts = " · ".join([f"✅ {money(item.offer)}", *wear])
        else:
            facts = f"❌ {refused()}"
        name, description = item_label(f"{stack}{name_of(item)}"[:NAME_REACH], _OPTION), item_label(facts, _OPTION)
        options.append(discord.SelectOption(label=name, value=str(position), description=description))
    return options


def sort_options(listing: Listing, view: InventoryFilter) -> list[discord.SelectOption]:
    """Return the sort orders; the provider's own is only available if it was asked for."""
    asked = listing.answer.filter.sort
    inventories = [part.inventory for part in listing.answer.answers if part.inventory is not None]
    is_partial = any(inventory.is_partial for inventory in inventories)
    return [
        discord.SelectOption(
            label=t("Sort: {order}", order=order),
            value=sort.value,
            description=t("Only among the items that were sent") if is_partial and sort is not asked else None,
            default=sort is view.sort,
        )
        for sort, order in SORTS.items()
        if sort is not Sort.RELEVANCE or sort is asked
    ]


def filter_inputs(view: InventoryFilter, currencies: Sequence[str]) -> "list[discord.ui.Label[Any]]":
    """Return the inputs of the form, filled in from the current view, for offers in these currencies."""
    unit = None
    if len(currencies) > 1:
        unit = t("In each provider's currency")
    elif currencies:
        unit = t("In {currency}", currency=plain(currencies[0], 12))
    return [
        _input(
            "search",
            view.search,
            MAX_SEARCH,
            example=t("for example ak redline"),
            description=t("Every word must be in the name. Empty fields show all items."),
        ),
        _input("min_price", _typed(view.min_price), _LONGEST_PRICE, example=_example("0.50"), description=unit),
        _input("max_price", _typed(view.max_price), _LONGEST_PRICE, example=_example("100"), description=unit),
    ]


def typed_filter(values: Mapping[str, str], sort: Sort) -> InventoryFilter:
    """Return the filter that a form was filled in with; InvalidInput names the form's labels."""
    sign = current().formats.decimal
    search = plain(values.get("search", ""), MAX_SEARCH)
    try:
        return InventoryFilter.of(
            search=None if search == NOTHING else search,
            sort=sort,
            min_price=price_from("min_price", values.get("min_price", ""), decimal=sign),
            max_price=price_from("max_price", values.get("max_price", ""), decimal=sign),
        )
    except InvalidInput as error:
        raise InvalidInput(str(_LABELS[error.option]), error.problem) from None


def _input(
    custom_id: str, value: str | None, most: int, *, example: str, description: str | None
) -> "discord.ui.Label[Any]":
    text_input: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=custom_id, default=value, max_length=most, placeholder=example, required=False
    )
    return discord.ui.Label(text=str(_LABELS[custom_id]), description=description, component=text_input)


def _example(price: str) -> str:
    return t("for example {price}", price=localised(price))


def _typed(price: Decimal | None) -> str | None:
    """Return a price as it is read back: with the language's decimal sign, and without thousands set apart."""
    return None if price is None else localised(f"{price:f}")
