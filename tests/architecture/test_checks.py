"""The one command that checks everything."""

import pytest

import tests.__main__ as checks


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
