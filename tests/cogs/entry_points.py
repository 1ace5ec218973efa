"""Every way into the running program, as the client knows them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from bot.client import COMPONENTS, SkinDeskClient
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import Requirement, commands_in, declared

_ACTIONS = re.compile(r"\(\?P<action>([a-z_|]+)\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry point: the name of its row, its kind, its requirement, and the object itself."""

    name: str
    kind: str
    requires: Requirement
    thing: Any


def entries(client: SkinDeskClient) -> Iterator[Entry]:
    """Go through every way in that there is."""
    for root in client.tree.get_commands():
        for command in commands_in(root):
            requires = declared(command.callback)
            kind = "command" if isinstance(command, app_commands.Command) else "context menu"
            yield Entry(command.qualified_name, kind, requires, command)
            for option in requires.suggesting:
                yield Entry(f"{command.qualified_name}:{option}", "suggestion", requires, command)
    for item in COMPONENTS:
        actions = _ACTIONS.search(template_of(item))
        for action in actions[1].split("|") if actions else [""]:
            yield Entry(f"{item.__name__}:{action}".rstrip(":"), "component", declared(item), item)
    for modal in modals():
        yield Entry(modal.__name__, "modal", declared(modal), modal)


def template_of(item: type[discord.ui.DynamicItem[Any]]) -> str:
    """Return the pattern of a component's custom ids."""
    return str(item.__discord_ui_compiled_template__.pattern)


def modals(base: type[SkinDeskModal] = SkinDeskModal) -> Iterator[type[SkinDeskModal]]:
    """Go through the program's own modals."""
    for modal in base.__subclasses__():
        yield from modals(modal)
        if modal.__module__.startswith(("bot.", "cogs.")):
            yield modal
