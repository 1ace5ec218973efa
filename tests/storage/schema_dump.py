"""Prints the newest schema: ``uv run python -m tests.storage.schema_dump > tests/storage/schema.sql``."""

import asyncio
import sys
import tempfile
from pathlib import Path

from bot.storage.database import Database


async def dump(path: Path) -> str:
    """Return the statements that an empty file ends up with, by name."""
    async with Database.open(path) as db:
        rows = await db.read("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    return "".join(f"{row['sql']};\n\n" for row in rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(asyncio.run(dump(Path(folder) / "desk.db")))
