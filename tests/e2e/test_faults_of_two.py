"""What breaks around one of two processes on PostgreSQL, and what people see of it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.relay import Relay

TAKEN_OVER_WITHIN = 10.0
LEADS = "leads duty=all"


class Pair:
    """Two processes, each with a network of its own to the database. The first one leads."""

    def __init__(self, live: LiveBot, relays: list[Relay]) -> None:
        self.live = live
        self.relays = relays
        self.bots: list[BotProcess] = []

    @asynccontextmanager
    async def started(self) -> AsyncIterator["Pair"]:
        live = self.live
        async with live.bot(database__url=self.relays[0].url) as first:
            await first.wait_ready()
            await first.wait_line(LEADS)
            await live.set_up()
            async with live.bot(database__url=self.relays[1].url) as second:
                await second.wait_ready()
                self.bots = [first, second]
                yield self

    async def used(self, count: int = 8) -> list[InteractionRecord]:
        """Use commands one after another, and return what became of them."""
        records = []
        for number in range(count):
            command = "access list" if number % 2 else "settings show"
            records.append(await (await self.live.begin(self.live.owner, command)).finished())
            await asyncio.sleep(0.05)
        return records


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture
async def pair(tmp_path: Path, url: str) -> AsyncIterator[Pair]:
    async with (
        LoopbackDiscord() as server,
        SimulatedProviders(World(), mannco_as_admin=True) as providers,
        Relay(url) as one,
        Relay(url) as other,
        Pair(LiveBot(server, providers, tmp_path, url=url), [one, other]).started() as pair,
    ):
        yield pair
        for bot in pair.bots:
            assert "Traceback" not in bot.stderr
        pair.live.assert_secrets_kept()


def texts(records: list[InteractionRecord]) -> set[str]:
    """Return the first lines of the answers."""
    return {record.message.text.splitlines()[0] for record in records if record.message is not None}


async def test_hangs(pair: Pair) -> None:
    """A process that hangs loses its duties within 10 s; once it wakes it answers nothing again and leads no more."""
    first, second = pair.bots
    before = texts(await pair.used())
    first.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    meanwhile = await pair.used()
    await second.wait_line(LEADS, TAKEN_OVER_WITHIN)
    assert time.monotonic() - stopped_at < TAKEN_OVER_WITHIN
    first.send_signal(signal.SIGCONT)
    await first.wait_line("leads no more duty=all")
    after = await pair.used()

    assert texts(meanwhile) == texts(after) == before
    assert [record.refusals for record in (*meanwhile, *after) if record.refusals] == []


@pytest.mark.parametrize("way", ["held", "cut"])
async def test_cut_off(pair: Pair, way: str) -> None:
    """A process that sees Discord but not the database leads no more; the other one answers, as if it were alone."""
    first, second = pair.bots
    before = texts(await pair.used())
    (pair.relays[0].hold if way == "held" else pair.relays[0].cut)()
    meanwhile = await pair.used(40)
    await second.wait_line(LEADS, TAKEN_OVER_WITHIN)
    pair.relays[0].mend()
    await first.wait_line(
        "database available again" if "database unavailable" in first.stderr else "heartbeat again", 20
    )
    after = await pair.used()

    assert texts(meanwhile) == texts(after) == before


async def test_both_cut_off(pair: Pair) -> None:
    """If both lose the database, people are told that nothing was changed; both go on once it is back."""
    for relay in pair.relays:
        relay.cut()
    assert texts(await pair.used(4)) == {"⚠️ SkinDesk cannot use its database"}
    for relay in pair.relays:
        relay.mend()
    for bot in pair.bots:
        await bot.wait_line("database available again", 20)

    assert not any("database" in each for each in texts(await pair.used()))


async def test_slow(pair: Pair) -> None:
    """A database that answers late makes answers late, and no process leads, answers or loses anything twice."""
    for relay in pair.relays:
        relay.delay = 0.1
    records = await pair.used()
    for relay in pair.relays:
        relay.delay = 0.0

    assert [record.refusals for record in records if record.refusals] == []
    assert not any("database" in each for each in texts(records))
    assert "leads no more" not in pair.bots[0].stderr


_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON audit EXECUTE FUNCTION full_disk()
"""
_NOT_FULL = "DROP TRIGGER full_disk ON audit"

_STANDBY = """
SET default_transaction_read_only = off;
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {}', current_database());
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
END $$
"""
"""Ends all connections; the next ones find a server that refuses changes, as a standby does, or one that takes them."""


async def test_full(pair: Pair, url: str) -> None:
    """If the server's disk is full, changes say that nothing was changed, and count again once there is space."""
    await refused_for_a_while(pair, url, "full", _FULL, _NOT_FULL)


async def test_failover(pair: Pair, url: str) -> None:
    """If the address leads to a standby, nothing is changed; once it leads to a primary again, all goes on."""
    await refused_for_a_while(pair, url, "read_only", _STANDBY.format("on"), _STANDBY.format("off"))


async def refused_for_a_while(pair: Pair, url: str, fault: str, begin: str, end: str) -> None:
    live = pair.live

    async def grant() -> str:
        return (await live.use(live.owner, "access grant", role=live.support, capability="audit.read")).text

    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(begin.encode())
        assert "Nothing was changed" in await grant()
        assert f"database unavailable fault={fault}" in "".join(bot.stderr for bot in pair.bots)
        admin.execute(end.encode())
    async with asyncio.timeout(20):
        while "Nothing was changed" in (shown := await grant()):  # noqa: ASYNC110 -- as a person tries
            await asyncio.sleep(0.2)
    assert "audit.read" in shown


async def test_discord_away_for_one(pair: Pair) -> None:
    """If one process loses Discord, the other one answers."""
    before = texts(await pair.used())
    await pair.live.server.gateway.leave(pair.bots[0].name)

    assert texts(await pair.used()) == before
