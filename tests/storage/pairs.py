"""A table whose rows come in pairs, written in several steps: a torn transaction leaves half a pair."""

import asyncio
from collections.abc import Awaitable, Callable

import aiosqlite

from bot.storage.database import Database
from bot.storage.schema import Migration, bundled

WITH_PAIRS = (
    *bundled(),
    Migration(
        len(bundled()) + 1,
        "9999_pairs.sql",
        "CREATE TABLE pairs (n INTEGER NOT NULL, half TEXT NOT NULL, PRIMARY KEY (n, half)) STRICT;",
    ),
)


def pair(n: int) -> Callable[[aiosqlite.Connection], Awaitable[int]]:
    """Return a unit that writes the two halves of ``n``, giving others a chance in between."""

    async def unit(connection: aiosqlite.Connection) -> int:
        await connection.execute_fetchall("INSERT INTO pairs VALUES (?, 'left')", (n,))
        await asyncio.sleep(0)
        await connection.execute_fetchall("INSERT INTO pairs VALUES (?, 'right')", (n,))
        return n

    return unit


async def whole_pairs(db: Database) -> set[int]:
    """Return the numbers that are there, having checked that each is there whole."""
    rows = await db.read("SELECT n, count(*) AS halves FROM pairs GROUP BY n")
    assert {row["halves"] for row in rows} <= {2}
    return {row["n"] for row in rows}
