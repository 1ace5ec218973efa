"""One page of an inventory: what each item brings, or why it is refused."""

from collections.abc import Iterable
from itertools import chain

import discord

from bot.domain.failures import Failure
from bot.domain.inventory import Inventory, InventoryFilter, Item, Refusal, Sort
from bot.domain.pages import InventoryAnswer, ProviderAnswer
from bot.ports import Explanations
from bot.ui.errors import GAME_LABELS
from bot.ui.layout import Tone, card
from bot.ui.paging import page_count, page_of
from bot.ui.text import count, money, outside, relative, units

_ROOM = 4090
"""UTF-16 units of a description that head and items share, so that no item of a page is cut off."""

_SHORTEST_NAME = 24
_OTHER_ACCOUNT = "⚠️ This desk uses one fixed client token: the items are those of the token's own account."

_REFUSALS = {
    Refusal.NOT_TRADABLE: "Steam does not let it be traded now",
    Refusal.NO_OFFER: "no buyer for it at the moment",
    Refusal.DISABLED: "the provider does not take this item",
}
_SORTS = {
    Sort.PRICE_ASC: "lowest price first",
    Sort.PRICE_DESC: "highest price first",
    Sort.NAME_ASC: "names A to Z",
    Sort.NAME_DESC: "names Z to A",
}


def inventory_page_count(answer: InventoryAnswer, *, page_size: int) -> int:
    """Return how many pages the answer has."""
    if len(answer.answers) == 1:
        inventory = answer.answers[0].inventory
        return page_count(len(inventory.items) if inventory is not None else 0, page_size)
    return page_count(len(_names(answer)), page_size)


def inventory_page(answer: InventoryAnswer, index: int, *, page_size: int, explanations: Explanations) -> discord.Embed:
    """Return page ``index`` (from 0): of one provider's items, or of several providers side by side."""
    pages = inventory_page_count(answer, page_size=page_size)
    footer = f"Page {index + 1} of {pages}"
    if len(answer.answers) == 1 and answer.answers[0].inventory is not None:
        inventory = answer.answers[0].inventory
        head = _head(answer, inventory)
        room = _room(head, page_size)
        lines = [_item_lines(item, room=room) for item in page_of(inventory.items, index, page_size)]
        title = f"Inventory · {inventory.provider.label}"
    else:
        head = _comparison_head(answer, explanations)
        lines = _comparison_lines(answer, index, page_size, room=_room(head, page_size))
        title = "Inventory · all providers"
    return card(
        title=f"{title} · {GAME_LABELS[answer.game.word]}",
        description="\n".join([*head, "", *(lines or [_nothing(answer)])]),
        colour=Tone.NEUTRAL,
        footer=footer,
    )


def _room(head: list[str], page_size: int) -> int:
    return (_ROOM - units("\n".join(head))) // page_size


def _head(answer: InventoryAnswer, inventory: Inventory) -> list[str]:
    accepted = len(inventory.accepted_items)
    lines = [
        f"**{accepted} of {count(len(inventory.items), 'item')} can be deposited, {money(inventory.worth)}**",
        f"{_owner(answer)} · as of {relative(inventory.updated_at)}",
    ]
    if inventory.total > len(inventory.items):
        lines.append(f"The provider counts {count(inventory.total, 'item')} and sent {len(inventory.items):,}.")
    if not inventory.owner_certain:
        lines.append(_OTHER_ACCOUNT)
    return [*lines, *_filter_line(answer.filter)]


def _owner(answer: InventoryAnswer) -> str:
    linked = f"<@{answer.linked_user_id}> · " if answer.linked_user_id is not None else ""
    return f"{linked}SteamID `{answer.owner}`"


def _filter_line(chosen: InventoryFilter) -> Iterable[str]:
    parts = []
    if chosen.search is not None:
        parts.append(f"name has “{outside(chosen.search, 100)}”")
    if chosen.min_price is not None:
        parts.append(f"from ${chosen.min_price:,f}")
    if chosen.max_price is not None:
        parts.append(f"up to ${chosen.max_price:,f}")
    if chosen.sort is not Sort.RELEVANCE:
        parts.append(_SORTS[chosen.sort])
    return [f"Only: {' · '.join(parts)}" if chosen.narrows else f"Order: {parts[0]}"] if parts else []


def _item_lines(item: Item, *, room: int) -> str:
    stack = f" ×{item.amount}" if item.amount > 1 else ""
    if item.accepted and item.offer is not None:
        first, second = "✅", f"accepted at **{money(item.offer)}**"
        if item.local_offer is not None:
            second += f" ({money(item.local_offer)})"
        if item.amount > 1:
            second += f" each · at most {item.max_amount or item.amount} at once"
    else:
        first, second = "❌", f"refused: {_REFUSALS[item.refusal or Refusal.NO_OFFER]}"
    details = [second]
    if item.market_price is not None:
        details.append(f"market {money(item.market_price)}")
    if item.wear is not None:
        details.append(f"wear {item.wear:.4f}")
    if item.stickers:
        details.append(count(len(item.stickers), "sticker"))
    facts = " · ".join(details)
    name = _name(item.market_hash_name or item.name, 120, room=room - units(f"{first} {stack}{facts}"))
    return f"{first} **{name}**{stack}\n{facts}"


def _name(name: str, most: int, *, room: int) -> str:
    """Return an item's name, made safe, in what the rest of its entry leaves of ``room``."""
    return outside(name, max(_SHORTEST_NAME, min(most, room - len("****\n\n"))))


def _nothing(answer: InventoryAnswer) -> str:
    if all(part.inventory is None for part in answer.answers):
        return "No provider showed this inventory: above is what each of them says."
    if answer.filter.narrows:
        return "Nothing matches. Search for less of the name, or widen the prices."
    return "This inventory is empty: there is no item of this game that could be traded."


# Several providers side by side


def _comparison_head(answer: InventoryAnswer, explanations: Explanations) -> list[str]:
    lines = [_owner(answer), *_filter_line(answer.filter)]
    for part in answer.answers:
        if part.inventory is not None:
            accepted = len(part.inventory.accepted_items)
            what = f"{accepted} of {count(len(part.inventory.items), 'item')}, {money(part.inventory.worth)}"
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


def _comparison_lines(answer: InventoryAnswer, index: int, page_size: int, *, room: int) -> list[str]:
    names = page_of(_names(answer), index, page_size)
    wanted = frozenset(names)
    by_provider = [(part, _best_by_name(part, wanted)) for part in answer.answers if part.inventory is not None]
    lines = []
    for name in names:
        offers = []
        for part, items in by_provider:
            item = items.get(name)
            if item is None:
                offer = "–"
            elif item.accepted and item.offer is not None:
                offer = f"✅ {money(item.offer)}"
            else:
                offer = "❌ refused"
            offers.append(f"{part.provider.label} {offer}")
        facts = " · ".join(offers)
        lines.append(f"**{_name(name, 100, room=room - units(facts))}**\n{facts}")
    return lines


def _names(answer: InventoryAnswer) -> tuple[str, ...]:
    """Return each item name once, in the order of the first provider that has it."""
    parts = (part.inventory.items for part in answer.answers if part.inventory is not None)
    return tuple(dict.fromkeys(item.market_hash_name or item.name for item in chain.from_iterable(parts)))


def _best_by_name(part: ProviderAnswer, names: frozenset[str]) -> dict[str, Item]:
    """Return one item for each of these names: an accepted one where there is one, the dearest of those."""
    best: dict[str, Item] = {}
    for item in part.inventory.items if part.inventory is not None else ():
        name = item.market_hash_name or item.name
        if name in names and (name not in best or _rank(item) > _rank(best[name])):
            best[name] = item
    return best


def _rank(item: Item) -> tuple[bool, float]:
    return item.accepted, float(item.offer.amount) if item.offer is not None else 0.0
