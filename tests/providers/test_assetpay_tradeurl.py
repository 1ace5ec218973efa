"""AssetPay's check of a trade URL: its states and facts, and no answer about another account."""

import json

import pytest

from bot.domain.failures import Dialect, FailureKind, ProviderName, TradeUrlCheck
from bot.domain.secrets import Secret
from bot.providers.assetpay_tradeurl import AssetPayTradeUrls
from bot.providers.explanations import Catalogue
from bot.ui.failure_details import raw_details, readable_details
from tests.providers.assetpay_fake import KEY, OWNER, FakeAssetPay, refused, said
from tests.providers.conftest import TRADE_URL
from tests.support.loopback import in_turn

URL = TRADE_URL.canonical()


@pytest.fixture
def checker(connect):
    return AssetPayTradeUrls(connect(ProviderName.ASSETPAY), Secret(KEY))


async def test_request(checker, server):
    """The body holds the trade URL in AssetPay's spelling and nothing else."""
    server.script = FakeAssetPay(check={"state": 1, "message": "Normal", "steamid": str(OWNER), "canTrade": True})

    found = await checker.check(TRADE_URL)

    (asked,) = server.requests
    assert (asked.method, asked.target, asked.header("api-key")) == ("POST", "/secure/check-tradeurl", KEY)
    assert json.loads(asked.body) == {"tradeurl": URL}
    assert found == TradeUrlCheck("1", (("canTrade", "true"), ("message", "Normal")))


@pytest.mark.parametrize(
    ("data", "state", "said_of_it"),
    [
        ({"state": 2, "bans": {"vacBanned": True, "gameBans": 1, "economyBan": "none"}}, "2",
         ["The Steam account has a VAC ban.", "The Steam account has 1 game ban."]),
        ({"state": "9", "canTrade": False, "reason": {"escrowDays": 15, "probation": True}}, "9",
         ["Steam would hold the trade for 15 days.", "Steam has put the account on probation for trading."]),
        ({"state": 4, "bans": {"economyBan": "banned"}, "reason": None}, "4",
         ["Steam has banned the account from trading."]),
        ({"state": 6, "steamid": None, "reason": [], "bans": "none", "canTrade": {}}, "6", []),
        ({"state": 11, "steamid": ""}, "11", []),
    ],
)  # fmt: skip
async def test_facts(checker, server, data, state, said_of_it):
    """The state is the catalogue's word; bans and escrow days have sentences; missing and odd facts are left out."""
    server.script = in_turn(said(data))

    found = await checker.check(TRADE_URL)

    assert found.state == state
    assert readable_details(found.details) == said_of_it


def test_states():
    """Each documented state has an explanation."""
    found = [
        Catalogue.load().status(Dialect.ASSETPAY, str(state), kind="tradeurl_check").known for state in range(1, 12)
    ]

    assert found == [True] * 10 + [False]


async def test_message(checker, server, caplog):
    """AssetPay's message is for staff, without the trade token."""
    token = TRADE_URL.token.reveal()
    server.script = in_turn(
        said({"state": 8, "message": f"failed for {URL} with {token} and {KEY}", "canTrade": f"{URL}"})
    )

    found = await checker.check(TRADE_URL)

    assert "failed for https" in raw_details(found.details)
    for secret in (token, KEY):
        assert secret not in repr(found) + caplog.text


@pytest.mark.parametrize(
    ("reply", "kind", "place"),
    [
        (said({"state": 1, "steamid": "76561198000000000"}), FailureKind.NONSENSE, "data.steamid"),
        (said({"state": None}), FailureKind.NONSENSE, "data.state"),
        (said({"state": "good"}), FailureKind.NONSENSE, "data.state"),
        (said([]), FailureKind.NONSENSE, "data"),
        (refused(1001, "VALIDATION_FAILED", message=URL), FailureKind.REFUSED, None),
        (refused(1908, "INSUFFICIENT_SCOPE", 403), FailureKind.REFUSED, None),
        (refused(1005, "RATE_LIMITED", 429), FailureKind.THROTTLED, None),
    ],
)
async def test_failures(checker, server, failure_of, reply, kind, place):
    """A refused check and an answer about another account are failures, without the token."""
    server.script = in_turn(reply)

    failure = await failure_of(checker.check(TRADE_URL))

    assert (failure.kind, failure.place) == (kind, place)
    assert TRADE_URL.token.reveal() not in repr(failure)
