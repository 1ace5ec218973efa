"""A database that cannot be used is refused with the reason, and left unchanged."""

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from bot.storage.errors import DatabaseTooNew, DatabaseUnusable, StorageError, UnknownCapability
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.schema import bundled
from tests.storage.databases import edit, names


def _opened_and_closed(path: Path, *statements: str) -> None:
    """Open the database, run the statements in one job, and close it."""

    def job(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    async def main() -> None:
        async with SqliteDatabase.open(path) as db:
            await db.write(job)

    asyncio.run(main())


def _refused(path: Path) -> StorageError:
    with pytest.raises(StorageError) as refused:
        _opened_and_closed(path)
    return refused.value


def test_new_file(path: Path) -> None:
    """A new file is private, and closing leaves only it and its lock."""
    _opened_and_closed(path)

    assert names(path.parent) == {"desk.db", "desk.db.lock"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_odd_name(tmp_path: Path) -> None:
    """A path may hold characters that have a meaning in a URI."""
    path = tmp_path / "desk ?mode=ro#1%20é.db"
    _opened_and_closed(path)

    assert path.stat().st_size > 0


def test_opened_again(path: Path) -> None:
    """Everything is there after opening again."""
    _opened_and_closed(path, "INSERT INTO guilds (guild_id) VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        _opened_and_closed(path, "INSERT INTO guilds (guild_id) VALUES (1)")


def test_no_such_folder(tmp_path: Path) -> None:
    refusal = _refused(tmp_path / "missing" / "desk.db")

    assert isinstance(refusal, DatabaseUnusable)
    assert refusal.reason == "No such file or directory"


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert isinstance(_refused(tmp_path), DatabaseUnusable)


def test_no_database(path: Path) -> None:
    """A file that is not a database is not changed."""
    path.write_bytes(b"the notes of last week's meeting\n" * 40)
    before = path.read_bytes()

    refusal = _refused(path)

    assert isinstance(refusal, DatabaseUnusable)
    assert refusal.reason == "file is not a database"
    assert path.read_bytes() == before


def test_database_of_another_program(path: Path) -> None:
    """Another program's database gets no tables."""
    edit(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()

    refusal = _refused(path)

    assert isinstance(refusal, DatabaseUnusable)
    assert refusal.reason == "a database of another program"
    assert path.read_bytes() == before


def test_damaged(path: Path) -> None:
    """Damage is found at the start."""
    _opened_and_closed(
        path,
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 300) "
        "INSERT INTO links (guild_id, user_id, steam_id, source, linked_by, linked_at) "
        "SELECT 1, n, n, 'staff', 1, 1 FROM counted",
    )
    pages = bytearray(path.read_bytes())
    middle = len(pages) // 4096 * 2048
    pages[middle : middle + 12_288] = b"\xa5" * 12_288
    path.write_bytes(pages)

    refusal = _refused(path)

    assert isinstance(refusal, DatabaseUnusable)
    assert refusal.reason


def test_later_schema(path: Path) -> None:
    """A database of a later SkinDesk is refused."""
    _opened_and_closed(path)
    edit(path, f"PRAGMA user_version = {len(bundled()) + 1}")

    refusal = _refused(path)

    assert isinstance(refusal, DatabaseTooNew)
    assert (refusal.found, refusal.newest) == (len(bundled()) + 1, len(bundled()))


def test_unknown_capability(path: Path) -> None:
    """A grant with an unknown capability stops the start and is named."""
    _opened_and_closed(path)
    edit(
        path,
        "INSERT INTO guilds (guild_id, seeded_at) VALUES (1, 1)",
        "INSERT INTO grants VALUES (1, 2, 'resend.approve')",
        "INSERT INTO grants VALUES (1, 2, 'inventory.all')",
    )

    refusal = _refused(path)

    assert isinstance(refusal, UnknownCapability)
    assert refusal.capabilities == ("inventory.all",)


def test_usable_after_a_refusal(path: Path) -> None:
    """A refused start holds no lock: once the reason is gone the next one works."""
    path.write_bytes(b"not a database, but as long as the header of one would be: " * 4)
    _refused(path)
    path.unlink()

    _opened_and_closed(path)
