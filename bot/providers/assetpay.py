"""AssetPay for the merchant: GET /secure/inventory (seed 000), and the answers that all its dialects share."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery, Item, Money, Sort, refusal_of
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.providers.reading import Fields, Refused, Unreadable, identifier, read
from bot.providers.transport import Transport

GAMES = frozenset({Game.CS2, Game.RUST})
"""The games of every dialect."""

_SORTS = {
    Sort.PRICE_ASC: "priceAsc",
    Sort.PRICE_DESC: "priceDesc",
    Sort.NAME_ASC: "nameAsc",
    Sort.NAME_DESC: "nameDesc",
}
"""The current dialect's words; relevance is its default."""
_COLOUR = re.compile(r"#([0-9A-Fa-f]{6})", re.ASCII)


class AssetPaySecure:
    """Inventories by trade URL, with the merchant's API key."""

    name = ProviderName.ASSETPAY
    games = GAMES

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask once for all matching items; ProviderError otherwise."""
        response = await self._transport.request(
            "GET",
            "/secure/inventory",
            query=[("tradeUrl", query.trade_url.canonical()), *whole_inventory(query)],
            headers={"api-key": self._api_key.reveal()},
        )
        page = await read(response, read_page, secrets=(self._api_key, query.trade_url.token))
        return page.inventory(self.name, query, read_at=response.received_at)


def whole_inventory(query: InventoryQuery) -> list[tuple[str, str]]:
    """Return the current dialect's parameters for all matching items in one answer."""
    wanted = query.filter
    parameters = [("game", str(query.game.value))]
    if query.refresh:
        parameters.append(("refresh", "true"))
    if wanted.search is not None:
        parameters.append(("search", wanted.search))
    if wanted.sort in _SORTS:
        parameters.append(("sort", _SORTS[wanted.sort]))
    return [*parameters, *price_range(wanted), ("page", "1"), ("limit", "-1")]


def price_range(wanted: InventoryFilter) -> list[tuple[str, str]]:
    """Return the price parameters of both client dialects, without exponents."""
    bounds = (("minPrice", wanted.min_price), ("maxPrice", wanted.max_price))
    return [(name, format(price, "f")) for name, price in bounds if price is not None]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of an inventory; ``count`` is the provider's number of matching items, if it gives one."""

    items: tuple[Item, ...]
    count: int | None
    updated_at: str | None
    collateral: Money | None

    def inventory(
        self, provider: ProviderName, query: InventoryQuery, *, read_at: datetime, owner_certain: bool = True
    ) -> Inventory:
        """Return the inventory of this page, sorted, because not every dialect documents its order."""
        try:
            moment = datetime.fromisoformat(self.updated_at or "")
            updated_at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            updated_at = read_at
        return Inventory(
            provider=provider,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=InventoryFilter(sort=query.filter.sort).apply(self.items),
            total=max(self.count or 0, len(self.items)),
            updated_at=updated_at,
            collateral=self.collateral,
            owner_certain=owner_certain,
        )


def read_page(answer: Fields) -> Page:
    """Read an inventory's answer."""
    data = read_data(answer)
    return Page(
        items=tuple(map(_read_item, data.parts("inventory"))),
        count=data.integer("count", least=0),
        updated_at=data.text("updatedAt", optional=True),
        collateral=data.money("collateral"),
    )


def read_data(answer: Fields) -> Fields:
    """Return ``data`` of a success; Refused for an error, Unreadable for neither.

    The envelope alone decides: the HTTP status of an error changed between versions (providers.md, 6).
    """
    if answer.truth("success", optional=True):
        return answer.need("data")
    error = answer.part("error")
    if error is None:
        raise Unreadable("success")
    key = identifier(error.values.get("key"))
    raise Refused(
        FailureKind.THROTTLED if key == "RATE_LIMITED" else FailureKind.REFUSED,
        code=error.integer("code", optional=True),
        key=key,
        message=_message(error),
        request_id=identifier(answer.values.get("requestId")),
    )


def _message(error: Fields) -> str | None:
    """Join an error's messages with the fields that a failed validation names."""
    message, reasons = error.values.get("message"), error.values.get("fields")
    sentences = [part for part in (message if isinstance(message, list) else [message]) if isinstance(part, str)]
    if isinstance(reasons, dict):
        sentences += [f"{name}: {reason}" for name, reason in reasons.items() if isinstance(reason, str)]
    return "; ".join(sentences) or None


def _read_item(item: Fields) -> Item:
    offer = item.part("offer")
    accepted = price = max_amount = None
    if offer is not None:
        accepted = offer.truth("accepted")
        price = offer.money("price")
        max_amount = offer.integer("maxAmount", least=0)
    if accepted is None:
        accepted = item.truth("accepted")
    tradable = item.truth("tradable")
    item_id = item.id("id")
    market_hash_name = item.text("marketHashName")
    colour = _COLOUR.fullmatch(item.text("color", optional=True) or "")
    return Item(
        id=item_id,
        name=item.text("name") or market_hash_name or item_id,
        refusal=refusal_of(tradable=tradable, accepted=accepted and max_amount != 0, offer=price),
        app_id=item.integer("appid", optional=True),
        market_hash_name=market_hash_name,
        kind=item.text("type", optional=True),
        tradable=tradable,
        offer=price,
        market_price=item.money("marketPrice"),
        exterior=item.text("exterior", optional=True),
        wear=item.wear(),
        rarity=item.text("rarity", optional=True),
        colour=int(colour[1], 16) if colour else None,
        paint_seed=item.integer("paintSeed", least=0, optional=True),
        # Newer documents call it previewToken (providers.md, 1.4).
        inspect_certificate=item.text("propId", optional=True) or item.text("previewToken", optional=True),
        icon_hash=item.text("iconUrl", optional=True),
        stickers=item.stickers(),
        amount=item.integer("amount", least=1) or 1,
        max_amount=max_amount,
    )
