"""One page of an inventory: what each item brings, or why it is refused."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

import discord

from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import Inventory, Item, Sort, Sum, name_of
from bot.domain.snapshots import InventoryAnswer, Listing, offers_for
from bot.ports import Explanations
from bot.ui.inventory.messages import SORTS, narrowing, sum_words, symbol, verdict, wear_facts
from bot.ui.kit.layout import Tone, card, page_count, page_of
from bot.ui.kit.text import NAME_REACH, NOTHING, count, item_name, money, relative, utf16_length

_ROOM = 4090
"""UTF-16 units of a description that head and items share, so that no item of a page is cut off."""

_SHORTEST_NAME = 24

_HELD = "\N{NO-BREAK SPACE}"
"""Keeps a sign beside its word where a phone's line ends."""

_OTHER_ACCOUNT = "⚠️ This desk uses one fixed client token: the items are those of the token's own account."


def inventory_page(
    listing: Listing, index: int, *, page_size: int, explanations: Explanations, fresh_until: datetime | None = None
) -> discord.Embed:
    """Return page ``index`` (from 0): of one provider's items, or of several providers side by side.

    ``fresh_until`` is when it can be read anew, None where that is now.
    """
    answer = listing.answer
    inventory = None if listing.is_comparison else answer.answers[0].inventory
    again = f"can be refreshed {relative(fresh_until)}" if fresh_until is not None else ""
    if inventory is None:
        head = [*_comparison_head(listing, explanations), *filter(None, [again])]
    else:
        head = _head(listing, inventory, again)
    head += [*_partial(listing), *_arrangement(listing)]
    positions = page_of(listing.shown, index, page_size)
    room = (_ROOM - utf16_length("\n".join(head))) // page_size
    if inventory is None:
        lines = _comparison_lines(answer, [listing.rows[position] for position in positions], room=room)
    else:
        lines = [_item_lines(listing.rows[position], room=room) for position in positions]
    provider = "all providers" if inventory is None else inventory.provider.label
    pages = page_count(len(listing.shown), page_size)
    return card(
        title=f"Inventory · {provider} · {answer.game.label}",
        description="\n".join([*head, "", *(lines or [_nothing(listing)])]),
        colour=Tone.NEUTRAL,
        footer=f"Page {index + 1} of {pages}",
    )


def _head(listing: Listing, inventory: Inventory, again: str) -> list[str]:
    total = listing.sums[inventory.provider]
    lines = [
        f"**{sum_words(total.items, total.accepted)} can be deposited, {money(total.worth)}**",
        _owner(listing.answer),
        " · ".join(filter(None, [f"as of {relative(inventory.updated_at)}", again])),
    ]
    if not inventory.owner_certain:
        lines.append(_OTHER_ACCOUNT)
    return lines


def _owner(answer: InventoryAnswer) -> str:
    linked = f"<@{answer.linked_user_id}> · " if answer.linked_user_id is not None else ""
    return f"{linked}SteamID `{answer.owner}`"


def _partial(listing: Listing) -> Iterable[str]:
    """Say what a provider left out, and what sorting and filtering can mean then."""
    partial = [
        part.inventory for part in listing.answer.answers if part.inventory is not None and part.inventory.is_partial
    ]
    for inventory in partial:
        who = inventory.provider.label if listing.is_comparison else "The provider"
        yield f"⚠️ {who} counts {count(inventory.total, 'item')} and sent {len(inventory.items):,}."
    if partial:
        yield "Sort and filter see only those. `/inventory` with `sort` or `search` asks for others."


def _arrangement(listing: Listing) -> Iterable[str]:
    """Say what was asked for, and how the reader has sorted and narrowed the answer since."""
    asked, view = listing.answer.filter, listing.view
    if view is None:
        parts = [*narrowing(asked), *_order(asked.sort)]
        if parts:
            yield f"Only: {' · '.join(parts)}" if asked.is_active else f"Order: {parts[0]}"
        return
    if asked.is_active:
        yield f"Only: {' · '.join(narrowing(asked))}"
    if listing.shown_sum is not None:
        yield f"Filter: {' · '.join(narrowing(view))}"
        yield _filtered(listing.shown_sum, len(listing.rows))
    if view.sort is not Sort.RELEVANCE:
        yield f"Order: {SORTS[view.sort]}"


def _filtered(left: Sum, rows: int) -> str:
    if not left.items:
        return f"Shown: none of {count(rows, 'item')}"
    return f"Shown: {left.items:,} of {count(rows, 'item')}, {left.accepted:,} accepted, {money(left.worth)}"


def _order(sort: Sort) -> list[str]:
    return [] if sort is Sort.RELEVANCE else [SORTS[sort]]


@lru_cache(maxsize=4096)
def _item_lines(item: Item, *, room: int) -> str:
    stack = f" ×{item.amount:,}" if item.amount > 1 else ""
    first = f"{symbol(item)} **"
    details = [verdict(item)]
    if item.market_price is not None:
        details.append(f"market {money(item.market_price)}")
    details += wear_facts(item, digits=4)
    if item.stickers:
        details.append(count(len(item.stickers), "sticker"))
    # What stands last is missed least; its place is in the details.
    while len(details) > 1 and _needed(first, stack, details) + _SHORTEST_NAME > room:
        details.pop()
    left = room - _needed(first, stack, details)
    return f"{first}{_name(item, 120, room=left)}**{stack}\n{' · '.join(details)}"


def _needed(first: str, stack: str, details: list[str]) -> int:
    return utf16_length(f"{first}**{stack}\n{' · '.join(details)}\n")


def _name(item: Item, most: int, *, room: int) -> str:
    """Return an item's name, made safe, in the ``room`` that the rest of its entry leaves."""
    return item_name(name_of(item)[:NAME_REACH], max(_SHORTEST_NAME, min(most, room)))


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


# Several providers side by side


def _comparison_head(listing: Listing, explanations: Explanations) -> list[str]:
    answer = listing.answer
    lines = [_owner(answer)]
    for part in answer.answers:
        if part.inventory is not None:
            total = listing.sums[part.provider]
            what = f"{sum_words(total.items, total.accepted)}, {money(total.worth)}"
            what += f" · as of {relative(part.inventory.updated_at)}"
            if not part.inventory.owner_certain:
                what += f"\n{_OTHER_ACCOUNT}"
        elif part.failure is not None:
            found_by = f" · reference `{part.reference}`" if part.reference is not None else ""
            what = f"⚠️ {_failure_title(part.failure, explanations)}{found_by}"
        else:
            continue
        lines.append(f"**{part.provider.label}**: {what}")
    return lines


def _failure_title(failure: Failure, explanations: Explanations) -> str:
    explanation = explanations.explain(failure)
    return "not set up right at this desk" if explanation.confidential else explanation.title


def _comparison_lines(answer: InventoryAnswer, rows: list[Item], *, room: int) -> list[str]:
    offers = offers_for(answer, map(name_of, rows))
    answering = [part.provider for part in answer.answers if part.inventory is not None]
    lines = []
    for row in rows:
        found = offers[name_of(row)]
        facts = _short_offers(answering, found, stacks=True)
        if utf16_length(facts) + len("****\n\n") + _SHORTEST_NAME > room:  # how many there are is in the menu as well
            facts = _short_offers(answering, found, stacks=False)
        name = _name(row, 100, room=room - utf16_length(facts) - len("****\n\n"))
        lines.append(f"**{name}**\n{facts}")
    return lines


def _short_offers(answering: Iterable[ProviderName], found: Mapping[ProviderName, Item], *, stacks: bool) -> str:
    return " · ".join(f"{provider.label} {_short_offer(found.get(provider), stacks=stacks)}" for provider in answering)


def _short_offer(item: Item | None, *, stacks: bool) -> str:
    """Return what a provider pays for an item, if it has it."""
    if item is None:
        return NOTHING
    stack = f" ×{item.amount:,}" if stacks and item.amount > 1 else ""
    if not item.accepted or item.offer is None:
        return f"❌{_HELD}refused{stack}"
    return f"✅{_HELD}{money(item.offer)}{f' each{stack}' if stack else ''}"
