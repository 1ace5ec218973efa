"""The one command that checks everything."""

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

import tests.__main__ as checks
from tests import pythons


def test_first_failure_ends_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The exit code is that of the first check that fails, and later checks do not run."""
    monkeypatch.setattr(
        checks,
        "CHECKS",
        (("python", "-c", "print('first')"), ("python", "-c", "exit(3)"), ("python", "-c", "print('third')")),
    )

    assert checks.main([]) == 3
    assert capfd.readouterr().out.splitlines() == ["== python -c print('first')", "first", "== python -c exit(3)"]


def test_arguments_go_to_pytest(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setattr(checks, "CHECKS", (("pytest",),))

    assert checks.main(["--version"]) == 0
    assert "== pytest --version\npytest " in "".join(capfd.readouterr())


def test_every_python_of_the_range(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """The Pythons to try are those that the project names, the container's among them; one that is missing is named."""
    project = tomllib.loads((pythons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [each.rpartition(" ")[2] for each in project["classifiers"] if re.search(r":: 3\.\d+$", each)]
    images = re.findall(r"python:(3\.\d+)-", (pythons.ROOT / "Containerfile").read_text(encoding="utf-8"))

    assert tuple(named) == pythons.SUPPORTED
    assert project["requires-python"] == f">={named[0]}"
    assert images
    assert set(images) <= set(named)
    monkeypatch.setattr(pythons, "SUPPORTED", ("3.99",))
    assert pythons.run_on_others() == 0
    assert capsys.readouterr().out == "== Python 3.99 is not on this machine: not tried\n"


@pytest.mark.skipif("UV" not in os.environ, reason="uv does not run the tests")
def test_other_pythons_are_found(tmp_path: Path):
    """A Python of pyenv is found that is not switched on, so that its shim fails."""
    shim, python = tmp_path / "shims" / f"python{pythons.THIS}", tmp_path / "versions" / "any" / "bin" / "python3"
    for file in (shim, python):
        file.parent.mkdir(parents=True)
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    python.symlink_to(Path(sys.executable).resolve())
    environ = {"PYENV_ROOT": str(tmp_path), "PATH": str(shim.parent), "UV_PYTHON_INSTALL_DIR": str(tmp_path / "none")}

    assert pythons.find(os.environ["UV"], {"HOME": os.environ.get("HOME", "/"), **environ}) == {pythons.THIS: python}
