"""Counts given-up turns of phrase in docstrings and comments, and names that another word has replaced.

``uv run python -m benchmarks.words [PATH …]`` reads Python files; ``--markdown`` reads documents instead, without their
code. ``--list`` prints the places, ``--folder FOLDER`` reads another checkout. The exit code is 1 if there are names.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENTS = ("docs", "README.md", "CONTRIBUTING.md", "SECURITY.md")

PHRASES = {
    "where … for if": r"\b[Ww]here (it|its|there|they|that|this|those|none|one|nobody|somebody|he|she|you|the|a|an|no"
    r"|nothing|something|what|who|both|each|all|several|SkinDesk|Discord|SQLite|Steam)\b",
    "nobody, somebody, anybody": r"\b([Nn]obody|[Ss]omebody|[Aa]nybody)(?!')\b",
    "a free what as subject": r"(?:^|[.;:,(]\s*|\band |\bbut )[Ww]hat (is|was|were|are|has|had|they|it|comes|came|can"
    r"|may|of|somebody|nobody|a|an|the|Discord|Steam|SkinDesk|only|cannot|changes|needs|stands)\b",
    "whoever, whatever": r"\b[Ww](hoever|hatever|homever)\b",
    "is told, told of": r"\b(is|are|was|were|be|been|being) told\b|\btold of\b",
    "Say whether": r"\b[Ss]ays? whether\b",
    "anew": r"\banew\b",
}
"""Regular expressions of the turns of phrase."""

NAMES = re.compile(
    r"_*(?:\w*_)?(?:desk|deeds?|look|looks|looked|looker|unit|units|hurry|hurries|turns?|told|ended_by|beside|steadiness|steady"
    r"|rests?|resting|give_up|gives_up|budgets?|quota_spent|heed|spender|spending|handlings?|ending|goes_wrong|needs"
    r"|open_to_everybody|words|arranged?|narrowed|narrows|chosen|halt|halts|halted|see_through|concluded?|recall"
    r"|persons|introductions?|unsent|put_off|figures|instruments|upkeep|forget|forgets|forgotten|forgettings"
    r"|write_down|written_down|nobody|somebody|whoever|anybody)(?:_\w*)?",
    re.IGNORECASE,
)
"""Names of the private vocabulary, in snake case."""

ALLOWED = re.compile(
    r"look_up\w*|lookups?|\w*skindesk\w*|SKINDESK|\w*lookalike\w*|resend\w*|.*turn_on.*|return\w*"
    r"|turn_page|in_turn|unit",  # a unit of measurement
    re.IGNORECASE,
)
"""Names that only look like them."""

_FENCED = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")


def paragraphs(document: str) -> Iterator[tuple[int, str]]:
    """Yield each paragraph of a Markdown document with its line, without code."""
    without_code = _FENCED.sub(lambda fence: "\n" * fence[0].count("\n"), document)
    lines = enumerate(_INLINE_CODE.sub("`…`", without_code).splitlines(), 1)
    for is_text, group in groupby(lines, lambda line: bool(line[1].strip())):
        if is_text:
            block = list(group)
            yield block[0][0], " ".join(" ".join(text for _, text in block).split())


def texts(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Yield each docstring and each comment with its line; the lines of one comment are one text."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for statement in body:
            constant = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                yield statement.lineno, " ".join(constant.value.split())
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != last + 1:
            yield first, " ".join(block)
            block = []
        first = first if block else token.start[0]
        last = token.start[0]
        block.append(token.string.lstrip("# "))
    if block:
        yield first, " ".join(block)


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each name that a module defines: modules' members, functions, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def is_private_word(name: str) -> bool:
    """Return whether a name is of the private vocabulary."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return NAMES.fullmatch(snake) is not None and ALLOWED.fullmatch(name) is None


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="folders or files to read; bot and cogs, or the documents, by default")
    parser.add_argument("--folder", type=Path, default=_ROOT, help="the checkout to read")
    parser.add_argument("--markdown", action="store_true", help="read Markdown files instead of Python files")
    parser.add_argument("--list", action="store_true", help="print the places")
    options = parser.parse_args()
    found: dict[str, list[str]] = {phrase: [] for phrase in PHRASES}
    private: list[str] = []
    total = 0
    suffix, default = ("md", _DOCUMENTS) if options.markdown else ("py", ("bot", "cogs"))
    for path in _files(options.folder, options.paths or default, suffix):
        source = path.read_text(encoding="utf-8")
        place = path.relative_to(options.folder)
        if options.markdown:
            prose = paragraphs(source)
        else:
            tree = ast.parse(source)
            prose = texts(tree, source)
            private += [f"{place}:{line}: {name}" for line, name in names(tree) if is_private_word(name)]
            if is_private_word(path.stem) and path != Path(__file__).resolve():
                private.append(f"{place}: its file name")
        for line, text in prose:
            total += 1
            for phrase, pattern in PHRASES.items():
                found[phrase] += [f"{place}:{line}: {text[:160]}"] * len(re.findall(pattern, text))
    print(f"{total} {'paragraphs' if options.markdown else 'docstrings and comments'}")
    for phrase, places in found.items():
        _show(phrase, places, listed=options.list)
    if not options.markdown:
        _show("names of the private vocabulary", private, listed=options.list)
    return 1 if private else 0


def _show(what: str, places: list[str], *, listed: bool) -> None:
    print(f"{len(places):5}  {what}")
    print("".join(f"         {place}\n" for place in places) if listed else "", end="")


def _files(folder: Path, paths: Iterable[str], suffix: str) -> Iterator[Path]:
    for path in paths:
        yield from sorted((folder / path).rglob(f"*.{suffix}")) if (folder / path).is_dir() else [folder / path]


if __name__ == "__main__":
    sys.exit(main())
