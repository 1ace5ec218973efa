"""Everything that is known of one item: picture, stickers, paint seed, and what each provider pays."""

from collections.abc import Iterator

import discord

from bot.domain.inventory import Item, Sticker, name_of
from bot.domain.snapshots import Listing, offers_for
from bot.domain.steam import image_url
from bot.ui.inventory.messages import symbol, verdict
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import NOTHING, code, count, money, outside

_GREATEST_COLOUR = 0xFFFFFF
_WORD = 60
_CERTIFICATE = 1000
_WEAR_DIGITS = 8


def item_details(listing: Listing, item: Item) -> discord.Embed:
    """Return the details of a row of a listing. The rarity's colour beside it is decoration: its name stands there."""
    asked = "all providers" if listing.is_comparison else listing.answer.answers[0].provider.label
    return card(
        title=f"{symbol(item)} {outside(name_of(item), 240)}",
        description="\n".join([*([] if listing.is_comparison else [_brings(item)]), *_facts(item)]),
        fields=[*_offers(listing, item), *_long_facts(item)],
        colour=_colour(item),
        image=image_url(item.icon_hash),
        footer=f"{asked} · {listing.answer.game.label}",
    )


def _colour(item: Item) -> int:
    return item.colour if item.colour is not None and 0 <= item.colour <= _GREATEST_COLOUR else Tone.NEUTRAL


def _brings(item: Item) -> str:
    words = verdict(item)
    market = f" · market {money(item.market_price)}" if item.market_price is not None else ""
    return f"{words[:1].upper()}{words[1:]}{market}"


def _offers(listing: Listing, item: Item) -> Iterator[Field]:
    """Return what each provider says of the item, where all of them were asked."""
    if not listing.is_comparison:
        return
    found = offers_for(listing.answer, [name_of(item)])[name_of(item)]
    # A provider was asked for some items alone: whether it has others nobody knows.
    missing = "not among what it was asked for" if listing.answer.filter.is_active else "not in its list"
    for part in listing.answer.answers:
        if part.inventory is not None:
            theirs = found.get(part.provider)
            words = f"{symbol(theirs)} {_brings(theirs)}" if theirs is not None else f"{NOTHING} {missing}"
            yield Field(part.provider.label, words)


def _facts(item: Item) -> Iterator[str]:
    """Go through the short facts, few lines for a phone."""
    if item.amount > 1:
        yield f"Stack of {item.amount:,}"
    looks = [outside(item.exterior, _WORD)] if item.exterior else []
    if item.wear is not None:
        digits = f"{item.wear:.{_WEAR_DIGITS}f}".rstrip("0")
        looks.append(f"wear {digits}{'0' if digits.endswith('.') else ''}")
    if item.paint_seed is not None:
        looks.append(f"paint seed {item.paint_seed}")
    kinds = [f"rarity {outside(item.rarity, _WORD)}"] if item.rarity else []
    if item.kind:
        kinds.append(f"kind {outside(item.kind, _WORD)}")
    for parts in (looks, kinds):
        if parts:
            line = " · ".join(parts)
            yield f"{line[:1].upper()}{line[1:]}"


def _long_facts(item: Item) -> Iterator[Field]:
    if item.stickers:
        yield Field(count(len(item.stickers), "sticker").capitalize(), "\n".join(map(_sticker, item.stickers)))
    if item.inspect_certificate:
        yield Field("Inspect certificate", code(item.inspect_certificate, _CERTIFICATE))


def _sticker(sticker: Sticker) -> str:
    slot = f"slot {sticker.slot + 1}: " if sticker.slot is not None else ""
    wear = f" · wear {sticker.wear:.2f}" if sticker.wear is not None else ""
    return f"{slot}{outside(sticker.name, 120)}{wear}"
