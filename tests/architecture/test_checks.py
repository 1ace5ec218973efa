"""The one command that checks everything."""

import pytest

import tests.__main__ as checks


def test_order():
    """What is quick comes first, so that a missing blank is not found after minutes."""
    assert [check[0] for check in checks.CHECKS] == ["ruff", "ruff", "mypy", "lint-imports", "pytest"]


def test_first_failure_ends_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The exit code is that of the first check that fails, and nothing runs after it."""
    monkeypatch.setattr(
        checks,
        "CHECKS",
        (("python", "-c", "print('first')"), ("python", "-c", "exit(3)"), ("python", "-c", "print('third')")),
    )

    assert checks.main([]) == 3
    assert capfd.readouterr().out.splitlines() == [
        "== python -c print('first')",
        "first",
        "== python -c exit(3)",
    ]


def test_arguments_go_to_pytest(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """What stands behind the command is pytest's, and its exit code the command's."""
    monkeypatch.setattr(checks, "CHECKS", (("pytest",),))

    assert checks.main(["--version"]) == 0
    assert "== pytest --version\npytest " in "".join(capfd.readouterr())
