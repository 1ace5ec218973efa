"""The administrator's page is complete."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from bot.config import SECRETS
from bot.exit_codes import ExitCode
from bot.storage.sqlite.maintenance.backup import back_up
from tests.storage.databases import filled, names
from tests.support.command_line import GOOD, ROOT

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


def test_rehearsal(tmp_path: Path):
    """The line of the restore rehearsal restores and checks the newest copy, and leaves nothing behind."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "config.toml").write_text(GOOD)
    asyncio.run(filled(tmp_path / "skindesk.db"))
    back_up(tmp_path / "skindesk.db", tmp_path)
    before = names(tmp_path)
    [line] = [line for line in TEXT.splitlines() if "mktemp -d" in line]
    line = line.replace("/var/backups/skindesk", str(tmp_path)).replace("/etc/skindesk", str(tmp_path))
    ended = subprocess.run(  # noqa: S603 -- our own page
        ["/bin/sh", "-c", re.sub(r"\bskindesk (?=restore|check)", f"{shlex.quote(sys.executable)} -m bot ", line)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "scratch")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == ""
    assert "restored and verified" in ended.stdout
    assert "ok database.integrity: sound" in ended.stdout
    assert names(tmp_path) == before
    assert names(tmp_path / "scratch") == set()
