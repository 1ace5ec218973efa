"""The alerts that come with SkinDesk fire on their faults, and the documentation explains each one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "deploy" / "prometheus-rules.yml"
RULE_TESTS = ROOT / "deploy" / "prometheus-rules-test.yml"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed")
def test_rules():
    """Each alert fires on its fault, on the first one if it counts, and none fires in health."""
    tried = subprocess.run(["promtool", "test", "rules", RULE_TESTS], capture_output=True, text=True, check=False)  # noqa: S603, S607 -- Prometheus' own tool

    assert (tried.returncode, tried.stderr) == (0, "")


def test_every_alert_is_explained():
    """Each alert has a test, a summary, a description and a runbook, and docs/monitoring.md says what it means."""
    rules = RULES.read_text("utf-8").split("- alert: ")[1:]
    alerts = [rule.partition("\n")[0] for rule in rules]
    described = re.findall(
        r"^\| `(SkinDesk\w+)` \|", (ROOT / "docs" / "monitoring.md").read_text("utf-8"), re.MULTILINE
    )

    assert alerts == described
    assert set(alerts) == set(re.findall(r"SkinDesk[A-Z]\w+", RULE_TESTS.read_text("utf-8")))
    for text in ("summary: ", "description: ", "runbook: docs/operations.md#faults", "severity: "):
        assert [name for name, rule in zip(alerts, rules, strict=True) if text not in rule] == []
    named = set(re.findall(r"`(SkinDesk[A-Z]\w+)`", (ROOT / "docs" / "operations.md").read_text("utf-8")))
    assert named - set(alerts) == set()
