"""Mannco.store: GET /trades/active, /trades/all and /trade/resend (seed 004), behind POST /user/login."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from cachetools import LRUCache
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bot.domain.access import SKINDESK, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.failures import NOT_DONE, FailureKind, ProviderName
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.secrets import Secret, TradeCode, mask_trade_urls
from bot.domain.steam import Game, SteamId
from bot.domain.trades import (
    COMPLETED_STATUS,
    PENDING_STATUS,
    RESENDABLE_STATUSES,
    WINDOW,
    Direction,
    Scope,
    Trade,
    TradeItem,
    TradeList,
    TradeState,
    UnreadRow,
)
from bot.providers.credentials import Token, TokenCache, claims_of, issued_token
from bot.providers.evidence import about
from bot.providers.reading import Fields, Refused, Unreadable, parse_json, plain_number, read
from bot.providers.response import Response
from bot.providers.rows import Integer, Text, listed, moment_from, read_row
from bot.providers.transport import Transport

T = TypeVar("T")

_PATHS = {Scope.ACTIVE: "/trades/active", Scope.ALL: "/trades/all"}
_HIDDEN = -11
"""The status of a trade that its user does not see."""
_STATES = {
    PENDING_STATUS: TradeState.OFFERED,
    COMPLETED_STATUS: TradeState.COMPLETED,
    "-11": TradeState.CANCELLED,  # hidden: it does not change any more
    "-12": TradeState.REVERTED,
}
_NO_TIME = (None, "", 0, "0")
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
            _check_envelope(fields, response.status)
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
        trades, unread = await _read(response, lambda fields: _read_trades(fields, response.status), secrets=(jwt,))
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
        return await _read(response, lambda fields: _read_receipt(fields, response.status), secrets=(jwt,))

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
    return None if claims is None else _steam_id(claims.values.get("steamid")) or _steam_id(claims.values.get("sub"))


async def _read(response: Response, reader: Callable[[Fields], T], *, secrets: tuple[Secret, ...]) -> T:
    """Read a response; a 403 is a refusal with any body (providers.md, 4.3)."""
    try:
        return await read(response, reader, secrets=secrets)
    except ProviderError as error:
        if response.status != HTTPStatus.FORBIDDEN or error.failure.kind is not FailureKind.BLOCKED:
            raise
    raise response.failure(FailureKind.REFUSED)


def _check_envelope(answer: Fields, status: int) -> None:
    """Raise Refused for an error with any HTTP status, Unreadable for an error that claims success.

    A server error (5xx) is BROKEN even with an envelope: the provider may have acted before it.
    """
    if not answer.truth("err"):
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unreadable("status")
        return
    if answer.truth("success", optional=True):
        raise Unreadable("err")
    content = answer.values.get("content")
    if isinstance(content, dict):
        content = content.get("message")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = FailureKind.BROKEN
    else:
        kind = FailureKind.THROTTLED if status == HTTPStatus.TOO_MANY_REQUESTS else FailureKind.REFUSED
    raise Refused(kind, message=content)


def _check_success(answer: Fields, status: int) -> None:
    """Raise Refused for an error, Unreadable for neither error nor success."""
    _check_envelope(answer, status)
    if not answer.truth("success"):
        raise Unreadable("success")
    answer.says_success = True


def _read_receipt(answer: Fields, status: int) -> Receipt:
    """Return the trade that the answer names, whichever it is."""
    _check_success(answer, status)
    content = answer.need("content")
    trade_id = content.integer("trade_id")
    if trade_id is None:
        raise Unreadable(content.at("trade_id"))
    code = content.optional_id("code")
    return Receipt(trade_id, TradeCode(code) if code else None)


class _Row(TypedDict, total=False):
    """A trade of seed 004, with numbers as texts and texts as numbers too."""

    id: Integer | None
    status: Integer | None
    user: Text | None
    items_send: Any
    items_received: Any
    bot: Text | None
    offerid: Text | None
    code: Text | None
    lasterror: Text | None
    timestamp: Any
    game: Integer | None


_ROW = TypeAdapter(_Row)
_MOST_ASSETS = 5_000
"""More than any trade offer has."""
_LONGEST_ASSETS = 40 * _MOST_ASSETS
_MOST_TRADES = 4 * WINDOW
"""Rows that are read. Pages and suggestions go through all of them on the event loop."""


def _read_trades(answer: Fields, status: int) -> tuple[tuple[Trade, ...], tuple[UnreadRow, ...]]:
    """Return the trades that are not hidden, newest first, and the rows that cannot be read."""
    _check_success(answer, status)
    content, place = answer.values.get("content"), "content"
    if isinstance(content, dict) and "trades" in content:
        content, place = content["trades"], "content.trades"
    elif not isinstance(content, list):
        raise Unreadable("content.trades")
    trades: list[Trade] = []
    unread: list[UnreadRow] = []
    for index, value in enumerate(listed(content, place)[:_MOST_TRADES]):
        at = f"{place}[{index}]"
        row = read_row(_ROW, value, at, answer.note)
        if row is not None and row.get("status") == _HIDDEN:
            continue
        try:
            trades.append(_read_trade(row, at, answer.note))
        except Unreadable as unreadable:
            answer.note(unreadable.place)
            unread.append(UnreadRow(unreadable.place, None if row is None else _steam_id(row.get("user"))))
    trades.sort(
        key=lambda trade: (trade.created_at.timestamp() if trade.created_at else 0.0, int(trade.id)), reverse=True
    )
    return tuple(trades), tuple(unread)


def _read_trade(row: _Row | None, place: str, note: Callable[[str], None]) -> Trade:
    """Return a trade; Unreadable if its number, its status, its owner or what it sends cannot be read."""
    if row is None:
        raise Unreadable(place)
    trade_id, status, owner = row.get("id"), row.get("status"), _steam_id(row.get("user"))
    if trade_id is None:
        raise Unreadable(f"{place}.id")
    if status is None:
        raise Unreadable(f"{place}.status")
    if owner is None:
        raise Unreadable(f"{place}.user")
    sent, received = _asset_ids(row.get("items_send")), _asset_ids(row.get("items_received"))
    if sent is None:
        raise Unreadable(f"{place}.items_send")
    if received is None:
        note(f"{place}.items_received")
    timestamp = row.get("timestamp")
    created_at = moment_from(timestamp)
    if created_at is None and timestamp not in _NO_TIME:
        note(f"{place}.timestamp")
    code = row.get("code")
    return Trade(
        provider=ProviderName.MANNCO,
        id=str(trade_id),
        owner=owner,
        # Items to send make a withdrawal, items to receive a deposit (seed 004).
        direction=Direction.WITHDRAWAL if sent else Direction.DEPOSIT if received else Direction.NOTHING,
        state=state_of(str(status)),
        status=str(status),
        to_customer=tuple(TradeItem(asset_id=asset_id) for asset_id in sent),
        from_customer=tuple(TradeItem(asset_id=asset_id) for asset_id in received or ()),
        bot=_steam_id(row.get("bot")),
        offer_id=row.get("offerid") or "",
        created_at=created_at,
        code=TradeCode(code) if code else None,
        last_error=mask_trade_urls(row.get("lasterror") or ""),
        game=Game.from_app_id(row.get("game")),
    )


def state_of(status: str) -> TradeState:
    """Return the meaning of a status: the seed documents 0, 3, -1, -12 and those that can be resent."""
    if status in RESENDABLE_STATUSES:
        return TradeState.FAILED
    return _STATES.get(status, TradeState.UNKNOWN)


def _asset_ids(value: object) -> tuple[str, ...] | None:
    """Read asset ids: texts with commas between them, a list, also as text, or PHP's; None for anything else."""
    if isinstance(value, str) and len(value) > _LONGEST_ASSETS:
        return None
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = parse_json(value.encode())
        except (Unreadable, UnicodeEncodeError):
            return None
    if value is None or value is False or value == "0":
        return ()
    if isinstance(value, str):
        parts: list[object] = [*value.split(",")]
    elif plain_number(value) is not None:
        parts = [value]
    else:
        try:
            parts = listed(value, "")
        except Unreadable:
            return None
    if len(parts) > _MOST_ASSETS:
        return None
    texts = ["" if part is None else part if isinstance(part, str) else _whole_number(part) for part in parts]
    return None if None in texts else tuple(text.strip() for text in texts if text and not text.isspace())


def _whole_number(value: object) -> str | None:
    number = plain_number(value)
    return str(int(number)) if number is not None and number == int(number) else None


def _steam_id(value: object) -> SteamId | None:
    try:
        return SteamId.parse(str(value))
    except ValueError:
        return None
