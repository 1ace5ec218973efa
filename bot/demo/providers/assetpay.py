"""Simulated AssetPay: api.assetpay.gg (seeds 000 and 001) and the older api.assetpay.co (seed 002)."""

from __future__ import annotations

import csv
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.demo.items import WorldItem
from bot.demo.people import Condition, trade_url
from bot.demo.providers import assetpay_items, faults
from bot.demo.providers.assetpay_query import ClientQuery, InventoryQuery, LegacyQuery, SecureQuery
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.providers.tokens import Client, ClientTokens, read_trade_url
from bot.demo.world import World, forced_error
from bot.domain.steam import Game, SteamId

_CACHED = timedelta(minutes=15)
_FIRST_AGE = timedelta(minutes=7)  # the age of every inventory when the world begins
_COLLATERAL = 150.0
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


class _AssetPayServer(SimulatedServer):
    """What both dialects share: the envelope, API keys, client tokens, the 15-minute cache, ``/client/inventory``."""

    errors: ClassVar[tuple[ErrorRow, ...]]
    client_query: ClassVar[type[InventoryQuery]]
    condition_errors: ClassVar[Mapping[Condition, str]] = {
        Condition.PRIVATE: "INVENTORY_FETCH_FAILED",
        Condition.TRADE_BANNED: "USER_NOT_TRADEABLE",
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
        )

    async def _authenticate_client(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        try:
            body = await request.json() if request.content_type == "application/json" else None
        except ValueError:
            body = None
        asked = self._validated(_ClientBody, body)
        client = read_trade_url(asked.trade_url)
        if client is None:
            raise self._refused("INVALID_TRADEURL")
        if asked.steam_id != str(client.steam_id):
            raise self._refused("VALIDATION_FAILED", fields={"clientSteamId": "is not the account of clientTradeUrl"})
        token = self.client_tokens.issue(client.steam_id, trade_url(client.steam_id, client.trade_token))
        return self._success({"token": token})

    async def _client_inventory(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization")
        if token is None:
            raise self._refused("MISSING_BEARER")
        client = self.client_tokens.client(token)
        if client is None:
            raise self._refused("INVALID_TOKEN")
        query = self._query(self.client_query, request)
        return await self._inventory(client, query, item=self._client_item, collateral=_COLLATERAL)

    async def _inventory(
        self, client: Client, query: InventoryQuery, *, item: Callable[[WorldItem], dict[str, Any]], collateral: float
    ) -> web.StreamResponse:
        """Answer with the person's items, or with the error of their condition or trade token."""
        forced = forced_error(client.trade_token)
        if forced is not None:
            rows = [row for row in self.errors if row.code == forced.code] or [UNDOCUMENTED._replace(code=forced.code)]
            raise self._refusal(rows[-1 if forced.second else 0])
        person = self.world.person(client.steam_id)
        if person is None:
            raise self._refused("INVENTORY_FETCH_FAILED")
        match person.condition:
            case Condition.HANGS:
                return await faults.never()
            case Condition.HTML:
                return faults.html_page()
            case Condition.UNDOCUMENTED:
                raise self._refusal(UNDOCUMENTED)
            case Condition.ORDINARY:
                pass
            case condition:
                raise self._refused(self.condition_errors[condition])
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

    def _success(self, data: dict[str, Any]) -> web.Response:
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
    """api.assetpay.gg: ``/secure/inventory`` with the API key, ``/client/inventory`` with a client token."""

    errors = ERRORS
    client_query = ClientQuery
    _client_item = staticmethod(assetpay_items.client_item)

    def __init__(self, world: World) -> None:
        keys = world.credentials
        super().__init__(world, api_key=keys.assetpay_api_key, secret=keys.assetpay_api_secret, names_merchant=True)

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        secure = web.get("/secure/inventory", self._secure_inventory, allow_head=False)
        return (secure, *super()._routes())

    async def _secure_inventory(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        query = self._query(SecureQuery, request)
        client = read_trade_url(query.trade_url)
        person = self.world.person(client.steam_id) if client is not None else None
        # Steam accepts a known account's own token only.
        if client is None or (
            person is not None and person.token != client.trade_token and forced_error(client.trade_token) is None
        ):
            raise self._refused("INVALID_TRADEURL")
        return await self._inventory(client, query, item=assetpay_items.self_trade_item, collateral=0)


class SimulatedAssetPayLegacy(_AssetPayServer):
    """api.assetpay.co: ``/client/inventory`` in the older shape, errors in the older numbering."""

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
