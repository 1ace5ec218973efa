"""No command: forgets, now and then, what has expired and what people asked to have forgotten."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from discord.ext import commands, tasks

from bot.client import SkinDeskClient
from bot.services.container import Services

_WIPE_MINUTES = 10.0

_log = logging.getLogger(__name__)


class HousekeepingCog(commands.Cog):
    """The loops that keep the database small and clean."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def cog_load(self) -> None:
        """Start the loops."""
        self.purge.start()
        self.wipe.start()

    async def cog_unload(self) -> None:
        """Stop the loops."""
        self.purge.cancel()
        self.wipe.cancel()

    @tasks.loop(minutes=30)
    async def purge(self) -> None:
        """Forget pages that can no longer be turned, and sign-ins that nobody finished."""
        await _tried("purging pages", self._services.snapshots.purge)
        await _tried("purging sign-ins", self._services.sign_ins.purge)

    @tasks.loop(minutes=_WIPE_MINUTES)
    async def wipe(self) -> None:
        """Clean the disk of what was forgotten."""
        await _tried("wiping", self._services.my_data.wipe)

    @wipe.before_loop
    async def _first_let_it_start(self) -> None:
        await asyncio.sleep(_WIPE_MINUTES * 60)


async def _tried(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do it; where it fails, log that, and the next round tries again."""
    try:
        await work()
    except Exception:  # noqa: BLE001 -- a loop that raises ends for good
        _log.exception("%s failed", what)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    if not isinstance(client, SkinDeskClient):
        raise TypeError("SkinDesk's extensions belong to its own client")
    await client.add_cog(HousekeepingCog(client.services))
