"""The administrator's page is complete."""

import re
from pathlib import Path

from bot.config import SECRETS
from bot.exit_codes import ExitCode

TEXT = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_secret_can_be_rotated():
    assert len(SECRETS) >= 8
    assert {key for key in SECRETS if f"`{key}`" not in TEXT} == set()


def test_exit_codes():
    """Every exit code is explained."""
    explained = {int(number) for number in re.findall(r"\b(6[5-9]|7[0-9]|130)\b", TEXT)}

    assert {int(code) for code in ExitCode} - {0, ExitCode.USAGE} <= explained


def test_followed_to_the_letter():
    """The commands create the backup folder before they use it, and install uv into a virtual environment."""
    blocks = [re.sub(r"#.*", "", block) for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)]
    into = [(block, folder) for block in blocks for folder in re.findall(r"skindesk backup (\S+)", block)]

    assert len(into) >= 3
    assert [folder for block, folder in into if "." not in folder and f"install -d -m 0700 {folder}" not in block] == []
    assert all("-m venv" in line for line in TEXT.splitlines() if "pip install" in line)
