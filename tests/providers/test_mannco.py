"""Mannco.store's trades and resends, byte for byte as seed 004 has them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.secrets import Secret, TradeCode
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Direction, Scope, TradeList
from bot.providers.mannco import ApiKeyLogin, FixedJwt, Mannco
from tests.providers.jwts import jwt
from tests.support.loopback import after, as_json, content, drop, hang, in_turn


@pytest.fixture
def provider(connect):
    """Make the provider with a fixed JWT, or with an API key if it is None."""

    def make(token="JWT", *, resend_parameter="resend", per_account=False, **limits):  # noqa: S107 -- made up
        transport = connect(ProviderName.MANNCO, **limits)
        login = ApiKeyLogin(transport, Secret("mk_CANARY")) if token is None else FixedJwt(Secret(token))
        return Mannco(transport, login, resend_parameter=resend_parameter, per_account=per_account)

    return make


def said(*, status=200, err=False, success=True, **fields):
    return as_json({"err": err, "success": success, **fields}, status)


def trades(*entries):
    return said(content={"trades": list(entries)})


def entry(number=1, **fields):
    return {"id": number, "user": "76561198000000000", "status": 0, **fields}


def logging_in(answer, *, jwts=("jwt1", "jwt2", "jwt3")):
    """Give out JWTs in turn, and answer the rest by ``answer``."""
    left = list(jwts)

    def script(request):
        return said(content={"jwt": left.pop(0)}) if request.path == "/user/login" else answer(request)

    return script


def only(*accepted):
    """Accept these JWTs, and answer 403 to any other."""
    allowed = {f"Bearer {token}" for token in accepted}

    def answer(request):
        if request.header("authorization") in allowed:
            return trades(entry())
        return said(status=403, err=True, success=False, content="Invalid JWT")

    return answer


NOTHING: tuple[object, ...] = (None, "", " ", "[]", "{}", "0", False, [], {})
NOT_A: dict[str, tuple[object, ...]] = {
    "user": (None, "0", "none", 0, "CANARY", [], True),
    "status": (None, "", "sent", 1.5, {}),
    "id": (None, "CANARY", True, 2**70),
    "items_send": ([{}], {"a": 1}, "[broken", 1.5, True),
    "row": ([], None, "CANARY", 7),
}


class TestTrades:
    """Reading trades."""

    async def test_active(self, provider, server, seed):
        """The seed's request, and its active trade."""
        server.script = in_turn(as_json(seed("004_trades_active")))

        (trade,) = (await provider().trades(Scope.ACTIVE)).trades

        (request,) = server.requests
        assert (request.method, request.target) == ("GET", "/trades/active")
        assert ("Authorization", "Bearer JWT") in request.headers

        assert (trade.id, trade.status, trade.provider) == (123456, 0, ProviderName.MANNCO)
        assert (trade.items_received, trade.items_send) == (("123456789", "987654321"), ())
        assert trade.direction is Direction.DEPOSIT
        assert (trade.owner, trade.bot) == (SteamId(76561198000000000), SteamId(76561198111111111))
        assert (trade.code, trade.offer_id, trade.last_error) == (TradeCode("ABCDEFGH"), "5678901234", "")
        assert (trade.created_at, trade.game) == (datetime(2024, 2, 1, tzinfo=UTC), None)

    async def test_all(self, provider, server, seed):
        """The seed's completed trade has its game."""
        server.script = in_turn(as_json(seed("004_trades_all")))

        (trade,) = (await provider().trades(Scope.ALL)).trades

        assert server.requests[0].target == "/trades/all"
        assert (trade.status, trade.game, trade.items_received) == (3, Game.TF2, ("123456789",))

    @pytest.mark.parametrize(
        ("fields", "name", "value"),
        [
            ({"id": "42"}, "id", 42),
            ({"status": "-1"}, "status", -1),
            ({"user": 76561198000000000}, "owner", SteamId(76561198000000000)),
            ({"items_send": " 1, 2,,"}, "items_send", ("1", "2")),
            ({"items_send": ["1", 2, None, ""]}, "items_send", ("1", "2")),
            ({"items_send": {"0": "1", "2": 2}}, "items_send", ("1", "2")),
            ({"items_send": '["1", "2"]'}, "items_send", ("1", "2")),
            ({"items_send": '{"0": 1}'}, "items_send", ("1",)),
            ({"items_send": 12345678901}, "items_send", ("12345678901",)),
            *(({"items_send": nothing}, "items_send", ()) for nothing in NOTHING),
            ({"items_received": "[broken"}, "items_received", ()),
            ({"bot": ""}, "bot", None),
            ({"bot": "0"}, "bot", None),
            ({"offerid": 5678901234}, "offer_id", "5678901234"),
            ({"lasterror": False}, "last_error", ""),
            ({"lasterror": "see ?partner=1&token=ABCDEFGH"}, "last_error", "see ?partner=1&token=••••"),
            ({"timestamp": "1706745600"}, "created_at", datetime(2024, 2, 1, tzinfo=UTC)),
            ({"timestamp": "1706745600123"}, "created_at", datetime(2024, 2, 1, 0, 0, 0, 123000, tzinfo=UTC)),
            ({"timestamp": 0}, "created_at", None),
            ({"timestamp": 10**18}, "created_at", None),
            ({"timestamp": "2024-02-01T00:00:00.000Z"}, "created_at", datetime(2024, 2, 1, tzinfo=UTC)),
            ({"game": "?"}, "game", None),
            ({"timestamp": "yesterday"}, "created_at", None),
            ({"game": "730"}, "game", Game.CS2),
            ({"game": 753}, "game", None),
        ],
    )
    async def test_variants(self, provider, server, fields, name, value):
        """Numbers may be texts, lists may be texts, and much may be empty."""
        server.script = in_turn(trades(entry(**fields)))

        (trade,) = (await provider().trades(Scope.ALL)).trades

        assert getattr(trade, name) == value

    async def test_order(self, provider, server):
        """The newest comes first; hidden ones (seed 004: -11) are left out."""
        server.script = in_turn(
            trades(
                entry(1, timestamp="1706745600000"),
                entry(2),
                entry(3, timestamp=1806745600),
                {"id": 4, "status": -11},
                entry(5, timestamp="1706745600000"),
                entry(6, status="-11"),
            )
        )

        assert [trade.id for trade in (await provider().trades(Scope.ALL)).trades] == [3, 5, 1, 2]

    @pytest.mark.parametrize(
        ("document", "place"),
        [
            ({"err": False, "success": True, "content": {}}, "content.trades"),
            ({"err": False, "success": True, "content": {"trades": "none"}}, "content.trades"),
            ({"err": False, "success": True, "content": None}, "content.trades"),
            ({"err": False, "success": False, "content": {"trades": []}}, "success"),
            ({"err": True, "success": True, "content": {"trades": []}}, "err"),
            ({"err": "maybe", "content": "CANARY"}, "err"),
        ],
    )
    async def test_nonsense(self, provider, server, failure_of, document, place):
        """A wrong value is named by its place."""
        server.script = in_turn(as_json(document))

        failure = await failure_of(provider().trades(Scope.ALL))

        assert (failure.kind, failure.place) == (FailureKind.NONSENSE, place)

    @pytest.mark.parametrize("nothing", [{"trades": None}, {"trades": []}, {"trades": {}}, []])
    async def test_no_trades(self, provider, server, nothing):
        """An empty list, and PHP's spellings of one, hold no trade."""
        server.script = in_turn(said(content=nothing))

        assert await provider().trades(Scope.ALL) == TradeList()

    @pytest.mark.parametrize(
        ("odd", "place"),
        [
            *((entry(2, user=value), "[1].user") for value in NOT_A["user"]),
            ({"id": 2, "status": -1}, "[1].user"),
            *((entry(2, status=value), "[1].status") for value in NOT_A["status"]),
            *((entry(value), "[1].id") for value in NOT_A["id"]),
            *((entry(2, items_send=value), "[1].items_send") for value in NOT_A["items_send"]),
            *((value, "[1]") for value in NOT_A["row"]),
        ],
    )
    @pytest.mark.parametrize("as_php", [False, True])
    async def test_odd_row(self, provider, server, odd, place, as_php, caplog):
        """A row that cannot be read is left out and named, the others are read, and it is no failure."""
        rows = [entry(1, items_send="11", status=-1), odd, entry(3)]
        server.script = in_turn(
            said(content={"trades": {str(n): row for n, row in enumerate(rows)} if as_php else rows})
        )

        found = await provider().trades(Scope.ALL)

        assert [trade.id for trade in found.trades] == [3, 1]
        assert found.trades[1].not_resendable is None
        assert found.left_out == (f"content.trades{place}",)
        assert "CANARY" not in caplog.text


OTHER = SteamId(76561198000000001)
CLAIMS = {"steamid": "76561198000000000", "sub": str(OTHER)}


class TestWhoseTrades:
    """The account of the key, and one account's trades on their own path."""

    @pytest.mark.parametrize(
        ("token", "owner"),
        [
            (jwt(CLAIMS).reveal(), SteamId(76561198000000000)),
            (jwt({"sub": CLAIMS["sub"]}).reveal(), OTHER),
            (jwt({"steamid": int(CLAIMS["steamid"]), "sub": "API"}).reveal(), SteamId(76561198000000000)),
            (jwt({"steamid": None, "sub": "API"}).reveal(), None),
            ("opaque", None),
            ("a.b.c", None),
        ],
    )
    async def test_key_owner(self, provider, server, token, owner):
        """The JWT's claims say whose key it is, where they can be read."""
        server.script = in_turn(trades())

        assert (await provider(token).trades(Scope.ALL)).key_owner == owner

    async def test_login(self, provider, server):
        """A login's JWT has claims too."""
        server.script = logging_in(lambda _: trades(), jwts=[jwt(CLAIMS).reveal()])

        assert (await provider(None).trades(Scope.ALL)).key_owner == SteamId(76561198000000000)

    async def test_paths(self, provider, server, caplog):
        """An administrator's key has one account's trades on their own path; no log names the account."""
        caplog.set_level("DEBUG")
        server.script = lambda _: trades(entry(7))
        for per_account, account, target in (
            (True, OTHER, f"/trades/all/{OTHER}"),
            (True, None, "/trades/all"),
            (False, OTHER, "/trades/all"),
        ):
            mannco = provider(per_account=per_account)
            found = await mannco.trades(Scope.ALL, account)
            assert server.requests[-1].target == target
            assert found.account == (account if per_account else None)
            assert mannco.owner_of(7) == (found.trades[0].owner if per_account else None)
        await provider(per_account=True).trades(Scope.ACTIVE, OTHER)
        assert server.requests[-1].target == f"/trades/active/{OTHER}"
        assert str(OTHER) not in caplog.text


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
        """The JWT is kept until five minutes before its expiry."""
        expiring = jwt({"exp": int((clock.now() + timedelta(days=31)).timestamp())}).reveal()
        server.script = logging_in(lambda _: trades(), jwts=[expiring, "second"])
        mannco = provider(None)
        await mannco.trades(Scope.ALL)
        for days, logins in ((30, 1), (1 - 5 / 1440, 2)):
            clock.advance(days=days)
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
            (hang, FailureKind.TIMED_OUT),
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

        deadline = 0.15 if kind is FailureKind.TIMED_OUT else 5.0
        failure = await failure_of(provider(deadline=deadline).resend(1))

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
            (hang, FailureKind.UNREACHABLE, "login"),
            (said(status=429, err=True, success=False, content="Wait"), FailureKind.THROTTLED, None),
            (said(status=403, err=True, success=False, content="Invalid API key"), FailureKind.REFUSED, None),
        ],
    )
    async def test_login_fails(self, provider, server, failure_of, reply, kind, place):
        """A failed login before the resend means that nothing was done."""
        server.script = in_turn(reply)

        failure = await failure_of(provider(None, deadline=0.3).resend(1))

        assert (failure.kind, failure.place) == (kind, place)
        assert [request.path for request in server.requests] == ["/user/login"]
