"""Inspects a database file without changing it: whose it is, its schema, whether it is sound."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.domain.audit import ChainReport
from bot.storage.errors import DatabaseUnusable, is_damage
from bot.storage.files import size_of
from bot.storage.sqlite.audit_check import check
from bot.storage.sqlite.lock import inspecting
from bot.storage.sqlite.schema import bundled, damage_of, require_ours, unknown_capabilities, version_of

_BUSY_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Inspection:
    """The state of a file. ``newest`` is the schema version that this SkinDesk brings it to.

    ``damage`` are SQLite's own messages; ``orphans`` are tables with rows that refer to none; ``is_new`` means that the
    file is still empty; ``chain`` is None if the audit log was not checked.
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
    """Open a file read-only, and return the connection and whether a process has the file open.

    A read-only connection never checkpoints: the bug that SQLite 3.51.3 fixed needs a second connection that does. If
    no process has the file and no journal is left, it is opened as immutable, or SQLite would leave an empty journal
    behind; no process can open it meanwhile. DatabaseUnusable if it cannot be opened.
    """
    real = path.resolve()
    with inspecting(real) as in_use:
        journal = real.with_name(f"{real.name}-wal")
        is_alone = not in_use and not size_of(journal)
        uri = f"{real.as_uri()}?mode=ro{'&immutable=1' if is_alone else ''}"
        try:
            with closing(open_uri(uri)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                yield connection, in_use
        except sqlite3.Error as error:
            raise DatabaseUnusable(path, str(error), is_damaged=is_damage(error)) from error


def open_uri(uri: str) -> sqlite3.Connection:
    """Open a connection for :func:`inspect_connection`."""
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT)


def inspect(path: Path) -> Inspection:
    """Inspect a file. DatabaseUnusable if it cannot be read, or is another program's."""
    with reading(path) as (connection, in_use):
        return inspect_connection(connection, path, is_in_use=in_use)


def inspect_connection(connection: sqlite3.Connection, path: Path, *, is_in_use: bool = False) -> Inspection:
    """Inspect a file through an open connection."""
    version = version_of(connection)
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
        orphans=tuple(sorted({row[0] for row in connection.execute("PRAGMA foreign_key_check")})),
        unknown_capabilities=unknown_capabilities(connection),
        chain=check(connection),
    )
