"""Submitted modals are found by their custom id, after a restart too."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from typing import Self

import pytest

import bot.ui
from bot.client import MODALS
from bot.domain.access import Capability
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import InteractionSession
from bot.ui.pager import FilterModal
from bot.ui.resends.buttons import ReasonModal


@requires(Capability.READ_AUDIT)
class Declared(SkinDeskModal, template=r"declared:(?P<id>\d+)"):
    """A modal for a test."""

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        return cls(title="Form", custom_id=match[0])

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        raise NotImplementedError


def test_foreign_custom_id():
    """A modal is not made with a custom id that does not match its template."""
    with pytest.raises(ValueError, match="other:1"):
        Declared(title="Form", custom_id="other:1")


async def test_not_stored():
    """discord.py does not store a modal, or it would answer too."""
    assert Declared(title="Form", custom_id="declared:1").is_finished()


@pytest.mark.parametrize("form", [FilterModal("AAAAAAAAAAA-"), ReasonModal(41, "deny", user_id=7)], ids=repr)
def test_rebuilt(form: SkinDeskModal):
    """Each class rebuilds the same modal from a custom id, with the same ids of inputs."""
    match = form.template.fullmatch(form.custom_id)
    assert match is not None
    again = type(form).from_custom_id(match)

    assert again.custom_id == form.custom_id
    assert [each.custom_id for each in again.walk_children() if hasattr(each, "custom_id")] == [
        each.custom_id for each in form.walk_children() if hasattr(each, "custom_id")
    ]


def test_every_modal_is_registered():
    """The client passes a submitted modal of every kind to its class."""
    for module in pkgutil.walk_packages(bot.ui.__path__, "bot.ui."):
        importlib.import_module(module.name)

    assert set(MODALS) == {kind for kind in SkinDeskModal.__subclasses__() if kind.__module__.startswith("bot.")}
