"""Items as AssetPay shows them: the current shape (seeds 000 and 001) and the older one (seed 002)."""

from __future__ import annotations

from typing import Any

from bot.demo.items import WorldItem, WorldSticker

_CONTEXT_ID = 2  # Steam's inventory context of tradable items


def self_trade_item(item: WorldItem) -> dict[str, Any]:
    """Return an item of ``/secure/inventory``: the client's shape, with a numeric reference as in seed 000."""
    return _current(item, reference=item.asset_id)


def client_item(item: WorldItem) -> dict[str, Any]:
    """Return an item of ``/client/inventory``."""
    return _current(item, reference=_reference(item))


def legacy_item(item: WorldItem) -> dict[str, Any]:
    """Return an item in the older shape: ``accepted`` at the top, missing without an offer."""
    offer = None
    if item.offer is not None:
        offer = {"price": float(item.offer), "reference": _reference(item), "maxAmount": item.max_amount}
    return present(
        {
            **_head(item),
            "contextid": _CONTEXT_ID,
            "tradable": item.tradable,
            "accepted": item.accepted if offer is not None else None,
            "marketPrice": float(item.market_price),
            "offer": offer,
            **_appearance(item),
            "stickers": [_sticker(sticker) for sticker in item.stickers],
            "paintSeed": item.paint_seed,
            "amount": item.amount if item.amount > 1 else None,
        }
    )


def _current(item: WorldItem, *, reference: str) -> dict[str, Any]:
    offer = None
    if item.offer is not None:
        offer = {
            "price": float(item.offer),
            "reference": reference,
            "accepted": item.accepted,
            "maxAmount": item.max_amount,
        }
    return present(
        {
            **_head(item),
            "tradable": item.tradable,
            "marketPrice": float(item.market_price),
            "offer": offer,
            **_appearance(item),
            "paintSeed": item.paint_seed,
            "propId": item.inspect_certificate,
            "stickers": [
                {**_sticker(sticker), "marketHashName": sticker.market_hash_name} for sticker in item.stickers
            ],
            "amount": item.amount if item.amount > 1 else None,
        }
    )


def _head(item: WorldItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "marketHashName": item.market_hash_name,
        "type": item.kind,
        "iconUrl": item.icon_hash,
        "appid": int(item.game),
    }


def _appearance(item: WorldItem) -> dict[str, Any]:
    return {"exterior": item.exterior, "wear": item.wear, "rarity": item.rarity, "color": item.colour}


def _sticker(sticker: WorldSticker) -> dict[str, Any]:
    return {"name": sticker.name, "slot": sticker.slot, "wear": sticker.wear, "iconUrl": sticker.icon_hash}


def _reference(item: WorldItem) -> str:
    return f"ref_{item.id[:8]}"


def present(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out missing facts."""
    return {name: value for name, value in facts.items() if value is not None}
