"""AssetPay for the merchant: GET /secure/inventory (seed 000), and the questions that its dialects share."""

from bot.domain.failures import Dialect, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery, Sort
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.providers.assetpay_answers import Page, PageReader
from bot.providers.assetpay_pages import Pages
from bot.providers.reading import read
from bot.providers.resilience import ends_within
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
_READER = PageReader(Dialect.ASSETPAY)


class AssetPaySecure:
    """Inventories by trade URL, with the merchant's API key."""

    name = ProviderName.ASSETPAY
    games = GAMES

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask for all matching items; ProviderError otherwise."""
        ends = ends_within(self._transport.limits.deadline)

        async def ask(number: int, size: int) -> Page:
            response = await self._transport.request(
                "GET",
                "/secure/inventory",
                query=[("tradeUrl", query.trade_url.canonical()), *page_of(query, number, size)],
                headers={"api-key": self._api_key.reveal()},
            )
            secrets = (self._api_key, query.trade_url.token)
            return await read(response, _READER.tolerant, whole=_READER.whole, secrets=secrets)

        page = await Pages(self.name, ask, ends).unlimited()
        return page.inventory(self.name, query, read_at=self._transport.clock.now())


def page_of(query: InventoryQuery, number: int, size: int) -> list[tuple[str, str]]:
    """Return the current dialect's parameters for a page; only the first one refreshes."""
    wanted = query.filter
    parameters = [("game", str(query.game.value))]
    if query.refresh and number == 1:
        parameters.append(("refresh", "true"))
    if wanted.search is not None:
        parameters.append(("search", wanted.search))
    if wanted.sort in _SORTS:
        parameters.append(("sort", _SORTS[wanted.sort]))
    return [*parameters, *price_range(wanted), ("page", str(number)), ("limit", str(size))]


def price_range(wanted: InventoryFilter) -> list[tuple[str, str]]:
    """Return the price parameters of both client dialects, without exponents."""
    bounds = (("minPrice", wanted.min_price), ("maxPrice", wanted.max_price))
    return [(name, format(price, "f")) for name, price in bounds if price is not None]
