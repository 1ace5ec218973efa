"""Tells Discord the commands, only where they are others than it was told last: that is limited to some a day."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence

import discord
from discord import app_commands

from bot.ports import CommandSyncs
from bot.ui.interaction.rights import AnyCommand, check_declared

_log = logging.getLogger(__name__)

_EVERYWHERE = "everywhere"
_PATIENCE = 20.0
"""Seconds that a start waits for Discord to take the commands; after that it goes on beside the work."""


async def sync_commands(
    tree: app_commands.CommandTree[discord.Client],
    synced: CommandSyncs | None,
    *,
    guild_ids: Sequence[int],
    patience: float = _PATIENCE,
) -> None:
    """Bring Discord's commands up to date: those of ``guild_ids``, or the ones everywhere where there are none.

    Whatever Discord refuses is raised, for a desk without commands is none. Where it is slow, or says to wait, the
    start does not: people see the commands as they were until it is done. Without ``synced`` they are told each time.
    """
    work = asyncio.create_task(_sync(tree, synced, guild_ids), name="command sync")
    done, _ = await asyncio.wait({work}, timeout=patience)
    if done:
        await work
        return
    _log.warning("commands not synced yet: Discord is slow")
    work.add_done_callback(_say_how_it_went)


async def _sync(
    tree: app_commands.CommandTree[discord.Client], synced: CommandSyncs | None, guild_ids: Sequence[int]
) -> None:
    guilds = [discord.Object(guild_id) for guild_id in guild_ids]
    for guild in guilds:
        tree.copy_global_to(guild=guild)
    if guilds:
        # Commands that were registered everywhere before would stand beside those of the guild.
        tree.clear_commands(guild=None)
    for scope in (*guilds, None):
        # Also where nothing is told anew: what came into a group after its registration was not looked at yet.
        for command in tree.get_commands(guild=scope):
            check_declared(command)
        where = f"{tree.client.application_id}:{_EVERYWHERE if scope is None else scope.id}"
        digest = _digest(tree, scope)
        if synced is not None and await synced.digest(where) == digest and await _has_all(tree, scope):
            continue
        told = await tree.sync(guild=scope)
        if synced is not None:
            await synced.put(where, digest)
        _log.info("commands synced scope=%s commands=%s", where, len(told))


def _digest(tree: app_commands.CommandTree[discord.Client], scope: discord.Object | None) -> str:
    definitions = [command.to_dict(tree) for command in tree.get_commands(guild=scope)]
    return hashlib.sha256(json.dumps(definitions, sort_keys=True, default=str).encode()).hexdigest()


async def _has_all(tree: app_commands.CommandTree[discord.Client], scope: discord.Object | None) -> bool:
    """Say whether Discord still has every command by its name: somebody else may have taken one away since."""
    there = {(command.type, command.name) for command in await tree.fetch_commands(guild=scope)}
    return there == {(_kind(command), command.name) for command in tree.get_commands(guild=scope)}


def _kind(command: AnyCommand) -> discord.AppCommandType:
    return command.type if isinstance(command, app_commands.ContextMenu) else discord.AppCommandType.chat_input


def _say_how_it_went(work: "asyncio.Task[None]") -> None:
    if work.cancelled():
        return
    error = work.exception()
    if error is not None:
        _log.error("commands not synced error=%s", type(error).__name__)
