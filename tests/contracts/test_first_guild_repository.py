"""Each FirstGuildRepository keeps one guild, for good."""

import asyncio

from bot.domain.access import SEEDED
from bot.domain.settings import Setting
from tests.contracts.engines import Repositories
from tests.contracts.samples import ADA, GUILD, NOW, OTHER_GUILD


async def test_first(repositories: Repositories) -> None:
    """The first guild stays the first one, whatever comes at the same time or later."""
    first = repositories.first_guild
    assert await first.kept() is None

    kept = await asyncio.gather(*(first.keep(guild_id, at=NOW) for guild_id in (GUILD, OTHER_GUILD, GUILD)))

    (winner,) = set(kept)  # of two processes either may come first
    for guild_id in (GUILD, OTHER_GUILD):
        assert await first.keep(guild_id, at=NOW) == winner
    assert await first.kept() == winner


async def test_is_still_new(repositories: Repositories) -> None:
    """A guild that was kept gets its first grants all the same."""
    await repositories.first_guild.keep(GUILD, at=NOW)

    assert {grant.capability for grant in await repositories.grants.of_guild(GUILD)} == SEEDED


async def test_with_data(repositories: Repositories) -> None:
    """A guild with grants or settings has data."""
    assert await repositories.first_guild.with_data() == []
    await repositories.grants.of_guild(GUILD)
    await repositories.settings.put(OTHER_GUILD, Setting.AUDIT_CHANNEL, 5, by=ADA, at=NOW)

    assert await repositories.first_guild.with_data() == sorted([GUILD, OTHER_GUILD])
