"""Each migration is applied whole or not at all, and leads to the schema that was reviewed."""

import re
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from bot.domain.links import LinkSource
from bot.domain.resends import ResendState
from bot.storage.database import Database
from bot.storage.errors import DatabaseUnusable
from bot.storage.schema import Migration, bundled

FIRST = len(bundled())


def _things(path: Path) -> set[str]:
    other = sqlite3.connect(path)
    names = {name for (name,) in other.execute("SELECT name FROM sqlite_schema")}
    other.close()
    return names


def _version(path: Path) -> int:
    other = sqlite3.connect(path)
    (version,) = other.execute("PRAGMA user_version").fetchone()
    other.close()
    assert isinstance(version, int)
    return version


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
        async with Database.open(path, migrations=steps):
            pass

    assert _version(path) == FIRST
    assert "extra" not in _things(path)
    assert "resends" in _things(path)
    async with Database.open(path):
        pass


async def test_first_step_that_fails(path: Path) -> None:
    """A first start that fails leaves an empty database, which the next start uses."""
    with pytest.raises(DatabaseUnusable):
        async with Database.open(path, migrations=(Migration(1, "0001_bad.sql", "CREATE TABLE extra (n INT); oops;"),)):
            pass

    assert _version(path) == 0
    assert _things(path) == set()
    async with Database.open(path):
        pass


async def test_step_by_step(path: Path) -> None:
    """A database that is a migration behind gets it, and keeps its data."""
    async with Database.open(path) as db:
        await db.write(lambda connection: connection.execute("INSERT INTO guilds (guild_id) VALUES (1)").rowcount)
    step = Migration(FIRST + 1, "9999_more.sql", "ALTER TABLE guilds ADD COLUMN more TEXT NOT NULL DEFAULT 'x';")

    for _ in range(2):
        async with Database.open(path, migrations=(*bundled(), step)) as db:
            assert [tuple(row) for row in await db.read("SELECT guild_id, more FROM guilds")] == [(1, "x")]

    assert _version(path) == FIRST + 1


def test_bundled() -> None:
    """The migrations are numbered without a gap, say why, and leave the transaction to the loader."""
    files = sorted(file.name for file in (resources.files("bot.storage") / "migrations").iterdir())

    assert [migration.name for migration in bundled()] == files
    assert [migration.number for migration in bundled()] == list(range(1, len(files) + 1))
    for migration in bundled():
        assert migration.sql.startswith(f"-- {migration.number:04}: ")
        assert not re.search(r"(?im)^\s*(BEGIN\s+(IMMEDIATE|TRANSACTION)|COMMIT|ROLLBACK)\b", migration.sql)


async def test_tables_are_strict(db: Database) -> None:
    """No column takes a value of another type."""
    rows = await db.read("SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'")

    assert {row["name"] for row in rows} == {
        "guilds",
        "grants",
        "links",
        "ended_links",
        "sign_ins",
        "sign_in_nonces",
        "resends",
        "snapshots",
        "audit",
        "pseudonyms",
        "command_syncs",
    }
    assert {row["strict"] for row in rows} == {1}


def test_values_of_the_domain() -> None:
    """The values in the schema's constraints are the domain's."""
    sql = bundled()[0].sql
    states = re.search(r"state IN \(([^)]*)\)\n    \)", sql)
    sources = re.search(r"source IN \(([^)]*)\)", sql)
    open_states = re.findall(r"WHERE state IN \(([^)]*)\)", sql)

    assert states is not None
    assert sources is not None
    assert _quoted(states[1]) == set(ResendState)
    assert _quoted(sources[1]) == set(LinkSource)
    assert [_quoted(values) for values in open_states] == [{state for state in ResendState if state.is_open}] * 2


def _quoted(sql: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET actor = 'x'",
        "UPDATE audit SET detail = '{}' WHERE id = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ],
)
async def test_audit_is_append_only(db: Database, sql: str) -> None:
    """The database itself refuses to change or delete audit rows."""
    insert = "INSERT INTO audit (guild_id, at, action, subject, detail, digest) VALUES (1, 1, 'x', 'guild', '{}', x'')"
    await db.write(lambda connection: connection.execute(insert).rowcount)
    before = [tuple(row) for row in await db.read("SELECT * FROM audit")]

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await db.write(lambda connection: connection.execute(sql).rowcount)

    assert [tuple(row) for row in await db.read("SELECT * FROM audit")] == before


async def test_grant_without_a_guild(db: Database) -> None:
    """Nothing is granted in a guild that is not stored."""
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await db.write(lambda connection: connection.execute("INSERT INTO grants VALUES (1, 1, 'resend.own')").rowcount)
