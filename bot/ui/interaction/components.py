"""What was done with a component: only what its message really offers counts."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot.domain.errors import ControlUnknown
from bot.ui.interaction.session import Interaction, InteractionSession


def offered(item: discord.ui.Item[Any]) -> list[discord.SelectOption]:
    """Return the options of a menu as its message has them."""
    return item.options if isinstance(item, discord.ui.Select) else []


def selected(menu: discord.ui.Select[Any]) -> str:
    """Return the selected value; ControlUnknown unless it is one that the menu offers."""
    values: list[Any] = menu.values
    for option in menu.options:
        if values == [option.value]:
            return option.value
    raise ControlUnknown


def is_known(interaction: Interaction, kinds: Sequence[type[discord.ui.DynamicItem[Any]]]) -> bool:
    """Return whether a component is one of these kinds and on its message; discord.py answers no other one."""
    data: dict[str, Any] = dict(interaction.data or {})
    found = (data.get("component_type"), data.get("custom_id"))
    if interaction.message is None or not any(
        kind.__discord_ui_compiled_template__.fullmatch(str(found[1])) for kind in kinds
    ):
        return False
    on_message = _walk(interaction.message.components)
    return any((each.type.value, getattr(each, "custom_id", None)) == found for each in on_message)


def custom_ids(message: discord.Message) -> Iterator[str]:
    """Yield the custom ids of a message's components, as Discord has them."""
    for each in _walk(message.components):
        if isinstance(custom_id := getattr(each, "custom_id", None), str):
            yield custom_id


async def refuse(_session: InteractionSession) -> None:
    """Say that a component does nothing any more."""
    raise ControlUnknown


def _walk(components: Sequence[Any]) -> Iterator[Any]:
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))
