"""Finds the texts for people in the code: those that go through the catalogues, and those that do not."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from string import Formatter

from tests.architecture.sources import modules

FOLDERS = ("bot/ui", "bot/web", "cogs")
TRANSLATING = {"t": 1, "tn": 2, "tp": 2, "Message": 2, "locale_str": 1}
"""The functions of messages, and how many of their first arguments are texts."""

_TWO_WORDS = re.compile(r"[A-Za-z]{2,}[,;:.!?]?\s+[A-Za-z]{2,}")
_SENTENCE_OR_LABEL = re.compile(r"\W*[A-Z][a-z]{2,}")
_GLUE = re.compile(r"(?:^|\s)[A-Za-z]{2,}(?=$|[\s,.:;!?])|^\W*:(?=\W*\s)")
"""A word, or the colon behind a label, which each language writes in its own way."""
_NOT_FOR_PEOPLE = re.compile(r"_log\.\w+|re\.\w+|\w*Error|RuntimeError|getLogger|TypeVar|NotDeclared|redact\w*|public")
_KEYWORDS_OF_CODE = frozenset({"template", "custom_id", "name", "group_name", "rf"})
"""Keyword arguments that are code. ``name`` is a command's."""


def raw_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that look like English for people and are in no message, with their lines."""
    for node, parents in _walk(tree, ()):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or _is_code(node, parents):
            continue
        is_part = any(isinstance(parent, ast.JoinedStr) for parent in parents)
        is_glue = is_part and " " in node.value and _GLUE.search(node.value) is not None
        if is_glue or _TWO_WORDS.search(node.value) or _SENTENCE_OR_LABEL.match(node.value):
            yield node.lineno, node.value


def messages(tree: ast.Module) -> Iterator[tuple[ast.Call, list[str] | None]]:
    """Yield the calls that make messages with their texts; None instead of texts that are no literals."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or (name := name_of(node)) not in TRANSLATING:
            continue
        texts = node.args[: TRANSLATING[name]]
        literal = [each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        yield node, literal if texts and len(literal) == len(texts) else None


def placeholders(text: str) -> set[str]:
    """Return the names in the braces of a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def all_modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules that have texts for people."""
    return modules(*FOLDERS)


def name_of(call: ast.Call) -> str:
    """Return the name of the function that is called."""
    func = call.func
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _walk(node: ast.AST, parents: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    yield node, parents
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, (*parents, node))


def _is_code(node: ast.Constant, parents: tuple[ast.AST, ...]) -> bool:
    """Return whether a text is a docstring, part of a message, an annotation, or for the log or a pattern."""
    if isinstance(parents[-1], ast.Expr):
        return True
    path = (*parents, node)
    return any(_holds_code(outer, inner) for outer, inner in pairwise(path))


def _holds_code(outer: ast.AST, inner: ast.AST) -> bool:
    match outer:
        case ast.Call(func=func) as call:
            return name_of(call) in TRANSLATING or _NOT_FOR_PEOPLE.fullmatch(ast.unparse(func)) is not None
        case ast.keyword(arg=arg):
            return arg in _KEYWORDS_OF_CODE
        case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=annotation):
            return inner is annotation
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
            return inner is returns
        case ast.Subscript(slice=key):
            return inner is key
        case _:
            return isinstance(outer, ast.Raise)
