"""Commands, components and modals are registered only with a declared requirement."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Self

import discord
import pytest
from discord import app_commands

from bot.client import COMPONENTS, MODALS
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import NotDeclared, declared, public, requires
from bot.ui.interaction.session import Interaction
from bot.ui.interaction.tree import SkinDeskTree, sync_commands

DECLARE = requires(Capability.READ_AUDIT)


@pytest.fixture
def tree() -> SkinDeskTree:
    return SkinDeskTree(discord.Client(intents=discord.Intents.none()))


def callback() -> Callable[..., Any]:
    """Return the callback of a new command, undeclared."""

    async def new(interaction: Interaction, word: str = "") -> None:
        """Answer."""

    return new


def command(answer: Callable[..., Any]) -> app_commands.Command[Any, ..., Any]:
    return app_commands.Command(name="new", description="New", callback=answer)


async def suggest(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Suggest the typed text."""
    return [app_commands.Choice(name=current, value=current)]


def test_command(tree: SkinDeskTree) -> None:
    """A command is registered only with a declaration of either kind."""
    with pytest.raises(NotDeclared):
        tree.add_command(command(callback()))
    assert tree.get_commands() == []

    tree.add_command(command(DECLARE(callback())))
    tree.add_command(command(public("a test")(callback())), override=True)
    assert len(tree.get_commands()) == 1


async def test_group(tree: SkinDeskTree) -> None:
    """A group is registered if all its commands are declared; an undeclared one added later stops the start."""
    group = app_commands.Group(name="group", description="A group")
    inner = app_commands.Group(name="inner", description="Within", parent=group)
    inner.add_command(command(callback()))
    with pytest.raises(NotDeclared):
        tree.add_command(group)

    inner.remove_command("new")
    inner.add_command(command(DECLARE(callback())))
    tree.add_command(group)
    group.add_command(app_commands.Command(name="late", description="Late", callback=callback()))
    with pytest.raises(NotDeclared):
        await sync_commands(tree, None, guild_ids=())


def test_context_menu(tree: SkinDeskTree) -> None:
    """A context menu is registered only with a declaration."""

    async def new(interaction: Interaction, message: discord.Message) -> None:
        """Answer."""

    menu = app_commands.ContextMenu(name="New", callback=new)
    with pytest.raises(NotDeclared):
        tree.add_command(menu)

    DECLARE(new)
    tree.add_command(menu)


async def test_suggestions(tree: SkinDeskTree) -> None:
    """A command declares exactly the suggestions it makes, and one added later stops the start."""
    suggesting = command(DECLARE(callback()))
    suggesting.autocomplete("word")(suggest)
    with pytest.raises(NotDeclared, match="suggestions for word"):
        tree.add_command(suggesting)
    with pytest.raises(NotDeclared, match="suggestions for nothing"):
        tree.add_command(command(requires(Capability.READ_AUDIT, suggesting=["word"])(callback())))

    late = command(DECLARE(callback()))
    tree.add_command(late)
    late.autocomplete("word")(suggest)
    with pytest.raises(NotDeclared):
        await sync_commands(tree, None, guild_ids=())


def new_item() -> type[discord.ui.DynamicItem[Any]]:
    """Return a component without a declaration."""

    class New(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"new:(?P<id>\d+)"):
        """A button."""

        @classmethod
        async def from_custom_id(cls, _interaction: Interaction, _item: Any, _match: re.Match[str], /) -> Self:
            """Rebuild it."""
            return cls(discord.ui.Button(custom_id="new:1"))

    return New


async def test_component(scene: Scene) -> None:
    """A component is registered only with a declaration."""
    with pytest.raises(NotDeclared):
        scene.client.add_dynamic_items(new_item())

    scene.client.add_dynamic_items(DECLARE(new_item()))


def kinds_of(base: type[Any]) -> Iterator[type[Any]]:
    """Yield the classes below a class that have none below them."""
    for kind in base.__subclasses__():
        yield from kinds_of(kind) if kind.__subclasses__() else [kind]


def test_everything_is_registered() -> None:
    """A component or modal that is not registered would not work after a restart."""
    for base, registered in ((discord.ui.DynamicItem, COMPONENTS), (SkinDeskModal, MODALS)):
        own = {kind for kind in kinds_of(base) if kind.__module__.startswith(("bot.", "cogs."))}

        assert set(registered) == own


class NewModal(SkinDeskModal, template=r"new:(?P<id>\d+)"):
    """A modal without a declaration."""


async def test_modal() -> None:
    """A modal is made only with a declaration of its own and with a custom id of its own kind."""
    with pytest.raises(NotDeclared):
        NewModal(title="New", custom_id="new:1")
    DECLARE(NewModal)
    with pytest.raises(ValueError, match="other:1"):
        NewModal(title="New", custom_id="other:1")

    assert NewModal(title="New", custom_id="new:1").is_finished()  # or discord.py would store it, and answer too

    class Newer(NewModal, template="newer"):
        """A modal whose base has a declaration."""

    with pytest.raises(NotDeclared):
        Newer(title="Newer", custom_id="newer")


def test_declarations() -> None:
    """A declaration names a capability, or says why none is required."""
    with pytest.raises(ValueError, match="name a capability"):
        requires()
    with pytest.raises(ValueError, match="say why"):
        public("")
    assert declared(DECLARE(callback())).capabilities == (Capability.READ_AUDIT,)
    assert declared(public("a test")(callback())).public_because == "a test"
