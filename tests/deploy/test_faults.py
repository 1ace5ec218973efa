"""The table of faults in docs/operations.md says what is there: tests, log lines, metrics and alerts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FAULTS = re.search(r"(?s)\n## Faults\n(.*?)\n## ", (ROOT / "docs" / "operations.md").read_text("utf-8"))
METRICS = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
ALERTS = set(re.findall(r"- alert: (\w+)", (ROOT / "deploy" / "prometheus-rules.yml").read_text("utf-8")))
_OF_PROMETHEUS = {"up", "process_start_time_seconds"}


def rows() -> list[list[str]]:
    assert FAULTS is not None
    cells = [line.strip("|").split("|") for line in FAULTS[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in cells if row[0].strip() != "fault"]


def logged() -> str:
    """Every text in the program, with a gap for each value that is put into it."""

    def texts(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        for child in ast.iter_child_nodes(node):
            yield from texts(child)

    return "\n".join(
        text for path in (ROOT / "bot").rglob("*.py") for text in texts(ast.parse(path.read_text("utf-8")))
    )


def test_rows() -> None:
    """There are at least 25 faults; every alert is one's, and no cell is missing."""
    table = rows()

    assert len(table) >= 25
    assert {len(row) for row in table} == {7}
    assert {alert for row in table for alert in re.findall(r"SkinDesk[A-Z]\w+", row[4])} == ALERTS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_row(row: list[str]) -> None:
    """What provokes the fault exists, the log says these words, and the metrics are documented."""
    shown = re.findall(r"`([^`]+)`", row[6])
    assert shown
    for name in shown:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8"), name
    texts = logged()
    for words in re.findall(r"`([^`]+)`", row[2]):
        key, _, value = words.partition("fault=")
        assert all(part in texts for part in (key, value)), words
    for metric in re.findall(r"`((?:skindesk_|process_|up)\w*)`", row[3]):
        assert metric in _OF_PROMETHEUS or f"`{metric}" in METRICS, metric
