"""AssetPay's trades for /trades: single ones by the merchant's key, lists by client tokens, in both dialects."""

from collections import Counter
from datetime import timedelta

import pytest

from bot.domain.failures import Dialect, FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId
from bot.domain.trades import KeyLimit, NotAsked, TradeQuery, TradeReading, TradeReference, UnreadRow
from bot.providers.assetpay_client import ClientCalls, ClientTokens, FixedClientToken, IssuedClientTokens
from bot.providers.assetpay_sources import AssetPayClientSource, AssetPaySource
from bot.providers.explanations import Catalogue
from bot.providers.rate_limits import RateLimiter
from bot.providers.resilience import ResilientProvider, ResilientSource
from tests.providers.assetpay_fake import CS2, KEY, OWNER, RUST, FakeAssetPay, refused, said, trade
from tests.providers.conftest import TRADE_URL
from tests.providers.jwts import jwt
from tests.support.loopback import Recorded, Reply, as_json, content, drop, hang, in_turn, runs_out

OTHER = SteamId.from_account_id(77)
OF_OWNER = jwt({"client": {"steamID": str(OWNER)}})
OF_OTHER = jwt({"client": {"steamID": str(OTHER)}})
OPAQUE = Secret("token1")
LIST = TradeQuery(account=OWNER, trade_url=TRADE_URL)


def named(text: str, account: SteamId | None = None) -> TradeQuery:
    return TradeQuery(account=account, reference=TradeReference(text))


def ids(reading: TradeReading) -> list[str]:
    """Return the shop's numbers of the trades, which tell them apart in short."""
    return [each.shop_reference for each in reading.trades]


class TestSingleTrades:
    """GET /secure/trades/{ref}."""

    @pytest.fixture
    def source(self, connect):
        return AssetPaySource(connect(ProviderName.ASSETPAY), Secret(KEY))

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("dep_1", "dep_1"),
            ("0B5C0000-0000-0000-0000-000000000001", "0B5C0000-0000-0000-0000-000000000001"),
            ("Größe 1/2?a=b#c%2F", "Gr%C3%B6%C3%9Fe%201%2F2%3Fa%3Db%23c%252F"),
            ("…", "%E2%80%A6"),
        ],
    )
    async def test_one(self, source, server, caplog, text, path):
        """A trade is asked for by its id or the shop's number as one part of the path, which is not logged."""
        caplog.set_level("DEBUG")
        server.script = in_turn(said(trade(1, OTHER, externalId=text)))

        reading = await source.read(named(text, OWNER))

        (asked,) = server.requests
        assert (asked.method, asked.target, asked.header("api-key")) == ("GET", f"/secure/trades/{path}", KEY)
        assert (ids(reading), reading.trades[0].owner) == ([text], OTHER)
        assert (reading.knows_offers, reading.of_account_alone, reading.is_cut) == (False, False, False)
        assert path not in caplog.text

    async def test_several(self, source, server):
        """Several references are one call with bare commas, each once; those that AssetPay leaves out are not found."""
        server.script = FakeAssetPay([trade(n, externalId=f"dep/{n}") for n in range(5)])

        found, unread = await source.find(["dep/1", "dep/3", "dep/1", "..", "a,b", "none"])

        assert [request.target for request in server.requests] == ["/secure/trades/dep%2F1,dep%2F3,none"]
        assert ([each.shop_reference for each in found], unread) == (["dep/1", "dep/3"], ())
        with pytest.raises(ValueError, match="101"):
            await source.find(list(map(str, range(101))))

    @pytest.mark.parametrize("reference", ["", ".", "..", "dep_1,dep_2"])
    async def test_not_a_part_of_a_path(self, source, server, reference):
        """What would name other paths or several trades is not asked for."""
        assert (await source.read(named(reference))).trades == ()
        assert server.requests == []

    @pytest.mark.parametrize(("code", "key"), [(21, "TRADE_NOT_FOUND"), (21, None), (9, "INVALID_TRADE_ID")])
    async def test_not_found(self, source, server, code, key):
        """A trade that AssetPay does not show is no failure."""
        server.script = in_turn(refused(code, key, 404))

        assert await source.read(named("dep_1")) == TradeReading(knows_offers=False)

    async def test_another_trade(self, source, server):
        """An answer about a trade that was not asked for is not shown; staff learn of it by its place."""
        server.script = in_turn(said(trade(2, OTHER)), said([trade(2), trade(1)]))

        one, several = [await source.read(named("dep_1")) for _ in range(2)]

        assert (one.trades, one.unread) == ((), (UnreadRow("data.id", OTHER),))
        assert (ids(several), several.unread) == (["dep_1"], (UnreadRow("data[0].id", OWNER),))

    @pytest.mark.parametrize(
        ("reply", "kind", "key"),
        [
            (refused(1901, "INVALID_API_KEY", 401), FailureKind.REFUSED, "INVALID_API_KEY"),
            (refused(1908, "INSUFFICIENT_SCOPE", 403), FailureKind.REFUSED, "INSUFFICIENT_SCOPE"),
            (refused(1005, "RATE_LIMITED", 429), FailureKind.THROTTLED, "RATE_LIMITED"),
            (refused(1003, "NOT_FOUND", 404), FailureKind.REFUSED, "NOT_FOUND"),
            (content(b"<html>", 404), FailureKind.BLOCKED, None),
            (said(None), FailureKind.NONSENSE, None),
            (said("CANARY"), FailureKind.NONSENSE, None),
        ],
    )
    async def test_failures(self, source, server, failure_of, reply, kind, key):
        """Every other refusal is a failure."""
        server.script = in_turn(reply)

        failure = await failure_of(source.read(named("dep_1")))

        assert (failure.kind, failure.key) == (kind, key)

    def test_lacks(self, source):
        """Without a reference there is nothing to ask for."""
        assert source.lacks(LIST) is NotAsked.REFERENCE
        assert source.lacks(named("dep_1")) is None


@pytest.fixture
def listing(connect):
    """Make the source of a dialect with a fixed token, or with an API key if it is None."""

    def make(token: Secret | None = OPAQUE, dialect=Dialect.ASSETPAY, *, authorization="raw", **limits):
        is_legacy = dialect is Dialect.ASSETPAY_LEGACY
        name = ProviderName.ASSETPAY_LEGACY if is_legacy else ProviderName.ASSETPAY_CLIENT
        transport = connect(name, **limits)
        tokens: ClientTokens = FixedClientToken(name, token) if token else IssuedClientTokens(transport, Secret(KEY))
        return AssetPayClientSource(ClientCalls(transport, dialect, tokens, authorization=authorization))

    return make


def fake(*trades: dict[str, object], **options) -> FakeAssetPay:
    return FakeAssetPay(list(trades), issued={OPAQUE.reveal(): str(OWNER)}, **options)


def pages(*replies: Reply, rust: Reply | None = None):
    """Give the pages of CS2 in turn; Rust has no trade."""
    cs2, empty = in_turn(*replies), said({"items": [], "trades": [], "nextCursor": None})
    return lambda asked: cs2(asked) if ("game", CS2) in asked.query else rust or empty


def page(*trades: object, cursor: object = None) -> Reply:
    return said({"items": trades, "nextCursor": cursor})


class TestLists:
    """GET /client/trades, current dialect."""

    @pytest.mark.parametrize(("authorization", "header"), [("raw", "token1"), ("bearer", "Bearer token1")])
    async def test_requests(self, listing, server, authorization, header):
        """Each game has a call of its own; the token is sent bare or as a bearer, as set."""
        server.script = in_turn(page())

        assert (await listing(authorization=authorization).read(LIST)).trades == ()

        assert {request.target for request in server.requests} == {
            "/client/trades?game=730&limit=100", "/client/trades?game=252490&limit=100",
        }  # fmt: skip
        assert {request.header("Authorization") for request in server.requests} == {header}
        assert {request.header("api-key") for request in server.requests} == {None}

    async def test_all_pages(self, listing, server):
        """The cursor is followed to the end, in either game, and a trade that moved to the next page is there once."""
        trades = [trade(n) for n in range(250)] + [trade(n, game=RUST) for n in range(300, 420)]
        server.script = fake(*trades, trade(250), trade(999, OTHER))

        reading = await listing().read(LIST)

        assert sorted(ids(reading)) == sorted(f"dep_{n}" for n in (*range(251), *range(300, 420)))
        assert (reading.is_cut, reading.failure, reading.unread) == (False, None, ())
        assert Counter(dict(request.query)["game"] for request in server.requests) == {CS2: 3, RUST: 2}
        server.script = pages(page(trade(1), trade(2), cursor="a"), page(trade(2), trade(3)))
        assert ids(await listing().read(LIST)) == ["dep_1", "dep_2", "dep_3"]

    async def test_odd_rows(self, listing, server):
        """Rows that cannot be read are named with their owners, from every page."""
        server.script = pages(page(trade(1), trade(status=None), cursor="a"), page(None, trade(4)))

        reading = await listing().read(LIST)

        assert ids(reading) == ["dep_1", "dep_4"]
        assert reading.unread == (UnreadRow("data.items[1].status", OWNER), UnreadRow("data.items[0]", None))

    @pytest.mark.parametrize(
        ("replies", "asked", "found"),
        [
            ([page(trade(1), cursor="a"), page(trade(2), cursor="a")], 2, 2),
            ([page(trade(1), cursor="a"), page(trade(2), cursor="b"), page(trade(3), cursor="a")], 3, 3),
            ([page(trade(1), cursor=[1])], 1, 1),
            ([page(*map(trade, range(1_200)))], 1, 1_000),
        ],
        ids=["repeated", "in-a-circle", "unreadable", "far-too-many-rows"],
    )
    async def test_no_way_on(self, listing, server, replies, asked, found):
        """A cursor that repeats or cannot be read ends the list, which says that it was cut."""
        server.script = pages(*replies)

        reading = await listing().read(LIST)

        assert (len(reading.trades), reading.is_cut, reading.failure) == (found, True, None)
        assert sum(("game", CS2) in request.query for request in server.requests) == asked

    async def test_bound(self, listing, server):
        """A reading ends after 50 pages of both games together."""
        server.script = lambda asked: page(trade(len(server.requests)), cursor=str(len(server.requests)))

        reading = await listing().read(LIST)

        assert (len(server.requests), len(reading.trades), reading.is_cut) == (50, 50, True)

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (refused(1005, "RATE_LIMITED", 429), FailureKind.THROTTLED),
            (refused(1001, "VALIDATION_FAILED"), FailureKind.REFUSED),
            (refused(1300, "FORBIDDEN", 403), FailureKind.REFUSED),
            (content(b"", 502), FailureKind.BROKEN),
            (said({}), FailureKind.NONSENSE),
            (said({"items": "CANARY"}), FailureKind.NONSENSE),
            (drop, FailureKind.LOST),
            (runs_out(hang), None),
        ],
    )
    async def test_page_fails(self, listing, server, failure_of, reply, kind):
        """If a page fails or comes too late, the trades so far are listed; without one it is the answer's failure."""
        source = listing()
        server.script = pages(page(trade(1), cursor="a"), reply, rust=page(trade(2, game=RUST)))
        kept = await source.read(LIST)
        server.script = pages(reply)
        failure = await failure_of(source.read(LIST))

        assert (sorted(ids(kept)), kept.is_cut) == (["dep_1", "dep_2"], True)
        assert (kept.failure and kept.failure.kind) is kind
        assert failure.kind is (kind or FailureKind.TIMED_OUT)

    async def test_last_try(self, listing, server, clock, monkeypatch):
        """The deadline is that of all tries together: a second try's trades are not lost to it."""
        monkeypatch.setattr("bot.providers.assetpay_sources._TIME_TO_ANSWER", 20.0)  # a busy machine needs more
        provider = ResilientProvider(
            ProviderName.ASSETPAY_CLIENT,
            clock=clock,
            limiter=RateLimiter({}, clock),
            explanations=Catalogue.load(),
            deadline=timedelta(seconds=80),
        )
        server.script = pages(drop, page(trade(1), cursor="a"), runs_out(hang))
        reading = await ResilientSource(listing(deadline=80.0, read=80.0), provider).read(LIST)

        assert (ids(reading), reading.is_cut, reading.failure) == (["dep_1"], True, None)

    async def test_reference(self, listing, server):
        """A reading for one trade ends once it is found, by any of its numbers, and is not cut then."""
        server.script = pages(page(trade(1), cursor=[1]), rust=refused(1001, "VALIDATION_FAILED"))
        reading = await listing().read(named("dep_1", OWNER))
        assert (reading.is_cut, reading.failure) == (False, None)
        server.script = fake(*(trade(n) for n in range(250)))
        for number in ("dep_130", "9088000130", "0B5C0000-0000-0000-0000-000000000130"):
            server.requests.clear()
            reading = await listing().read(named(number, OWNER))
            assert "dep_130" in ids(reading)
            assert (reading.is_cut, reading.failure, reading.knows_offers) == (False, None, True)
            assert sum(("game", CS2) in request.query for request in server.requests) == 2
        for number, owner in (("none", OWNER), ("dep_1", OTHER)):  # another's is read like one that is not there
            assert len((await listing().read(named(number, owner))).trades) == 250


class TestTokens:
    """Whose trades a token lists."""

    @pytest.mark.parametrize(
        ("token", "query", "lacks"),
        [
            (None, TradeQuery(account=OWNER), NotAsked.TRADE_URL),
            (None, named("dep_1"), NotAsked.TRADE_URL),
            (None, LIST, None),
            (OF_OTHER, TradeQuery(account=OWNER), NotAsked.OTHER_ACCOUNT),
            (OF_OTHER, LIST, NotAsked.OTHER_ACCOUNT),
            (OF_OTHER, TradeQuery(), None),
            (OF_OWNER, TradeQuery(account=OWNER), None),
            (OPAQUE, TradeQuery(account=OWNER), None),
        ],
    )
    def test_lacks(self, listing, token, query, lacks):
        """A token is created for a trade URL; a fixed one is not asked about an account that is certainly another."""
        assert listing(token).lacks(query) is lacks

    @pytest.mark.parametrize(
        ("token", "account", "owners", "limit", "alone"),
        [
            (OF_OWNER, OWNER, [OWNER], None, True),
            (OF_OWNER, OWNER, [], None, True),
            (OF_OWNER, OWNER, [OWNER, None], None, True),
            (OF_OWNER, OWNER, [OWNER, OTHER], None, False),
            (OF_OWNER, None, [OWNER], KeyLimit(OWNER), False),
            (OPAQUE, OWNER, [OWNER], None, False),
            (OPAQUE, OWNER, [OTHER], KeyLimit(OTHER), False),
            (OPAQUE, OWNER, [], KeyLimit(None), False),
            (None, OWNER, [OWNER], None, True),
        ],
    )
    async def test_whose(self, listing, server, token, account, owners, limit, alone):
        """The reading says whose trades the token sees, and is the account's alone only if that is certain."""
        rows = [trade(n, owner) for n, owner in enumerate(owners)]
        answer, created = page(*rows), said({"token": "token2"})
        server.script = lambda asked: created if asked.method == "POST" else answer

        reading = await listing(token).read(TradeQuery(account=account, trade_url=TRADE_URL if account else None))

        assert (reading.limit, reading.of_account_alone) == (limit, alone)
        assert [each.owner for each in reading.trades] == owners

    async def test_issued(self, listing, server):
        """One token is created for the trade URL and used for both games and later readings; a refused one is renewed.

        That happens in the middle of a list too, which goes on.
        """
        server.script = script = FakeAssetPay([trade(n) for n in range(250)])
        source = listing(None)

        assert len((await source.read(LIST)).trades) == 250
        assert len((await source.read(LIST)).trades) == 250
        assert list(script.issued) == ["token1"]

        def revoking(asked: Recorded) -> Reply:
            if ("cursor", "c200") in asked.query and "token1" in script.issued:
                script.issued["revoked"] = script.issued.pop("token1")
            return script(asked)

        server.script = revoking
        reading = await source.read(LIST)

        assert (len(reading.trades), reading.failure) == (250, None)
        assert "token2" in script.issued

    @pytest.mark.parametrize("token", [None, OPAQUE])
    async def test_refused(self, listing, server, failure_of, token):
        """A token that stays refused is the failure; no more than one new one is created."""
        created = said({"token": "token2"})
        server.script = lambda asked: created if asked.method == "POST" else refused(1102, "INVALID_TOKEN", 401)

        failure = await failure_of(listing(token).read(LIST))

        assert failure.key == "INVALID_TOKEN"
        assert sum(request.method == "POST" for request in server.requests) == (0 if token else 2)


class TestOlderDialect:
    """GET /client/trades of assetpay.co."""

    async def test_pages(self, listing, server):
        """Pages have numbers, and end with the number of all trades; the capitals are the older dialect's."""
        rows = [trade(n, status="PENDING", type="WITHDRAW") for n in range(120)]
        server.script = fake(*rows, is_legacy=True)

        reading = await listing(dialect=Dialect.ASSETPAY_LEGACY).read(LIST)

        assert [request.target for request in server.requests if CS2 in request.target] == [
            f"/client/trades?game=730&limit=50&page={number}" for number in (1, 2, 3)
        ]
        assert (len(reading.trades), reading.is_cut) == (120, False)
        found = reading.trades[0]
        assert (found.provider, found.state.value, found.direction.value) == (
            ProviderName.ASSETPAY_LEGACY, "offered", "withdrawal",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("size", "count", "calls", "is_cut"),
        [(10, 25, 3, False), (10, None, 4, False), (10, "25", 3, False), (50, 90, 2, True), (10, [], 4, False)],
    )
    async def test_last_page(self, listing, server, size, count, calls, is_cut):
        """Asking ends with the count, or with a page that has nothing new: the list is cut if there should be more."""
        rows = [trade(n) for n in range(25)]

        def script(asked: Recorded) -> Reply:
            if ("game", RUST) in asked.query:
                return said({"trades": [], "count": 0})
            begin = (int(dict(asked.query)["page"]) - 1) * size
            return said({"trades": rows[begin : begin + size], "count": count})

        server.script = script
        reading = await listing(dialect=Dialect.ASSETPAY_LEGACY).read(LIST)

        assert (len(reading.trades), reading.is_cut) == (25, is_cut)
        assert sum(("game", CS2) in request.query for request in server.requests) == calls

    async def test_throttled(self, listing, server, failure_of):
        """Over the limit the older dialect answers 1007."""
        server.script = in_turn(as_json({"success": False, "error": {"code": 1007, "message": "slow down"}}, 429))

        failure = await failure_of(listing(dialect=Dialect.ASSETPAY_LEGACY).read(LIST))

        assert (failure.code, failure.http_status) == (1007, 429)
