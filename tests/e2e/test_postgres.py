"""The program on PostgreSQL: it works as on SQLite, says when the server is gone, and goes on when it is back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from bot.demo.providers import SimulatedProviders
from bot.demo.trades import ResendAnswer
from bot.demo.world import World
from bot.exit_codes import ExitCode
from bot.storage.postgres.database import PostgresDatabase
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot, answer_of
from tests.e2e.test_faults import failed_trades
from tests.e2e.test_watching import fetched, metrics, sample
from tests.support import postgres
from tests.support.discord_server import LoopbackDiscord
from tests.support.relay import Relay

_WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The program where the extra is not installed."""

_WITHOUT_POSTGRES = f"""
import sys
sys.modules["psycopg_pool"] = sys.modules["bot.storage.postgres"] = None{_WITHOUT_PSYCOPG}"""
"""The program where nothing of PostgreSQL can be imported."""

_FAST_CLOCK = """
import inspect, sys
from datetime import datetime, timedelta

class Fast(datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + timedelta(minutes=10)

import bot.app, bot.storage.postgres.workers
for name, module in list(sys.modules.items()):
    if name.startswith("bot.") and "datetime.now(" in inspect.getsource(module):
        module.datetime = Fast
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""

_MOMENTS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND data_type = 'bigint' AND column_name ~ '(^|_)at$'
    AND column_name <> 'expires_at'
"""
"""The columns that hold moments in the past."""

_IN_A_MINUTE = "(extract(epoch FROM now()) + 60) * 1000"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[LiveBot]:
    """A live bot on a database of the run's server."""
    with postgres.database() as url:
        async with LoopbackDiscord() as server, SimulatedProviders(World(), mannco_as_admin=True) as providers:
            yield LiveBot(server, providers, tmp_path, url=url)


async def test_resend(desk: LiveBot) -> None:
    """A resend is asked for, approved and sent once; calls are counted there, and no file of SQLite is made."""
    trade_id = failed_trades(desk)[0]
    async with desk.running() as bot:
        card = await desk.requested(trade_id)
        await (await desk.decide(card)).finished()
        await desk.card_shows(card, "sent")
    assert desk.providers.mannco.resend_calls == {trade_id: 1}
    assert desk.resend_states() == ["sent"]
    assert postgres.rows(desk.url, "SELECT count(*) > 3, count(DISTINCT digest) FROM provider_calls") == [(True, 3)]
    assert list(desk.folder.iterdir()) == []
    assert "Traceback" not in bot.stderr
    desk.assert_sound()


_WRITES = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'skindesk writer'
AND state = 'idle in transaction' AND query NOT LIKE '%xact_id%'
"""


async def test_stopped_while_it_hangs(desk: LiveBot) -> None:
    """A stop while the server gives no answer in the middle of a change takes no longer, and the user hears of it."""
    async with Relay(desk.url) as relay, desk.bot(database__url=relay.url) as bot:
        await bot.wait_ready()
        await desk.set_up()
        relay.delay = 0.15
        begun = await desk.begin(desk.owner, "access grant", role=desk.support, capability="audit.read")
        async with asyncio.timeout(30):
            while not postgres.rows(desk.url, _WRITES):  # noqa: ASYNC110 -- another process writes
                await asyncio.sleep(0.01)
        relay.hold()

        assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK

    assert "restarting" in answer_of(await begun.finished()).text
    desk.assert_sound()


async def test_moved(desk: LiveBot) -> None:
    """A desk killed on SQLite during a resend moves: an old card works, and nothing is sent twice."""
    waiting, sending = failed_trades(desk)[:2]
    desk.world.resend_answers[sending] = ResendAnswer.HANG_AFTER
    url, desk.url = desk.url, ""
    async with desk.running() as bot:
        cards = [await desk.requested(waiting), await desk.requested(sending)]
        cut_off = await desk.decide(cards[1])
        await desk.server.until(lambda: desk.providers.mannco.resend_calls[sending] == 1)
        await bot.kill()

    async with desk.bot("migrate", "--to", url) as move:
        assert await move.wait(60.0) == ExitCode.OK
        assert "ok open requests: 1 pending, 1 sending" in move.stdout_lines
    async with desk.bot() as former:
        assert await former.wait(60.0) == ExitCode.DATA
        assert "has moved to PostgreSQL" in former.stderr

    desk.url = url
    async with desk.running(set_up=False):
        await desk.card_shows(cards[1], "sent", within=20.0)
        await (await desk.decide(cards[0])).finished()
        await desk.card_shows(cards[0], "sent")
    assert desk.providers.mannco.resend_calls == {waiting: 1, sending: 1}
    desk.assert_sound(unfinished=(cut_off,))


async def test_server_away(desk: LiveBot, unused_tcp_port: int) -> None:
    """While PostgreSQL is gone, people, log, health and metrics say so; once it is back, commands work again."""
    with postgres.own_server() as server:
        desk.url = server.url("postgres")
        async with PostgresDatabase.open(desk.url):  # fills it
            pass
        async with desk.running(observability__listen=f"127.0.0.1:{unused_tcp_port}") as bot:
            server.stop(mode="immediate")
            refusal = (await desk.use(desk.customer, "link status")).text
            status, health = await fetched(unused_tcp_port, "/healthz")
            counted = await metrics(unused_tcp_port)
            assert "SkinDesk cannot use its database" in refusal
            assert "Nothing was changed" in refusal
            assert (status, json.loads(health)["database_fault"]) == (503, "no_answer")
            assert counted[sample("database_usable")] == 0
            await bot.wait_line("database unavailable fault=no_answer")
            server.start()
            await bot.wait_line("database available again fault=no_answer")
            assert "SteamID" in answer_of(await (await desk.begin(desk.customer, "link status")).finished()).text
            assert (await fetched(unused_tcp_port, "/healthz"))[0] == 200
        assert "Traceback" not in bot.stderr
        desk.assert_sound()


async def test_without_postgres(live: LiveBot) -> None:
    """A desk on SQLite imports nothing of PostgreSQL, from its start through a resend to its end."""
    async with live.running(program=_WITHOUT_POSTGRES) as bot:
        card = await live.requested(failed_trades(live)[0])
        await (await live.decide(card)).finished()
        await live.card_shows(card, "sent")
    assert "Traceback" not in bot.stderr
    live.assert_sound()


async def test_new_database(desk: LiveBot) -> None:
    """An empty database is not filled unasked; then resends are stopped, and later starts need no decision."""
    with postgres.database(empty=True) as desk.url:
        async with desk.bot() as refused:
            assert await refused.wait() == ExitCode.DATA
            assert "is empty" in refused.stderr_lines[-1]
        async with desk.bot("run", "--new-database") as first:
            await first.wait_ready()
            assert "started with a new database" in first.stderr
            await desk.set_up()
            assert "started new" in (await desk.use(desk.moderator, "approvals")).text
            assert await first.terminate() == ExitCode.OK
        async with desk.running(set_up=False) as later:
            assert "started with a new database" not in later.stderr
        desk.assert_sound()


async def test_no_rights(desk: LiveBot) -> None:
    """A role that may not make tables, the default since PostgreSQL 15, is told so in one line; check says it, too."""
    with postgres.database(empty=True) as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("DROP ROLE IF EXISTS no_rights")
            admin.execute("CREATE ROLE no_rights LOGIN")
        desk.url = url.replace("skindesk:", "no_rights:")
        async with desk.bot("run", "--new-database") as bot:
            assert await bot.wait() == ExitCode.DATA
            assert "permission denied for schema public" in bot.stderr_lines[-1]
            assert "Traceback" not in bot.stderr
        async with desk.bot("check") as check:
            assert await check.wait(60.0) == ExitCode.CONFIG
            assert "may not create tables" in check.stderr


async def test_start_refused(desk: LiveBot) -> None:
    """Without the server or without the extra a start ends, and one line says what to do."""
    desk.url = postgres.Server(desk.folder).url("desk")  # no server was started there
    async with desk.bot() as bot:
        assert await bot.wait() == ExitCode.UNAVAILABLE
        assert "cannot connect to PostgreSQL at " in bot.stderr
    async with desk.bot(program=_WITHOUT_PSYCOPG) as bare:
        assert await bare.wait() == ExitCode.CONFIG
        assert "pip install 'skindesk[postgres]'" in bare.stderr
    for each in (bot, bare):
        assert "Traceback" not in each.stderr
        assert postgres.PASSWORD not in each.stderr


async def test_fast_clock(desk: LiveBot, unused_tcp_port: int) -> None:
    """A machine whose clock is ten minutes fast stores and measures all times by the server's clock."""
    async with desk.running(program=_FAST_CLOCK, observability__listen=f"127.0.0.1:{unused_tcp_port}"):
        await desk.requested(failed_trades(desk)[0])
        waited = (await metrics(unused_tcp_port))[sample("resends_oldest_seconds", state="pending")]
    late = [
        f"{table}.{column}"
        for table, column in postgres.rows(desk.url, _MOMENTS)
        if postgres.rows(desk.url, f"SELECT 1 FROM {table} WHERE {column} > {_IN_A_MINUTE}")  # noqa: S608 -- the schema's own names
    ]
    assert late == []
    assert 0 <= waited < 60
