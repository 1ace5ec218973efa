"""Reads the rows in a file of pg_dump, without a server. No statement in it is ever run."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.storage.copy_files import is_dump
from bot.storage.errors import DatabaseUnusable, ProgramFailed, StorageError
from bot.storage.postgres.maintenance.programs import find, output

_COPY = re.compile(rb'COPY (?:"(?:[^"]|"")+"|\w+)\.(\w+) \((["\w, ]+)\) FROM stdin;\n')
_SET_SEQUENCE = re.compile(rb"SELECT pg_catalog\.setval\('[^']*?(\w+)', (\d+), (true|false)\);\n")
_END = b"\\.\n"


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table, one at a time, as COPY writes and reads them. ``columns`` are in their order."""

    table: str
    columns: str
    rows: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class SequenceValue:
    """The value of a sequence; ``is_used`` if it was given out."""

    sequence: str
    value: int
    is_used: bool


def contents(dump: Path, *, table: str | None = None) -> Iterator[TableRows | SequenceValue]:
    """Yield the rows of each table, or of one, and the values of sequences. DatabaseUnusable if it cannot be read."""
    arguments = ["--data-only", "--file=-", *([] if table is None else [f"--table={table}"]), "--", str(dump)]
    try:
        with output(find("pg_restore"), arguments) as script:
            for line in script:
                if match := _COPY.fullmatch(line):
                    rows = _rows(script)
                    yield TableRows(match[1].decode(), match[2].decode(), rows)
                    for _ in rows:  # those that the caller left
                        pass
                elif match := _SET_SEQUENCE.fullmatch(line):
                    yield SequenceValue(match[1].decode(), int(match[2]), match[3] == b"true")
    except ProgramFailed as failed:
        raise DatabaseUnusable(dump, f"pg_restore: {failed.reason}") from failed


def version_of(dump: Path) -> int:
    """Return the version of the schema; DatabaseUnusable if it is no dump of SkinDesk's."""
    numbers = [int(row["number"]) for row in _table(dump, "skindesk_migrations")]
    if not numbers:
        raise DatabaseUnusable(dump, "it is not a copy that skindesk backup made")
    return max(numbers)


def is_of(dump: Path, database_id: str) -> bool:
    """Return whether a file is a copy of the database with this id."""
    with suppress(StorageError, OSError):
        return is_dump(dump) and any(row["database_id"] == database_id for row in _table(dump, "desk"))
    return False


def _table(dump: Path, table: str) -> list[dict[str, str]]:
    """Return the few rows of a table that holds no special characters."""
    return [
        dict(zip(found.columns.split(", "), row.decode().rstrip("\n").split("\t"), strict=True))
        for found in contents(dump, table=table)
        if isinstance(found, TableRows)
        for row in found.rows
    ]


def _rows(script: IO[bytes]) -> Iterator[bytes]:
    for line in script:
        if line == _END:
            return
        yield line
