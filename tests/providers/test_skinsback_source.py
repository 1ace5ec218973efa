"""One SkinsBack deposit by its number: ``orderstatus``."""

import pytest

from bot.domain.failures import FailureKind
from bot.domain.steam import SteamId
from bot.domain.trades import TradeQuery, TradeReference
from bot.providers.skinsback_source import SkinsBackDeposits
from tests.providers.skinsback_shop import OTHER, OWNER, ShopServer, error, form_of, row, shop_of
from tests.support.loopback import as_json, content

ACCOUNT = SteamId.parse(OWNER)
NOT_FOUND = error(4, "transaction_not_found")


def asked(server) -> list[tuple[str, str]]:
    """Return the parameters that named a deposit."""
    forms = [form_of(request) for request in server.requests]
    assert {form.pop("method") for form in forms} == {"orderstatus"}
    return [next((name, form[name]) for name in form if name.endswith("_id")) for form in forms]


@pytest.fixture
def read(connect):
    async def read_named(text: str = "7", account: SteamId | None = ACCOUNT, auth="headers"):
        source = SkinsBackDeposits(*shop_of(connect, auth))
        query = TradeQuery(account=account, reference=TradeReference(text))
        assert source.lacks(query) is None
        return await source.read(query)

    return read_named


@pytest.mark.parametrize("auth", ["headers", "signature"])
@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("7", [("transaction_id", "7")]),
        ("shop-7", [("transaction_id", "shop-7"), ("order_id", "shop-7")]),
        ("ä &/+%", [("transaction_id", "ä &/+%"), ("order_id", "ä &/+%")]),
    ],
)
async def test_numbers(read, server, auth, text, calls):
    """A deposit is found by SkinsBack's number, then by the shop's; what is unknown is no error."""
    server.script = ShopServer(row(5), row(7, "success"))

    reading = await read(text, auth=auth)

    assert [trade.id for trade in reading.trades] == (["7"] if "7" in text else [])
    assert (asked(server), reading.unread, reading.since, reading.knows_offers) == (calls, (), None, False)


@pytest.mark.parametrize(
    ("account", "found"), [(None, ["7"]), (ACCOUNT, ["7"]), (SteamId.parse(OTHER), ["7", "8"])], ids=str
)
async def test_same_number_twice(read, server, account, found):
    """The shop's number is tried, too, if SkinsBack's is another account's: numbers of both kinds can be alike."""
    server.script = ShopServer(row(7), row(8, order_id="7", steam_id=OTHER))

    assert [trade.id for trade in (await read(account=account)).trades] == found


@pytest.mark.parametrize(
    "refusal",
    [
        error(2, "invalid_order_id"),
        error("3", "invalid_transaction_id"),
        NOT_FOUND,
        error("4", None),
        error(9, "invalid_order_id"),
    ],
)
async def test_not_found(read, server, refusal):
    """The refusals of an unknown number mean that the other number is tried."""
    server.script = ShopServer(row("x", order_id="7"))
    server.script.replies = [refusal]

    assert [trade.id for trade in (await read()).trades] == ["x"]


@pytest.mark.parametrize(
    ("reply", "facts"),
    [
        (error(1, "order_id_or_transaction_id_missing"), (FailureKind.REFUSED, 1, None, None)),
        (error(4, "under_maintenance"), (FailureKind.REFUSED, 4, None, None)),
        (error(-7, "request_limit_reached"), (FailureKind.THROTTLED, -7, None, None)),
        (error("-7", None), (FailureKind.THROTTLED, -7, None, None)),
        (error(5, "no: &token=CANARY12 CANARY-secret"), (FailureKind.REFUSED, 5, "no: &token=•••• ••••", None)),
        (as_json({"status": "success"}), (FailureKind.NONSENSE, None, None, "transaction_id")),
        (content(b"<html>", 403), (FailureKind.BLOCKED, None, None, None)),
    ],
)
async def test_failures(read, server, failure_of, reply, facts):
    """Every other refusal is a failure, explained by its key or by its number for this method."""
    server.script = lambda _: reply

    failure = await failure_of(read())

    assert (failure.kind, failure.code, failure.message, failure.place) == facts
    assert failure.method == (None if failure.code is None else "orderstatus")


async def test_other_deposit(read, server):
    """A deposit that has neither number is not shown, and counted; nor is one without its status."""
    server.script = ShopServer()
    server.script.replies = [as_json(row(8)), as_json(row(7, None))]

    reading = await read()

    assert reading.trades == ()
    assert [row.owner for row in reading.unread] == [None, ACCOUNT]
