"""Writes docs/commands.md from the command tree and command_docs.toml."""

import asyncio
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from discord import AppCommandOptionType as Kind
from discord import app_commands

from bot.client import SkinDeskClient
from bot.ui.interaction.rights import Requirement
from tests.cogs.entry_points import Entry, entries
from tests.support.pictures import WANTED
from tests.support.stage import kept_open

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


class Component(NamedTuple):
    """The commands whose answers have a component, its label, and its effect."""

    under: list[str]
    label: str
    does: str


_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
COMMANDS: dict[str, dict[str, Any]] = _TEXTS["commands"]
COMPONENTS = {name: Component(*facts) for name, facts in _TEXTS["components"].items()}

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

Every command, its options, and the buttons and menus under its answer, as Discord shows them. This page is generated:
`uv run python -m tests.support.command_docs` writes it from the program, and
`uv run python -m tests.support.pictures` takes the pictures from the demo.

Only the person who asked sees an answer; approval cards and the posts in the audit channel are the exceptions. The
choices of `provider` at `/inventory` are the providers that are switched on.
"""


def page_of(client: SkinDeskClient) -> str:
    """Return the page; KeyError if a command or a component has no text."""
    found = list(entries(client))
    order = {name: place for place, name in enumerate((*COMMANDS, *COMPONENTS))}
    commands, components = (
        sorted((entry for entry in found if entry.kind in kinds), key=lambda entry: order[entry.name])
        for kinds in (("command", "context menu"), ("component", "modal"))
    )
    return "\n".join([_HEAD, *(line for command in commands for line in _command(command, components))])


def _command(entry: Entry, components: list[Entry]) -> Iterator[str]:
    texts = COMMANDS[entry.name]
    is_command = isinstance(entry.thing, app_commands.Command)
    if is_command:
        yield f"## /{entry.name}\n\n> {entry.thing.description}\n"
    else:
        yield f"## *{entry.name}* on a {'message' if entry.thing.type.name == 'message' else 'member'}\n"
    yield f"{texts['text'].strip()}\n\nWho may: {_who(entry.requires)}.\n"
    if is_command and entry.thing.parameters:
        yield "| option | what | takes |\n|---|---|---|"
        yield from (_option(each) for each in entry.thing.parameters)
        yield ""
    under = [(COMPONENTS[each.name], each) for each in components if entry.name in COMPONENTS[each.name].under]
    if under:
        yield "| under its answer | does | who may |\n|---|---|---|"
        yield from (f"| *{component.label}* | {component.does} | {_who(each.requires)} |" for component, each in under)
        yield ""
    for file, alt in texts.get("pictures", ()):
        yield f"![{alt}](images/{file})\n"
        phone = file.replace(".png", "-phone.png")
        if any(wanted.file == phone for wanted in WANTED):
            yield f"![The same on a phone](images/{phone})\n"


def _who(requires: Requirement) -> str:
    if requires.public_because:
        return f"everyone, because {requires.public_because}"
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
