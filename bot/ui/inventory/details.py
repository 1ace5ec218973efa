"""The details of one item, and the CSV file of all items."""

from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import discord

from bot.domain.inventory import Inventory, Item, MerchantPrice, Refusal, Sticker, name_of
from bot.domain.money import Money
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, best_providers, offers_for
from bot.domain.steam import Game, image_url
from bot.domain.steam_links import inspect_url, market_url
from bot.ui.inventory.messages import REFUSALS, merchant_text, own_price_of, verdict
from bot.ui.kit.csv import Cell, csv_file
from bot.ui.kit.layout import FIELD_VALUE, Field, Tone, card
from bot.ui.kit.text import NOTHING, code, count, money, outside, utf16_length

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
    asked = "all providers" if listing.is_comparison else listing.answer.answers[0].provider.label
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
    if item.accepted and own_price_of(inventory) is not None:
        offer += " · what the shop credits may differ"
    yield f"{offer[:1].upper()}{offer[1:]}{_market(item)}"
    merchant = inventory.merchant_prices.get(item.id) if inventory is not None and item.accepted else None
    if inventory is not None and merchant is not None:
        yield merchant_text(inventory.provider, merchant)


def _market(item: Item) -> str:
    """Return the market price, and what part of it the offer is if both are in one currency."""
    market, offer = item.market_price, item.offer
    if market is None:
        return ""
    if not item.accepted or offer is None or offer.currency != market.currency or market.amount <= 0:
        return f" · market {money(market)}"
    share = min(offer.amount / market.amount * 100, _MOST_PERCENT).quantize(Decimal(1), ROUND_HALF_UP)
    return f" · {share:,} % of the market price, {money(market)}"


def _provider_offers(listing: Listing, item: Item) -> Iterator[Field]:
    """Yield each provider's offers of a comparison: every price, and how many items have it."""
    if not listing.is_comparison:
        return
    found = offers_for(listing.answer, [name_of(item)])[name_of(item)]
    best = best_providers(listing.answer, found)
    # Asked for some items only, a provider may still have this one.
    missing = "not among what it was asked for" if listing.answer.filter.is_active else "not in its list"
    for part in listing.answer.answers:
        if part.inventory is not None:
            theirs = found.get(part.provider, ())
            offers = Counter(f"{verdict(each)[0]} " + "\n".join(_offer(each, part.inventory)) for each in theirs)
            lines = [f"{times:,}× {offer}" if len(theirs) > 1 else offer for offer, times in offers.items()]
            if len(lines) > _MOST_PRICES:
                lines[_MOST_PRICES:] = [f"… and {len(lines) - _MOST_PRICES:,} more prices"]
            name = f"{part.provider.label} · ⭐ best" if part.provider in best else part.provider.label
            yield Field(name, "\n".join(lines) or f"{NOTHING} {missing}")


def _facts(item: Item, game: int) -> Iterator[str]:
    """Yield the short facts in few lines, for a phone."""
    if item.amount > 1:
        yield f"Stack of {item.amount:,}"
    elif item.max_amount is not None and item.max_amount > 1:
        yield f"At most {item.max_amount:,} of these in one deposit"
    appearance = [outside(item.exterior, _WORD)] if item.exterior else []
    if item.wear is not None:
        digits = f"{item.wear:.{_WEAR_DIGITS}f}".rstrip("0")
        appearance.append(f"wear {digits}{'0' if digits.endswith('.') else ''}")
    if item.paint_seed is not None:
        appearance.append(f"paint seed {item.paint_seed}")
    kinds = [f"rarity {outside(item.rarity, _WORD)}"] if item.rarity else []
    if item.kind:
        kinds.append(f"kind {outside(item.kind, _WORD)}")
    for parts in (appearance, kinds):
        if parts:
            line = " · ".join(parts)
            yield f"{line[:1].upper()}{line[1:]}"
    if (url := market_url(game, item.market_hash_name)) is not None:
        yield f"[Its page on Steam's market]({url})"


def _long_facts(item: Item, game: int) -> Iterator[Field]:
    if item.stickers:
        lines = "\n".join(_sticker(sticker, market_url(game, sticker.market_hash_name)) for sticker in item.stickers)
        if utf16_length(lines) > FIELD_VALUE:
            lines = "\n".join(_sticker(sticker, None) for sticker in item.stickers)
        yield Field(count(len(item.stickers), "sticker").capitalize(), lines)
    if item.inspect_certificate:
        yield _inspection(item.inspect_certificate, game)


def _inspection(certificate: str, game: int) -> Field:
    """Return the link into the game to be copied, because Discord opens no ``steam:`` links on every device."""
    url = inspect_url(certificate) if game == Game.CS2 else None
    if url is None:
        return Field("Inspect certificate", code(certificate, _CERTIFICATE))
    link = f"Copy it into a browser's address bar: `{url}`"
    console = f"\nor into the game's console: `csgo_econ_action_preview {certificate}`"
    return Field("Inspect in the game", link + console if len(link + console) <= FIELD_VALUE else link)


def _sticker(sticker: Sticker, url: str | None) -> str:
    slot = f"slot {sticker.slot + 1}: " if sticker.slot is not None else ""
    wear = f" · wear {sticker.wear:.2f}" if sticker.wear is not None else ""
    name = outside(sticker.name, 120)
    return f"{slot}{name if url is None else f'[{name}]({url})'}{wear}"


def _for_staff(listing: Listing, audience: Audience) -> Iterator[Field]:
    """Yield the request ids, which a provider's support asks for."""
    ids = {
        part.provider.label: code(part.inventory.request_id, _WORD)
        for part in listing.answer.answers
        if part.inventory is not None and part.inventory.request_id
    }
    if audience is Audience.STAFF and ids:
        yield Field("For the provider's support", "\n".join(f"{name}: request id {each}" for name, each in ids.items()))


_CSV_HEADER = (
    *("provider", "name", "exterior", "wear", "accepted", "refused because"),
    *("offer", "offer currency", "offer is", "market price", "market currency"),
    *("amount", "most in one deposit", "rarity", "kind", "paint seed", "stickers", "tradable"),
    *("item id", "inspect certificate"),
)
_CSV_MERCHANT = ("merchant price", "merchant currency", "merchant local price", "merchant local currency")


def inventory_csv(answer: InventoryAnswer) -> tuple[discord.Embed, discord.File]:
    """Return all items as a CSV file, and the embed that goes with it. This is slow for ten thousand items."""
    embed = card(
        title="📄 The whole inventory as a table",
        description=f"{count(answer.item_count, 'item')}, whatever filter is set. An offer is for one piece.",
    )
    return embed, csv_file(f"inventory-{answer.owner}-{answer.game.word}", csv_header(answer), csv_rows(answer))


def csv_header(answer: InventoryAnswer) -> tuple[str, ...]:
    """Return the names of the columns; the merchant's are there only if the answer has any of their prices."""
    return _CSV_HEADER + (_CSV_MERCHANT if _has_merchant_prices(answer) else ())


def csv_rows(answer: InventoryAnswer) -> Iterator[tuple[Cell, ...]]:
    """Yield all items as the providers sent them."""
    with_merchant = _has_merchant_prices(answer)
    for inventory in (part.inventory for part in answer.answers if part.inventory is not None):
        offer_is = "the credit" if inventory.credits_known else f"{inventory.provider.label}'s own price"
        for item in inventory.items:
            is_accepted = item.accepted and item.offer is not None
            yield (
                inventory.provider.label,
                item.market_hash_name or item.name,
                item.exterior,
                item.wear,
                "yes" if is_accepted else "no",
                None if is_accepted else REFUSALS[item.refusal or Refusal.NO_OFFER],
                *_amount(item.offer),
                offer_is if item.offer is not None else None,
                *_amount(item.market_price),
                item.amount,
                item.max_amount,
                item.rarity,
                item.kind,
                item.paint_seed,
                " / ".join(map(_sticker_cell, item.stickers)) or None,
                {True: "yes", False: "no", None: None}[item.tradable],
                item.id,
                item.inspect_certificate,
                *(_merchant_cells(inventory.merchant_prices.get(item.id)) if with_merchant else ()),
            )


def _has_merchant_prices(answer: InventoryAnswer) -> bool:
    return any(part.inventory is not None and part.inventory.merchant_prices for part in answer.answers)


def _merchant_cells(merchant: MerchantPrice | None) -> tuple[Cell, ...]:
    return (*_amount(merchant.price), *_amount(merchant.local)) if merchant is not None else (None,) * 4


def _sticker_cell(sticker: Sticker) -> str:
    return sticker.name if sticker.wear is None else f"{sticker.name} (wear {sticker.wear:f})"


def _amount(amount: Money | None) -> tuple[Cell, Cell]:
    return (amount.amount, amount.currency) if amount is not None else (None, None)
