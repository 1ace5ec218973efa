"""Mannco.store: GET /trades/active, /trades/all and /trade/resend (seed 004), behind POST /user/login."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from cachetools import LRUCache

from bot.domain.access import SKINDESK, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.failures import NOT_DONE, FailureKind, ProviderName
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId
from bot.domain.trades import Scope, TradeList
from bot.providers.credentials import Token, TokenCache, claims_of, issued_token
from bot.providers.evidence import about
from bot.providers.mannco_answers import check_envelope, read_receipt, read_tolerant, read_whole
from bot.providers.reading import Fields, Unreadable, read
from bot.providers.response import Response
from bot.providers.rows import account_from
from bot.providers.transport import Transport

T = TypeVar("T")

_PATHS = {Scope.ACTIVE: "/trades/active", Scope.ALL: "/trades/all"}
_OWNERS_KEPT = 10_000


class FixedJwt:
    """One JWT for every call."""

    def __init__(self, jwt: Secret) -> None:
        self._jwt = jwt

    async def jwt(self) -> Secret:
        """Return the JWT."""
        return self._jwt

    async def renewed(self, refused: Secret) -> Secret | None:  # noqa: ARG002 -- there is only one
        """Return None: there is no other one."""
        return None


class ApiKeyLogin:
    """A JWT for the merchant's API key, kept until shortly before its expiry (providers.md, 4.2)."""

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cache = TokenCache(transport.clock)

    async def jwt(self) -> Secret:
        """Return the JWT, logging in if there is none: for all callers, so no caller's limits count for it."""
        with on_behalf_of(SKINDESK), about(None):
            return await self._cache.get("", self._log_in)

    async def renewed(self, refused: Secret) -> Secret | None:
        """Return another JWT than the refused one, logging in at most once a minute; None if that was done."""
        with on_behalf_of(SKINDESK), about(None):
            return await self._cache.renewed("", refused, self._log_in)

    async def _log_in(self) -> Token:
        response = await self._transport.request("POST", "/user/login", json={"apiKey": self._api_key.reveal()})

        def read_jwt(fields: Fields) -> Secret:
            check_envelope(fields, response.status)
            # Older documents have it in data (providers.md, 4.2).
            for name in ("content", "data"):
                values = fields.values.get(name)
                if isinstance(values, dict) and values.get("jwt") is not None:
                    return issued_token(fields.need(name), "jwt")
            raise Unreadable("content.jwt")

        jwt = await _read(response, read_jwt, secrets=(self._api_key,))
        return Token.issued(jwt, at=response.received_at, capped=False)


MerchantLogin = FixedJwt | ApiKeyLogin


class Mannco:
    """The trades that the key sees. ``resend_parameter`` is the query parameter that names the trade to resend.

    ``per_account`` is for an administrator's key: one account's trades are asked for on a path of its own, and the
    owners of the listed trades are remembered, since the other path may not list them.
    """

    name = ProviderName.MANNCO

    def __init__(
        self,
        transport: Transport,
        login: MerchantLogin,
        *,
        resend_parameter: str = "resend",
        per_account: bool = False,
    ) -> None:
        self.per_account = per_account
        self._transport = transport
        self._login = login
        self._resend_parameter = resend_parameter
        self._owners: LRUCache[int, SteamId] = LRUCache(_OWNERS_KEPT)

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        """Return the trades, newest first, after a new login if the old one is refused; ProviderError otherwise."""
        asked = account if self.per_account else None
        jwt = await self._login.jwt()
        response = await self._get(_PATHS[scope], jwt, account=asked)
        if response.status == HTTPStatus.FORBIDDEN and (renewed := await self._login.renewed(jwt)) is not None:
            jwt = renewed
            response = await self._get(_PATHS[scope], jwt, account=asked)
        whole = partial(read_whole, note=response.note) if response.status == HTTPStatus.OK else None
        tolerant = partial(read_tolerant, status=response.status)
        trades, unread = await _read(response, tolerant, whole=whole, secrets=(jwt,))
        if self.per_account:
            self._owners.update((int(trade.id), trade.owner) for trade in trades if trade.owner is not None)
        return TradeList(trades, key_owner(jwt), asked, unread, self.per_account)

    def owner_of(self, trade_id: int) -> SteamId | None:
        """Return the owner of a trade that was listed since the start."""
        return self._owners.get(trade_id)

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        """Ask, exactly once, to send the trade's offer again, if ``before_send`` does not raise in the last moment.

        ProviderError otherwise: REFUSED, THROTTLED and UNREACHABLE mean that nothing was done; every other kind
        leaves the outcome unknown. A login that fails comes before the call, so nothing was done then either.
        """
        try:
            jwt = await self._login.jwt()
        except ProviderError as error:
            failure = error.failure
            if failure.kind not in NOT_DONE:
                failure = replace(failure, kind=FailureKind.UNREACHABLE, place="login")
            raise ProviderError(failure) from None
        # On a new connection: if the provider closed an old one at this moment, the outcome would be unknown.
        query = ((self._resend_parameter, str(trade_id)),)
        response = await self._get("/trade/resend", jwt, query=query, fresh=True, before_send=before_send)
        return await _read(response, partial(read_receipt, status=response.status), secrets=(jwt,))

    async def _get(
        self,
        path: str,
        jwt: Secret,
        *,
        account: SteamId | None = None,
        query: tuple[tuple[str, str], ...] = (),
        fresh: bool = False,
        before_send: BeforeSend | None = None,
    ) -> Response:
        return await self._transport.request(
            "GET",
            path,
            names=() if account is None else (str(account),),
            query=query,
            headers={"Authorization": f"Bearer {jwt.reveal()}"},
            fresh=fresh,
            before_send=before_send,
        )


def key_owner(jwt: Secret) -> SteamId | None:
    """Return the account that a JWT is for, by its claims (providers.md, 4.2); None if they cannot be read."""
    claims = claims_of(jwt)
    if claims is None:
        return None
    return account_from(claims.values.get("steamid")) or account_from(claims.values.get("sub"))


async def _read(
    response: Response,
    reader: Callable[[Fields], T],
    *,
    whole: Callable[[bytes], T] | None = None,
    secrets: tuple[Secret, ...],
) -> T:
    """Read a response; a 403 is a refusal with any body (providers.md, 4.3)."""
    try:
        return await read(response, reader, whole=whole, secrets=secrets)
    except ProviderError as error:
        if response.status != HTTPStatus.FORBIDDEN or error.failure.kind is not FailureKind.BLOCKED:
            raise
    raise response.failure(FailureKind.REFUSED)
