"""Runs every check of a change: ``python -m tests``. Arguments go to pytest, which then runs on this Python only."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.pythons import run_on_others

ROOT = Path(__file__).parent.parent
CHECKS = (
    ("ruff", "format", "--check"),
    ("ruff", "check"),
    ("mypy",),
    ("lint-imports",),
    ("vulture",),
    # Twice as many workers as two cores: half of the time goes into waiting for processes.
    ("pytest", "-n", "4", "--dist", "worksteal"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the checks in order; return the exit code of the first that fails, or 0.

    Without arguments, the parts that depend on Python's version then run on the other Pythons of this machine.
    """
    tools = Path(sys.executable).parent
    for check in CHECKS:
        tool, *options = (*check, *arguments) if check[0] == "pytest" else check
        sys.stdout.write(f"== {' '.join((tool, *options))}\n")
        sys.stdout.flush()
        code = subprocess.run([tools / tool, *options], cwd=ROOT, check=False).returncode  # noqa: S603 -- our own tools
        if code != 0:
            return code
    return 0 if arguments else run_on_others()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
