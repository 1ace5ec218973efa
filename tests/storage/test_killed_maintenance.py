"""A backup, a restore or a start that is killed leaves the old state or the new one."""

import asyncio
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import back_up, keep_before_migration
from bot.storage.sqlite.maintenance.inspection import inspect
from bot.storage.sqlite.schema import bundled
from tests.storage.databases import filled, names, query
from tests.storage.pairs import WITH_PAIRS

MARK = "INSERT INTO sign_in_nonces VALUES ('of the newer state', 1)"

ROUNDS = 16
# Forked for each round: starting Python takes most of a second.
FORKED = """
import asyncio, os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from bot.storage.sqlite.maintenance.backup import back_up, keep_before_migration
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.restore import restore
from tests.storage.pairs import WITH_PAIRS

async def opened(path):
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS, before_migration=keep_before_migration):
        pass

def work(command, path, other):
    match command:
        case "backup":
            back_up(path, other)
        case "restore":
            asyncio.run(restore(other, path, at=datetime.now(UTC)))
        case "open":
            asyncio.run(opened(path))

for line in sys.stdin:
    command, path, other, after = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        try:
            work(command, Path(path), Path(other))
        except Exception:
            os._exit(1)
        os._exit(0)
    if after:
        time.sleep(float(after))
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forking:
    """Runs commands in processes that can be killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._random = Random(1)  # noqa: S311 -- repeatable, not secret
        self._latest = 0.08

    async def run(self, command: str, path: Path, other: Path, *, killed_after: float | None = None) -> int:
        """Run a command and return the exit code, -9 if it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        after = "" if killed_after is None else str(killed_after)
        self._process.stdin.write(f"{command}\t{path}\t{other}\t{after}\n".encode())
        return int(await self._process.stdout.readline())

    async def killed(self, command: str, path: Path, other: Path) -> int:
        """Run a command and kill it at a random moment, up to a little after its end."""
        code = await self.run(command, path, other, killed_after=self._random.uniform(0, self._latest))
        self._latest *= 0.85 if code == 0 else 1.2
        return code


@asynccontextmanager
async def forking() -> AsyncIterator[Forking]:
    """Start the process that forks, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FORKED, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(60):
            yield Forking(process)
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
async def database(path: Path) -> Path:
    """A database with a mark, and a backup of it from before the mark."""
    await filled(path)
    back_up(path, path.with_name("backup.db"))
    async with SqliteDatabase.open(path) as db:
        await db.write(lambda connection: connection.execute(MARK).rowcount)
    return path


def is_old(path: Path) -> bool:
    """Return whether it is the old state, after checking that it is whole."""
    found = inspect(path)
    assert (found.damage, found.orphans, found.version) == ((), (), len(bundled()))
    assert found.chain is not None
    assert found.chain.fault is None
    marked = bool(query(path, "SELECT 1 FROM sign_in_nonces"))
    [(in_doubt,)] = query(path, "SELECT count(*) FROM resends WHERE state IN ('pending', 'approved', 'sending')")
    assert (marked, in_doubt) in ((True, 3), (False, 0))
    return marked


async def test_restore(database: Path, tmp_path: Path):
    """The database is the old one or the prepared copy, and the next restore works and tidies up."""
    seen = {True: 0, False: 0}
    async with forking() as program:
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            folder.mkdir()
            shutil.copy(database, folder / "desk.db")
            code = await program.killed("restore", folder / "desk.db", database.with_name("backup.db"))
            assert code in (0, -signal.SIGKILL)
            seen[is_old(folder / "desk.db")] += 1
            if code != 0:
                await program.run("restore", folder / "desk.db", database.with_name("backup.db"))
                assert not is_old(folder / "desk.db")
                assert not [name for name in names(folder) if name.startswith(".")]

    assert min(seen.values()) > 0


async def test_backup(database: Path, tmp_path: Path):
    """The copy does not exist, or it is whole and verified."""
    seen = {True: 0, False: 0}
    async with forking() as program:
        for number in range(ROUNDS):
            copy = tmp_path / f"copy-{number}.db"
            code = await program.killed("backup", database, copy)
            seen[copy.exists()] += 1
            if copy.exists():
                assert is_old(copy)
            else:
                assert code == -signal.SIGKILL
            assert is_old(database)

    assert min(seen.values()) > 0


async def test_migration(tmp_path: Path):
    """A start that is killed during the copy or the migration can be repeated, and the copy is whole."""
    old = tmp_path / "old.db"
    async with SqliteDatabase.open(old):
        pass
    killed = 0
    async with forking() as program:
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = folder / "desk.db"
            shutil.copy(old, path)
            killed += await program.killed("open", path, old) != 0
            async with SqliteDatabase.open(path, migrations=WITH_PAIRS, before_migration=keep_before_migration):
                pass
            kept = [name for name in names(folder) if "before" in name]
            assert kept
            for name in kept:
                assert inspect(folder / name).damage == ()

    assert killed > 0
