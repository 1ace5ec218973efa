"""AssetPay's GET /secure/inventory, byte for byte as seed 000 has it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.inventory import Refusal, Sort
from bot.domain.money import Money
from bot.domain.secrets import Secret
from bot.domain.steam import Game, SteamId
from bot.providers.assetpay import AssetPaySecure
from tests.support.loopback import as_json, in_turn

TARGET = (
    "/secure/inventory?tradeUrl=https%3A%2F%2Fsteamcommunity.com%2Ftradeoffer%2Fnew%2F"
    "%3Fpartner%3D12345%26token%3DABCDEFGH&game="
)


@pytest.fixture
def provider(connect):
    return AssetPaySecure(connect(ProviderName.ASSETPAY), Secret("ap_CANARY"))


def inventory(*items, **data):
    """Wrap items in the envelope; without ``data`` there are only the items."""
    return as_json({"requestId": "r-1", "success": True, "data": {"inventory": list(items), **data}})


class TestRequest:
    """Requests."""

    async def test_plain(self, provider, server, seed, query):
        """The seed's request, with pagination off so that one call has everything."""
        server.script = in_turn(as_json(seed("000_secure_inventory")))

        await provider.look_up(query())

        (request,) = server.requests
        assert (request.method, request.target) == ("GET", TARGET + "730&page=1&limit=-1")
        assert ("api-key", "ap_CANARY") in request.headers

    @pytest.mark.parametrize(
        ("wanted", "target"),
        [
            ({"game": Game.RUST}, "252490&page=1&limit=-1"),
            ({"refresh": True}, "730&refresh=true&page=1&limit=-1"),
            ({"search": "AK-47 | é"}, "730&search=AK-47%20%7C%20%C3%A9&page=1&limit=-1"),
            ({"sort": Sort.PRICE_ASC}, "730&sort=priceAsc&page=1&limit=-1"),
            ({"sort": Sort.NAME_DESC}, "730&sort=nameDesc&page=1&limit=-1"),
            (
                {"min_price": Decimal("1E+2"), "max_price": Decimal("200.50")},
                "730&minPrice=100&maxPrice=200.50&page=1&limit=-1",
            ),
        ],
    )
    async def test_options(self, provider, server, query, wanted, target):
        """An option is sent only when it is set, in the seed's words and order."""
        server.script = in_turn(inventory())

        await provider.look_up(query(**wanted))

        assert server.requests[0].target == TARGET + target


class TestAnswer:
    """Inventories."""

    async def test_seed(self, provider, server, seed, query):
        """The seed's sample reads as the values it shows."""
        server.script = in_turn(as_json(seed("000_secure_inventory")))

        found = await provider.look_up(query())

        (item,) = found.items
        assert (item.id, item.name) == ("a1b2c3d4-...", "AK-47 | Redline")
        assert (item.market_hash_name, item.app_id) == ("AK-47 | Redline (Field-Tested)", 730)
        assert (item.offer, item.market_price) == (Money(Decimal("10.75")), Money(Decimal("12.5")))
        assert (item.tradable, item.refusal, item.accepted) == (True, None, True)
        assert (item.exterior, item.wear, item.stickers) == ("Field-Tested", Decimal("0.25432"), ())
        assert (item.kind, item.rarity, item.colour, item.icon_hash, item.amount) == (None, None, None, None, 1)
        assert (found.provider, found.game) == (ProviderName.ASSETPAY, Game.CS2)
        assert found.owner == SteamId.from_account_id(12345)
        assert (found.total, found.updated_at) == (47, datetime(2026, 5, 14, 12, tzinfo=UTC))
        assert (found.collateral, found.owner_certain) == (Money(Decimal(0)), True)

    async def test_bare_items(self, provider, server, query, clock):
        """Everything but an item's id may be missing."""
        server.script = in_turn(inventory({"id": "1"}, {"id": 2, "offer": None, "stickers": None, "tradable": None}))

        found = await provider.look_up(query())

        assert [(item.id, item.name, item.refusal) for item in found.items] == [
            ("1", "1", Refusal.NO_OFFER),
            ("2", "2", Refusal.NO_OFFER),
        ]
        assert (found.total, found.updated_at, found.collateral) == (2, clock.now(), None)

    @pytest.mark.parametrize(
        ("item", "refusal"),
        [
            ({"offer": {"price": 1, "accepted": True}}, None),
            ({"offer": {"price": "1.00"}, "accepted": True}, None),
            ({"offer": {"price": 1, "accepted": False}, "accepted": True}, Refusal.NO_OFFER),
            ({"offer": {"price": 1, "accepted": None}, "accepted": True}, None),
            ({"offer": {"price": 1}}, Refusal.NO_OFFER),
            ({"offer": {"accepted": True}}, Refusal.NO_OFFER),
            ({"offer": {"price": 1, "accepted": True, "maxAmount": 0}}, Refusal.NO_OFFER),
            ({"accepted": True}, Refusal.NO_OFFER),
            ({"tradable": 0, "offer": {"price": 1, "accepted": True}}, Refusal.NOT_TRADABLE),
        ],
    )
    async def test_acceptance(self, provider, server, query, item, refusal):
        """Acceptance is the offer's, else the item's, else a no; without a price there is no offer."""
        server.script = in_turn(inventory({"id": "1", **item}))

        assert (await provider.look_up(query())).items[0].refusal == refusal

    async def test_decoration(self, provider, server, query):
        """Optional fields are read in any documented spelling, and count as missing if they cannot be read."""
        fine = {"wear": 0.5, "paintSeed": "7", "previewToken": "cert", "color": "#d32ce6", "stickers": [{"name": "S"}]}
        odd: dict[str, object] = {
            "wear": "new",
            "paintSeed": [],
            "propId": [],
            "color": "red",
            "stickers": [None, {}, {"name": {}}],
        }
        odd |= {"type": {"name": "Rifle"}, "rarity": [], "exterior": "", "iconUrl": False, "appid": "x"}
        server.script = in_turn(inventory({"id": "1", **fine}, {"id": "2", **odd, "unknown": {"a": []}}))

        one, two = (await provider.look_up(query())).items

        assert (one.wear, one.paint_seed, one.inspect_certificate, one.colour) == (Decimal("0.5"), 7, "cert", 0xD32CE6)
        assert [sticker.name for sticker in one.stickers] == ["S"]
        assert (two.wear, two.paint_seed, two.inspect_certificate, two.colour) == (None, None, None, None)
        assert (two.stickers, two.kind, two.rarity, two.exterior, two.icon_hash) == ((), None, None, None, None)

    @pytest.mark.parametrize("moment", [None, "soon", -5, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
    async def test_no_moment(self, provider, server, query, clock, moment):
        """Without a readable time the inventory is from now."""
        server.script = in_turn(inventory(updatedAt=moment))

        assert (await provider.look_up(query())).updated_at == clock.now()

    async def test_order(self, provider, server, query):
        """Items are sorted as requested, in any order they come."""
        items = [{"id": str(price), "offer": {"price": price, "accepted": True}} for price in (2, 3, 1)]
        server.script = in_turn(inventory(*items))

        found = await provider.look_up(query(sort=Sort.PRICE_DESC))

        assert [item.id for item in found.items] == ["3", "2", "1"]

    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (None, "data"),
            ("CANARY", "data"),
            ({}, "data.inventory"),
            ({"count": 5}, "data.inventory"),
            ({"inventory": "CANARY"}, "data.inventory"),
            ({"inventory": {"first": {"id": "1"}}}, "data.inventory"),
        ],
    )
    async def test_nonsense(self, provider, server, query, failure_of, data, place):
        """A wrong value is named by its place and never quoted."""
        server.script = in_turn(as_json({"success": True, "data": data}))

        failure = await failure_of(provider.look_up(query()))

        assert (failure.kind, failure.place) == (FailureKind.NONSENSE, place)


class TestErrors:
    """Refusals."""

    def refusal(self, status=424, **error):
        return as_json({"requestId": "req-9", "success": False, "error": error}, status, retry_after="30")

    @pytest.mark.parametrize("status", [200, 400, 424, 500])
    async def test_envelope(self, provider, server, query, failure_of, status):
        """An envelope decides, with any HTTP status."""
        server.script = in_turn(self.refusal(status, code=31, key="STEAM_UNAVAILABLE", message="Try again"))

        failure = await failure_of(provider.look_up(query()))

        assert (failure.kind, failure.code, failure.key) == (FailureKind.REFUSED, 31, "STEAM_UNAVAILABLE")
        assert (failure.message, failure.http_status, failure.request_id) == ("Try again", status, "req-9")
        assert failure.retry_after == timedelta(seconds=30)

    async def test_messages(self, provider, server, query, failure_of):
        """Several messages are joined, and what the error names besides is kept; secrets in both are masked."""
        url = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=OTHERONE is wrong"
        facts = {
            "escrowDays": 15,
            "bans": {"vacBanned": True, "economyBan": "none"},
            "items": [{"quoted": 1.5}],
            "x": None,
        }
        said = ["first ABCDEFGH", "second ap_CANARY", 5]
        server.script = in_turn(
            self.refusal(code=1001, key="VALIDATION_FAILED", message=said, fields={"tradeUrl": url}, details=facts),
            self.refusal(message="no", details={"ap_CANARY": "x" * 9_000, **{str(n): n for n in range(50)}}),
        )

        one, two = [await failure_of(provider.look_up(query())) for _ in range(2)]

        assert one.message == "first ••••; second ••••"
        assert one.details == (
            ("tradeUrl", "https://steamcommunity.com/tradeoffer/new/?partner=1&token=•••• is wrong"),
            ("escrowDays", "15"), ("bans.vacBanned", "true"), ("bans.economyBan", "none"), ("items[0].quoted", "1.5"),
        )  # fmt: skip
        assert (len(two.details), two.details[:2]) == (20, (("••••", "x" * 200), ("0", "0")))

    async def test_throttled(self, provider, server, query, failure_of):
        """The key for too many requests is throttling; another refusal with HTTP 429 is not (providers.md, 1.7)."""
        server.script = in_turn(
            self.refusal(429, code=1005, key="RATE_LIMITED"), self.refusal(429, code=6, key="TOO_MANY_ACTIVE_TRADES")
        )

        kinds = [(await failure_of(provider.look_up(query()))).kind for _ in range(2)]

        assert kinds == [FailureKind.THROTTLED, FailureKind.REFUSED]

    async def test_odd_error(self, provider, server, query, failure_of):
        """A code may be a text, and a key that is a sentence is not passed on as a key."""
        server.script = in_turn(self.refusal(code="7", key="not a key", message=None))

        failure = await failure_of(provider.look_up(query()))

        assert (failure.kind, failure.code, failure.key, failure.message) == (FailureKind.REFUSED, 7, None, None)
