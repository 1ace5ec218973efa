"""A restore puts a sound copy in the place of the database, or changes nothing, and nothing is sent twice after it."""

import asyncio
import os
import shutil
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.resends import Outcome, ResendPause, ResendState
from bot.storage.errors import BackupNotWritten, DatabaseInUse, DatabaseTooNew, DatabaseUnusable, StorageError
from bot.storage.guild_settings import SqlPauseRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.sqlite.maintenance.inspection import inspect
from bot.storage.sqlite.maintenance.restore import restore
from bot.storage.sqlite.schema import bundled
from tests.contracts.samples import GUILD, LATER, NOW, OTHER_GUILD, draft
from tests.storage.databases import CHANGED_LOG, TRADES, WRITE, edit, filled, names, query, states
from tests.storage.pairs import WITH_PAIRS
from tests.storage.processes import HOLD, line, running

IN_DOUBT = (ResendState.PENDING, ResendState.APPROVED, ResendState.SENDING)


@pytest.fixture
async def backup(path: Path, tmp_path: Path) -> Path:
    """A backup of a database that was used afterwards."""
    await filled(path)
    return back_up(path, tmp_path / "backup.db").path


async def test_open_requests(path: Path, backup: Path):
    """Open requests of the backup may have been sent since: they become unknown, with audit rows."""
    rows = len(query(backup, "SELECT id FROM audit"))

    restored = await restore(backup, path, at=LATER)

    assert restored.prepared.in_doubt == len(IN_DOUBT)
    assert states(path) == {trade: "unknown" if state in IN_DOUBT else state.value for state, trade in TRADES.items()}
    added = query(path, "SELECT action, detail FROM audit ORDER BY id")[rows:]
    assert [action for action, _ in added] == ["resend.unknown"] * len(IN_DOUBT) + ["resends.paused"]
    for state, (_, detail) in zip(IN_DOUBT, added, strict=False):
        assert f'"was": "{state.value}"' in str(detail)
    async with SqliteDatabase.open(path) as db:
        for resend in await SqlResendRepository(db, "worker").all_open():
            if resend.trade_id in [TRADES[state] for state in IN_DOUBT]:
                assert (resend.outcome, resend.settle_after) == (Outcome.RESTORED, LATER)


async def test_resends_are_paused(path: Path, backup: Path):
    """Later requests are not in the backup: every guild is paused, even one that only the replaced database has."""
    async with SqliteDatabase.open(path) as db:
        await SqlResendRepository(db, "worker").open(replace(draft(trade_id=9), guild_id=OTHER_GUILD))

    restored = await restore(backup, path, at=LATER)

    assert restored.prepared.guilds_paused == 2
    async with SqliteDatabase.open(path) as db:
        for guild_id in (GUILD, OTHER_GUILD):
            assert await SqlPauseRepository(db).of_guild(guild_id) == ResendPause(guild_id, LATER)
            assert await SqlResendRepository(db, "worker").open(replace(draft(trade_id=10), guild_id=guild_id)) is None
        await SqlPauseRepository(db).resume(GUILD, ResendPause(GUILD, LATER).number, by=1, at=LATER)
        assert await SqlResendRepository(db, "worker").open(draft(trade_id=10)) is not None


async def test_paused_before(path: Path, backup: Path):
    """A pause in the backup gets a new number: a user who saw the old one does not know about the restore."""
    edit(backup, "UPDATE guilds SET resends_paused_at = 1, resends_paused_by = 2, resends_paused_for = 3")

    await restore(backup, path, at=LATER)

    async with SqliteDatabase.open(path) as db:
        assert await SqlPauseRepository(db).of_guild(GUILD) == ResendPause(GUILD, LATER, resend_id=3)
        assert not await SqlPauseRepository(db).resume(GUILD, 1, by=1, at=LATER)


@pytest.mark.parametrize("is_replaced", [True, False])
async def test_old_cards(path: Path, backup: Path, is_replaced: bool):  # noqa: FBT001 -- a case of the test
    """A card posted after the backup never refers to a request made after the restore."""
    async with SqliteDatabase.open(path) as db:
        lost = await SqlResendRepository(db, "worker").open(draft(trade_id=9))
        assert lost is not None
    if not is_replaced:
        path.unlink()

    await restore(backup, path, at=LATER)

    async with SqliteDatabase.open(path) as db:
        await SqlPauseRepository(db).resume(GUILD, ResendPause(GUILD, LATER).number, by=1, at=LATER)
        new = await SqlResendRepository(db, "worker").open(draft(trade_id=10))
        assert new is not None
        assert new.id > lost.id


async def test_sign_ins_end(path: Path, backup: Path):
    """Sign-ins in progress end: they may have been used since."""
    edit(backup, "INSERT INTO sign_ins VALUES ('digest', 1, 1, 1000000000000000)")

    await restore(backup, path, at=LATER)

    assert query(path, "SELECT * FROM sign_ins") == []


async def test_commands_are_synced_again(path: Path, backup: Path):
    """Another version may have synced other commands since the backup."""
    edit(backup, "INSERT INTO command_syncs VALUES ('scope', 'digest')")

    await restore(backup, path, at=LATER)

    assert query(path, "SELECT * FROM command_syncs") == []


async def test_replaced_is_kept(path: Path, backup: Path):
    """The replaced database is kept whole, with its journal folded in, and private."""
    async with running(WRITE, path) as writer:
        added = int(await line(writer))
        writer.kill()
        await writer.wait()
    assert path.with_name("desk.db-wal").stat().st_size

    restored = await restore(backup, path, at=NOW)

    assert restored.replaced == path.with_name("desk.db.replaced-20260329T005959Z")
    assert len(query(restored.replaced, "SELECT id FROM audit WHERE guild_id = 7")) >= added
    assert query(path, "SELECT id FROM audit WHERE guild_id = 7") == []
    assert stat.S_IMODE(restored.replaced.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == {"desk.db", "desk.db.lock", "backup.db", restored.replaced.name}


async def test_nothing_there(tmp_path: Path, backup: Path):
    """On a new machine nothing is replaced."""
    elsewhere = tmp_path / "new"
    elsewhere.mkdir()

    restored = await restore(backup, elsewhere / "desk.db", at=LATER)

    assert restored.replaced is None
    assert names(elsewhere) == {"desk.db", "desk.db.lock"}


async def test_older_schema(path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch):
    """A backup of an older schema is migrated."""
    for module in ("database", "maintenance.inspection"):
        monkeypatch.setattr(f"bot.storage.sqlite.{module}.bundled", lambda: WITH_PAIRS)

    restored = await restore(backup, path, at=LATER)

    assert (restored.migrated_from, restored.version) == (len(bundled()), len(WITH_PAIRS))
    assert query(path, "SELECT * FROM pairs") == []


@pytest.mark.parametrize("replaced", [b"", b"no database\n" * 400, None])
async def test_unreadable_database(path: Path, backup: Path, replaced: bytes | None):
    """An unreadable database is replaced, and its remains are kept."""
    edit(path, "PRAGMA journal_mode = WAL")
    if replaced is None:
        pages = bytearray(path.read_bytes())
        pages[4096:] = b"\xa5" * (len(pages) - 4096)
        replaced = bytes(pages)
    path.write_bytes(replaced)
    path.with_name("desk.db-wal").write_bytes(b"a journal of something else")

    restored = await restore(backup, path, at=LATER)

    assert inspect(path).damage == ()
    assert not path.with_name("desk.db-wal").exists()
    if replaced:
        assert restored.replaced is not None
        assert restored.replaced.read_bytes()[4096:] == replaced[4096:]


class TestRefused:
    """A refusal leaves the database unchanged, and no other file."""

    async def refused(self, backup: Path, path: Path) -> StorageError:
        before, content = names(path.parent), path.read_bytes() if path.exists() else None
        with pytest.raises(StorageError) as refused:
            await restore(backup, path, at=LATER)
        assert names(path.parent) | {"desk.db.lock"} == before | {"desk.db.lock"}
        assert (path.read_bytes() if path.exists() else None) == content
        return refused.value

    async def test_running(self, path: Path, backup: Path):
        async with running(HOLD, path) as holder:
            assert await line(holder) == "open"
            assert isinstance(await self.refused_while_open(backup, path), DatabaseInUse)

    async def refused_while_open(self, backup: Path, path: Path) -> StorageError:
        with pytest.raises(StorageError) as refused:
            await restore(backup, path, at=LATER)
        return refused.value

    async def test_open_in_another_program(self, path: Path, backup: Path):
        """A transaction of another program prevents the restore."""
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO guilds (guild_id) VALUES (5)")
        assert isinstance(await self.refused_while_open(backup, path), DatabaseInUse)
        other.execute("COMMIT")
        other.close()
        assert (5,) in query(path, "SELECT guild_id FROM guilds")

    async def test_later_schema(self, path: Path, backup: Path):
        edit(backup, f"PRAGMA user_version = {len(bundled()) + 1}")
        assert isinstance(await self.refused(backup, path), DatabaseTooNew)

    async def test_damaged(self, path: Path, backup: Path):
        pages = bytearray(backup.read_bytes())
        pages[20_480:32_768] = b"\xa5" * 12_288
        backup.write_bytes(pages)
        refusal = await self.refused(backup, path)
        assert isinstance(refusal, DatabaseUnusable)
        assert refusal.path == backup

    async def test_changed_log(self, path: Path, backup: Path):
        """A changed audit row in the backup is named."""
        edit(backup, *CHANGED_LOG)
        refusal = await self.refused(backup, path)
        assert isinstance(refusal, DatabaseUnusable)
        assert refusal.path == backup
        assert "row 2 of the audit log" in refusal.reason

    async def test_other_program(self, path: Path, tmp_path: Path):
        other = tmp_path / "bookmarks.db"
        edit(other, "CREATE TABLE bookmarks (url TEXT)")
        refusal = await self.refused(other, path)
        assert isinstance(refusal, DatabaseUnusable)
        assert refusal.path == other

    async def test_over_other_program(self, path: Path, backup: Path):
        """Another program's database is not replaced."""
        path.unlink()
        edit(path, "CREATE TABLE bookmarks (url TEXT)")
        refusal = await self.refused(backup, path)
        assert isinstance(refusal, DatabaseUnusable)
        assert refusal.path == path

    async def test_itself(self, path: Path, backup: Path, tmp_path: Path):
        """A database is not replaced by itself, under another name either."""
        await filled(tmp_path / "x.db")
        os.link(path, tmp_path / "same.db")
        assert isinstance(await self.refused(tmp_path / "same.db", path), DatabaseUnusable)

    async def test_unknown_capability(self, path: Path, backup: Path):
        edit(backup, "INSERT INTO grants SELECT guild_id, 2, 'inventory.all' FROM guilds")
        assert "inventory.all" in str(await self.refused(backup, path))

    async def test_no_folder(self, backup: Path, tmp_path: Path):
        assert isinstance(await self.refused_while_open(backup, tmp_path / "none" / "desk.db"), DatabaseUnusable)

    async def test_no_room(self, path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch):
        def no_room(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("bot.storage.sqlite.maintenance.restore.copy_into", no_room)
        assert isinstance(await self.refused(backup, path), BackupNotWritten)


async def test_again(path: Path, backup: Path):
    """A restore can be repeated, from the same backup or from the replaced database."""
    first = await restore(backup, path, at=NOW)
    assert first.replaced is not None
    await restore(backup, path, at=LATER)
    back = await restore(first.replaced, path, at=LATER)

    assert back.replaced is not None
    assert len([name for name in names(path.parent) if ".replaced-" in name]) == 3


async def test_after_a_killed_one(path: Path, backup: Path):
    """The next restore removes the files of a killed one, and the database's second name."""
    for left in (".desk.db.restoring", ".desk.db.restoring-wal", ".desk.db.restoring.lock"):
        shutil.copy(backup, path.with_name(left))
    os.link(path, path.with_name("desk.db.replaced-20200101T000000Z"))

    restored = await restore(backup, path, at=LATER)

    assert restored.replaced is not None
    assert names(path.parent) == {"desk.db", "desk.db.lock", "backup.db", restored.replaced.name}


async def test_two_at_once(path: Path, backup: Path):
    """Of two concurrent restores one is refused."""
    ended = await asyncio.gather(
        restore(backup, path, at=LATER), restore(backup, path, at=LATER), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in ended) == ["DatabaseInUse", "Restored"]
    assert inspect(path).damage == ()
