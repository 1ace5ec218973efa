"""Grants in memory: no statement for a check, and no check that a write has not reached."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import aiosqlite
import pytest

from bot.domain.access import SEEDED, Capability, Grant
from bot.storage.database import Database, Parameters
from bot.storage.grants import SqliteGrantRepository
from tests.contracts.samples import ADA, GUILD, NOW, OTHER_GUILD

_T = TypeVar("_T")

MODERATORS = 700_000_000_000_000_001
APPROVERS = Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND)


class _Gate:
    """A place where something waits until it is let through."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self) -> None:
        self.reached.set()
        await self.open.wait()


class _WatchedDatabase(Database):
    """Counts readings and units; holds the answer to a reading, or a unit before it is committed, where told to."""

    readings = 0
    units = 0
    answer: _Gate | None = None
    commit: _Gate | None = None

    async def read(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        self.readings += 1
        gate, self.answer = self.answer, None
        rows = await super().read(sql, parameters)
        if gate is not None:
            await gate.pass_through()
        return rows

    async def write(
        self, unit: Callable[[aiosqlite.Connection], Awaitable[_T]], *, ended: Callable[[], None] | None = None
    ) -> _T:
        self.units += 1
        gate, self.commit = self.commit, None

        async def held(connection: aiosqlite.Connection) -> _T:
            result = await unit(connection)
            if gate is not None:
                await gate.pass_through()
            return result

        return await super().write(held, ended=ended)

    def forget_counts(self) -> None:
        self.readings = self.units = 0


@pytest.fixture
async def watched(path: Path) -> AsyncIterator[_WatchedDatabase]:
    async with _WatchedDatabase.open(path) as opened:
        yield opened


@pytest.fixture
async def grants(watched: _WatchedDatabase) -> SqliteGrantRepository:
    """Grants of a guild whose moderators may approve, not read yet since that was granted."""
    repository = SqliteGrantRepository(watched)
    await repository.grant(APPROVERS, by=ADA, at=NOW)
    return repository


async def test_checked_again(grants: SqliteGrantRepository, watched: _WatchedDatabase) -> None:
    """A thousand checks of a guild are one statement."""
    first = await grants.of_guild(GUILD)
    watched.forget_counts()

    assert {await grants.of_guild(GUILD) for _ in range(1_000)} == {first}
    assert (watched.readings, watched.units) == (0, 0)


async def test_seeded(watched: _WatchedDatabase) -> None:
    """A guild that was never seen is in memory once it is seeded."""
    grants = SqliteGrantRepository(watched)
    seeded = await grants.of_guild(GUILD)
    watched.forget_counts()

    assert await grants.of_guild(GUILD) == seeded
    assert {grant.capability for grant in seeded} == SEEDED
    assert (watched.readings, watched.units) == (0, 0)


async def test_every_grant_revoked(watched: _WatchedDatabase) -> None:
    """A guild without a grant is kept in memory as well as any other."""
    grants = SqliteGrantRepository(watched)
    for grant in await grants.of_guild(GUILD):
        await grants.revoke(grant, by=ADA, at=NOW)
    await grants.of_guild(GUILD)
    watched.forget_counts()

    assert await grants.of_guild(GUILD) == ()
    assert (watched.readings, watched.units) == (0, 0)


async def test_changed_between_checks(grants: SqliteGrantRepository) -> None:
    """What was revoked is gone with the next check, what was granted there, and other guilds are as they were."""
    elsewhere = await grants.of_guild(OTHER_GUILD)
    assert APPROVERS in await grants.of_guild(GUILD)

    await grants.revoke(APPROVERS, by=ADA, at=NOW)
    assert APPROVERS not in await grants.of_guild(GUILD)

    await grants.grant(APPROVERS, by=ADA, at=NOW)
    assert APPROVERS in await grants.of_guild(GUILD)
    assert await grants.of_guild(OTHER_GUILD) == elsewhere


async def test_revoked_while_an_older_answer_is_under_way(
    grants: SqliteGrantRepository, watched: _WatchedDatabase
) -> None:
    """An answer that was read before a revocation and comes after it is not what later checks go by."""
    gate = watched.answer = _Gate()
    reading = asyncio.create_task(grants.of_guild(GUILD))
    await gate.reached.wait()
    await grants.revoke(APPROVERS, by=ADA, at=NOW)
    gate.open.set()
    await reading

    assert APPROVERS not in await grants.of_guild(GUILD)


async def test_checked_while_a_revocation_is_under_way(
    grants: SqliteGrantRepository, watched: _WatchedDatabase
) -> None:
    """A check in the middle of a revocation sees what was before it; the next one after it does not."""
    gate = watched.commit = _Gate()
    revoking = asyncio.create_task(grants.revoke(APPROVERS, by=ADA, at=NOW))
    await gate.reached.wait()
    assert APPROVERS in await grants.of_guild(GUILD)
    gate.open.set()
    await revoking

    assert APPROVERS not in await grants.of_guild(GUILD)


async def test_revoked_by_somebody_who_left(grants: SqliteGrantRepository, watched: _WatchedDatabase) -> None:
    """A revocation whose caller was cancelled counts from the moment it is written."""
    await grants.of_guild(GUILD)
    gate = watched.commit = _Gate()
    revoking = asyncio.create_task(grants.revoke(APPROVERS, by=ADA, at=NOW))
    await gate.reached.wait()
    revoking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await revoking
    assert APPROVERS in await grants.of_guild(GUILD)
    gate.open.set()
    await watched.write(_nothing)  # units run one after the other

    assert APPROVERS not in await grants.of_guild(GUILD)


async def test_revocation_that_is_undone(
    grants: SqliteGrantRepository, watched: _WatchedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation that could not be written down was none: the grant holds."""
    await grants.of_guild(GUILD)

    async def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("bot.storage.grants.write_down", refused)
    with pytest.raises(OSError):  # noqa: PT011 -- it has no text
        await grants.revoke(APPROVERS, by=ADA, at=NOW)

    assert APPROVERS in await grants.of_guild(GUILD)


async def test_many_guilds(watched: _WatchedDatabase) -> None:
    """Only so many guilds are in memory: those that were asked about last."""
    grants = SqliteGrantRepository(watched, max_guilds=2)
    for guild_id in (1, 2, 3):
        await grants.of_guild(guild_id)
    watched.forget_counts()

    await grants.of_guild(3)
    await grants.of_guild(2)
    assert watched.readings == 0
    await grants.of_guild(1)
    assert watched.readings == 1
    await grants.of_guild(2)
    assert watched.readings == 1
    await grants.of_guild(3)
    assert watched.readings == 2


async def test_everybody_at_once(grants: SqliteGrantRepository) -> None:
    """However checks, changes and callers who leave cross each other, each sees what they changed themselves."""
    await asyncio.gather(
        *(
            _worker(grants, Grant(guild_id, 10 + number, Capability.RESEND_ANY), number)
            for guild_id, number in product((GUILD, OTHER_GUILD), range(12))
        )
    )


async def _worker(grants: SqliteGrantRepository, own: Grant, seed: int) -> None:
    """Grant and revoke what nobody else does, and look each time."""
    chance = Random(seed)  # noqa: S311 -- moments, not secrets
    for _ in range(12):
        for change, is_there in ((grants.grant, True), (grants.revoke, False)):
            changing = asyncio.create_task(change(own, by=ADA, at=NOW))
            if chance.random() < 0.3:
                await asyncio.sleep(0)
                changing.cancel()
                await asyncio.gather(changing, return_exceptions=True)
                await change(own, by=ADA, at=NOW)  # waits for the first one
            await changing if not changing.done() else None
            assert (own in await grants.of_guild(own.guild_id)) is is_there


async def _nothing(_: aiosqlite.Connection) -> None:
    """Change nothing."""
