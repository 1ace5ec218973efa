"""The guard of a database: what stops it, what heals, and how often the file is probed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.storage.sqlite import guard
from bot.storage.sqlite.database import SqliteDatabase
from tests.storage.pairs import WITH_PAIRS, Gate, locked_by_another, pair, whole_pairs


@pytest.fixture
async def db(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase.open(path, migrations=WITH_PAIRS) as opened:
        yield opened


async def refusal(db: SqliteDatabase, n: int = 1) -> tuple[DatabaseFault, bool]:
    """Return the fault of a write that fails, and whether it may be done all the same."""
    with pytest.raises(DatabaseUnavailable) as raised:
        await db.write(pair(n))
    return raised.value.fault, raised.value.may_be_done


async def test_moved_away_and_back(db: SqliteDatabase, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is read or written while the file is away; once the same file is back, all of it works again."""
    caplog.set_level(logging.INFO)
    away = path.rename(path.with_name("away"))
    assert await refusal(db) == (DatabaseFault.MISSING, False)
    with pytest.raises(DatabaseUnavailable):
        await db.read_inline("SELECT 1")
    assert (await db.guard.check()).since is not None
    away.rename(path)

    assert (await db.guard.check()).fault is None
    assert await db.write(pair(2)) == 2
    assert await whole_pairs(db) == {2}
    assert db.guard.write_failures == 1
    assert [message.rsplit(" ", 1)[0] for message in caplog.messages] == [
        "database unavailable fault=missing",
        "database available again fault=missing",
    ]


async def test_deleted_during_a_transaction(db: SqliteDatabase, path: Path) -> None:
    """A job that was committed into a deleted file is not reported as done, nor as not done."""
    gate = Gate(1)
    writing = asyncio.create_task(db.write(gate))
    await gate.reached.wait()
    path.unlink()
    gate.open()

    with pytest.raises(DatabaseUnavailable) as raised:
        await writing

    assert (raised.value.fault, raised.value.may_be_done) == (DatabaseFault.MISSING, True)


async def test_fails_after_a_change(db: SqliteDatabase, path: Path) -> None:
    """Who has changed something before does not learn that nothing was changed; others do."""
    await db.write(pair(1))
    path.unlink()

    assert await refusal(db, 2) == (DatabaseFault.MISSING, True)
    assert await asyncio.create_task(refusal(db, 3)) == (DatabaseFault.MISSING, False)


async def test_probes_are_rare(db: SqliteDatabase) -> None:
    """However often the health is asked for, one probe is made."""
    statements: list[str] = []
    db._writer.set_trace_callback(statements.append)

    found = [*await asyncio.gather(*(db.guard.check() for _ in range(50))), await db.guard.check()]

    assert {each.fault for each in found} == {None}
    assert sum(statement.startswith("UPDATE desk") for statement in statements) == 1


async def test_no_answer(db: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe ends in time while another process has the database locked; the next one finds that it works."""
    monkeypatch.setattr(guard, "ANSWERS_WITHIN", 0.2)
    with locked_by_another(path):
        assert (await db.guard.check()).fault is DatabaseFault.NO_ANSWER
        if (probing := db.guard._probing) is not None:
            await asyncio.wait({probing})
    monkeypatch.setattr(guard, "PROBE_EVERY", 0.0)

    assert (await db.guard.check()).fault is None
