"""What several processes share of a provider's limits, and what becomes of a call that cannot be counted."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta

import psycopg
import pytest

from bot.domain.errors import DatabaseUnavailable
from bot.domain.failures import FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.ports.windows import CallRequest
from bot.providers.rate_limits import MINUTE
from bot.providers.shared_windows import Names, SharedWindow
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.windows import PostgresWindows
from tests.fakes.clock import FakeClock
from tests.providers.pressing import LIMIT, CountingProvider, pressing
from tests.support import postgres
from tests.support.loopback import as_json

ROUTE = ("GET", "/x")


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


def window(database: PostgresDatabase, *, key: str = "key", limit: int = 2) -> SharedWindow:
    names = Names(Secret(key))
    shared = PostgresWindows(database)
    within = timedelta(seconds=13)
    return SharedWindow("x", limit, MINUTE, FakeClock(), shared=shared, names=names, route=ROUTE, within=within)


async def test_two_processes_press_a_limit(url: str) -> None:
    """Two processes that ask as often as they may never make more calls in a period than its limit."""
    per, seconds = 1.0, 8.0
    async with CountingProvider() as provider, AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(pressing(url, provider, seconds=seconds, per=per)) for _ in range(2)
        ]
        made = [int((await process.communicate())[0]) for process in processes]

    assert provider.most_in(per) <= LIMIT
    assert sum(made) == len(provider.arrived) > 2 * LIMIT
    assert min(made) > 0


async def test_counted_one_after_another(url: str) -> None:
    """A call is not decided while another process is about to count one of the same window."""
    request = CallRequest(window=b"window", per=MINUTE, within=MINUTE, limit=1)
    count = "SELECT decide_call('window', NULL, NULL, true, 1, 0, '1 minute', '1 minute', true)"
    async with PostgresDatabase.open(url) as mine:
        with psycopg.connect(url) as theirs:
            theirs.execute(count)
            deciding = asyncio.create_task(PostgresWindows(mine).take(request))
            await asyncio.sleep(0.3)
            assert not deciding.done()
        assert (await deciding).wait > timedelta(0)


async def test_what_is_shared(url: str, connect, failure_of) -> None:
    """A call and a wait that a provider asked for count in every process with the same credential, in no other."""
    async with PostgresDatabase.open(url) as mine, PostgresDatabase.open(url) as theirs:
        ours, other = window(mine), window(theirs)
        transports = [connect(ProviderName.ASSETPAY, windows={ROUTE: each}) for each in (ours, other)]
        await transports[0].request(*ROUTE)
        assert (await other.quota()).left == 1
        assert (await window(theirs, key="other").quota()).left == 2
        await ours.block(timedelta(seconds=30))
        failure = await failure_of(transports[1].request(*ROUTE))
        assert failure.kind is FailureKind.RATE_LIMITED_LOCALLY
        assert timedelta(seconds=25) < failure.retry_after <= timedelta(seconds=30)


async def test_killed_while_it_called(url: str) -> None:
    """The calls of a process that died in them count as long as they could have lasted."""
    still = postgres.with_still_clock(url)
    async with PostgresDatabase.open(still) as mine, PostgresDatabase.open(still) as theirs:
        ours, other = window(mine), window(theirs)
        async with ours.call(), ours.call():
            await mine.run(postgres.LET_PASS, {"by": timedelta(seconds=72.99)})
            assert (await other.quota()).left == 0
            await mine.run(postgres.LET_PASS, {"by": timedelta(seconds=0.02)})
            assert (await other.quota()).left == 2


async def test_database_lost(server, connect) -> None:
    """Without the database no call is made: the caller hears that it is unavailable. An answer is not lost by it."""
    with postgres.own_server() as database_server:
        async with PostgresDatabase.open(database_server.url()) as database:
            transport = connect(ProviderName.ASSETPAY, windows={ROUTE: window(database)})

            def throttled(_: object) -> object:
                database_server.stop(mode="immediate")
                return as_json({}, 429, retry_after="5")

            server.script = throttled
            assert (await transport.request(*ROUTE)).status == 429
            asked = len(server.requests)
            for _ in range(2):
                with pytest.raises(DatabaseUnavailable):
                    await transport.request(*ROUTE)
            assert len(server.requests) == asked
            database_server.start()
            async with asyncio.timeout(30):
                while (await database.guard.check()).fault is not None:  # noqa: ASYNC110 -- as the background job does
                    await asyncio.sleep(0.1)
            server.script = lambda _: as_json({})
            await database.run("DELETE FROM provider_pauses")
            assert (await transport.request(*ROUTE)).status == 200
