"""Finds the supported Pythons of this machine, and runs the tests that depend on the version on each of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
PARTS = (
    "tests/checks",
    "tests/domain",
    "tests/languages/test_catalogues.py",
    "tests/observability/test_logs.py",
    "tests/providers/test_credentials.py",
    "tests/providers/test_reading.py",
    "tests/providers/test_transport.py",
    "tests/services/test_inventory.py",
    "tests/storage/test_backup.py",
    "tests/storage/test_database.py",
    "tests/storage/test_opening.py",
    "tests/storage/test_processes.py",
    "tests/storage/test_restore.py",
    "tests/storage/test_schema.py",
    "tests/storage/test_stored_values.py",
    "tests/storage/test_write_queue.py",
    "tests/test_command_line.py",
    "tests/test_config.py",
    "tests/test_single_flight.py",
    "tests/test_worker.py",
    "tests/e2e/test_process.py",
)
"""What Python changes from version to version: SQLite, files, JSON, asyncio, the command line, a whole process."""
_NEEDED = "import ctypes, sqlite3, ssl, zlib"
"""A Python may be built without them."""


def run_on_others() -> int:
    """Run PARTS on all other supported Pythons of this machine at once; return the first exit code that is not 0."""
    tool = uv()
    if tool is None:
        _say("uv is not on the PATH: the other Pythons are not tried")
        return 0
    found = find(tool, os.environ)
    others = [version for version in SUPPORTED if version != THIS]
    for version in others:
        if version not in found:
            _say(f"Python {version} is not on this machine: not tried")
    codes = [0]
    with ThreadPoolExecutor() as threads:  # half of the time goes into waiting for processes
        runs = {version: threads.submit(_run, tool, version, found[version]) for version in others if version in found}
        for version, run in runs.items():
            code, output = run.result()
            _say(f"Python {version} ({found[version]}): {' '.join(PARTS)}")
            sys.stdout.write(output)
            codes.append(code)
    return next(filter(None, codes), 0)


def uv() -> str | None:
    """Return the path of uv: the one that runs this, or that of the PATH."""
    return os.environ.get("UV") or shutil.which("uv")


def find(tool: str, environ: Mapping[str, str]) -> dict[str, Path]:
    """Return a Python of each supported version that is installed and complete, by version.

    pyenv's shims fail for versions that are not switched on, so its folders are searched instead.
    """
    pyenv = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [str(folder) for folder in sorted(pyenv.glob("versions/*/bin"))]
    path = [folder for folder in environ.get("PATH", "").split(os.pathsep) if Path(folder) != pyenv / "shims"]
    command = [tool, "python", "list", "--only-installed", "--output-format", "json", "--no-python-downloads"]
    searched = {**environ, "PATH": os.pathsep.join(chain(path, folders))}
    listed = subprocess.run(command, env=searched, capture_output=True, check=True, cwd=ROOT)  # noqa: S603 -- uv
    found: dict[str, Path] = {}
    for each in json.loads(listed.stdout):
        parts = each["version_parts"]
        version = f"{parts['major']}.{parts['minor']}"
        usual = (each["implementation"], each.get("variant", "default")) == ("cpython", "default")
        if usual and version in SUPPORTED and version not in found and _is_complete(each["path"]):
            found[version] = Path(each["path"])
    return found


def _is_complete(python: str) -> bool:
    return subprocess.run([python, "-c", _NEEDED], capture_output=True, check=False).returncode == 0  # noqa: S603 -- found by uv


def _run(tool: str, version: str, python: Path) -> tuple[int, str]:
    """Return the exit code and all output."""
    environment = ROOT / ".venv" / "pythons" / version
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PYTHON")}
    environ |= {"UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON_DOWNLOADS": "never"}
    output = ""
    for command in (
        [tool, "sync", "--quiet", "--locked", "--all-extras", "--python", str(python)],
        [str(environment / "bin" / "python"), "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *PARTS],
    ):
        ended = subprocess.run(  # noqa: S603 -- our own tools
            command, cwd=ROOT, env=environ, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output += ended.stdout
        if ended.returncode:
            return ended.returncode, output
    return 0, output


def _say(line: str) -> None:
    sys.stdout.write(f"== {line}\n")
    sys.stdout.flush()
