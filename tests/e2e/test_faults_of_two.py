"""What breaks around one of two processes on PostgreSQL, and what people see of it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import pytest
import pytest_asyncio

from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.relay import Relay

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKEN_OVER_WITHIN = 10.0
_PATIENCE = 40.0
_DISTURBED_FROM = 0.5
"""Seconds without a turn that may make a claim fail, together with those that a relay takes."""


class Pair:
    """Two processes, each with a network of its own to the database. Tests leave both in order."""

    def __init__(self, live: LiveBot, relays: list[Relay]) -> None:
        self.live = live
        self.relays = relays
        self._bots: list[BotProcess] = []

    @asynccontextmanager
    async def started(self) -> AsyncIterator["Pair"]:
        live = self.live
        async with live.bot(database__url=self.relays[0].url) as first:
            await first.wait_ready()
            await live.set_up()
            async with live.bot(database__url=self.relays[1].url) as second:
                await second.wait_ready()
                self._bots = [first, second]
                yield self
        assert "Traceback" not in first.stderr + second.stderr
        live.assert_secrets_kept()

    async def roles(self) -> tuple[BotProcess, BotProcess, Relay]:
        """Return the process that leads, the other one, and the leader's network; wait until one of them leads."""
        await self.live.server.until(lambda: sum(map(leads, self._bots)) == 1, _PATIENCE)
        leader = self._bots.index(next(filter(leads, self._bots)))
        return self._bots[leader], self._bots[1 - leader], self.relays[leader]

    async def taken_over(self, by: BotProcess) -> None:
        """Wait until a process has taken the leader's duties over."""
        ends_at = by.turns.seconds + TAKEN_OVER_WITHIN
        await self.live.server.until(lambda: leads(by) or by.turns.seconds > ends_at, 60.0)
        assert leads(by)

    async def used(self, count: int = 8) -> list[InteractionRecord]:
        """Use so many commands one after another, and return what became of them.

        A command during which a process had no turn for a while is not among them: it may have met one that is cut off.
        """
        records: list[InteractionRecord] = []
        for _ in range(10 * count):
            command = "access list" if len(records) % 2 else "settings show"
            record = await (await self.live.begin(self.live.owner, command)).finished()
            if record.waited_for_turns < _DISTURBED_FROM:
                records.append(record)
            if len(records) == count:
                return records
            await asyncio.sleep(0.05)
        raise TimeoutError("the machine is too busy for this test")

    async def in_order(self) -> None:
        """Wait until both processes can use the database again, and each command is answered."""
        for bot in self._bots:
            await self.live.server.until(partial(has_database, bot), _PATIENCE)
        await self.roles()
        assert texts(await self.used(2)) == ANSWERS

    def log(self) -> str:
        return "\n".join(bot.stderr for bot in self._bots)


def leads(bot: BotProcess) -> bool:
    """Return whether a process leads, by the newest line of its log that says so."""
    return bot.stderr.rfind("leads duty=all") > bot.stderr.rfind("leads no more duty=all")


def has_database(bot: BotProcess) -> bool:
    """Return whether a process can use the database and is alive for the other, by the newest lines of its log."""
    log = bot.stderr
    return all(
        log.rfind(good) >= log.rfind(bad)
        for bad, good in (
            ("database unavailable fault=", "database available again"),
            ("heartbeat failed", "heartbeat again"),
        )
    )


ANSWERS = {"Settings", "Who may do what"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, url: str) -> AsyncIterator[Pair]:
    async with (
        LoopbackDiscord() as server,
        SimulatedProviders(World(), mannco_as_admin=True) as providers,
        Relay(url) as one,
        Relay(url) as other,
        Pair(LiveBot(server, providers, tmp_path_factory.mktemp("desk"), url=url), [one, other]).started() as pair,
    ):
        yield pair


def texts(records: list[InteractionRecord]) -> set[str]:
    """Return the first lines of the answers."""
    return {record.message.text.splitlines()[0] for record in records if record.message is not None}


async def test_hangs(pair: Pair) -> None:
    """A process that hangs loses its duties within 10 s; once it wakes it answers nothing again and leads no more."""
    leader, other, _ = await pair.roles()
    leader.send_signal(signal.SIGSTOP)
    meanwhile = await pair.used()
    await pair.taken_over(other)
    leader.send_signal(signal.SIGCONT)
    await pair.live.server.until(lambda: not leads(leader), TAKEN_OVER_WITHIN)
    after = await pair.used()

    assert texts(meanwhile) == texts(after) == ANSWERS
    assert [record.refusals for record in (*meanwhile, *after) if record.refusals] == []
    await pair.in_order()


@pytest.mark.parametrize("way", ["held", "cut"])
async def test_cut_off(pair: Pair, way: str) -> None:
    """A process that sees Discord but not the database leads no more; the other one answers, as if it were alone."""
    _, other, relay = await pair.roles()
    (relay.hold if way == "held" else relay.cut)()
    meanwhile = await pair.used(20)
    await pair.taken_over(other)
    meanwhile += await pair.used(4)
    relay.mend()

    assert texts(meanwhile) == ANSWERS
    await pair.in_order()


async def test_both_cut_off(pair: Pair) -> None:
    """If both lose the database, people are told that nothing was changed; both go on once it is back."""
    for relay in pair.relays:
        relay.cut()
    meanwhile = await pair.used(4)
    for relay in pair.relays:
        relay.mend()

    assert texts(meanwhile) == {"⚠️ SkinDesk cannot use its database"}
    await pair.in_order()


async def test_slow(pair: Pair) -> None:
    """A database that answers late makes answers late; none comes twice, and the leader stays."""
    leader, *_ = await pair.roles()
    for relay in pair.relays:
        relay.delay = 0.1
    records = await pair.used()
    for relay in pair.relays:
        relay.delay = 0.0

    assert [record.refusals for record in records if record.refusals] == []
    assert texts(records) == ANSWERS
    assert leads(leader)
    await pair.in_order()


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
        await live.server.until(lambda: f"database unavailable fault={fault}" in pair.log())
        admin.execute(end.encode())
    async with asyncio.timeout(_PATIENCE):
        while "Nothing was changed" in (shown := await grant()):  # noqa: ASYNC110 -- as a person tries
            await asyncio.sleep(0.2)
    assert "audit.read" in shown
    await pair.in_order()


_TAKE_COMMANDS = "SELECT count(*) FROM workers WHERE takes_commands"


async def test_discord_away_for_one(pair: Pair) -> None:
    """If one process loses Discord, the others know and one answers; afterwards both are connected."""
    leader, *_ = await pair.roles()
    gateway = pair.live.server.gateway
    await gateway.leave(leader.name)
    meanwhile = await pair.used()
    await pair.live.server.until(lambda: postgres.rows(pair.live.url, _TAKE_COMMANDS) == [(1,)], _PATIENCE)
    gateway.away_for.clear()

    assert texts(meanwhile) == ANSWERS
    await pair.live.server.until(lambda: gateway.connected(leader.name), _PATIENCE)
    await pair.in_order()
