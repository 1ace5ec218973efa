"""The command tree: commands for servers only, each with a declared requirement, synced to Discord on change."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bot.domain.errors import InvalidInput
from bot.ports import CommandSyncs
from bot.ui.interaction.command_translator import CommandTranslator
from bot.ui.interaction.error_handler import report
from bot.ui.interaction.rights import AnyCommand, check_declared
from bot.ui.interaction.session import Interaction, session_of

_log = logging.getLogger(__name__)

_SYNC_SECONDS = 20.0
"""The time that a start waits for Discord to accept the commands; then the sync goes on in the background."""


class SkinDeskTree(app_commands.CommandTree[discord.Client]):
    """Holds SkinDesk's commands."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    def add_command(self, command: AnyCommand, /, **options: Any) -> None:
        """Register a command; NotDeclared if it declares no requirement."""
        check_declared(command)
        super().add_command(command, **options)

    async def interaction_check(self, interaction: Interaction) -> bool:
        """Start the session; refuse commands during shutdown and outside a server."""
        session = session_of(interaction)
        refusal: Exception | None
        try:
            refusal = await session.refusal()
        except Exception as error:  # noqa: BLE001 -- discord.py would not answer
            refusal = error
        refusal = refusal or _not_offered(interaction)
        if refusal is None:
            return True
        if interaction.type is discord.InteractionType.autocomplete:
            await interaction.response.autocomplete([])
        else:
            await report(session, refusal)
        return False

    async def _call(self, interaction: Interaction) -> None:
        """Answer a command that discord.py itself cannot read; it would only log that."""
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise  # on_error gets it
        except Exception as error:  # noqa: BLE001 -- errors of callbacks are AppCommandErrors
            _log.warning("command not read error=%s", type(error).__name__)
            if interaction.type is not discord.InteractionType.autocomplete:
                await report(session_of(interaction), app_commands.CommandNotFound("", []))

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Reply to every failed command; a failed suggestion has no place for a text."""
        if interaction.type is not discord.InteractionType.autocomplete:
            await report(session_of(interaction), error)


def _not_offered(interaction: Interaction) -> Exception | None:
    """Return the refusal of a choice that a command does not have; Discord may show it as it was before an update."""
    command = interaction.command
    if interaction.type is not discord.InteractionType.application_command or not isinstance(
        command, app_commands.Command
    ):
        return None
    given = vars(interaction.namespace)
    for option in command.parameters:
        choices = [choice.value for choice in option.choices]
        if choices and given.get(option.display_name, choices[0]) not in choices:
            return InvalidInput(option.display_name, "unknown")
    return None


def place_commands(
    tree: app_commands.CommandTree[discord.Client], guild_ids: Sequence[int]
) -> Sequence[discord.Object]:
    """Make the commands those of ``guild_ids``, unless there are none; it may be called again."""
    guilds = [discord.Object(guild_id) for guild_id in guild_ids]
    for guild in guilds:
        tree.copy_global_to(guild=guild)
    if guilds:
        # Global commands from an earlier sync would stand beside those of the guild.
        tree.clear_commands(guild=None)
    return guilds


async def sync_commands(
    tree: app_commands.CommandTree[discord.Client],
    synced: CommandSyncs | None,
    *,
    guild_ids: Sequence[int],
    patience: float = _SYNC_SECONDS,
) -> None:
    """Send Discord the commands if they changed: to ``guild_ids``, or globally if there are none.

    Discord limits the syncs a day, so ``synced`` keeps a digest of the last ones. An error of Discord is raised, but
    a sync that takes longer than ``patience`` goes on in the background.
    """
    work = asyncio.create_task(_sync(tree, synced, guild_ids), name="command sync")
    done, _ = await asyncio.wait({work}, timeout=patience)
    if done:
        await work
        return
    _log.warning("commands not synced yet: Discord is slow")
    work.add_done_callback(_log_failure)


async def _sync(
    tree: app_commands.CommandTree[discord.Client], synced: CommandSyncs | None, guild_ids: Sequence[int]
) -> None:
    for scope in (*place_commands(tree, guild_ids), None):
        for command in tree.get_commands(guild=scope):
            check_declared(command)  # a group may have got a command after its registration
        key = f"{tree.client.application_id}:{'everywhere' if scope is None else scope.id}"
        digest = await _digest(tree, scope)
        if synced is not None and await synced.digest(key) == digest and await _has_all(tree, scope):
            continue
        sent = await tree.sync(guild=scope)
        if synced is not None:
            await synced.put(key, digest)
        _log.info("commands synced scope=%s commands=%s", key, len(sent))


async def _digest(tree: app_commands.CommandTree[discord.Client], scope: discord.Object | None) -> str:
    """Return a digest of what Discord is sent: descriptions and choices in all languages belong to it."""
    translator = CommandTranslator()
    definitions = [await command.get_translated_payload(tree, translator) for command in tree.get_commands(guild=scope)]
    return hashlib.sha256(json.dumps(definitions, sort_keys=True, default=str).encode()).hexdigest()


async def _has_all(tree: app_commands.CommandTree[discord.Client], scope: discord.Object | None) -> bool:
    """Return whether Discord still has every command by name: an administrator may have removed one."""
    present = {(command.type, command.name) for command in await tree.fetch_commands(guild=scope)}
    return present == {
        (
            command.type if isinstance(command, app_commands.ContextMenu) else discord.AppCommandType.chat_input,
            command.name,
        )
        for command in tree.get_commands(guild=scope)
    }


def _log_failure(work: "asyncio.Task[None]") -> None:
    error = None if work.cancelled() else work.exception()
    if error is not None:
        _log.error("commands not synced error=%s", type(error).__name__)
