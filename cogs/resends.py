"""/resend and /approvals: asking for a failed offer to be sent again."""

import asyncio
import logging

from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.domain.resends import MAX_REASON
from bot.languages import tn
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.text import plain
from bot.ui.resends.ask import ask_to_resend
from bot.ui.resends.queue import queue_page

_SUGGEST_WITHIN = 2.0

_log = logging.getLogger(__name__)


class ResendsCog(commands.Cog):
    """Requests for resends and the list of those that wait."""

    @app_commands.command(
        name="resend", description=locale_str("Have a failed trade offer sent again, after a moderator's approval")
    )
    @app_commands.describe(
        id=locale_str("The trade's number: choose it from the list, or see /trades"),
        reason=locale_str("Why it should be sent again; the moderator reads it"),
    )
    @requires(Capability.RESEND_OWN, Capability.RESEND_ANY, suggesting=["id"])
    async def resend(
        self,
        interaction: Interaction,
        id: str,  # noqa: A002 -- the option's name
        reason: app_commands.Range[str, 1, MAX_REASON] | None = None,
    ) -> None:
        """Request a resend and post its card."""
        session = session_of(interaction)
        await session.defer()
        await ask_to_resend(session, id, reason)

    @resend.autocomplete("id")
    async def _resendable(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Suggest the trades that the caller can ask for; nothing if that fails or is slow."""
        session = session_of(interaction)
        try:
            async with asyncio.timeout(_SUGGEST_WITHIN):
                trades = await session.services.trades.resendable_for(current, by=session.actor)
        except Exception as error:  # noqa: BLE001 -- a suggestion has nowhere to show an error
            _log.info("no suggestions reason=%s", type(error).__name__)
            return []
        explain = session.services.explanations.status
        return [
            app_commands.Choice(
                name=plain(
                    f"#{trade.id} · {explain(trade.provider.dialect, trade.status).title}"
                    f" · {tn('{count} item', '{count} items', len(trade.to_customer))}",
                    100,
                ),
                value=trade.id,
            )
            for trade in trades
        ]

    @app_commands.command(name="approvals", description=locale_str("Moderators: see which resends wait for a decision"))
    @requires(Capability.APPROVE_RESEND)
    async def approvals(self, interaction: Interaction) -> None:
        """List the open requests, and the button to stop or resume all resends."""
        session = session_of(interaction)
        session.defer_if_slow()
        services = session.services
        queue = await services.resend_queue.read(by=session.actor)
        embed, view = queue_page(queue, 0, reader=session.actor.user_id, explanations=services.explanations)
        await session.reply(embed, view=view)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(ResendsCog())
