"""The checks of the database, which change nothing, whether SkinDesk runs or not."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.checks.database import check_database
from bot.checks.findings import Channels, DatabaseChecked, Level
from bot.storage.sqlite.schema import bundled
from tests.contracts.samples import GUILD
from tests.storage.databases import CHANGED_LOG, filled, names
from tests.storage.pairs import WITH_PAIRS


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "skindesk.db"
    await filled(path)
    return path


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def levels(checked: DatabaseChecked) -> dict[str, Level]:
    return {finding.id: finding.level for finding in checked.findings}


def test_sound(path: Path):
    """A sound database has no problem; the check writes no file."""
    before = {name: (path.parent / name).stat() for name in names(path.parent)}

    checked = check_database(path)

    assert levels(checked) == dict.fromkeys(
        ("database", "database.schema", "database.integrity", "database.grants", "database.audit"), Level.OK
    )
    assert checked.channels == (Channels(GUILD, None, None),)
    after = {name: (path.parent / name).stat() for name in names(path.parent)}
    assert {n: (s.st_ino, s.st_mtime_ns) for n, s in after.items()} == {
        n: (s.st_ino, s.st_mtime_ns) for n, s in before.items()
    }


@pytest.mark.parametrize(
    ("statements", "wrong", "said"),
    [
        ([f"PRAGMA user_version = {len(bundled()) + 1}"], "database.schema", "later SkinDesk"),
        (["INSERT INTO grants SELECT guild_id, 2, 'inventory.all' FROM guilds"], "database.grants", "inventory.all"),
        (["PRAGMA foreign_keys = OFF", "DELETE FROM guilds"], "database.integrity", "rows of grants refer to none"),
        (list(CHANGED_LOG), "database.audit", "row 2 (changed)"),
    ],
)
def test_wrong(path: Path, statements: list[str], wrong: str, said: str):
    """A database that cannot be started or trusted is a problem with a fix."""
    edit(path, *statements)

    [finding] = [each for each in check_database(path).findings if each.level is not Level.OK]

    assert (finding.id, finding.level) == (wrong, Level.PROBLEM)
    assert said in finding.what
    assert finding.fix


def test_damaged(path: Path):
    """Damage is reported in SQLite's words, on one line."""
    pages = bytearray(path.read_bytes())
    pages[20_480:32_768] = b"\xa5" * 12_288
    path.write_bytes(pages)

    [finding] = [each for each in check_database(path).findings if each.level is not Level.OK]

    assert finding.id in ("database.integrity", "database")
    assert finding.line().isprintable()


@pytest.mark.parametrize("content", [b"the notes of last week's meeting\n" * 40, None])
def test_no_database(path: Path, content: bytes | None):
    """Another file and another program's database are not reported as damage."""
    if content is None:
        path.unlink()
        edit(path, "CREATE TABLE bookmarks (url TEXT)")
    else:
        path.write_bytes(content)

    [finding] = check_database(path).findings

    assert (finding.level, finding.key) == (Level.PROBLEM, "database.path")
    assert ("name another file" in str(finding.fix)) is (content is None)


def test_older_schema(path: Path, monkeypatch: pytest.MonkeyPatch):
    """An older schema is fine: the next start migrates it."""
    monkeypatch.setattr("bot.storage.sqlite.maintenance.inspection.bundled", lambda: WITH_PAIRS)

    checked = check_database(path)

    assert set(levels(checked).values()) == {Level.OK}
    assert any("becomes" in finding.what for finding in checked.findings)


def test_empty(path: Path):
    """An empty file is fine."""
    path.write_bytes(b"")

    assert set(levels(check_database(path)).values()) == {Level.OK}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user(path: Path):
    """Files that root has left in the folder of SkinDesk's user are a problem: the start could not open them."""
    os.chown(path.parent, 12_345, 12_345)
    for name in ("skindesk.db", "skindesk.db.lock"):
        assert levels(check_database(path))["database.owner"] is Level.PROBLEM
        os.chown(path.with_name(name), 12_345, 12_345)

    assert "database.owner" not in levels(check_database(path))
