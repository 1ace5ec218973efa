"""``backup --keep`` deletes the oldest copies of this database, and no other file."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from bot.storage.database import from_ms
from bot.storage.maintenance import Identity
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.sqlite.maintenance.copies import delete_oldest, newest_copy
from bot.storage.sqlite.schema import bundled
from tests.contracts.samples import NOW
from tests.storage.databases import edit, filled, names


@pytest.fixture
async def folder(path: Path, tmp_path: Path) -> Path:
    """A folder with four copies of the database, of which the last was made while the clock was a year late."""
    await filled(path)
    folder = tmp_path / "copies"
    folder.mkdir()
    for days in (0, 1, 2, -365):
        back_up(path, folder, at=NOW + timedelta(days=days))
    return folder


def deleted(path: Path, folder: Path, keep: int) -> list[str]:
    made = back_up(path, folder, at=NOW - timedelta(days=365))
    assert made.identity is not None
    return [each.name for each in delete_oldest(path, made.identity, made.path, keep)]


def test_oldest(path: Path, folder: Path):
    """As many as asked for are left; the new copy is one of them, even if the clock went back."""
    assert deleted(path, folder, 9) == []
    assert deleted(path, folder, 3) == [
        "desk-20250329T005959Z.db", "desk-20250329T005959Z.db-2", "desk-20260329T005959Z.db",
    ]  # fmt: skip
    assert names(folder) == {"desk-20250329T005959Z.db-3", "desk-20260330T005959Z.db", "desk-20260331T005959Z.db"}

    assert deleted(path, folder, 1) == [
        "desk-20250329T005959Z.db-3", "desk-20260330T005959Z.db", "desk-20260331T005959Z.db",
    ]  # fmt: skip


async def test_other_files(path: Path, folder: Path, tmp_path: Path):
    """Other names, links, unreadable files and copies of another database stay."""
    (tmp_path / "other").mkdir()
    await filled(tmp_path / "other" / "desk.db")
    back_up(tmp_path / "other" / "desk.db", folder, at=NOW - timedelta(days=9))
    (folder / "desk-20200101T000000Z.db").write_text("not a copy")
    (folder / "desk-20200102T000000Z.db").symlink_to(folder / "desk-20260329T005959Z.db")
    (folder / "desk-20200103T000000Z.db").mkdir()
    edit(folder / "desk-20200104T000000Z.db", "CREATE TABLE bookmarks (url TEXT)")
    for name in ("friday.db", "desk-20200105T000000Z.db.unverified", "desk-20200105T000000Z.sqlite"):
        shutil.copy(folder / "desk-20260329T005959Z.db", folder / name)
    others = names(folder) - {path.name for path in folder.glob("desk-202[56]*")} | {"desk-20260320T005959Z.db"}

    assert len(deleted(path, folder, 1)) == 4

    assert names(folder) == others | {"desk-20250329T005959Z.db-2"}


async def test_copies_without_an_id(path: Path, tmp_path: Path):
    """A copy from before databases had an id belongs to the database with the same first audit row."""
    copies = [tmp_path / "desk-20200101T000000Z.db", tmp_path / "desk-20200102T000000Z.db"]
    for at, copy in enumerate(copies):
        async with SqliteDatabase.open(copy, migrations=bundled()[:4]):
            pass
        columns = "(guild_id, at, action, subject, detail, digest)"
        edit(copy, f"INSERT INTO audit {columns} VALUES (1, {at}, 'x', 'guild', '{{}}', x'')")  # noqa: S608 -- a test's own values

    assert delete_oldest(path, Identity("0" * 32, from_ms(1)), tmp_path / "desk-20260101T000000Z.db", 1) == copies[1:]


def test_newest(path: Path, folder: Path):
    """A copy that is no good is not offered again; without any, one that SkinDesk keeps beside the file is."""
    newest = folder / "desk-20260331T005959Z.db"
    assert newest_copy(path, besides=folder / "desk-20260329T005959Z.db") == newest
    assert newest_copy(path, besides=newest) == folder / "desk-20260330T005959Z.db"

    assert newest_copy(path) is None
    for name in ("desk.db.before-0005-20260101T000000Z", "desk.db.replaced-20260102T000000Z", "desk.db.replaced-later"):
        path.with_name(name).touch()
    assert newest_copy(path) == path.with_name("desk.db.replaced-20260102T000000Z")
