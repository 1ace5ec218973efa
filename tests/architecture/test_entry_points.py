"""Whatever a member can press, choose or fill in is a class that declares what it needs; nothing else is sent."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import modules

COMPONENTS = {"Button", "Select", "UserSelect", "RoleSelect", "ChannelSelect", "MentionableSelect"}
BASES = {"DynamicItem", "SkinDeskModal"}
DECLARATIONS = ("requires", "public")
BANNED = {
    "add_view": "its components declare nothing: use a DynamicItem in COMPONENTS",
    "wait_for": "an interaction taken so goes past the funnel and every declaration",
    "listen": "an interaction taken so goes past the funnel and every declaration",
    "listener": "an interaction taken so goes past the funnel and every declaration",
    "button": "a view's own buttons declare nothing: use a DynamicItem",
    "select": "a view's own selects declare nothing: use a DynamicItem",
}
"""discord.py's other ways to take an interaction, and what is there instead."""


def own_modules() -> Iterator[tuple[str, ast.Module]]:
    """Go through the modules that meet Discord; the demo's stand-ins are on the other side."""
    return ((name, tree) for name, tree in modules("bot", "cogs") if not name.startswith("bot/demo/"))


def last_name(node: ast.expr) -> str:
    """Return the last word of a dotted name, without what stands in brackets."""
    return ast.unparse(node).partition("[")[0].rpartition(".")[2]


def is_of_discord(node: ast.expr) -> bool:
    """Say whether an expression names something of ``discord.ui``."""
    return ast.unparse(node).startswith(("discord.ui.", "ui."))


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for name, tree in own_modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield f"{name}:{node.name}", node


def declares(cls: ast.ClassDef) -> bool:
    """Say whether a declaration stands on a class."""
    calls = [each.func for each in cls.decorator_list if isinstance(each, ast.Call)]
    return any(last_name(call) in DECLARATIONS for call in calls)


def test_interactive_classes_declare():
    """A class that members interact with is a DynamicItem or a SkinDeskModal with a declaration on it."""
    interactive = {
        name: cls
        for name, cls in classes()
        if any(is_of_discord(base) or last_name(base) in BASES for base in cls.bases)
        and name != "bot/ui/interaction/modals.py:SkinDeskModal"
    }

    assert len(interactive) >= 4
    plain = [name for name, cls in interactive.items() if not any(last_name(base) in BASES for base in cls.bases)]
    assert plain == [], "make it a DynamicItem or a SkinDeskModal"
    assert [name for name, cls in interactive.items() if not declares(cls)] == []


def components_made(tree: ast.AST) -> Iterator[ast.Call]:
    """Go through the calls that make a component of discord.py's own; one with an address only leads away."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and is_of_discord(node.func)
            and last_name(node.func) in COMPONENTS
            and not any(keyword.arg == "url" for keyword in node.keywords)
        ):
            yield node


def test_plain_components_stay_within_declared_ones():
    """A button or select of discord.py's own is made as the face of a DynamicItem or in a modal, nowhere else."""
    for name, tree in own_modules():
        within = {
            id(call)
            for cls in ast.walk(tree)
            if isinstance(cls, ast.ClassDef) and any(last_name(base) in BASES for base in cls.bases)
            for call in components_made(cls)
        }
        loose = [call.lineno for call in components_made(tree) if id(call) not in within]

        assert loose == [], name


def test_no_other_way_in():
    """No interaction is taken by another way than commands, declared components and declared modals."""
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
        (name, ast.unparse(node.body[-1]))
        for name, tree in own_modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "on_interaction"
    ]
    only_modals = (
        "if interaction.type is discord.InteractionType.modal_submit:\n"
        "    await handle(interaction, partial(submit, kinds=MODALS))"
    )

    assert found == []
    assert handlers == [("bot/client.py", only_modals)]
