"""/trades: where trades stand, in plain words."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.trades import Scope
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.pager import shown_page
from bot.ui.rights import needs


class TradesCog(commands.Cog):
    """Trades of the caller, or of anybody for the staff."""

    @app_commands.command(name="trades", description="See where your trades stand and what happens next")
    @app_commands.describe(
        scope="Only what is waiting, or everything of the newest 500",
        member="Staff: the trades of this member",
        steam_id="Staff: the trades of this SteamID or trade URL",
    )
    @app_commands.choices(
        scope=[
            app_commands.Choice(name="active: waiting for something", value=Scope.ACTIVE.value),
            app_commands.Choice(name="all: finished and failed ones too", value=Scope.ALL.value),
        ]
    )
    @needs(Capability.TRADES_OWN, Capability.TRADES_ANY)
    async def trades(
        self,
        interaction: Interaction,
        scope: str = Scope.ACTIVE.value,
        member: discord.Member | None = None,
        steam_id: str | None = None,
    ) -> None:
        """Answer with the caller's own trades, or everybody's to the staff."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        desk, actor = desk_of(interaction), actor_of(interaction)
        answer = await desk.trades.list_for(
            by=actor, scope=Scope(scope), member_id=member.id if member is not None else None, steam_id=steam_id
        )
        pages = await desk.pages.open(answer, by=actor)
        embed, view = shown_page(pages, 0, page_size=desk.page_size, explanations=desk.explanations)
        await reply(interaction, embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(TradesCog())
