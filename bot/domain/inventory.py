"""A Steam inventory as a provider would buy it, neutral of the provider."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from bot.domain.errors import InvalidInput
from bot.domain.money import USD, Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.domain.failures import ProviderName
    from bot.domain.steam import Game, SteamId, TradeUrl

MAX_SEARCH = 100
"""Longest search text, in characters (seed 000)."""

_PRICE = re.compile(r"(?:\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?:\.\d{1,8})?|\d{1,12},\d{1,2}", re.ASCII)
"""A price as people type it: ``1204.5``, ``1,204.50``, or with the comma that many countries have, ``12,50``."""


class Refusal(StrEnum):
    """Why a provider does not take an item."""

    NOT_TRADABLE = "not_tradable"
    """Steam does not let the item be traded now."""
    NO_OFFER = "no_offer"
    """The provider has no price, or no buyer, for it now."""
    DISABLED = "disabled"
    """The provider says it does not accept this item (SkinsBack ``disabled``)."""


class Sort(StrEnum):
    """An order of items; the words of the command's option."""

    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"


class Sticker(msgspec.Struct, frozen=True, gc=False):
    """A sticker on an item; ``wear`` runs from 0 (new) to 1 (scraped off)."""

    name: str
    slot: int | None = None
    wear: Decimal | None = None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item, or one stack of equal ones.

    ``offer`` is what the provider pays for one piece, in USD; ``local_offer`` the same with the project's
    multiplier in the currency that was asked for (SkinsBack). ``market_price`` is a reference and never paid.
    ``wear`` runs from 0 to 1. ``inspect_certificate`` is Steam's item certificate for inspect links.
    ``max_amount`` is how many of a stack one deposit may hold. Names are outside text.
    """

    id: str
    name: str
    refusal: Refusal | None
    app_id: int | None = None
    market_hash_name: str | None = None
    kind: str | None = None
    tradable: bool | None = None
    offer: Money | None = None
    local_offer: Money | None = None
    market_price: Money | None = None
    exterior: str | None = None
    wear: Decimal | None = None
    rarity: str | None = None
    colour: int | None = None
    paint_seed: int | None = None
    inspect_certificate: str | None = None
    icon_hash: str | None = None
    stickers: tuple[Sticker, ...] = ()
    amount: int = 1
    max_amount: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the provider takes the item now."""
        return self.refusal is None


def name_of(item: Item) -> str:
    """Return the name that tells an item from others of its kind: what a page shows, sorts by and compares."""
    return item.market_hash_name or item.name


def refusal_of(*, tradable: bool | None, accepted: bool | None, offer: Money | None) -> Refusal | None:
    """Return why an item is refused, or None where it is accepted; a missing acceptance is a refusal."""
    if tradable is False:
        return Refusal.NOT_TRADABLE
    if accepted and offer is not None:
        return None
    return Refusal.NO_OFFER


@dataclass(frozen=True, slots=True)
class InventoryFilter:
    """Which items to show and in what order. Prices are compared with the offer, in USD, ends included."""

    search: str | None = None
    sort: Sort = Sort.RELEVANCE
    min_price: Decimal | None = None
    max_price: Decimal | None = None

    @property
    def is_active(self) -> bool:
        """Whether items can be left out."""
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
        """Return what somebody asked for; InvalidInput where that contradicts itself."""
        search = (search or "").strip() or None
        if search is not None and len(search) > MAX_SEARCH:
            raise InvalidInput("search", "too_long")
        for option, price in (("min_price", min_price), ("max_price", max_price)):
            if price is not None and (not price.is_finite() or price < 0):
                raise InvalidInput(option, "not_a_price")
        if min_price is not None and max_price is not None and min_price > max_price:
            raise InvalidInput("min_price", "above_max_price")
        return cls(search, sort, min_price, max_price)

    def apply(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return the items that match, in order. Items without an offer fail any price bound and sort last."""
        found = tuple(items)
        return tuple(found[position] for position in self.positions(found))

    def positions(self, items: Sequence[Item]) -> Sequence[int]:
        """Return where the items that match stand, in the order in which they are to be shown."""
        if not self.is_active and self.sort is Sort.RELEVANCE:
            return range(len(items))
        words = (self.search or "").casefold().split()
        if self.is_active:
            kept = [position for position, item in enumerate(items) if self._matches(item, words)]
        else:
            kept = list(range(len(items)))
        match self.sort:
            case Sort.RELEVANCE:
                pass
            case Sort.NAME_ASC | Sort.NAME_DESC:
                kept.sort(key=lambda position: name_of(items[position]).casefold(), reverse=self.sort is Sort.NAME_DESC)
            case Sort.PRICE_ASC | Sort.PRICE_DESC:
                priced = [position for position in kept if items[position].offer is not None]
                priced.sort(key=lambda position: _offer_amount(items[position]), reverse=self.sort is Sort.PRICE_DESC)
                kept = priced + [position for position in kept if items[position].offer is None]
        return kept

    def _matches(self, item: Item, words: list[str]) -> bool:
        if words:
            name = f"{item.market_hash_name or ''} {item.name}".casefold()
            if not all(word in name for word in words):
                return False
        if self.min_price is None and self.max_price is None:
            return True
        if item.offer is None:
            return False
        amount = item.offer.amount
        return (self.min_price is None or amount >= self.min_price) and (
            self.max_price is None or amount <= self.max_price
        )


def price_from(option: str, text: str) -> Decimal | None:
    """Read a price in US dollars as somebody typed it, None for nothing; InvalidInput for ``option`` otherwise.

    ``1,204`` is over a thousand, ``12,50`` twelve and a half.
    """
    bare = text.strip().removeprefix("$").strip()
    if not bare:
        return None
    if _PRICE.fullmatch(bare) is None:
        raise InvalidInput(option, "not_a_price")
    whole, comma, end = bare.rpartition(",")
    is_decimal_comma = bool(comma) and len(end) <= len("50")
    return Decimal(f"{whole}.{end}" if is_decimal_comma else bare.replace(",", ""))


def _offer_amount(item: Item) -> Decimal:
    return item.offer.amount if item.offer is not None else Decimal(0)


def worth_of(items: Iterable[Item]) -> Money:
    """Return what is paid, in USD, for those that can be deposited, of a stack for what one deposit may hold."""
    total = Decimal(0)
    for item in items:
        if item.accepted and item.offer is not None and item.offer.currency == USD:
            pieces = item.amount if item.max_amount is None else min(item.amount, item.max_amount)
            total += item.offer.amount * pieces
    return Money(total, USD)


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    """A lookup at one provider. ``refresh`` asks the provider to read Steam again instead of its cache."""

    trade_url: TradeUrl
    game: Game
    filter: InventoryFilter = InventoryFilter()
    refresh: bool = False


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Inventory:
    """What a provider answered for one account and game.

    ``total`` is the provider's own count of matching items; it exceeds ``len(items)`` where the provider sent
    fewer. ``updated_at`` is when the provider last read Steam. ``owner_certain`` is false where a fixed client
    token, not the trade URL, decides whose inventory is answered and its claims cannot be read.
    """

    provider: ProviderName
    owner: SteamId
    game: Game
    items: tuple[Item, ...]
    total: int
    updated_at: datetime
    collateral: Money | None = None
    owner_certain: bool = True

    @property
    def is_partial(self) -> bool:
        """Whether the provider counts more items than it sent."""
        return self.total > len(self.items)

    @property
    def accepted_items(self) -> tuple[Item, ...]:
        """The items that can be deposited."""
        return tuple(item for item in self.items if item.accepted)

    @property
    def worth(self) -> Money:
        """What the provider would pay for everything that can be deposited, in USD."""
        return worth_of(self.items)

    def filtered(self, by: InventoryFilter) -> Inventory:
        """Return the same inventory with only the items that match, in order; itself where that is all of it."""
        if by == InventoryFilter():
            return self
        items = by.apply(self.items)
        return replace(self, items=items, total=len(items) if by.is_active else self.total)
