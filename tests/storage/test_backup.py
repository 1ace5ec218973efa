"""A backup is whole, verified and private, or it does not exist."""

import asyncio
import errno
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.storage.errors import BackupNotWritten, DatabaseTooNew, DatabaseUnusable
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import MAX_KEPT, back_up, keep_before_migration
from bot.storage.sqlite.maintenance.inspection import inspect, reading
from bot.storage.sqlite.schema import bundled
from tests.contracts.samples import NOW
from tests.storage.databases import CHANGED_LOG, TRADES, WRITE, edit, filled, names, query, states
from tests.storage.pairs import WITH_PAIRS
from tests.storage.processes import line, running

NEWEST = len(bundled())

SAVE_WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.errors import BackupNotWritten
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    back_up(Path(sys.argv[1]), Path(sys.argv[2]))
except BackupNotWritten as error:
    print(error.reason)
"""


@pytest.fixture
async def saved(path: Path) -> Path:
    """A closed database."""
    await filled(path)
    return path


def test_contents(saved: Path, tmp_path: Path):
    """A backup holds every row, is private, and leaves no other file."""
    before = names(saved.parent)

    made = back_up(saved, tmp_path / "copy.db")

    assert states(made.path) == {trade: state.value for state, trade in TRADES.items()}
    assert made.version == NEWEST
    assert made.rows == query(saved, "SELECT count(*) FROM audit")[0][0]
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert names(saved.parent) == before | {"copy.db"}


def test_into_a_folder(saved: Path, tmp_path: Path):
    """In a folder a backup gets a dated name, a different one even within a second."""
    folder = tmp_path / "backups"
    folder.mkdir()

    back_up(saved, folder, at=NOW)
    back_up(saved, folder, at=NOW)

    assert names(folder) == {"desk-20260329T005959Z.db", "desk-20260329T005959Z.db-2"}


def test_nothing_is_overwritten(saved: Path, tmp_path: Path):
    """An existing file is not overwritten, not even the database itself."""
    other = tmp_path / "notes.txt"
    other.write_text("keep me")

    for there in (other, saved):
        before = there.read_bytes()
        with pytest.raises(BackupNotWritten):
            back_up(saved, there)
        assert there.read_bytes() == before


def test_unfinished_journal(path: Path, tmp_path: Path):
    """The journal of a killed process is in the backup."""

    async def main() -> int:
        async with running(WRITE, path) as writer:
            written = int(await line(writer))
            writer.kill()
            await writer.wait()
        return written

    written = asyncio.run(main())

    assert path.with_name("desk.db-wal").stat().st_size
    assert back_up(path, tmp_path / "copy.db").rows >= written


async def test_under_load(saved: Path, tmp_path: Path):
    """A backup during many writes a second is one snapshot and passes every check."""
    async with running(WRITE, saved) as writer:
        await line(writer)
        loop = asyncio.get_running_loop()
        began, written, copies = loop.time(), 0, []
        for n in range(5):
            written = int(await line(writer))
            copies.append((written, await asyncio.to_thread(back_up, saved, tmp_path / f"{n}.db")))
        while loop.time() - began < 0.5:
            written = int(await line(writer))
        rate = written / (loop.time() - began)

    assert rate > 20
    for written, copy in copies:
        found = inspect(copy.path)
        assert (found.damage, found.orphans, found.is_too_new) == ((), (), False)
        assert found.chain is not None
        assert found.chain.fault is None
        numbers = [row[0] for row in query(copy.path, "SELECT id FROM audit ORDER BY id")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= written


@pytest.mark.parametrize("what", ["damaged", "text", "other", "empty", "cut"])
def test_nothing_sound_to_copy(saved: Path, tmp_path: Path, what: str):
    """An unsound file is not copied, and nothing is left of the attempt."""
    match what:
        case "damaged":
            pages = bytearray(saved.read_bytes())
            pages[20_480:32_768] = b"\xa5" * 12_288
            saved.write_bytes(pages)
        case "text":
            saved.write_bytes(b"the notes of last week's meeting\n" * 40)
        case "other":
            saved.unlink()
            edit(saved, "CREATE TABLE bookmarks (url TEXT)")
        case "empty":
            saved.write_bytes(b"")
        case "cut":
            saved.write_bytes(saved.read_bytes()[:-5000])
    before = names(tmp_path)

    with pytest.raises(DatabaseUnusable) as refused:
        back_up(saved, tmp_path / "copy.db")

    assert refused.value.path == saved
    assert names(tmp_path) == before


def test_later_schema(saved: Path, tmp_path: Path):
    edit(saved, f"PRAGMA user_version = {NEWEST + 1}")

    with pytest.raises(DatabaseTooNew):
        back_up(saved, tmp_path / "copy.db")


def test_rows_that_refer_to_none(saved: Path, tmp_path: Path):
    """A copy that SQLite can read but SkinDesk cannot rely on is kept under another name."""
    edit(saved, "PRAGMA foreign_keys = OFF", "DELETE FROM guilds")

    with pytest.raises(DatabaseUnusable, match=r"grants.*copy\.db\.unverified"):
        back_up(saved, tmp_path / "copy.db")

    assert names(tmp_path) >= {"copy.db.unverified"}
    assert "copy.db" not in names(tmp_path)


def test_changed_log(saved: Path, tmp_path: Path):
    """A changed audit row is named, and the copy is kept under another name."""
    edit(saved, *CHANGED_LOG)

    with pytest.raises(DatabaseUnusable, match=r"row 2 of the audit log.*copy\.db\.unverified"):
        back_up(saved, tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


async def test_read_while_in_use(saved: Path):
    """A reader sees the writes of a running process, even if its journal was empty at first."""
    async with SqliteDatabase.open(saved) as db:
        with reading(saved) as (connection, in_use):
            assert in_use
            await db.write(lambda writer: writer.execute("INSERT INTO sign_in_nonces VALUES ('new', 1)").rowcount)
            assert connection.execute("SELECT nonce FROM sign_in_nonces").fetchall() == [("new",)]


def test_no_folder(saved: Path, tmp_path: Path):
    with pytest.raises(BackupNotWritten) as refused:
        back_up(saved, tmp_path / "none" / "copy.db")

    assert refused.value.reason == "No such file or directory"


def test_no_room(saved: Path, tmp_path: Path):
    """Without room the reason is given, and no partial copy is left."""
    before = names(tmp_path)
    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", SAVE_WITH_LITTLE_ROOM, saved, tmp_path / "copy.db"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ended.stdout.strip() in ("disk I/O error", "database or disk is full")
    assert names(tmp_path) == before


class TestBeforeMigrations:
    async def test_kept(self, path: Path):
        """Before the first missing migration a copy with the old schema is kept."""
        async with SqliteDatabase.open(path):
            pass

        async with SqliteDatabase.open(path, migrations=WITH_PAIRS, before_migration=keep_before_migration):
            pass

        [kept] = [name for name in names(path.parent) if ".before-" in name]
        assert kept.startswith(f"desk.db.before-{NEWEST + 1:04}-")
        assert query(path.with_name(kept), "PRAGMA user_version") == [(NEWEST,)]
        assert query(path, "PRAGMA user_version") == [(NEWEST + 1,)]

    @pytest.mark.parametrize("opened", [0, 1])
    async def test_none_without_need(self, path: Path, opened: int):
        """A new database, and one with the newest schema, is not copied."""
        for _ in range(opened + 1):
            async with SqliteDatabase.open(path, before_migration=keep_before_migration):
                pass

        assert names(path.parent) == {"desk.db", "desk.db.lock"}

    async def test_refused_without(self, path: Path, monkeypatch: pytest.MonkeyPatch):
        """If the copy cannot be written, nothing is migrated."""
        async with SqliteDatabase.open(path):
            pass
        # A really full disk would be full for pytest, too.
        monkeypatch.setattr("os.link", _no_room)
        monkeypatch.setattr(Path, "rename", _no_room)

        with pytest.raises(BackupNotWritten) as refused:
            async with SqliteDatabase.open(path, migrations=WITH_PAIRS, before_migration=keep_before_migration):
                pass

        assert refused.value.reason == "No space left on device"
        assert query(path, "PRAGMA user_version") == [(NEWEST,)]
        assert {name for name in names(path.parent) if "before" in name} == set()

    async def test_start_cancelled(self, path: Path):
        """A start that is cancelled does not wait for the copy."""
        copying, cancelled = threading.Event(), threading.Event()
        waited: list[bool] = []

        def copy(*_: object) -> None:
            copying.set()
            waited.append(cancelled.wait(5.0))

        async def start() -> None:
            async with SqliteDatabase.open(path, migrations=WITH_PAIRS, before_migration=copy):
                pass

        async with SqliteDatabase.open(path):
            pass
        starting = asyncio.create_task(start())
        await asyncio.to_thread(copying.wait)
        starting.cancel()
        await asyncio.wait({starting})
        cancelled.set()

        assert starting.cancelled()
        assert waited in ([], [True])
        assert query(path, "PRAGMA user_version") == [(NEWEST,)]

    async def test_bound(self, path: Path):
        """The newest five are kept, at most two of one migration."""
        await filled(path)
        for year in range(2000, 2004):
            keep_before_migration(path, year - 1995, at=NOW.replace(year=year))
        for day in range(1, 8):
            keep_before_migration(path, 9, at=NOW.replace(day=day))

        kept = sorted(name for name in names(path.parent) if ".before-" in name)
        assert len(kept) == MAX_KEPT
        assert [name.split("-")[1] for name in kept] == ["0006", "0007", "0008", "0009", "0009"]
        assert kept[-1] == "desk.db.before-0009-20260307T005959Z"


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
