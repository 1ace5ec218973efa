"""What the pages of an inventory list: one row for each item, or each name where providers stand side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from bot.domain.derived import Derived
from bot.domain.inventory import InventoryFilter, Sort, name_of, worth_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.domain.failures import ProviderName
    from bot.domain.inventory import Inventory, Item
    from bot.domain.money import Money
    from bot.domain.snapshots import InventoryAnswer


@dataclass(frozen=True, slots=True)
class Sum:
    """How many items there are, how many of them can be deposited, and what is paid for those."""

    items: int
    accepted: int
    worth: Money

    @classmethod
    def of(cls, items: Sequence[Item]) -> Sum:
        """Add up."""
        return cls(len(items), sum(item.accepted for item in items), worth_of(items))


def _sum_of(inventory: Inventory) -> Sum:
    return Sum.of(inventory.items)


_SUMS: Derived[Inventory, Sum] = Derived()


@dataclass(frozen=True, slots=True)
class Listing:
    """A snapshot as its reader wants it shown.

    ``rows`` are all there is to show; their positions never change. ``shown`` are the positions that match the
    reader's view, in its order. ``sums`` add up what each provider sent, ``shown_sum`` only what matches: of several
    providers it counts each name once, at its best offer.
    """

    answer: InventoryAnswer
    view: InventoryFilter | None
    rows: Sequence[Item]
    shown: Sequence[int]
    sums: dict[ProviderName, Sum]
    shown_sum: Sum | None

    @classmethod
    def of(cls, answer: InventoryAnswer, view: InventoryFilter | None) -> Listing:
        """List an answer; for ten thousand items that takes a while."""
        inventories = [part.inventory for part in answer.answers if part.inventory is not None]
        rows = inventories[0].items if len(answer.answers) == 1 and inventories else _best_of_each_name(answer)
        wanted = view or InventoryFilter(sort=answer.filter.sort)
        if len(answer.answers) == 1 and wanted.sort is answer.filter.sort:
            # What was sorted by the provider, in its own alphabet, is not sorted once more in another one.
            wanted = replace(wanted, sort=Sort.RELEVANCE)
        shown = wanted.positions(rows)
        return cls(
            answer=answer,
            view=view,
            rows=rows,
            shown=shown,
            sums={inventory.provider: _SUMS.of(inventory, _sum_of) for inventory in inventories},
            shown_sum=Sum.of([rows[position] for position in shown]) if view is not None and view.is_active else None,
        )

    @property
    def is_comparison(self) -> bool:
        """Whether several providers stand side by side."""
        return len(self.answer.answers) > 1

    def row(self, position: int) -> Item | None:
        """Return the row at a position, None where there is none."""
        return self.rows[position] if 0 <= position < len(self.rows) else None


def offers_for(answer: InventoryAnswer, names: Iterable[str]) -> dict[str, dict[ProviderName, Item]]:
    """Return, for each of these names, each provider's item: one that is accepted, and of those the dearest."""
    offers: dict[str, dict[ProviderName, Item]] = {name: {} for name in names}
    for part in answer.answers:
        for item in part.inventory.items if part.inventory is not None else ():
            found = offers.get(name_of(item))
            if found is not None and (part.provider not in found or _rank(item) > _rank(found[part.provider])):
                found[part.provider] = item
    return offers


def _best_of_each_name(answer: InventoryAnswer) -> Sequence[Item]:
    """Return each name once, in the order of the first provider that has it, by the item with the best offer."""
    best: dict[str, Item] = {}
    parts = (part.inventory.items for part in answer.answers if part.inventory is not None)
    for item in chain.from_iterable(parts):
        name = name_of(item)
        if name not in best or _rank(item) > _rank(best[name]):
            best[name] = item
    return tuple(best.values())


def _rank(item: Item) -> tuple[bool, Decimal]:
    return item.accepted, item.offer.amount if item.offer is not None else Decimal(0)
