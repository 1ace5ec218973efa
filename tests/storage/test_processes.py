"""One process at a time has a database, and a crash leaves nothing half done."""

import asyncio
from pathlib import Path

import pytest

from bot.storage.errors import DatabaseInUse
from bot.storage.sqlite.database import SqliteDatabase
from tests.storage.pairs import WITH_PAIRS, whole_pairs
from tests.storage.processes import HOLD, LEFT_OPEN, WRITE_UNTIL_KILLED, line, running


async def test_second_process(path: Path) -> None:
    """A database that another process has open is refused; when that is killed it is free at once."""
    async with running(HOLD, path) as holder:
        assert await line(holder) == "open"

        with pytest.raises(DatabaseInUse) as refused:
            async with SqliteDatabase.open(path):
                pass

        assert refused.value.path.name == path.name
        holder.kill()
        await holder.wait()
        async with SqliteDatabase.open(path):
            pass


async def test_second_name(db: SqliteDatabase, path: Path) -> None:
    """Another name for the same file is the same database."""
    other_name = path.with_name("other.db")
    other_name.symlink_to(path)

    with pytest.raises(DatabaseInUse):
        async with SqliteDatabase.open(other_name):
            pass

    assert await db.read("SELECT 1")


async def test_killed_while_writing(path: Path) -> None:
    """After a kill everything that was confirmed to fifty callers is there, and nothing is half there."""
    async with running(WRITE_UNTIL_KILLED, path) as writer:
        answered = [int(await line(writer)) for _ in range(300)]
        writer.kill()
        await writer.wait()
        assert writer.stdout is not None
        answered += [int(number) for number in (await writer.stdout.read()).split(b"\n")[:-1]]

    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as db:
        assert set(answered) <= await whole_pairs(db)
        assert (await db.read("PRAGMA integrity_check"))[0][0] == "ok"


async def test_left_open(path: Path) -> None:
    """A program that does not close its database ends anyway."""
    async with running(LEFT_OPEN, path) as program:
        assert await line(program) == "1"
        async with asyncio.timeout(30):
            assert await program.wait() == 0
