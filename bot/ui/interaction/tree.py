"""The command tree: guild commands only, every error into the funnel, nothing new while stopping."""

from typing import Any

import discord
from discord import app_commands
from discord.abc import Snowflake

from bot.domain.errors import NotInGuild, ShuttingDown, SkinDeskError
from bot.ui.interaction.error_handler import report
from bot.ui.interaction.interactions import Interaction, client_of
from bot.ui.interaction.rights import AnyCommand, check_declared


class SkinDeskTree(app_commands.CommandTree[discord.Client]):
    """Holds SkinDesk's commands."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    def add_command(self, command: AnyCommand, /, **options: Any) -> None:
        """Register a command that declares what it needs; NotDeclared for any other."""
        check_declared(command)
        super().add_command(command, **options)

    async def sync(self, *, guild: Snowflake | None = None) -> list[app_commands.AppCommand]:
        """Tell Discord the commands; NotDeclared where one came into a group afterwards without saying its needs."""
        for command in self.get_commands(guild=guild):
            check_declared(command)
        return await super().sync(guild=guild)

    async def interaction_check(self, interaction: Interaction) -> bool:
        """Note what is under way; refuse new commands while the program stops, and all from outside a server.

        Discord is told that the commands are for servers only; this does not rely on it.
        """
        client = client_of(interaction)
        client.in_flight.enter(interaction)
        refusal = _refusal(interaction, is_stopping=client.is_stopping)
        if refusal is None:
            return True
        if interaction.type is discord.InteractionType.autocomplete:
            await interaction.response.autocomplete([])
        else:
            await report(interaction, refusal)
        return False

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Answer every failed command; a suggestion that fails has nowhere to show a text."""
        if interaction.type is not discord.InteractionType.autocomplete:
            await report(interaction, error)


def _refusal(interaction: Interaction, *, is_stopping: bool) -> SkinDeskError | None:
    if is_stopping:
        return ShuttingDown()
    return NotInGuild() if interaction.guild_id is None else None
