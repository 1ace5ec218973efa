"""Simulated SkinsBack: ``POST /api.php`` with the methods of inventories (seed 003) and deposits (trades.md, 3)."""

from __future__ import annotations

import hmac
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from bot.demo.items import WorldItem, WorldSticker
from bot.demo.people import Condition, Person
from bot.demo.providers import faults
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.providers.skinsback_rows import deposit_row
from bot.demo.skinsback_deposits import PROJECT_MULTIPLIER, RATES, SkinsBackDeposit, usd_price
from bot.demo.world import World, forced_error
from bot.domain.steam import Game, SteamId

ERRORS = {
    1: "invalid_game",
    2: "invalid_steam_id",
    3: "invalid_trade_token",
    4: "invalid_currency",
    5: "user_not_tradable",
    6: "user_inventory_is_hidden",
    7: "user_inventory_is_unavailable",
    8: "invalid_custom_currency",
    9: "invalid_custom_currency_rate",
    10: "invalid_custom_multiplier",
    -1: "please_use_post_method",
    -2: "invalid_shopid",
    -3: "invalid_signature",
    -4: "shop_not_active",
    -5: "invalid_method",
    -7: "request_limit_reached",
    -8: "invalid_ip_address",
    -9: "under_maintenance",
    -10: "invalid_client_secret",
}
"""Every error that seed 003 lists for ``user_inventory``; the negative ones are of every method."""

ORDERS_ERRORS = {1: "missing_starting_or_ending"}
"""The key is documented, the number is not (trades.md, 3.2)."""

ORDERSTATUS_ERRORS = {
    1: "order_id_or_transaction_id_missing",
    2: "invalid_order_id",
    3: "invalid_transaction_id",
    4: "transaction_not_found",
}
"""trades.md, 3.3."""

_UNDOCUMENTED_CODE = 4242
_GAMES = {"cs2": Game.CS2, "dota2": Game.DOTA2, "rust": Game.RUST}
_CONDITION_ERRORS = {
    Condition.PRIVATE: 6,
    Condition.TRADE_BANNED: 5,
    Condition.ESCROW: 5,
    Condition.STEAM_DOWN: 7,
    Condition.STEAM_BUSY: 7,
    Condition.NO_BOTS: -9,
    Condition.FLEET_DEGRADED: 7,
    Condition.UNDOCUMENTED: _UNDOCUMENTED_CODE,
}
_CURRENCIES = RATES | {"gbp": 0.79}
_LONGEST_CUSTOM_CURRENCY = 4
_LONGEST_ORDER_ID = 128
_PARAMETERS = {
    "user_inventory": {
        *("game", "steam_id", "trade_token", "currency", "custom_multiplier", "custom_currency"),
        "custom_currency_rate",
    },
    "orders": {"starting", "ending", "start_from"},
    "orderstatus": {"transaction_id", "order_id"},
}
_COMMON_PARAMETERS = {"method", "shopid", "sign"}


class SimulatedSkinsBack(SimulatedServer):
    """skinsback.com: one address for everything, errors in the body with status 200.

    Undocumented parameters are ignored, as by PHP, and counted in ``unknown_parameters``. If ``active`` is false every
    call is refused with -4. ``method_calls`` counts the calls by method. ``orders`` lists ``page_size`` deposits at
    once; with ``types_drift`` numbers and texts change places, as third parties saw them (trades.md, 3.4).
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.unknown_parameters: Counter[str] = Counter()
        self.method_calls: Counter[str] = Counter()
        self.active = True
        self.page_size = 1000
        self.types_drift = False

    @property
    def url(self) -> str:
        """The endpoint's whole address."""
        return f"{super().url}/api.php"

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return (web.route("*", "/api.php", self._api),)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            raise _refused(-1)
        fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        method = fields.get("method", "")
        self.method_calls[method] += 1
        self.unknown_parameters.update(fields.keys() - _PARAMETERS.get(method, set()) - _COMMON_PARAMETERS)
        self._authenticate(request, fields)
        if not self.active:
            raise _refused(-4)
        match method:
            case "user_inventory":
                return await self._user_inventory(fields)
            case "orders":
                return self._orders(fields)
            case "orderstatus":
                return self._order_status(fields)
        raise _refused(-5)

    def _orders(self, fields: Mapping[str, str]) -> web.Response:
        """Answer with the deposits made within a window, oldest first: no order is documented."""
        window = [fields.get(name, "") for name in ("starting", "ending")]
        if not all(map(_is_number, window)):
            raise _refused(1, ORDERS_ERRORS)
        begin, end = map(int, window)
        found = [each for each in self.world.deposits if begin <= int(each.created_at.timestamp()) <= end]
        found.sort(key=lambda deposit: deposit.created_at)
        first = fields.get("start_from", "0")
        start = int(first) if _is_number(first) else 0
        stop = start + self.page_size
        return web.json_response(
            {
                "status": "success",
                "total_count": str(len(found)) if self.types_drift else len(found),
                "has_more": stop < len(found),
                "start_from": min(stop, len(found)),
                "items": [self._deposit(deposit) for deposit in found[start:stop]],
            }
        )

    def _order_status(self, fields: Mapping[str, str]) -> web.Response:
        """Answer with one deposit, or with the error that its number names."""
        transaction, order = fields.get("transaction_id", ""), fields.get("order_id", "")
        forced = forced_error(transaction or order)
        if forced is not None:
            raise _refused(forced.code, ORDERSTATUS_ERRORS)
        if not transaction and not order:
            raise _refused(1, ORDERSTATUS_ERRORS)
        if transaction and not _is_number(transaction):
            raise _refused(3, ORDERSTATUS_ERRORS)
        if len(order) > _LONGEST_ORDER_ID:
            raise _refused(2, ORDERSTATUS_ERRORS)
        for deposit in self.world.deposits:
            if transaction == deposit.transaction_id or (not transaction and order == deposit.order_id):
                return web.json_response(self._deposit(deposit))
        raise _refused(4, ORDERSTATUS_ERRORS)

    def _deposit(self, deposit: SkinsBackDeposit) -> dict[str, Any]:
        return deposit_row(deposit, types_drift=self.types_drift)

    async def _user_inventory(self, fields: Mapping[str, str]) -> web.StreamResponse:
        game = _GAMES.get(fields.get("game", ""))
        if game is None:
            raise _refused(1)
        person = self._person(fields)
        currency, rate, multiplier = _prices(fields)
        match person.condition:
            case Condition.HANGS:
                return await faults.never()
            case Condition.HTML:
                return faults.html_page()
            case Condition.ORDINARY:
                pass
            case condition:
                raise _refused(_CONDITION_ERRORS[condition])
        owned = person.inventories.get(game, ())
        items = [_item(item, piece) for item in owned for piece in range(item.amount)]
        data: dict[str, Any] = {"items": items}
        if currency is not None:
            data["currency_local"] = currency
            for item in items:
                item["price_local"] = round(item["price"] * rate, 2)
                item["multiplied_price_local"] = round(item["price_local"] * multiplier, 2)
        return web.json_response({"status": "success", "data": data})

    def _authenticate(self, request: web.Request, fields: Mapping[str, str]) -> None:
        """Check the headers, or else ``shopid`` and ``sign`` (providers.md, 3.1)."""
        credentials = self.world.credentials
        by_headers = "X-CLIENT-ID" in request.headers or "X-CLIENT-SECRET" in request.headers
        client_id = request.headers.get("X-CLIENT-ID") if by_headers else fields.get("shopid")
        if client_id != credentials.skinsback_client_id:
            raise _refused(-2)
        if by_headers:
            if request.headers.get("X-CLIENT-SECRET") != credentials.skinsback_client_secret:
                raise _refused(-10)
        elif fields.get("sign") != _signature(fields, credentials.skinsback_client_secret):
            raise _refused(-3)

    def _person(self, fields: Mapping[str, str]) -> Person:
        """Return the inventory's owner; refuse with the error that the trade token names, if any."""
        try:
            steam_id = SteamId.parse(fields.get("steam_id", ""))
        except ValueError:
            raise _refused(2) from None
        token = fields.get("trade_token", "")
        forced = forced_error(token)
        if forced is not None:
            raise _refused(forced.code)
        person = self.world.person(steam_id)
        if person is None:
            raise _refused(2)
        if token != person.token:
            raise _refused(3)
        return person

    def _not_found(self) -> web.Response:
        return web.Response(status=404, text="<html><body>404 Not Found</body></html>", content_type="text/html")


def _prices(fields: Mapping[str, str]) -> tuple[str | None, float, float]:
    """Return the currency of local prices, if any, its rate, and the multiplier."""
    currency, rate, multiplier = fields.get("currency"), 1.0, float(PROJECT_MULTIPLIER)
    if currency is not None:
        currency = currency.lower()
        if currency not in _CURRENCIES:
            raise _refused(4)
        rate = _CURRENCIES[currency]
    if fields.keys() & {"custom_currency", "custom_currency_rate"}:
        currency = fields.get("custom_currency", "")
        if not 0 < len(currency) <= _LONGEST_CUSTOM_CURRENCY:
            raise _refused(8)
        rate = _number(fields.get("custom_currency_rate", ""), 0.1, math.inf, error=9)
    if "custom_multiplier" in fields:
        multiplier = _number(fields["custom_multiplier"], 0.5, 2, error=10)
    return currency, rate, multiplier


def _number(text: str, low: float, high: float, *, error: int) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) is None or not low <= float(text) <= high:
        raise _refused(error)
    return float(text)


def _item(item: WorldItem, piece: int) -> dict[str, Any]:
    """Return one piece; the pieces of a stack differ only in their asset id, as in the seed's sample."""
    return {
        "item": {
            "asset_id": str(int(item.asset_id) + piece),
            "tradable": int(item.tradable),
            "app_id": int(item.game),
            "icon_url": item.icon_hash,
            "class_id": item.class_id,
        },
        "name": item.market_hash_name,
        "price": usd_price(item),
        "stickers": [_sticker(sticker) for sticker in item.stickers],
        "disabled": not item.accepted,
    }


def _sticker(sticker: WorldSticker) -> dict[str, Any]:
    return {"name": sticker.name, "slot": sticker.slot, "wear": sticker.wear}


def _signature(fields: Mapping[str, str], secret: str) -> str:
    """Return the documented signature: every plain parameter but ``sign``, by name, as ``name:value;``."""
    plain = sorted((name, value) for name, value in fields.items() if name != "sign" and not name.endswith("]"))
    text = "".join(f"{name}:{value};" for name, value in plain)
    return hmac.digest(secret.encode(), text.encode(), "sha1").hex()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d{1,12}", text, re.ASCII) is not None


def _refused(code: int, errors: Mapping[int, str] = ERRORS) -> Refused:
    """Return an error of the method that has these; the negative ones are of every method."""
    message = (ERRORS if code < 0 else errors).get(code, "something_new")
    return Refused(web.json_response({"status": "error", "error_code": code, "error_message": message}))
