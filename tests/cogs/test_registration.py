"""Nothing that does not say what it needs can be registered, by whichever way it comes."""

import re
from collections.abc import Callable
from typing import Any, Self

import discord
import pytest
from discord import app_commands

from bot.client import COMPONENTS
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import NotDeclared, declared, public, requires
from bot.ui.interaction.session import Interaction
from bot.ui.interaction.tree import SkinDeskTree, _digest, sync_commands

DECLARE = requires(Capability.READ_AUDIT)


@pytest.fixture
def tree() -> SkinDeskTree:
    return SkinDeskTree(discord.Client(intents=discord.Intents.none()))


def callback() -> Callable[..., Any]:
    """Return what answers a new command, undeclared."""

    async def new(interaction: Interaction, word: str = "") -> None:
        """Answer."""

    return new


def command(answer: Callable[..., Any]) -> app_commands.Command[Any, ..., Any]:
    return app_commands.Command(name="new", description="New", callback=answer)


async def suggest(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Suggest what was typed."""
    return [app_commands.Choice(name=current, value=current)]


def test_a_command(tree: SkinDeskTree) -> None:
    """A command is registered with a declaration only, whichever of the two it is."""
    with pytest.raises(NotDeclared):
        tree.add_command(command(callback()))
    assert tree.get_commands() == []

    tree.add_command(command(DECLARE(callback())))
    tree.add_command(command(public("a test")(callback())), override=True)
    assert len(tree.get_commands()) == 1


def test_a_decorated_command(tree: SkinDeskTree) -> None:
    """discord.py's own decorator is no way past the declaration."""
    with pytest.raises(NotDeclared):
        tree.command(name="new", description="New")(callback())


async def test_a_sub_command(tree: SkinDeskTree) -> None:
    """A group is registered if all in it is declared; what comes into it later stops the start."""
    group = app_commands.Group(name="group", description="A group")
    inner = app_commands.Group(name="inner", description="Within", parent=group)
    inner.add_command(command(callback()))
    with pytest.raises(NotDeclared):
        tree.add_command(group)

    inner.remove_command("new")
    inner.add_command(command(DECLARE(callback())))
    tree.add_command(group)
    group.add_command(app_commands.Command(name="late", description="Late", callback=callback()))
    for where in (None, discord.Object(1)):
        if where is not None:
            tree.copy_global_to(guild=where)
        with pytest.raises(NotDeclared):
            await tree.sync(guild=where)


class ToldAlready:
    """Says that Discord was told these very commands before."""

    def __init__(self, tree: SkinDeskTree) -> None:
        self._tree = tree

    async def digest(self, scope: str) -> str:
        return _digest(self._tree, None)

    async def put(self, scope: str, digest: str) -> None:
        """Keep nothing."""


async def test_a_sub_command_of_which_discord_was_told(tree: SkinDeskTree) -> None:
    """What came into a group later stops the start also where Discord need not be told anew."""
    group = app_commands.Group(name="group", description="A group")
    tree.add_command(group)
    group.add_command(command(callback()))

    with pytest.raises(NotDeclared):
        await sync_commands(tree, ToldAlready(tree), guild_ids=())


@pytest.mark.parametrize("target", [discord.Member, discord.Message])
def test_a_context_menu(tree: SkinDeskTree, target: type) -> None:
    """A context menu declares what it needs like a command."""

    async def new(interaction: Interaction, chosen: Any) -> None:
        """Answer."""

    new.__annotations__["chosen"] = target
    menu = app_commands.ContextMenu(name="New", callback=new)
    with pytest.raises(NotDeclared):
        tree.add_command(menu)

    DECLARE(new)
    tree.add_command(menu)


async def test_suggestions(tree: SkinDeskTree) -> None:
    """Suggestions are declared with their command, exactly those that are made, whenever they come."""
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
        await tree.sync()


def new_item() -> type[discord.ui.DynamicItem[Any]]:
    """Return a component that says nothing of what it needs."""

    class New(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"new:(?P<id>\d+)"):
        """A button."""

        @classmethod
        async def from_custom_id(cls, _interaction: Interaction, _item: Any, _match: re.Match[str], /) -> Self:
            """Rebuild it."""
            return cls(discord.ui.Button(custom_id="new:1"))

    return New


async def test_a_component(scene: Scene) -> None:
    """A component is registered only with a declaration."""
    with pytest.raises(NotDeclared):
        scene.client.add_dynamic_items(new_item())

    scene.client.add_dynamic_items(DECLARE(new_item()))


def test_every_component_is_registered() -> None:
    """A component that is not registered would not work after a restart."""
    own = {item for item in discord.ui.DynamicItem.__subclasses__() if item.__module__.startswith(("bot.", "cogs."))}

    assert set(COMPONENTS) == own


async def test_a_modal() -> None:
    """A modal cannot be made without a declaration of its own; that of its base is none."""

    class New(SkinDeskModal, template="new"):
        """A modal."""

        word: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Word")

    with pytest.raises(NotDeclared):
        New(title="New", custom_id="new")
    DECLARE(New)
    New(title="New", custom_id="new")

    class Newer(New, template="newer"):
        """Another."""

    with pytest.raises(NotDeclared):
        Newer(title="Newer", custom_id="newer")


def test_declarations() -> None:
    """A declaration names a capability, or says why there is none."""
    with pytest.raises(ValueError, match="name a capability"):
        requires()
    with pytest.raises(ValueError, match="say why"):
        public("")
    assert declared(DECLARE(callback())).capabilities == (Capability.READ_AUDIT,)
    assert declared(public("a test")(callback())).public_because == "a test"
