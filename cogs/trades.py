"""/trades and the menu Show trades."""

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.failures import ProviderName
from bot.domain.trade_reference import MAX_REFERENCE
from bot.domain.trades import Scope
from bot.services.trades import TradesRequest
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession, session_of
from bot.ui.pager import log_failures, page_with_controls

_PROVIDERS = (ProviderName.MANNCO, ProviderName.ASSETPAY, ProviderName.SKINSBACK)


class TradesCog(commands.Cog):
    """The caller's own trades, and all trades for the staff."""

    @app_commands.command(
        name="trades",
        description=locale_str("See where your trades stand and who has to act; for staff everyone's"),
    )
    @app_commands.describe(
        scope=locale_str("Only trades that wait for something, or finished and failed ones too"),
        member=locale_str("Staff only: the trades of this member"),
        steam_id=locale_str("Staff only: the trades of this SteamID, profile link or trade URL"),
        provider=locale_str("Which provider to ask; all of them if you leave it out"),
        reference=locale_str("Only the trade with this number: of the trade, its offer or its order"),
        tradeurl=locale_str("Trade URL, for AssetPay: steamcommunity.com/my/tradeoffers/privacy"),
    )
    @app_commands.choices(
        scope=[
            app_commands.Choice(name=locale_str("active: waiting for something"), value=Scope.ACTIVE.value),
            app_commands.Choice(name=locale_str("all: finished and failed ones too"), value=Scope.ALL.value),
        ],
        provider=[app_commands.Choice(name=provider.label, value=provider.family) for provider in _PROVIDERS],
    )
    @requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
    async def trades(
        self,
        interaction: Interaction,
        scope: str = Scope.ACTIVE.value,
        member: discord.Member | None = None,
        steam_id: str | None = None,
        provider: str | None = None,
        reference: app_commands.Range[str, 1, MAX_REFERENCE] | None = None,
        tradeurl: str | None = None,
    ) -> None:
        """Show the caller's own trades, or all trades to the staff."""
        session = session_of(interaction)
        session.defer_if_slow()
        await _show(
            session,
            TradesRequest(
                scope=Scope(scope),
                member_id=member.id if member is not None else None,
                steam_id=steam_id,
                provider=provider,
                reference=reference,
                trade_url=tradeurl,
            ),
        )


@app_commands.context_menu(name="Show trades")
@requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
async def show_trades(interaction: Interaction, member: discord.Member | discord.User) -> None:
    """Show a member's active trades: their own to customers, anyone's to the staff."""
    session = session_of(interaction)
    session.defer_if_slow()
    # The id alone says whose trades they are, also for a user who has left the server.
    await _show(session, TradesRequest.of_member(member.id, reader_id=session.actor.user_id))


async def _show(session: InteractionSession, request: TradesRequest) -> None:
    snapshot = await session.services.snapshots.list_trades(request, by=session.actor)
    log_failures(session, snapshot)
    embed, view = await page_with_controls(session, snapshot, 0)
    await session.reply(embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the command and the menu."""
    await client.add_cog(TradesCog())
    client.tree.add_command(show_trades)
