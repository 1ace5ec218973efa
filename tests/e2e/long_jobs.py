"""Jobs that take long, each begun in a process that is then to stop."""

import asyncio
import json
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field

from aiohttp import web

from bot.demo.providers import faults
from bot.demo.trades import ResendAnswer, WorldTrade
from bot.domain.trades import RESENDABLE_STATUSES
from bot.exit_codes import ExitCode
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import back_up
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.providers.test_bounds import assetpay_item
from tests.support.bot_process import RUN, BotProcess

ITEMS = 10_000
LOOKUP = "GET /secure/inventory"
SEEN = "the job runs"
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"

BUSY_WORKER = f"""
import sys
import bot.ui.inventory_pages

def busy(answer):
    print("{SEEN}", file=sys.stderr, flush=True)
    while True:
        pass

bot.ui.inventory_pages.inventory_csv = busy
{RUN}"""
UPGRADE = f"""
import bot.storage.sqlite.database as database
from bot.storage.sqlite.schema import Migration, bundled
steps = (*bundled(), Migration(len(bundled()) + 1, "0099_slow.sql", "CREATE TABLE slow AS {COUNTING};"))
database.bundled = lambda: steps
{RUN}"""
OPENING = f"""
import sys
import bot.storage.sqlite.database as database

def opened(*arguments, queue=database.WriteQueue):
    print("{SEEN}", file=sys.stderr, flush=True)
    return queue(*arguments)

database.WriteQueue = opened
{RUN}"""
SLOW_COPY = f"""
import sys
import bot.storage.sqlite.maintenance.backup as backup
import bot.storage.sqlite.maintenance.restore as restore

def copy_into(source, target, *, named):
    print("{SEEN}", file=sys.stderr, flush=True)
    source.execute("{COUNTING}").fetchall()

backup.copy_into = restore.copy_into = copy_into
"""


@asynccontextmanager
async def as_it_is(_: LiveBot) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class LongJob:
    """A job in a process of its own. ``begin`` returns once it is under way."""

    name: str
    begin: Callable[[LiveBot, BotProcess], Awaitable[object]]
    arguments: tuple[str, ...] = ("run",)
    program: str = RUN
    settings: Mapping[str, str] = field(default_factory=dict)
    around: Callable[[LiveBot], AbstractAsyncContextManager[None]] = as_it_is

    async def stopped(self, live: LiveBot) -> float:
        """Begin the job, send the signal, and return the seconds until the end, at most STOPS_WITHIN of its own."""
        async with self.around(live), live.bot(*self.arguments, program=self.program, **self.settings) as bot:
            if self in RUNNING:
                await bot.wait_ready()
                await live.set_up()
            await self.begin(live, bot)
            began = asyncio.get_running_loop().time()
            is_run = self.arguments == ("run",)
            bot.send_signal(signal.SIGTERM if is_run else signal.SIGINT)
            assert await bot.wait(STOPS_WITHIN) == (ExitCode.OK if is_run else ExitCode.INTERRUPTED), bot.stderr
            return asyncio.get_running_loop().time() - began


def huge(name: str) -> bytes:
    """Return an inventory of 10,000 items with this name."""
    items = [assetpay_item(number) | {"name": name, "marketHashName": name} for number in range(ITEMS)]
    return json.dumps({"success": True, "data": {"inventory": items, "count": ITEMS}}).encode()


async def hanging_lookup(live: LiveBot, _: BotProcess) -> None:
    before = live.providers.assetpay.calls[LOOKUP]
    await live.begin(live.agent, "inventory", tradeurl=live.world.hanging.trade_url)
    await live.providers.assetpay.called(LOOKUP, before + 1)


async def huge_answer(live: LiveBot, _: BotProcess) -> None:
    before = live.providers.assetpay.calls[LOOKUP]
    live.providers.assetpay.faults.append(faults.answer(200, huge("AK-47 | Redline")))
    await live.begin(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
    await live.providers.assetpay.called(LOOKUP, before + 1)
    await asyncio.sleep(0.2)


async def comparison(live: LiveBot, _: BotProcess) -> None:
    for provider in (live.providers.assetpay, live.providers.assetpay_legacy):
        provider.faults.append(faults.answer(200, huge("AK-47 | Redline")))
    await live.begin(live.agent, "inventory", tradeurl=live.world.other_customer.trade_url, provider="all")
    await asyncio.sleep(0.5)


async def table(live: LiveBot, _: BotProcess) -> None:
    live.providers.assetpay.faults.append(faults.answer(200, huge("=;\t " * 15)))
    page = await live.use(live.agent, "inventory", tradeurl=live.world.collector.trade_url)
    [button] = [custom_id for custom_id in page.custom_ids if custom_id.endswith(":csv")]
    await live.server.click(page, button, live.agent)
    await asyncio.sleep(0.1)


async def endless_table(live: LiveBot, bot: BotProcess) -> None:
    await table(live, bot)
    await bot.wait_line(SEEN)


async def hanging_resend(live: LiveBot, _: BotProcess) -> None:
    card = await live.requested(trade_that(live, ResendAnswer.HANG).id)
    await live.decide(card)
    await live.providers.mannco.called("GET /trade/resend")


class LostResend:
    """Loses the answer of a resend, and answers nothing after it."""

    def __init__(self) -> None:
        self.is_read = asyncio.Event()
        self._is_lost = False

    async def __call__(self, request: web.Request, act: faults.Act) -> web.StreamResponse:
        """Handle one request."""
        if request.path == "/trade/resend":
            self._is_lost = True
            return await faults.lost_after(request, act)
        if self._is_lost:
            self.is_read.set()
            return await faults.never()
        return await act(request)


async def doubtful_resend(live: LiveBot, _: BotProcess) -> None:
    card = await live.requested(trade_that(live, ResendAnswer.OK).id)
    lost = LostResend()
    live.providers.mannco.faults.extend([lost] * 50)
    await live.decide(card)
    await lost.is_read.wait()


async def silent_callback(live: LiveBot, _: BotProcess) -> None:
    delayed = live.server.faults.delay("POST", "/interactions/*/*/callback", 30.0, times=9)
    await live.begin(live.agent, "status")
    await live.server.until(lambda: delayed.used)


async def silent_answer(live: LiveBot, _: BotProcess) -> None:
    delayed = live.server.faults.delay("PATCH", "/webhooks/*/*/messages/*", 30.0, times=9)
    await live.begin(live.agent, "inventory", tradeurl=live.world.html.trade_url)
    await live.server.until(lambda: delayed.used)


async def silent_card(live: LiveBot, _: BotProcess) -> None:
    card = await live.requested(trade_that(live, ResendAnswer.OK).id)
    delayed = live.server.faults.delay("PATCH", "/channels/*/messages/*", 30.0, times=9)
    await live.decide(card)
    await live.server.until(lambda: delayed.used)


async def connecting(live: LiveBot, _: BotProcess) -> None:
    await live.server.until(lambda: len(live.server.commands) > 0, 30.0)
    await asyncio.sleep(0.3)


async def checking(live: LiveBot, _: BotProcess) -> None:
    await live.providers.assetpay.called(LOOKUP)


async def seen(_: LiveBot, bot: BotProcess) -> None:
    await bot.wait_line(SEEN, 30.0)
    await asyncio.sleep(0.1)


def waiting_at(method: str, path: str) -> Callable[[LiveBot], AbstractAsyncContextManager[None]]:
    """Return what lets Discord answer requests to a path after half a minute."""

    @asynccontextmanager
    async def around(live: LiveBot) -> AsyncIterator[None]:
        live.server.faults.delay(method, path, 30.0, times=9)
        yield

    return around


@asynccontextmanager
async def with_silent_gateway(live: LiveBot) -> AsyncIterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        live.server.gateway.url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        yield


@asynccontextmanager
async def with_database(live: LiveBot) -> AsyncIterator[None]:
    async with SqliteDatabase.open(live.database):
        pass
    yield


@asynccontextmanager
async def with_source(live: LiveBot) -> AsyncIterator[None]:
    async with with_database(live):
        back_up(live.database, live.folder / "source.db")
        yield


@asynccontextmanager
async def with_locked_database(live: LiveBot) -> AsyncIterator[None]:
    async with with_database(live):
        with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            yield


@asynccontextmanager
async def with_silent_provider(live: LiveBot) -> AsyncIterator[None]:
    live.providers.assetpay.faults.extend([faults.hang] * 9)
    yield


async def requested_of_discord(live: LiveBot, _: BotProcess) -> None:
    await live.server.until(lambda: live.server.requests, 30.0)
    await asyncio.sleep(0.3)


async def kept_before_upgrade(_: LiveBot, bot: BotProcess) -> None:
    await bot.wait_line("database kept before its upgrade", 30.0)
    await asyncio.sleep(0.1)


def trade_that(live: LiveBot, answer: ResendAnswer) -> WorldTrade:
    """Return a resendable trade whose resend gets this answer."""
    return next(
        trade
        for trade in live.world.trades
        if str(trade.status) in RESENDABLE_STATUSES
        and trade.items_send
        and live.world.resend_answers.get(trade.id, ResendAnswer.OK) is answer
    )


RUNNING = (
    LongJob("a provider does not answer a look-up", hanging_lookup),
    LongJob("10,000 items are read", huge_answer),
    LongJob("two inventories of 10,000 items are compared", comparison),
    LongJob("10,000 hostile items are written as a table", table),
    LongJob("a table that never ends is written", endless_table, program=BUSY_WORKER),
    LongJob("a provider does not answer a resend", hanging_resend),
    LongJob("a doubtful resend is read, without an answer", doubtful_resend),
    LongJob("Discord does not answer an acknowledgement", silent_callback),
    LongJob("Discord does not answer an answer", silent_answer),
    LongJob("Discord does not answer the edit of a card", silent_card),
)
STARTING = (
    LongJob("start: Discord does not answer the login", requested_of_discord, around=waiting_at("GET", "/users/@me")),
    LongJob(
        "start: Discord does not answer the commands",
        requested_of_discord,
        around=waiting_at("PUT", "/applications/*/commands"),
    ),
    LongJob("start: the gateway does not answer", connecting, around=with_silent_gateway),
    LongJob("start: another program has locked the database", seen, around=with_locked_database, program=OPENING),
    LongJob("start: the database is upgraded", kept_before_upgrade, around=with_database, program=UPGRADE),
    LongJob("start: the copy before an upgrade is written", seen, around=with_database, program=SLOW_COPY + UPGRADE),
)
COMMANDS = (
    LongJob("`check`: a provider does not answer", checking, arguments=("check",), around=with_silent_provider),
    LongJob(
        "`backup`: a statement of SQLite",
        seen,
        arguments=("backup", "copy.db"),
        around=with_database,
        program=SLOW_COPY + RUN,
    ),
    LongJob(
        "`restore`: a statement of SQLite",
        seen,
        arguments=("restore", "source.db"),
        around=with_source,
        program=SLOW_COPY + RUN,
    ),
)
