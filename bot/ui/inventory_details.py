"""Everything that is known of one item: picture, stickers, paint seed, and what each provider pays."""

from collections.abc import Iterator

import discord

from bot.domain.inventory import Item, Sticker
from bot.domain.listing import Listing, name_of, offers_for
from bot.domain.steam import image_url
from bot.ui.errors import GAME_LABELS
from bot.ui.inventory_page import short_offer
from bot.ui.inventory_words import deposit_bound, symbol, verdict
from bot.ui.layout import Field, Tone, card
from bot.ui.text import code, count, money, outside

_GREATEST_COLOUR = 0xFFFFFF
_WORD = 60
_CERTIFICATE = 1000


def item_details(listing: Listing, item: Item) -> discord.Embed:
    """Return the details of a row of a listing. The rarity's colour beside it is decoration: its name stands there."""
    fields = [*_offers(listing, item), *_facts(item)]
    providers = "all providers" if listing.is_comparison else listing.answer.answers[0].provider.label
    return card(
        title=f"{symbol(item)} {outside(name_of(item), 240)}",
        description="" if listing.is_comparison else f"{_sentence(verdict(item))}.",
        fields=fields,
        colour=_colour(item),
        image=image_url(item.icon_hash),
        footer=f"{providers} · {GAME_LABELS[listing.answer.game.word]}",
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _colour(item: Item) -> int:
    return item.colour if item.colour is not None and 0 <= item.colour <= _GREATEST_COLOUR else Tone.NEUTRAL


def _offers(listing: Listing, item: Item) -> Iterator[Field]:
    """Return what the item brings: in one line at one provider, in a field each where all were asked."""
    if not listing.is_comparison:
        if item.market_price is not None:
            yield Field("Market price", money(item.market_price), inline=True)
        return
    found = offers_for(listing.answer, [name_of(item)])[name_of(item)]
    for part in listing.answer.answers:
        if part.inventory is None:
            continue
        theirs = found.get(part.provider)
        lines = [_sentence(verdict(theirs)) if theirs is not None else f"{short_offer(None)} not in its list"]
        if theirs is not None:
            lines[0] = f"{symbol(theirs)} {lines[0]}"
            if theirs.market_price is not None:
                lines.append(f"market {money(theirs.market_price)}")
        yield Field(part.provider.label, "\n".join(lines))


def _facts(item: Item) -> Iterator[Field]:
    if item.exterior:
        yield Field("Exterior", outside(item.exterior, _WORD), inline=True)
    if item.wear is not None:
        yield Field("Wear", f"{item.wear:f}"[:20], inline=True)
    if item.paint_seed is not None:
        yield Field("Paint seed", str(item.paint_seed), inline=True)
    if item.rarity:
        yield Field("Rarity", outside(item.rarity, _WORD), inline=True)
    if item.kind:
        yield Field("Kind", outside(item.kind, _WORD), inline=True)
    if item.amount > 1 or (item.max_amount or 1) > 1:
        yield Field("Amount", f"{item.amount:,} · {deposit_bound(item)}", inline=True)
    if item.stickers:
        yield Field(count(len(item.stickers), "sticker").capitalize(), "\n".join(map(_sticker, item.stickers)))
    if item.inspect_certificate:
        yield Field("Inspect certificate", code(item.inspect_certificate, _CERTIFICATE))


def _sticker(sticker: Sticker) -> str:
    slot = f"slot {sticker.slot + 1}: " if sticker.slot is not None else ""
    wear = f" · wear {sticker.wear:.2f}" if sticker.wear is not None else ""
    return f"{slot}{outside(sticker.name, 120)}{wear}"
