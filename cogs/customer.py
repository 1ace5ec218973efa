"""/customer: everything about a customer, for the staff."""

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.services.customers import CustomerRequest
from bot.ui.customer.controls import shown_customer
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of


class CustomerCog(commands.Cog):
    """The page about a customer."""

    @app_commands.command(name="customer", description=locale_str("Staff: everything about a customer on one screen"))
    @app_commands.describe(
        member=locale_str("The customer as a member; if they left the server, their user id"),
        steam_id=locale_str("The customer's SteamID, profile link or trade URL"),
    )
    @requires(Capability.TRADES_ANY)
    async def customer(
        self,
        interaction: Interaction,
        member: discord.Member | discord.User | None = None,  # may have left the server
        steam_id: str | None = None,
    ) -> None:
        """Show the page about a member or a Steam account."""
        session = session_of(interaction)
        session.defer_if_slow()
        request = CustomerRequest(member_id=None if member is None else member.id, steam_id=steam_id)
        customer = await session.services.customers.show(request, by=session.actor)
        embed, view = shown_customer(session, customer)
        await session.reply(embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(CustomerCog())
