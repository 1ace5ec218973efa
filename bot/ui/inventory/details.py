"""The details of one item, and the CSV file of all items."""

from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import discord

from bot.domain.inventory import Inventory, Item, Sticker, name_of
from bot.domain.inventory_table import columns_of, rows_of
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, best_providers, offers_for
from bot.domain.steam import Game, image_url
from bot.domain.steam_links import inspect_url, market_url
from bot.languages import decimal, number, t, tn
from bot.languages.numbers import localised
from bot.ui.inventory.messages import ALL_PROVIDERS, best, merchant_text, own_price_of, stack_limit, verdict
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import FIELD_VALUE, Field, Tone, card
from bot.ui.kit.text import NOTHING, code, money, outside, utf16_length

_MAX_COLOUR = 0xFFFFFF
_WORD = 60
_CERTIFICATE = 1000
_WEAR_DIGITS = 8
_MOST_PERCENT = Decimal(9_999)
_MOST_PRICES = 8
"""How many prices of one name a provider's field lists."""


def item_details(listing: Listing, item: Item, *, audience: Audience) -> discord.Embed:
    """Return the details of a row of a listing. The colour is that of the rarity, which is named as well."""
    game = item.app_id or listing.answer.game
    asked = str(ALL_PROVIDERS) if listing.is_comparison else listing.answer.answers[0].provider.label
    return card(
        title=f"{verdict(item)[0]} {outside(name_of(item), 240)}",
        description="\n".join(
            [*([] if listing.is_comparison else _offer(item, listing.answer.answers[0].inventory)), *_facts(item, game)]
        ),
        fields=[*_provider_offers(listing, item), *_long_facts(item, game), *_for_staff(listing, audience)],
        colour=item.colour if item.colour is not None and 0 <= item.colour <= _MAX_COLOUR else Tone.NEUTRAL,
        image=image_url(item.icon_hash),
        footer=f"{asked} · {listing.answer.game.label}",
    )


def _offer(item: Item, inventory: Inventory | None) -> Iterator[str]:
    """Yield the offer for an item, and what the merchant receives if the reader may see it."""
    _, offer = verdict(item, own_price_of=own_price_of(inventory))
    unsure = item.accepted and own_price_of(inventory) is not None
    credit = [t("the shop may credit a different amount")] if unsure else []
    yield " · ".join([offer, *stack_limit(item), *credit, *_market(item)])
    merchant = inventory.merchant_prices.get(item.id) if inventory is not None and item.accepted else None
    if inventory is not None and merchant is not None:
        yield merchant_text(inventory.provider, merchant)


def _market(item: Item) -> Iterator[str]:
    """Yield the market price, and what part of it the offer is if both are in one currency."""
    market, offer = item.market_price, item.offer
    if market is None:
        return
    if not item.accepted or offer is None or offer.currency != market.currency or market.amount <= 0:
        yield t("market {price}", price=money(market))
        return
    share = min(offer.amount / market.amount * 100, _MOST_PERCENT).quantize(Decimal(1), ROUND_HALF_UP)
    yield t("{percent}% of the market price, {price}", percent=number(int(share)), price=money(market))


def _provider_offers(listing: Listing, item: Item) -> Iterator[Field]:
    """Yield each provider's offers of a comparison: every price, and how many items have it."""
    if not listing.is_comparison:
        return
    found = offers_for(listing.answer, [name_of(item)])[name_of(item)]
    best_offers = best_providers(listing.answer, found)
    # Asked for some items only, a provider may still have this one.
    asked_for_some = listing.answer.filter.is_active
    missing = t("not among the items that it was asked for") if asked_for_some else t("not in its list")
    for part in listing.answer.answers:
        if part.inventory is not None:
            theirs = found.get(part.provider, ())
            offers = Counter(f"{verdict(each)[0]} " + "\n".join(_offer(each, part.inventory)) for each in theirs)
            lines = [f"{number(times)}× {offer}" if len(theirs) > 1 else offer for offer, times in offers.items()]
            if len(lines) > _MOST_PRICES:
                left = len(lines) - _MOST_PRICES
                lines[_MOST_PRICES:] = [tn("…and {count} more price", "…and {count} more prices", left)]
            name = f"{part.provider.label} · ⭐ {best()}" if part.provider in best_offers else part.provider.label
            yield Field(name, "\n".join(lines) or f"{NOTHING} {missing}")


def _facts(item: Item, game: int) -> Iterator[str]:
    """Yield the short facts in few lines, for a phone."""
    if item.amount > 1:
        # Translators: one row stands for so many equal items
        yield t("Stack of {count}", count=number(item.amount))
    elif item.max_amount is not None and item.max_amount > 1:
        yield t("At most {count} of these in one deposit", count=number(item.max_amount))
    appearance = [outside(item.exterior, _WORD)] if item.exterior else []
    if item.wear is not None:
        appearance.append(t("Wear: {wear}", wear=_exact(item.wear)))
    if item.paint_seed is not None:
        # Translators: Steam's number that decides how the pattern lies on a skin
        appearance.append(t("Paint seed: {number}", number=item.paint_seed))
    kinds = [t("Rarity: {rarity}", rarity=outside(item.rarity, _WORD))] if item.rarity else []
    if item.kind:
        # Translators: Steam's word for the kind of item, in English: Rifle
        kinds.append(t("Kind: {kind}", kind=outside(item.kind, _WORD)))
    yield from (" · ".join(parts) for parts in (appearance, kinds) if parts)
    if (url := market_url(game, item.market_hash_name)) is not None:
        text = t("Its page on Steam's market")
        yield f"[{text}]({url})"


def _exact(wear: Decimal) -> str:
    """Return a wear without zeros at its end, but with one decimal."""
    whole, _, decimals = f"{wear:.{_WEAR_DIGITS}f}".partition(".")
    return localised(f"{whole}.{decimals.rstrip('0') or '0'}")


def _long_facts(item: Item, game: int) -> Iterator[Field]:
    if item.stickers:
        lines = "\n".join(_sticker(sticker, market_url(game, sticker.market_hash_name)) for sticker in item.stickers)
        if utf16_length(lines) > FIELD_VALUE:
            lines = "\n".join(_sticker(sticker, None) for sticker in item.stickers)
        yield Field(tn("{count} sticker", "{count} stickers", len(item.stickers)), lines)
    if item.inspect_certificate:
        yield _inspection(item.inspect_certificate, game)


def _inspection(certificate: str, game: int) -> Field:
    """Return the link into the game to be copied, because Discord opens no ``steam:`` links on every device."""
    url = inspect_url(certificate) if game == Game.CS2 else None
    if url is None:
        # Translators: Steam's code for looking at one item
        return Field(t("Inspect certificate"), code(certificate, _CERTIFICATE))
    link = t("Copy this into the address bar of a browser: {link}", link=f"`{url}`")
    console = t("Or into the game's console: {command}", command=f"`csgo_econ_action_preview {certificate}`")
    both = f"{link}\n{console}"
    return Field(t("Inspect in the game"), both if utf16_length(both) <= FIELD_VALUE else link)


def _sticker(sticker: Sticker, url: str | None) -> str:
    name = outside(sticker.name, 120)
    text = name if url is None else f"[{name}]({url})"
    if sticker.slot is not None:
        # Translators: {slot} is the number of the place on the weapon
        text = t("Slot {slot}: {sticker}", slot=sticker.slot + 1, sticker=text)
    if sticker.wear is not None:
        text += f" · {t('wear {wear}', wear=decimal(sticker.wear, 2))}"
    return text


def _for_staff(listing: Listing, audience: Audience) -> Iterator[Field]:
    """Yield the request ids, which a provider's support asks for."""
    ids = {
        part.provider.label: code(part.inventory.request_id, _WORD)
        for part in listing.answer.answers
        if part.inventory is not None and part.inventory.request_id
    }
    if audience is Audience.STAFF and ids:
        lines = [t("{provider}: request id {id}", provider=name, id=each) for name, each in ids.items()]
        # Translators: what the provider's support asks for
        yield Field(t("For the provider's support"), "\n".join(lines))


def inventory_csv(answer: InventoryAnswer) -> tuple[discord.Embed, discord.File]:
    """Return all items as a CSV file, and the embed that goes with it. This is slow for ten thousand items.

    The file is in English for readers of every language, as :mod:`bot.domain.inventory_table` says.
    """
    embed = card(
        title=t("📄 The whole inventory as a table"),
        description=tn(
            "{count} item, whatever the filter is. Each offer is for one piece.",
            "{count} items, whatever the filter is. Each offer is for one piece.",
            answer.item_count,
        ),
    )
    return embed, csv_file(f"inventory-{answer.owner}-{answer.game.word}", columns_of(answer), rows_of(answer))
