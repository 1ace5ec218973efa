"""Ties each row of the record to all the rows before it."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import aiosqlite

BEFORE_THE_FIRST = bytes(32)
"""What the first row's digest stands on."""

# The id is not left to the database: it is part of what the digest covers. It follows the last one ever given, not
# the last one there is, so that rows cut off at the end leave a gap.
_LAST = """
SELECT
    max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit'), 0), coalesce(max(id), 0)) AS id,
    (SELECT digest FROM audit ORDER BY id DESC LIMIT 1) AS digest
FROM audit
"""

_ADD = """
INSERT INTO audit (id, digest, guild_id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


_as_json = json.JSONEncoder(separators=(",", ":")).encode


class Columns(NamedTuple):
    """A row without its place in the record, exactly as it is stored."""

    guild_id: int
    at: int
    actor: str | None
    action: str
    subject: str
    detail: str


class Link(NamedTuple):
    """A place in the record: a row's id, and its digest."""

    id: int
    digest: bytes


def digest_of(before: bytes, number: int, columns: Columns) -> bytes:
    """Return the SHA-256 of the digest before and the row, as a JSON list in ASCII: no two rows have the same."""
    return hashlib.sha256(before + _as_json([number, *columns]).encode("ascii")).digest()


def add(connection: sqlite3.Connection, columns: Columns) -> None:
    """Put a row at the end of the record, inside a unit and on its thread.

    What that costs does not grow with the record.
    """
    last, before = connection.execute(_LAST).fetchone()
    number = last + 1
    digest = digest_of(before or BEFORE_THE_FIRST, number, columns)
    connection.execute(_ADD, _stored(Link(number, digest), columns))


async def add_all(connection: aiosqlite.Connection, rows: Iterable[tuple[Link, Columns]]) -> None:
    """Put rows whose places are known into the record, inside a unit."""
    cursor = await connection.executemany(_ADD, [_stored(link, columns) for link, columns in rows])
    await cursor.close()


def _stored(link: Link, columns: Columns) -> tuple[str | int | bytes | None, ...]:
    return (*link, *columns)
