"""Which servers a desk serves."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.services.guilds import GuildsNotNamed, ServedGuilds
from tests.contracts.engines import ENGINES, Repositories
from tests.contracts.samples import NOW
from tests.fakes.clock import FakeClock

A, B, C = 11, 12, 13


async def started(repositories: Repositories, *, named: Sequence[int] = (), joined: Sequence[int] = ()) -> ServedGuilds:
    guilds = ServedGuilds(first=repositories.first_guild, clock=FakeClock(NOW))
    guilds.use(named)
    await guilds.load()
    await guilds.decide({guild_id: f"guild {guild_id}" for guild_id in joined})
    return guilds


async def test_first_in_two_processes(repositories: Repositories) -> None:
    """Of servers that two processes find at the same time one is the first, in both."""
    one, other = await started(repositories), await started(repositories)

    await asyncio.gather(one.claim(A), one.claim(C), other.claim(B), other.claim(A))

    assert len(one.ids) == 1
    assert one.ids == other.ids


@pytest.mark.parametrize(
    ("named", "joined", "with_data", "served"),
    [
        ((), (A,), (), {A}),
        ((), (A,), (A,), {A}),
        ((), (), (A,), {A}),
        ((B,), (A, B), (), {B}),
        ((A, B), (A, B, C), (C,), {A, B}),
        ((), (A, B), (), None),
        ((), (A,), (B,), None),
        ((), (), (A, B), None),
    ],
)
async def test_start(
    repositories: Repositories,
    named: Sequence[int],
    joined: Sequence[int],
    with_data: Sequence[int],
    served: set[int] | None,
) -> None:
    """The named servers are served, or the only one; several and none named is refused."""
    for guild_id in with_data:
        await repositories.grants.of_guild(guild_id)
    if served is None:
        with pytest.raises(GuildsNotNamed) as refused:
            await started(repositories, named=named, joined=joined)
        assert set(refused.value.guilds) == {*joined, *with_data}
        assert await repositories.first_guild.kept() is None
        return
    guilds = await started(repositories, named=named, joined=joined)

    assert {guild_id for guild_id in (A, B, C) if guilds.serves(guild_id)} == served
    assert await repositories.first_guild.kept() == (None if named else A)


async def test_first_is_kept(tmp_path: Path) -> None:
    """The first server stays the one that is served, also if the bot is in other servers only, until one is named."""
    for joined in ([A], [A, B], [B, C], []):
        async with ENGINES["sqlite"](tmp_path) as repositories:
            guilds = await started(repositories, joined=joined)
            assert guilds.ids == {A}
            assert not guilds.serves(B)
    async with ENGINES["sqlite"](tmp_path) as repositories:
        assert (await started(repositories, named=[B], joined=[B, C])).ids == {B}


async def test_first_to_come(repositories: Repositories) -> None:
    """A desk in no server serves the first one that it comes to."""
    guilds = await started(repositories)
    assert guilds.is_open
    await guilds.claim(B)
    await guilds.claim(A)

    assert guilds.ids == {B}
    assert await repositories.first_guild.kept() == B


async def test_change(repositories: Repositories) -> None:
    """Named servers can be changed while it runs; without any there has to be a first one."""
    guilds = await started(repositories, named=[A])

    assert guilds.use([B, C])
    assert guilds.ids == {B, C}
    assert not guilds.use([])
    assert guilds.ids == {B, C}
