"""systemd accepts the units, which confine SkinDesk and its backups."""

import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from bot.config import SECRETS
from bot.exit_codes import ExitCode

UNITS = Path(__file__).parent.parent.parent / "deploy"
PROGRAM = "/opt/skindesk/.venv/bin/skindesk"
EXPOSED_AT_MOST = {"skindesk.service": 2.0, "skindesk-backup@.service": 2.5}


def test_confined():
    """It has its own user, one folder, no privileges, and restarts unless only a person can help."""
    reader = RawConfigParser(strict=False, interpolation=None)
    reader.optionxform = str  # type: ignore[assignment, method-assign]  # the way configparser offers
    reader.read_string((UNITS / "skindesk.service").read_text("utf-8"))
    unit, service = reader["Unit"], reader["Service"]

    assert service["ExecStart"].startswith(f"{PROGRAM} run --config ")
    assert service["RestartPreventExitStatus"] == f"{int(ExitCode.DATA)} {int(ExitCode.CONFIG)}"
    assert (service["DynamicUser"], service["StateDirectory"], service["NoNewPrivileges"]) == ("yes", "%N", "yes")
    assert service["User"] == "%p%i"  # else all instances of the template share one
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"], service["UMask"]) == ("strict", "", "0077")
    # An outage at the start may last hours: systemd must keep trying.
    assert (unit["StartLimitIntervalSec"], unit.get("StartLimitBurst")) == ("0", None)
    assert (service["Restart"], int(service["RestartSec"])) == ("always", 15)
    assert (service["Type"], service["TimeoutStartSec"]) == ("notify", "infinity")
    # A process that is stuck is ended, without a copy of its memory.
    assert (int(service["WatchdogSec"]), service["LimitCORE"]) == (60, "0")


def test_secrets():
    """Systemd hands over every secret at the path that root's commands read, and a missing file as empty."""
    text = (UNITS / "skindesk.service").read_text("utf-8")

    loaded = dict(re.findall(r"^LoadCredential=(.+):(.+)$", text, re.MULTILINE))
    assert loaded == {key: f"/etc/%N/credentials/{key}" for key in SECRETS}
    assert set(re.findall(r"^SetCredential=(.+):\\n$", text, re.MULTILINE)) == set(SECRETS)
    assert "BindReadOnlyPaths=%d:/etc/%N/credentials\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_accepted_by_systemd(tmp_path: Path):
    """Systemd finds no error in the units, and little exposure; a template is judged by an instance."""
    for source in UNITS.glob("skindesk*.*"):
        text = source.read_text("utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / source.name).write_text(text, encoding="utf-8")
    verified = subprocess.run(  # noqa: S603 -- systemd's own tool
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())],  # noqa: S607 -- same
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")

    for name, most in EXPOSED_AT_MOST.items():
        judged = subprocess.run(  # noqa: S603 -- systemd's own tool
            ["systemd-analyze", "security", "--offline=true", "--no-pager", tmp_path / name],  # noqa: S607 -- same
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if judged.stdout:  # older versions cannot judge a file
            exposed = re.search(r"Overall exposure level for .*: ([\d.]+)", judged.stdout)
            assert exposed is not None, name
            assert float(exposed[1]) <= most
