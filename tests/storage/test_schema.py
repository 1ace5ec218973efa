"""Each migration is applied whole or not at all, and leads to the schema that was reviewed."""

import re
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from bot.storage.errors import DatabaseUnusable
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.schema import Migration, bundled
from tests.storage.databases import query

FIRST = len(bundled())


@pytest.mark.parametrize(
    "bad",
    [
        "CREATE TABLE extra (n INTEGER); INSERT INTO nowhere VALUES (1);",
        "CREATE TABLE extra (n INTEGER); CREATE TABLE extra (n INTEGER);",
        "CREATE TABLE extra (n INTEGER); INSERT INTO guilds (guild_id) VALUES ('text');",
        "CREATE TABLE extra (n INTEGER); this is not SQL;",
    ],
)
async def test_step_that_fails(path: Path, bad: str) -> None:
    """A migration that fails leaves those before it and nothing of itself; the reason names it."""
    steps = (*bundled(), Migration(FIRST + 1, "9999_bad.sql", bad))

    with pytest.raises(DatabaseUnusable, match=r"9999_bad\.sql: "):
        async with SqliteDatabase.open(path, migrations=steps):
            pass

    assert query(path, "PRAGMA user_version") == [(FIRST,)]
    assert query(path, "SELECT name FROM sqlite_schema WHERE name IN ('extra', 'resends')") == [("resends",)]
    async with SqliteDatabase.open(path):
        pass


async def test_first_step_that_fails(path: Path) -> None:
    """A first start that fails leaves an empty database, which the next start uses."""
    with pytest.raises(DatabaseUnusable):
        async with SqliteDatabase.open(
            path, migrations=(Migration(1, "0001_bad.sql", "CREATE TABLE extra (n INT); oops;"),)
        ):
            pass

    assert query(path, "PRAGMA user_version") == [(0,)]
    assert query(path, "SELECT name FROM sqlite_schema") == []
    async with SqliteDatabase.open(path):
        pass


async def test_step_by_step(path: Path) -> None:
    """A database that is a migration behind gets it, and keeps its data."""
    async with SqliteDatabase.open(path) as db:
        await db.write(lambda connection: connection.execute("INSERT INTO guilds (guild_id) VALUES (1)").rowcount)
    step = Migration(FIRST + 1, "9999_more.sql", "ALTER TABLE guilds ADD COLUMN more TEXT NOT NULL DEFAULT 'x';")

    for _ in range(2):
        async with SqliteDatabase.open(path, migrations=(*bundled(), step)) as db:
            assert [tuple(row) for row in await db.read("SELECT guild_id, more FROM guilds")] == [(1, "x")]

    assert query(path, "PRAGMA user_version") == [(FIRST + 1,)]


def test_bundled() -> None:
    """The migrations are numbered without a gap, say why, and leave the transaction to the loader."""
    files = sorted(file.name for file in (resources.files("bot.storage.sqlite") / "migrations").iterdir())

    assert [migration.name for migration in bundled()] == files
    assert [migration.number for migration in bundled()] == list(range(1, len(files) + 1))
    for migration in bundled():
        assert migration.sql.startswith(f"-- {migration.number:04}: ")
        assert not re.search(r"(?im)^\s*(BEGIN\s+(IMMEDIATE|TRANSACTION)|COMMIT|ROLLBACK)\b", migration.sql)


async def test_age_of_an_earlier_database(path: Path) -> None:
    """A database from before it had an id gets one, and is as old as its first audit row."""
    insert = "INSERT INTO audit (guild_id, at, action, subject, detail, digest) VALUES (1, 7, 'x', 'guild', '{}', x'')"
    async with SqliteDatabase.open(path, migrations=bundled()[:4]) as db:
        await db.write(lambda connection: connection.execute(insert).rowcount)

    async with SqliteDatabase.open(path) as db:
        [(database_id, created_at)] = [tuple(row) for row in await db.read("SELECT database_id, created_at FROM desk")]

    assert re.fullmatch("[0-9a-f]{32}", database_id)
    assert created_at == 7


async def test_tables_are_strict(db: SqliteDatabase) -> None:
    """No column takes a value of another type."""
    rows = await db.read("SELECT strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'")

    assert {row["strict"] for row in rows} == {1}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET actor = 'x'",
        "UPDATE audit SET detail = '{}' WHERE id = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ],
)
async def test_audit_is_append_only(db: SqliteDatabase, sql: str) -> None:
    """The database itself refuses to change or delete audit rows."""
    insert = "INSERT INTO audit (guild_id, at, action, subject, detail, digest) VALUES (1, 1, 'x', 'guild', '{}', x'')"
    await db.write(lambda connection: connection.execute(insert).rowcount)
    before = [tuple(row) for row in await db.read("SELECT * FROM audit")]

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await db.write(lambda connection: connection.execute(sql).rowcount)

    assert [tuple(row) for row in await db.read("SELECT * FROM audit")] == before


async def test_grant_without_a_guild(db: SqliteDatabase) -> None:
    """Nothing is granted in a guild that is not stored."""
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await db.write(lambda connection: connection.execute("INSERT INTO grants VALUES (1, 1, 'resend.own')").rowcount)
