"""One page of an inventory: the offer for each item, or why it is refused."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

import discord

from bot.domain.failures import ProviderName
from bot.domain.inventory import Item, MerchantPrice, Sort, name_of
from bot.domain.snapshots import Audience, InventoryAnswer, Listing
from bot.ports import Explanations
from bot.ui.inventory.comparison import comparison_lines, provider_lines
from bot.ui.inventory.messages import OTHER_ACCOUNT, SORTS, filter_parts, own_price_of, sum_text, verdict
from bot.ui.kit.layout import Page, Tone, card
from bot.ui.kit.text import NAME_REACH, count, item_name, money, outside, relative, utf16_length

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
    refresh = [f"can be refreshed {relative(fresh_until)}"] if fresh_until is not None else []
    owner = f"SteamID `{answer.owner}`"
    if answer.linked_user_id is not None:
        owner = f"<@{answer.linked_user_id}> · {owner}"
    if inventory is None:
        head = [owner, *provider_lines(listing, explanations), *refresh]
    else:
        head = [
            f"**{sum_text(listing.sums[inventory.provider], 'can be deposited', inventory)}**",
            owner,
            " · ".join([f"as of {relative(inventory.updated_at)}", *refresh]),
            *([] if inventory.owner_certain else [OTHER_ACCOUNT]),
        ]
    head += [*_notes_about_money(answer, audience), *_credit_and_losses(listing), *_notes(listing)]
    rows = [listing.rows[position] for position in page.items]
    room = (_ROOM - utf16_length("\n".join(head))) // page.size
    if inventory is None:
        lines = comparison_lines(answer, rows, room)
    else:
        own_price, prices = own_price_of(inventory), inventory.merchant_prices
        lines = [_item_lines(row, room, prices.get(row.id), own_price) for row in rows]
    return card(
        title=f"Inventory · {inventory.provider.label if inventory else 'all providers'} · {answer.game.label}",
        description="\n".join([*head, "", *(lines or [_nothing(listing)])]),
        colour=Tone.NEUTRAL,
        footer=f"Page {page.index + 1} of {page.count}",
    )


def _credit_and_losses(listing: Listing) -> Iterator[str]:
    """Yield the room for instant credit if there is any, and how many items could not be read."""
    for part in listing.answer.answers:
        if (inventory := part.inventory) is None:
            continue
        who = f"{part.provider.label}: " if listing.is_comparison else ""
        if inventory.collateral is not None and inventory.collateral.amount > 0:
            yield f"{who}{'room' if who else 'Room'} for instant credit: {money(inventory.collateral)}"
        if inventory.left_out:
            lost = count(inventory.left_out, "item")
            yield f"⚠️ {who}{lost} could not be read and {'is' if inventory.left_out == 1 else 'are'} left out."


def _notes_about_money(answer: InventoryAnswer, audience: Audience) -> Iterator[str]:
    """Yield which amounts are not the customer's credit, and that those of different currencies do not compare."""
    inventories = [part.inventory for part in answer.answers if part.inventory is not None and part.inventory.sum.worth]
    are_credits = all(inventory.credits_known for inventory in inventories)
    currencies = {offer.currency for inventory in inventories for offer in inventory.sum.worth}
    for inventory in inventories:
        if (name := own_price_of(inventory)) is not None:
            yield f"{name.label} named only its own prices. What the shop credits may differ."
    if len(currencies) > 1:
        yield "Amounts in different currencies are not compared."
    if audience is Audience.STAFF and (len(currencies) > 1 or not are_credits):
        yield "An administrator can set SkinsBack's `currency` to `usd`: its credits then come in US dollars."


def _notes(listing: Listing) -> Iterator[str]:
    """Yield which providers sent only a part, the filter and order asked for, and those that the reader set since."""
    partial = [
        part.inventory for part in listing.answer.answers if part.inventory is not None and part.inventory.is_partial
    ]
    for inventory in partial:
        who = inventory.provider.label if listing.is_comparison else "The provider"
        yield f"⚠️ {who} counts {count(inventory.total, 'item')} and sent {len(inventory.items):,}."
    if partial:
        yield "Sort and filter see only those. `/inventory` with `sort` or `search` asks for others."
    asked, view, currencies = listing.answer.filter, listing.view, listing.answer.currencies
    sort = asked.sort if view is None else view.sort
    order = [] if sort is Sort.RELEVANCE else [SORTS[sort]]
    if asked.is_active:
        yield f"Only: {' · '.join([*filter_parts(asked, currencies), *(order if view is None else [])])}"
    if view is not None and (found := listing.shown_sum) is not None:
        yield f"Filter: {' · '.join(filter_parts(view, currencies))}"
        of_rows = f"of {count(len(listing.rows), 'name' if listing.is_comparison else 'item')}"
        if found.items and listing.is_comparison:
            yield f"Shown: {found.items:,} {of_rows}"
        elif found.items:
            worth = ", ".join(["", *map(money, found.worth)])
            yield f"Shown: {found.items:,} {of_rows}, {found.accepted:,} accepted{worth}"
        else:
            yield f"Shown: none {of_rows}"
    if order and (view is not None or not asked.is_active):
        yield f"Order: {order[0]}"


@lru_cache(maxsize=1_024)  # people turn back, and look the same inventory up again
def _item_lines(item: Item, room: int, merchant: MerchantPrice | None, own_price: ProviderName | None) -> str:
    name, stack = name_of(item), f" ×{item.amount:,}" if item.amount > 1 else ""
    sign, offer = verdict(item, own_price_of=own_price)
    details = [offer]
    if item.market_price is not None:
        details.append(f"market {money(item.market_price)}")
    if merchant is not None and item.accepted:
        details.append(f"merchant {money(merchant.price)}")
    if item.exterior and item.exterior.casefold() not in name.casefold():
        details.append(outside(item.exterior, _EXTERIOR))
    if item.wear is not None:
        details.append(f"wear {item.wear:.4f}")
    if item.stickers:
        details.append(count(len(item.stickers), "sticker"))
    first, after_name = f"{sign} **", f"**{stack}\n"
    while True:  # the last facts are the least important; the item's details have all of them
        facts = " · ".join(details)
        left = room - utf16_length(f"{first}{after_name}{facts}\n")
        if left >= _SHORTEST_NAME or len(details) == 1:
            return f"{first}{item_name(name[:NAME_REACH], min(max(left, _SHORTEST_NAME), 120))}{after_name}{facts}"
        details.pop()


def _nothing(listing: Listing) -> str:
    if all(part.inventory is None for part in listing.answer.answers):
        return "No provider showed this inventory: above is what each of them says."
    if listing.rows:
        return (
            f"Nothing matches your filter. Press *Clear filter* to see all {count(len(listing.rows), 'item')}, "
            "or *Filter* to change it."
        )
    if listing.answer.filter.is_active:
        return "Nothing matches what you asked for. Use the command with less of the name, or with wider prices."
    return "This inventory is empty: there is no item of this game that could be traded."
