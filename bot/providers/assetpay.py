"""AssetPay for the merchant itself: GET /secure/inventory (seed 000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.failures import ProviderName
from bot.domain.inventory import Sort
from bot.domain.steam import Game
from bot.providers.assetpay_wire import read_page
from bot.providers.reading import read

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.domain.inventory import Inventory, InventoryQuery
    from bot.domain.secrets import Secret
    from bot.providers.transport import Transport

GAMES = frozenset({Game.CS2, Game.RUST})
"""The games AssetPay has in every dialect."""

SORTS = {
    Sort.PRICE_ASC: "priceAsc",
    Sort.PRICE_DESC: "priceDesc",
    Sort.NAME_ASC: "nameAsc",
    Sort.NAME_DESC: "nameDesc",
}
"""The current dialect's words; relevance is what it does unasked."""


def whole_inventory(query: InventoryQuery) -> list[tuple[str, str]]:
    """Return the parameters of the current dialect for everything that matches, in one answer."""
    wanted = query.filter
    parameters = [("game", str(query.game.value))]
    if query.refresh:
        parameters.append(("refresh", "true"))
    if wanted.search is not None:
        parameters.append(("search", wanted.search))
    if wanted.sort in SORTS:
        parameters.append(("sort", SORTS[wanted.sort]))
    if wanted.min_price is not None:
        parameters.append(("minPrice", plain(wanted.min_price)))
    if wanted.max_price is not None:
        parameters.append(("maxPrice", plain(wanted.max_price)))
    return [*parameters, ("page", "1"), ("limit", "-1")]


def plain(number: Decimal) -> str:
    """Return a number without an exponent."""
    return format(number, "f")


class AssetPaySecure:
    """Inventories by trade URL, asked with the merchant's API key."""

    games = GAMES

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        return ProviderName.ASSETPAY

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask once for everything that matches; ProviderError otherwise."""
        async with self._transport.deadline():
            answer = await self._transport.request(
                "GET",
                "/secure/inventory",
                query=[("tradeUrl", query.trade_url.canonical()), *whole_inventory(query)],
                headers={"api-key": self._api_key.reveal()},
            )
            page = await read(answer, read_page, secrets=(self._api_key, query.trade_url.token))
        return page.inventory(self.name, query, read_at=answer.received_at)
