"""Texts about items that pages, menus and details share, and the error messages of ``/inventory``."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bot.domain.errors import GameNotOffered, NotYourPage, PageExpired, QueryExpired
from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, MerchantPrice, Refusal, Sort, Sum
from bot.domain.money import USD, Money
from bot.languages import Message, listed, number, t, tn, tp
from bot.languages.numbers import localised
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.kit.text import money, outside

REFUSALS = {
    Refusal.NOT_TRADABLE: Message("Steam does not allow trading it now"),
    Refusal.NO_OFFER: Message("no buyer for it at the moment"),
    Refusal.DISABLED: Message("the provider does not take this item"),
}
"""Why an item is refused."""

# The command in cogs/inventory.py has them once more, for Discord.
SORTS = {
    Sort.RELEVANCE: Message("the provider's own order"),
    Sort.PRICE_ASC: Message("lowest price first"),
    Sort.PRICE_DESC: Message("highest price first"),
    Sort.NAME_ASC: Message("names A to Z"),
    Sort.NAME_DESC: Message("names Z to A"),
}
"""Every order, in the menu and above the items."""

ALL_PROVIDERS = Message("all providers")

# One text for both errors: readers must not learn whether someone else's page exists.
_PAGE_EXPIRED = ErrorMessage(
    Message("This page has expired"),
    Message("It is no longer stored, or someone else asked for it."),
    Message("Run the command again."),
    again=Message("Now."),
)

register_messages(
    {
        PageExpired: _PAGE_EXPIRED,
        NotYourPage: _PAGE_EXPIRED,
        QueryExpired: ErrorMessage(
            Message("Run the command again"),
            Message(
                "SkinDesk no longer has what this page asked for. It may contain a trade URL, so SkinDesk does not "
                "store it. You can still turn the pages and open what is on them, but you cannot refresh them."
            ),
            Message("Run the command again, with its options."),
        ),
        GameNotOffered: lambda error, _: ErrorMessage(
            t("Not this game"),
            t(
                "{provider} does not take items of this game: {game}.",
                provider=error.provider.label,
                game=error.game.label,
            ),
            t("Choose another provider or another game."),
            again=t("Now, with another choice."),
        ),
    }
)


def best() -> str:
    """Return the word for the best offer."""
    # Translators: the highest offer for an item among several providers
    return tp("offer", "best")


def refused() -> str:
    """Return the word for items that a provider does not take."""
    # Translators: an item, or several; in place of a price
    return tp("item", "refused")


def verdict(item: Item, *, own_price_of: ProviderName | None = None) -> tuple[str, str]:
    """Return the sign of an item, and its offer for one piece or why it is refused; the text alone says enough.

    ``own_price_of`` is the provider if the offer is only its own price, not the customer's credit.
    """
    if not item.accepted or item.offer is None:
        return "❌", t("Refused: {reason}", reason=REFUSALS[item.refusal or Refusal.NO_OFFER])
    price = f"**{money(item.offer)}**"
    if own_price_of is None:
        offer = (
            t("Accepted at {price}", price=price) if item.amount == 1 else t("Accepted at {price} each", price=price)
        )
    elif item.amount == 1:
        offer = t("{provider}'s price: {price}", provider=own_price_of.label, price=price)
    else:
        offer = t("{provider}'s price: {price} each", provider=own_price_of.label, price=price)
    return "✅", offer


def stack_limit(item: Item) -> Iterator[str]:
    """Yield how many pieces of an accepted stack one deposit may hold."""
    if item.accepted and item.offer is not None and item.amount > 1:
        yield t("at most {count} in one deposit", count=number(item.max_amount or item.amount))


OTHER_ACCOUNT = Message(
    "⚠️ This server uses one fixed client token: these are the items of the token's own account, whatever trade URL "
    "you give."
)


def own_price_of(inventory: Inventory | None) -> ProviderName | None:
    """Return the provider if an inventory has its own prices instead of the customer's credits."""
    return None if inventory is None or inventory.credits_known else inventory.provider


def sum_text(total: Sum) -> str:
    """Return how many of the items can be deposited, and the sum of their offers."""
    items = tn(
        "{accepted} of {count} item can be deposited",
        "{accepted} of {count} items can be deposited",
        total.items,
        accepted=number(total.accepted),
    )
    return " · ".join([items, *sum_of(total)])


def sum_of(total: Sum) -> Iterator[str]:
    """Yield the sum of the offers, if there are any."""
    if total.worth:
        yield listed(map(money, total.worth))


def merchant_text(provider: ProviderName, price: MerchantPrice) -> str:
    """Return what the merchant receives for an item: for holders of ``inventory.any`` only."""
    paid = money(price.price)
    if price.local is not None and price.local.currency != USD:
        paid += f" ({money(price.local)})"
    return t("{provider} pays the shop {price}", provider=provider.label, price=paid)


def filter_parts(item_filter: InventoryFilter, currencies: Sequence[str]) -> list[str]:
    """Return the conditions of a filter on offers in these currencies."""

    def bound(amount: Decimal) -> str:
        if len(currencies) == 1:
            return money(Money(amount, currencies[0]))
        return localised(f"{amount.normalize():,f}")

    parts = []
    if item_filter.search is not None:
        parts.append(t("name has “{text}”", text=outside(item_filter.search, 100)))
    if item_filter.min_price is not None:
        parts.append(t("from {price}", price=bound(item_filter.min_price)))
    if item_filter.max_price is not None:
        parts.append(t("up to {price}", price=bound(item_filter.max_price)))
    if len(currencies) > 1 and (item_filter.min_price is not None or item_filter.max_price is not None):
        parts.append(t("prices in each provider's own currency"))
    return parts
