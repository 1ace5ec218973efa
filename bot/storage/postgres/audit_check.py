"""Checks the audit log of a PostgreSQL database."""

import itertools
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import psycopg

from bot.domain.audit import ChainReport
from bot.storage.audit.check import check_chain
from bot.storage.database import Cursor
from bot.storage.postgres.sql import translated

_ROWS_AT_ONCE = 2_000


class _Reader:
    """Reads statements in pieces: a log can be larger than the memory."""

    def __init__(self, connection: psycopg.Connection[Any], stack: ExitStack) -> None:
        self._connection = connection
        self._stack = stack
        self._numbers = itertools.count()

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run one statement."""
        cursor = psycopg.ServerCursor(self._connection, f"reading_{next(self._numbers)}")
        self._stack.enter_context(cursor)
        cursor.itersize = _ROWS_AT_ONCE
        return cursor.execute(translated(sql), parameters)

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Cursor:
        """Not needed for reading."""
        raise NotImplementedError(sql)


def chain_in(connection: psycopg.Connection[Any]) -> ChainReport:
    """Return what checking the log and the pseudonyms has found, as the transaction sees them."""
    with ExitStack() as stack:
        return check_chain(_Reader(connection, stack), unreadable=psycopg.Error, has_removal=True)
