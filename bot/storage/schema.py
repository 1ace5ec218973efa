"""Recognises a SkinDesk database and brings it to the newest schema."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import aiosqlite

from bot.storage.audit.copy import copy_audit
from bot.storage.errors import DatabaseTooNew, DatabaseUnusable

APPLICATION_ID = int.from_bytes(b"SkDk")
"""Marks the file as SkinDesk's, so that a wrong path in the configuration damages nobody's database."""

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


Step = Callable[[aiosqlite.Connection], Awaitable[None]]
"""What SQL alone cannot do of a migration, inside its transaction. A step says what is wrong with a ValueError."""

_STEPS: Mapping[int, Step] = {2: copy_audit}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. ``number`` is the schema's version after it; ``sql`` has no transaction of its own.

    ``step`` runs after the SQL, in the same transaction.
    """

    number: int
    name: str
    sql: str
    step: Step | None = None

    async def apply(self, connection: aiosqlite.Connection) -> None:
        """Do all of it and the record of it, or nothing."""
        try:
            # A script commits what is open before it begins: the transaction begins in it, and ends without another.
            await connection.executescript(f"BEGIN IMMEDIATE;\n{self.sql}")
            if self.step is not None:
                await self.step(connection)
            await connection.execute_fetchall(f"PRAGMA application_id = {APPLICATION_ID}")
            await connection.execute_fetchall(f"PRAGMA user_version = {self.number}")
            await connection.execute_fetchall("COMMIT")
        except BaseException:
            await connection.rollback()
            raise


def bundled() -> tuple[Migration, ...]:
    """Return the migrations that come with SkinDesk, in order; ValueError where their numbers leave a gap."""
    found = []
    for file in (resources.files("bot.storage") / "migrations").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            number = int(match[1])
            found.append(Migration(number, file.name, file.read_text("utf-8"), _STEPS.get(number)))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError([migration.name for migration in found])
    return tuple(found)


async def recognise(connection: aiosqlite.Connection, path: Path) -> None:
    """Raise DatabaseUnusable for another program's database and for a damaged one; nothing is written."""
    application = await _number(connection, "PRAGMA application_id")
    things = await _number(connection, "SELECT count(*) FROM sqlite_schema")
    if application != APPLICATION_ID and (things or await version_of(connection)):
        raise DatabaseUnusable(path, "a database of another program")
    (problem,) = await connection.execute_fetchall("PRAGMA quick_check(1)")
    if problem[0] != "ok":
        raise DatabaseUnusable(path, str(problem[0]))


async def migrate(connection: aiosqlite.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Apply what is missing, each step whole or not at all.

    A file that had an earlier schema is written anew at the end, so that nothing lies about in it of what that
    version deleted. DatabaseTooNew where the file knows more steps than there are, DatabaseUnusable where a step
    fails: the steps before it stay.
    """
    version = await version_of(connection)
    if version > len(migrations):
        raise DatabaseTooNew(path, found=version, newest=len(migrations))
    for migration in migrations[version:]:
        try:
            await migration.apply(connection)
        except (sqlite3.Error, ValueError) as error:
            raise DatabaseUnusable(path, f"{migration.name}: {error}") from error
    if 0 < version < len(migrations):
        await connection.execute_fetchall("VACUUM")


async def version_of(connection: aiosqlite.Connection) -> int:
    """Return the number of the last migration applied."""
    return await _number(connection, "PRAGMA user_version")


async def _number(connection: aiosqlite.Connection, sql: str) -> int:
    (row,) = await connection.execute_fetchall(sql)
    return int(row[0])
