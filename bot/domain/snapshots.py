"""Stored answers that a pager shows page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec.structs import replace as altered

from bot.domain.failures import Failure, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Sort, Sum, name_of
from bot.domain.links import Link
from bot.domain.money import USD, Money, currency_order
from bot.domain.steam import Game, SteamId
from bot.domain.trades import KeyLimit, NotAsked, Scope, Trade, TradeReference, UnreadRow


class Audience(StrEnum):
    """The readers that an answer is worded for."""

    CUSTOMER = "customer"
    STAFF = "staff"


class TradesView(StrEnum):
    """Which trades of an answer its reader wants to see, if not all of them."""

    FAILED = "failed"


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
    def currencies(self) -> tuple[str, ...]:
        """The currencies of its offers, USD first. AssetPay has USD only, without an offer too (seeds 000 to 002)."""
        found = set[str]()
        for part in self.answers:
            if part.inventory is not None:
                found.update(offer.currency for offer in part.inventory.sum.worth)
                if part.provider is not ProviderName.SKINSBACK:
                    found.add(USD)
        return tuple(sorted(found, key=currency_order))

    def without_merchant_prices(self) -> InventoryAnswer:
        """Return the answer for readers without ``inventory.any``; itself if there is nothing to leave out."""
        if not any(part.inventory is not None and part.inventory.merchant_prices for part in self.answers):
            return self
        answers = tuple(
            replace(part, inventory=part.inventory and part.inventory.for_customers) for part in self.answers
        )
        return replace(self, answers=answers)

    @property
    def item_count(self) -> int:
        """How many items its inventories have together."""
        return sum(len(part.inventory.items) for part in self.answers if part.inventory is not None)


@dataclass(frozen=True, slots=True)
class TradesPart:
    """What one provider said to ``/trades``, beside its trades.

    The other fields are those of :class:`TradeReading`; ``unread`` are the rows that may be the account's. If a call
    failed, ``failure`` says how, and the log has it under ``reference``.
    """

    provider: ProviderName
    not_asked: NotAsked | None = None
    failure: Failure | None = None
    reference: str | None = None
    unread: tuple[UnreadRow, ...] = ()
    since: datetime | None = None
    is_cut: bool = False
    is_full: bool = False
    limit: KeyLimit | None = None
    of_account_alone: bool = False
    knows_offers: bool = True

    def for_customer(self, account: SteamId | None, *, is_named: bool) -> TradesPart:
        """Return the part for a reader who may see this account's trades only, and learns nothing of others'.

        If they named a trade, "not found" and "not yours" are one answer (trades.md, 6.11).
        """
        if self.of_account_alone:
            return self
        return replace(
            self,
            unread=tuple(row for row in self.unread if row.owner == account),
            since=None if is_named else self.since,
            is_cut=self.is_cut and not is_named,
            limit=self.limit and KeyLimit(sees_only=None),
        )


@dataclass(frozen=True, slots=True)
class TradesAnswer:
    """The answer to ``/trades``: the trades of all providers, newest first, and what each provider said.

    ``steam_id`` is the trades' owner, None for everyone's. With a ``reference``, the trades are those that it names.
    """

    scope: Scope
    steam_id: SteamId | None
    viewer: SteamId | None
    """The caller's own Steam account: a ``code`` may be shown only on that account's trades."""
    parts: tuple[TradesPart, ...]
    trades: tuple[Trade, ...]
    read_at: datetime
    reference: TradeReference | None = None
    codes_from: datetime | None = None
    """When the caller may see the codes of their own account's trades; None: now, or never."""

    def positions(self, view: TradesView | None) -> Sequence[int]:
        """Return the places of the trades that a view shows. A trade's place never changes."""
        if view is None:
            return range(len(self.trades))
        return [place for place, trade in enumerate(self.trades) if trade.state.has_failed]

    @property
    def row_count(self) -> int:
        """How many trades and unread rows it holds together."""
        return len(self.trades) + sum(len(part.unread) for part in self.parts)

    def for_reader(self, link: Link | None, now: datetime, *, sees_all: bool) -> TradesAnswer:
        """Return the answer for a reader with this link: with the codes that they may see now, and no other.

        Without ``sees_all``, the reader gets the trades of the answer's account, without the merchant's amounts.
        """
        own = link.proven if link is not None else None
        codes_from = link.codes_from(now) if link is not None and own is not None else None
        codes_of = own if codes_from is None else None
        trades = (
            self.trades
            if sees_all
            else [trade for trade in self.trades if self.steam_id is not None and trade.owner == self.steam_id]
        )
        return replace(
            self,
            trades=tuple(_for_reader(trade, codes_of, sees_all=sees_all) for trade in trades),
            parts=self.parts if sees_all else tuple(self._for_customer(part) for part in self.parts),
            viewer=own,
            codes_from=codes_from,
        )

    def _for_customer(self, part: TradesPart) -> TradesPart:
        return part.for_customer(self.steam_id, is_named=self.reference is not None)


def _for_reader(trade: Trade, codes_of: SteamId | None, *, sees_all: bool) -> Trade:
    """Return the trade with its code if it is this account's; itself if nothing changes, because lists are long."""
    code = trade.code if codes_of is not None and trade.owner == codes_of else None
    merchant_amount = trade.merchant_amount if sees_all else None
    if code is trade.code and merchant_amount is trade.merchant_amount:
        return trade
    return altered(trade, code=code, merchant_amount=merchant_amount)


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
    view: InventoryFilter | TradesView | None = None

    def with_view(self, view: InventoryFilter | TradesView | None) -> Snapshot:
        """Return the snapshot with this view, or with None if the view is the default one."""
        bare = replace(self, view=None)
        return bare if view in (None, bare.current_view) else replace(self, view=view)

    @property
    def current_view(self) -> InventoryFilter:
        """The reader's view of an inventory, or the default one: the order that was asked for, without a filter."""
        asked = self.answer.filter.sort if isinstance(self.answer, InventoryAnswer) else Sort.RELEVANCE
        return self.inventory_view or InventoryFilter(sort=asked)

    @property
    def inventory_view(self) -> InventoryFilter | None:
        """The reader's own view of an inventory."""
        return self.view if isinstance(self.view, InventoryFilter) else None

    @property
    def trades_view(self) -> TradesView | None:
        """The reader's view of trades; None if they see all."""
        return self.view if isinstance(self.view, TradesView) else None


@dataclass(frozen=True, slots=True)
class Listing:
    """An inventory answer as its reader has sorted and filtered it.

    ``rows`` are all items, or one item for each name if several providers are compared; their positions never change.
    ``shown`` are the positions that match the view, in its order. ``sums`` add up each provider's items, ``shown_sum``
    the rows that match an active filter. Amounts of different currencies are never compared or added.
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
        wanted = view or InventoryFilter(sort=answer.filter.sort)
        rows: Sequence[Item]
        shown: Sequence[int]
        if is_single:
            rows = inventories[0].items if inventories else ()
            if wanted.sort is answer.filter.sort:
                # The provider sorted them already, by its own alphabet.
                wanted = replace(wanted, sort=Sort.RELEVANCE)
            shown = wanted.positions(rows)
        else:
            rows, shown = _compared(inventories, wanted)
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


def offers_for(answer: InventoryAnswer, names: Iterable[str]) -> dict[str, dict[ProviderName, tuple[Item, ...]]]:
    """Return each provider's items of each of these names: accepted ones first, then the highest offer."""
    found: dict[str, dict[ProviderName, list[Item]]] = {name: {} for name in names}
    for part in answer.answers:
        for item in part.inventory.items if part.inventory is not None else ():
            of_name = found.get(name_of(item))
            if of_name is not None:
                of_name.setdefault(part.provider, []).append(item)
    return {
        name: {provider: tuple(sorted(items, key=_rank)) for provider, items in of_name.items()}
        for name, of_name in found.items()
    }


def price_range(items: Iterable[Item]) -> tuple[Money, Money] | None:
    """Return the lowest and the highest accepted offer in the first one's currency; None if there is none."""
    offers = [item.offer for item in items if item.accepted and item.offer is not None]
    alike = [offer for offer in offers if offer.currency == offers[0].currency]
    return (min(alike, key=lambda each: each.amount), max(alike, key=lambda each: each.amount)) if alike else None


def best_providers(answer: InventoryAnswer, offers: Mapping[ProviderName, Sequence[Item]]) -> frozenset[ProviderName]:
    """Return who offers most for the items of one name; no one if all offer the same.

    Only credits in the same currency compare. If there are several prices, the best has the highest of the low ends
    and of the high ends.
    """
    groups: dict[str, dict[ProviderName, tuple[Decimal, Decimal]]] = {}
    for part in answer.answers:
        prices = price_range(offers.get(part.provider, ()))
        if part.inventory is not None and part.inventory.credits_known and prices is not None:
            low, high = prices
            groups.setdefault(low.currency, {})[part.provider] = low.amount, high.amount
    best = set[ProviderName]()
    for ranges in groups.values():
        top = max(low for low, _ in ranges.values()), max(high for _, high in ranges.values())
        if any(each != top for each in ranges.values()):
            best.update(provider for provider, each in ranges.items() if each == top)
    return frozenset(best)


def _compared(inventories: Iterable[Inventory], wanted: InventoryFilter) -> tuple[Sequence[Item], Sequence[int]]:
    """Return the best item of each name, in the order of the first provider that has it, and the positions to show.

    A name is shown if an accepted item matches, or if none is accepted, any item.
    """
    best: dict[str, tuple[_Rank, Item]] = {}
    for inventory in inventories:
        for item in inventory.items:
            rank, name = _rank(item, credits_known=inventory.credits_known), name_of(item)
            if name not in best or rank < best[name][0]:
                best[name] = rank, item
    ranked = tuple(best.values())
    rows = tuple(item for _, item in ranked)
    shown = InventoryFilter(sort=wanted.sort).positions(rows)
    if wanted.is_active:
        items = (item for inventory in inventories for item in inventory.items)
        matching = [item for item in items if item.accepted or not best[name_of(item)][1].accepted]
        names = {name_of(item) for item in replace(wanted, sort=Sort.RELEVANCE).apply(matching)}
        shown = [position for position in shown if name_of(rows[position]) in names]
    if wanted.sort in (Sort.PRICE_ASC, Sort.PRICE_DESC):
        shown = sorted(shown, key=lambda position: ranked[position][0][1:3])
    return rows, shown


_Rank = tuple[bool, bool, bool, tuple[bool, str], Decimal]


def _rank(item: Item, *, credits_known: bool = True) -> _Rank:
    """Return a sort key: accepted, with an offer, with a known credit, USD, the highest amount."""
    offer = item.offer or _NO_OFFER
    return (
        not item.accepted,
        item.offer is None,
        not credits_known,
        currency_order(offer.currency),
        -offer.amount,
    )


_NO_OFFER = Money(Decimal(0))
