"""What holds between processes: one at a time, and nothing half done after a crash."""

import asyncio
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.errors import DatabaseInUse
from tests.storage.pairs import WITH_PAIRS, pair, whole_pairs
from tests.storage.processes import HOLD, LEFT_OPEN, WRITE_AND_HANG, WRITE_UNTIL_KILLED, line, running


async def test_second_process(path: Path) -> None:
    """A database that another process has open is refused; when that is killed it is free at once."""
    async with running(HOLD, path) as holder:
        assert await line(holder) == "open"

        with pytest.raises(DatabaseInUse) as refused:
            async with Database.open(path):
                pass

        assert refused.value.path.name == path.name
        holder.kill()
        await holder.wait()
        async with Database.open(path) as db:
            await db.verify()


async def test_refused_by_this_one(db: Database, path: Path) -> None:
    """A process that comes second is refused, and the first works on."""
    async with running(HOLD, path) as second:
        assert await line(second) == ""
        assert await second.wait() != 0

    assert await db.read("SELECT 1")


async def test_second_name(db: Database, path: Path) -> None:
    """Another name for the same file is the same database."""
    other_name = path.with_name("other.db")
    other_name.symlink_to(path)

    with pytest.raises(DatabaseInUse):
        async with Database.open(other_name):
            pass

    assert await db.read("SELECT 1")


async def test_killed_inside_a_unit(path: Path) -> None:
    """After a kill in the middle of a unit nothing of it is there, and everything before it is."""
    async with running(WRITE_AND_HANG, path) as writer:
        assert await line(writer) == "half"
        writer.kill()
        await writer.wait()

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert await whole_pairs(db) == set(range(5))
        assert (await db.read("PRAGMA integrity_check"))[0][0] == "ok"
        await db.write(pair(5))


async def test_killed_while_writing(path: Path) -> None:
    """Whatever a killed process had been told was written is there, whole."""
    async with running(WRITE_UNTIL_KILLED, path) as writer:
        told = [await line(writer) for _ in range(40)]
        writer.kill()
        await writer.wait()

    async with Database.open(path, migrations=WITH_PAIRS) as db:
        assert {int(n) for n in told} <= await whole_pairs(db)


async def test_left_open(path: Path) -> None:
    """A program that ends without closing its database ends all the same."""
    async with running(LEFT_OPEN, path) as careless:
        assert await line(careless) == "1"
        async with asyncio.timeout(30):
            assert await careless.wait() == 0
