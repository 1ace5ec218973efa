"""The project's own source files as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
Function = ast.AsyncFunctionDef | ast.FunctionDef


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules of some folders, named by their paths from the root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, also nested ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            yield node


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def body_of(function: Function) -> list[str]:
    """Return the statements of a function as source text, without its docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return [ast.unparse(statement) for statement in statements]


def decorators_of(function: Function) -> list[str]:
    """Return a function's decorators as dotted names, without their arguments."""
    return [ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in function.decorator_list]
