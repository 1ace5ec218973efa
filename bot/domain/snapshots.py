"""Stored answers that a pager shows page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Sort, Sum, name_of
from bot.domain.steam import Game, SteamId
from bot.domain.trades import KeyLimit, Scope, Trade


class Audience(StrEnum):
    """The readers that an answer is worded for."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """One provider's part of a lookup: its inventory, or its failure with the reference under which it is logged."""

    provider: ProviderName
    inventory: Inventory | None = None
    failure: Failure | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class InventoryAnswer:
    """The answer to ``/inventory``: one provider's, or several side by side."""

    owner: SteamId
    game: Game
    filter: InventoryFilter
    answers: tuple[ProviderAnswer, ...]
    linked_user_id: int | None = None

    @property
    def updated_at(self) -> datetime | None:
        """When the newest of its inventories was read from Steam; None if there is none."""
        return max((part.inventory.updated_at for part in self.answers if part.inventory is not None), default=None)

    @property
    def item_count(self) -> int:
        """How many items its inventories have together."""
        return sum(len(part.inventory.items) for part in self.answers if part.inventory is not None)


@dataclass(frozen=True, slots=True)
class TradesAnswer:
    """The answer to ``/trades``. ``steam_id`` is the trades' owner, None for everyone's trades.

    ``limit`` says that the desk's key may not see all of them, ``per_account`` that this account's were asked for
    alone; ``left_out`` has the places of the rows that could not be read.
    """

    provider: ProviderName
    scope: Scope
    steam_id: SteamId | None
    viewer: SteamId | None
    """The caller's own Steam account: a ``code`` may be shown only on that account's trades."""
    trades: tuple[Trade, ...]
    read_at: datetime
    window_full: bool = False
    limit: KeyLimit | None = None
    per_account: bool = False
    left_out: tuple[str, ...] = ()

    def without_codes(self) -> TradesAnswer:
        """Return the answer as it may be stored: without the trades' codes."""
        return replace(self, trades=tuple(replace(trade, code=None) for trade in self.trades))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored answer for one user of one guild. ``view`` is the reader's own sort order and filter, if any."""

    id: str
    guild_id: int
    user_id: int
    audience: Audience
    answer: InventoryAnswer | TradesAnswer
    created_at: datetime
    expires_at: datetime
    view: InventoryFilter | None = None

    def with_view(self, view: InventoryFilter | None) -> Snapshot:
        """Return the snapshot with this view, or with None if the view is the default one."""
        bare = replace(self, view=None)
        return bare if view in (None, bare.current_view) else replace(self, view=view)

    @property
    def current_view(self) -> InventoryFilter:
        """The reader's view, or the default one: the order that was asked for, without a filter."""
        asked = self.answer.filter.sort if isinstance(self.answer, InventoryAnswer) else Sort.RELEVANCE
        return self.view or InventoryFilter(sort=asked)


@dataclass(frozen=True, slots=True)
class Listing:
    """An inventory answer as its reader has sorted and filtered it.

    ``rows`` are all items, or one item for each name if several providers are compared; their positions never change.
    ``shown`` are the positions that match the view, in its order. ``sums`` add up each provider's items, ``shown_sum``
    the rows that match an active filter.
    """

    answer: InventoryAnswer
    view: InventoryFilter | None
    rows: Sequence[Item]
    shown: Sequence[int]
    sums: dict[ProviderName, Sum]
    shown_sum: Sum | None
    is_comparison: bool
    """Whether it compares several providers."""

    @classmethod
    def of(cls, answer: InventoryAnswer, view: InventoryFilter | None) -> Listing:
        """List an answer. This is slow for ten thousand items."""
        inventories = [part.inventory for part in answer.answers if part.inventory is not None]
        is_single = len(answer.answers) == 1
        rows = inventories[0].items if is_single and inventories else _best_of_each_name(inventories)
        wanted = view or InventoryFilter(sort=answer.filter.sort)
        if is_single and wanted.sort is answer.filter.sort:
            # The provider sorted them already, by its own alphabet.
            wanted = replace(wanted, sort=Sort.RELEVANCE)
        shown = wanted.positions(rows)
        return cls(
            answer=answer,
            view=view,
            rows=rows,
            shown=shown,
            sums={inventory.provider: inventory.sum for inventory in inventories},
            shown_sum=Sum.of([rows[position] for position in shown]) if view is not None and view.is_active else None,
            is_comparison=not is_single,
        )

    def row(self, position: int) -> Item | None:
        """Return the row at a position, or None."""
        return self.rows[position] if 0 <= position < len(self.rows) else None


def offers_for(answer: InventoryAnswer, names: Iterable[str]) -> dict[str, dict[ProviderName, Item]]:
    """Return each provider's best item for each of these names: an accepted one first, then the highest offer."""
    offers: dict[str, dict[ProviderName, Item]] = {name: {} for name in names}
    for part in answer.answers:
        for item in part.inventory.items if part.inventory is not None else ():
            found = offers.get(name_of(item))
            if found is not None and (part.provider not in found or _rank(item) > _rank(found[part.provider])):
                found[part.provider] = item
    return offers


def _best_of_each_name(inventories: Iterable[Inventory]) -> Sequence[Item]:
    """Return the best item of each name, in the order of the first provider that has it."""
    best: dict[str, Item] = {}
    for inventory in inventories:
        for item in inventory.items:
            name = name_of(item)
            if name not in best or _rank(item) > _rank(best[name]):
                best[name] = item
    return tuple(best.values())


def _rank(item: Item) -> tuple[bool, Decimal]:
    return item.accepted, item.offer.amount if item.offer is not None else Decimal(0)
