"""One page of an inventory: the offer for each item, or why it is refused."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

import discord

from bot.domain.inventory import Item, Sort, name_of
from bot.domain.snapshots import InventoryAnswer, Listing, offers_for
from bot.ports import Explanations
from bot.ui.inventory.messages import SORTS, filter_parts, verdict
from bot.ui.kit.layout import Page, Tone, card
from bot.ui.kit.text import NAME_REACH, NOTHING, count, item_name, money, outside, relative, utf16_length

_ROOM = 4090
"""UTF-16 units that the head and the items of a page share, so that no item is cut off."""

_SHORTEST_NAME = 24
_EXTERIOR = 24
_NAME_MARKUP = len("****\n\n")
_NBSP = "\N{NO-BREAK SPACE}"
_OTHER_ACCOUNT = "⚠️ This server uses one fixed client token: the items are those of the token's own account."


def inventory_page(
    listing: Listing, page: Page[int], *, explanations: Explanations, fresh_until: datetime | None = None
) -> discord.Embed:
    """Return a page of the shown positions. It can be refreshed from ``fresh_until`` on, or now if that is None."""
    answer = listing.answer
    inventory = None if listing.is_comparison else answer.answers[0].inventory
    refresh = [f"can be refreshed {relative(fresh_until)}"] if fresh_until is not None else []
    owner = f"SteamID `{answer.owner}`"
    if answer.linked_user_id is not None:
        owner = f"<@{answer.linked_user_id}> · {owner}"
    if inventory is None:
        head = [owner, *_provider_lines(listing, explanations), *refresh]
    else:
        total = listing.sums[inventory.provider]
        head = [
            f"**{total.accepted:,} of {count(total.items, 'item')} can be deposited, {money(total.worth)}**",
            owner,
            " · ".join([f"as of {relative(inventory.updated_at)}", *refresh]),
            *([] if inventory.owner_certain else [_OTHER_ACCOUNT]),
        ]
    head += [*_credit_and_losses(listing), *_notes(listing)]
    rows = [listing.rows[position] for position in page.items]
    room = (_ROOM - utf16_length("\n".join(head))) // page.size
    lines = _comparison_lines(answer, rows, room) if inventory is None else [_item_lines(row, room) for row in rows]
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
    asked, view = listing.answer.filter, listing.view
    sort = asked.sort if view is None else view.sort
    order = [] if sort is Sort.RELEVANCE else [SORTS[sort]]
    if asked.is_active:
        yield f"Only: {' · '.join([*filter_parts(asked), *(order if view is None else [])])}"
    if view is not None and (found := listing.shown_sum) is not None:
        yield f"Filter: {' · '.join(filter_parts(view))}"
        of_rows = f"of {count(len(listing.rows), 'item')}"
        if found.items:
            yield f"Shown: {found.items:,} {of_rows}, {found.accepted:,} accepted, {money(found.worth)}"
        else:
            yield f"Shown: none {of_rows}"
    if order and (view is not None or not asked.is_active):
        yield f"Order: {order[0]}"


@lru_cache(maxsize=1_024)  # people turn back, and look the same inventory up again
def _item_lines(item: Item, room: int) -> str:
    name, stack = name_of(item), f" ×{item.amount:,}" if item.amount > 1 else ""
    sign, offer = verdict(item)
    details = [offer]
    if item.market_price is not None:
        details.append(f"market {money(item.market_price)}")
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


def _provider_lines(listing: Listing, explanations: Explanations) -> Iterator[str]:
    """Yield what each provider of a comparison answered."""
    for part in listing.answer.answers:
        if part.inventory is not None:
            total = listing.sums[part.provider]
            what = f"{total.accepted:,} of {count(total.items, 'item')}, {money(total.worth)}"
            what += f" · as of {relative(part.inventory.updated_at)}"
            if not part.inventory.owner_certain:
                what += f"\n{_OTHER_ACCOUNT}"
        elif part.failure is not None:
            explanation = explanations.explain(part.failure)
            what = f"⚠️ {'not set up right here' if explanation.confidential else explanation.title}"
            if part.reference is not None:
                what += f" · reference `{part.reference}`"
        else:
            continue
        yield f"**{part.provider.label}**: {what}"


def _comparison_lines(answer: InventoryAnswer, rows: Sequence[Item], room: int) -> list[str]:
    offers = offers_for(answer, map(name_of, rows))
    answering = [part.provider for part in answer.answers if part.inventory is not None]
    lines = []
    for row in rows:
        found = offers[name_of(row)]
        facts, short_facts = (
            " · ".join(f"{each.label} {_short_offer(found.get(each), with_stack=stacks)}" for each in answering)
            for stacks in (True, False)
        )
        if utf16_length(facts) + _NAME_MARKUP + _SHORTEST_NAME > room:
            facts = short_facts  # the details have the stacks as well
        left = room - utf16_length(facts) - _NAME_MARKUP
        lines.append(f"**{item_name(name_of(row)[:NAME_REACH], min(max(left, _SHORTEST_NAME), 100))}**\n{facts}")
    return lines


def _short_offer(item: Item | None, *, with_stack: bool) -> str:
    """Return what a provider pays for an item; the no-break space keeps sign and words in one line on a phone."""
    if item is None:
        return NOTHING
    stack = f" ×{item.amount:,}" if with_stack and item.amount > 1 else ""
    if not item.accepted or item.offer is None:
        return f"❌{_NBSP}refused{stack}"
    return f"✅{_NBSP}{money(item.offer)}{f' each{stack}' if stack else ''}"
