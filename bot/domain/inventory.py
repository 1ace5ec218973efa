"""Steam inventories with the offers of a provider, in a form that all providers share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

import msgspec

from bot.domain.errors import InvalidInput
from bot.domain.failures import ProviderName
from bot.domain.money import Money, currency_order
from bot.domain.secrets import mask_trade_urls
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.typed import folded, straight

MAX_SEARCH = 100
"""Longest search text, in characters (seed 000)."""
_COMPARED = 256
"""Characters of a name that searches and sorting compare; Steam's names are shorter."""


class Refusal(StrEnum):
    """Why a provider does not accept an item."""

    NOT_TRADABLE = "not_tradable"
    """The item cannot be traded on Steam now."""
    NO_OFFER = "no_offer"
    """The provider has no price or no buyer for it now."""
    DISABLED = "disabled"
    """The provider marks the item as disabled (SkinsBack)."""


class Sort(StrEnum):
    """An order of items, as the command's option spells it."""

    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"


class Sticker(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A sticker on an item; ``wear`` runs from 0 (new) to 1 (scraped off)."""

    name: str
    slot: int | None = None
    wear: Decimal | None = None
    market_hash_name: str | None = None
    """Names the sticker's own page on Steam's market (seed 001)."""


class MerchantPrice(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the merchant, not the customer, receives for an item (SkinsBack, seed 003)."""

    price: Money
    """``price``, in USD."""
    local: Money | None = None
    """``price_local``, the same amount in the requested currency."""


class Item(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One item, or one stack of equal items.

    ``offer`` is what the customer is credited for one piece. Names are untrusted text.
    """

    id: str
    name: str
    refusal: Refusal | None
    app_id: int | None = None
    market_hash_name: str | None = None
    kind: str | None = None
    tradable: bool | None = None
    offer: Money | None = None
    market_price: Money | None = None
    """A reference, never paid."""
    amount: int = 1
    max_amount: int | None = None
    """How many pieces of a stack one deposit may hold."""
    exterior: str | None = None
    wear: Decimal | None = None
    """From 0 (new) to 1 (worn)."""
    stickers: tuple[Sticker, ...] = ()
    paint_seed: int | None = None
    rarity: str | None = None
    colour: int | None = None
    icon_hash: str | None = None
    inspect_certificate: str | None = None
    """Steam's item certificate for inspect links."""

    @property
    def accepted(self) -> bool:
        """Whether the provider accepts the item now."""
        return self.refusal is None


def name_of(item: Item) -> str:
    """Return the name that pages show, sort by and compare."""
    return item.market_hash_name or item.name


def refusal_of(*, tradable: bool | None, accepted: bool | None, offer: Money | None) -> Refusal | None:
    """Return why an item is refused, or None if it is accepted; a missing acceptance is a refusal."""
    if tradable is False:
        return Refusal.NOT_TRADABLE
    if accepted and offer is not None:
        return None
    return Refusal.NO_OFFER


@dataclass(frozen=True, slots=True)
class InventoryFilter:
    """Filter and order of items. The price bounds are inclusive, in the offer's own currency."""

    search: str | None = None
    sort: Sort = Sort.RELEVANCE
    min_price: Decimal | None = None
    max_price: Decimal | None = None

    @property
    def is_active(self) -> bool:
        """Whether it can leave items out."""
        return bool((self.search or "").split()) or self.min_price is not None or self.max_price is not None

    @classmethod
    def of(
        cls,
        *,
        search: str | None = None,
        sort: Sort = Sort.RELEVANCE,
        min_price: Decimal | None = None,
        max_price: Decimal | None = None,
    ) -> InventoryFilter:
        """Return a filter from a user's input; raise InvalidInput if a value is unusable.

        The search is kept as Steam would write it, because AssetPay compares it with Steam's names in its own way, and
        without the token of a trade URL that was pasted into it: pages show the search.
        """
        search = straight(search or "").strip() or None
        if search is not None and len(search) > MAX_SEARCH:
            raise InvalidInput("search", "too_long")
        search = mask_trade_urls(search) if search is not None else None
        for option, price in (("min_price", min_price), ("max_price", max_price)):
            if price is not None and (not price.is_finite() or price < 0):
                raise InvalidInput(option, "not_a_price")
        if min_price is not None and max_price is not None and min_price > max_price:
            raise InvalidInput("min_price", "above_max_price")
        return cls(search, sort, min_price, max_price)

    def apply(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return the matching items in order. Items without an offer fail any price bound and sort last."""
        found = tuple(items)
        return tuple(found[position] for position in self.positions(found))

    def positions(self, items: Sequence[Item]) -> Sequence[int]:
        """Return the positions of the matching items, in the order in which they are shown."""
        kept: Sequence[int] = range(len(items))
        if self.is_active:
            search = folded(self.search or "").split()
            kept = [position for position, item in enumerate(items) if self._matches(item, search)]
        match self.sort:
            case Sort.RELEVANCE:
                return kept
            case Sort.NAME_ASC | Sort.NAME_DESC:
                names = {position: folded(name_of(items[position])[:_COMPARED]) for position in kept}
                return sorted(names, key=names.__getitem__, reverse=self.sort is Sort.NAME_DESC)
            case Sort.PRICE_ASC | Sort.PRICE_DESC:
                offers = {position: offer for position in kept if (offer := items[position].offer) is not None}
                prices = {position: offer.amount for position, offer in offers.items()}
                priced = sorted(prices, key=prices.__getitem__, reverse=self.sort is Sort.PRICE_DESC)
                if len({offer.currency for offer in offers.values()}) > 1:
                    priced.sort(key=lambda position: currency_order(offers[position].currency))
                return priced + [position for position in kept if position not in prices]

    def _matches(self, item: Item, search: list[str]) -> bool:
        if search:
            name = folded(f"{(item.market_hash_name or '')[:_COMPARED]} {item.name[:_COMPARED]}")
            if not all(part in name for part in search):
                return False
        if self.min_price is None and self.max_price is None:
            return True
        return (
            item.offer is not None
            and (self.min_price is None or item.offer.amount >= self.min_price)
            and (self.max_price is None or item.offer.amount <= self.max_price)
        )


@dataclass(frozen=True, slots=True)
class Sum:
    """How many items there are, how many can be deposited, and the offers for those: an amount for each currency."""

    items: int
    accepted: int
    worth: tuple[Money, ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Sum:
        """Add up the items; of a stack the offer counts the pieces that one deposit may hold."""
        accepted = 0
        totals: dict[str, Decimal] = {}
        for item in items:
            if item.refusal is not None:
                continue
            accepted += 1
            if (offer := item.offer) is not None:
                worth, currency = offer.amount, offer.currency
                if item.amount != 1 or item.max_amount is not None:
                    worth *= item.amount if item.max_amount is None else min(item.amount, item.max_amount)
                totals[currency] = totals[currency] + worth if currency in totals else worth
        sums = tuple(Money(totals[currency], currency) for currency in sorted(totals, key=currency_order))
        return cls(len(items), accepted, sums)


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    """A lookup at one provider. With ``refresh`` the provider reads Steam again instead of its cache."""

    trade_url: TradeUrl
    game: Game
    filter: InventoryFilter = InventoryFilter()
    refresh: bool = False


@dataclass(frozen=True)
class Inventory:
    """A provider's answer for one account and game.

    ``total`` is the provider's own count of matching items; it exceeds ``len(items)`` if the provider sent fewer.
    ``updated_at`` is when the provider last read Steam. ``owner_certain`` is false if a fixed client token decides
    whose inventory is returned and its claims cannot be read. ``left_out`` counts the rows that could not be read.

    ``credits_known`` is false if the provider named only its own price (SkinsBack without a local currency): ``offer``
    is that price then. ``merchant_prices``, by item id, are only for holders of ``inventory.any``.
    """

    provider: ProviderName
    owner: SteamId
    game: Game
    items: tuple[Item, ...]
    total: int
    updated_at: datetime
    collateral: Money | None = None
    owner_certain: bool = True
    left_out: int = 0
    credits_known: bool = True
    merchant_prices: dict[str, MerchantPrice] = field(default_factory=dict)
    request_id: str | None = None
    """The provider's id of its answer, which its support asks for."""

    @property
    def is_partial(self) -> bool:
        """Whether the provider counts more items than it sent."""
        return self.total > len(self.items)

    @cached_property
    def sum(self) -> Sum:
        """The sum of its items, computed once."""
        return Sum.of(self.items)

    @cached_property
    def for_customers(self) -> Inventory:
        """The inventory without the merchant's prices; always the same object, so that storage packs it once."""
        return replace(self, merchant_prices={}) if self.merchant_prices else self

    def filtered(self, by: InventoryFilter) -> Inventory:
        """Return the inventory with only the matching items, in order; itself if the filter is empty."""
        if by == InventoryFilter():
            return self
        items = by.apply(self.items)
        return replace(self, items=items, total=len(items) if by.is_active else self.total)
