"""The source archive is whole, and the wheel that it builds works in an environment of its own."""

import os
import re
import signal
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UV = os.environ.get("UV", "")
PATIENCE = 60
"""Seconds after which a command counts as hung."""

pytestmark = pytest.mark.skipif(not UV, reason="uv does not run the tests")


def run(*command: str | Path, cwd: Path = ROOT, **environ: str) -> str:
    """Run a command to its end and return its output."""
    outside = {name: os.environ[name] for name in os.environ if not name.startswith(("SKINDESK_", "VIRTUAL_ENV"))}
    done = subprocess.run(  # noqa: S603 -- our own tools
        command, cwd=cwd, env=outside | environ, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the source archive, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--python", sys.executable, "--out-dir", folder)
    return folder


def test_source_archive(built: Path):
    """It has every file of the repository, for packagers: tests, documents, lock file, units. It has no other file."""
    [archive] = built.glob("skindesk-*.tar.gz")
    with tarfile.open(archive) as opened:
        packed = {name.partition("/")[2] for name in opened.getnames()}
    tracked = run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()

    assert packed - {"PKG-INFO"} == {name for name in tracked if (ROOT / name).exists()}


def test_wheel(built: Path):
    """It has the two packages with their data files, but for what only translators need, and nothing else."""
    [wheel] = built.glob("skindesk-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if ".dist-info/" not in name}
    sources = {
        str(file.relative_to(ROOT))
        for package in ("bot", "cogs")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".po"
    }

    assert packed == sources


def test_installed_wheel(built: Path, tmp_path: Path):
    """Installed with the locked packages it names its version, accepts a configuration, and shows the demo."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    [wheel] = built.glob("skindesk-*.whl")
    bin_folder = tmp_path / "venv" / "bin"
    locked = run(UV, "export", "--quiet", "--locked", "--no-dev", "--all-extras", "--no-emit-project")
    (tmp_path / "locked.txt").write_text(locked, encoding="utf-8")
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    install = (UV, "pip", "install", "--quiet", "--python", bin_folder / "python")
    run(*install, "--requirements", tmp_path / "locked.txt")
    run(*install, "--no-deps", wheel)
    run(UV, "pip", "check", "--quiet", "--python", bin_folder / "python")

    program = bin_folder / "skindesk"
    assert run(program, "--version", cwd=tmp_path) == f"skindesk {version}\n"
    run(program, "check", "--offline", cwd=tmp_path, SKINDESK_DISCORD__TOKEN="a-token")
    with subprocess.Popen(  # noqa: S603 -- our own program
        [program, "demo", "--no-browser"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        said = iter(demo.stdout.readline, "")
        address = next(found[0] for line in said if (found := re.search(r"http://\S+", line)))
        with urllib.request.urlopen(address, timeout=PATIENCE) as page:  # noqa: S310 -- the demo's own address
            assert page.status == 200
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0
