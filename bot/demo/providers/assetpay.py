"""Simulated AssetPay: api.assetpay.gg and the older api.assetpay.co (seeds 000 to 002; trades.md, 1 and 2)."""

from __future__ import annotations

import csv
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar
from urllib.parse import unquote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.demo.items import WorldItem
from bot.demo.people import Condition, Person, trade_url
from bot.demo.providers import assetpay_items, assetpay_trade_rows, faults
from bot.demo.providers.assetpay_query import (
    ClientQuery,
    InventoryQuery,
    LegacyQuery,
    LegacyTradesQuery,
    NoQuery,
    SecureQuery,
    TradesQuery,
)
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.providers.tokens import Client, ClientTokens, read_trade_url
from bot.demo.providers.trade_url_checks import trade_url_check
from bot.demo.world import World, forced_error
from bot.domain.steam import Game, SteamId

_CACHED = timedelta(minutes=15)
_FIRST_AGE = timedelta(minutes=7)  # the age of every inventory when the world begins
_COLLATERAL = 150.0
_MOST_REFS = 100
_LONGEST_REF = 128
_WRONG_KEYS = {
    "_revoked": "API_KEY_REVOKED",
    "_noscope": "API_KEY_SCOPE_DENIED",
    "_elsewhere": "API_KEY_IP_DENIED",
}
"""Endings that make of the right API key a wrong one with its own error."""

_Model = TypeVar("_Model", bound=BaseModel)


class ErrorRow(NamedTuple):
    """One documented error."""

    code: int
    key: str
    status: int


def _errors(dialect: str) -> tuple[ErrorRow, ...]:
    with Path(__file__).with_name("assetpay_errors.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dialect"] == dialect]
    return tuple(ErrorRow(int(row["code"]), row["key"], int(row["status"])) for row in rows)


ERRORS = _errors("assetpay")
"""providers.md 1.7; 1300 has two keys. If versions differ, the HTTP status is that of the time of the seeds."""

LEGACY_ERRORS = _errors("assetpay_legacy")
"""providers.md 2.4."""

UNDOCUMENTED = ErrorRow(4242, "SOMETHING_NEW", 400)


class _ClientBody(BaseModel):
    """The body of ``/auth/authenticate-client`` (providers.md, 1.2)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    steam_id: str = Field(alias="clientSteamId")
    trade_url: str = Field(alias="clientTradeUrl")
    client_id: Any = Field(None, alias="clientId")
    client_data: Any = Field(None, alias="clientData")


class _CheckBody(BaseModel):
    """The body of ``/secure/check-tradeurl`` (trades.md, 1.8)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trade_url: str = Field(alias="tradeurl")
    force_refresh: bool = Field(False, alias="forceRefresh")


class _AssetPayServer(SimulatedServer):
    """What both dialects share: the envelope, API keys, client tokens, the 15-minute cache, the ``/client`` calls."""

    errors: ClassVar[tuple[ErrorRow, ...]]
    client_query: ClassVar[type[InventoryQuery]]
    condition_errors: ClassVar[Mapping[Condition, str]] = {
        Condition.PRIVATE: "INVENTORY_FETCH_FAILED",
        Condition.TRADE_BANNED: "USER_NOT_TRADEABLE",
        Condition.ESCROW: "USER_NOT_TRADEABLE",
        Condition.STEAM_DOWN: "STEAM_UNAVAILABLE",
        Condition.STEAM_BUSY: "STEAM_RATE_LIMITED",
        Condition.NO_BOTS: "NO_BOTS_AVAILABLE",
        Condition.FLEET_DEGRADED: "FLEET_DEGRADED",
    }

    def __init__(self, world: World, *, api_key: str, secret: str, names_merchant: bool) -> None:
        super().__init__(world)
        self.client_tokens = ClientTokens(world, secret=secret, names_merchant=names_merchant)
        self._api_key = api_key
        self._read_at: dict[tuple[SteamId, Game], datetime] = {}
        self._began = world.now()

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/auth/authenticate-client", self._authenticate_client),
            web.get("/client/inventory", self._client_inventory, allow_head=False),
            web.get("/client/trades", self._client_trades, allow_head=False),
        )

    async def _authenticate_client(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        asked = await self._body(_ClientBody, request)
        client = read_trade_url(asked.trade_url)
        if client is None:
            raise self._refused("INVALID_TRADEURL")
        if asked.steam_id != str(client.steam_id):
            raise self._refused("VALIDATION_FAILED", fields={"clientSteamId": "is not the account of clientTradeUrl"})
        token = self.client_tokens.issue(client.steam_id, trade_url(client.steam_id, client.trade_token))
        return self._success({"token": token})

    async def _client_inventory(self, request: web.Request) -> web.StreamResponse:
        client = self._client(request)
        query = self._query(self.client_query, request)
        return await self._inventory(client, query, item=self._client_item, collateral=_COLLATERAL)

    async def _client_trades(self, request: web.Request) -> web.StreamResponse:
        client = self._client(request)
        await self._meet(client)
        return self._success(self._trades_page(request, client.steam_id))

    @abstractmethod
    def _trades_page(self, request: web.Request, owner: SteamId) -> dict[str, Any]:
        """Return the page of a client's trades that the request asks for."""

    def _client(self, request: web.Request) -> Client:
        """Return the client whose token the request has."""
        token = request.headers.get("Authorization")
        if token is None:
            raise self._refused("MISSING_BEARER")
        client = self.client_tokens.client(token)
        if client is None:
            raise self._refused("INVALID_TOKEN")
        return client

    async def _inventory(
        self, client: Client, query: InventoryQuery, *, item: Callable[[WorldItem], dict[str, Any]], collateral: float
    ) -> web.StreamResponse:
        """Answer with the person's items, or with the error of their condition or trade token."""
        person = await self._meet(client)
        if person is None:
            raise self._refused("INVENTORY_FETCH_FAILED")
        if person.condition is not Condition.ORDINARY:
            raise self._refused(self.condition_errors[person.condition])
        page, count = query.select(person.inventories.get(query.app, ()))
        read_at = self._steam_read_at(client.steam_id, query)
        return self._success(
            {
                "inventory": [item(owned) for owned in page],
                "count": count,
                "updatedAt": read_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "collateral": collateral,
            }
        )

    async def _meet(self, client: Client) -> Person | None:
        """Return the person, None if unknown. Refuse, or hang, if the person or trade token demands it of every call.

        A person's other conditions are Steam's, and matter to an inventory only.
        """
        self._refuse_as_named(client.trade_token)
        person = self.world.person(client.steam_id)
        match person and person.condition:
            case Condition.HANGS:
                await faults.never()
            case Condition.HTML:
                raise Refused(faults.html_page())
            case Condition.UNDOCUMENTED:
                raise self._refusal(UNDOCUMENTED)
        return person

    def _refuse_as_named(self, text: str) -> None:
        """Refuse with the error that a trade token or a trade's number names, if it names one."""
        forced = forced_error(text)
        if forced is not None:
            rows = [row for row in self.errors if row.code == forced.code] or [UNDOCUMENTED._replace(code=forced.code)]
            raise self._refusal(rows[-1 if forced.second else 0])

    @staticmethod
    @abstractmethod
    def _client_item(item: WorldItem) -> dict[str, Any]:
        """Return an item as ``/client/inventory`` shows it."""

    def _steam_read_at(self, steam_id: SteamId, query: InventoryQuery) -> datetime:
        """Return when the cache was filled; fill it again if it is too old or a refresh was requested."""
        key = (steam_id, query.app)
        read_at = self._read_at.get(key, self._began - _FIRST_AGE)
        now = self.world.now()
        if query.refresh == "true" or now - read_at >= _CACHED:
            read_at = max(now, read_at + timedelta(milliseconds=1))
        self._read_at[key] = read_at
        return read_at

    def _query(self, model: type[_Model], request: web.Request) -> _Model:
        # A repeated parameter stays a list, which no field accepts.
        values = {name: request.query.getall(name) for name in request.query}
        return self._validated(model, {name: found[0] if len(found) == 1 else found for name, found in values.items()})

    async def _body(self, model: type[_Model], request: web.Request) -> _Model:
        try:
            body = await request.json() if request.content_type == "application/json" else None
        except ValueError:
            body = None
        return self._validated(model, body)

    def _validated(self, model: type[_Model], values: object) -> _Model:
        try:
            return model.model_validate(values)
        except ValidationError as invalid:
            fields = {str((*error["loc"], "body")[0]): error["msg"] for error in invalid.errors()}
            raise self._refused("VALIDATION_FAILED", fields=fields) from None

    def _check_api_key(self, request: web.Request) -> None:
        key = request.headers.get("api-key")
        if key is None:
            raise self._refused("MISSING_API_KEY")
        if key != self._api_key:
            raise self._refused(_WRONG_KEYS.get(key.removeprefix(self._api_key), "INVALID_API_KEY"))

    def _not_found(self) -> web.Response:
        return self._refused("NOT_FOUND").response

    def _success(self, data: dict[str, Any] | list[dict[str, Any]]) -> web.Response:
        return web.json_response({"requestId": str(uuid.uuid4()), "success": True, "data": data})

    def _refused(self, key: str, *, fields: dict[str, str] | None = None) -> Refused:
        """Return the documented error with this key."""
        return self._refusal(next(row for row in self.errors if row.key == key), fields=fields)

    def _refusal(self, row: ErrorRow, *, fields: dict[str, str] | None = None) -> Refused:
        error: dict[str, Any] = {
            "code": row.code,
            "key": row.key,
            "message": row.key.replace("_", " ").capitalize(),
        }
        if row.key == "VALIDATION_FAILED":
            error["fields"] = fields or {"tradeUrl": "is not accepted"}
            error["message"] = [f"{name} {reason}" for name, reason in error["fields"].items()]
        headers = {"Retry-After": "30"} if row.key == "FLEET_DEGRADED" else None
        body = {"requestId": str(uuid.uuid4()), "success": False, "error": error}
        return Refused(web.json_response(body, status=row.status, headers=headers))


class SimulatedAssetPay(_AssetPayServer):
    """api.assetpay.gg: the ``/secure`` calls with the API key, the ``/client`` calls with a client token."""

    errors = ERRORS
    client_query = ClientQuery
    _client_item = staticmethod(assetpay_items.client_item)

    def __init__(self, world: World) -> None:
        keys = world.credentials
        super().__init__(world, api_key=keys.assetpay_api_key, secret=keys.assetpay_api_secret, names_merchant=True)

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.get("/secure/inventory", self._secure_inventory, allow_head=False),
            web.get("/secure/trades/{refs}", self._secure_trades, allow_head=False),
            web.post("/secure/check-tradeurl", self._check_trade_url),
            *super()._routes(),
        )

    async def _secure_inventory(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        query = self._query(SecureQuery, request)
        client = read_trade_url(query.trade_url)
        if client is None or not self._is_accepted(client):
            raise self._refused("INVALID_TRADEURL")
        return await self._inventory(client, query, item=assetpay_items.self_trade_item, collateral=0)

    async def _secure_trades(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        self._query(NoQuery, request)
        # Commas separate the numbers before these are decoded (trades.md, 1.2).
        path = request.raw_path.partition("?")[0]
        refs = dict.fromkeys(unquote(ref) for ref in path.rpartition("/")[2].split(","))
        if len(refs) > _MOST_REFS or not all(0 < len(ref) <= _LONGEST_REF for ref in refs):
            raise self._refused("VALIDATION_FAILED", fields={"ref": "is not accepted"})
        for ref in refs:
            self._refuse_as_named(ref)
        ids = {ref.lower() for ref in refs}
        rows = [
            assetpay_trade_rows.current_trade(trade)
            for trade in reversed(self.world.assetpay_trades)  # no order is documented
            if trade.id in ids or trade.shop_reference in refs
        ]
        if len(refs) > 1:
            return self._success(rows)
        if not rows:
            raise self._refused("TRADE_NOT_FOUND")
        return self._success(rows[0])

    async def _check_trade_url(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        body = await self._body(_CheckBody, request)
        client = read_trade_url(body.trade_url)
        if client is None:
            raise self._refused("VALIDATION_FAILED", fields={"tradeurl": "is no trade URL"})
        person = await self._meet(client)
        if person is None:
            return self._success({"state": 7, "message": "User not found"})
        if not self._is_accepted(client):
            return self._success({"state": 6, "message": "Trade URL is invalid"})
        return self._success({"steamid": str(person.steam_id)} | trade_url_check(person.condition))

    def _trades_page(self, request: web.Request, owner: SteamId) -> dict[str, Any]:
        query = self._query(TradesQuery, request)
        page = query.page(query.matching(self.world.assetpay_trades, owner))
        if page is None:
            raise self._refused("VALIDATION_FAILED", fields={"cursor": "is unknown"})
        return {"items": list(map(assetpay_trade_rows.current_trade, page[0])), "nextCursor": page[1]}

    def _is_accepted(self, client: Client) -> bool:
        """Return whether Steam accepts the trade token: of a known account only its own."""
        person = self.world.person(client.steam_id)
        return person is None or person.token == client.trade_token or forced_error(client.trade_token) is not None


class SimulatedAssetPayLegacy(_AssetPayServer):
    """api.assetpay.co: the ``/client`` calls in the older shape, errors in the older numbering."""

    errors = LEGACY_ERRORS
    client_query = LegacyQuery
    condition_errors: ClassVar[Mapping[Condition, str]] = {
        **_AssetPayServer.condition_errors,
        Condition.STEAM_DOWN: "INVENTORY_FETCH_FAILED",
        Condition.STEAM_BUSY: "RATE_LIMITED",
        Condition.NO_BOTS: "SERVICE_UNAVAILABLE",
        Condition.FLEET_DEGRADED: "SYSTEM_MAINTENANCE",
    }
    _client_item = staticmethod(assetpay_items.legacy_item)

    def __init__(self, world: World) -> None:
        keys = world.credentials
        super().__init__(world, api_key=keys.legacy_api_key, secret=keys.legacy_api_secret, names_merchant=False)

    def _trades_page(self, request: web.Request, owner: SteamId) -> dict[str, Any]:
        query = self._query(LegacyTradesQuery, request)
        trades = query.matching(self.world.legacy_trades, owner)
        end = int(query.page) * int(query.limit)
        page = trades[end - int(query.limit) : end]
        return {"trades": list(map(assetpay_trade_rows.legacy_trade, page)), "count": len(trades)}
