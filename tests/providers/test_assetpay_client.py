"""AssetPay's GET /client/inventory in both dialects, byte for byte as seeds 001 and 002 have it."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.domain.failures import Dialect, FailureKind, ProviderName
from bot.domain.inventory import Refusal, Sort, Sticker
from bot.domain.money import Money
from bot.domain.secrets import Secret
from bot.domain.steam import Game, SteamId
from bot.providers.assetpay_client import (
    AssetPayClient,
    ClientCalls,
    ClientTokens,
    FixedClientToken,
    IssuedClientTokens,
)
from tests.providers.jwts import jwt
from tests.support.loopback import as_json, content, drop, hang, in_turn, runs_out

OWNER = SteamId.from_account_id(12345)
DIALECTS = {
    Dialect.ASSETPAY: ProviderName.ASSETPAY_CLIENT,
    Dialect.ASSETPAY_LEGACY: ProviderName.ASSETPAY_LEGACY,
}


@pytest.fixture
def client(connect):
    """Make a client of a dialect with a fixed token, or with an API key if it is None."""

    def make(dialect=Dialect.ASSETPAY, token="CLIENT_TOKEN", *, authorization="raw", **limits):  # noqa: S107 -- made up
        provider = DIALECTS[dialect]
        transport = connect(provider, **limits)
        tokens: ClientTokens
        if token is None:
            tokens = IssuedClientTokens(transport, Secret("ap_CANARY"))
        else:
            tokens = FixedClientToken(provider, Secret(token))
        return AssetPayClient(ClientCalls(transport, dialect, tokens, authorization=authorization))

    return make


def inventory(*ids, **data):
    items = [{"id": str(number), "offer": {"price": 1, "accepted": True}} for number in ids]
    return as_json({"success": True, "data": {"inventory": items, **data}})


def issuing(*, answers, tokens=None):
    """Create tokens as asked, and answer inventories in turn."""
    answers, tokens = list(answers), list(tokens or ["token1", "token2", "token3"])

    def script(request):
        if request.path == "/auth/authenticate-client":
            return as_json({"success": True, "data": {"token": tokens.pop(0)}})
        return answers.pop(0) if len(answers) > 1 else answers[0]

    return script


def refused(code=1102, key="INVALID_TOKEN", **error):
    return as_json({"success": False, "error": {"code": code, "key": key, "message": "no", **error}}, 401)


class TestCurrentDialect:
    """Seed 001."""

    @pytest.mark.parametrize(("authorization", "header"), [("raw", "CLIENT_TOKEN"), ("bearer", "Bearer CLIENT_TOKEN")])
    async def test_request(self, client, server, seed, query, authorization, header):
        """The seed's request, with pagination off; the token bare or as a bearer, as set."""
        server.script = in_turn(as_json(seed("001_client_inventory")))

        await client(authorization=authorization).look_up(query())

        (request,) = server.requests
        assert (request.method, request.target) == ("GET", "/client/inventory?game=730&page=1&limit=-1")
        assert ("Authorization", header) in request.headers
        assert request.header("api-key") is None

    async def test_seed(self, client, server, seed, query):
        """The seed's sample reads as the values it shows."""
        server.script = in_turn(as_json(seed("001_client_inventory")))

        found = await client().look_up(query())

        (item,) = found.items
        assert (item.id, item.name, item.kind) == ("a1b2c3d4-e5f6-7890-abcd-ef1234567890", "AK-47 | Redline", "Rifle")
        assert item.icon_hash is not None
        assert item.icon_hash.startswith("IzMF03bk9WpSBq-S-ekoE33L")
        assert (item.refusal, item.offer, item.max_amount) == (None, Money(Decimal("10.75")), 1)
        assert (item.wear, item.rarity, item.colour) == (Decimal("0.25432"), "Classified", 0xD32CE6)
        assert (item.paint_seed, item.inspect_certificate) == (312, "S76561198012345678A12345678D8888888888888888888")
        name = "Natus Vincere | Katowice 2019"
        assert item.stickers == (Sticker(name, 0, Decimal("0.05"), f"Sticker | {name}"),)
        assert (found.total, found.collateral) == (42, Money(Decimal("150.0")))
        assert found.updated_at == datetime(2026, 3, 4, 10, tzinfo=UTC)
        assert (found.provider, found.owner) == (ProviderName.ASSETPAY_CLIENT, OWNER)

    @pytest.mark.parametrize(
        ("first", "limits"),
        [
            (inventory(*range(50), count=120), ["-1", "50", "50"]),
            (inventory(*range(100), count=120), ["-1", "100"]),
            (refused(1001, "VALIDATION_FAILED", fields={"limit": "must be at least 1"}), ["-1", "50", "50", "50"]),
            (refused(1001, None, message="limit must not be less than 1"), ["-1", "50", "50", "50"]),
        ],
        ids=["ignored", "capped", "refused", "refused-in-words"],
    )
    async def test_limit(self, client, server, query, first, limits):
        """If ``limit=-1`` is refused or ignored, the next pages are asked for; only the first ones refresh."""
        answers = {("1", "-1"): first, ("2", "100"): inventory(*range(100, 120), count=120)}
        server.script = lambda request: (
            answers.get((page := dict(request.query)["page"], dict(request.query)["limit"]))
            or inventory(*range(int(page) * 50 - 50, min(int(page) * 50, 120)), count=120)
        )

        found = await client().look_up(query(refresh=True))

        assert ([item.id for item in found.items], found.total) == ([str(number) for number in range(120)], 120)
        asked = [dict(request.query) for request in server.requests]
        assert [parameters["limit"] for parameters in asked] == limits
        assert ["refresh" in parameters for parameters in asked] == [parameters["page"] == "1" for parameters in asked]

    async def test_other_validation(self, client, server, query, failure_of):
        """Another failed validation is the answer."""
        server.script = in_turn(refused(1001, "VALIDATION_FAILED", fields={"search": "too long"}))

        assert (await failure_of(client().look_up(query()))).details == (("search", "too long"),)
        assert len(server.requests) == 1


class TestOlderDialect:
    """Seed 002."""

    async def test_request(self, client, server, seed, query):
        """The seed's example request, with the documented paging behind it."""
        server.script = in_turn(as_json(seed("002_client_inventory")))

        await client(Dialect.ASSETPAY_LEGACY).look_up(
            query(search="knife", min_price=Decimal(50), max_price=Decimal(500), sort=Sort.PRICE_ASC)
        )

        assert server.requests[0].target == (
            "/client/inventory?game=730&search=knife&minPrice=50&maxPrice=500&sort=price_asc&page=1&perPage=50"
        )
        assert ("Authorization", "CLIENT_TOKEN") in server.requests[0].headers

    async def test_seed(self, client, server, seed, query):
        """The seed's sample has its acceptance beside the offer."""
        server.script = in_turn(as_json(seed("002_client_inventory")))

        found = await client(Dialect.ASSETPAY_LEGACY).look_up(query())

        (item,) = found.items
        assert (item.name, item.refusal, item.offer) == ("AK-47 | Redline", None, Money(Decimal("10.75")))
        assert (item.paint_seed, item.inspect_certificate) == (312, None)
        assert item.stickers == (Sticker("NaVi | Katowice 2019", 0, Decimal("0.05")),)
        assert (found.total, found.provider) == (42, ProviderName.ASSETPAY_LEGACY)

    async def test_rust_stack(self, client, server, seed, query):
        """The seed's stack has its amounts, and no offer without an acceptance."""
        server.script = in_turn(as_json({"success": True, "data": {"inventory": [seed("002_rust_item")], "count": 1}}))

        (item,) = (await client(Dialect.ASSETPAY_LEGACY).look_up(query(Game.RUST))).items

        assert (item.name, item.amount, item.max_amount) == ("Large Wood Box", 5, 10)
        assert (item.offer, item.refusal) == (Money(Decimal("0.15")), Refusal.NO_OFFER)

    async def test_pages(self, client, server, query):
        """An inventory of several pages is asked for page by page, and Steam is read again for the first only."""
        server.script = in_turn(
            inventory(*range(50), count=120),
            inventory(*range(45, 100), count=120),
            inventory(*range(100, 120), count=120),
        )

        found = await client(Dialect.ASSETPAY_LEGACY).look_up(query(refresh=True))

        assert [item.id for item in found.items] == [str(number) for number in range(120)]
        assert found.total == 120
        assert [request.target.partition("?")[2] for request in server.requests] == [
            "game=730&refresh=true&page=1&perPage=50", "game=730&page=2&perPage=50", "game=730&page=3&perPage=50",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("pages", "calls", "count"),
        [
            ([inventory(*range(50), count=50)], 1, 50),
            ([inventory(*range(50), count=120)], 2, 50),
            ([inventory(*range(30), count=120)], 1, 30),
            ([inventory(*range(50)), inventory(*range(50, 60))], 2, 60),
            ([inventory(*range(300), count=300)], 1, 300),
            ([inventory(*range(n * 50, n * 50 + 50), count=5_000) for n in range(30)], 20, 1_000),
        ],
        ids=["whole", "same-page-again", "short-page", "no-count", "all-at-once", "endless"],
    )
    async def test_last_page(self, client, server, query, pages, calls, count):
        """Asking ends with the count, a short page, a page with nothing new, or after twenty."""
        server.script = in_turn(*pages)

        found = await client(Dialect.ASSETPAY_LEGACY).look_up(query())

        assert (len(server.requests), len(found.items)) == (calls, count)

    @pytest.mark.parametrize("reply", [runs_out(hang), as_json({}, 429), content(b"<html>")])
    async def test_later_page_fails(self, client, server, query, reply):
        """If a later page fails, the inventory is partial by its count."""
        server.script = in_turn(inventory(*range(50), count=120), reply)

        found = await client(Dialect.ASSETPAY_LEGACY).look_up(query())

        assert (len(found.items), found.total) == (50, 120)

    @pytest.mark.parametrize("reply", [drop, runs_out(hang)])
    async def test_later_page_fails_uncounted(self, client, server, query, failure_of, reply):
        """Without a count, which would show that it is partial, a failed later page is a failure."""
        server.script = in_turn(inventory(*range(50)), reply)

        failure = await failure_of(client(Dialect.ASSETPAY_LEGACY).look_up(query()))

        assert failure.kind in {FailureKind.LOST, FailureKind.TIMED_OUT}


class TestFixedToken:
    """A fixed token answers for its own user."""

    @pytest.mark.parametrize(
        ("claims", "certain"),
        [
            ({"client": {"steamID": str(OWNER)}}, True),
            ({"client": {"steamID": "?"}}, False),
            ({"client": []}, False),
        ],
    )
    async def test_owner(self, client, server, query, claims, certain):
        """The owner is certain only if the claims name it."""
        server.script = in_turn(inventory())

        found = await client(token=jwt(claims).reveal()).look_up(query())

        assert found.owner_certain is certain

    async def test_wrong_account(self, client, server, query, failure_of):
        """A token of another account is refused without a call."""
        token = jwt({"client": {"steamID": "76561198000000000"}}).reveal()

        failure = await failure_of(client(token=token).look_up(query()))

        assert failure.kind is FailureKind.WRONG_ACCOUNT
        assert server.requests == []

    async def test_refused(self, client, server, query, failure_of):
        """A fixed token that is refused is not tried again."""
        server.script = in_turn(refused())

        assert (await failure_of(client().look_up(query()))).key == "INVALID_TOKEN"
        assert len(server.requests) == 1


class TestIssuedTokens:
    """A token is created for the trade URL."""

    async def test_request(self, client, server, query):
        """The token is created with the API key for this trade URL, and then used."""
        server.script = issuing(answers=[inventory()])

        found = await client(token=None).look_up(query())

        create, ask = server.requests
        assert (create.method, create.target, create.header("api-key")) == (
            "POST",
            "/auth/authenticate-client",
            "ap_CANARY",
        )
        assert json.loads(create.body) == {
            "clientSteamId": "76561197960278073",
            "clientTradeUrl": "https://steamcommunity.com/tradeoffer/new/?partner=12345&token=ABCDEFGH",
        }
        assert (ask.header("authorization"), ask.header("api-key")) == ("token1", None)
        assert found.owner_certain

    @pytest.mark.parametrize(
        ("dialect", "error"),
        [
            (Dialect.ASSETPAY, {"code": 1102, "key": "INVALID_TOKEN"}),
            (Dialect.ASSETPAY, {"code": 1102, "key": None}),
            (Dialect.ASSETPAY, {"code": 1111, "key": "TOKEN_EXPIRED"}),
            (Dialect.ASSETPAY_LEGACY, {"code": 1222, "key": None}),
        ],
    )
    async def test_renewed(self, client, server, query, dialect, error):
        """A refused token is replaced by a new one, once, and the lookup goes on."""
        server.script = issuing(answers=[refused(**error), inventory(1)])

        found = await client(dialect, token=None).look_up(query())

        assert len(found.items) == 1
        assert [request.header("authorization") for request in server.requests] == [None, "token1", None, "token2"]

    async def test_refused_twice(self, client, server, query, failure_of):
        """A second refusal is the answer."""
        server.script = issuing(answers=[refused()])

        assert (await failure_of(client(token=None).look_up(query()))).key == "INVALID_TOKEN"
        assert len(server.requests) == 4

    @pytest.mark.parametrize(
        ("dialect", "code", "key"),
        [
            (Dialect.ASSETPAY, 1222, None),
            (Dialect.ASSETPAY_LEGACY, 1102, None),
            (Dialect.ASSETPAY, 1102, "SOMETHING_ELSE"),
        ],
    )
    async def test_other_refusals(self, client, server, query, failure_of, dialect, code, key):
        """No other refusal is repeated: a number counts only in its dialect, and only without a key."""
        server.script = issuing(answers=[refused(code, key)])

        await failure_of(client(dialect, token=None).look_up(query()))

        assert len(server.requests) == 2

    async def test_not_created(self, client, server, query, failure_of):
        """A refusal to create a token is the lookup's failure; the API key in it is masked."""
        server.script = in_turn(
            as_json({"success": False, "error": {"code": 1901, "key": "INVALID_API_KEY", "message": "ap_CANARY?"}}, 401)
        )

        failure = await failure_of(client(token=None).look_up(query()))

        assert (failure.key, failure.code) == ("INVALID_API_KEY", 1901)
        assert "CANARY" not in str(failure)

    async def test_token_of_another_account(self, client, server, query, failure_of):
        """A created token of another account is refused."""
        token = jwt({"client": {"steamID": "76561198000000000"}}).reveal()
        server.script = in_turn(as_json({"success": True, "data": {"token": token}}))

        failure = await failure_of(client(token=None).look_up(query()))

        assert (failure.kind, failure.place) == (FailureKind.NONSENSE, "data.token")
        assert len(server.requests) == 1
