"""No command: forgets the pages that can no longer be turned."""

import logging

from discord.ext import commands, tasks

from bot.client import DeskClient
from bot.services.pages import PageService

_log = logging.getLogger(__name__)


class PagesCog(commands.Cog):
    """Housekeeping behind the pagers."""

    def __init__(self, pages: PageService) -> None:
        self._pages = pages

    async def cog_load(self) -> None:
        """Start the loop."""
        self.purge.start()

    async def cog_unload(self) -> None:
        """Stop the loop."""
        self.purge.cancel()

    @tasks.loop(minutes=30)
    async def purge(self) -> None:
        """Forget what has expired; a bad round is logged and the next one tries again."""
        try:
            await self._pages.purge()
        except Exception:  # noqa: BLE001 -- a loop that raises ends for good
            _log.exception("purging pages failed")


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    if not isinstance(client, DeskClient):
        raise TypeError("SkinDesk's extensions belong to its own client")
    await client.add_cog(PagesCog(client.desk.pages))
