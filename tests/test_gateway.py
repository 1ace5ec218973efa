"""The connections to Discord's gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.gateway import Gateway, LocalIdentifySlots, Sharding
from bot.ports.identify import IdentifySlots
from bot.storage.only_worker import OnlyWorker
from bot.ui.interaction.incoming import IncomingEvents
from tests.support.discord_server import LoopbackDiscord, pointed_at


class Slots:
    """The slots of all processes: every one is free, or PostgreSQL is gone."""

    is_gone = False

    async def take(self, bucket: int) -> float:
        if self.is_gone:
            raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)
        return 0.0

    async def began(self, bucket: int) -> None:
        await self.take(bucket)


class OneAtATime:
    """A bucket that is free as soon as its last session began."""

    def __init__(self) -> None:
        self.log: list[str] = []

    async def take(self, bucket: int) -> float:
        assert bucket == 0
        if self.log[-1:] == ["taken"]:
            return 0.01
        self.log.append("taken")
        return 0.0

    async def began(self, bucket: int) -> None:
        assert bucket == 0
        self.log.append("began")


class Client(discord.AutoShardedClient):
    """A client with connections of its own."""

    def __init__(self, slots: IdentifySlots | None = None) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.lost: list[str] = []
        self.incoming = IncomingEvents(self, OnlyWorker("me"))
        self.gateway = Gateway(
            self,
            Sharding(slots=slots or Slots()),
            on_shards=lambda _: None,
            on_lost=lambda shard, reason: self.lost.append(f"{shard}: {reason}"),
        )

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await self.gateway.before_identify(shard_id or 0)

    async def on_shard_connect(self, shard: int) -> None:
        await self.gateway.session_began(shard)

    @asynccontextmanager
    async def connected(self, server: LoopbackDiscord) -> AsyncIterator[None]:
        async with self:
            await self.login(server.token)
            running = asyncio.create_task(self.gateway.stay_connected())
            await server.until(lambda: server.gateway.sessions_started == server.world.shards)
            yield
            await self.gateway.close()
            await running


@pytest.fixture
async def server() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        server.world.shards = server.world.session_starts["max_concurrency"] = 2
        with pointed_at(server):
            yield server


async def test_without_the_database(server: LoopbackDiscord):
    """While the database is gone SkinDesk connects, at its own pace: people can be told then."""
    slots = Slots()
    slots.is_gone = True
    client = Client(slots)
    async with client.connected(server):
        assert client.lost == []


async def test_read_late(server: LoopbackDiscord):
    """The next session of a bucket waits until Discord has begun the last one, however late it read that."""
    server.world.session_starts["max_concurrency"] = 1
    server.gateway.delays = [0.3]
    slots = OneAtATime()
    async with Client(slots).connected(server):
        assert slots.log[:2] == ["taken", "began"]
        await server.until(lambda: slots.log == ["taken", "began"] * 2)


async def test_local_slots():
    """A bucket is free again some time after a session of it began; others are free meanwhile."""
    slots = LocalIdentifySlots(every=3_600.0)
    await slots.began(0)
    assert await slots.take(0) > 0 == await slots.take(1) < await slots.take(1)

    short = LocalIdentifySlots(every=0.01)
    await short.began(0)
    await asyncio.sleep(0.02)
    assert await short.take(0) == 0


async def test_left_while_away(server: LoopbackDiscord):
    """A new session of a shard forgets the servers that the bot has left meanwhile, and no other shard's."""
    kept, left, other = (server.add_guild(shard=(number, 2)) for number in (0, 0, 1))
    client = Client()
    async with client.connected(server):
        await server.until(lambda: len(client.guilds) == 3)
        del server.world.guilds[left.id]
        del server.world.guilds[other.id]
        await server.gateway.end(0)
        await server.until(lambda: server.gateway.sessions_started == 3)
        await server.until(lambda: {guild.id for guild in client.guilds} == {kept.id, other.id})
    assert {reason[0] for reason in client.lost} == {"0"}
