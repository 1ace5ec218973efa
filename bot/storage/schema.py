"""Recognises a SkinDesk database and brings it to the newest schema."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import aiosqlite

from bot.storage.errors import DatabaseTooNew, DatabaseUnusable

_APPLICATION_ID = int.from_bytes(b"SkDk")
"""Marks the file as SkinDesk's, so that a wrong path in the configuration damages nobody's database."""

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. ``number`` is the schema's version after it; ``sql`` has no transaction of its own."""

    number: int
    name: str
    sql: str

    def script(self) -> str:
        """Return the step and the record of it as one transaction."""
        return (
            f"BEGIN IMMEDIATE;\n{self.sql}\n"
            f"PRAGMA application_id = {_APPLICATION_ID};\nPRAGMA user_version = {self.number};\nCOMMIT;"
        )


def bundled() -> tuple[Migration, ...]:
    """Return the migrations that come with SkinDesk, in order; ValueError where their numbers leave a gap."""
    found = []
    for file in (resources.files("bot.storage") / "migrations").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            found.append(Migration(int(match[1]), file.name, file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError([migration.name for migration in found])
    return tuple(found)


async def recognise(connection: aiosqlite.Connection, path: Path) -> None:
    """Raise DatabaseUnusable for another program's database and for a damaged one; nothing is written."""
    application = await _number(connection, "PRAGMA application_id")
    things = await _number(connection, "SELECT count(*) FROM sqlite_schema")
    if application != _APPLICATION_ID and (things or await version_of(connection)):
        raise DatabaseUnusable(path, "a database of another program")
    (problem,) = await connection.execute_fetchall("PRAGMA quick_check(1)")
    if problem[0] != "ok":
        raise DatabaseUnusable(path, str(problem[0]))


async def migrate(connection: aiosqlite.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Apply what is missing, each step whole or not at all.

    DatabaseTooNew where the file knows more steps than there are, DatabaseUnusable where a step fails: the steps
    before it stay.
    """
    version = await version_of(connection)
    if version > len(migrations):
        raise DatabaseTooNew(path, found=version, newest=len(migrations))
    for migration in migrations[version:]:
        try:
            await connection.executescript(migration.script())
        except sqlite3.Error as error:
            await connection.rollback()
            raise DatabaseUnusable(path, f"{migration.name}: {error}") from error


async def version_of(connection: aiosqlite.Connection) -> int:
    """Return the number of the last migration applied."""
    return await _number(connection, "PRAGMA user_version")


async def _number(connection: aiosqlite.Connection, sql: str) -> int:
    (row,) = await connection.execute_fetchall(sql)
    return int(row[0])
