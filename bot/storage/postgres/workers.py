"""The processes that share a PostgreSQL database: who is alive, who leads, and who answers an interaction."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import psycopg
from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.domain.shards import ONE_SHARD, ShardGroup
from bot.ports.workers import ALL_SHARDS, HOUSEKEEPING, Workers, duty_of
from bot.storage.postgres.connection import AsyncBoundedConnection, connection_options
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.sql import translated

_log = logging.getLogger(__name__)

_SURE_FOR = 5.0
"""Seconds after its last sign of life in which a process counts itself among the living: one less than the others do.

By its own clock; the others go by the server's, in the view ``living_workers``.
"""

_BEAT_EVERY = 1.0
"""Seconds between two signs of life."""

_BEAT_WITHIN = 2.0

_CLAIM_WITHIN = 1.7
"""Seconds for a claim, of the three in which Discord wants an answer.

A process without the database says so only then: another one, perhaps a new one, may answer meanwhile.
"""

_STEP = 0.1
"""Seconds of waiting after which a process looks whether an answer has come."""

_OTHERS_LATER = 0.1
"""Seconds by which the process that does not lead a server claims later than the leader, which has its pages."""

_PURGE_EVERY = 60.0

_LEAVE_WITHIN = 0.5
"""Seconds for each of the two statements with which a process says that it stops."""

# The server runs all of these in one transaction, without waiting for this process in between: one that hangs
# holds the lock against no one. The lock keeps two processes from taking a duty at the same time. A process that was
# not seen itself calls no other one dead: the server was away, and they have a second to be back.
_BEAT = """
SELECT pg_advisory_xact_lock(0x536B446B0003);
DELETE FROM workers WHERE id NOT IN (SELECT id FROM living_workers)
AND (id = :me OR :me NOT IN (SELECT id FROM workers) OR :me IN (SELECT id FROM living_workers));
DELETE FROM duties WHERE holder NOT IN (SELECT id FROM workers) OR (holder = :me AND NOT :may_lead);
INSERT INTO workers (id, shards, may_lead, takes_commands) VALUES (:me, :shards, :may_lead, :takes_commands)
ON CONFLICT (id) DO UPDATE SET
    may_lead = excluded.may_lead, takes_commands = excluded.takes_commands, seen_at = clock_timestamp();
INSERT INTO duties (name, first_shard, last_shard, shard_count, holder)
SELECT name, first_shard, last_shard, shard_count, :me
FROM (VALUES (:shards, :first, :last, :count), (:housekeeping, 0, 0, 0))
    AS wanted(name, first_shard, last_shard, shard_count)
WHERE :may_lead AND NOT EXISTS (
    SELECT 1 FROM duties AS taken
    WHERE (taken.shard_count = 0) = (wanted.shard_count = 0) AND (
        taken.shard_count <> wanted.shard_count
        OR (taken.first_shard <= wanted.last_shard AND taken.last_shard >= wanted.first_shard)
    )
);
UPDATE interaction_claims SET is_finished = true
WHERE NOT is_finished AND worker NOT IN (SELECT id FROM workers) RETURNING id, worker;
SELECT workers.id, workers.shards, takes_commands, clock_timestamp() AS now,
    array(SELECT name FROM duties WHERE holder = workers.id) AS duties
FROM workers
"""

_LEFT = """
SELECT pg_advisory_xact_lock(0x536B446B0003);
DELETE FROM duties WHERE holder = :me;
DELETE FROM workers WHERE id = :me
"""

_ALIVE = "SELECT id FROM workers"

_OTHERS = "SELECT shards FROM living_workers WHERE id <> :me AND takes_commands"

_CLAIM = "INSERT INTO interaction_claims (id, worker) VALUES (:id, :me) ON CONFLICT DO NOTHING RETURNING id"

_FINISHED = "UPDATE interaction_claims SET is_finished = true WHERE id = ANY(:ids) AND worker = :me"

# Discord takes answers for 15 minutes, and may send an event again after a lost connection.
_PURGE = "DELETE FROM interaction_claims WHERE claimed_at < clock_timestamp() - interval '20 minutes'"


def _now() -> float:
    """Return the seconds of a clock that runs while the machine is suspended, as ``time.monotonic`` does not."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class PostgresWorkers(Workers):
    """One process of several. A task of its own, on a connection of its own, gives the signs of life."""

    def __init__(self, me: str, database: PostgresDatabase, url: str, group: ShardGroup | None) -> None:
        self._me = me
        self._database = database
        self._shards = duty_of(group)
        self._group = group or ONE_SHARD
        self._options = connection_options(url, role="heartbeat") | {"cursor_factory": psycopg.AsyncClientCursor}
        self._connection: AsyncBoundedConnection | None = None
        self._receives: Callable[[], bool] = lambda: False
        self._may_lead = False
        self._leaving: asyncio.Task[None] | None = None
        self._sure_until = 0.0
        self._lease = 0
        self._held: frozenset[str] = frozenset()
        self._others: frozenset[str] = frozenset()
        self._gives_way = False
        """Whether another process leads the shards, and takes commands."""
        self._offset = timedelta()
        self._one_beat = asyncio.Lock()
        self._change = asyncio.Event()
        self._next_purge = _now() + _PURGE_EVERY
        self._finished: list[int] = []
        self._noting: asyncio.Task[None] | None = None
        self._is_lost = self._is_kept_out = False

    @classmethod
    @asynccontextmanager
    async def among(
        cls, me: str, database: PostgresDatabase, url: str, group: ShardGroup | None
    ) -> AsyncIterator[Self]:
        """Be one of the processes until the end; then what this one held is free at once."""
        workers = cls(me, database, url, group)
        await workers._try_beat()
        beating = asyncio.create_task(workers._keep_beating(), name="heartbeat")
        try:
            yield workers
        finally:
            beating.cancel()
            await asyncio.wait({beating})
            await workers._end()

    @property
    @override
    def me(self) -> str:
        return self._me

    @property
    @override
    def is_alone(self) -> bool:
        return False

    @property
    @override
    def lease(self) -> int | None:
        return self._lease if self.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether the others are certain to count this process among the living now."""
        return _now() < self._sure_until

    @property
    @override
    def offset(self) -> timedelta:
        return self._offset

    @property
    @override
    def duties(self) -> Mapping[str, bool]:
        return {name: self._has(name) for name in (self._shards, HOUSEKEEPING)}

    @override
    def leads(self, guild_id: int | None) -> bool:
        if guild_id is None:
            return self._has(HOUSEKEEPING)
        return self._group.has(guild_id) and self._has(self._shards)

    @override
    async def alive(self) -> frozenset[str]:
        return frozenset(row["id"] for row in await self._database.run(_ALIVE)) | {self._me}

    @override
    async def join(self, *, receives: Callable[[], bool]) -> None:
        if self._leaving is None:
            self._receives = receives
            self._may_lead = True
            await self._try_beat()

    @override
    async def changed(self) -> None:
        await self._change.wait()
        self._change.clear()

    @override
    async def claims(self, interaction_id: int, guild_id: int | None) -> bool:
        refuses_at = _now() + _CLAIM_WITHIN
        try:
            return await self._claim_in_time(interaction_id, guild_id)
        except DatabaseUnavailable:
            await asyncio.sleep(refuses_at - _now())
            raise

    @override
    def finished(self, interaction_id: int) -> None:
        self._finished.append(interaction_id)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_finished(), name="finished interactions")

    @override
    async def leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(), name="leave")
        await asyncio.wait({self._leaving}, timeout=_LEAVE_WITHIN)

    def _has(self, duty: str) -> bool:
        return duty in self._held and self._may_lead and self.is_alive

    async def _claim_in_time(self, interaction_id: int, guild_id: int | None) -> bool:
        claiming = asyncio.create_task(self._claim(interaction_id, guild_id), name="claim")
        await _wait(claiming, _CLAIM_WITHIN)
        if claiming.done():
            return claiming.result()
        # Not cancelled: psycopg would wait for the server to confirm that.
        claiming.add_done_callback(_retrieve)
        raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)

    async def _claim(self, interaction_id: int, guild_id: int | None) -> bool:
        if self._gives_way:
            await asyncio.sleep(_OTHERS_LATER)
        if self._leaving is not None:
            await asyncio.shield(self._leaving)  # the others know by then that this one takes nothing more
            others = await self._database.run(_OTHERS, {"me": self._me})
            if any(_has(row["shards"], guild_id or 0) for row in others):  # direct messages belong to shard 0
                return False
        return bool(await self._database.run(_CLAIM, {"id": interaction_id, "me": self._me}))

    async def _note_finished(self) -> None:
        while self._finished:
            ids, self._finished = self._finished, []
            try:
                await self._database.run(_FINISHED, {"ids": ids, "me": self._me})
            except DatabaseUnavailable as error:  # another process may name them as unanswered
                _log.debug("finished interactions not noted count=%s fault=%s", len(ids), error)

    async def _leave(self) -> None:
        self._may_lead = False
        self._receives = lambda: False
        await self._try_beat()

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_EVERY)
            await self._try_beat()
            if self.leads(None) and _now() >= self._next_purge:
                self._next_purge = _now() + _PURGE_EVERY
                with contextlib.suppress(DatabaseUnavailable):
                    await self._database.run(_PURGE)

    async def _try_beat(self) -> None:
        """Give a sign of life and learn what the others do. A failure is logged; the next one connects again."""
        async with self._one_beat:
            began = _now()
            beating = asyncio.create_task(self._beat(), name="beat")
            await _wait(beating, _BEAT_WITHIN)
            error: BaseException | None = TimeoutError()
            if not beating.done():
                self._connection = None  # it ends by itself: to cancel it would be to wait for the server again
                beating.add_done_callback(_retrieve)
            elif (error := beating.exception()) is None:
                self._lease += not self.is_alive
                self._sure_until = began + _SURE_FOR
                self._learn(*beating.result())
            if error is None and self._is_lost:
                _log.info("heartbeat again worker=%s", self._me)
            elif error is not None and not self._is_lost:
                _log.warning("heartbeat failed worker=%s error=%s", self._me, type(error).__name__)
            self._is_lost = error is not None

    async def _beat(self) -> list[list[Any]]:
        """Return the unanswered interactions of dead processes, and all living processes."""
        values = {
            "me": self._me,
            "may_lead": self._may_lead,
            "takes_commands": self._receives(),
            "shards": self._shards,
            "first": self._group.first,
            "last": self._group.last,
            "count": self._group.count,
            "housekeeping": HOUSEKEEPING,
        }
        _, unanswered, living = await self._execute(_BEAT, values)
        return [unanswered, living]

    async def _execute(self, sql: str, values: Mapping[str, Any]) -> list[list[Any]]:
        """Run statements in one transaction and return the rows of those that have some."""
        connection = self._connection
        if connection is None or connection.closed:
            connection = await AsyncBoundedConnection.connect(**self._options)
            if self._connection is None or self._connection.closed:
                self._connection = connection
        try:
            cursor = await connection.execute(translated(sql), values)
            results = []
            while True:
                if cursor.description is not None:
                    results.append(await cursor.fetchall())
                if not cursor.nextset():
                    break
        except BaseException:
            await connection.close()
            raise
        if connection is not self._connection:  # a beat that came too late: the next one has its own
            await connection.close()
        return results

    def _learn(self, unanswered: list[Any], living: list[Any]) -> None:
        for worker in {row["worker"] for row in unanswered}:
            ids = ",".join(str(row["id"]) for row in unanswered if row["worker"] == worker)
            _log.warning("interactions of a dead process not answered worker=%s ids=%s", worker, ids)
        others = frozenset(row["id"] for row in living if row["id"] != self._me)
        held = frozenset(duty for row in living if row["id"] == self._me for duty in row["duties"])
        for duty in held - self._held:
            _log.info("leads duty=%s worker=%s", duty, self._me)
        for duty in self._held - held:
            _log.info("leads no more duty=%s worker=%s", duty, self._me)
        led = {duty for row in living for duty in row["duties"]}
        is_kept_out = self._may_lead and self._shards not in led
        if is_kept_out and not self._is_kept_out:
            _log.warning(
                "cannot lead duty=%s, which overlaps others=%s", self._shards, ",".join(sorted(led - {HOUSEKEEPING}))
            )
        self._is_kept_out = is_kept_out
        if self._others - others or held - self._held:
            self._change.set()
        self._others, self._held = others, held
        self._gives_way = any(
            row["takes_commands"] and self._shards in row["duties"] for row in living if row["id"] != self._me
        )
        if living:
            self._offset = living[0]["now"] - datetime.now(UTC)

    async def _end(self) -> None:
        """Have what is left of this process taken over at once, if the server answers at once."""
        try:
            async with asyncio.timeout(_LEAVE_WITHIN):
                if self._noting is not None:
                    await asyncio.wait({self._noting})
                await self._execute(_LEFT, {"me": self._me})
        except (psycopg.Error, OSError, TimeoutError) as error:
            _log.warning("not signed off worker=%s error=%s", self._me, type(error).__name__)
        if self._connection is not None:
            await self._connection.close()


async def _wait(task: asyncio.Task[Any], within: float) -> None:
    """Wait for an answer; of a pause in which this process had no turn, only one step counts: it may have come then."""
    for _ in range(round(within / _STEP)):
        if task.done():
            return
        await asyncio.wait({task}, timeout=_STEP)


def _has(shards: str, guild_id: int) -> bool:
    return shards == ALL_SHARDS or ShardGroup.parse(shards).has(guild_id)


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
