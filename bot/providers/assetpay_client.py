"""AssetPay for a client: its tokens, and GET /client/inventory in the current dialect and the older one.

Seed 001 has the current dialect, seed 002 the older one.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryQuery, Sort
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId, TradeUrl
from bot.domain.trades import NotAsked, TradeQuery
from bot.providers.assetpay import GAMES, page_of, price_range
from bot.providers.assetpay_answers import Page, PageReader, read_data
from bot.providers.assetpay_pages import Pages
from bot.providers.credentials import Token, TokenCache, claims_of, issued_token
from bot.providers.reading import Fields, Unreadable, read
from bot.providers.resilience import ends_within
from bot.providers.transport import Transport

T = TypeVar("T")

_TOKEN_REFUSED_KEYS = frozenset({"INVALID_TOKEN", "TOKEN_INVALID_OR_EXPIRED", "TOKEN_EXPIRED"})
_TOKEN_REFUSED_CODES = {Dialect.ASSETPAY: 1102, Dialect.ASSETPAY_LEGACY: 1222}


class FixedClientToken:
    """One token for every call. AssetPay answers with its user's inventory and trades, and ignores the trade URL.

    ``owner_is_certain`` if the token's claims name its owner.
    """

    def __init__(self, provider: ProviderName, token: Secret) -> None:
        self._provider = provider
        self._token = token
        self._owner = _steam_id_of(token)
        self.owner_is_certain = self._owner is not None

    def owner(self, trade_url: TradeUrl | None) -> SteamId | None:  # noqa: ARG002 -- only one
        """Return the token's user, None if its claims cannot be read."""
        return self._owner

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return OTHER_ACCOUNT if the token certainly lists no trade of the account."""
        is_other = self._owner is not None and query.account not in (None, self._owner)
        return NotAsked.OTHER_ACCOUNT if is_other else None

    async def token_for(self, trade_url: TradeUrl | None, path: str) -> Secret:  # noqa: ARG002 -- for all calls
        """Return the token; WRONG_ACCOUNT, without a call, if its claims name another account."""
        if trade_url is not None and self._owner not in (None, trade_url.steam_id):
            raise ProviderError(Failure(self._provider, FailureKind.WRONG_ACCOUNT))
        return self._token

    async def renewed(self, trade_url: TradeUrl | None, refused: Secret) -> Secret | None:  # noqa: ARG002 -- only one
        """Return None: there is no other one."""
        return None


class IssuedClientTokens:
    """A token for each trade URL, created with the merchant's API key and used for a day (providers.md, 1.2)."""

    owner_is_certain = True

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cache = TokenCache(transport.clock)

    def owner(self, trade_url: TradeUrl | None) -> SteamId | None:
        """Return the account that the token is created for."""
        return None if trade_url is None else trade_url.steam_id

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return TRADE_URL without one: a token is created for it (trades.md, 1.3)."""
        return NotAsked.TRADE_URL if query.trade_url is None else None

    async def token_for(self, trade_url: TradeUrl | None, path: str) -> Secret:
        """Return the account's token for a call of ``path``, created if there is none and the call may be made now."""
        known = _required(trade_url)

        async def create() -> Token:
            await self._transport.check_limit("GET", path)
            return await self._create(known)

        return await self._cache.get(_cache_key(known), create)

    async def renewed(self, trade_url: TradeUrl | None, refused: Secret) -> Secret | None:
        """Return another token than the refused one, created at most once a minute; None if that was done."""
        known = _required(trade_url)
        return await self._cache.renewed(_cache_key(known), refused, lambda: self._create(known))

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


class ClientCalls:
    """Calls with a client token, sent as it is or as ``Bearer`` by ``authorization``."""

    def __init__(
        self,
        transport: Transport,
        dialect: Dialect,
        tokens: ClientTokens,
        *,
        authorization: Literal["raw", "bearer"] = "raw",
    ) -> None:
        self.transport = transport
        self.dialect = dialect
        self.tokens = tokens
        self._prefix = "Bearer " if authorization == "bearer" else ""

    async def get(
        self,
        path: str,
        query: Iterable[tuple[str, str]],
        trade_url: TradeUrl | None,
        reader: Callable[[Fields], T],
        *,
        whole: Callable[[bytes], T] | None = None,
    ) -> T:
        """Ask and read, with a new token if the old one is refused; ProviderError otherwise."""
        token = await self.tokens.token_for(trade_url, path)
        parameters = tuple(query)

        async def ask(token: Secret) -> T:
            headers = {"Authorization": f"{self._prefix}{token.reveal()}"}
            response = await self.transport.request("GET", path, query=parameters, headers=headers)
            secrets = (token,) if trade_url is None else (token, trade_url.token)
            return await read(response, reader, whole=whole, secrets=secrets)

        try:
            return await ask(token)
        except ProviderError as error:
            if not self._refuses_token(error.failure):
                raise
            refusal = error.failure
        renewed = await self.tokens.renewed(trade_url, token)
        if renewed is None:
            raise ProviderError(refusal)
        return await ask(renewed)

    def _refuses_token(self, failure: Failure) -> bool:
        if failure.key is not None:
            return failure.key in _TOKEN_REFUSED_KEYS
        return failure.code is not None and failure.code == _TOKEN_REFUSED_CODES.get(self.dialect)


class AssetPayClient:
    """Inventories by client token."""

    games = GAMES

    def __init__(self, calls: ClientCalls) -> None:
        self._calls = calls
        self._is_legacy = calls.dialect is Dialect.ASSETPAY_LEGACY
        self._reader = PageReader(calls.dialect)
        self.name = client_name(calls.dialect)

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask for all matching items; ProviderError otherwise."""
        ends = ends_within(self._calls.transport.limits.deadline)
        pages = Pages(self.name, lambda number, size: self._page(query, number, size), ends)
        page = await (pages.limited() if self._is_legacy else pages.unlimited())
        read_at = self._calls.transport.clock.now()
        return page.inventory(self.name, query, read_at=read_at, owner_certain=self._calls.tokens.owner_is_certain)

    async def _page(self, query: InventoryQuery, number: int, size: int) -> Page:
        parameters = _older_dialect(query, number, size) if self._is_legacy else page_of(query, number, size)
        return await self._calls.get(
            "/client/inventory", parameters, query.trade_url, self._reader.tolerant, whole=self._reader.whole
        )


def client_name(dialect: Dialect) -> ProviderName:
    """Return the name of the client endpoints in this dialect."""
    return ProviderName.ASSETPAY_LEGACY if dialect is Dialect.ASSETPAY_LEGACY else ProviderName.ASSETPAY_CLIENT


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


def _required(trade_url: TradeUrl | None) -> TradeUrl:
    if trade_url is None:
        raise ValueError("a client token is created for a trade URL")
    return trade_url
