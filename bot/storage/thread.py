"""Reaches the thread on which a connection's statements run, past aiosqlite's one wait for each statement.

A wait there and back costs more than a short statement: what belongs together is done in one go.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiosqlite

_T = TypeVar("_T")


async def on_thread(connection: aiosqlite.Connection, work: Callable[[sqlite3.Connection], _T]) -> _T:
    """Do ``work`` with the connection that is behind this one, between two statements of anybody."""
    execute: Callable[..., Awaitable[_T]] = connection._execute  # noqa: SLF001 -- aiosqlite has no word for it
    return await execute(work, connection._conn)  # noqa: SLF001 -- same


def ahead(connection: aiosqlite.Connection, sql: str, failed: list[sqlite3.Error]) -> None:
    """Have a statement run before whatever is asked for next, without waiting for it; its error is in ``failed``."""
    behind = connection._conn  # noqa: SLF001 -- same

    def run() -> None:
        try:
            behind.execute(sql)
        except sqlite3.Error as error:
            failed.append(error)

    connection._tx.put_nowait((None, run))  # noqa: SLF001 -- same
