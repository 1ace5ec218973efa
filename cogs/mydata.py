"""/mydata: export and erase one's own data."""

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.ui.confirm import ask_to_erase
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.mydata import my_data_file
from bot.ui.mydata_page import my_data_page
from bot.worker import run_in_worker


class MyDataCog(
    commands.GroupCog, group_name="mydata", group_description=locale_str("See or erase what is kept about you here")
):
    """The caller's own data."""

    @app_commands.command(
        name="export", description=locale_str("See what is kept about you, and who looked at your data")
    )
    @public("it shows the caller's own data only")
    async def export(self, interaction: Interaction) -> None:
        """Show a summary, and attach all data as a file."""
        session = session_of(interaction)
        await session.defer()
        actor = session.actor
        stored = await session.services.my_data.export(by=actor)
        file = await run_in_worker(
            my_data_file, stored, guild_id=actor.guild_id, user_id=actor.user_id, at=discord.utils.utcnow()
        )
        await session.reply(my_data_page(stored, user_id=actor.user_id), file=file)

    @app_commands.command(name="forget", description=locale_str("Erase your data on this server: it asks you before"))
    @public("it erases the caller's own data only")
    async def forget(self, interaction: Interaction) -> None:
        """Ask whether to erase the caller's data."""
        session = session_of(interaction)
        session.defer_if_slow()
        status = await session.services.links.status(by=session.actor)
        embed, view = ask_to_erase(session, None if status is None else status.link)
        await session.reply(embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(MyDataCog())
