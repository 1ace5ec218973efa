"""Mannco.store's trades, byte for byte as seed 004 has them, and whose they are."""

import json
from datetime import UTC, datetime

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Direction, Scope, TradeList
from bot.providers.mannco_answers import read_tolerant, read_whole
from bot.providers.reading import Fields, parse_json
from tests.domain.builders import items_of
from tests.providers.jwts import jwt
from tests.providers.mannco_answers import entry, logging_in, said, trades
from tests.support.loopback import as_json, in_turn

NOTHING: tuple[object, ...] = (None, "", " ", "[]", "{}", "0", False, [], {})
NOT_A: dict[str, tuple[object, ...]] = {
    "user": (None, "0", "none", 0, "CANARY", [], True),
    "status": (None, "", "sent", 1.5, {}),
    "id": (None, "CANARY", True, 2**70),
    "items_send": ([{}], {"a": 1}, "[broken", 1.5, True),
    "row": ([], None, "CANARY", 7),
}
VARIANTS = [
    ({"id": "42"}, "id", "42"),
    ({"status": "-1"}, "status", "-1"),
    ({"user": 76561198000000000}, "owner", SteamId(76561198000000000)),
    ({"items_send": " 1, 2,,"}, "to_customer", items_of(("1", "2"))),
    ({"items_send": ["1", 2, None, ""]}, "to_customer", items_of(("1", "2"))),
    ({"items_send": {"0": "1", "2": 2}}, "to_customer", items_of(("1", "2"))),
    ({"items_send": '["1", "2"]'}, "to_customer", items_of(("1", "2"))),
    ({"items_send": '{"0": 1}'}, "to_customer", items_of(("1",))),
    ({"items_send": 12345678901}, "to_customer", items_of(("12345678901",))),
    *(({"items_send": nothing}, "to_customer", items_of(())) for nothing in NOTHING),
    ({"items_received": "[broken"}, "from_customer", ()),
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
]


def both_ways(answer):
    """Return what one pass reads of an answer, None if it leaves it to the reading by row; and what that reads."""
    body = json.dumps(answer).encode()
    notes: list[str] = []
    notes_by_row: list[str] = []
    by_row = read_tolerant(Fields(parse_json(body), note=notes_by_row.append), 200)
    try:
        in_one_pass = read_whole(body, notes.append)
    except ValueError:
        return None, (by_row, notes_by_row)
    return (in_one_pass, notes), (by_row, notes_by_row)


class TestTrades:
    """Reading trades."""

    async def test_active(self, provider, server, seed):
        """The seed's request, and its active trade."""
        server.script = in_turn(as_json(seed("004_trades_active")))

        (trade,) = (await provider().trades(Scope.ACTIVE)).trades

        (request,) = server.requests
        assert (request.method, request.target) == ("GET", "/trades/active")
        assert ("Authorization", "Bearer JWT") in request.headers

        assert (trade.id, trade.status, trade.provider) == ("123456", "0", ProviderName.MANNCO)
        assert (trade.from_customer, trade.to_customer) == (items_of(("123456789", "987654321")), ())
        assert trade.direction is Direction.DEPOSIT
        assert (trade.owner, trade.bot) == (SteamId(76561198000000000), SteamId(76561198111111111))
        assert (trade.code, trade.offer_id, trade.last_error) == (TradeCode("ABCDEFGH"), "5678901234", "")
        assert (trade.created_at, trade.game) == (datetime(2024, 2, 1, tzinfo=UTC), None)

    async def test_all(self, provider, server, seed):
        """The seed's completed trade has its game."""
        server.script = in_turn(as_json(seed("004_trades_all")))

        (trade,) = (await provider().trades(Scope.ALL)).trades

        assert server.requests[0].target == "/trades/all"
        assert (trade.status, trade.game, trade.from_customer) == ("3", Game.TF2, items_of(["123456789"]))

    @pytest.mark.parametrize(("fields", "name", "value"), VARIANTS)
    async def test_variants(self, provider, server, fields, name, value):
        """Numbers may be texts, lists may be texts, and much may be empty."""
        server.script = in_turn(trades(entry(**fields)))

        (trade,) = (await provider().trades(Scope.ALL)).trades

        assert getattr(trade, name) == value

    def test_one_pass(self, seed):
        """The documented answers, and one with a long error, are read in one pass, with the same result."""
        long = {"err": False, "success": True, "content": {"trades": [entry(lasterror="ab" * 2_000)]}}
        for answer in (seed("004_trades_active"), seed("004_trades_all"), long):
            assert both_ways(answer)[0] == both_ways(answer)[1]

    @pytest.mark.parametrize("fields", [fields for fields, _, _ in VARIANTS])
    def test_one_pass_of_variants(self, fields):
        """What one pass reads of any other answer is the same, too; it leaves the rest to the reading by row."""
        in_one_pass, by_row = both_ways({"err": False, "success": True, "content": {"trades": [entry(**fields)]}})

        assert in_one_pass in (None, by_row)

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

        assert [trade.id for trade in (await provider().trades(Scope.ALL)).trades] == ["3", "5", "1", "2"]

    async def test_far_too_many(self, provider, server):
        """Of many times the documented 500 trades only the first are read: the event loop goes through all of them."""
        server.script = in_turn(trades(*map(entry, range(1, 3_000))))

        found = await provider().trades(Scope.ALL)

        assert found.is_full
        assert {trade.id for trade in found.trades} == set(map(str, range(1, 2_001)))

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
            *((entry(2, items_send=value), "[1].items_send") for value in ("1," * 5_000, "1" * 300_000, [1] * 6_000)),
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

        assert [trade.id for trade in found.trades] == ["3", "1"]
        assert found.trades[1].not_resendable is None
        assert [row.place for row in found.unread] == [f"content.trades{place}"]
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
