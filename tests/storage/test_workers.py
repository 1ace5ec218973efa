"""Several processes on one PostgreSQL database: who leads, who is alive, and who answers an interaction."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Self

import psycopg
import pytest
from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.domain.shards import ShardGroup
from bot.ports.workers import HOUSEKEEPING
from bot.storage.postgres import connection as connection_module
from bot.storage.postgres import database as database_module
from bot.storage.postgres import workers as workers_module
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.workers import PostgresWorkers
from tests.support import postgres

GUILD = 7 << 22

PATIENCE = 60.0
"""Seconds after which a test hangs. A busy machine may stand still for some."""

CLAIM_WITHIN = workers_module._CLAIM_WITHIN


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give signs of life often, and wait for a server that stands still for a moment."""
    monkeypatch.setattr(workers_module, "_BEAT_EVERY", 0.1)
    for name in ("_BEAT_WITHIN", "_CLAIM_WITHIN", "_LEAVE_WITHIN"):
        monkeypatch.setattr(workers_module, name, PATIENCE)
    monkeypatch.setattr(database_module, "_WAIT", PATIENCE)


@asynccontextmanager
async def process(url: str, name: str, group: ShardGroup | None = None) -> AsyncIterator[PostgresWorkers]:
    """A process that has joined and gets interactions."""
    async with PostgresDatabase.open(url) as db, PostgresWorkers.among(name, db, url, group) as workers:
        await workers.join(receives=lambda: True)
        yield workers


async def signs_of_life(*processes: PostgresWorkers) -> None:
    """Wait until each process has given a sign of life that began after this moment."""
    now = workers_module._now()
    async with asyncio.timeout(PATIENCE):
        for each in processes:
            while each._sure_until - workers_module._SURE_FOR < now:  # noqa: ASYNC110 -- there is no event
                await asyncio.sleep(0.01)


async def failing() -> list[list[object]]:
    raise psycopg.OperationalError


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.encode())


async def test_one_leader(url: str) -> None:
    """Of processes that join at the same time one leads; when it leaves, it stops at once and another begins."""
    async with AsyncExitStack() as stack:
        entering = [stack.enter_async_context(process(url, name)) for name in "abcd"]
        workers = await asyncio.gather(*entering)
        [leader] = [each for each in workers if each.leads(GUILD)]
        assert [each for each in workers if each.leads(None)] == [leader]
        assert leader.duties == {"all": True, HOUSEKEEPING: True}

        await leader.leave()
        await leader.join(receives=lambda: True)  # a shard connects during the stop

        assert not leader.leads(GUILD)
        assert not leader.leads(None)
        await signs_of_life(*workers)
        assert sum(each.leads(GUILD) for each in workers) == 1


async def test_not_ready(url: str) -> None:
    """A process that is not set up takes no duty, and is alive."""
    async with PostgresDatabase.open(url) as db, PostgresWorkers.among("a", db, url, None) as starting:
        await signs_of_life(starting)
        assert not starting.leads(None)
        assert starting.is_alive
        async with process(url, "b") as other:
            assert other.leads(None)
            assert await other.alive() == {"a", "b"}
        assert await starting.alive() == {"a"}


async def test_lost_heartbeat(url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Who cannot give signs of life stops leading before another begins, and then leads no more when it is back."""
    async with process(url, "a") as first, process(url, "b") as second:
        beat, lease = first._beat, first.lease
        assert lease is not None
        await signs_of_life(first)
        assert first.lease == lease
        monkeypatch.setattr(first, "_beat", failing)
        async with asyncio.timeout(PATIENCE):
            while not second.leads(GUILD):  # noqa: ASYNC110 -- there is no event
                await asyncio.sleep(0.01)
        assert workers_module._now() - first._sure_until > 0.9  # a second, less how the clocks differ
        assert not first.leads(GUILD)
        async with asyncio.timeout(PATIENCE):
            await second.changed()

        monkeypatch.setattr(first, "_beat", beat)
        await signs_of_life(first)
        assert (first.leads(GUILD), second.leads(GUILD)) == (False, True)
        assert first.lease == lease + 1
    assert [record for record in caplog.records if record.exc_info] == []


async def test_server_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the server was away for a while no process calls another one dead that is back within a second."""
    async with process(url, "a") as first:
        first_beat = first._beat
        async with process(url, "b") as second:
            second_beat = second._beat
            for workers in (first, second):
                monkeypatch.setattr(workers, "_beat", failing)
                async with workers._one_beat:
                    pass  # the last one is over
            execute(url, "UPDATE workers SET seen_at = now() - interval '7 seconds'")

            is_seen = asyncio.Event()

            async def beat_once() -> list[list[object]]:
                monkeypatch.setattr(first, "_beat", failing)
                rows = await first_beat()
                is_seen.set()
                return rows

            monkeypatch.setattr(first, "_beat", beat_once)
            async with asyncio.timeout(PATIENCE):
                await is_seen.wait()
            assert await first.alive() == {"a", "b"}
            monkeypatch.setattr(second, "_beat", second_beat)
            await signs_of_life(second)
            assert await first.alive() == {"a", "b"}


async def test_shard_groups(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each group has its own leader, the housekeeping one for all; groups that overlap, or of another count, wait."""
    lower, upper = ShardGroup.parse("0-1/4"), ShardGroup.parse("2-3/4")
    async with process(url, "a", lower) as first, process(url, "b", upper) as second:
        assert (first.leads(1 << 22), first.leads(2 << 22), first.leads(None)) == (True, False, True)
        assert (second.leads(1 << 22), second.leads(2 << 22), second.leads(None)) == (False, True, False)
        async with (
            process(url, "c", ShardGroup.parse("1-2/4")) as across,
            process(url, "d") as whole,
            process(url, "e", ShardGroup.parse("4-7/8")) as of_eight,
        ):
            assert [any(each.duties.values()) for each in (across, whole, of_eight)] == [False] * 3
    kept_out = [record.getMessage() for record in caplog.records if "cannot lead" in record.getMessage()]
    assert len(kept_out) == 3


async def test_late_sign_of_life(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process counts itself among the living from before it sent a sign of life, however late the answer comes."""
    monkeypatch.setattr(workers_module, "_SURE_FOR", 0.4)
    async with process(url, "a") as only:
        beat = only._beat

        async def late() -> list[list[object]]:
            rows = await beat()
            await asyncio.sleep(0.5)
            return rows

        monkeypatch.setattr(only, "_beat", late)
        await asyncio.sleep(0.6)
        for _ in range(30):
            assert not only.is_alive
            await asyncio.sleep(0.03)


async def test_other_clock(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process knows how far the server's clock is ahead of its machine's."""

    class Behind(datetime):
        @classmethod
        @override
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) - timedelta(minutes=10)

    monkeypatch.setattr(workers_module, "datetime", Behind)
    async with process(url, "a") as only:
        assert abs(only.offset - timedelta(minutes=10)) < timedelta(seconds=5)


async def test_old_claims(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is kept as long as Discord may send its interaction again."""
    monkeypatch.setattr(workers_module, "_PURGE_EVERY", 0.0)
    execute(url, "INSERT INTO interaction_claims VALUES (0, 'gone', now() - interval '15 minutes')")
    execute(url, "INSERT INTO interaction_claims VALUES (1, 'gone', now() - interval '1 hour')")
    async with process(url, "a"):
        async with asyncio.timeout(PATIENCE):
            while len(postgres.rows(url, "SELECT id FROM interaction_claims")) > 1:  # noqa: ASYNC110 -- the other side's
                await asyncio.sleep(0.05)
    assert postgres.rows(url, "SELECT id FROM interaction_claims") == [(0,)]


async def test_claims(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two processes gets each interaction, also one that comes again later."""
    monkeypatch.setattr(workers_module, "_OTHERS_LATER", 0.0)
    async with process(url, "a") as first, process(url, "b") as second:
        both = [each.claims(number, GUILD) for number in range(50) for each in (first, second)]
        answers = await asyncio.gather(*both)
        assert [answers[n] + answers[n + 1] for n in range(0, 100, 2)] == [1] * 50
        first.finished(7)
        assert first._noting is not None
        await first._noting
        assert not await second.claims(7, GUILD)
        assert not await first.claims(7, GUILD)


async def test_the_leader_claims_first(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that leads a server, and has its pages, does not wait; another one does, for a moment."""
    assert workers_module._OTHERS_LATER == 0.1
    monkeypatch.setattr(workers_module, "_OTHERS_LATER", PATIENCE)
    async with process(url, "a") as first, process(url, "b") as second:
        later = [asyncio.create_task(second._claim(number, GUILD)) for number in range(9)]
        assert await asyncio.gather(*(first.claims(number, GUILD) for number in range(9))) == [True] * 9
        for each in later:
            assert each.cancel()
        await asyncio.wait(later)


async def test_claims_of_a_stopping_process(url: str) -> None:
    """A process that stops leaves interactions to another one that gets them; if there is none, it answers."""
    async with process(url, "a") as first:
        async with process(url, "b") as second:
            await first.leave()
            assert not await first.claims(1, GUILD)
            assert await second.claims(1, GUILD)
            await second.leave()
            assert await second.claims(2, GUILD)
        assert await first.claims(3, GUILD)


async def test_claim_without_answer(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that the server does not answer fails while Discord still waits: it does for three seconds."""
    assert CLAIM_WITHIN < 2
    monkeypatch.setattr(workers_module, "_CLAIM_WITHIN", CLAIM_WITHIN)
    for name in ("STATEMENT_WITHIN", "_ANSWER_WITHIN"):  # nothing else ends it
        monkeypatch.setattr(connection_module, name, 10 * PATIENCE)
    async with process(url, "a") as only:
        with psycopg.connect(url) as admin:
            admin.execute("LOCK TABLE interaction_claims")
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(DatabaseUnavailable):
                    await only.claims(1, GUILD)


async def test_claim_of_a_busy_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has no turn for some seconds still gets what it claimed before, and what it claims then."""
    monkeypatch.setattr(workers_module, "_CLAIM_WITHIN", CLAIM_WITHIN)
    async with process(url, "a") as only:
        for pause in (0.0, 0.02):
            claiming = asyncio.create_task(only.claims(int(pause * 100), GUILD))
            await asyncio.sleep(pause)
            time.sleep(2.2)  # noqa: ASYNC251 -- as a process that gets no processor
            assert await claiming


async def test_unanswered_are_named(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Interactions that a dead process had claimed and not finished are logged, once, by their ids."""
    async with process(url, "a") as first:
        await first.claims(11, GUILD)
        await first.claims(12, GUILD)
        first.finished(11)
        async with process(url, "other") as other:
            other.finished(12)  # its claim had no answer in time, and it refused
    execute(url, "INSERT INTO workers VALUES ('a', 'all', true, true, now(), now() - interval '7 seconds')")
    with caplog.at_level(logging.WARNING):
        async with process(url, "b") as second, process(url, "c") as third:
            await signs_of_life(second, third)
    named = [record.getMessage() for record in caplog.records if "not answered" in record.getMessage()]
    assert named == ["interactions of a dead process not answered worker=a ids=12"]


async def test_sign_of_life_that_comes_too_late(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life that waits too long is given up and closes its connection; the next one has another."""
    async with process(url, "a") as only:
        first = only._connection
        with psycopg.connect(url) as admin:
            admin.execute("LOCK TABLE workers")
            monkeypatch.setattr(workers_module, "_BEAT_WITHIN", 0.1)
            async with asyncio.timeout(PATIENCE):
                while not only._is_lost:  # noqa: ASYNC110 -- there is no event
                    await asyncio.sleep(0.01)
            monkeypatch.setattr(workers_module, "_BEAT_WITHIN", PATIENCE)
        await signs_of_life(only)
        assert first is not None
        async with asyncio.timeout(PATIENCE):
            while not first.closed:  # noqa: ASYNC110 -- there is no event
                await asyncio.sleep(0.01)
        assert first is not only._connection
