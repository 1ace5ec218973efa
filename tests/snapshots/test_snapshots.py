"""Every page reads as it did when its words were last looked at."""

import difflib
from pathlib import Path

from tests.snapshots.pages import FOLDER, of_walk, pages_of
from tests.support.stage import kept_open

AGAIN = "uv run python -m tests.snapshots.write"


async def test_every_page(tmp_path: Path) -> None:
    """Each page reads as it is kept, for each reader and in each state; a changed text shows up on all its pages."""
    async with kept_open(tmp_path) as scene:
        found = pages_of(await of_walk(scene))
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    changes = [
        line
        for name in sorted({*found, *kept})
        for line in difflib.unified_diff(
            kept.get(name, "").splitlines(),
            found.get(name, "").splitlines(),
            f"kept/{name}.md",
            "now",
            lineterm="",
            n=1,
        )
    ]

    assert changes == [], f"read what changed; if it is right, write it anew: {AGAIN}"
