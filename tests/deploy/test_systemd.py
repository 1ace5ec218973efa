"""systemd accepts the unit, which confines SkinDesk."""

import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from bot.exit_codes import ExitCode

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "deploy" / "skindesk.service"
PROGRAM = "/opt/skindesk/.venv/bin/skindesk"
EXPOSED_AT_MOST = 2.0


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit for the program of this test run."""
    path = tmp_path / "skindesk.service"
    path.write_text(UNIT.read_text("utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    return path


def test_confined():
    """It has its own user, one folder, no privileges, and restarts unless only a person can help."""
    reader = RawConfigParser(strict=False)
    reader.optionxform = str  # type: ignore[assignment, method-assign]  # the way configparser offers
    reader.read_string(UNIT.read_text("utf-8"))
    unit, service = reader["Unit"], reader["Service"]

    assert service["ExecStart"].startswith(f"{PROGRAM} run --config ")
    assert service["RestartPreventExitStatus"] == f"{int(ExitCode.DATA)} {int(ExitCode.CONFIG)}"
    assert (service["DynamicUser"], service["StateDirectory"], service["NoNewPrivileges"]) == ("yes", "skindesk", "yes")
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"], service["UMask"]) == ("strict", "", "0077")
    # An outage at the start may last hours: systemd must keep trying.
    assert (unit["StartLimitIntervalSec"], unit.get("StartLimitBurst")) == ("0", None)
    assert (service["Restart"], int(service["RestartSec"])) == ("always", 15)
    assert (service["Type"], service["TimeoutStartSec"]) == ("notify", "infinity")
    # A process that is stuck is ended, without a copy of its memory.
    assert (int(service["WatchdogSec"]), service["LimitCORE"]) == (60, "0")
    assert service["EnvironmentFile"] == "-/etc/skindesk/skindesk.env"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_accepted_by_systemd(unit: Path):
    """Systemd finds no error in it, and little exposure."""
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)  # noqa: S603, S607 -- systemd's own tool
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")

    judged = subprocess.run(  # noqa: S603 -- systemd's own tool
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],  # noqa: S607 -- same
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Overall exposure" in judged.stdout:  # older versions cannot judge a file
        exposed = re.search(r"Overall exposure level for skindesk\.service: ([\d.]+)", judged.stdout)
        assert exposed is not None
        assert float(exposed[1]) <= EXPOSED_AT_MOST
