"""Forms are taken in by their custom id, whoever opened them and whenever."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from typing import Self

import pytest

import bot.ui
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.ui.interaction.interactions import Interaction
from bot.ui.interaction.modals import Modals
from bot.ui.interaction.rights import NotDeclared, SkinDeskModal, requires
from bot.ui.pager import FilterModal
from bot.ui.resends.buttons import ReasonModal


class Undeclared(SkinDeskModal, template="undeclared"):
    """Says nothing of what it needs."""


@requires(Capability.READ_AUDIT)
class Declared(SkinDeskModal, template=r"declared:(?P<id>\d+)"):
    """A form of a test."""

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        return cls(title="Form", custom_id=match[0])

    async def submitted(self, interaction: Interaction, values: Mapping[str, str]) -> None:
        raise NotImplementedError


def test_undeclared():
    """A form that does not say what it needs is neither made nor taken in."""
    with pytest.raises(NotDeclared):
        Undeclared(title="Form", custom_id="undeclared")
    with pytest.raises(NotDeclared):
        Modals().add(Undeclared)


def test_not_to_be_found_again():
    """A form whose custom id its own kind would not know is not made."""
    with pytest.raises(ValueError, match="other:1"):
        Declared(title="Form", custom_id="other:1")


async def test_kept_by_nobody():
    """discord.py keeps no form in memory: it would answer beside SkinDesk."""
    assert Declared(title="Form", custom_id="declared:1").is_finished()


@pytest.mark.parametrize("form", [FilterModal("AAAAAAAAAAA-"), ReasonModal(41, "deny", user_id=7)], ids=repr)
def test_rebuilt(form: SkinDeskModal):
    """Each kind makes the same form of a custom id again, with inputs that have the same ids."""
    match = form.template.fullmatch(form.custom_id)
    assert match is not None
    again = type(form).from_custom_id(match)

    assert again.custom_id == form.custom_id
    assert [each.custom_id for each in again.walk_children() if hasattr(each, "custom_id")] == [
        each.custom_id for each in form.walk_children() if hasattr(each, "custom_id")
    ]


def test_all_are_taken_in(scene: Scene):
    """Every kind of form that there is, the client takes in."""
    for module in pkgutil.iter_modules(bot.ui.__path__, "bot.ui."):
        importlib.import_module(module.name)
    kinds = {kind for kind in SkinDeskModal.__subclasses__() if kind.__module__.startswith("bot.")}

    assert kinds >= {FilterModal, ReasonModal}
    assert set(scene.client._modals._kinds) == kinds
