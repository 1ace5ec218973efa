"""Takes in every modal that is sent, by its custom id: after a restart as before."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.errors import FormUnknown
from bot.ui.interaction.error_handler import guarded
from bot.ui.interaction.interactions import Interaction
from bot.ui.interaction.rights import SkinDeskModal, declared


class Modals:
    """The kinds of modals that SkinDesk opens."""

    def __init__(self) -> None:
        self._kinds: list[type[SkinDeskModal]] = []

    def add(self, *kinds: type[SkinDeskModal]) -> None:
        """Take these in from now on; NotDeclared where one does not say what it needs."""
        for kind in kinds:
            declared(kind)
        self._kinds.extend(kinds)

    async def take_in(self, interaction: Interaction) -> None:
        """Hand a submitted modal to its kind; one of no kind is answered too."""
        await guarded(interaction, self._take_in(interaction))

    async def _take_in(self, interaction: Interaction) -> None:
        data: Mapping[str, Any] = interaction.data or {}
        for kind in self._kinds:
            match = kind.template.fullmatch(str(data.get("custom_id")))
            if match is not None:
                await kind.from_custom_id(match).submitted(interaction, dict(_values(data)))
                return
        raise FormUnknown


def _values(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Go through what was typed, wherever in rows and labels the inputs stand."""
    for inner in (*part.get("components", ()), *filter(None, [part.get("component")])):
        if "value" in inner:
            yield inner["custom_id"], inner["value"] or ""
        yield from _values(inner)
