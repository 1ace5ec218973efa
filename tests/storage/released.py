"""Prints a filled database of this version: ``uv run python -m tests.storage.released > tests/storage/released/X.sql``.

Done once for each release, before its tag; what is in the folder is never changed again.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.storage.desks import filled

FOLDER = Path(__file__).with_name("released")
"""A dump for each release; ``first.sql`` is of the first schema, from before there was one."""

_PRAGMAS = ("application_id", "user_version")


def dump(path: Path) -> Iterator[str]:
    """Go through the statements that make the database at ``path`` anew."""
    with closing(sqlite3.connect(path)) as connection:
        for pragma in _PRAGMAS:
            yield f"PRAGMA {pragma} = {connection.execute(f'PRAGMA {pragma}').fetchone()[0]};"
        yield from connection.iterdump()


def made_of(script: Path, path: Path) -> None:
    """Make the database that was dumped."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "desk.db"
        asyncio.run(filled(database))
        sys.stdout.writelines(f"{statement}\n" for statement in dump(database))
