"""A desk moves between the engines whole, or not at all, and only one of the two databases can be started."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.config import Database
from bot.domain.audit import VIEWS_KEPT_FOR, AuditAction, AuditEntry, ChainReport, views_removed_before
from bot.domain.shards import ShardGroup
from bot.exit_codes import ExitCode
from bot.migration import run_migrate
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.errors import DatabaseChanged, DatabaseMoved, ServerEmpty, ServerMoved
from bot.storage.postgres.admission import open_admitted as open_admitted_server
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.maintenance import transfer as postgres_side
from bot.storage.postgres.workers import PostgresWorkers
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.lock import locked
from bot.storage.sqlite.maintenance.admission import open_admitted
from bot.storage.sqlite.maintenance.inspection import inspect
from bot.storage.sqlite.maintenance.transfer import SqliteTarget
from bot.storage.sqlite.schema import bundled
from bot.storage.transfer import LEFT_OUT, TABLES, Row
from tests.contracts.samples import BEN, GUILD, LATER, NOW, draft
from tests.storage.audit_logs import varied, written
from tests.storage.databases import CHANGED_LOG, edit, filled, query
from tests.support import postgres

MORE = (
    "INSERT INTO ended_links VALUES (1, 2, 3, 4, NULL)",
    "INSERT INTO sign_ins VALUES ('digest', 1, 1, 9007199254740993)",
    "INSERT INTO sign_in_nonces VALUES ('2026-01-01T00:00:00Z\\tn0nce', 1)",
    "INSERT INTO snapshots VALUES (7, 'id', 1, 1, 'staff', x'00ff5c0a09', '{\"text\": \"back\\\\slash\"}', 1, 2)",
    "INSERT INTO command_syncs VALUES ('scope', 'Ünï ★ ''; --')",
    "INSERT INTO watches VALUES (3, 1, 1, 'mannco', '1', 1, 's', 1, 1, 1, NULL, NULL)",
    "INSERT INTO notes VALUES (5, 1, NULL, 76561198000000011, 1, 'two\nlines', 1)",
    "INSERT INTO notes VALUES (6, 1, 2, NULL, 1, 'deleted', 1)",
    "DELETE FROM notes WHERE id = 6",
    "INSERT INTO error_references VALUES (1, 'later in the alphabet', 1, 1, '{}')",
    "INSERT INTO error_references VALUES (1, 'earlier', 1, 1, '{}')",
)
"""A row in each table that has none, with odd values."""

KILLED = """
import os, signal, sys
from pathlib import Path
from bot.config import Database
from bot.migration import run_migrate
from bot.storage.postgres.maintenance.transfer import PostgresSource, PostgresTarget
from bot.storage.sqlite.maintenance.transfer import SqliteSource, SqliteTarget

path, url, to, when = sys.argv[1:]
def die_after(side, method):
    do = getattr(side, method)
    def die(*arguments):
        do(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(side, method, die)
for side in (PostgresSource, SqliteSource, PostgresTarget, SqliteTarget):
    if hasattr(side, when):
        die_after(side, when)
run_migrate(Database(path=Path(path), url=url), to)
"""
"""Moves a desk, and is killed after a step."""


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database(empty=True) as address:
        yield address


@pytest.fixture
async def desk(path: Path) -> Path:
    """A file with rows in each table, views that were removed, and ids that were given out and deleted."""
    await filled(path)
    await written(path, varied())
    async with open_admitted(path, accepts_new=False, at=NOW) as db:
        year_later = NOW + VIEWS_KEPT_FOR + timedelta(days=31)
        await SqlAuditRepository(db).remove_views(before=views_removed_before(year_later), limit=9, at=year_later)
    edit(path, *MORE, "PRAGMA journal_mode = DELETE")
    return path


def migrate(path: Path, to: str, *, url: str = "") -> ExitCode:
    return run_migrate(Database.model_validate({"path": str(path), "url": url}), to)


def contents(path: Path) -> Mapping[str, list[Row]]:
    """Return all rows; those whose order of saving counts in that order."""
    tables = (*TABLES, "sqlite_sequence")
    rows = {table: query(path, f"SELECT * FROM {table} ORDER BY rowid") for table in tables}  # noqa: S608 -- of TABLES
    return {table: found if table == "error_references" else sorted(found, key=repr) for table, found in rows.items()}


def rows_at(url: str) -> Any:
    """Return the number of rows in PostgreSQL; 0 if there is not even a table."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('desk')").fetchall() == [(None,)]:
            return 0
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES)  # noqa: S608 -- of TABLES


async def start_at(url: str, *, accepts_new: bool = False) -> None:
    async with open_admitted_server(url, accepts_new=accepts_new, at=LATER):
        pass


async def start(path: Path, *, accepts_new: bool = False) -> None:
    async with open_admitted(path, accepts_new=accepts_new, at=LATER):
        pass


async def test_there_and_back(desk: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything comes back as it was, down to the order of saving and the ids not to be given out again.

    Each move leaves one database that can be started.
    """
    before = contents(desk)
    assert all(before.values()), "each table has a row"

    assert migrate(desk, url) == ExitCode.OK
    out = capsys.readouterr().out
    assert "ok open requests: 1 approved, 1 pending, 1 sending, 1 unknown\n" in out
    with pytest.raises(DatabaseMoved, match=r"has moved to PostgreSQL at .*/test_"):
        await start(desk)
    assert postgres.chain_report(url) == inspect(desk).chain
    await start_at(url)

    back = desk.with_name("back.db")
    assert migrate(desk, str(back), url=url) == ExitCode.OK
    with pytest.raises(ServerMoved, match=r"has moved to .*back\.db"):
        await start_at(url)
    assert contents(back) == before
    await start(back)


async def test_goes_on(desk: Path, url: str) -> None:
    """The moved desk goes on with the next ids and the next row of its audit log; no id of before comes again."""
    highest = dict(query(desk, "SELECT * FROM sqlite_sequence"))

    assert migrate(desk, url) == ExitCode.OK

    async with PostgresDatabase.open(url) as db:
        entry = AuditEntry(GUILD, LATER, BEN, AuditAction.RESENDS_PAUSED, "guild")
        row = await SqlAuditRepository(db).append(entry)
        assert row.number == highest["audit"] + 1
        resend = await SqlResendRepository(db, "worker").open(draft(trade_id=99))
        assert resend is not None
        assert resend.id == highest["resends"] + 1
        ((note,),) = await db.read(
            "INSERT INTO notes (guild_id, user_id, author_id, text, at) VALUES (1, 1, 1, '', 1) RETURNING id"
        )
        assert note == highest["notes"] + 1
    assert postgres.chain_report(url).fault is None


async def test_every_table(path: Path, url: str) -> None:
    """Each table and column of either engine is copied, or is left out for a reason."""
    await start(path)
    await start_at(url, accepts_new=True)
    columns = {
        (table, column)
        for (table,) in query(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (column,) in query(path, f"SELECT name FROM pragma_table_info('{table}')")  # noqa: S608 -- of the schema
    }
    with psycopg.connect(url) as connection:
        there = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        ).fetchall()
    copied = {(table, column) for table, column in columns if table in TABLES and f"{table}.{column}" not in LEFT_OUT}

    for table, column in {*columns, *there} - copied:
        assert table in LEFT_OUT or f"{table}.{column}" in LEFT_OUT, f"{table}.{column} is not copied"
    assert copied <= set(there)
    assert {table for table, _ in copied} == set(TABLES)


@pytest.mark.parametrize("when", ["set_last_ids", "mark"])
@pytest.mark.parametrize("is_back", [False, True])
async def test_killed(desk: Path, url: str, when: str, *, is_back: bool) -> None:
    """A move that is killed leaves the target empty and the source whole; the next one finishes it.

    Killed right before the copy counts, neither of the two can be started.
    """
    back = desk.with_name("back.db")
    line = [str(desk), "", url]
    if is_back:
        assert migrate(desk, url) == ExitCode.OK
        line = [str(desk), url, str(back)]
    before = rows_at(url)

    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, *line, when], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert rows_at(url) == before
    if when == "mark":
        with pytest.raises(ServerMoved if is_back else ServerEmpty):
            await start_at(url)
        with pytest.raises(DatabaseChanged if is_back else DatabaseMoved):
            await start(back if is_back else desk)
    assert migrate(desk, line[2], url=line[1]) == ExitCode.OK
    if is_back:
        await start(back)
    else:
        await start_at(url)
        assert rows_at(url) > 0


async def test_not_the_same(
    desk: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a row of the copy is not the same, the copy is undone and the desk stays where it is."""
    add = postgres_side.PostgresTarget.add

    def change(target: Any, table: str, columns: Any, rows: Any) -> None:
        add(target, table, columns, rows)
        if table == "links":
            target.execute("UPDATE links SET linked_by = linked_by + 1")

    monkeypatch.setattr(postgres_side.PostgresTarget, "add", change)

    assert migrate(desk, url) == ExitCode.DATA

    assert "links: 1 rows were read, 1 are in the copy, and they are not the same" in capsys.readouterr().err
    assert rows_at(url) == 0
    await start(desk)


class TestRefused:
    """A refusal says why in one line, and changes nothing."""

    @pytest.fixture
    def refused(self, desk: Path, url: str, capsys: pytest.CaptureFixture[str]) -> Any:
        def refused(to: str = url, *, code: ExitCode, url: str = "") -> str:
            before = desk.read_bytes()
            assert migrate(desk, to, url=url) == code
            assert desk.read_bytes() == before
            out, err = capsys.readouterr()
            assert out == ""
            assert err.count("\n") == 1
            return err

        return refused

    async def test_not_empty(self, refused: Any, url: str) -> None:
        await start_at(url, accepts_new=True)
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO guilds (guild_id) VALUES (1)")
        assert "is not empty: it has rows in guilds (1)" in refused(code=ExitCode.DATA)

    async def test_running(self, desk: Path, refused: Any) -> None:
        with locked(desk):
            assert "stop it first" in refused(code=ExitCode.DATABASE_IN_USE)

    async def test_earlier_schema(self, desk: Path, refused: Any, url: str) -> None:
        with closing(sqlite3.connect(desk)) as connection:
            connection.execute("ALTER TABLE desk DROP COLUMN moved_to")
            connection.execute(f"PRAGMA user_version = {len(bundled()) - 1}")
        assert "Start this SkinDesk on it once" in refused(code=ExitCode.DATA)

    async def test_later_schema_on_postgres(self, refused: Any, url: str) -> None:
        await start_at(url, accepts_new=True)
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO skindesk_migrations (number, name) VALUES (9999, 'later')")
        assert "Move it with the version it has" in refused("back.db", code=ExitCode.DATA, url=url)

    async def test_changed_log(self, desk: Path, refused: Any) -> None:
        edit(desk, *CHANGED_LOG)
        assert "row 2 of the audit log" in refused(code=ExitCode.DATA)

    async def test_no_server(self, refused: Any) -> None:
        """The server's answer is shown, the password is not."""
        err = refused("postgresql://desk:hunter2hunter2@127.0.0.1:1/desk", code=ExitCode.UNAVAILABLE)
        assert "127.0.0.1:1/desk" in err
        assert "hunter2" not in err

    async def test_not_understood(self, refused: Any) -> None:
        """What libpq does not understand is not quoted: it may be a part of the password."""
        assert "hunter" not in refused("postgresql://u:%zzhunter@h/n", code=ExitCode.CONFIG)

    @pytest.mark.parametrize(
        "to", ["mysql://u:hunter2@h/n", "postgresql://u:hunter2@h", "postgresql://u:hun@ter2@h/n", "", "other.db"]
    )
    async def test_address(self, refused: Any, to: str) -> None:
        err = refused(to, code=ExitCode.USAGE)
        assert "hun" not in err
        assert "ter2" not in err

    async def test_back_onto_itself(self, desk: Path, refused: Any, url: str) -> None:
        """PostgreSQL is the source once it is configured."""
        assert "database.url is set" in refused(url, code=ExitCode.USAGE, url=url)


@pytest.mark.parametrize("is_back", [True, False])
async def test_living_process(desk: Path, url: str, capsys: pytest.CaptureFixture[str], *, is_back: bool) -> None:
    """Neither side may have a process that works on it."""
    if is_back:
        assert migrate(desk, url) == ExitCode.OK
    async with PostgresDatabase.open(url) as db, PostgresWorkers.among("other", db, url, ShardGroup(0, 0, 1)):
        line = (desk.with_name("back.db"), str(desk.with_name("back.db")), url) if is_back else (desk, url, "")
        code = await asyncio.to_thread(lambda: migrate(line[0], line[1], url=line[2]))

    assert code == ExitCode.DATABASE_IN_USE
    assert "stop" in capsys.readouterr().err


async def test_start_meanwhile(desk: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start during the move waits for its end, and is refused then."""
    assert migrate(desk, url) == ExitCode.OK
    chain = SqliteTarget.chain
    loop = asyncio.get_running_loop()
    starts = []

    def start_and_check(target: SqliteTarget) -> ChainReport:
        starts.append(asyncio.run_coroutine_threadsafe(start_at(url), loop))
        with pytest.raises(TimeoutError):
            starts[0].result(timeout=0.5)
        return chain(target)

    monkeypatch.setattr(SqliteTarget, "chain", start_and_check)
    back = str(desk.with_name("back.db"))
    assert await asyncio.to_thread(lambda: migrate(desk, back, url=url)) == ExitCode.OK

    with pytest.raises(ServerMoved):
        await asyncio.wrap_future(starts[0])


async def test_process_that_hung(desk: Path, url: str) -> None:
    """A process that hung while the desk moved is never alive again: it begins no resend."""
    assert migrate(desk, url) == ExitCode.OK
    async with PostgresDatabase.open(url) as db:
        assert migrate(desk, str(desk.with_name("back.db")), url=url) == ExitCode.OK

        async with PostgresWorkers.among("hung", db, url, ShardGroup(0, 0, 1)) as workers:
            assert not workers.is_alive


async def test_twice(desk: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A desk that has moved is not moved again, neither there nor elsewhere."""
    assert migrate(desk, url) == ExitCode.OK

    assert migrate(desk, url) == ExitCode.DATA
    assert "already, whole: start SkinDesk there" in capsys.readouterr().err
    with postgres.database(empty=True) as other:
        assert migrate(desk, other) == ExitCode.DATA
        assert "has moved from" in capsys.readouterr().err
        assert rows_at(other) == 0

    back, again = desk.with_name("back.db"), desk.with_name("again.db")
    assert migrate(desk, str(back), url=url) == ExitCode.OK
    assert migrate(desk, str(again), url=url) == ExitCode.DATA
    assert (back.exists(), again.exists()) == (True, False)


async def test_go_on_with_the_former_file(desk: Path, url: str) -> None:
    """The operator may go on with the former file, as after a restore: what is open there may have been sent."""
    assert migrate(desk, url) == ExitCode.OK

    await start(desk, accepts_new=True)

    assert query(desk, "SELECT count(*) FROM resends WHERE state IN ('pending', 'approved', 'sending')") == [(0,)]
    await start(desk)


@pytest.mark.parametrize("missing", ["", "import sys; sys.modules['psycopg'] = None; "])
async def test_command(desk: Path, url: str, missing: str) -> None:
    """The command reads the address from stdin, shows no password, and says which extra it needs."""
    program = f"{missing}from bot.__main__ import run; run()"
    config = desk.with_name("config.toml")
    config.write_text(f'database.path = "{desk}"')
    line = [sys.executable, "-c", program, "migrate", "--to", "-", "--config", str(config)]

    ended = await asyncio.to_thread(subprocess.run, line, input=f"{url}\n", capture_output=True, text=True, check=False)

    assert postgres.PASSWORD not in ended.stdout + ended.stderr
    if missing:
        assert (ended.returncode, ended.stdout) == (ExitCode.CONFIG, "")
        assert "pip install 'skindesk[postgres]'" in ended.stderr
        await start(desk)
    else:
        assert (ended.returncode, ended.stderr) == (ExitCode.OK, "")
        assert rows_at(url) > 0
