"""The tables of faults in docs/operations.md and docs/scaling.md are true of the program."""

import ast
import re
from functools import cache

from tests.architecture.sources import ROOT, modules

TABLES = "\n".join(
    (ROOT / "docs" / file).read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for file, heading in (("operations.md", "Faults"), ("scaling.md", "Failures"))
)
ROWS = [row.split(" | ") for row in re.findall(r"^\| (?!fault \||-)(.+) \|$", TABLES, re.MULTILINE)]


@cache
def program() -> str:
    """Return every text of the program but its docstrings, each value in it as ``…``."""
    texts = []
    for _, tree in modules("bot", "cogs"):
        described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                texts.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
                texts.append(re.sub(r"%[a-z]", "…", node.value))
    return "\n".join(texts)


def test_rows_have_seven_cells():
    """Each of the faults has every cell, and a test that provokes it."""
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(row) != 7 or "" in row or "`tests/" not in row[-1]] == []


def test_tests_exist():
    """Each test that shows a fault exists."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", "".join(row[-1] for row in ROWS))
    texts = {file: (ROOT / file).read_text("utf-8") for file, _ in named if (ROOT / file).exists()}

    assert len(named) == sum(row[-1].count("::") for row in ROWS)
    assert {name for file, name in named if not re.search(rf"def {name}\(", texts.get(file, ""))} == set()


def test_alerts_and_metrics_exist():
    """Each alert has its fault and each metric its meaning in docs/monitoring.md."""
    monitoring = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    rules = (ROOT / "deploy" / "prometheus-rules.yml").read_text("utf-8")
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    metrics = set(re.findall(r"skindesk_[a-z_]+", " ".join(row[3] for row in ROWS)))

    assert set(re.findall(r"SkinDesk[A-Z]\w+", " ".join(row[4] for row in ROWS))) == alerts
    assert {metric for metric in metrics if not re.search(rf"`{metric}\b", monitoring)} == set()


def test_log_lines_are_the_programs():
    """Each line that is quoted from the log has words of the program."""
    quotes = {quote for row in ROWS for quote in re.findall(r"`([^`]+)`", row[2]) if not quote.startswith("skindesk ")}

    assert {quote for quote in quotes if re.sub(r"=\w+", "=…", quote) not in program()} == set()
