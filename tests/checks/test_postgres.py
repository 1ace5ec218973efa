"""The checks of a PostgreSQL database, which change nothing, whether SkinDesk runs or not."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bot.checks.findings import Channels, DatabaseChecked, Level
from bot.checks.postgres import check_postgres
from bot.storage.postgres.database import PostgresDatabase
from tests.contracts.samples import GUILD
from tests.storage.databases import fill
from tests.support import postgres

SOUND = ("database", "database.tls", "database.connections", "database.schema", "database.grants", "database.audit")

UNKNOWN_GRANT = "INSERT INTO guilds (guild_id) VALUES (1); INSERT INTO grants VALUES (1, 2, 'x.all')"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", postgres.search_path())


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


def change(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def levels(checked: DatabaseChecked) -> dict[str, Level]:
    return {finding.id: finding.level for finding in checked.findings}


def said(checked: DatabaseChecked, finding_id: str) -> str:
    [line] = [finding.line() for finding in checked.findings if finding.id == finding_id]
    return line


async def test_sound(url: str):
    """A sound database has no problem but that the tests' server does not sync; the processes on it are named."""
    async with PostgresDatabase.open(url) as db:
        await fill(db)
    assert "run now: none" in said(check_postgres(url, offline=False), "database")
    change(url, "INSERT INTO workers (id, shards, may_lead, takes_commands) VALUES ('a', '0-3/8', true, true)")

    checked = check_postgres(url, offline=False)

    assert levels(checked) == dict.fromkeys(SOUND, Level.OK) | {"database.durability": Level.PROBLEM}
    assert "run now: 1 (shards 0-3/8)" in said(checked, "database")
    assert checked.is_running
    assert checked.channels == (Channels(GUILD, None, None),)


@pytest.mark.parametrize(
    ("statement", "wrong", "words"),
    [
        ("INSERT INTO skindesk_migrations (number, name) VALUES (9999, 'later')", "database.schema", "later SkinDesk"),
        (UNKNOWN_GRANT, "database.grants", "x.all"),
        ("INSERT INTO sequences VALUES ('audit', 9)", "database.audit", "row 1 (cut_off)"),
        ("UPDATE desk SET moved_to = 'elsewhere'", "database.identity", "moved to elsewhere"),
        ("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "database.schema", "--new-database"),
        ("DROP TABLE skindesk_migrations", "database.schema", "another program"),
    ],
)
def test_wrong(url: str, statement: str, wrong: str, words: str):
    change(url, statement)

    checked = check_postgres(url, offline=False)

    assert levels(checked)[wrong] is Level.PROBLEM
    assert words in said(checked, wrong)


def test_read_only(url: str):
    """A server that takes no writes, as a standby does, is a problem; a limit of connections that is too low, too."""
    name = conninfo_to_dict(url)["dbname"]
    change(url, f"ALTER DATABASE {name} CONNECTION LIMIT 3")
    change(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    found = levels(check_postgres(url, offline=False))

    assert (found["database.read_only"], found["database.connections"]) == (Level.PROBLEM, Level.PROBLEM)


def test_unreachable():
    """A server that does not answer is no mistake here. The password is in no finding."""
    checked = check_postgres("postgresql://desk:hunter2hunter2@127.0.0.1:1/desk", offline=False)

    [finding] = checked.findings
    assert finding.is_unreachable
    assert "hunter2" not in finding.line()


@pytest.mark.parametrize(
    ("address", "level", "words"),
    [
        ("localhost/desk", Level.OK, "on this machine"),
        ("db.example.com/desk", Level.WARNING, "sslmode=prefer"),
        ("db.example.com/desk?sslmode=require", Level.WARNING, "need not prove"),
        ("db.example.com/desk?sslmode=verify-full", Level.OK, "proves who it is"),
    ],
)
def test_offline(address: str, level: Level, words: str):
    """Without the network nothing is connected to; what the address says of encryption is checked."""
    checked = check_postgres(f"postgresql://desk:hunter2hunter2@{address}", offline=True)

    assert levels(checked) == {"database": Level.WARNING, "database.tls": level}
    assert words in said(checked, "database.tls")
