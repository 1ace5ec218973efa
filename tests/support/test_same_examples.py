"""Property tests use the same examples in every run."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st


def examples() -> list[tuple[str, int]]:
    """Return what a property test is given."""
    found: list[tuple[str, int]] = []

    @given(st.text(), st.integers())
    def collect(text: str, number: int) -> None:
        found.append((text, number))

    collect()
    return found


def test_loaded_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that another test has loaded change no example, although Hypothesis likes to use their constants."""
    before = examples()
    lines = [f"{name} = {name * 3!r}, {at * 7919}" for at, name in enumerate("abcdefghijklmnop")]
    (tmp_path / "loaded_lately.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("loaded_lately")
    after = examples()
    monkeypatch.delitem(sys.modules, "loaded_lately")
    assert len(before) > 50
    assert after == before
