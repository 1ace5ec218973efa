"""SkinsBack's POST method=user_inventory, byte for byte as seed 003 has it."""

import hmac
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.inventory import MerchantPrice, Refusal, Sort
from bot.domain.money import Money
from bot.domain.secrets import Secret
from bot.domain.steam import Game, SteamId
from bot.providers.skinsback import Shop, SkinsBack
from tests.support.loopback import as_json, in_turn

FORM = b"method=user_inventory&game=cs2&steam_id=76561197960278073&trade_token=ABCDEFGH"


@pytest.fixture
def provider(connect):
    def make(auth="headers", **options):
        transport = connect(ProviderName.SKINSBACK, "/api.php")
        return SkinsBack(Shop(transport, "client-7", Secret("CANARY-secret"), auth), **options)

    return make


def items(*entries, **data):
    return as_json({"status": "success", "data": {"items": list(entries), **data}})


def entry(asset_id="1", **fields):
    return {"item": {"asset_id": asset_id, "tradable": 1, "app_id": 730}, "name": "N", "price": 1, **fields}


class TestRequest:
    """Requests."""

    async def test_headers(self, provider, server, query):
        """Client id and secret go into headers; the form is posted to the address itself."""
        server.script = in_turn(items())

        await provider().look_up(query())

        (request,) = server.requests
        assert (request.method, request.target, request.body) == ("POST", "/api.php", FORM)
        assert ("X-CLIENT-ID", "client-7") in request.headers
        assert ("X-CLIENT-SECRET", "CANARY-secret") in request.headers
        assert request.header("content-type") == "application/x-www-form-urlencoded"

    @pytest.mark.parametrize("game", [Game.DOTA2, Game.RUST])
    async def test_games(self, provider, server, query, game):
        """The games are in the seed's words."""
        server.script = in_turn(items())

        await provider(currency="eur").look_up(query(game))

        assert server.requests[0].body == FORM.replace(b"cs2", game.word.encode()) + b"&currency=eur"
        assert provider().games == {Game.CS2, Game.DOTA2, Game.RUST}

    @pytest.mark.parametrize("auth", ["headers", "signature"])
    async def test_custom_prices(self, provider, server, query, auth):
        """The shop's own multiplier and currency are sent as the seed spells them, and signed."""
        server.script = in_turn(items())
        custom = {"custom_multiplier": "1.5", "custom_currency": "GEM", "custom_currency_rate": "10"}

        await provider(auth=auth, custom_prices=custom).look_up(query())

        sent = dict(parse_qsl(server.requests[0].body.decode()))
        assert custom.items() <= sent.items()
        sign = sent.pop("sign", None)
        message = "".join(f"{name}:{value};" for name, value in sorted(sent.items()))
        assert sign == (hmac.digest(b"CANARY-secret", message.encode(), "sha1").hex() if auth == "signature" else None)

    async def test_signature(self, provider, server, query):
        """The signature is the one that openssl computes over the documented message; no secret is sent with it."""
        server.script = in_turn(items())

        await provider(auth="signature", currency="eur").look_up(query())

        (request,) = server.requests
        assert request.body == FORM + b"&currency=eur&shopid=client-7&sign=217fee6c3bf14eb54d30f84f62dcde3581fe7a1b"
        assert request.header("x-client-secret") is None
        assert b"CANARY" not in request.body


class TestAnswer:
    """Inventories."""

    async def test_seed(self, provider, server, seed, query, clock):
        """The seed's sample reads as the values it shows."""
        server.script = in_turn(as_json(seed("003_user_inventory")))

        found = await provider().look_up(query(Game.RUST))

        assert (len(found.items), found.total, found.sum.accepted) == (17, 17, 13)
        first, second = found.items[:2]
        assert (first.id, first.name, first.app_id) == ("4284666526576951869", "Black Bandana", 252490)
        assert first.offer == Money(Decimal("12.98"), "RUB")
        assert found.merchant_prices[first.id] == MerchantPrice(Money(Decimal("0.07")), Money(Decimal("6.49"), "RUB"))
        assert (len(found.merchant_prices), found.credits_known) == (17, True)
        assert (first.tradable, first.refusal, first.market_price) == (True, None, None)
        assert first.icon_hash is not None
        assert first.icon_hash.startswith("6TMcQ7eX6E0EZl2byXi7vaVKyDk_zQLX05x6eLCFM9neAckx")
        assert (second.name, second.refusal) == ("Forest Camo Pants", Refusal.DISABLED)
        assert (found.provider, found.owner) == (ProviderName.SKINSBACK, SteamId.from_account_id(12345))
        assert (found.updated_at, found.collateral, found.owner_certain) == (clock.now(), None, True)

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"item": {"asset_id": "1"}}, None),
            ({"item": {"asset_id": "1", "tradable": 0}, "disabled": True}, Refusal.NOT_TRADABLE),
            ({"disabled": True}, Refusal.DISABLED),
            ({"disabled": 1, "price": None}, Refusal.DISABLED),
            ({"price": None}, Refusal.NO_OFFER),
        ],
    )
    async def test_acceptance(self, provider, server, query, fields, refusal):
        """Not tradable, disabled, and without a price are three reasons."""
        server.script = in_turn(items(entry(**fields)))

        assert (await provider().look_up(query())).items[0].refusal == refusal

    @pytest.mark.parametrize(
        ("first", "second", "currency", "offers"),
        [
            ({"multiplied_price_local": 3}, {"multiplied_price_local": "4.50"}, "eur", ["3 EUR", "4.50 EUR"]),
            ({"multiplied_price_local": 3}, {}, "eur", ["3 EUR", None]),
            (
                {"multiplied_price_local": 3},
                {"multiplied_price_local": "N/A", "price_local": 2},
                "eur",
                ["3 EUR", None],
            ),
            ({"multiplied_price_local": 3, "price": "N/A"}, {"price": -1}, "eur", ["3 EUR", None]),
            ({"price_local": 2}, {"multiplied_price_local": None}, "eur", ["1 USD", "1 USD"]),
            ({"price_local": 2}, {"multiplied_price_local": -1}, "eur", ["1 USD", "1 USD"]),
            ({"multiplied_price_local": 3}, {"multiplied_price_local": 4}, None, ["1 USD", "1 USD"]),
            ({"multiplied_price_local": 3}, {"multiplied_price_local": 4}, "<b>", ["1 USD", "1 USD"]),
            ({"multiplied_price_local": 3}, {"price": "N/A"}, 5, ["1 USD", None]),
            ({}, {"price": None}, "eur", ["1 USD", None]),
        ],
    )
    async def test_offers(self, provider, server, query, first, second, currency, offers):
        """The shop credits the multiplied price; if no item has one, only SkinsBack's own price is known."""
        server.script = in_turn(items(entry(**first), entry("2", **second), currency_local=currency))

        found = await provider(currency="eur").look_up(query())

        paid = [item.offer and f"{item.offer.amount} {item.offer.currency}" for item in found.items]
        assert paid == offers
        assert [item.refusal for item in found.items] == [None if offer else Refusal.NO_OFFER for offer in offers]
        assert found.credits_known is ("EUR" in offers[0])
        assert found.credits_known or not found.merchant_prices

    async def test_filter(self, provider, server, query):
        """SkinsBack has no filter: items are filtered and sorted here."""
        server.script = in_turn(
            items(
                entry("1", name="AK-47", price=3),
                entry("2", name="AK-47", price=9),
                entry("3", name="AWP", price=5),
                entry("4", name="ak-47 x", price=2),
            )
        )

        found = await provider().look_up(query(search="ak", max_price=Decimal(5), sort=Sort.PRICE_ASC))

        assert ([item.id for item in found.items], found.total) == (["4", "1"], 2)

    async def test_stickers(self, provider, server, query):
        """Stickers with a name are read."""
        server.script = in_turn(items(entry(stickers=[{"name": "S", "wear": 0.1}, "T", {"slot": 1}])))

        assert [sticker.name for sticker in (await provider().look_up(query())).items[0].stickers] == ["S"]

    @pytest.mark.parametrize(
        ("document", "place"),
        [
            ({"status": "ok", "data": {"items": []}}, "status"),
            ({"status": "success"}, "data"),
            ({"status": "success", "data": {}}, "data.items"),
            ({"status": "success", "data": {"items": "CANARY"}}, "data.items"),
            ({"status": "success", "data": {"items": {"first": entry()}}}, "data.items"),
        ],
    )
    async def test_nonsense(self, provider, server, query, failure_of, document, place):
        """A wrong value is named by its place."""
        server.script = in_turn(as_json(document))

        failure = await failure_of(provider().look_up(query()))

        assert (failure.kind, failure.place) == (FailureKind.NONSENSE, place)


class TestErrors:
    """Refusals."""

    @pytest.mark.parametrize("status", [200, 429, 500])
    async def test_seed(self, provider, server, seed, query, failure_of, status):
        """The seed's error has its number, key and method, with any HTTP status."""
        server.script = in_turn(as_json(seed("003_error"), status, retry_after="5"))

        failure = await failure_of(provider().look_up(query()))

        assert (failure.kind, failure.code, failure.key) == (FailureKind.REFUSED, 4, "invalid_currency")
        assert (failure.method, failure.http_status) == ("user_inventory", status)
        assert failure.retry_after == timedelta(seconds=5)

    @pytest.mark.parametrize(
        ("code", "message", "facts"),
        [
            ("-7", "request_limit_reached", (-7, "request_limit_reached", None)),
            (None, "user_not_tradable", (None, "user_not_tradable", None)),
            (5, None, (5, None, None)),
            ("?", "Sorry: no", (None, None, "Sorry: no")),
            (3, "bad token ABCDEFGH of CANARY-secret", (3, None, "bad token •••• of ••••")),
        ],
    )
    async def test_variants(self, provider, server, query, failure_of, code, message, facts):
        """A number may be a text, either may be missing, and a sentence is no key."""
        server.script = in_turn(as_json({"status": "error", "error_code": code, "error_message": message}))

        failure = await failure_of(provider().look_up(query()))

        assert (failure.code, failure.key, failure.message) == facts
