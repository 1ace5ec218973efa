"""A start takes no new or other database for the desk's, unless the operator says so."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.resends import ResendPause
from bot.storage.errors import DatabaseChanged, DatabaseUnusable
from bot.storage.grants import SqlGrantRepository
from bot.storage.guild_settings import SqlPauseRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.lock import lock_of, remembered
from bot.storage.sqlite.maintenance.admission import open_admitted
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.sqlite.maintenance.record import BackupRecord, last_backup, note_backup
from bot.storage.sqlite.maintenance.restore import restore
from bot.storage.sqlite.schema import bundled
from tests.contracts.samples import GUILD, LATER, NOW, draft
from tests.storage.databases import edit, filled, names, query

HIGHEST = "SELECT seq FROM sqlite_sequence WHERE name = 'resends'"


async def start(path: Path, *, accepts_new: bool = False) -> None:
    async with open_admitted(path, accepts_new=accepts_new, at=LATER):
        pass


async def pauses(path: Path) -> list[int]:
    """Return the guilds whose resends are paused, after a command was used in GUILD."""
    async with open_admitted(path, accepts_new=False, at=LATER) as db:
        await SqlGrantRepository(db, now=lambda: LATER).of_guild(GUILD)
    return [guild_id for (guild_id,) in query(path, "SELECT guild_id FROM guilds WHERE resends_paused_at IS NOT NULL")]


@pytest.fixture
async def used(path: Path) -> Path:
    """A database with data that was started before."""
    await filled(path)
    await start(path)
    return path


async def deleted(path: Path) -> None:
    path.unlink()


async def deleted_by_an_earlier_version(path: Path) -> None:
    """Its lock file has no content."""
    path.unlink()
    lock_of(path).write_bytes(b"")


async def deleted_but_its_copy(path: Path) -> None:
    shutil.copy(path, path.with_name("desk.db.replaced-20260101T000000Z"))
    path.unlink()
    lock_of(path).unlink()


async def deleted_but_its_journal(path: Path) -> None:
    path.unlink()
    lock_of(path).unlink()
    path.with_name("desk.db-wal").write_bytes(b"what was written last")


async def emptied(path: Path) -> None:
    path.write_bytes(b"")


async def replaced_by_a_new_one(path: Path) -> None:
    path.unlink()
    async with SqliteDatabase.open(path):
        pass


async def replaced_and_only_the_record_left(path: Path) -> None:
    note_backup(path, BackupRecord(NOW, path.with_name("copies") / "copy.db", "0" * 32))
    lock_of(path).unlink()


async def moved(path: Path) -> None:
    edit(path, "UPDATE desk SET moved_to = 'PostgreSQL, db:5432/desk'", "PRAGMA journal_mode = DELETE")


async def younger_than_its_backup(path: Path) -> None:
    """The backup was made before databases had ids."""
    note_backup(path, BackupRecord(NOW - timedelta(days=1), path.with_name("copy.db")))
    lock_of(path).write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (deleted, "is gone"),
        (deleted_by_an_earlier_version, "is gone"),
        (deleted_but_its_copy, "is gone"),
        (deleted_but_its_journal, "is gone"),
        (emptied, "is empty, but held data before"),
        (replaced_by_a_new_one, "is another database than the one used here before"),
        (replaced_and_only_the_record_left, "is another database than the one used here before"),
        (younger_than_its_backup, "is another database than the one used here before"),
        (moved, "has moved to PostgreSQL, db:5432/desk"),
    ],
)
async def test_changed(used: Path, change: Callable[[Path], Awaitable[None]], reason: str):
    """The start is refused and changes nothing; once accepted, nothing that was sent before is sent again."""
    [(highest,)] = query(used, HIGHEST)
    await change(used)
    before = {path.name: path.read_bytes() for path in used.parent.iterdir() if path != lock_of(used)}

    with pytest.raises(DatabaseChanged) as refused:
        await start(used)

    assert refused.value.reason == reason
    assert {path.name: path.read_bytes() for path in used.parent.iterdir() if path != lock_of(used)} == before

    await start(used, accepts_new=True)

    assert await pauses(used) == [GUILD]
    async with SqliteDatabase.open(used) as db:
        await SqlPauseRepository(db).resume(GUILD, ResendPause(GUILD, LATER).number, by=1, at=LATER)
        new = await SqlResendRepository(db, "worker").open(draft(trade_id=10))
        assert new is not None
        assert new.id > highest, "the buttons of old cards never mean a new request"
    assert await pauses(used) == [], "each server is stopped once"
    kept = {name for name in names(used.parent) if name.endswith("-wal")}
    assert kept == ({name for name in kept if "replaced" in name} if "desk.db-wal" in before else set())
    assert bool(kept) == ("desk.db-wal" in before)


async def test_first_start(path: Path):
    """A first start needs no decision, also if it was interrupted after it made its files, and pauses nothing."""
    lock_of(path).write_bytes(b"none yet\n")
    path.touch()

    await start(path)

    assert await pauses(path) == []


async def test_upgrade(path: Path):
    """A database of an earlier version is taken as it is, and remembered from then on."""
    async with SqliteDatabase.open(path, migrations=bundled()[:4]):
        pass
    lock_of(path).write_bytes(b"")

    await start(path)

    assert remembered(path) == frozenset(query(path, "SELECT database_id FROM desk")[0])


async def test_accepted_without_need(used: Path):
    """The flag does nothing to the database that was there before."""
    await start(used, accepts_new=True)

    assert await pauses(used) == []


async def test_new_machine(path: Path):
    """An empty start that the operator calls new is stopped too, even if nothing here knows of a database before."""
    await start(path, accepts_new=True)

    assert await pauses(path) == [GUILD]


async def test_restored(used: Path, tmp_path: Path):
    """A restored copy is the same desk; a copy of another desk is accepted, because restoring is a decision."""
    copy = back_up(used, tmp_path / "copy.db").path
    [identity] = query(used, "SELECT database_id FROM desk")
    await restore(copy, used, at=LATER)
    await start(used)
    assert query(used, "SELECT database_id FROM desk") == [identity]

    (tmp_path / "other").mkdir()
    await filled(tmp_path / "other" / "desk.db")
    await restore(tmp_path / "other" / "desk.db", used, at=LATER)
    assert remembered(used) == frozenset(query(used, "SELECT database_id FROM desk")[0]), "and no longer the former one"
    await start(used)
    assert query(used, "SELECT database_id FROM desk") != [identity]


async def test_servers_unknown_to_a_restored_copy(path: Path, tmp_path: Path):
    """A server that first appears after a restore is stopped too: its data may have been lost."""
    async with SqliteDatabase.open(path):
        pass
    copy = back_up(path, tmp_path / "copy.db").path
    path.unlink()

    await restore(copy, path, at=LATER)

    assert await pauses(path) == [GUILD]


class TestRecord:
    def test_kept(self, path: Path):
        """The record tells when and where the last backup was made, to everyone who may enter the folder."""
        assert last_backup(path) is None
        record = BackupRecord(NOW, path.with_name("c\udce4py.db"), "0" * 32)

        note_backup(path, replaced := BackupRecord(LATER, path, None))
        assert last_backup(path) == replaced
        note_backup(path, record)

        assert last_backup(path) == record
        assert path.with_name("desk.db.backups").stat().st_mode & 0o777 == 0o644
        assert names(path.parent) == {"desk.db.backups"}

    def test_planted_link(self, path: Path):
        """A link in its place is neither followed nor read: root writes the record into another user's folder."""
        target = path.with_name("shadow")
        target.write_text('{"at": "2026-01-01T00:00:00+00:00", "path": "x", "database_id": null}')
        path.with_name("desk.db.backups").symlink_to(target)
        before = target.read_bytes()

        assert last_backup(path) is None
        note_backup(path, BackupRecord(NOW, path))

        assert target.read_bytes() == before
        assert not path.with_name("desk.db.backups").is_symlink()

    @pytest.mark.parametrize(
        "content", ["", "[]", "{", '{"at": "2026-01-01", "path": "x", "database_id": null}', "[" * 9_000]
    )
    def test_unreadable(self, path: Path, content: str):
        path.with_name("desk.db.backups").write_text(content)

        assert last_backup(path) is None


async def test_planted_lock(path: Path, tmp_path: Path):
    """A link in the place of the lock file is not followed."""
    lock_of(path).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DatabaseUnusable, match="symbolic links"):
        await start(path)

    assert not (tmp_path / "elsewhere").exists()
