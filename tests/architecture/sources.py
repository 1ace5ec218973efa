"""The project's own files, as the rules read them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Go through the modules below some folders, with their names as paths from the root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.AsyncFunctionDef | ast.FunctionDef]:
    """Go through every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            yield node


def body_of(function: ast.AsyncFunctionDef | ast.FunctionDef) -> list[str]:
    """Return the statements of a function as source text, without its docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return [ast.unparse(statement) for statement in statements]


def decorators_of(function: ast.AsyncFunctionDef | ast.FunctionDef) -> Iterator[tuple[str, dict[str, str]]]:
    """Go through the decorators that are called: what is called, and the texts among the keywords."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            yield ast.unparse(decorator.func), texts_of(decorator)


def texts_of(call: ast.Call | ast.ClassDef) -> dict[str, str]:
    """Return the keywords that are literal texts."""
    return {
        keyword.arg: keyword.value.value
        for keyword in call.keywords
        if keyword.arg is not None and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }
