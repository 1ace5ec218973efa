"""Recognises a SkinDesk database and brings it to the newest schema."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path

from bot.domain.access import Capability
from bot.storage.errors import DatabaseTooNew, DatabaseUnusable, is_damage, of_sqlite
from bot.storage.migration_files import migration_files

APPLICATION_ID = int.from_bytes(b"SkDk")
"""Marks the file as SkinDesk's, so that a wrong path in the configuration damages no other program's database."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. ``number`` is the schema's version after it; ``sql`` has no transaction of its own."""

    number: int
    name: str
    sql: str

    def apply(self, connection: sqlite3.Connection) -> None:
        """Apply all of it, with the new version, or nothing."""
        try:
            # A script commits an open transaction before it begins, so this one begins and ends inside the script.
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{self.sql}\nPRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {self.number};\nCOMMIT;"
            )
        except BaseException:
            connection.rollback()
            raise


def bundled() -> tuple[Migration, ...]:
    """Return the migrations that come with SkinDesk, in order; ValueError if their numbers leave a gap."""
    return tuple(starmap(Migration, migration_files("bot.storage.sqlite")))


def require_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseUnusable for another program's database and for a damaged one; nothing is written."""
    require_ours(connection, path)
    if found := damage_of(connection, check="quick_check", most=1):
        raise DatabaseUnusable(path, f"damaged: {found[0]}", is_damaged=True)


def damage_of(connection: sqlite3.Connection, *, check: str = "integrity_check", most: int = 3) -> tuple[str, ...]:
    """Return SQLite's messages about damage, the first few, each in one line."""
    try:
        rows = connection.execute(f"PRAGMA {check}({most})").fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return (str(error),)
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    return tuple(line for line in lines if line != "ok" and not line.startswith("***"))[:most]


def require_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the database is still empty; DatabaseUnusable if it is another program's."""
    if _number(connection, "PRAGMA application_id") == APPLICATION_ID:
        return False
    if _number(connection, "SELECT count(*) FROM sqlite_schema") or version_of(connection):
        raise DatabaseUnusable(path, "a database of another program", is_foreign=True)
    return True


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Apply the missing migrations, each whole or not at all.

    A file with an earlier schema is rewritten at the end, so that nothing which that version deleted is left in it.
    DatabaseTooNew if the file has more migrations than there are; DatabaseUnusable or DatabaseNotWritable if one fails:
    earlier ones stay.
    """
    version = version_of(connection)
    if version > len(migrations):
        raise DatabaseTooNew(path, found=version, newest=len(migrations))
    for migration in migrations[version:]:
        try:
            migration.apply(connection)
        except sqlite3.Error as error:
            raise of_sqlite(path, error, during=migration.name) from error
    if 0 < version < len(migrations):
        connection.execute("VACUUM")


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number of the last migration applied."""
    return _number(connection, "PRAGMA user_version")


def unknown_capabilities(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the granted capabilities that this SkinDesk does not know."""
    rows = connection.execute("SELECT DISTINCT capability FROM grants ORDER BY capability")
    return tuple(sorted({row[0] for row in rows}.difference(Capability)))


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])
