"""The names of interactions in the log and in metrics. They have no ids: with ids, every click would be another one."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import discord

_ACTION = re.compile(r"[a-z_]{1,11}")
"""A part of a custom id that names an action; the ids of pages are longer, other ids are digits."""

_CHOICES = re.compile(r"\(\?P<\w+>([a-z_|]+)\)")
"""A part of a template that is one of several actions."""


def name_of(interaction: "discord.Interaction[Any]") -> str:
    """Return the name of the command, or the custom id of a component without the ids in it."""
    with suppress(Exception):  # data of an unexpected shape has no command
        if interaction.command is not None:
            return interaction.command.qualified_name
    data: dict[str, Any] = dict(interaction.data or {})
    return _name(str(data.get("custom_id", "")).split(":")) or interaction.type.name


def names_of(template: str) -> Iterator[str]:
    """Go through the names of all custom ids that fit the template of a component or modal."""
    parts = [part.removesuffix("(?") for part in template.split(":")]  # what follows is an optional id
    choices = [found[1].split("|") if (found := _CHOICES.match(part)) else [part] for part in parts]
    yield from {_name(each) for each in product(*choices)}


def unknown_names() -> Iterator[str]:
    """Go through the names of interactions that name no command or component of SkinDesk."""
    for kind in discord.InteractionType:
        if kind not in (discord.InteractionType.ping, discord.InteractionType.autocomplete):
            yield kind.name


def _name(parts: "tuple[str, ...] | list[str]") -> str:
    return ":".join(filter(_ACTION.fullmatch, parts))
