"""A table whose rows come in pairs: a torn transaction leaves half a pair."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from bot.storage.database import Connection, Job
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.schema import Migration, bundled

WITH_PAIRS = (
    *bundled(),
    Migration(
        len(bundled()) + 1,
        "9999_pairs.sql",
        "CREATE TABLE pairs (n INTEGER NOT NULL, half TEXT NOT NULL, PRIMARY KEY (n, half)) STRICT;",
    ),
)


def pair(n: int) -> Job[int]:
    """Return a job that writes the two halves of ``n``."""
    return partial(write_pair, n)


def write_pair(n: int, connection: Connection) -> int:
    connection.execute("INSERT INTO pairs VALUES (?, 'left')", (n,))
    connection.execute("INSERT INTO pairs VALUES (?, 'right')", (n,))
    return n


async def whole_pairs(db: SqliteDatabase) -> set[int]:
    """Return the numbers that are stored, after checking that each has both halves."""
    rows = await db.read("SELECT n, count(*) AS halves FROM pairs GROUP BY n")
    assert {row["halves"] for row in rows} <= {2}
    return {row["n"] for row in rows}


class Gate:
    """A job that writes one half, and the other one after it is opened."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._loop = asyncio.get_running_loop()
        self._opened = threading.Event()
        self.reached = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    def __call__(self, connection: Connection) -> int:
        connection.execute("INSERT INTO pairs VALUES (?, 'left')", (self._n,))
        self._loop.call_soon_threadsafe(self.reached.set)
        self._opened.wait(timeout=10)
        connection.execute("INSERT INTO pairs VALUES (?, 'right')", (self._n,))
        return self._n


@contextmanager
def locked_by_another(path: Path) -> Iterator[Connection]:
    """Hold the write lock until the ROLLBACK or the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
