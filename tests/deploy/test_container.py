"""The container is small, does not run as root, writes only to its volume, and its build commands work."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.containerfile import Stage, parsed

ROOT = Path(__file__).parent.parent.parent
WHERE = "import bot, cogs, importlib.util as u; print(bot.__file__, u.find_spec('pytest'))"


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return parsed(ROOT / "Containerfile")


def test_last_stage(stages: list[Stage]):
    """The last stage starts from the base, runs no command, has its own user and a volume, and stops on SIGTERM."""
    build, last = stages

    assert build.base == last.base
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim", last.base)
    assert last.all("RUN") == []
    assert all(each.options["from"] == build.name for each in last.all("COPY"))
    user, _, group = last.one("USER").text.partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert last.one("STOPSIGNAL").text == "SIGTERM"
    assert last.one("VOLUME").text == last.one("WORKDIR").text == "/data"
    assert last.environment["SKINDESK_DATABASE__PATH"].startswith("/data/")
    assert last.one("ENTRYPOINT").arguments == ["skindesk"]
    assert last.one("CMD").arguments == ["run"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert last.pairs("LABEL")["org.opencontainers.image.version"] == project["version"]


def test_copies_only_the_program(stages: list[Stage]):
    """Configuration, databases and history stay out of the image and of its build context."""
    copied = {word for each in stages[0].all("COPY") for word in each.arguments[:-1]}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert copied == {"pyproject.toml", "uv.lock", "README.md", "LICENSE", "bot", "cogs"}
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied


def test_build(stages: list[Stage], tmp_path: Path):
    """The commands of the first stage, run on a copy of its files, build a program that works."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on the PATH")
    build, last = stages
    for copy in build.all("COPY"):
        *sources, target = copy.arguments
        for source in sources:
            to = tmp_path / "app" / target / ("" if target.endswith(source) else source)
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, to)
    tools = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SKINDESK_", "VIRTUAL_ENV", "UV_PROJ"))
    }
    tools |= build.environment | {"PATH": f"{Path(uv).parent}{os.pathsep}{tools['PATH']}", "UV_PYTHON": sys.executable}

    for run in build.all("RUN"):
        command = run.text.removeprefix("pip install uv && ").replace("mkdir /", f"mkdir {tmp_path}/")
        subprocess.run(  # noqa: S602 -- our own file
            command, shell=True, cwd=tmp_path / "app", env=tools, check=True, capture_output=True, timeout=300
        )

    bin_folder = tmp_path / last.environment["PATH"].partition(":")[0].lstrip("/")
    environ = {
        "PATH": f"{bin_folder}:/usr/bin:/bin",
        "SKINDESK_DISCORD__TOKEN": "a-token",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    checked = subprocess.run(  # noqa: S603 -- our own program
        [bin_folder / "python", "-m", "bot", "check", "--offline"],
        cwd=tmp_path / "data", env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    where = subprocess.run(  # noqa: S603 -- our own program
        [bin_folder / "python", "-c", WHERE],
        cwd=tmp_path / "data", env=environ, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(bin_folder.parent / "lib"))
    assert where.stdout.rstrip().endswith(" None")
    entry = bin_folder / last.one("ENTRYPOINT").arguments[0]
    asked = subprocess.run([entry, "--version"], env=environ, capture_output=True, timeout=60, check=False)  # noqa: S603 -- our own program
    assert asked.returncode == 0
    assert list((tmp_path / "data").iterdir()) == []


def test_ports(stages: list[Stage]):
    """Metrics and sign-in are reachable: each listens on the port that tests/deploy/test_compose.py sees published."""
    listening = {
        text.rpartition(":")[2]
        for name, text in stages[-1].environment.items()
        if name.endswith("__LISTEN") and text.startswith("0.0.0.0:")
    }

    assert listening == set(stages[-1].one("EXPOSE").arguments) == {"9464", "8080"}
