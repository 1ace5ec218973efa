"""The answers that AssetPay's dialects share: the envelope, and an inventory's items (seeds 000, 001, 002)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.failures import FailureKind
from bot.domain.inventory import Inventory, InventoryFilter, Item, refusal_of
from bot.providers.reading import Fields, Refused, Unreadable, identifier, loose, utc
from bot.providers.stickers import read_stickers, read_wear

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.failures import ProviderName
    from bot.domain.inventory import InventoryQuery, Money

_COLOUR = re.compile(r"#([0-9A-Fa-f]{6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer's worth of an inventory; ``count`` is the provider's number of matching items, where it says one."""

    items: tuple[Item, ...]
    count: int | None
    updated_at: str | None
    collateral: Money | None

    def inventory(
        self,
        provider: ProviderName,
        query: InventoryQuery,
        *,
        read_at: datetime,
        owner_certain: bool = True,
    ) -> Inventory:
        """Return the inventory this page is the whole of, as the answer to ``query``.

        What matches is the provider's decision. The order is made sure of here: not every dialect names its own.
        """
        return Inventory(
            provider=provider,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=InventoryFilter(sort=query.filter.sort).apply(self.items),
            total=max(self.count or 0, len(self.items)),
            updated_at=utc(self.updated_at, otherwise=read_at),
            collateral=self.collateral,
            owner_certain=owner_certain,
        )


def read_data(answer: Fields) -> Fields:
    """Return ``data`` of a success; Refused for an error, Unreadable for what is neither.

    The envelope alone decides: which HTTP status comes with an error changed between versions (providers.md, 6).
    """
    if loose(answer.truth, "success"):
        return answer.need("data")
    error = answer.part("error")
    if error is None:
        raise Unreadable("success")
    key = identifier(error.raw("key"))
    raise Refused(
        FailureKind.THROTTLED if key == "RATE_LIMITED" else FailureKind.REFUSED,
        code=loose(error.integer, "code"),
        key=key,
        message=_message(error),
        request_id=identifier(answer.raw("requestId")),
    )


def _message(error: Fields) -> str | None:
    """Join what the error says, and which fields a failed validation names."""
    said = error.raw("message")
    sentences = [part for part in (said if isinstance(said, list) else [said]) if isinstance(part, str)]
    reasons = error.raw("fields")
    if isinstance(reasons, dict):
        sentences += [f"{name}: {reason}" for name, reason in reasons.items() if isinstance(reason, str)]
    return "; ".join(sentences) or None


def read_page(answer: Fields) -> Page:
    """Return the items of an inventory's answer."""
    data = read_data(answer)
    return Page(
        items=tuple(_read_item(item) for item in data.parts("inventory")),
        count=data.count("count"),
        updated_at=loose(data.text, "updatedAt"),
        collateral=data.money("collateral"),
    )


def _read_item(item: Fields) -> Item:
    offer = item.part("offer")
    accepted = offer.truth("accepted") if offer else None
    if accepted is None:
        accepted = item.truth("accepted")
    price = offer.money("price") if offer else None
    max_amount = offer.count("maxAmount") if offer else None
    amount = item.count("amount")
    if amount == 0:
        raise Unreadable(item.at("amount"))
    tradable = item.truth("tradable")
    item_id = item.id("id")
    market_hash_name = item.text("marketHashName")
    return Item(
        id=item_id,
        name=item.text("name") or market_hash_name or item_id,
        refusal=refusal_of(tradable=tradable, accepted=accepted and max_amount != 0, offer=price),
        app_id=loose(item.integer, "appid"),
        market_hash_name=market_hash_name,
        kind=loose(item.text, "type"),
        tradable=tradable,
        offer=price,
        market_price=item.money("marketPrice"),
        exterior=loose(item.text, "exterior"),
        wear=read_wear(item),
        rarity=loose(item.text, "rarity"),
        colour=_colour(loose(item.text, "color")),
        paint_seed=loose(item.count, "paintSeed"),
        # Newer documents call it previewToken (providers.md, 1.4).
        inspect_certificate=loose(item.text, "propId") or loose(item.text, "previewToken"),
        icon_hash=loose(item.text, "iconUrl"),
        stickers=read_stickers(item),
        amount=amount or 1,
        max_amount=max_amount,
    )


def _colour(text: str | None) -> int | None:
    match = _COLOUR.fullmatch(text or "")
    return int(match[1], 16) if match else None
