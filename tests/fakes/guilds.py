"""Which guilds are served, where no test is about that."""

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from bot.ports import FirstGuildRepository
from bot.services.guilds import ServedGuilds
from tests.fakes.clock import FakeClock


class NoFirstGuild(FirstGuildRepository):
    """No guild is kept, and none has data."""

    @override
    async def kept(self) -> int | None:
        return None

    @override
    async def keep(self, guild_id: int, *, at: datetime) -> int:
        return guild_id

    @override
    async def with_data(self) -> Sequence[int]:
        return []


def every_guild() -> ServedGuilds:
    """Return a desk that is not decided yet, so every guild is served."""
    return ServedGuilds(first=NoFirstGuild(), clock=FakeClock())
