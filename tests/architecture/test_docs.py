"""The documentation is true of the program."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from bot.config import SECRET_FILES, VARIABLES
from bot.domain.access import Capability
from tests.architecture.sources import ROOT
from tests.support import licences
from tests.support.command_docs import COMMANDS

README = ROOT / "README.md"
TABLES = "|".join(sorted({key.partition(".")[0] for key in VARIABLES}))


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_commands_are_described():
    """Every command is in the README: a sub-command in the line of its group."""
    lines = README.read_text(encoding="utf-8").splitlines()
    missing = []
    for command in (name for name in COMMANDS if name.islower()):  # context menus are not
        group, _, name = command.rpartition(" ")
        if not any(
            f"`/{command}" in line or (group and f"`/{group} " in line and f"`{name}`" in line) for line in lines
        ):
            missing.append(command)

    assert missing == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_settings_exist(document: Path):
    """Every setting, table and variable in the documentation exists."""
    text = document.read_text(encoding="utf-8")
    keys = {key for key in re.findall(rf"`((?:{TABLES})\.[a-z_.]+)`", text) if not key.endswith((".py", ".toml"))}
    variables = {variable for variable in re.findall(r"SKINDESK_[A-Z_]*[A-Z]", text) if "__" in variable}

    tables = {key.rpartition(".")[0] for key in VARIABLES}
    assert keys - set(VARIABLES) - set(SECRET_FILES) - tables - set(Capability) == set()
    assert variables - {*VARIABLES.values(), *SECRET_FILES.values()} == set()


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    """Every file that the documentation links to exists."""
    text = document.read_text(encoding="utf-8")
    targets = {target.partition("#")[0] for target in re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", text)}

    assert {target for target in targets if not (document.parent / target).exists()} == set()


def test_threats_have_their_tests():
    """Every test that the table of threats names exists."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    tests = {file: (ROOT / file).read_text(encoding="utf-8") for file, _ in named if (ROOT / file).exists()}

    assert named
    assert {(file, name) for file, name in named if not re.search(rf"def {name}\(", tests.get(file, ""))} == set()


def test_version_has_its_entry():
    """The newest version in the changelog is the one that is built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = ROOT / "CHANGELOG.md"
    released = re.findall(r"^## \[(\d[^\]]*)\]", changelog.read_text(encoding="utf-8"), re.MULTILINE)

    assert released[:1] in ([], [project["version"]])


@pytest.mark.skipif("UV" not in os.environ, reason="uv does not run the tests")
def test_licences():
    """The page of licences names those of the packages that are installed."""
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


def test_lines_to_copy():
    """Each line of the README sets itself up in the checkout's own folders, which a distribution's pip allows.

    The first screen has the demo and the tests; .ci/run runs the second line.
    """
    text = README.read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("pip install ")]

    assert all(line.startswith("pip install -qU --target .uv uv && .uv/bin/uv run --locked ") for line in lines)
    assert lines[0].endswith("skindesk demo")
    assert lines[1].endswith("python -m tests")
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert "BREAK_SYSTEM" not in ci.read_text(encoding="utf-8")
