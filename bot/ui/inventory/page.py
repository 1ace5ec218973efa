"""One page of an inventory: the offer for each item, or why it is refused."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

import discord

from bot.domain.failures import ProviderName
from bot.domain.inventory import Item, MerchantPrice, Sort, Sum, name_of
from bot.domain.snapshots import Audience, InventoryAnswer, Listing
from bot.languages import Language, current, decimal, number, t, tn
from bot.ports import Explanations
from bot.ui.inventory.comparison import comparison_lines, provider_lines
from bot.ui.inventory.messages import (
    ALL_PROVIDERS,
    OTHER_ACCOUNT,
    SORTS,
    filter_parts,
    own_price_of,
    stack_limit,
    sum_of,
    sum_text,
    verdict,
)
from bot.ui.kit.layout import Page, Tone, card
from bot.ui.kit.text import NAME_REACH, code, item_name, money, outside, relative, utf16_length

_ROOM = 4090
"""UTF-16 units that the head and the items of a page share, so that no item is cut off."""

_SHORTEST_NAME = 24
_EXTERIOR = 24


def inventory_page(
    listing: Listing,
    page: Page[int],
    *,
    explanations: Explanations,
    audience: Audience = Audience.CUSTOMER,
    fresh_until: datetime | None = None,
) -> discord.Embed:
    """Return a page of the shown positions. It can be refreshed from ``fresh_until`` on, or now if that is None."""
    answer = listing.answer
    inventory = None if listing.is_comparison else answer.answers[0].inventory
    refresh = [t("Can be refreshed: {when}", when=relative(fresh_until))] if fresh_until is not None else []
    owner = f"SteamID {code(str(answer.owner))}"
    if answer.linked_user_id is not None:
        owner = f"<@{answer.linked_user_id}> · {owner}"
    if inventory is None:
        head = [owner, *provider_lines(listing, explanations), *refresh]
    else:
        whose_prices = []
        if own_price_of(inventory) is not None and listing.sums[inventory.provider].worth:
            whose_prices = [t("{provider}'s own prices", provider=inventory.provider.label)]
        head = [
            f"**{' · '.join([sum_text(listing.sums[inventory.provider]), *whose_prices])}**",
            owner,
            # Translators: {when} is written by Discord: 5 minutes ago
            " · ".join([t("Read from Steam: {when}", when=relative(inventory.updated_at)), *refresh]),
            *([] if inventory.owner_certain else [str(OTHER_ACCOUNT)]),
        ]
    head += [*_notes_about_money(answer, audience), *_credit_and_losses(listing), *_notes(listing)]
    rows = [listing.rows[position] for position in page.items]
    room = (_ROOM - utf16_length("\n".join(head))) // page.size
    if inventory is None:
        lines = comparison_lines(answer, rows, room)
    else:
        own_price, prices = own_price_of(inventory), inventory.merchant_prices
        lines = [_item_lines(current(), row, room, prices.get(row.id), own_price) for row in rows]
    return card(
        title=" · ".join(
            [t("Inventory"), inventory.provider.label if inventory else str(ALL_PROVIDERS), answer.game.label]
        ),
        description="\n".join([*head, "", *(lines or [_nothing(listing)])]),
        colour=Tone.NEUTRAL,
        footer=t("Page {page} of {pages}", page=number(page.index + 1), pages=number(page.count)),
    )


def _credit_and_losses(listing: Listing) -> Iterator[str]:
    """Yield the room for instant credit if there is any, and how many items could not be read."""
    for part in listing.answer.answers:
        if (inventory := part.inventory) is None:
            continue
        who = f"{part.provider.label} · " if listing.is_comparison else ""
        if inventory.collateral is not None and inventory.collateral.amount > 0:
            # Translators: for items worth this much, the provider pays before it has them
            yield who + t("Room for instant credit: {amount}", amount=money(inventory.collateral))
        if inventory.left_out:
            lost = tn(
                "{count} item could not be read and is left out.",
                "{count} items could not be read and are left out.",
                inventory.left_out,
            )
            yield f"⚠️ {who}{lost}"


def _notes_about_money(answer: InventoryAnswer, audience: Audience) -> Iterator[str]:
    """Yield which amounts are not the customer's credit, and that those of different currencies do not compare."""
    inventories = [part.inventory for part in answer.answers if part.inventory is not None and part.inventory.sum.worth]
    are_credits = all(inventory.credits_known for inventory in inventories)
    currencies = {offer.currency for inventory in inventories for offer in inventory.sum.worth}
    for inventory in inventories:
        if (name := own_price_of(inventory)) is not None:
            yield t("{provider} sent only its own prices. The shop may credit a different amount.", provider=name.label)
    if len(currencies) > 1:
        yield t("Amounts in different currencies are not compared.")
    if audience is Audience.STAFF and (len(currencies) > 1 or not are_credits):
        yield t("An administrator can set SkinsBack's `currency` to `usd`: its credits then come in US dollars.")


def _notes(listing: Listing) -> Iterator[str]:
    """Yield which providers sent only a part, the filter and order asked for, and those that the reader set since."""
    partial = [
        part.inventory for part in listing.answer.answers if part.inventory is not None and part.inventory.is_partial
    ]
    for inventory in partial:
        # Translators: {count} is how many items the provider says there are, {sent} how many of them it sent
        sent = tn(
            "{provider} counts {count} item and sent {sent}.",
            "{provider} counts {count} items and sent {sent}.",
            inventory.total or 0,
            provider=inventory.provider.label,
            sent=number(len(inventory.items)),
        )
        yield f"⚠️ {sent}"
    if partial:
        yield t(
            "Sort and filter see only the items that were sent. To ask for others, use `/inventory` with `sort` or "
            "`search`."
        )
    asked, view, currencies = listing.answer.filter, listing.view, listing.answer.currencies
    sort = asked.sort if view is None else view.sort
    order = [] if sort is Sort.RELEVANCE else [str(SORTS[sort])]
    if asked.is_active:
        conditions = [*filter_parts(asked, currencies), *(order if view is None else [])]
        yield t("Only: {conditions}", conditions=" · ".join(conditions))
    if view is not None and (found := listing.shown_sum) is not None:
        yield t("Filter: {conditions}", conditions=" · ".join(filter_parts(view, currencies)))
        yield _shown(found, len(listing.rows), is_comparison=listing.is_comparison)
    if order and (view is not None or not asked.is_active):
        yield t("Sorted: {order}", order=order[0])


def _shown(found: Sum, rows: int, *, is_comparison: bool) -> str:
    """Return how many of the rows the reader's filter shows."""
    shown = number(found.items)
    if is_comparison and found.items:
        return tn("Shown: {shown} of {count} name", "Shown: {shown} of {count} names", rows, shown=shown)
    if is_comparison:
        return tn("Shown: none of {count} name", "Shown: none of {count} names", rows)
    if not found.items:
        return tn("Shown: none of {count} item", "Shown: none of {count} items", rows)
    of_items = tn("Shown: {shown} of {count} item", "Shown: {shown} of {count} items", rows, shown=shown)
    return " · ".join([of_items, tn("{count} accepted", "{count} accepted", found.accepted), *sum_of(found)])


@lru_cache(maxsize=1_024)  # people turn back, and look the same inventory up again
def _item_lines(
    _language: Language, item: Item, room: int, merchant: MerchantPrice | None, own_price: ProviderName | None
) -> str:
    """Return the two lines of an item in the current language, which is a part of the cache's key."""
    name, stack = name_of(item), f" ×{number(item.amount)}" if item.amount > 1 else ""
    sign, offer = verdict(item, own_price_of=own_price)
    details = [offer, *stack_limit(item)]
    if item.market_price is not None:
        details.append(t("market {price}", price=money(item.market_price)))
    if merchant is not None and item.accepted:
        # Translators: what the provider pays the shop for the item
        details.append(t("shop {price}", price=money(merchant.price)))
    if item.exterior and item.exterior.casefold() not in name.casefold():
        details.append(outside(item.exterior, _EXTERIOR))
    if item.wear is not None:
        # Translators: Steam's number for how worn a skin looks, from 0 to 1
        details.append(t("wear {wear}", wear=decimal(item.wear, 4)))
    if item.stickers:
        details.append(tn("{count} sticker", "{count} stickers", len(item.stickers)))
    first, after_name = f"{sign} **", f"**{stack}\n"
    while True:  # the last facts are the least important; the item's details have all of them
        facts = " · ".join(details)
        left = room - utf16_length(f"{first}{after_name}{facts}\n")
        if left >= _SHORTEST_NAME or len(details) == 1:
            return f"{first}{item_name(name[:NAME_REACH], min(max(left, _SHORTEST_NAME), 120))}{after_name}{facts}"
        details.pop()


def _nothing(listing: Listing) -> str:
    if all(part.inventory is None for part in listing.answer.answers):
        return t("No provider could show this inventory. What each of them says is above.")
    if listing.rows:
        return tn(
            "Nothing matches your filter. Press *Clear filter* to see {count} item, or *Filter* to change it.",
            "Nothing matches your filter. Press *Clear filter* to see all {count} items, or *Filter* to change it.",
            len(listing.rows),
        )
    if listing.answer.filter.is_active:
        return t("Nothing matches what you asked for. Run the command with a shorter name or a wider price range.")
    return t("This inventory is empty: it has no item of this game that can be traded.")
