"""AssetPay for a client: GET /client/inventory, in the current dialect (seed 001) and the older one (seed 002)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, Failure, FailureKind, ProviderName
from bot.domain.inventory import Sort
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId
from bot.providers.assetpay import GAMES, plain, whole_inventory
from bot.providers.assetpay_wire import Page, read_data, read_page
from bot.providers.credentials import Held, TokenCache, claims_of, issued_token
from bot.providers.reading import Fields, Unreadable, loose, read

if TYPE_CHECKING:
    from bot.domain.inventory import Inventory, InventoryQuery, Item
    from bot.domain.steam import TradeUrl
    from bot.providers.transport import Transport

PER_PAGE = 50
"""Items per page of the older dialect, which has no way to ask for all (seed 002)."""
MAX_PAGES = 20
_TIME_TO_ANSWER = 0.5
"""How long before its deadline a lookup stops asking for further pages, in seconds."""

_TOKEN_REFUSED_KEYS = frozenset({"INVALID_TOKEN", "TOKEN_INVALID_OR_EXPIRED", "TOKEN_EXPIRED"})
_TOKEN_REFUSED_CODES = {Dialect.ASSETPAY: 1102, Dialect.ASSETPAY_LEGACY: 1222}


class ClientTokens(Protocol):
    """Where the client tokens come from."""

    async def token_for(self, trade_url: TradeUrl) -> Secret:
        """Return the token to ask with; ProviderError where there is none."""
        ...

    def owner_is_certain(self, token: Secret) -> bool:
        """Say whether it is known that the token belongs to the account that was asked for."""
        ...

    def renew(self, trade_url: TradeUrl, token: Secret) -> bool:
        """Forget a token that was refused; False where there is no other."""
        ...


class FixedClientToken:
    """One token for everything: its user's inventory is answered, whatever trade URL is asked."""

    def __init__(self, provider: ProviderName, token: Secret) -> None:
        self._provider = provider
        self._token = token
        self._owner = _steam_id_of(token)

    async def token_for(self, trade_url: TradeUrl) -> Secret:
        """Return the token, unless its claims name another account: then WRONG_ACCOUNT, without a call."""
        if self._owner is not None and self._owner != trade_url.steam_id:
            raise ProviderError(Failure(self._provider, FailureKind.WRONG_ACCOUNT))
        return self._token

    def owner_is_certain(self, token: Secret) -> bool:  # noqa: ARG002 -- there is only the one
        """Say whether the token's claims could be read."""
        return self._owner is not None

    def renew(self, trade_url: TradeUrl, token: Secret) -> bool:  # noqa: ARG002 -- there is only the one
        """Say that there is no other."""
        return False


class IssuedClientTokens:
    """A token for each trade URL, created with the merchant's API key and used for a day (providers.md, 1.2)."""

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cache = TokenCache(transport.clock)

    async def token_for(self, trade_url: TradeUrl) -> Secret:
        """Return the account's token, creating it where there is none that lasts."""
        return await self._cache.get(_key(trade_url), lambda: self._create(trade_url))

    def owner_is_certain(self, token: Secret) -> bool:  # noqa: ARG002 -- each was created for its trade URL
        """Say that it is."""
        return True

    def renew(self, trade_url: TradeUrl, token: Secret) -> bool:
        """Forget the token, so that another one is created."""
        self._cache.drop(_key(trade_url), token)
        return True

    async def _create(self, trade_url: TradeUrl) -> Held:
        answer = await self._transport.request(
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

        token = await read(answer, read_token, secrets=(self._api_key, trade_url.token))
        return Held.issued(token, at=answer.received_at)


class AssetPayClient:
    """Inventories by client token. ``authorization`` says whether the header has the bare token or ``Bearer``."""

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
        self._tokens = tokens
        self._prefix = "Bearer " if authorization == "bearer" else ""

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        is_legacy = self._dialect is Dialect.ASSETPAY_LEGACY
        return ProviderName.ASSETPAY_LEGACY if is_legacy else ProviderName.ASSETPAY_CLIENT

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask for everything that matches, with a new token where the old one is refused; ProviderError otherwise."""
        async with self._transport.deadline() as until:
            token = await self._tokens.token_for(query.trade_url)
            try:
                return await self._ask(query, token, until=until)
            except ProviderError as error:
                if not self._refuses_token(error.failure) or not self._tokens.renew(query.trade_url, token):
                    raise
            return await self._ask(query, await self._tokens.token_for(query.trade_url), until=until)

    async def _ask(self, query: InventoryQuery, token: Secret, *, until: float) -> Inventory:
        if self._dialect is Dialect.ASSETPAY_LEGACY:
            page = await self._all_pages(query, token, until=until)
        else:
            page = await self._page(query, token, whole_inventory(query))
        return page.inventory(
            self.name, query, read_at=self._transport.clock.now(), owner_certain=self._tokens.owner_is_certain(token)
        )

    async def _all_pages(self, query: InventoryQuery, token: Secret, *, until: float) -> Page:
        """Put the older dialect's pages together.

        A later page that fails or comes too late ends it: part of an inventory, which says by its count that it is
        one, helps more than none; and a merchant of the lower tier has ten requests a minute.
        """
        first = await self._page(query, token, _older_dialect(query, page=1))
        found = {item.id: item for item in first.items}
        try:
            async with asyncio.timeout_at(until - _TIME_TO_ANSWER):
                await self._later_pages(query, token, first, found)
        except (ProviderError, TimeoutError):
            if first.count is None:
                raise
        return replace(first, items=tuple(found.values()))

    async def _later_pages(self, query: InventoryQuery, token: Secret, first: Page, found: dict[str, Item]) -> None:
        """Add to ``found`` what the pages after the first have, until they have it all or nothing new."""
        received = len(first.items)
        for number in range(2, MAX_PAGES + 1):
            if received < PER_PAGE or (first.count is not None and len(found) >= first.count):
                return
            page = await self._page(query, token, _older_dialect(query, page=number))
            received = len(page.items)
            new = {item.id: item for item in page.items if item.id not in found}
            if not new:
                return
            found.update(new)

    async def _page(self, query: InventoryQuery, token: Secret, parameters: list[tuple[str, str]]) -> Page:
        answer = await self._transport.request(
            "GET",
            "/client/inventory",
            query=parameters,
            headers={"Authorization": f"{self._prefix}{token.reveal()}"},
        )
        return await read(answer, read_page, secrets=(token, query.trade_url.token))

    def _refuses_token(self, failure: Failure) -> bool:
        if failure.key is not None:
            return failure.key in _TOKEN_REFUSED_KEYS
        return failure.code is not None and failure.code == _TOKEN_REFUSED_CODES.get(self._dialect)


def _older_dialect(query: InventoryQuery, *, page: int) -> list[tuple[str, str]]:
    """Return the older dialect's parameters, named and ordered as in its examples; Steam is read again once only."""
    wanted = query.filter
    parameters = [("game", str(query.game.value))]
    if query.refresh and page == 1:
        parameters.append(("refresh", "true"))
    if wanted.search is not None:
        parameters.append(("search", wanted.search))
    if wanted.min_price is not None:
        parameters.append(("minPrice", plain(wanted.min_price)))
    if wanted.max_price is not None:
        parameters.append(("maxPrice", plain(wanted.max_price)))
    if wanted.sort is not Sort.RELEVANCE:
        parameters.append(("sort", wanted.sort.value))
    return [*parameters, ("page", str(page)), ("perPage", str(PER_PAGE))]


def _steam_id_of(token: Secret) -> SteamId | None:
    """Return the account that a client token's claims name, where they can be read."""
    claims = claims_of(token)
    client = loose(claims.part, "client") if claims else None
    steam_id = loose(client.id, "steamID") if client else None
    try:
        return SteamId.parse(steam_id) if steam_id else None
    except ValueError:
        return None


def _key(trade_url: TradeUrl) -> str:
    """Return what tells trade URLs apart without holding the token."""
    return f"{trade_url.steam_id}:{trade_url.token.digest()}"
