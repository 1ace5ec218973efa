"""Modals that work after a restart: a submitted one is found by its custom id."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import discord

from bot.domain.errors import FormUnknown
from bot.ui.interaction.rights import declared
from bot.ui.interaction.session import InteractionSession


class SkinDeskModal(discord.ui.Modal):
    """A modal that declares its requirement and whose state is in its custom id.

    discord.py would keep an open modal in memory, and a restart would lose it. Every input needs a fixed custom id.
    """

    template: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, template: str) -> None:
        cls.template = re.compile(template)
        super().__init_subclass__()

    def __init__(self, *, title: str, custom_id: str) -> None:
        declared(type(self))
        if self.template.fullmatch(custom_id) is None:
            raise ValueError(custom_id)
        super().__init__(title=title, custom_id=custom_id)
        self.stop()  # discord.py does not store a finished modal

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        raise NotImplementedError

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Process the form; ``values`` has the typed texts by the custom ids of the inputs."""
        raise NotImplementedError


async def submit(session: InteractionSession, kinds: Sequence[type[SkinDeskModal]]) -> None:
    """Pass a submitted modal to its class; FormUnknown if it belongs to none."""
    data: Mapping[str, Any] = session.interaction.data or {}
    for kind in kinds:
        match = kind.template.fullmatch(str(data.get("custom_id")))
        if match is not None:
            await kind.from_custom_id(match).submitted(session, dict(_values(data)))
            return
    raise FormUnknown


def _values(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield custom id and text of every input, in rows and labels too."""
    for inner in (*part.get("components", ()), *filter(None, [part.get("component")])):
        if isinstance(inner.get("value"), str):  # a field that was left empty may come without
            yield str(inner.get("custom_id")), inner["value"]
        yield from _values(inner)
