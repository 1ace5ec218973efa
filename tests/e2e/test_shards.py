"""Several shards: each connects, breaks and comes back without the others."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from bot.domain.shards import ShardGroup
from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot, answer_of
from tests.e2e.test_faults import failed_trades
from tests.e2e.test_starting import the_one_error
from tests.e2e.test_watching import fetched, metrics, sample
from tests.support import postgres
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.records import InteractionRecord

COUNT = 4


class Guilds:
    """A server of each shard, with someone who uses commands there."""

    def __init__(self, server: LoopbackDiscord) -> None:
        self._server = server
        self.of_shard = [server.add_guild(f"Shard {number}", shard=(number, COUNT)) for number in range(COUNT)]

    @property
    def ids(self) -> str:
        return ",".join(str(guild.id) for guild in self.of_shard)

    async def begin(self, shard: int) -> InteractionRecord:
        guild = self.of_shard[shard]
        channel = guild.channels[0] if guild.channels else guild.add_channel("support")
        return await self._server.slash(guild, channel, guild.owner, "status")

    async def use(self, shard: int) -> str:
        return answer_of(await (await self.begin(shard)).finished()).text


@pytest.fixture
def guilds(live: LiveBot) -> Guilds:
    live.server.world.shards = COUNT
    return Guilds(live.server)


async def test_each_by_itself(live: LiveBot, guilds: Guilds, unused_tcp_port: int) -> None:
    """The first shards serve while others wait for their turn to begin; one that breaks is told and disturbs none."""
    gateway, starts = live.server.gateway, live.server.world.session_starts
    starts["max_concurrency"], gateway.identify_every = 2, 5.0

    async def down() -> list[int]:
        found: list[int] = json.loads((await fetched(unused_tcp_port, "/healthz"))[1])["shards_down"]
        return found

    async with live.bot(
        discord__guild_ids=f"{live.guild.id},{guilds.ids}", observability__listen=f"127.0.0.1:{unused_tcp_port}"
    ) as bot:
        await bot.wait_ready(shards=2)
        assert "Providers" in await guilds.use(0)
        assert await down() == [2, 3]
        assert (await fetched(unused_tcp_port, "/readyz"))[0] == 503
        assert "ready guilds=" not in bot.stderr
        await bot.wait_line("ready guilds=5", within=30.0)
        assert (await fetched(unused_tcp_port, "/readyz"))[0] == 200
        for shard in range(COUNT):
            assert "Providers" in await guilds.use(shard)

        gateway.away_for.add(bot.name)
        gateway.drop(1)
        assert "shard=1" in await bot.wait_line("gateway disconnected")
        late = await guilds.begin(1)
        assert "Providers" in await guilds.use(2)
        assert await down() == [1]
        gateway.away_for.clear()
        await bot.wait_line("gateway resumed shard=1")
        assert "Providers" in answer_of(await late.finished()).text
        counted = await metrics(unused_tcp_port)
        assert [counted[sample("gateway_connected", shard=str(shard))] for shard in range(COUNT)] == [1] * COUNT

        await gateway.close(4011, shard=3)
        assert "too many servers for so few shards" in await the_one_error(bot, ExitCode.CONFIG)
    assert (gateway.refused_sessions, starts["remaining"]) == (0, 1000 - COUNT)
    assert sorted(shard for _, shard in gateway.identified) == list(range(COUNT))
    for bucket in (0, 1):
        times = [at for at, shard in gateway.identified if shard % 2 == bucket]
        assert all(second - first >= gateway.identify_every for first, second in pairwise(times))
    assert "not in a server that is served" not in bot.stderr
    live.assert_sound()


async def test_stopped_before_all_are_connected(live: LiveBot, guilds: Guilds) -> None:
    """A stop does not wait for the shards whose turn has not come."""
    async with live.bot(discord__guild_ids=guilds.ids) as bot:
        await bot.wait_ready()
        assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK
        assert "gateway disconnected" not in bot.stderr
    assert len(live.server.gateway.identified) == 1


@pytest.fixture
def on_postgres(live: LiveBot) -> Iterator[None]:
    with postgres.database() as live.url:
        yield


@pytest.mark.usefixtures("on_postgres")
async def test_parts(live: LiveBot, guilds: Guilds) -> None:
    """Two processes have a half of the shards each: a server is answered once, and also without the other process."""
    live.server.world.session_starts["max_concurrency"] = 2
    live.server.gateway.identify_every = 5.0
    named = f"{live.guild.id},{guilds.ids}"
    trade_ids = failed_trades(live)
    async with (
        live.bot(discord__guild_ids=named, discord__shards="0-1/4") as first,
        live.bot(discord__guild_ids=named, discord__shards="2-3/4") as second,
    ):
        for bot in (first, second):
            await bot.wait_line("ready guilds=", within=30.0)
        for shard in range(COUNT):
            assert "Providers" in await guilds.use(shard)
        await live.set_up()
        card = await live.requested(trade_ids[0])
        its, other = (first, second) if ShardGroup(0, 1, COUNT).has(live.guild.id) else (second, first)
        await other.kill()
        await (await live.decide(card)).finished()
        await live.card_shows(card, "sent")
        await its.wait_line("leads duty=housekeeping")
        assert await its.terminate() == ExitCode.OK
        handled = [bot.stderr.count("interaction handled command=status") for bot in (first, second)]
        assert handled == [COUNT / 2] * 2
        for bot in (first, second):
            assert "not in a server that is served" not in bot.stderr
            assert "Traceback" not in bot.stderr
    assert live.providers.mannco.resend_calls == {trade_ids[0]: 1}
    assert live.server.gateway.refused_sessions == 0
    live.assert_sound()
