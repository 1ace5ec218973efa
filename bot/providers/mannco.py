"""Mannco.store: GET /trades/active, /trades/all and /trade/resend (seed 004), behind POST /user/login."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.domain.errors import ProviderError
from bot.domain.failures import NOT_DONE, FailureKind, ProviderName
from bot.domain.trades import Scope
from bot.providers.credentials import Held, TokenCache, issued_token
from bot.providers.mannco_wire import read_receipt, read_trades, refuse_errors
from bot.providers.reading import Unreadable, loose, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.resends import Receipt
    from bot.domain.secrets import Secret
    from bot.domain.trades import Trade
    from bot.providers.answer import Answer
    from bot.providers.reading import Fields
    from bot.providers.transport import Transport

T = TypeVar("T")

_PATHS = {Scope.ACTIVE: "/trades/active", Scope.ALL: "/trades/all"}


class MerchantLogin(Protocol):
    """Where the merchant's JWT comes from."""

    async def jwt(self) -> Secret:
        """Return the JWT to ask with; ProviderError where there is none."""
        ...

    def renew(self, jwt: Secret) -> bool:
        """Forget a JWT that was refused; False where there is no other."""
        ...


class FixedJwt:
    """One JWT for everything."""

    def __init__(self, jwt: Secret) -> None:
        self._jwt = jwt

    async def jwt(self) -> Secret:
        """Return it."""
        return self._jwt

    def renew(self, jwt: Secret) -> bool:  # noqa: ARG002 -- there is only the one
        """Say that there is no other."""
        return False


class ApiKeyLogin:
    """A JWT for the merchant's API key, kept until shortly before its end (providers.md, 4.2)."""

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key
        self._cache = TokenCache(transport.clock)

    async def jwt(self) -> Secret:
        """Return the JWT, logging in where there is none that lasts."""
        return await self._cache.get("", self._log_in)

    def renew(self, jwt: Secret) -> bool:
        """Forget the JWT, so that the next call logs in again."""
        self._cache.drop("", jwt)
        return True

    async def _log_in(self) -> Held:
        answer = await self._transport.request("POST", "/user/login", json={"apiKey": self._api_key.reveal()})

        def read_jwt(fields: Fields) -> Secret:
            refuse_errors(fields, answer.status)
            # Older documents have it in data (providers.md, 4.2).
            for name in ("content", "data"):
                part = loose(fields.part, name)
                if part is not None and part.raw("jwt") is not None:
                    return issued_token(part, "jwt")
            raise Unreadable("content.jwt")

        jwt = await _read(answer, read_jwt, secrets=(self._api_key,))
        return Held.issued(jwt, at=answer.received_at, capped=False)


class Mannco:
    """The merchant's trades. ``resend_parameter`` names the parameter that selects a trade to be sent again."""

    def __init__(self, transport: Transport, login: MerchantLogin, *, resend_parameter: str = "resend") -> None:
        self._transport = transport
        self._login = login
        self._resend_parameter = resend_parameter

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        return ProviderName.MANNCO

    async def trades(self, scope: Scope) -> tuple[Trade, ...]:
        """Return the trades, newest first, with a new login where the old one is refused; ProviderError otherwise."""
        async with self._transport.deadline():
            jwt = await self._login.jwt()
            answer = await self._get(_PATHS[scope], jwt)
            if answer.status == HTTPStatus.FORBIDDEN and self._login.renew(jwt):
                jwt = await self._login.jwt()
                answer = await self._get(_PATHS[scope], jwt)
            return await _read(answer, lambda fields: read_trades(fields, answer.status, self.name), secrets=(jwt,))

    async def resend(self, trade_id: int) -> Receipt:
        """Ask, exactly once, to send the trade's offer again.

        ProviderError otherwise: REFUSED, THROTTLED and UNREACHABLE mean that nothing was done, every other kind
        that it may have been. A login that fails comes before the call, so nothing was done then either.
        """
        jwt = await self._jwt_before_resend()
        # A connection of its own: one that the provider is about to close would leave the outcome in doubt.
        answer = await self._get("/trade/resend", jwt, query=((self._resend_parameter, str(trade_id)),), fresh=True)
        if answer.status == HTTPStatus.FORBIDDEN:
            self._login.renew(jwt)
        return await _read(answer, lambda fields: read_receipt(fields, answer.status), secrets=(jwt,))

    async def _jwt_before_resend(self) -> Secret:
        try:
            return await self._login.jwt()
        except ProviderError as error:
            failure = error.failure
        if failure.kind not in NOT_DONE:
            failure = replace(failure, kind=FailureKind.UNREACHABLE, place="login")
        raise ProviderError(failure)

    async def _get(
        self, path: str, jwt: Secret, *, query: tuple[tuple[str, str], ...] = (), fresh: bool = False
    ) -> Answer:
        return await self._transport.request(
            "GET", path, query=query, headers={"Authorization": f"Bearer {jwt.reveal()}"}, fresh=fresh
        )


async def _read(answer: Answer, reader: Callable[[Fields], T], *, secrets: tuple[Secret, ...]) -> T:
    """Read an answer; a 403 is a refusal whatever stands in it (providers.md, 4.3)."""
    try:
        return await read(answer, reader, secrets=secrets)
    except ProviderError as error:
        if answer.status != HTTPStatus.FORBIDDEN or error.failure.kind is not FailureKind.NONSENSE:
            raise
    raise answer.failure(FailureKind.REFUSED)
