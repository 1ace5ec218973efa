"""Keeps each shard of a client connected to Discord's gateway, and says why a connection ended.

discord.py's own loops fail for good if the first connection does, reconnect without a pause after most close codes,
wait up to 17 minutes after a long outage, log a traceback for each attempt, and let one shard's error end all of them.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.discord_faults import DiscordFault, close_code, discord_fault
from bot.domain.errors import DatabaseUnavailable
from bot.domain.shards import ShardGroup
from bot.ports.identify import IDENTIFY_EVERY, IdentifySlots

_log = logging.getLogger(__name__)

_CONNECT_WITHIN = 30.0
_LONGEST_PAUSE = 60.0
_STABLE_AFTER = 60.0
"""Seconds after which a connection counts as one that works."""

_LONGEST_SHARE = 300.0
"""Seconds to wait for a session while Discord still allows some."""


class LocalIdentifySlots:
    """The times at which the sessions of one process begin."""

    def __init__(self, *, every: float = IDENTIFY_EVERY) -> None:
        self._every = every
        self._free_at: defaultdict[int, float] = defaultdict(float)

    async def take(self, bucket: int) -> float:
        """Take a bucket, and return 0; if it is not free, return the seconds until it may be."""
        wait = max(0.0, self._free_at[bucket] - monotonic())
        if not wait:
            await self.began(bucket)
        return wait

    async def began(self, bucket: int) -> None:
        """Keep a bucket from now on."""
        self._free_at[bucket] = monotonic() + self._every


@dataclass(frozen=True, slots=True)
class Sharding:
    """The shards of this process, None for as many as Discord recommends; ``slots`` are shared with other processes."""

    group: ShardGroup | None = None
    slots: IdentifySlots | None = None

    @property
    def ids(self) -> Collection[int]:
        """The numbers of the shards, as far as they are known without Discord."""
        return () if self.group is None else self.group.ids


class Gateway:
    """The connections of one client, one for each shard. Each connects, pauses and resumes without the others.

    ``on_shards`` is called once with their numbers, ``on_lost`` with a shard and the reason each time it has no
    connection.
    """

    def __init__(
        self,
        client: discord.AutoShardedClient,
        sharding: Sharding,
        *,
        on_shards: Callable[[Collection[int]], None],
        on_lost: Callable[[int, str], None],
    ) -> None:
        self._client = client
        self._group = sharding.group
        self._on_shards = on_shards
        self._on_lost = on_lost
        self._own_slots = LocalIdentifySlots()
        self._slots = sharding.slots or self._own_slots
        self._max_concurrency = 1
        self._answer: Mapping[str, Any] | None = None
        """Discord's first answer, until a session is begun with it."""
        self._buckets: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opening: dict[int, asyncio.Timeout] = {}
        self._sockets: dict[int, DiscordWebSocket] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def stay_connected(self) -> None:
        """Connect, and again after each loss, until :meth:`close`; raise an error that only a person can correct."""
        shards = await self._learn_shards()
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks = [group.create_task(self._keep(shard), name=f"shard {shard}") for shard in shards]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def close(self) -> None:
        """Disconnect all shards."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(
            *(socket.close(code=1000) for socket in self._sockets.values() if socket.open), return_exceptions=True
        )

    async def before_identify(self, shard: int) -> None:
        """Wait until Discord accepts a session of this shard, which is about to be asked for."""
        while wait := await self._take(shard % self._max_concurrency):
            self._opening[shard].reschedule(asyncio.get_running_loop().time() + wait + _CONNECT_WITHIN)
            await asyncio.sleep(wait)

    async def session_began(self, shard: int) -> None:
        """Count the time until the bucket's next session from now: Discord may have read this one's IDENTIFY late."""
        for slots in {self._own_slots, self._slots}:
            with suppress(DatabaseUnavailable):  # as in _take
                await slots.began(shard % self._max_concurrency)

    async def _take(self, bucket: int) -> float:
        try:
            return await self._slots.take(bucket)
        except DatabaseUnavailable:  # Discord refuses what comes too early, and it is tried again
            return await self._own_slots.take(bucket)

    async def _learn_shards(self) -> Collection[int]:
        """Return the numbers of the shards; Discord decides how many there are, unless the configuration does."""
        pauses = _Pauses()
        while self._answer is None:
            try:
                self._answer = await self._gateway_bot()
            except Exception as error:  # noqa: BLE001 -- raised again unless it may pass
                await self._pause(self._group.first if self._group else 0, *_passing(error), pauses.after(0.0))
        count = int(self._answer["shards"])
        group = self._group or ShardGroup(0, count - 1, count)
        self._client.shard_count = self._client._connection.shard_count = group.count  # noqa: SLF001 -- discord.py sets it
        self._client._connection.shard_ids = group.ids  # noqa: SLF001 -- as above
        self._on_shards(group.ids)
        return group.ids

    async def _keep(self, shard: int) -> None:
        loop, pauses = asyncio.get_running_loop(), _Pauses()
        resumption: Mapping[str, Any] = {}
        while True:
            socket: DiscordWebSocket | None = None
            opened_at, reason, pause, may_resume = 0.0, "", None, True
            try:
                socket = self._sockets[shard] = await self._open(shard, resumption)
                opened_at = loop.time()
                while True:
                    await socket.poll_event()
            except ReconnectWebSocket as ended:
                reason, may_resume = _reason(socket), ended.resume
            except Exception as error:  # noqa: BLE001 -- raised again unless it may pass
                reason, pause = _passing(error)
            lasted = 0.0 if socket is None else loop.time() - opened_at
            self._client.dispatch("disconnect")
            self._client.dispatch("shard_disconnect", shard)
            await self._pause(shard, reason, pause, pauses.after(lasted))
            resumption = _resumption(self._sockets.get(shard)) if may_resume else {}

    async def _open(self, shard: int, resumption: Mapping[str, Any]) -> DiscordWebSocket:
        if resumption:
            return await self._connect(shard, resumption)
        async with self._buckets[shard % self._max_concurrency]:
            await self._await_session_start(shard)
            return await self._connect(shard, {})

    async def _connect(self, shard: int, resumption: Mapping[str, Any]) -> DiscordWebSocket:
        async with asyncio.timeout(_CONNECT_WITHIN) as self._opening[shard]:
            return await DiscordWebSocket.from_client(self._client, shard_id=shard, **resumption)

    async def _pause(self, shard: int, reason: str, asked: float | None, otherwise: float) -> None:
        pause = otherwise if asked is None else asked
        self._on_lost(shard, f"{reason}; next attempt in {pause:.0f} s")
        await asyncio.sleep(pause)

    async def _await_session_start(self, shard: int) -> None:
        """Wait until Discord allows another session: it resets the token of a bot that begins more than 1,000 a day.

        From half of them on, the others are spread over the time until Discord counts from the start again. So a crash
        loop cannot use them up, and some are left once its cause is gone.
        """
        while True:
            answer, self._answer = self._answer or await self._gateway_bot(), None
            limit = answer["session_start_limit"]
            left, until_reset = limit["remaining"], limit["reset_after"] / 1_000
            if left * 2 >= limit["total"]:
                return
            wait = min(until_reset / left, _LONGEST_SHARE) if left > 0 else until_reset
            self._on_lost(
                shard,
                f"{left} of Discord's {limit['total']} sessions a day are left: the next one begins in {wait:.0f} s",
            )
            await asyncio.sleep(wait)
            if left > 0:
                return

    async def _gateway_bot(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await self._client.http.request(discord.http.Route("GET", "/gateway/bot"))
        self._max_concurrency = max(1, int(answer["session_start_limit"]["max_concurrency"]))
        return answer


class _Pauses:
    """The seconds between two attempts: ever more, until a connection has worked for a while."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, lasted: float) -> float:
        self._failures = 0 if lasted > _STABLE_AFTER else self._failures + 1
        return random.uniform(0.5, 1) * min(2.0 ** (self._failures - 1), _LONGEST_PAUSE)  # noqa: S311 -- no secret


def _passing(error: Exception) -> tuple[str, float | None]:
    """Return what is in the way, and the pause that Discord asks for; raise an error that does not pass by itself."""
    fault: DiscordFault | None = discord_fault(error)
    if fault is None or fault.is_permanent:
        raise error
    return fault.what, fault.retry_after


def _resumption(socket: DiscordWebSocket | None) -> Mapping[str, Any]:
    """Return the arguments that resume the session of a connection, if it has one."""
    if socket is None or socket.session_id is None:
        return {}
    return {
        "resume": True,
        "session": socket.session_id,
        "sequence": socket.sequence,
        "gateway": socket.gateway,
    }


def _reason(socket: DiscordWebSocket | None) -> str:
    if socket is None:
        return "Discord closed the connection before its first message"
    if socket._close_code is not None:  # noqa: SLF001 -- discord.py does not tell who closed
        return "Discord asked for a new connection, or did not answer in time"
    return close_code(socket.socket.close_code)
