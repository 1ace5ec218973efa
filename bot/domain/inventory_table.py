"""The table of an inventory, for spreadsheets.

It is data: the same for readers of every language, so that a formula or a script works for every export. The columns
and words are English, and numbers are written with a dot.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

from bot.domain.inventory import MerchantPrice, Refusal, Sticker
from bot.domain.money import Money
from bot.domain.snapshots import InventoryAnswer

_Cell: TypeAlias = str | int | Decimal | None

_REFUSALS = {
    Refusal.NOT_TRADABLE: "Steam does not allow trading it now",
    Refusal.NO_OFFER: "no buyer for it at the moment",
    Refusal.DISABLED: "the provider does not take this item",
}
_COLUMNS = (
    *("provider", "name", "exterior", "wear", "accepted", "refused because"),
    *("offer", "offer currency", "offer is", "market price", "market currency"),
    *("amount", "most in one deposit", "rarity", "kind", "paint seed", "stickers", "tradable"),
    *("item id", "inspect certificate"),
)
_MERCHANT_COLUMNS = ("merchant price", "merchant currency", "merchant local price", "merchant local currency")


def columns_of(answer: InventoryAnswer) -> tuple[str, ...]:
    """Return the names of the columns; the merchant's are there only if the answer has any of their prices."""
    return _COLUMNS + (_MERCHANT_COLUMNS if _has_merchant_prices(answer) else ())


def rows_of(answer: InventoryAnswer) -> Iterator[tuple[_Cell, ...]]:
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
                None if is_accepted else _REFUSALS[item.refusal or Refusal.NO_OFFER],
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


def _merchant_cells(merchant: MerchantPrice | None) -> tuple[_Cell, ...]:
    return (*_amount(merchant.price), *_amount(merchant.local)) if merchant is not None else (None,) * 4


def _sticker_cell(sticker: Sticker) -> str:
    return sticker.name if sticker.wear is None else f"{sticker.name} (wear {sticker.wear:f})"


def _amount(amount: Money | None) -> tuple[_Cell, _Cell]:
    return (amount.amount, amount.currency) if amount is not None else (None, None)
