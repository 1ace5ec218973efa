"""SkinsBack's ``orders``: one walk for all callers."""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from bot.domain.access import WATCHES, Caller, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind
from bot.domain.health import ProviderState
from bot.domain.steam import SteamId
from bot.domain.trades import TradeQuery, TradeReference
from bot.providers.rate_limits import SlidingWindow
from bot.providers.skinsback_orders import MOST_PAGES, Orders
from bot.providers.skinsback_source import SkinsBackDeposits
from bot.worker import current_person
from tests.providers.skinsback_shop import NOW, OTHER, OWNER, ShopServer, form_of, page, row, shop_of
from tests.support.loopback import content, hang, runs_out

ACCOUNT = SteamId.parse(OWNER)
DAY = 24 * 3600


@pytest.fixture
async def source(connect):
    """Make sources and close them."""
    made = []

    def make(auth="headers", limits=None):
        made.append(SkinsBackDeposits(*shop_of(partial(connect, windows=limits), auth)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def ids(reading) -> list[str]:
    return [trade.id for trade in reading.trades]


@pytest.mark.parametrize("auth", ["headers", "signature"])
async def test_request(source, server, auth):
    """The window of 14 days is asked for in UNIX seconds, and further pages by the last answer's ``start_from``."""
    server.script = ShopServer(row(1), row(2), row(3), row(4, date=NOW - 15 * DAY), page=2)

    reading = await source(auth).read(TradeQuery(account=ACCOUNT))

    assert ids(reading) == ["1", "2", "3"]
    assert (reading.since.timestamp(), reading.is_cut, reading.knows_offers) == (NOW - 14 * DAY, False, False)
    window = {"method": "orders", "starting": str(NOW - 14 * DAY), "ending": str(NOW)}
    first, second = ({name: form[name] for name in form if name not in ("shopid", "sign")} for form in asked(server))
    assert (first, second) == (window, window | {"start_from": "2"})


def asked(server) -> list[dict[str, str]]:
    return [form_of(request) for request in server.requests]


async def test_one_walk_serves_all(source, server, clock):
    """50 callers at once are three calls for 2,500 orders, none within the minute after its end, and three later.

    Staff join what a customer began, because it waits in no customer's place.
    """
    accounts = [SteamId.from_account_id(number) for number in range(1, 51)]
    server.script = shop = ShopServer(*(row(n, steam_id=str(accounts[n % 50])) for n in range(2_500)))
    deposits = source()

    async def read(number: int):
        with on_behalf_of(Caller(number, is_staff=number > 40)):
            return await deposits.read(TradeQuery(account=accounts[number]))

    shop.on_request = lambda: clock.advance(seconds=30)
    readings = await asyncio.gather(*map(read, range(50)))
    shop.on_request = lambda: None
    assert len(server.requests) == 3
    assert [{trade.owner for trade in each.trades} for each in readings] == [{account} for account in accounts]
    assert {len(each.trades) for each in readings} == {50}

    clock.advance(seconds=59)
    await asyncio.gather(*map(read, range(50)))
    assert len(server.requests) == 3

    clock.advance(seconds=1)
    await asyncio.gather(*map(read, range(50)))
    assert len(server.requests) == 6


async def test_turn(connect, server):
    """A walk's pages are read on the worker in SkinDesk's turn, not in that of the caller who began it."""
    server.script = ShopServer(row(1))
    persons = []
    current_person.set(7)

    await Orders(*shop_of(connect, "headers", lambda *_, **__: persons.append(current_person.get()))).read()

    assert persons == [None]


async def test_whose(source, server):
    """An account's reading has its deposits and those without a readable account, everyone's has all."""
    server.script = ShopServer(row(1), row(2, steam_id=OTHER), row(3, steam_id=None), row(4, status=None))
    deposits = source()

    own, everyones = [await deposits.read(TradeQuery(account=account)) for account in (ACCOUNT, None)]

    assert (ids(own), ids(everyones)) == (["1", "3"], ["1", "2", "3"])
    assert [(row.place, row.owner) for row in own.unread] == [("items[3]", ACCOUNT)]


async def test_failure(connect, source, server, clock, failure_of):
    """A failed walk is one try for all who wait; others get its failure for ten seconds, without a call."""
    shop, resilience = shop_of(connect)
    deposits = SkinsBackDeposits(shop, resilience)
    server.script = ShopServer(row())
    server.script.replies = [content(b"<html>")]

    async def read(number: int):
        with on_behalf_of(Caller(number, is_staff=False)):
            return await failure_of(deposits.read(TradeQuery()))

    failures = await asyncio.gather(*map(read, range(50)))
    assert {failure.kind for failure in failures} == {FailureKind.NONSENSE}
    clock.advance(seconds=4)
    failure = await read(1)
    assert failure.kind is FailureKind.NONSENSE
    assert (failure.retry_after, failure.took) == (timedelta(seconds=6), None)
    assert len(server.requests) == 1
    assert (await resilience.health()).state is ProviderState.FAILING
    clock.advance(seconds=6)
    assert ids(await deposits.read(TradeQuery())) == ["1"]


async def test_failure_after_a_page(source, server, clock, failure_of):
    """Pages read before a failure serve the callers who waited, and no later ones."""
    server.script = ShopServer(row(1), row(2), page=1)
    server.script.replies = [page([row(1)], has_more=True, start_from=1), content(b"<html>")]
    deposits = source()

    readings = await asyncio.gather(*(deposits.read(TradeQuery()) for _ in range(3)))

    for reading in readings:
        assert (ids(reading), reading.is_cut, reading.failure.kind) == (["1"], True, FailureKind.NONSENSE)
    assert (await failure_of(deposits.read(TradeQuery()))).kind is FailureKind.NONSENSE
    clock.advance(seconds=10)
    assert ids(await deposits.read(TradeQuery())) == ["1", "2"]


async def test_deadline(connect, server):
    """A walk that takes too long ends with what was read by then."""
    server.script = ShopServer()
    server.script.replies = [page([row(1)], has_more=True, start_from=1), runs_out(hang)]
    orders = Orders(*shop_of(connect), deadline=timedelta(seconds=13))

    found = await orders.read()

    assert ([trade.id for trade in found.of(None)], found.is_cut) == (["1"], True)
    assert found.failure is not None
    assert found.failure.kind is FailureKind.TIMED_OUT


LIES = {
    "more-forever": ([page([row(1)], has_more=True, start_from=5)] * 9, 2, True),
    "same-start": ([page([row(n)], has_more=True, start_from=5) for n in range(9)], 2, True),
    "no-start": ([page([row(1)], has_more=True)], 1, True),
    "start-at-0": ([page([row(1)], has_more=True, start_from=0)], 1, True),
    "nothing": ([page([row(1)], has_more=True, start_from=1), page([], has_more=True, start_from=2)], 2, True),
    "all-there": ([page([row(1)], has_more=True, start_from=n, total_count="1") for n in (1, 2)], 2, False),
    "texts": ([page([row(1)], has_more="1", start_from="c", total_count="2"), page([row(2)], has_more="0")], 2, False),
    "count-only": ([page([row(1)], start_from=1, total_count=2), page([row(2)], total_count=2)], 2, False),
    "odd-values": ([page([row(1)], has_more={}, start_from=False, total_count="x")], 1, False),
    "php-list": ([page({"0": row(1), "2": row(2)})], 1, False),
    "null": ([page(None, has_more=False)], 1, False),
}


@pytest.mark.parametrize(("replies", "calls", "is_cut"), LIES.values(), ids=LIES)
async def test_pages(source, server, replies, calls, is_cut):
    """A walk ends with pages that lead nowhere; it says whether the list is cut, and has each deposit once."""
    server.script = ShopServer()
    server.script.replies = list(replies)

    reading = await source().read(TradeQuery())

    assert (len(server.requests), reading.is_cut) == (calls, is_cut)
    assert len(set(ids(reading))) == len(ids(reading))


async def test_bound(source, server):
    """A walk has at most 50 pages."""
    endless = count(1)
    server.script = lambda _: page([row(number := next(endless))], has_more=True, start_from=number)

    reading = await source().read(TradeQuery())

    assert (len(server.requests), len(reading.trades), reading.is_cut) == (MOST_PAGES, MOST_PAGES, True)


@pytest.mark.parametrize(
    ("reply", "place"),
    [(page("CANARY"), "items"), (page({"first": row()}), "items"), (content(b'{"status":"success"}'), "items")],
)
async def test_nonsense(source, server, failure_of, reply, place):
    """An answer without a list is named by its place."""
    server.script = lambda _: reply

    failure = await failure_of(source().read(TradeQuery()))

    assert (failure.kind, failure.place) == (FailureKind.NONSENSE, place)


async def test_cancelled_caller(source, server):
    """The walk goes on without the caller who began it; closing ends it."""
    arrived, answer = asyncio.Event(), asyncio.Event()
    server.script = shop = ShopServer(row(1))
    shop.on_request = arrived.set

    async def late(writer) -> bool:
        await answer.wait()
        return await page([row(1)])(writer)

    shop.replies = [late]
    deposits = source()
    first, second = (asyncio.create_task(deposits.read(TradeQuery())) for _ in range(2))
    await arrived.wait()
    first.cancel()
    answer.set()
    assert ids(await second) == ["1"]

    closed = source()
    arrived.clear()
    shop.replies = [hang]
    third = asyncio.create_task(closed.read(TradeQuery()))
    await arrived.wait()
    await closed.close()
    with pytest.raises(asyncio.CancelledError):
        await third


async def test_watched_trades_leave_the_reserve(source, server, clock):
    """Watched trades leave the staff's reserve alone, and their refusal is no other caller's failure."""
    server.script = ShopServer(row(1))
    deposits = source(limits={("POST", ""): SlidingWindow("requests", 5, timedelta(minutes=1), clock)})
    for number in (1, 2):
        with on_behalf_of(Caller(number, is_staff=False)):
            await deposits.read(TradeQuery(reference=TradeReference("1")))
            await deposits.read(TradeQuery(reference=TradeReference("1")))

    with on_behalf_of(WATCHES), pytest.raises(ProviderError) as refused:
        await deposits.read(TradeQuery())
    assert refused.value.failure.kind is FailureKind.RATE_LIMITED_LOCALLY
    assert len(server.requests) == 4
    assert ids(await deposits.read(TradeQuery())) == ["1"]
    with on_behalf_of(WATCHES):
        assert ids(await deposits.read(TradeQuery())) == ["1"], "kept"
