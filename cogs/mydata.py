"""/mydata: what is kept about oneself, and its end."""

import asyncio
import logging

import discord
from discord import app_commands
from discord.ext import commands, tasks

from bot.client import DeskClient
from bot.services.desk import Desk
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.my_data_file import my_data_file
from bot.ui.my_data_page import forgotten_page, my_data_page
from bot.ui.rights import open_to_everybody

_WIPE_MINUTES = 10.0

_log = logging.getLogger(__name__)


class MyDataCog(commands.GroupCog, group_name="mydata", group_description="See or end what is kept about you here"):
    """Everybody's own data, and the housekeeping behind it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def cog_load(self) -> None:
        """Start the loop."""
        self.wipe.start()

    async def cog_unload(self) -> None:
        """Stop the loop."""
        self.wipe.cancel()

    @tasks.loop(minutes=_WIPE_MINUTES)
    async def wipe(self) -> None:
        """Clean the disk of what was forgotten; a bad round is logged and the next one tries again."""
        try:
            await self._desk.my_data.wipe()
        except Exception:  # noqa: BLE001 -- a loop that raises ends for good
            _log.exception("wiping failed")

    @wipe.before_loop
    async def _first_let_it_start(self) -> None:
        await asyncio.sleep(_WIPE_MINUTES * 60)

    @app_commands.command(name="export", description="See what is kept about you, and who looked at your things")
    @open_to_everybody("it shows what is kept about oneself alone")
    async def export(self, interaction: Interaction) -> None:
        """Summarise in words, and give all of it as a file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        actor = actor_of(interaction)
        stored = await desk_of(interaction).my_data.export(by=actor)
        file = my_data_file(stored, guild_id=actor.guild_id, user_id=actor.user_id, at=discord.utils.utcnow())
        await reply(interaction, my_data_page(stored, user_id=actor.user_id), file=file)

    @app_commands.command(
        name="forget", description="At once: unlink your Steam account, forget ended requests and who you are here"
    )
    @open_to_everybody("it forgets oneself alone")
    async def forget(self, interaction: Interaction) -> None:
        """Forget the caller, and say what was forgotten and what stays."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        forgotten = await desk_of(interaction).my_data.forget(by=actor_of(interaction))
        await reply(interaction, forgotten_page(forgotten))


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    if not isinstance(client, DeskClient):
        raise TypeError("SkinDesk's extensions belong to its own client")
    await client.add_cog(MyDataCog(client.desk))
