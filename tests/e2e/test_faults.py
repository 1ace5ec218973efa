"""One fault at a time: every interaction is finished, the log has a line, and SkinDesk goes on."""

import asyncio
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import pytest

from bot.demo.trades import ResendAnswer
from bot.domain.trades import RESENDABLE_STATUSES
from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot, answer_of
from tests.support.bot_process import RUN, BotProcess
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.records import InteractionRecord

CALLBACK = "/interactions/*/*/callback"
ORIGINAL = "/webhooks/*/*/messages/@original"

Trouble: TypeAlias = Callable[[LiveBot, BotProcess], Awaitable[None]]
Use: TypeAlias = Callable[[LiveBot], Awaitable[InteractionRecord]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, the command used during it, a part of its answer, and a part of the log."""

    name: str
    trouble: Trouble
    use: Use
    answer: str
    line: str
    is_lost: bool = False
    """Discord accepts no first answer, so the interaction stays unfinished."""


def by(who: Callable[[LiveBot], Member], command: str, **options: str) -> Use:
    """Return the use of a command by a member."""

    async def use(live: LiveBot) -> InteractionRecord:
        return await live.begin(who(live), command, **options)

    return use


def customer(live: LiveBot) -> Member:
    return live.customer


def agent(live: LiveBot) -> Member:
    return live.agent


def failing(method: str, path: str, status: int, **facts: float) -> Trouble:
    """Let the next request fail; discord.py may send it again."""

    async def trouble(live: LiveBot, _bot: BotProcess) -> None:
        live.server.faults.fail(method, path, status, **facts)  # type: ignore[arg-type] # numbers as they come

    return trouble


def dropped(method: str, path: str) -> Trouble:
    """Drop the connection of the next request."""

    async def trouble(live: LiveBot, _bot: BotProcess) -> None:
        live.server.faults.drop(method, path)

    return trouble


async def not_acknowledged(live: LiveBot, _bot: BotProcess) -> None:
    live.server.faults.fail("POST", CALLBACK, 404, code=10062, times=9)  # a slow answer is deferred first


async def confirmation_lost(live: LiveBot, _bot: BotProcess) -> None:
    live.server.faults.fail("POST", CALLBACK, 500, carried_out=True)


async def gateway_resumed(live: LiveBot, bot: BotProcess) -> None:
    await bot.wait_line("ready guilds=")
    live.server.gateway.drop()
    await bot.wait_line("gateway disconnected")


async def provider_down(live: LiveBot, _bot: BotProcess) -> None:
    await live.providers.assetpay.stop()


async def approvals_channel_deleted(live: LiveBot, _bot: BotProcess) -> None:
    live.server.faults.fail("POST", f"/channels/{live.approvals.id}/messages", 404, code=10003, times=9)


async def card_deleted(live: LiveBot, _bot: BotProcess) -> None:
    card = await live.requested(failed_trades(live)[1])
    live.server.faults.fail("PATCH", f"/channels/{live.approvals.id}/messages/{card.id}", 404, code=10008, times=9)


async def direct_messages_closed(live: LiveBot, _bot: BotProcess) -> None:
    live.server.faults.fail("POST", "/users/@me/channels", 403, code=50007, times=9)
    card = await live.requested(failed_trades(live)[0])
    await (await live.decide(card)).finished()


async def audit_channel_closed(live: LiveBot, _bot: BotProcess) -> None:
    live.server.faults.fail("POST", f"/channels/{live.audit.id}/messages", 403, code=50001, times=9)


async def kicked(live: LiveBot, bot: BotProcess) -> None:
    await live.server.gateway.dispatch("GUILD_DELETE", {"id": str(live.guild.id)})
    live.server.faults.fail("POST", f"/channels/{live.approvals.id}/messages", 403, code=50001, times=9)


def failed_trades(live: LiveBot) -> list[int]:
    """Return the trades whose resend will succeed."""
    done = {ResendAnswer.OK, None}
    return [
        trade.id
        for trade in live.world.trades
        if str(trade.status) in RESENDABLE_STATUSES
        and trade.items_send
        and live.world.resend_answers.get(trade.id) in done
    ]


async def ask_for_a_resend(live: LiveBot) -> InteractionRecord:
    return await live.begin(live.agent, "resend", id=str(failed_trades(live)[-1]))


async def look_up(live: LiveBot) -> InteractionRecord:
    return await live.begin(live.agent, "inventory", tradeurl=live.world.customer.trade_url)


async def end_link(live: LiveBot) -> InteractionRecord:
    """Let the agent end the customer's link: a change that the audit channel hears of."""
    return await live.begin(live.agent, "link set", member=live.customer, steam="none")


OFF = "staff"
"""A part of the answer to `/link start` while sign-in is off."""

MATRIX = (
    # The first, so that it hits no answer that discord.py sends again.
    Fault("not_acknowledged", not_acknowledged, by(customer, "trades"), "", "outcome=failed", is_lost=True),
    # Reading commands are answered at once; changing ones defer first.
    Fault("first_500", failing("POST", CALLBACK, 500), by(customer, "status"), "Providers", "handled command=status"),
    Fault("first_429", failing("POST", CALLBACK, 429, retry_after=0.5), by(customer, "status"), "Providers", "rate"),
    Fault(
        "first_dropped",
        dropped("POST", CALLBACK),
        by(customer, "link status"),
        "SteamID",
        "handled command='link status'",
    ),
    Fault("first_lost", confirmation_lost, by(customer, "trades"), "Trades", "handled command=trades"),
    Fault(
        "later_500", failing("PATCH", ORIGINAL, 500), by(customer, "link start"), OFF, "handled command='link start'"
    ),
    Fault("later_429", failing("PATCH", ORIGINAL, 429, retry_after=0.5), by(customer, "link start"), OFF, "rate"),
    Fault("later_dropped", dropped("PATCH", ORIGINAL), by(customer, "link start"), OFF, "reply pending"),
    Fault("deferral_lost", confirmation_lost, by(customer, "link start"), OFF, "handled command='link start'"),
    Fault("gateway_resumed", gateway_resumed, by(customer, "link status"), "SteamID", "gateway resumed"),
    Fault("provider_down", provider_down, look_up, "could not be reached", "provider failed"),
    Fault("direct_messages_closed", direct_messages_closed, by(agent, "trades"), "trade", "direct message refused"),
    Fault("message_deleted", card_deleted, by(agent, "explain", code="7"), "7", "handled command=explain"),
    Fault("channel_deleted", approvals_channel_deleted, ask_for_a_resend, "approvals channel", "card not posted"),
    Fault("audit_channel_closed", audit_channel_closed, end_link, "no longer", "entry not posted"),
    Fault("kicked", kicked, by(agent, "link status"), "No Steam account", "handled command='link status'"),
)


def said(bot: BotProcess, text: str, after: int) -> bool:
    """Return whether the log has a line with ``text`` after so many lines."""
    return any(text in line for line in bot.stderr_lines[after:])


async def test_faults(live: LiveBot, subtests: pytest.Subtests) -> None:
    """The user gets the right answer, the log has a line, and the next command works."""
    lost = []
    async with live.running() as bot:
        for fault in MATRIX:
            with subtests.test(fault.name):
                seen = len(bot.stderr_lines)
                await fault.trouble(live, bot)
                record = await fault.use(live)
                if fault.is_lost:
                    lost.append(record)
                else:
                    assert fault.answer in answer_of(await record.finished()).text
                await live.server.until(partial(said, bot, fault.line, seen))
                if fault.is_lost:
                    live.server.faults.all()[-1].times = 0
                assert "Providers" in (await live.use(live.customer, "status")).text
    live.assert_sound(unfinished=tuple(lost), allowed=("answered twice",))  # what discord.py does by itself


async def test_database_locked(live: LiveBot) -> None:
    """While another process locks the database, changes wait and then fail, and reading works."""
    async with live.running() as bot:
        with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            removed = await end_link(live)
            assert "SteamID" in (await live.use(live.customer, "link status")).text
            assert "Nothing was changed" in answer_of(await removed.finished()).text
            await bot.wait_line("database unavailable fault=no_answer")
            other.execute("ROLLBACK")
        assert "SteamID" in (await live.use(live.customer, "link status")).text
        assert "no longer linked" in answer_of(await (await end_link(live)).finished()).text
    live.assert_sound()


async def test_shutdown_while_database_locked(live: LiveBot) -> None:
    """A shutdown does not wait for another process, and an interrupted change is not made."""
    async with live.bot() as bot:
        await bot.wait_ready()
        with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            granted = [
                await live.begin(live.owner, "access grant", role=live.support, capability=capability)
                for capability in ("inventory.any", "trades.any", "resend.any")
            ]
            bot.send_signal(signal.SIGTERM)
            await asyncio.gather(*(record.finished() for record in granted))
            other.execute("ROLLBACK")  # too late
            assert await bot.wait(STOPS_WITHIN - 2.5) == ExitCode.OK
            assert other.execute("SELECT count(*) FROM grants WHERE role_id = ?", (live.support.id,)).fetchone() == (0,)
    assert all("restarting" in answer_of(record).text for record in granted)
    live.assert_sound()


FULL_DISK = f"""
import resource, signal, sys

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def full(*_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    print("disk full", file=sys.stderr, flush=True)

def room(*_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("disk has room", file=sys.stderr, flush=True)

signal.signal(signal.SIGUSR2, full)
signal.signal(signal.SIGRTMIN, room)
{RUN}
"""
"""The program on a disk that is full between two signals: no file can be written."""


async def test_disk_full(live: LiveBot) -> None:
    """On a full disk a change fails as a whole, and later it works again."""
    async with live.running(program=FULL_DISK) as bot:
        bot.send_signal(signal.SIGUSR2)
        await bot.wait_line("disk full")
        removed = await end_link(live)
        assert "Nothing was changed" in answer_of(await removed.finished()).text
        await bot.wait_line("database unavailable fault=unreadable")
        assert "SteamID" in (await live.use(live.customer, "link status")).text

        bot.send_signal(signal.SIGRTMIN)
        await bot.wait_line("disk has room")
        assert "no longer linked" in answer_of(await (await end_link(live)).finished()).text
    with closing(sqlite3.connect(live.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    live.assert_sound()


NOT_READ = f"""
import os
reader, writer = os.pipe()
os.set_blocking(writer, False)
while True:
    try:
        os.write(writer, b"x" * 4096)
    except BlockingIOError:
        break
os.set_blocking(writer, True)
os.dup2(writer, 2)
{RUN}
"""
"""The program with a full pipe as standard error that is never read."""


async def test_log_not_read(live: LiveBot) -> None:
    """Every command is answered and the program stops in time although nothing can be logged."""
    async with live.running(program=NOT_READ) as bot:
        assert "Page 1" in (await live.use(live.customer, "inventory", tradeurl=live.world.customer.trade_url)).text
    assert bot.stderr == ""
    live.assert_sound()


async def test_everything_at_once(live: LiveBot) -> None:
    """Lookups and a resend are finished although many requests to Discord fail."""
    async with live.running() as bot:
        for method, path in (("PATCH", ORIGINAL), ("POST", f"/channels/{live.approvals.id}/messages")):
            live.server.faults.fail(method, path, 503, times=3)
            live.server.faults.drop(method, path, times=2)
        records = [await look_up(live) for _ in range(5)]
        records.append(await ask_for_a_resend(live))
        records.extend([await live.begin(live.customer, "trades") for _ in range(3)])
        await asyncio.gather(*(record.finished(60.0) for record in records))
        await bot.wait_line("interaction handled command=trades")
    live.assert_sound()
