"""Reads what decorates a CS2 item, which every dialect describes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.inventory import Sticker
from bot.providers.reading import Fields, loose

if TYPE_CHECKING:
    from decimal import Decimal


def read_stickers(item: Fields) -> tuple[Sticker, ...]:
    """Return the stickers that have a name (seeds 001 and 002; seed 003 shows none, so it is read alike)."""
    values = item.raw("stickers")
    stickers = []
    for value in values if isinstance(values, list) else []:
        if not isinstance(value, dict):
            continue
        sticker = Fields(value)
        name = loose(sticker.text, "name") or loose(sticker.text, "marketHashName")
        if name:
            stickers.append(Sticker(name, slot=loose(sticker.count, "slot"), wear=read_wear(sticker)))
    return tuple(stickers)


def read_wear(owner: Fields) -> Decimal | None:
    """Return a wear from 0 to 1: the seeds have a text for an item and a number for a sticker."""
    wear = loose(owner.number, "wear")
    return wear if wear is not None and 0 <= wear <= 1 else None
