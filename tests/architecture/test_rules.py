"""Rules of the code that no linter sees."""

import ast
import re
from collections.abc import Iterator

from bot.client import EXTENSIONS
from tests.architecture.sources import ROOT, body_of, decorators_of, functions, modules

LONGEST_MODULE = 600
STARTED = "session = session_of(interaction)"
DEFERRED = "await session.defer()"
IN_TIME = "session.defer_if_slow()"
READING = {
    "cogs/access.py:list",
    "cogs/access.py:why",
    "cogs/explain.py:explain",
    "cogs/explain.py:explain_message",
    "cogs/inventory.py:inventory",
    "cogs/links.py:status",
    "cogs/resends.py:approvals",
    "cogs/settings.py:show",
    "cogs/status.py:status",
    "cogs/trades.py:show_trades",
    "cogs/trades.py:trades",
}
COMMAND = re.compile(r"(.+\.)?(command|context_menu)")
ENTRIES = {"DynamicItem": "callback", "Modal": "on_submit"}


def commands(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef | ast.FunctionDef]:
    """Go through what answers a command: by decorator, or handed to a context menu."""
    handed_over = {
        ast.unparse(keyword.value).removeprefix("self.")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(("ContextMenu", "Command"))
        for keyword in call.keywords
        if keyword.arg == "callback"
    }
    for function in functions(tree):
        decorated = any(COMMAND.fullmatch(name) for name, _ in decorators_of(function))
        if decorated or function.name in handed_over:
            yield function


def test_commands_are_acknowledged_first():
    """Every command sees to its acknowledgement before anything else can be slow: Discord waits three seconds."""
    found = first_lines()

    assert len(found) >= 14
    assert [name for name, first in found.items() if first not in (DEFERRED, IN_TIME)] == []


def test_only_reading_is_acknowledged_by_its_answer():
    """What changes something defers before it begins, so that nothing is done for somebody who sees it fail.

    So does what hands out a file: an upload can take longer than Discord waits for a first answer.
    """
    assert {name for name, first in first_lines().items() if first == IN_TIME} == READING


def first_lines() -> dict[str, str]:
    """Return what each command does first, by its module and name."""
    bodies = {
        f"{name}:{command.name}": body_of(command) for name, tree in modules("cogs") for command in commands(tree)
    }
    return {name: body[1] if body[0] == STARTED else body[0] for name, body in bodies.items()}


def test_errors_go_through_the_funnel():
    """What discord.py would only log is handed to the funnel whole: dynamic items and modals. And nothing goes past it.

    A cog's own error handler does not replace the tree's: both would answer.
    """
    guarded, past = [], []
    for name, tree in modules("bot", "cogs"):
        for cls in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            bases = " ".join(map(ast.unparse, cls.bases))
            for method in functions(cls):
                if any(base in bases and method.name == entry for base, entry in ENTRIES.items()):
                    guarded.append((f"{name}:{cls.name}.{method.name}", body_of(method)))
                if method.name == "cog_app_command_error" or any(n.endswith(".error") for n in names_of(method)):
                    past.append(f"{name}:{cls.name}.{method.name}")

    assert len(guarded) >= 3
    assert [name for name, body in guarded if not all(line.startswith("await handle(") for line in body)] == []
    assert past == []


def names_of(function: ast.AsyncFunctionDef | ast.FunctionDef) -> list[str]:
    """Return the decorators as they are written."""
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def test_every_cog_is_loaded():
    """A file among the cogs that nobody loads is a command that is silently missing."""
    files = {f"cogs.{path.stem}" for path in (ROOT / "cogs").glob("*.py")} - {"cogs.__init__"}

    assert files == set(EXTENSIONS)


def test_modules_can_be_held_in_the_head():
    """No module is longer than can be read in one sitting."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("bot", "cogs")
        for path in (ROOT / folder).rglob("*.py")
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_mocks():
    """Tests use fakes or the real parts: a mock agrees with whatever it is asked, and so proves nothing."""
    banned = ("Magic" + "Mock", "Async" + "Mock", "unittest" + ".mock")
    found = [
        str(path.relative_to(ROOT))
        for folder in ("bot", "cogs", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in banned)
    ]

    assert found == []


def test_exceptions_to_rules_say_why():
    """Whoever silences the linter leaves the reason beside it."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("bot", "cogs", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#[ ]noqa\b(?!: [A-Z0-9, ]+ -- \S)", line)
    ]

    assert found == []
