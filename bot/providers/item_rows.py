"""What the rows of items share between providers: stickers and amounts of money."""

from decimal import Decimal
from functools import lru_cache

from typing_extensions import TypedDict

from bot.domain.inventory import Sticker
from bot.domain.money import USD, Money
from bot.providers.rows import Count, Text, Wear

_MOST_STICKERS = 30
"""More than any item has."""


class StickerRow(TypedDict, total=False):
    """A sticker (seeds 001 and 002; seed 003 shows none and is read alike)."""

    name: Text | None
    marketHashName: Text | None
    slot: Count | None
    wear: Wear | None


def stickers_of(rows: list[StickerRow]) -> tuple[Sticker, ...]:
    """Return the stickers that have a name."""
    stickers = []
    for row in rows[:_MOST_STICKERS]:
        market_hash_name = row.get("marketHashName") or None
        if name := row.get("name") or market_hash_name:
            stickers.append(_sticker(name, row.get("slot"), row.get("wear"), market_hash_name))
    return tuple(stickers)


@lru_cache(maxsize=4_096)  # the same few are on most items, and most are new
def _sticker(name: str, slot: int | None, wear: str | Decimal | None, market_hash_name: str | None) -> Sticker:
    return Sticker(name, slot, None if wear is None else Decimal(wear), market_hash_name)


@lru_cache(maxsize=16_384)  # prices repeat
def money(amount: str | Decimal, currency: str = USD) -> Money:
    """Return an amount of money."""
    return Money(Decimal(amount), currency)
