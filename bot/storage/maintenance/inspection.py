"""Looks into a database file without working on it: whose it is, which schema it has, whether it is sound."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.domain.access import Capability
from bot.domain.audit import ChainReport
from bot.storage.audit.check import check
from bot.storage.errors import DatabaseUnusable
from bot.storage.lock import looked_at
from bot.storage.schema import APPLICATION_ID, bundled

_BUSY_TIMEOUT = 5.0
_FAULTS_SHOWN = 3
_CHAINED_FROM = 2
"""The schema since which the record is a chain."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a file. ``newest`` is the schema's version that this SkinDesk brings it to.

    ``damage`` is what SQLite finds wrong, in its words; ``orphans`` are tables with rows that refer to none; ``chain``
    is None where the schema is older than the chain; ``is_new`` says that nothing was ever kept in it.
    """

    version: int
    newest: int
    is_in_use: bool
    is_new: bool
    damage: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    unknown_capabilities: tuple[str, ...] = ()
    chain: ChainReport | None = None

    @property
    def is_too_new(self) -> bool:
        """Whether a later SkinDesk has written it."""
        return self.version > self.newest


@contextmanager
def reading(path: Path) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """Open a file so that nothing in it can change, and say whether a process works on it.

    A connection that may not write never checkpoints: the bug that SQLite 3.51.3 mended needs a second connection
    that does. Where nobody works on it and no journal is left, it is opened as immutable, or SQLite would leave an
    empty journal behind; nobody can begin to work on it meanwhile. DatabaseUnusable where it cannot be opened.
    """
    real = path.resolve()
    with looked_at(real) as in_use:
        journal = real.with_name(f"{real.name}-wal")
        alone = not in_use and not (journal.exists() and journal.stat().st_size)
        uri = f"{real.as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
        try:
            with closing(opened(uri)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                yield connection, in_use
        except sqlite3.Error as error:
            raise DatabaseUnusable(path, str(error)) from error


def opened(uri: str) -> sqlite3.Connection:
    """Open a connection that :func:`inspect_connection` can use: several threads may, one after the other."""
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT, check_same_thread=False)


def inspect(path: Path) -> Inspection:
    """Look at everything. DatabaseUnusable where the file cannot be read, or is another program's."""
    with reading(path) as (connection, in_use):
        return inspect_connection(connection, path, is_in_use=in_use)


def inspect_connection(connection: sqlite3.Connection, path: Path, *, is_in_use: bool = False) -> Inspection:
    """Look at everything through an open connection."""
    version = _number(connection, "PRAGMA user_version")
    newest = len(bundled())
    is_new = require_ours(connection, path)
    damage = damage_of(connection)
    if is_new or damage or version > newest:
        return Inspection(version, newest, is_in_use, is_new, damage)
    return Inspection(
        version,
        newest,
        is_in_use,
        is_new,
        orphans=_orphans(connection),
        unknown_capabilities=_unknown_capabilities(connection),
        chain=_chain(connection) if version >= _CHAINED_FROM else None,
    )


def require_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Raise DatabaseUnusable for another program's database; say whether there is nothing in it yet."""
    if _number(connection, "PRAGMA application_id") == APPLICATION_ID:
        return False
    if _number(connection, "SELECT count(*) FROM sqlite_schema") or _number(connection, "PRAGMA user_version"):
        raise DatabaseUnusable(path, "a database of another program")
    return True


def damage_of(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return what SQLite finds wrong, in its words; the first few."""
    rows = connection.execute(f"PRAGMA integrity_check({_FAULTS_SHOWN})")
    return tuple(str(row[0]) for row in rows if row[0] != "ok")


def _orphans(connection: sqlite3.Connection) -> tuple[str, ...]:
    return tuple(sorted({row[0] for row in connection.execute("PRAGMA foreign_key_check")}))


def _unknown_capabilities(connection: sqlite3.Connection) -> tuple[str, ...]:
    rows = connection.execute("SELECT DISTINCT capability FROM grants ORDER BY capability")
    return tuple(sorted({row[0] for row in rows}.difference(Capability)))


def _chain(connection: sqlite3.Connection) -> ChainReport:
    """Read the whole record. That is made for an event loop, so it gets one, on a thread that has none."""

    async def read(sql: str, parameters: Mapping[str, object]) -> list[sqlite3.Row]:
        cursor = connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(sql, parameters).fetchall()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, check(read)).result()


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])
