"""Cached grants need no statement, and each change counts with the next check."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.domain.access import SEEDED, Capability, Grant
from bot.storage.database import Parameters
from bot.storage.grants import SqlGrantRepository
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, GUILD, NOW
from tests.support import postgres

_T = TypeVar("_T")

MODERATORS = 700_000_000_000_000_001
APPROVERS = Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND)


class _Gate:
    """Blocks a thread until it is opened."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened = threading.Event()
        self.reached = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    def wait(self) -> None:
        """Wait on another thread."""
        self._loop.call_soon_threadsafe(self.reached.set)
        self._opened.wait(timeout=10)


class _WatchedDatabase(SqliteDatabase):
    """Counts reads and writes; holds the result of a read, or a job before its COMMIT, at a gate."""

    reads = 0
    writes = 0
    after_read: _Gate | None = None
    before_commit: _Gate | None = None

    async def read(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        self.reads += 1
        gate, self.after_read = self.after_read, None
        rows = await super().read(sql, parameters)
        if gate is not None:
            await asyncio.to_thread(gate.wait)
        return rows

    async def write(self, job: Callable[[sqlite3.Connection], _T], *, on_done: Callable[[], None] | None = None) -> _T:
        self.writes += 1
        gate, self.before_commit = self.before_commit, None

        def held(connection: sqlite3.Connection) -> _T:
            result = job(connection)
            if gate is not None:
                gate.wait()
            return result

        return await super().write(held, on_done=on_done)

    def reset_counts(self) -> None:
        self.reads = self.writes = 0


@pytest.fixture
async def watched(path: Path) -> AsyncIterator[_WatchedDatabase]:
    async with _WatchedDatabase.open(path) as opened:
        yield opened


@pytest.fixture
async def grants(watched: _WatchedDatabase) -> SqlGrantRepository:
    """The grants of a guild whose moderators may approve, not cached yet."""
    repository = SqlGrantRepository(watched, now=lambda: NOW)
    await repository.grant(APPROVERS, by=ADA, at=NOW)
    return repository


async def test_checked_again(watched: _WatchedDatabase) -> None:
    """A guild is cached once it is seeded, and also if it has no grant left."""
    grants = SqlGrantRepository(watched, now=lambda: NOW)
    seeded = await grants.of_guild(GUILD)
    watched.reset_counts()

    assert {grant.capability for grant in seeded} == SEEDED
    assert {await grants.of_guild(GUILD) for _ in range(1_000)} == {seeded}
    assert (watched.reads, watched.writes) == (0, 0)

    for grant in seeded:
        await grants.revoke(grant, by=ADA, at=NOW)
    await grants.of_guild(GUILD)
    watched.reset_counts()

    assert await grants.of_guild(GUILD) == ()
    assert (watched.reads, watched.writes) == (0, 0)


async def test_revoked_during_a_read(grants: SqlGrantRepository, watched: _WatchedDatabase) -> None:
    """Rows that were read before a revocation and arrive after it are not cached."""
    gate = watched.after_read = _Gate()
    reading = asyncio.create_task(grants.of_guild(GUILD))
    await gate.reached.wait()
    await grants.revoke(APPROVERS, by=ADA, at=NOW)
    gate.open()
    await reading

    assert APPROVERS not in await grants.of_guild(GUILD)


async def test_cancelled_revocation(grants: SqlGrantRepository, watched: _WatchedDatabase) -> None:
    """A revocation whose caller was cancelled counts once it is committed."""
    await grants.of_guild(GUILD)
    gate = watched.before_commit = _Gate()
    revoking = asyncio.create_task(grants.revoke(APPROVERS, by=ADA, at=NOW))
    await gate.reached.wait()
    revoking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await revoking
    assert APPROVERS in await grants.of_guild(GUILD)
    gate.open()
    await watched.write(lambda connection: None)  # after it

    assert APPROVERS not in await grants.of_guild(GUILD)


async def test_revocation_that_fails(grants: SqlGrantRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revocation without its audit row is rolled back: the grant holds."""
    await grants.of_guild(GUILD)

    def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("bot.storage.grants.append", refused)
    with pytest.raises(OSError):  # noqa: PT011 -- it has no text
        await grants.revoke(APPROVERS, by=ADA, at=NOW)

    assert APPROVERS in await grants.of_guild(GUILD)


async def test_many_guilds(watched: _WatchedDatabase) -> None:
    """Only the most recently used guilds are cached."""
    grants = SqlGrantRepository(watched, now=lambda: NOW, max_guilds=2)
    for guild_id in (1, 2, 3):
        await grants.of_guild(guild_id)
    watched.reset_counts()

    await grants.of_guild(3)
    await grants.of_guild(2)
    assert watched.reads == 0
    await grants.of_guild(1)
    assert watched.reads == 1
    await grants.of_guild(2)
    assert watched.reads == 1
    await grants.of_guild(3)
    assert watched.reads == 2


async def test_revoked_by_another_process() -> None:
    """On PostgreSQL a revocation in one process counts with the next check in the others."""
    with postgres.database() as url:
        async with PostgresDatabase.open(url) as mine, PostgresDatabase.open(url) as theirs:
            here, there = SqlGrantRepository(mine, now=lambda: NOW), SqlGrantRepository(theirs, now=lambda: NOW)
            await here.grant(APPROVERS, by=ADA, at=NOW)
            assert APPROVERS in await there.of_guild(GUILD)

            await here.revoke(APPROVERS, by=ADA, at=NOW)

            assert APPROVERS not in await there.of_guild(GUILD)
