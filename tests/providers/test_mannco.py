"""Mannco.store's login, its refusals and its resend (seed 004)."""

import asyncio
import json
from datetime import timedelta

import pytest

from bot.domain.failures import FailureKind
from bot.domain.secrets import TradeCode
from bot.domain.steam import SteamId
from bot.domain.trades import Scope
from tests.providers.jwts import jwt
from tests.providers.mannco_answers import entry, logging_in, said, trades
from tests.support.loopback import after, as_json, content, drop, hang, in_turn, runs_out

REFUSED, OTHER = SteamId.from_account_id(1), SteamId.from_account_id(2)


def only(*accepted):
    """Accept these JWTs, and answer 403 to any other."""
    allowed = {f"Bearer {token}" for token in accepted}

    def answer(request):
        if request.header("authorization") in allowed:
            return trades(entry())
        return said(status=403, err=True, success=False, content="Invalid JWT")

    return answer


REFUSALS = [
    (300, {"content": "No"}, FailureKind.REFUSED, "No"),
    (200, {"content": {"message": "No"}}, FailureKind.REFUSED, "No"),
    (400, {"content": None}, FailureKind.REFUSED, None),
    (403, {"content": "Country blocked"}, FailureKind.REFUSED, "Country blocked"),
    (429, {"content": "Wait 7 seconds"}, FailureKind.THROTTLED, "Wait 7 seconds"),
    (500, {"content": "Oops"}, FailureKind.BROKEN, "Oops"),
]


class TestErrors:
    """Refusals; HTTP 300 is an ordinary one."""

    @pytest.mark.parametrize(("status", "fields", "kind", "message"), REFUSALS)
    async def test_envelope(self, provider, server, failure_of, status, fields, kind, message):
        """An envelope refuses with a text or an object and any HTTP status; a 5xx is BROKEN even so."""
        server.script = in_turn(said(status=status, err=1, success=False, **fields))

        failures = [await failure_of(call) for call in (provider().trades(Scope.ALL), provider().resend(1))]

        for failure in failures:
            assert (failure.kind, failure.message, failure.http_status) == (kind, message, status)
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (content(b"<html>", 200), FailureKind.NONSENSE),
            (content(b"<html>", 300), FailureKind.NONSENSE),
            (content(b"<html>", 403), FailureKind.REFUSED),
            (content(b"<html>", 429), FailureKind.THROTTLED),
            (content(b"<html>", 502), FailureKind.BROKEN),
            (said(status=300, content={"trade_id": 1, "code": "C", "trades": []}), FailureKind.NONSENSE),
            (said(status=403, content={"trade_id": 1, "code": "C", "trades": []}), FailureKind.REFUSED),
            (said(status=500, content={"trade_id": 1, "code": "C", "trades": []}), FailureKind.BROKEN),
        ],
    )
    async def test_no_envelope(self, provider, server, failure_of, reply, kind):
        """Without an envelope, or if it contradicts the HTTP status, the status decides, and 403 is a refusal."""
        server.script = in_turn(reply)

        for call in (provider().trades(Scope.ALL), provider().resend(1)):
            assert (await failure_of(call)).kind is kind

    async def test_secrets_in_message(self, provider, server, failure_of):
        """A JWT in the provider's message is masked."""
        server.script = in_turn(said(status=300, err=True, success=False, content="bad JWT-CANARY"))

        failure = await failure_of(provider("JWT-CANARY").trades(Scope.ALL))

        assert failure.message == "bad ••••"


class TestLogin:
    """A JWT for the API key."""

    async def test_request(self, provider, server):
        """The login sends the key as JSON, and the JWT is then the bearer."""
        server.script = logging_in(only("jwt1"))

        await provider(None).trades(Scope.ALL)

        login, ask = server.requests
        assert (login.method, login.target) == ("POST", "/user/login")
        assert (json.loads(login.body), login.header("authorization")) == ({"apiKey": "mk_CANARY"}, None)
        assert ask.header("authorization") == "Bearer jwt1"

    @pytest.mark.parametrize(
        "document",
        [
            {"err": False, "success": True, "content": {"jwt": "jwt1"}},
            {"status": "success", "data": {"jwt": "jwt1"}},
            {"err": False, "success": True, "content": {}, "data": {"jwt": "jwt1"}},
        ],
    )
    async def test_places(self, provider, server, document):
        """The JWT is in content, or else in data."""
        server.script = lambda request: as_json(document) if request.method == "POST" else only("jwt1")(request)

        assert len((await provider(None).trades(Scope.ALL)).trades) == 1

    @pytest.mark.parametrize(
        ("reply", "kind", "place"),
        [
            (said(content={}), FailureKind.NONSENSE, "content.jwt"),
            (said(content={"jwt": "a\nb"}), FailureKind.NONSENSE, "content.jwt"),
            (said(status=300, content={"jwt": "x"}), FailureKind.NONSENSE, "status"),
            (said(status=403, err=True, success=False, content="Invalid API key mk_CANARY"), FailureKind.REFUSED, None),
        ],
    )
    async def test_failure(self, provider, server, failure_of, reply, kind, place):
        """A login's failure is the read's failure, and no other request is sent."""
        server.script = in_turn(reply)

        failure = await failure_of(provider(None).trades(Scope.ALL))

        assert (failure.kind, failure.place) == (kind, place)
        assert "CANARY" not in str(failure)
        assert len(server.requests) == 1

    async def test_kept(self, provider, server, clock):
        """The JWT is kept until five minutes before its expiry, whatever happens to the machine's clock."""
        expiring = jwt({"exp": int((clock.now() + timedelta(days=31)).timestamp())}).reveal()
        server.script = logging_in(lambda _: trades(), jwts=[expiring, "second"])
        mannco = provider(None)
        await mannco.trades(Scope.ALL)
        for days, logins in ((30, 1), (1 - 5 / 1440, 2)):
            clock.advance(days=days)
            clock.step(hours=-1)
            await mannco.trades(Scope.ALL)
            assert [request.path for request in server.requests].count("/user/login") == logins

    async def test_renewed(self, provider, server):
        """A read that is answered 403 logs in again, once, and goes on."""
        server.script = logging_in(only("jwt2"))

        assert len((await provider(None).trades(Scope.ALL)).trades) == 1
        assert [request.path for request in server.requests] == ["/user/login", "/trades/all"] * 2

    @pytest.mark.parametrize(("token", "requests"), [(None, 4), ("JWT", 1)])
    async def test_refused(self, provider, server, failure_of, token, requests):
        """A second 403 is the answer; a fixed JWT has no second try."""
        server.script = logging_in(only())

        failure = await failure_of(provider(token).trades(Scope.ALL))

        assert (failure.kind, failure.http_status) == (FailureKind.REFUSED, 403)
        assert len(server.requests) == requests

    async def test_one_accounts_refusal(self, provider, server, failure_of, clock):
        """An account that is always answered 403 costs one login a minute, and nobody else's JWT."""

        def script(request):
            if request.path == "/user/login":
                logins = [each.path for each in server.requests].count("/user/login")
                return said(content={"jwt": "jwt1"}) if logins == 1 else said(status=429, err=True, content="Wait")
            return trades() if request.path.endswith(str(OTHER)) else said(status=403, err=True, content="No")

        server.script = script
        mannco = provider(None, per_account=True)
        for logins in (2, 3):
            for _ in range(20):
                await failure_of(mannco.trades(Scope.ALL, REFUSED))
                await mannco.trades(Scope.ALL, OTHER)
            assert [request.path for request in server.requests].count("/user/login") == logins
            clock.advance(minutes=1)

    async def test_together(self, provider, server):
        """Concurrent reads share one login, and one new login if their JWT is refused."""
        answer = only("jwt2")
        script = logging_in(lambda request: after(0.02, answer(request)))
        server.script = script
        mannco = provider(None)

        results = await asyncio.gather(*(mannco.trades(Scope.ALL) for _ in range(8)))

        assert [len(found.trades) for found in results] == [1] * 8
        assert [request.path for request in server.requests].count("/user/login") == 2


class TestResend:
    """Asking, exactly once."""

    @pytest.mark.parametrize("parameter", ["resend", "id"])
    async def test_request(self, provider, server, seed, parameter):
        """The seed's request; the parameter's name is a setting."""
        server.script = in_turn(as_json(seed("004_resend")))

        receipt = await provider(resend_parameter=parameter).resend(123456)

        (request,) = server.requests
        assert (request.method, request.target) == ("GET", f"/trade/resend?{parameter}=123456")
        assert request.header("authorization") == "Bearer JWT"
        assert (receipt.trade_id, receipt.code) == (123456, TradeCode("ABCDEFGH"))
        assert "ABCDEFGH" not in repr(receipt)

    async def test_other_trade(self, provider, server):
        """The receipt is about the trade that the answer names."""
        server.script = in_turn(said(content={"trade_id": "999", "code": ""}))

        receipt = await provider().resend(123)

        assert (receipt.trade_id, receipt.code) == (999, None)

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (drop, FailureKind.LOST),
            (runs_out(hang), FailureKind.TIMED_OUT),
            (content(b"<html>OK</html>"), FailureKind.NONSENSE),
            (said(content={}), FailureKind.NONSENSE),
            (said(content={"trade_id": True}), FailureKind.NONSENSE),
            (said(success=False, content={"trade_id": 1}), FailureKind.NONSENSE),
            (content(b"", 500), FailureKind.BROKEN),
            (said(status=500, err=True, success=False, content="Server error"), FailureKind.BROKEN),
        ],
        ids=lambda value: value.value if isinstance(value, FailureKind) else "",
    )
    async def test_doubtful(self, provider, server, failure_of, reply, kind):
        """Without a clear answer the failure never means that nothing was done, and no request is sent again."""
        server.script = in_turn(reply)

        failure = await failure_of(provider().resend(1))

        assert failure.kind is kind
        assert failure.kind not in {FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.THROTTLED}
        assert len(server.requests) == 1

    async def test_forbidden(self, provider, server, failure_of):
        """A 403 is not repeated, but the next call logs in again."""
        server.script = logging_in(only("jwt2"))
        mannco = provider(None)

        failure = await failure_of(mannco.resend(1))

        assert (failure.kind, failure.http_status) == (FailureKind.REFUSED, 403)
        assert [request.path for request in server.requests] == ["/user/login", "/trade/resend"]
        await mannco.trades(Scope.ALL)
        assert server.requests[-1].header("authorization") == "Bearer jwt2"

    async def test_own_connection(self, provider, server):
        """A resend opens its own connection, which the provider is not about to close."""
        server.script = lambda request: said(content={"trade_id": 1}) if "resend" in request.target else trades()
        mannco = provider()
        await mannco.trades(Scope.ALL)

        await mannco.resend(1)

        assert [request.connection for request in server.requests] == [1, 2]

    @pytest.mark.parametrize(
        ("reply", "kind", "place"),
        [
            (drop, FailureKind.UNREACHABLE, "login"),
            (runs_out(hang), FailureKind.UNREACHABLE, "login"),
            (said(status=429, err=True, success=False, content="Wait"), FailureKind.THROTTLED, None),
            (said(status=403, err=True, success=False, content="Invalid API key"), FailureKind.REFUSED, None),
        ],
    )
    async def test_login_fails(self, provider, server, failure_of, reply, kind, place):
        """A failed login before the resend means that nothing was done."""
        server.script = in_turn(reply)

        failure = await failure_of(provider(None).resend(1))

        assert (failure.kind, failure.place) == (kind, place)
        assert [request.path for request in server.requests] == ["/user/login"]
