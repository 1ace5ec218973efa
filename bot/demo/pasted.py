"""Reads command lines that a user pastes into the demo's page, as Discord does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import simcord
from discord import AppCommandOptionType, app_commands

from bot.demo.scene import Scene


class CommandLine(NamedTuple):
    """A command, and its options by name as a SimCord actor takes them."""

    command: str
    options: Mapping[str, Any]


def command_line(
    text: str, tree: app_commands.CommandTree[Any], mentionable: Mapping[str, object]
) -> CommandLine | None:
    """Read ``/command option:value …``; None if it is no such line.

    Members, roles and channels are written as their name in ``mentionable``.
    """
    match = re.fullmatch(r"/(\S+)(.*)", text.strip(), re.DOTALL)
    if match is None:
        return None
    command, given_text = tree.get_command(match[1]), match[2]
    while isinstance(command, app_commands.Group):
        name, _, given_text = given_text.strip().partition(" ")
        command = command.get_command(name)
    if command is None:
        return None
    parameters = {parameter.display_name: parameter for parameter in command.parameters}
    names = "|".join(map(re.escape, parameters)) or r"(?!)"
    before, *pairs = re.split(rf"(?:^|\s)({names}):", given_text)
    given = dict(zip(pairs[::2], map(str.strip, pairs[1::2]), strict=True))
    required = {name for name, parameter in parameters.items() if parameter.required}
    if before.strip() or not required <= given.keys():
        return None
    try:
        options = {name: _value(parameters[name], value, mentionable) for name, value in given.items()}
    except (KeyError, ValueError):
        return None
    return CommandLine(command.qualified_name, options)


def _value(parameter: app_commands.Parameter, text: str, mentionable: Mapping[str, object]) -> object:
    """Return an option's value; KeyError or ValueError for one that Discord would not send."""
    value: Any
    match parameter.type:
        case AppCommandOptionType.string:
            value = text
        case AppCommandOptionType.integer:
            value = int(text)
        case AppCommandOptionType.number:
            value = float(text)
        case AppCommandOptionType.boolean:
            return {"true": True, "false": False}[text.lower()]
        case _:
            return mentionable[text]
    size = len(value) if isinstance(value, str) else value
    least, most = parameter.min_value, parameter.max_value
    fits = (least is None or size >= least) and (most is None or size <= most)
    if not fits or (parameter.choices and value not in [choice.value for choice in parameter.choices]):
        raise ValueError
    return value


def mentionable(scene: Scene, people: Sequence[simcord.MemberActor]) -> dict[str, object]:
    """Return members, roles and channels by the names with which a command line mentions them."""
    roles = (scene.support, scene.moderators)
    return {
        f"#{scene.channel.name}": scene.channel,
        **{f"@{role.name}": role for role in roles},
        **{f"@{person.name}": person for person in people},
    }
