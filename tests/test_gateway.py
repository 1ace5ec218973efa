"""The connections to Discord's gateway."""

import asyncio

import discord

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.gateway import Gateway, Sharding
from tests.support.discord_server import LoopbackDiscord, pointed_at


class NoSlots:
    """The slots of all processes, while PostgreSQL is gone."""

    async def reserve(self, bucket: int) -> float:
        raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)


class Client(discord.AutoShardedClient):
    """A client with connections of its own."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.lost: list[str] = []
        self.gateway = Gateway(
            self,
            Sharding(slots=NoSlots()),
            on_shards=lambda _: None,
            on_lost=lambda _, reason: self.lost.append(reason),
        )

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await self.gateway.before_identify(shard_id or 0)


async def test_without_the_database():
    """While the database is gone SkinDesk connects, at its own pace: people can be told then."""
    async with LoopbackDiscord() as server:
        server.world.shards = server.world.session_starts["max_concurrency"] = 2
        with pointed_at(server):
            async with Client() as client:
                await client.login(server.token)
                running = asyncio.create_task(client.gateway.stay_connected())
                await server.until(lambda: server.gateway.sessions_started == 2)
                await client.gateway.close()
                await running
    assert client.lost == []
