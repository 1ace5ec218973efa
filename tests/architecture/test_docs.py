"""What the documentation says about the program is so."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import VARIABLES
from bot.domain.access import Capability
from tests.architecture.sources import ROOT, decorators_of, functions, modules, texts_of

README = ROOT / "README.md"
TABLES = "|".join(sorted({key.partition(".")[0] for key in VARIABLES}))


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def command_names() -> Iterator[tuple[str, str]]:
    """Go through the slash commands: their group, if they have one, and their own name."""
    for _, tree in modules("cogs"):
        groups = {
            id(method): texts_of(cls)["group_name"]
            for cls in ast.walk(tree)
            if isinstance(cls, ast.ClassDef) and "group_name" in texts_of(cls)
            for method in functions(cls)
        }
        for function in functions(tree):
            for decorator, texts in decorators_of(function):
                if decorator == "app_commands.command":
                    yield groups.get(id(function), ""), texts["name"]


def test_commands_are_described():
    """Every command is in the README: a sub-command in the line of its group."""
    lines = README.read_text(encoding="utf-8").splitlines()
    missing = [
        f"{group} {name}".strip()
        for group, name in command_names()
        if not any(
            re.search(rf"`/{group} {name}\b" if group else rf"`/{name}\b", line)
            or (f"`/{group} " in line and f"`{name}`" in line)
            for line in lines
        )
    ]

    assert missing == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_settings_exist(document: Path):
    """Whoever copies the name of a setting or a variable from the documentation gets one that is there."""
    text = document.read_text(encoding="utf-8")
    keys = {key for key in re.findall(rf"`((?:{TABLES})\.[a-z_.]+)`", text) if not key.endswith((".py", ".toml"))}
    variables = {variable for variable in re.findall(r"SKINDESK_[A-Z_]*[A-Z]", text) if "__" in variable}

    assert keys - set(VARIABLES) - set(Capability) == set()
    assert variables - set(VARIABLES.values()) == set()


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    """Every file that the documentation points to is there."""
    text = document.read_text(encoding="utf-8")
    targets = {target.partition("#")[0] for target in re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", text)}

    assert {target for target in targets if not (document.parent / target).exists()} == set()


def test_version_has_its_entry():
    """The newest version in the changelog is the one that is built; what comes after it is under Unreleased."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = ROOT / "CHANGELOG.md"
    released = re.findall(r"^## \[(\d[^\]]*)\]", changelog.read_text(encoding="utf-8"), re.MULTILINE)

    assert released[:1] in ([], [project["version"]])


def test_lines_to_copy():
    """The two lines of the README's first screen are there; the machine runs the second one as it stands."""
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("pip install uv && ")]

    assert "skindesk demo" in lines[0]
    assert "python -m tests" in lines[1]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
