"""Texts about items that pages, menus and details share, and the error messages of ``/inventory``."""

from bot.domain.errors import GameNotOffered, NotYourPage, PageExpired, QueryExpired
from bot.domain.inventory import InventoryFilter, Item, Refusal, Sort
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.kit.text import money, outside

REFUSALS = {
    Refusal.NOT_TRADABLE: "Steam does not let it be traded now",
    Refusal.NO_OFFER: "no buyer for it at the moment",
    Refusal.DISABLED: "the provider does not take this item",
}
"""Why an item is refused."""

SORTS = {
    Sort.RELEVANCE: "the provider's own order",
    Sort.PRICE_ASC: "lowest price first",
    Sort.PRICE_DESC: "highest price first",
    Sort.NAME_ASC: "names A to Z",
    Sort.NAME_DESC: "names Z to A",
}
"""Every order, as an option of the command, in the menu and above the items."""

# One text for both errors: readers must not learn whether someone else's page exists.
_PAGE_EXPIRED = ErrorMessage(
    "This page has expired",
    "It is no longer stored, or someone else asked for it.",
    "Run the command again.",
    again="Now.",
)

register_messages(
    {
        PageExpired: _PAGE_EXPIRED,
        NotYourPage: _PAGE_EXPIRED,
        QueryExpired: ErrorMessage(
            "Run the command again",
            "SkinDesk no longer has the trade URL of this page: it stores none, and holds it in memory for a while. "
            "You can still turn, sort and filter the page, but not refresh it.",
            "Use `/inventory` with the trade URL once more.",
        ),
        GameNotOffered: lambda error, _: ErrorMessage(
            "Not this game",
            f"{error.provider.label} does not have {error.game.label}. Nothing was asked.",
            "Choose another provider or another game.",
            again="Now, with that.",
        ),
    }
)


def verdict(item: Item) -> tuple[str, str]:
    """Return the sign of an item, and its offer or why it is refused; the text alone says enough."""
    if not item.accepted or item.offer is None:
        return "❌", f"refused: {REFUSALS[item.refusal or Refusal.NO_OFFER]}"
    each = f" each · at most {item.max_amount or item.amount:,} at once" if item.amount > 1 else ""
    return "✅", f"accepted at **{money(item.offer)}**{each}"


def filter_parts(item_filter: InventoryFilter) -> list[str]:
    """Return the conditions of a filter."""
    parts = []
    if item_filter.search is not None:
        parts.append(f"name has “{outside(item_filter.search, 100)}”")
    if item_filter.min_price is not None:
        parts.append(f"from ${item_filter.min_price:,f}")
    if item_filter.max_price is not None:
        parts.append(f"up to ${item_filter.max_price:,f}")
    return parts
