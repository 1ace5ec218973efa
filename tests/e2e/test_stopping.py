"""Shutdown and the next start."""

import asyncio
import signal
from pathlib import Path

import pytest

from bot.demo.providers import SimulatedProviders
from bot.demo.trades import ResendAnswer
from bot.demo.world import World
from bot.exit_codes import ExitCode
from bot.services.audit import POSTED_WITHIN
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot, answer_of
from tests.e2e.long_jobs import (
    BUSY_WORKER,
    COMMANDS,
    LOOKUP,
    STARTING,
    LongJob,
    endless_table,
    hanging_lookup,
    hanging_resend,
    silent_callback,
    trade_that,
)
from tests.support.bot_process import RUN
from tests.support.discord_server import LoopbackDiscord

RESEND = "GET /trade/resend"
SLOW_RESOLVER = f"""
import socket, sys, time

real = socket.getaddrinfo

def unanswered(host, *arguments, **options):
    if host not in (b"localhost", "localhost"):
        return real(host, *arguments, **options)
    print("asked for localhost", file=sys.stderr, flush=True)
    time.sleep(30)

socket.getaddrinfo = unanswered
{RUN}
"""
NEVER_CLOSED = f"""
import asyncio
import bot.app

async def never(self):
    await asyncio.sleep(30)

bot.app._LEAVE_WITHIN = 0.5
bot.app.InventoryService.close = never
{RUN}"""


async def test_running_work(live: LiveBot):
    """A shutdown interrupts a lookup and leaves a resend in an unknown state; the next start settles it."""
    trade = trade_that(live, ResendAnswer.HANG_AFTER)
    async with live.running():
        lookup = await live.begin(live.agent, "inventory", tradeurl=live.world.hanging.trade_url)
        await live.providers.assetpay.called(LOOKUP)
        card = await live.requested(trade.id)
        approval = await live.decide(card)
        await live.providers.mannco.called(RESEND)
    assert "restarting" in answer_of(await lookup.finished()).text
    await approval.finished()
    assert live.resend_states() == ["unknown"]

    async with live.running(set_up=False):
        await live.card_shows(card, "sent")
    assert card.custom_ids == []
    assert live.providers.mannco.resend_calls == {trade.id: 1}
    live.assert_sound()


async def test_interrupted_start(live: LiveBot):
    """Ctrl+C works before Discord has answered."""
    live.server.faults.delay("GET", "/users/@me", 30.0)
    async with live.bot() as bot:
        await live.server.until(lambda: live.server.requests, within=30.0)
        bot.send_signal(signal.SIGINT)
        assert await bot.wait(STOPS_WITHIN) == 0
        assert "Traceback" not in bot.stderr
    live.assert_sound()


async def test_busy(live: LiveBot):
    """A shutdown waits neither for a worker thread that never ends nor for callers that hang meanwhile."""
    async with live.running(program=BUSY_WORKER) as bot:
        for begin in (hanging_lookup, endless_table, hanging_resend, silent_callback):
            await begin(live, bot)
    assert live.resend_states() == ["unknown"]


async def test_starts_and_commands(tmp_path: Path):
    """A signal ends a start, or another command, within five seconds in whatever it is."""
    few = asyncio.Semaphore(3)

    async def stopped(job: LongJob, folder: Path) -> None:
        folder.mkdir()
        async with few, LoopbackDiscord() as server, SimulatedProviders(World(), mannco_as_admin=True) as providers:
            await job.stopped(LiveBot(server, providers, folder))

    jobs = (*STARTING, *COMMANDS)
    await asyncio.gather(*(stopped(job, tmp_path / str(n)) for n, job in enumerate(jobs)))


async def test_discord_hangs(live: LiveBot):
    """A shutdown does not wait for a Discord that no longer answers."""
    trade = trade_that(live, ResendAnswer.HANG)
    async with live.running():
        card = await live.requested(trade.id)
        for path in ("/webhooks/*/*/messages/*", "/channels/*/messages/*"):
            live.server.faults.delay("PATCH", path, 30.0, times=9)
        for _ in range(3):
            await live.begin(live.agent, "inventory", tradeurl=live.world.hanging.trade_url)
        await live.decide(card)
        await live.providers.mannco.called(RESEND)
    assert live.resend_states() == ["unknown"]


@pytest.mark.parametrize("hangs", [False, True])
async def test_audit_post(live: LiveBot, *, hangs: bool):
    """An action whose audit post is on its way is answered as done at a shutdown, which waits a little for the post."""
    async with live.running() as bot:
        before = len(live.audit.messages)
        posting = live.server.faults.delay("POST", f"/channels/{live.audit.id}/messages", 30.0)
        grant = await live.begin(live.owner, "access grant", role=live.support, capability="audit.read")
        await live.server.until(lambda: posting.used)
        stopping = asyncio.create_task(bot.terminate(STOPS_WITHIN))
        assert "**audit.read:" in answer_of(await grant.finished()).text
        assert grant.finished_after is not None
        assert grant.finished_after < POSTED_WITHIN
        assert len(live.audit.messages) == before
        if not hangs:
            posting.released.set()
        assert await stopping == ExitCode.OK
    assert len(live.audit.messages) == before + (not hangs)


async def test_name_server_hangs(live: LiveBot):
    """A shutdown does not wait for a thread that waits for a name server."""
    port = live.providers.assetpay.port
    async with live.running(providers__assetpay__base_url=f"http://localhost:{port}", program=SLOW_RESOLVER) as bot:
        lookup = await live.begin(live.agent, "inventory", tradeurl=live.world.customer.trade_url)
        await bot.wait_line("asked for localhost")
    assert "restarting" in answer_of(await lookup.finished()).text
    live.assert_sound()


async def test_close_hangs(live: LiveBot):
    """A shutdown does not wait for a service that does not close, and logs it."""
    async with live.bot(program=NEVER_CLOSED) as bot:
        await bot.wait_ready()
        assert await bot.terminate(STOPS_WITHIN) == 0
        assert "left before everything was closed" in bot.stderr
        assert "Traceback" not in bot.stderr
    live.assert_sound()
