"""Simulated AssetPay: api.assetpay.gg (seeds 000 and 001) and the older api.assetpay.co (seed 002)."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from bot.demo.people import Condition, trade_url
from bot.demo.providers import assetpay_items, assetpay_query, faults
from bot.demo.providers.assetpay_clients import ClientTokens, read_trade_url
from bot.demo.providers.assetpay_errors import ERRORS, LEGACY_ERRORS, UNDOCUMENTED, ErrorRow
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.world import World, forced_error
from bot.domain.steam import Game, SteamId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bot.demo.items import WorldItem
    from bot.demo.providers.assetpay_clients import Client

_CACHED = timedelta(minutes=15)
_FIRST_AGE = timedelta(minutes=7)  # how long ago every inventory was read when the world begins
_COLLATERAL = 150.0
_CLIENT_FIELDS = frozenset({"clientSteamId", "clientTradeUrl", "clientId", "clientData"})


class _AssetPayServer(SimulatedServer):
    """What both dialects share: the envelope, API keys, client tokens, the 15-minute cache, ``/client/inventory``.

    ``authorization`` says how a client token has to be sent: ``raw`` or ``bearer``. Besides the right API key there
    are three wrong ones with their own errors: the right one followed by ``_revoked``, ``_noscope``, ``_elsewhere``.
    """

    errors: ClassVar[tuple[ErrorRow, ...]]
    query_form: ClassVar[assetpay_query.QueryForm]
    troubles: ClassVar[Mapping[Condition, str]]

    def __init__(
        self,
        world: World,
        *,
        api_key: str,
        client_tokens: ClientTokens,
        authorization: str,
        requests_per_minute: int | None,
    ) -> None:
        super().__init__(world, requests_per_minute=requests_per_minute)
        self.client_tokens = client_tokens
        self.authorization = authorization
        self._api_key = api_key
        self._refused_keys = {
            f"{api_key}_revoked": "API_KEY_REVOKED",
            f"{api_key}_noscope": "API_KEY_SCOPE_DENIED",
            f"{api_key}_elsewhere": "API_KEY_IP_DENIED",
        }
        self._read_at: dict[tuple[SteamId, Game], datetime] = {}
        self._began = world.now()

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/auth/authenticate-client", self._authenticate_client),
            web.get("/client/inventory", self._client_inventory, allow_head=False),
        )

    async def _authenticate_client(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        client = self._client_in(await self._json(request))
        token = self.client_tokens.issue(client.steam_id, trade_url(client.steam_id, client.trade_token))
        return self._success({"token": token})

    async def _client_inventory(self, request: web.Request) -> web.StreamResponse:
        client = self._client_of(request)
        wanted = self._query(request)
        return await self._inventory(client, wanted, item=self._client_item, collateral=_COLLATERAL)

    async def _inventory(
        self,
        client: Client,
        wanted: assetpay_query.InventoryRequest,
        *,
        item: Callable[[WorldItem], dict[str, Any]],
        collateral: float,
    ) -> web.StreamResponse:
        """Answer with what the person owns, or with what their condition or trade token brings about."""
        forced = forced_error(client.trade_token)
        if forced is not None:
            raise self._refusal(self._row(forced.code, second=forced.second))
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
            case trouble:
                raise self._refused(self.troubles[trouble])
        page, count = wanted.select(person.inventories.get(wanted.game, ()))
        read_at = self._steam_read_at(client.steam_id, wanted)
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

    def _steam_read_at(self, steam_id: SteamId, wanted: assetpay_query.InventoryRequest) -> datetime:
        """Return when the cache was filled, filling it anew where it is too old or where that is asked for."""
        key = (steam_id, wanted.game)
        read_at = self._read_at.get(key, self._began - _FIRST_AGE)
        now = self.world.now()
        if wanted.refresh or now - read_at >= _CACHED:
            read_at = max(now, read_at + timedelta(milliseconds=1))
        self._read_at[key] = read_at
        return read_at

    def _query(self, request: web.Request, *, also: frozenset[str] = frozenset()) -> assetpay_query.InventoryRequest:
        try:
            return assetpay_query.read(request.query.items(), self.query_form, also=also)
        except assetpay_query.Invalid as invalid:
            raise self._invalid(invalid.fields) from None

    def _check_api_key(self, request: web.Request) -> None:
        key = request.headers.get("api-key")
        if key is None:
            raise self._refused("MISSING_API_KEY")
        if key != self._api_key:
            raise self._refused(self._refused_keys.get(key, "INVALID_API_KEY"))

    def _client_of(self, request: web.Request) -> Client:
        """Return whose client token the request carries."""
        value = request.headers.get("Authorization")
        if value is None:
            raise self._refused("MISSING_BEARER")
        if self.authorization == "bearer":
            scheme, _, value = value.partition(" ")
            if scheme != "Bearer":
                raise self._refused("MISSING_BEARER")
        client = self.client_tokens.client(value)
        if client is None:
            raise self._refused("INVALID_TOKEN")
        return client

    async def _json(self, request: web.Request) -> dict[str, Any]:
        try:
            body = await request.json() if request.content_type == "application/json" else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise self._invalid({"body": "must be a JSON object"})
        return body

    def _client_in(self, body: dict[str, Any]) -> Client:
        """Read the body of ``/auth/authenticate-client`` (providers.md, 1.2)."""
        mistakes = dict.fromkeys(body.keys() - _CLIENT_FIELDS, "is not a known field")
        for name in ("clientSteamId", "clientTradeUrl"):
            if not isinstance(body.get(name), str):
                mistakes[name] = "must be a string"
        if mistakes:
            raise self._invalid(mistakes)
        client = read_trade_url(body["clientTradeUrl"])
        if client is None:
            raise self._refused("INVALID_TRADEURL")
        if body["clientSteamId"] != str(client.steam_id):
            raise self._invalid({"clientSteamId": "is not the account of clientTradeUrl"})
        return client

    async def _no_such_path(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 -- every path alike
        raise self._refused("NOT_FOUND")

    def _too_many_requests(self) -> web.StreamResponse:
        return self._refused("RATE_LIMITED").response

    def _success(self, data: dict[str, Any]) -> web.Response:
        return web.json_response({"requestId": str(uuid.uuid4()), "success": True, "data": data})

    def _invalid(self, fields: dict[str, str]) -> Refused:
        return self._refused("VALIDATION_FAILED", fields=fields)

    def _refused(self, key: str, *, fields: dict[str, str] | None = None) -> Refused:
        """Return the documented error called ``key``."""
        return self._refusal(next(row for row in self.errors if row.key == key), fields=fields)

    def _row(self, code: int, *, second: bool) -> ErrorRow:
        """Return the documented error with this number, or an undocumented one."""
        rows = [row for row in self.errors if row.code == code] or [UNDOCUMENTED._replace(code=code)]
        return rows[-1 if second else 0]

    def _refusal(self, row: ErrorRow, *, fields: dict[str, str] | None = None) -> Refused:
        words = row.key.replace("_", " ").capitalize()
        error: dict[str, Any] = {"code": row.code, "key": row.key, "message": words}
        if row.key == "VALIDATION_FAILED":
            error["fields"] = fields or {"tradeUrl": "is not accepted"}
            error["message"] = [f"{name} {reason}" for name, reason in error["fields"].items()]
        headers = {"Retry-After": "30"} if row.key == "FLEET_DEGRADED" else None
        body = {"requestId": str(uuid.uuid4()), "success": False, "error": error}
        return Refused(web.json_response(body, status=row.status, headers=headers))


class SimulatedAssetPay(_AssetPayServer):
    """api.assetpay.gg: ``/secure/inventory`` with the API key, ``/client/inventory`` with a client token."""

    errors = ERRORS
    query_form = assetpay_query.CURRENT
    troubles: ClassVar[Mapping[Condition, str]] = {
        Condition.PRIVATE: "INVENTORY_FETCH_FAILED",
        Condition.TRADE_BANNED: "USER_NOT_TRADEABLE",
        Condition.STEAM_DOWN: "STEAM_UNAVAILABLE",
        Condition.STEAM_BUSY: "STEAM_RATE_LIMITED",
        Condition.NO_BOTS: "NO_BOTS_AVAILABLE",
        Condition.FLEET_DEGRADED: "FLEET_DEGRADED",
    }

    def __init__(self, world: World, *, authorization: str = "raw", requests_per_minute: int | None = None) -> None:
        secret = world.credentials.assetpay_api_secret
        super().__init__(
            world,
            api_key=world.credentials.assetpay_api_key,
            client_tokens=ClientTokens(world, secret=secret, names_merchant=True),
            authorization=authorization,
            requests_per_minute=requests_per_minute,
        )

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        secure = web.get("/secure/inventory", self._secure_inventory, allow_head=False)
        return (secure, *super()._routes())

    async def _secure_inventory(self, request: web.Request) -> web.StreamResponse:
        self._check_api_key(request)
        wanted = self._query(request, also=frozenset({"tradeUrl"}))
        if "tradeUrl" not in request.query:
            raise self._invalid({"tradeUrl": "must be given"})
        client = read_trade_url(request.query["tradeUrl"])
        if client is None or not self._opens(client):
            raise self._refused("INVALID_TRADEURL")
        return await self._inventory(client, wanted, item=assetpay_items.self_trade_item, collateral=0)

    def _opens(self, client: Client) -> bool:
        """Say whether Steam would take the trade URL: a known account's token has to be its own."""
        person = self.world.person(client.steam_id)
        return person is None or person.token == client.trade_token or forced_error(client.trade_token) is not None

    @staticmethod
    def _client_item(item: WorldItem) -> dict[str, Any]:
        return assetpay_items.client_item(item)


class SimulatedAssetPayLegacy(_AssetPayServer):
    """api.assetpay.co: ``/client/inventory`` in the older shape, errors in the older numbering."""

    errors = LEGACY_ERRORS
    query_form = assetpay_query.LEGACY
    troubles: ClassVar[Mapping[Condition, str]] = {
        Condition.PRIVATE: "INVENTORY_FETCH_FAILED",
        Condition.TRADE_BANNED: "USER_NOT_TRADEABLE",
        Condition.STEAM_DOWN: "INVENTORY_FETCH_FAILED",
        Condition.STEAM_BUSY: "RATE_LIMITED",
        Condition.NO_BOTS: "SERVICE_UNAVAILABLE",
        Condition.FLEET_DEGRADED: "SYSTEM_MAINTENANCE",
    }

    def __init__(self, world: World, *, authorization: str = "raw", requests_per_minute: int | None = None) -> None:
        secret = world.credentials.legacy_api_secret
        super().__init__(
            world,
            api_key=world.credentials.legacy_api_key,
            client_tokens=ClientTokens(world, secret=secret, names_merchant=False),
            authorization=authorization,
            requests_per_minute=requests_per_minute,
        )

    @staticmethod
    def _client_item(item: WorldItem) -> dict[str, Any]:
        return assetpay_items.legacy_item(item)
