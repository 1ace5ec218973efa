"""Rules of the code that no linter sees."""

import ast
import re
from collections.abc import Iterator

from benchmarks.words import is_private_word, names
from bot.client import EXTENSIONS
from tests.architecture.sources import ROOT, Function, body_of, classes, decorators_of, functions, modules

LONGEST_MODULE = 400
TESTS_PER_PRODUCT_LINE = 1.55
COMMANDS = {"cogs/mydata.py:forget"}
"""Functions with the name of their command, which users know."""

STARTED = "session = session_of(interaction)"
DEFERRED = "await session.defer()"
IN_TIME = "session.defer_if_slow()"
READING = {
    "cogs/access.py:list",
    "cogs/access.py:why",
    "cogs/customer.py:customer",
    "cogs/explain.py:explain",
    "cogs/explain.py:explain_message",
    "cogs/inventory.py:inventory",
    "cogs/links.py:remove",
    "cogs/links.py:status",
    "cogs/mydata.py:forget",
    "cogs/resends.py:approvals",
    "cogs/settings.py:show",
    "cogs/status.py:status",
    "cogs/trades.py:show_trades",
    "cogs/trades.py:trades",
}
COMMAND = re.compile(r"(.+\.)?(command|context_menu)")
ENTRIES = {"DynamicItem": "callback", "Modal": "on_submit"}


def commands(tree: ast.Module) -> Iterator[Function]:
    """Yield the callbacks of commands: decorated ones, and those passed to a context menu."""
    passed = {
        ast.unparse(keyword.value).removeprefix("self.")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(("ContextMenu", "Command"))
        for keyword in call.keywords
        if keyword.arg == "callback"
    }
    for function in functions(tree):
        if function.name in passed or any(map(COMMAND.fullmatch, decorators_of(function))):
            yield function


def first_lines() -> dict[str, str]:
    """Return the first line of each command, by its module and name."""
    bodies = {
        f"{name}:{command.name}": body_of(command) for name, tree in modules("cogs") for command in commands(tree)
    }
    return {name: body[1] if body[0] == STARTED else body[0] for name, body in bodies.items()}


def test_commands_are_acknowledged_first():
    """Every command starts its acknowledgement before slow work: Discord waits three seconds."""
    found = first_lines()

    assert len(found) >= 14
    assert [name for name, first in found.items() if first not in (DEFERRED, IN_TIME)] == []


def test_only_reading_is_acknowledged_by_its_answer():
    """A command that changes something or uploads a file defers first.

    So nothing is done for a user who sees the command fail, and an upload may take longer than three seconds.
    """
    assert {name for name, first in first_lines().items() if first == IN_TIME} == READING


def test_errors_go_through_the_handler():
    """Dynamic items and modals, whose errors discord.py would only log, hand themselves to the error handler.

    No local handler exists: it would answer in addition to the tree's.
    """
    guarded, local = [], []
    for name, tree in modules("bot", "cogs"):
        for cls in classes(tree):
            bases = " ".join(map(ast.unparse, cls.bases))
            for method in functions(cls):
                if any(base in bases and method.name == entry for base, entry in ENTRIES.items()):
                    guarded.append((f"{name}:{cls.name}.{method.name}", body_of(method)))
                is_handler = any(decorator.endswith(".error") for decorator in decorators_of(method))
                if is_handler or method.name == "cog_app_command_error":
                    local.append(f"{name}:{cls.name}.{method.name}")

    assert len(guarded) >= 3
    for name, body in guarded:
        assert ["await" in line for line in body] == [False] * (len(body) - 1) + [True], name
        assert body[-1].startswith("await handle("), name
    assert local == []


def test_every_cog_is_loaded():
    """No file among the cogs is left out."""
    files = {f"cogs.{path.stem}" for path in (ROOT / "cogs").glob("*.py")} - {"cogs.__init__"}

    assert files == set(EXTENSIONS)


def test_modules_can_be_held_in_the_head():
    """No module is longer than can be read in one sitting."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("bot", "cogs", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_tests_stay_in_proportion():
    """The tests have at most 1.55 lines to one of the product: a promise is tested once, on one layer."""
    product, tests = (
        sum(
            len(path.read_text(encoding="utf-8").splitlines())
            for folder in folders
            for path in (ROOT / folder).rglob("*.py")
        )
        for folders in (("bot", "cogs"), ("tests",))
    )

    assert tests <= TESTS_PER_PRODUCT_LINE * product


def test_names_are_the_fields():
    """No name of the former private vocabulary is defined again."""
    found = {
        f"{path}:{name}" for path, tree in modules("bot", "cogs") for _, name in names(tree) if is_private_word(name)
    }

    assert found == COMMANDS


def test_no_mocks():
    """Tests use fakes or the real parts: a mock agrees with every call and proves nothing."""
    banned = ("Magic" + "Mock", "Async" + "Mock", "unittest" + ".mock")
    found = [
        str(path.relative_to(ROOT))
        for folder in ("bot", "cogs", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in banned)
    ]

    assert found == []


def test_exceptions_to_rules_say_why():
    """Every noqa gives its reason."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("bot", "cogs", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#[ ]noqa\b(?!: [A-Z0-9, ]+ -- \S)", line)
    ]

    assert found == []


def test_files_are_asked_about_in_one_way():
    """Product code asks about files by ``bot.storage.files``: pathlib hides errors, from Python 3.14 on all of them."""
    asked = [
        f"{name}:{node.lineno}"
        for name, tree in modules("bot", "cogs")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".exists", ".is_file", ".is_dir"))
    ]

    assert asked == []
