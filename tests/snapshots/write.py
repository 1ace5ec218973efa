"""Writes the snapshots of all pages again: ``uv run python -m tests.snapshots.write``."""

import asyncio
import tempfile
from pathlib import Path

from tests.snapshots.pages import FOLDER, of_walk, pages_of
from tests.support.stage import kept_open


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with kept_open(Path(folder)) as scene:
            found = pages_of(await of_walk(scene))
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in found.items():
        (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
