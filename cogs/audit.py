"""/audit: the newest rows of the audit log."""

import logging

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.access import Capability
from bot.services.audit import MOST_ROWS
from bot.ui.audit import TITLES, audit_page
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.text import plain
from bot.worker import run_in_worker

_USUAL_ROWS = 20
_MOST_SUGGESTIONS = 25

_log = logging.getLogger(__name__)


class AuditCog(commands.Cog):
    """The audit log, for members with audit.read."""

    @app_commands.command(
        name="audit", description=locale_str("Staff: read who did what to whom; reading is logged too")
    )
    @app_commands.describe(
        member=locale_str("Only what they did, and what was done to them"),
        action=locale_str("Only this kind of action"),
        limit=locale_str("How many of the newest, up to 1,000; 20 if you do not say"),
    )
    @requires(Capability.READ_AUDIT, suggesting=["action"])
    async def audit(
        self,
        interaction: Interaction,
        member: discord.User | None = None,  # may have left the server
        action: str | None = None,
        limit: app_commands.Range[int, 1, MOST_ROWS] = _USUAL_ROWS,
    ) -> None:
        """Show the newest rows, and attach all of them as a file."""
        session = session_of(interaction)
        await session.defer()
        actor = session.actor
        user_id = None if member is None else member.id
        viewer = await session.services.access.viewer(actor)
        extract = await session.services.audit.newest(by=viewer, user_id=user_id, action=action, limit=limit)
        embed, file = await run_in_worker(audit_page, extract, guild_id=actor.guild_id)
        await session.reply(embed, file=file)

    @audit.autocomplete("action")
    async def _actions(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Suggest actions to members who may read the log, by spelling or name; nothing if that fails."""
        session = session_of(interaction)
        try:
            viewer = await session.services.access.viewer(session.actor)
            found = session.services.audit.actions(by=viewer)
        except Exception as error:  # noqa: BLE001 -- a suggestion has nowhere to show an error
            _log.info("no suggestions reason=%s", type(error).__name__)
            return []
        wanted = current.strip().casefold()
        names = {action.value: f"{action.value} · {TITLES[action]()}" for action in found}
        fitting = [
            app_commands.Choice(name=plain(name, 100), value=value)
            for value, name in names.items()
            if wanted in name.casefold()
        ]
        return fitting[:_MOST_SUGGESTIONS]


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(AuditCog())
