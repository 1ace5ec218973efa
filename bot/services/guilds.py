"""Decides which servers this desk serves: those that the configuration names, or else the first one it was in."""

import asyncio
from collections.abc import Collection, Mapping

import attrs

from bot.ports import Clock, FirstGuildRepository


class GuildsNotNamed(Exception):
    """The desk could serve several servers and the configuration names none; ``guilds`` are ids with names if known."""

    def __init__(self, guilds: Mapping[int, str | None]) -> None:
        super().__init__(", ".join(map(str, guilds)))
        self.guilds = guilds


@attrs.define(kw_only=True, eq=False)
class ServedGuilds:
    """The servers that this desk serves. In all others it reads, changes and posts nothing."""

    _first: FirstGuildRepository
    _clock: Clock
    _named: frozenset[int] = frozenset()
    _kept: int | None = attrs.field(init=False, default=None)
    """The first server, which is served if none is named; None until there is one."""
    _claiming: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)
    """No other server comes in between; which one it is the database says, as another process may have been first."""

    def serves(self, guild_id: int) -> bool:
        """Return whether this desk serves a server."""
        return guild_id in self._named if self._named else self._kept in (None, guild_id)

    @property
    def ids(self) -> frozenset[int]:
        """The servers that are served, as far as that is decided."""
        return self._named or frozenset(filter(None, [self._kept]))

    @property
    def is_open(self) -> bool:
        """Whether no server is named and none was the first one yet."""
        return not self._named and self._kept is None

    async def load(self) -> None:
        """Read which server was the first; call it once, before anything else."""
        self._kept = await self._first.kept()

    async def decide(self, joined: Mapping[int, str]) -> None:
        """Keep the only server of those that the bot has ``joined`` and those with data, if no other is served.

        GuildsNotNamed if there are several.
        """
        if not self.is_open:
            return
        guilds: dict[int, str | None] = {**dict.fromkeys(await self._first.with_data()), **joined}
        if len(guilds) > 1:
            raise GuildsNotNamed(guilds)
        for guild_id in guilds:
            await self.claim(guild_id)

    async def claim(self, guild_id: int) -> None:
        """Make a server the first one, if no server is served yet."""
        if not self.is_open:
            return
        async with self._claiming:
            if self.is_open:
                self._kept = await self._first.keep(guild_id, at=self._clock.now())

    def use(self, named: Collection[int]) -> bool:
        """Serve the ``named`` servers, or the first one if none is; False if there was no first one."""
        if not named and self._named and self._kept is None:
            return False
        self._named = frozenset(named)
        return True
