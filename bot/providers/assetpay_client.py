"""AssetPay for a client: GET /client/inventory, in the current dialect (seed 001) and the older one (seed 002)."""

import asyncio
from typing import Literal

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryQuery, Sort
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId, TradeUrl
from bot.providers.assetpay import GAMES, page_of, price_range
from bot.providers.assetpay_answers import Page, PageReader, read_data
from bot.providers.assetpay_pages import Pages
from bot.providers.credentials import Token, TokenCache, claims_of, issued_token
from bot.providers.reading import Fields, Unreadable, read
from bot.providers.transport import Transport

_TOKEN_REFUSED_KEYS = frozenset({"INVALID_TOKEN", "TOKEN_INVALID_OR_EXPIRED", "TOKEN_EXPIRED"})
_TOKEN_REFUSED_CODES = {Dialect.ASSETPAY: 1102, Dialect.ASSETPAY_LEGACY: 1222}


class FixedClientToken:
    """One token for every lookup. AssetPay answers with its user's inventory and ignores the trade URL.

    ``owner_is_certain`` if the token's claims name its owner.
    """

    def __init__(self, provider: ProviderName, token: Secret) -> None:
        self._provider = provider
        self._token = token
        self._owner = _steam_id_of(token)
        self.owner_is_certain = self._owner is not None

    async def token_for(self, trade_url: TradeUrl) -> Secret:
        """Return the token; WRONG_ACCOUNT, without a call, if its claims name another account."""
        if self._owner not in (None, trade_url.steam_id):
            raise ProviderError(Failure(self._provider, FailureKind.WRONG_ACCOUNT))
        return self._token

    async def renewed(self, trade_url: TradeUrl, refused: Secret) -> Secret | None:  # noqa: ARG002 -- only one
        """Return None: there is no other one."""
        return None


class IssuedClientTokens:
    """A token for each trade URL, created with the merchant's API key and used for a day (providers.md, 1.2)."""

    owner_is_certain = True

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cache = TokenCache(transport.clock)

    async def token_for(self, trade_url: TradeUrl) -> Secret:
        """Return the account's token, created if there is none."""
        return await self._cache.get(_cache_key(trade_url), lambda: self._create(trade_url))

    async def renewed(self, trade_url: TradeUrl, refused: Secret) -> Secret | None:
        """Return another token than the refused one, created at most once a minute; None if that was done."""
        return await self._cache.renewed(_cache_key(trade_url), refused, lambda: self._create(trade_url))

    async def _create(self, trade_url: TradeUrl) -> Token:
        response = await self._transport.request(
            "POST",
            "/auth/authenticate-client",
            headers={"api-key": self._api_key.reveal()},
            json={"clientSteamId": str(trade_url.steam_id), "clientTradeUrl": trade_url.canonical()},
        )

        def read_token(fields: Fields) -> Secret:
            data = read_data(fields)
            token = issued_token(data, "token")
            if _steam_id_of(token) not in (None, trade_url.steam_id):
                raise Unreadable(data.at("token"))
            return token

        token = await read(response, read_token, secrets=(self._api_key, trade_url.token))
        return Token.issued(token, at=response.received_at)


ClientTokens = FixedClientToken | IssuedClientTokens


class AssetPayClient:
    """Inventories by client token, sent as it is or as ``Bearer`` by ``authorization``."""

    games = GAMES

    def __init__(
        self,
        transport: Transport,
        dialect: Dialect,
        tokens: ClientTokens,
        *,
        authorization: Literal["raw", "bearer"] = "raw",
    ) -> None:
        self._transport = transport
        self._dialect = dialect
        self._is_legacy = dialect is Dialect.ASSETPAY_LEGACY
        self._reader = PageReader(dialect)
        self.name = ProviderName.ASSETPAY_LEGACY if self._is_legacy else ProviderName.ASSETPAY_CLIENT
        self._tokens = tokens
        self._prefix = "Bearer " if authorization == "bearer" else ""

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask for all matching items, with a new token if the old one is refused; ProviderError otherwise."""
        ends = asyncio.get_running_loop().time() + self._transport.limits.deadline
        self._transport.check_limit("GET", "/client/inventory")  # before a token is created for nothing
        token = await self._tokens.token_for(query.trade_url)
        try:
            return await self._ask(query, token, ends=ends)
        except ProviderError as error:
            if not self._refuses_token(error.failure):
                raise
            refusal = error.failure
        renewed = await self._tokens.renewed(query.trade_url, token)
        if renewed is None:
            raise ProviderError(refusal)
        return await self._ask(query, renewed, ends=ends)

    async def _ask(self, query: InventoryQuery, token: Secret, *, ends: float) -> Inventory:
        pages = Pages(self.name, lambda number, size: self._page(query, token, number, size), ends)
        page = await (pages.limited() if self._is_legacy else pages.unlimited())
        read_at = self._transport.clock.now()
        return page.inventory(self.name, query, read_at=read_at, owner_certain=self._tokens.owner_is_certain)

    async def _page(self, query: InventoryQuery, token: Secret, number: int, size: int) -> Page:
        response = await self._transport.request(
            "GET",
            "/client/inventory",
            query=_older_dialect(query, number, size) if self._is_legacy else page_of(query, number, size),
            headers={"Authorization": f"{self._prefix}{token.reveal()}"},
        )
        secrets = (token, query.trade_url.token)
        return await read(response, self._reader.tolerant, whole=self._reader.whole, secrets=secrets)

    def _refuses_token(self, failure: Failure) -> bool:
        if failure.key is not None:
            return failure.key in _TOKEN_REFUSED_KEYS
        return failure.code is not None and failure.code == _TOKEN_REFUSED_CODES.get(self._dialect)


def _older_dialect(query: InventoryQuery, number: int, size: int) -> list[tuple[str, str]]:
    """Return the older dialect's parameters in the order of its examples; only the first page refreshes."""
    wanted = query.filter
    parameters = [("game", str(query.game.value))]
    if query.refresh and number == 1:
        parameters.append(("refresh", "true"))
    if wanted.search is not None:
        parameters.append(("search", wanted.search))
    parameters += price_range(wanted)
    if wanted.sort is not Sort.RELEVANCE:
        parameters.append(("sort", wanted.sort.value))
    return [*parameters, ("page", str(number)), ("perPage", str(size))]


def _steam_id_of(token: Secret) -> SteamId | None:
    """Return the account that a client token's claims name, if they can be read."""
    claims = claims_of(token)
    client = claims.values.get("client") if claims else None
    try:
        return SteamId.parse(Fields(client).optional_id("steamID"))
    except (Unreadable, ValueError):
        return None


def _cache_key(trade_url: TradeUrl) -> str:
    """Return a key for a trade URL that does not contain the token."""
    return f"{trade_url.steam_id}:{trade_url.token.digest()}"
