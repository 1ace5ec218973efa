"""Texts about items that pages, menus and details share, and the error messages of ``/inventory``."""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.errors import GameNotOffered, NotYourPage, PageExpired, QueryExpired
from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, MerchantPrice, Refusal, Sort, Sum
from bot.domain.money import USD, Money
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.kit.text import count, money, outside

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
            "SkinDesk no longer has what this page asked for. That may hold a trade URL, so it is not stored and stays "
            "in memory for a while only. You can still turn the pages and open what is on them, but not refresh them.",
            "Use the command once more, with its options.",
        ),
        GameNotOffered: lambda error, _: ErrorMessage(
            "Not this game",
            f"{error.provider.label} does not have {error.game.label}. Nothing was asked.",
            "Choose another provider or another game.",
            again="Now, with that.",
        ),
    }
)


def verdict(item: Item, *, own_price_of: ProviderName | None = None) -> tuple[str, str]:
    """Return the sign of an item, and its offer or why it is refused; the text alone says enough.

    ``own_price_of`` is the provider if the offer is only its own price, not the customer's credit.
    """
    if not item.accepted or item.offer is None:
        return "❌", f"refused: {REFUSALS[item.refusal or Refusal.NO_OFFER]}"
    each = f" each · at most {item.max_amount or item.amount:,} at once" if item.amount > 1 else ""
    offer = "accepted at" if own_price_of is None else f"{own_price_of.label}'s price"
    return "✅", f"{offer} **{money(item.offer)}**{each}"


OTHER_ACCOUNT = "⚠️ This server uses one fixed client token: the items are those of the token's own account."


def own_price_of(inventory: Inventory | None) -> ProviderName | None:
    """Return the provider if an inventory has its own prices instead of the customer's credits."""
    return None if inventory is None or inventory.credits_known else inventory.provider


def sum_text(total: Sum, what: str = "", inventory: Inventory | None = None) -> str:
    """Return how many of the items are accepted, ``what`` can be done with them, and the sum of their offers."""
    text = f"{total.accepted:,} of {count(total.items, 'item')} {what}".rstrip()
    own_price = own_price_of(inventory)
    of = f" at {own_price.label}'s prices" if own_price is not None and total.worth else ""
    return ", ".join([text, *map(money, total.worth)]) + of


def merchant_text(provider: ProviderName, price: MerchantPrice) -> str:
    """Return what the merchant receives for an item: for holders of ``inventory.any`` only."""
    local = f" ({money(price.local)})" if price.local is not None and price.local.currency != USD else ""
    return f"{provider.label} pays the merchant {money(price.price)}{local}"


def filter_parts(item_filter: InventoryFilter, currencies: Sequence[str]) -> list[str]:
    """Return the conditions of a filter on offers in these currencies."""

    def bound(amount: Decimal) -> str:
        return money(Money(amount, currencies[0])) if len(currencies) == 1 else f"{amount.normalize():,f}"

    parts = []
    if item_filter.search is not None:
        parts.append(f"name has “{outside(item_filter.search, 100)}”")
    if item_filter.min_price is not None:
        parts.append(f"from {bound(item_filter.min_price)}")
    if item_filter.max_price is not None:
        parts.append(f"up to {bound(item_filter.max_price)}")
    if len(currencies) > 1 and (item_filter.min_price is not None or item_filter.max_price is not None):
        parts.append("prices in each provider's own currency")
    return parts
