"""Every component and modal is a class with a declared requirement; nothing else is sent."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import classes, functions, modules

COMPONENTS = {"Button", "Select", "UserSelect", "RoleSelect", "ChannelSelect", "MentionableSelect"}
BASES = {"DynamicItem", "PageAction", "PageSelect", "SkinDeskModal"}
DECLARATIONS = ("requires", "public")
BANNED = {
    "add_view": "its components declare nothing: use a DynamicItem in COMPONENTS",
    "wait_for": "its interaction bypasses the error handler and every declaration",
    "listen": "its interaction bypasses the error handler and every declaration",
    "listener": "its interaction bypasses the error handler and every declaration",
    "button": "a view's own buttons declare nothing: use a DynamicItem",
    "select": "a view's own selects declare nothing: use a DynamicItem",
}
"""discord.py's other ways to receive an interaction, and their replacement."""


def own_modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the bot's modules; the demo's simulations are on the other side."""
    return ((name, tree) for name, tree in modules("bot", "cogs") if not name.startswith("bot/demo/"))


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name, without its type arguments."""
    return ast.unparse(node).partition("[")[0].rpartition(".")[2]


def is_of_discord(node: ast.expr) -> bool:
    """Return whether an expression names something of ``discord.ui``."""
    return ast.unparse(node).startswith(("discord.ui.", "ui."))


def declares(cls: ast.ClassDef) -> bool:
    calls = [each.func for each in cls.decorator_list if isinstance(each, ast.Call)]
    return any(last_name(call) in DECLARATIONS for call in calls)


def test_interactive_classes_declare():
    """A component or modal class is a DynamicItem or a SkinDeskModal with a declaration."""
    interactive = {
        f"{name}:{cls.name}": cls
        for name, tree in own_modules()
        for cls in classes(tree)
        if any(is_of_discord(base) or last_name(base) in BASES for base in cls.bases) and cls.name not in BASES
    }

    assert len(interactive) >= 4
    plain = [name for name, cls in interactive.items() if not any(last_name(base) in BASES for base in cls.bases)]
    assert plain == [], "make it a DynamicItem or a SkinDeskModal"
    assert [name for name, cls in interactive.items() if not declares(cls)] == []


def components_made(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that create a plain component of discord.py, other than a link."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and is_of_discord(node.func)
            and last_name(node.func) in COMPONENTS
            and not any(keyword.arg == "url" for keyword in node.keywords)
        ):
            yield node


def test_plain_components_stay_within_declared_ones():
    """Plain buttons and selects of discord.py are created only inside a DynamicItem or a modal."""
    for name, tree in own_modules():
        within = {
            id(call)
            for cls in classes(tree)
            if any(last_name(base) in BASES for base in cls.bases)
            for call in components_made(cls)
        }
        loose = [call.lineno for call in components_made(tree) if id(call) not in within]

        assert loose == [], name


def test_no_other_way_in():
    """Only commands, declared components and declared modals receive interactions."""
    found = [
        f"{name}:{node.lineno} {last_name(node.func)}: {BANNED[last_name(node.func)]}"
        for name, tree in own_modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and last_name(node.func) in BANNED
        and isinstance(node.func, ast.Attribute)
        and not ast.unparse(node.func).startswith("asyncio.")
    ]
    handlers = [
        (name, ast.unparse(function.body[-1]).partition("\n")[0])
        for name, tree in own_modules()
        for function in functions(tree)
        if function.name == "on_interaction"
    ]

    assert found == []
    assert handlers == [("bot/client.py", "if interaction.type is discord.InteractionType.modal_submit:")]
