"""Writes docs/commands.md from the command tree: ``uv run python -m tests.support.command_docs``."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from discord import AppCommandOptionType as Kind
from discord import app_commands

from bot.client import SkinDeskClient
from bot.ui.interaction.rights import Requirement
from tests.cogs.entry_points import Entry, entries
from tests.support.command_words import COMMANDS, COMPONENTS
from tests.support.stage import kept_open

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

_KINDS = {
    Kind.string: "text",
    Kind.integer: "whole number",
    Kind.number: "number",
    Kind.boolean: "yes or no",
    Kind.user: "member",
    Kind.role: "role",
    Kind.channel: "text channel",
}
_HEAD = """\
# Commands

Every command, its options, and what stands under its answer, as Discord's picker shows them. The page is generated:
`uv run python -m tests.support.command_docs` writes it anew from the program, and
`uv run python -m tests.support.pictures` takes the pictures anew from the demo's desk.

Answers are seen by the person who asked and by nobody else; approval cards and the posts in the audit channel are the
exceptions. The choices of `provider` are those of the providers that are switched on.
"""


def page_of(client: SkinDeskClient) -> str:
    """Return the page; KeyError where something that can be used has no words."""
    found = list(entries(client))
    commands = sorted(
        (entry for entry in found if entry.kind in ("command", "context menu")),
        key=lambda entry: list(COMMANDS).index(entry.name) if entry.name in COMMANDS else _missing(entry.name),
    )
    components = [entry for entry in found if entry.kind in ("component", "modal")]
    return "\n".join([_HEAD, *(line for command in commands for line in _command(command, components))])


def _missing(name: str) -> int:
    raise KeyError(f"{name} has no words in tests/support/command_words.py")


def _command(entry: Entry, components: list[Entry]) -> Iterator[str]:
    words = COMMANDS[entry.name]
    if isinstance(entry.thing, app_commands.Command):
        yield f"## /{entry.name}\n\n> {entry.thing.description}\n"
    else:
        on = "message" if entry.thing.type.name == "message" else "member"
        yield f"## *{entry.name}* on a {on}\n"
    yield f"{words.what}\n\nWho may: {_who(entry.requires)}.\n"
    if isinstance(entry.thing, app_commands.Command) and entry.thing.parameters:
        yield "| option | what | takes |\n|---|---|---|"
        yield from (_option(each) for each in entry.thing.parameters)
        yield ""
    under = [each for each in components if entry.name in COMPONENTS.get(each.name, _none(each.name)).under]
    if under:
        yield "| under its answer | does | who may |\n|---|---|---|"
        order = list(COMPONENTS)
        for each in sorted(under, key=lambda each: order.index(each.name)):
            yield f"| *{COMPONENTS[each.name].label}* | {COMPONENTS[each.name].what} | {_who(each.requires)} |"
        yield ""
    for picture in words.pictures:
        yield f"![{picture.alt}](images/{picture.file})\n"


def _none(name: str) -> Any:
    return COMPONENTS[name]


def _who(requires: Requirement) -> str:
    if requires.open_because:
        return f"everybody, because {requires.open_because}"
    return " or ".join(f"`{capability.value}`" for capability in requires.capabilities)


def _option(option: app_commands.Parameter) -> str:
    name = f"**`{option.name}`**" if option.required else f"`{option.name}`"
    return f"| {name} | {option.description} | {'; '.join(_takes(option))} |"


def _takes(option: app_commands.Parameter) -> Iterator[str]:
    low, high = option.min_value, option.max_value
    if option.choices:
        yield "one of " + ", ".join(f"`{choice.value}`" for choice in option.choices)
    elif option.type is Kind.string:
        yield f"text, {low or 0} to {high:,} characters" if high else "text"
    else:
        yield _KINDS[option.type] + (f" from {low:,g}" if low is not None else "") + (f" to {high:,g}" if high else "")
    if option.autocomplete:
        yield "suggestions while typing"
    yield "required" if option.required else "optional"


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with kept_open(Path(folder)) as scene:
            page = page_of(scene.client)
    await asyncio.to_thread(PAGE.write_text, page, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
