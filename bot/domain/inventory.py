"""A Steam inventory as a provider would buy it, neutral of the provider."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.money import USD, Money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.domain.failures import ProviderName
    from bot.domain.steam import Game, SteamId, TradeUrl

MAX_SEARCH = 100
"""Longest search text, in characters (seed 000)."""


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


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker on an item; ``wear`` runs from 0 (new) to 1 (scraped off)."""

    name: str
    slot: int | None = None
    wear: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Item:
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
    def narrows(self) -> bool:
        """Whether items can be left out."""
        return bool((self.search or "").split()) or self.min_price is not None or self.max_price is not None

    def apply(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return the items that match, in order. Items without an offer fail any price bound and sort last."""
        words = (self.search or "").casefold().split()
        kept = [item for item in items if self._matches(item, words)]
        match self.sort:
            case Sort.RELEVANCE:
                pass
            case Sort.NAME_ASC | Sort.NAME_DESC:
                kept.sort(key=lambda item: item.name.casefold(), reverse=self.sort is Sort.NAME_DESC)
            case Sort.PRICE_ASC | Sort.PRICE_DESC:
                priced = [item for item in kept if item.offer is not None]
                priced.sort(key=_offer_amount, reverse=self.sort is Sort.PRICE_DESC)
                kept = priced + [item for item in kept if item.offer is None]
        return tuple(kept)

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


def _offer_amount(item: Item) -> Decimal:
    return item.offer.amount if item.offer is not None else Decimal(0)


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    """A lookup at one provider. ``refresh`` asks the provider to read Steam again instead of its cache."""

    trade_url: TradeUrl
    game: Game
    filter: InventoryFilter = InventoryFilter()
    refresh: bool = False


@dataclass(frozen=True, slots=True)
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
    def accepted_items(self) -> tuple[Item, ...]:
        """The items that can be deposited."""
        return tuple(item for item in self.items if item.accepted)

    @property
    def worth(self) -> Money:
        """What the provider would pay for everything that can be deposited, in USD."""
        total = Money(Decimal(0), USD)
        for item in self.accepted_items:
            if item.offer is not None and item.offer.currency == USD:
                pieces = item.amount if item.max_amount is None else min(item.amount, item.max_amount)
                total += item.offer.times(pieces)
        return total

    def narrowed(self, by: InventoryFilter) -> Inventory:
        """Return the same inventory with only the items that match, in order."""
        items = by.apply(self.items)
        return replace(self, items=items, total=len(items) if by.narrows else self.total)
