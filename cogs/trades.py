"""/trades and the menu Show trades: where trades stand, in plain words."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import Scope
from bot.ui.interaction.acknowledgement import acknowledge_in_time
from bot.ui.interaction.error_handler import reply
from bot.ui.interaction.interactions import Interaction, actor_of, services_of
from bot.ui.interaction.rights import requires
from bot.ui.pager import shown_page


class TradesCog(commands.Cog):
    """Trades of the caller, or of anybody for the staff."""

    @app_commands.command(
        name="trades", description="See where your trades stand and who has to act; for staff everybody's"
    )
    @app_commands.describe(
        scope="Only trades that wait for something, or finished and failed ones too",
        member="Staff only: the trades of this member",
        steam_id="Staff only: the trades of this SteamID or trade URL",
    )
    @app_commands.choices(
        scope=[
            app_commands.Choice(name="active: waiting for something", value=Scope.ACTIVE.value),
            app_commands.Choice(name="all: finished and failed ones too", value=Scope.ALL.value),
        ]
    )
    @requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
    async def trades(
        self,
        interaction: Interaction,
        scope: str = Scope.ACTIVE.value,
        member: discord.Member | None = None,
        steam_id: str | None = None,
    ) -> None:
        """Answer with the caller's own trades, or everybody's to the staff."""
        acknowledge_in_time(interaction)
        answer = await services_of(interaction).trades.list_for(
            by=actor_of(interaction),
            scope=Scope(scope),
            member_id=member.id if member is not None else None,
            steam_id=steam_id,
        )
        await _show(interaction, answer)


@app_commands.context_menu(name="Show trades")
@requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
async def show_trades(interaction: Interaction, member: discord.Member | discord.User) -> None:
    """Answer with a member's active trades to the staff, and with one's own to whoever points at themselves."""
    acknowledge_in_time(interaction)
    # Somebody who has left the server is a user and no member; whose trades they are says the id alone.
    answer = await services_of(interaction).trades.list_of_member(member.id, by=actor_of(interaction))
    await _show(interaction, answer)


async def _show(interaction: Interaction, answer: TradesAnswer) -> None:
    services = services_of(interaction)
    snapshot = await services.snapshots.open(answer, by=actor_of(interaction))
    embed, view = shown_page(snapshot, 0, page_size=services.page_size, explanations=services.explanations)
    await reply(interaction, embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the command and the menu."""
    await client.add_cog(TradesCog())
    client.tree.add_command(show_trades)
