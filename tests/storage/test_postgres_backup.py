"""A backup of a PostgreSQL database is verified, or does not exist; a restore sends nothing twice."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.resends import Outcome, ResendPause, ResendState
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.errors import (
    BackupNotWritten,
    DatabaseTooNew,
    DatabaseUnusable,
    ProgramMissing,
    ServerInUse,
    ServerUnreachable,
    ServerUnusable,
    StorageError,
    UnknownCapability,
)
from bot.storage.guild_settings import SqlPauseRepository
from bot.storage.maintenance import Prepared
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.maintenance import backup as backups
from bot.storage.postgres.maintenance.backup import back_up
from bot.storage.postgres.maintenance.engine import PostgresMaintenance
from bot.storage.postgres.maintenance.programs import run
from bot.storage.postgres.maintenance.restore import accept_recovered, restore
from bot.storage.postgres.schema import Migration, bundled, created_by
from bot.storage.resends import SqlResendRepository
from tests.contracts.samples import GUILD, LATER, NOW, OTHER_GUILD, draft
from tests.storage.databases import TRADES, fill, names
from tests.storage.processes import line, running
from tests.support import postgres

IN_DOUBT = (ResendState.PENDING, ResendState.APPROVED, ResendState.SENDING)

CHANGE_LOG = "ALTER TABLE audit DISABLE TRIGGER USER; UPDATE audit SET at = at + 1 WHERE id = 2"


CREATED = {
    "TABLE": "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    "VIEW": "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace",
    "FUNCTION": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}

RESTORE_AND_WAIT = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from bot.storage.postgres.maintenance import restore

def wait(*_):
    print("prepared", flush=True)
    time.sleep(600)

restore._require_sound = wait
restore.restore(Path(sys.argv[1]), {url!r}, at=datetime.now(UTC))
"""


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", postgres.search_path())


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture
async def desk(url: str) -> str:
    """The address of a database with data, which no process uses."""
    async with PostgresDatabase.open(url) as db:
        await fill(db)
    return url


@pytest.fixture
def dump(desk: str, tmp_path: Path) -> Path:
    return back_up(desk, tmp_path / "copy.dump").path


def query(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return [] if cursor.description is None else cursor.fetchall()


def states(url: str) -> dict[int, str]:
    return dict(query(url, "SELECT trade_id, state FROM resends ORDER BY id"))


def settled(state: ResendState) -> str:
    """Return the state of a request after a restore."""
    return "unknown" if state in IN_DOUBT else state.value


def put_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@asynccontextmanager
async def repositories(url: str) -> AsyncIterator[tuple[SqlResendRepository, SqlPauseRepository]]:
    async with PostgresDatabase.open(url) as db:
        yield SqlResendRepository(db, "worker"), SqlPauseRepository(db)


class TestBackup:
    async def test_under_load(self, desk: str, tmp_path: Path):
        """A backup during writes is one moment: private, every row as it was, and readable by pg_restore alone."""
        entry = AuditEntry(7, NOW, 8, AuditAction.INVENTORY_VIEWED, "user:9", {"text": "a\tb\\c\n\N{SNOWMAN}"})
        async with PostgresDatabase.open(desk) as db:

            async def write() -> None:
                while True:
                    await SqlAuditRepository(db).append(entry)

            writing = asyncio.create_task(write())
            await asyncio.sleep(0.1)
            made = await asyncio.to_thread(back_up, desk, tmp_path / "copy.dump")
            writing.cancel()

        assert made.rows < len(query(desk, "SELECT id FROM audit"))
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
        assert names(tmp_path) == {"copy.dump"}
        with postgres.database(empty=True) as elsewhere:
            assert (await asyncio.to_thread(restore, made.path, elsewhere, at=LATER)).version == len(bundled())
            assert len(query(elsewhere, "SELECT id FROM audit WHERE guild_id = 7")) >= made.rows - len(TRADES) * 5

    def test_keep(self, desk: str, tmp_path: Path):
        """In a folder a backup gets a dated name; only the oldest copies of the same database are deleted."""
        with postgres.database() as other:
            query(other, "UPDATE desk SET database_id = 'other'")
            foreign = back_up(other, tmp_path, at=NOW).path
        foreign = foreign.rename(tmp_path / f"{backups.stem_of(desk)}-20200101T000000Z.dump")
        for day in (1, 2):
            back_up(desk, tmp_path, at=NOW.replace(day=day))
        newest = back_up(desk, tmp_path, at=NOW.replace(day=3))

        [deleted] = PostgresMaintenance(desk).delete_oldest(newest, 2) or [tmp_path]

        assert "0301T" in deleted.name
        assert len(names(tmp_path)) == 3
        assert foreign.exists()

    def test_changed_log(self, desk: str, tmp_path: Path):
        """A changed audit row is named, and the copy is kept under another name."""
        query(desk, CHANGE_LOG)

        with pytest.raises(ServerUnusable, match=r"row 2 of the audit log.*copy\.dump\.unverified"):
            back_up(desk, tmp_path / "copy.dump")

        assert names(tmp_path) == {"copy.dump.unverified"}

    def test_compared(self, desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """A file that lacks one row of the database does not become a backup."""

        def lose(program: str, arguments: list[str], *, url: str) -> None:
            query(url, "DELETE FROM links")
            run(program, [each for each in arguments if not each.startswith("--snapshot")], url=url)

        monkeypatch.setattr(backups, "run", lose)

        with pytest.raises(BackupNotWritten, match="links"):
            back_up(desk, tmp_path / "copy.dump")

        assert names(tmp_path) == set()

    def test_not_ours(self, tmp_path: Path):
        with postgres.database(empty=True) as address, pytest.raises(ServerUnusable, match="no tables of SkinDesk"):
            back_up(address, tmp_path / "copy.dump")

    @pytest.mark.parametrize("version", ["13.1", None])
    def test_program(self, desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None):
        """A program that is missing, or older than the server, is named."""
        folder = tmp_path / "bin"
        if version is not None:
            put_program(folder, "pg_dump", f"echo 'pg_dump (PostgreSQL) {version}'")
        monkeypatch.setenv("PATH", str(folder))

        with pytest.raises(ProgramMissing) as refused:
            back_up(desk, tmp_path / "copy.dump")

        assert (refused.value.program, refused.value.found) == ("pg_dump", 13 if version else None)

    def test_password(self, desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """The password is in the program's environment only, and is masked in what the program says."""
        folder = tmp_path / "bin"
        script = 'test "$1" = --version && echo "pg_dump (PostgreSQL) 99" || { echo "$@ $PGPASSWORD" >&2; exit 1; }'
        put_program(folder, "pg_dump", script)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

        with pytest.raises(BackupNotWritten) as refused:
            back_up(f"{desk}&password=hunter2hunter2", tmp_path / "copy.dump")

        assert refused.value.reason.endswith(" ••••")
        assert "hunter2" not in str(refused.value)

    def test_unreachable(self, tmp_path: Path):
        with pytest.raises(ServerUnreachable):
            back_up("postgresql://desk@127.0.0.1:1/desk", tmp_path / "copy.dump")


def test_names(url: str):
    """What a restore drops by name is everything that the migrations have created."""
    for kind, created in CREATED.items():
        assert {name for (name,) in query(url, created)} == set(created_by(bundled(), kind))


class TestRestore:
    async def test_nothing_is_sent_twice(self, desk: str, dump: Path):
        """Open requests become unknown, resends are paused in every guild, and no request's number is used again."""
        rows = len(query(desk, "SELECT id FROM audit"))
        async with repositories(desk) as (resends, _):
            lost = await resends.open(replace(draft(trade_id=9), guild_id=OTHER_GUILD))
            assert lost is not None
        query(desk, "INSERT INTO sign_ins VALUES ('digest', 1, 1, 1000000000000000)")

        restored = await asyncio.to_thread(restore, dump, desk, at=LATER)

        assert restored.prepared == Prepared(len(IN_DOUBT), 2)
        assert states(desk) == {
            trade: "unknown" if state in IN_DOUBT else state.value for state, trade in TRADES.items()
        }
        added = [action for (action,) in query(desk, "SELECT action FROM audit ORDER BY id")][rows:]
        assert added == ["resend.unknown"] * len(IN_DOUBT) + ["resends.paused"] * 2
        assert query(desk, "SELECT * FROM sign_ins") == []
        async with repositories(desk) as (resends, pauses):
            for resend in await resends.all_open():
                if resend.trade_id in [TRADES[state] for state in IN_DOUBT]:
                    assert (resend.outcome, resend.settle_after) == (Outcome.RESTORED, LATER)
            for guild_id in (GUILD, OTHER_GUILD):
                assert await pauses.of_guild(guild_id) == ResendPause(guild_id, LATER)
            await pauses.resume(GUILD, ResendPause(GUILD, LATER).number, by=1, at=LATER)
            new = await resends.open(draft(trade_id=10))
            assert new is not None
            assert new.id > lost.id
        assert postgres.chain_report(desk).fault is None

    async def test_replaced_is_kept(self, desk: str, dump: Path):
        """What was there is kept as a dump beside the copy, and can be restored itself."""
        async with repositories(desk) as (resends, _):
            await resends.open(draft(trade_id=9))

        first = await asyncio.to_thread(restore, dump, desk, at=NOW)
        assert first.replaced is not None
        assert 9 not in states(desk)
        await asyncio.to_thread(restore, first.replaced, desk, at=LATER)

        assert states(desk)[9] == "unknown"
        assert stat.S_IMODE(first.replaced.stat().st_mode) == 0o600

    async def test_recovered(self, desk: str):
        """A database that was put back by other means is prepared in its place."""
        highest = query(desk, "SELECT max(id) FROM resends")[0][0]

        assert await asyncio.to_thread(accept_recovered, desk, at=LATER) == Prepared(len(IN_DOUBT), 1)

        async with repositories(desk) as (resends, pauses):
            assert await resends.open(draft(trade_id=9)) is None
            await pauses.resume(GUILD, ResendPause(GUILD, LATER).number, by=1, at=LATER)
            new = await resends.open(draft(trade_id=9))
            assert new is not None
            assert new.id > int(str(highest)) + 1000

    async def test_killed(self, desk: str, dump: Path):
        """A restore that is killed before its end leaves the database as it was; starts and restores go on."""
        before = query(desk, "SELECT * FROM resends ORDER BY id")
        async with running(RESTORE_AND_WAIT.format(url=desk), dump) as restoring:
            assert await line(restoring) == "prepared"
            assert query(desk, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != [(0,)]
            restoring.kill()
            await restoring.wait()

        async with PostgresDatabase.open(desk):
            assert query(desk, "SELECT * FROM resends ORDER BY id") == before
        assert (await asyncio.to_thread(restore, dump, desk, at=LATER)).prepared.in_doubt == len(IN_DOUBT)

    def test_older_schema(self, desk: str, dump: Path, monkeypatch: pytest.MonkeyPatch):
        """A dump of an older schema is upgraded."""
        later = (*bundled(), Migration(len(bundled()) + 1, "0099_pairs.sql", "CREATE TABLE pairs (n bigint)"))
        for module in ("restore", "backup"):
            monkeypatch.setattr(f"bot.storage.postgres.maintenance.{module}.bundled", lambda: later)

        restored = restore(dump, desk, at=LATER)

        assert (restored.migrated_from, restored.version) == (len(bundled()), len(later))
        assert query(desk, "SELECT * FROM pairs") == []


class TestRefused:
    """A refusal leaves the database as it was."""

    def refused(self, dump: Path, url: str) -> StorageError:
        before = query(url, "SELECT count(*) FROM audit")
        with pytest.raises(StorageError) as refused:
            restore(dump, url, at=LATER)
        assert query(url, "SELECT count(*) FROM audit") == before
        return refused.value

    def test_alive(self, desk: str, dump: Path):
        query(desk, "INSERT INTO workers (id, shards, may_lead, takes_commands) VALUES ('a', '0-0/1', true, true)")
        assert isinstance(self.refused(dump, desk), ServerInUse)
        with pytest.raises(ServerInUse):
            accept_recovered(desk, at=LATER)

    @pytest.mark.parametrize("damage", ["cut", "changed", "text"])
    def test_damaged(self, desk: str, dump: Path, damage: str):
        whole = dump.read_bytes()
        middle = len(whole) - 300
        changes = {
            "cut": whole[: len(whole) // 2],
            "changed": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
            "text": b"notes of last week\n" * 100,
        }
        dump.write_bytes(changes[damage])
        assert isinstance(self.refused(dump, desk), DatabaseUnusable)

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            (CHANGE_LOG, DatabaseUnusable),
            ("INSERT INTO skindesk_migrations (number, name) VALUES (9999, 'later')", DatabaseTooNew),
            ("INSERT INTO grants SELECT guild_id, 2, 'inventory.all' FROM guilds", UnknownCapability),
        ],
    )
    def test_contents(self, desk: str, tmp_path: Path, change: str, kind: type[StorageError]):
        """A dump whose log was changed, of a later SkinDesk, or with an unknown capability."""
        with postgres.database() as target:
            query(desk, change)
            with backups.reading(desk) as connection:
                made = backups.dump(connection, desk, tmp_path / "copy.dump", is_judged=False)
            assert isinstance(self.refused(made.path, target), kind)

    def test_in_the_place_of(self, dump: Path):
        """Another program's tables, or views that depend on SkinDesk's, are not dropped."""
        with postgres.database(empty=True) as target:
            query(target, "CREATE TABLE orders (n int)")
            with pytest.raises(ServerUnusable, match="another program"):
                restore(dump, target, at=LATER)
        with postgres.database() as target:
            query(target, "CREATE VIEW newest AS SELECT max(id) FROM audit")
            assert "newest" in str(self.refused(dump, target))
