"""An inventory as a table: every item of every provider, with everything that is known of it."""

from collections.abc import Iterator

from bot.domain.inventory import Item, Money, Refusal, Sticker
from bot.domain.snapshots import InventoryAnswer
from bot.ui.inventory.messages import REFUSALS
from bot.ui.kit.csv import Cell

HEADER = (
    "provider",
    "name",
    "exterior",
    "wear",
    "accepted",
    "refused because",
    "offer",
    "offer currency",
    "local offer",
    "local currency",
    "market price",
    "market currency",
    "amount",
    "most in one deposit",
    "rarity",
    "kind",
    "paint seed",
    "stickers",
    "tradable",
    "item id",
    "inspect certificate",
)
"""The columns of :func:`rows`."""


def rows(answer: InventoryAnswer) -> Iterator[tuple[Cell, ...]]:
    """Go through all items as the providers sent them; an offer is for one piece."""
    for part in answer.answers:
        for item in part.inventory.items if part.inventory is not None else ():
            yield (part.provider.label, *_cells(item))


def file_name(answer: InventoryAnswer) -> str:
    """Return what the file is called: whose items of which game."""
    return f"inventory-{answer.owner}-{answer.game.word}"


def _cells(item: Item) -> Iterator[Cell]:
    yield item.market_hash_name or item.name
    yield item.exterior
    yield item.wear
    is_accepted = item.accepted and item.offer is not None
    yield "yes" if is_accepted else "no"
    yield None if is_accepted else REFUSALS[item.refusal or Refusal.NO_OFFER]
    for amount in (item.offer, item.local_offer, item.market_price):
        yield from _amount(amount)
    yield item.amount
    yield item.max_amount
    yield item.rarity
    yield item.kind
    yield item.paint_seed
    yield " / ".join(map(_sticker, item.stickers)) or None
    yield {True: "yes", False: "no", None: None}[item.tradable]
    yield item.id
    yield item.inspect_certificate


def _sticker(sticker: Sticker) -> str:
    return sticker.name if sticker.wear is None else f"{sticker.name} (wear {sticker.wear:f})"


def _amount(amount: Money | None) -> tuple[Cell, Cell]:
    return (amount.amount, amount.currency) if amount is not None else (None, None)
