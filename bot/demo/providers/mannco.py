"""Simulated Mannco.store: login, trades and the resend (seed 004)."""

from __future__ import annotations

import re
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.demo.chance import Chance
from bot.demo.providers import faults, tokens
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.trades import HIDDEN_STATUS, PENDING_STATUS, ResendAnswer, WorldTrade
from bot.demo.world import World
from bot.domain.steam import SteamId
from bot.domain.trades import RESENDABLE_STATUSES, WINDOW

TOKEN_LIFETIME = timedelta(days=31)
"""How long a login lasts (providers.md, 4.2)."""

_MERCHANT = SteamId.from_account_id(4294966900)
_RESEND = "/trade/resend"
_RESEND_PARAMETERS = ("resend", "id")
_OTHER_TRADE = 999_999
_BUSINESS_ERROR = 300
"""The status of an ordinary refusal, with a JSON body; it is no redirect."""
_BAD_TOKEN = "Invalid or expired token"  # noqa: S105 -- what the refusal says
_NOT_MET = "Failed to resend trade. Trade not found or conditions not met."


class SimulatedMannco(SimulatedServer):
    """mannco.store, with the trades of the world.

    The key is ``key_owner``'s: it lists and resends that account's trades, or everyone's ``as_admin``, who may also ask
    for one account's on a path of its own (seed 004). ``resend_parameter`` is the name that selects the trade:
    ``resend`` in the seed, ``id`` in newer documentation. ``next_resends`` are the answers of the next calls, ahead of
    the world's ``resend_answers``. ``odd_rows`` are fields that replace a trade's, by its id. ``resend_calls`` counts
    every call that arrived, by trade id, under either name.
    """

    def __init__(self, world: World, *, as_admin: bool = False, resend_parameter: str = "resend") -> None:
        super().__init__(world)
        self.key_owner = _MERCHANT
        self.as_admin = as_admin
        self.odd_rows: dict[int, dict[str, Any]] = {}
        self.resend_parameter = resend_parameter
        self.next_resends: deque[ResendAnswer] = deque()
        self.resend_calls: Counter[int] = Counter()
        self._chance = Chance(world.seed, "resends")
        self._logins: set[str] = set()

    def issue_token(self) -> str:
        """Return a JWT as a login does."""
        now = int(self.world.now().timestamp())
        token_id = uuid.uuid4().hex
        self._logins.add(token_id)
        claims = {
            "iss": "API",
            "sub": str(self.key_owner),
            "iat": now,
            "exp": now + int(TOKEN_LIFETIME.total_seconds()),
            "jti": token_id,
            "ip": "127.0.0.1",
            "API": True,
            "country": "XX",
            "steamid": str(self.key_owner),
        }
        return tokens.signed(claims, secret=self.world.credentials.mannco_jwt_secret)

    def end_logins(self) -> None:
        """Make every issued token invalid."""
        self._logins.clear()

    def carry_out(self, trade: WorldTrade) -> None:
        """Make a new offer of the same items, with a new code, waiting for the user."""
        trade.status = PENDING_STATUS
        trade.code = self._chance.capitals(8)
        trade.offer_id = self._chance.digits(10)
        trade.last_error = ""
        trade.at = self.world.now()

    def _log(self, request: web.Request) -> None:
        super()._log(request)
        if request.path == _RESEND:
            named = {value for name, value in request.query.items() if name in _RESEND_PARAMETERS and _is_id(value)}
            self.resend_calls.update(map(int, named))

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/user/login", self._login),
            web.get("/trades/active", self._active, allow_head=False),
            web.get("/trades/all", self._all, allow_head=False),
            web.get("/trades/active/{user}", self._active, allow_head=False),
            web.get("/trades/all/{user}", self._all, allow_head=False),
            web.get(_RESEND, self._resend, allow_head=False),
        )

    async def _login(self, request: web.Request) -> web.StreamResponse:
        body: Any = None
        if request.content_type != "application/json":
            body = dict(await request.post())
        else:
            with suppress(ValueError):
                body = await request.json()
        key = body.get("apiKey") if isinstance(body, dict) else None
        if not key:
            raise _refused("Missing required parameter: apiKey")
        if key != self.world.credentials.mannco_api_key:
            raise _refused("Invalid API key", HTTPStatus.FORBIDDEN)
        return _success({"jwt": self.issue_token()})

    async def _active(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request)
        _check_parameters(request)
        pending = [trade for trade in self._newest(request) if trade.status == PENDING_STATUS]
        return _success({"trades": [self._row(trade) for trade in pending]})

    async def _all(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request)
        _check_parameters(request)
        newest = self._newest(request)[:WINDOW]
        return _success({"trades": [self._row(trade, game=int(trade.game)) for trade in newest]})

    async def _resend(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request)
        named = request.query.get(self.resend_parameter)
        if not named:
            raise _refused(f"Missing {self.resend_parameter} parameter")
        _check_parameters(request, self.resend_parameter)
        trade = self.world.trade(int(named)) if _is_id(named) else None
        answer = self.world.resend_answers.get(trade.id, ResendAnswer.OK) if trade is not None else ResendAnswer.OK
        if self.next_resends:
            answer = self.next_resends.popleft()
        return await self._answer_resend(request, trade, answer)

    async def _answer_resend(
        self, request: web.Request, trade: WorldTrade | None, answer: ResendAnswer
    ) -> web.StreamResponse:
        async def act(_: web.Request) -> web.StreamResponse:
            if trade is None or not self._sees(trade):
                raise self._not_met()
            if str(trade.status) not in RESENDABLE_STATUSES or not trade.items_send:
                raise self._not_met()
            self.carry_out(trade)
            return _resent(trade.id, trade.code)

        match answer:
            case ResendAnswer.REFUSE:
                raise self._not_met()
            case ResendAnswer.FORBIDDEN:
                raise _refused(_BAD_TOKEN, HTTPStatus.FORBIDDEN)
            case ResendAnswer.THROTTLED:
                return self._throttled()
        fault = _RESEND_FAULTS.get(answer)
        return await (fault(request, act) if fault is not None else act(request))

    def _row(self, trade: WorldTrade, **more: Any) -> dict[str, Any]:
        return _row(trade) | more | self.odd_rows.get(trade.id, {})

    def _sees(self, trade: WorldTrade) -> bool:
        return self.as_admin or trade.user == self.key_owner

    def _newest(self, request: web.Request) -> list[WorldTrade]:
        """Return the trades that the key may see and that are not hidden, the newest first."""
        user = request.match_info.get("user")
        if user is not None and not self.as_admin:
            raise _refused("Permission denied", HTTPStatus.FORBIDDEN)
        shown = [
            trade
            for trade in self.world.trades
            if trade.status != HIDDEN_STATUS and self._sees(trade) and user in (None, str(trade.user))
        ]
        return sorted(shown, key=lambda trade: (trade.at, trade.id), reverse=True)

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = tokens.claims_of(token, secret=self.world.credentials.mannco_jwt_secret)
        if (
            scheme != "Bearer"
            or claims is None
            or claims["jti"] not in self._logins
            or claims["exp"] <= self.world.now().timestamp()
        ):
            raise _refused(_BAD_TOKEN, HTTPStatus.FORBIDDEN)

    def _not_met(self) -> Refused:
        # Newer documentation, the one that says ``id``, wraps this text in an object (providers.md, 4.4).
        return _refused(_NOT_MET if self.resend_parameter == "resend" else {"message": _NOT_MET})

    def _not_found(self) -> web.Response:
        return _refused("Not found", HTTPStatus.NOT_FOUND).response

    def _throttled(self) -> web.StreamResponse:
        response = _refused("Too many requests, retry in 7 seconds", HTTPStatus.TOO_MANY_REQUESTS).response
        reset = int(self.world.now().timestamp()) + 7
        response.headers.update(
            {
                "X-RateLimit-Limit": "600",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(reset),
                "Retry-After": "7",
            }
        )
        return response


def _row(trade: WorldTrade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "items_received": ",".join(trade.items_received),
        "status": trade.status,
        "items_send": ",".join(trade.items_send),
        "user": str(trade.user),
        "bot": str(trade.bot),
        "code": trade.code,
        "lasterror": trade.last_error,
        "offerid": trade.offer_id,
        "timestamp": str(int(trade.at.timestamp() * 1000)),
    }


def _check_parameters(request: web.Request, *known: str) -> None:
    """Refuse undocumented and repeated parameters."""
    unknown = [name for name in request.query if name not in known]
    if unknown or len(request.query) > len(known):
        raise _refused(f"Unsupported parameter: {', '.join(unknown or known)}")


def _is_id(text: str) -> bool:
    return re.fullmatch(r"\d{1,18}", text, re.ASCII) is not None


def _success(content: dict[str, Any]) -> web.Response:
    return web.json_response({"err": False, "success": True, "content": content})


def _resent(trade_id: int, code: str) -> web.Response:
    return _success({"message": "Trade resent successfully", "trade_id": trade_id, "code": code})


def _refused(content: str | dict[str, str], status: int = _BUSINESS_ERROR) -> Refused:
    return Refused(web.json_response({"err": True, "success": False, "content": content}, status=status))


async def _server_error_after(request: web.Request, act: faults.Act) -> web.StreamResponse:
    await act(request)
    raise _refused("Internal server error", HTTPStatus.INTERNAL_SERVER_ERROR)


async def _answer_of_another(request: web.Request, act: faults.Act) -> web.StreamResponse:
    await act(request)
    return _resent(_OTHER_TRADE, "SWAPPEDX")


_RESEND_FAULTS: dict[ResendAnswer, faults.Fault] = {
    ResendAnswer.HTML: faults.html(),
    ResendAnswer.LOST_BEFORE: faults.lost_before,
    ResendAnswer.LOST_AFTER: faults.lost_after,
    ResendAnswer.HANG: faults.hang,
    ResendAnswer.HANG_AFTER: faults.hang_after,
    ResendAnswer.SERVER_ERROR_AFTER: _server_error_after,
    ResendAnswer.OTHER_TRADE: _answer_of_another,
}
