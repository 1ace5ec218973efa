"""Old views leave the audit log, and the check still finds every other change."""

import os
import random
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import VIEWS, VIEWS_KEPT_FOR, AuditAction, AuditEntry, ChainReport, views_removed_before
from bot.storage.audit.log import SqlAuditRepository, append, remove_views
from bot.storage.database import to_ms
from bot.storage.sqlite.audit_check import check
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.backup import back_up
from bot.storage.sqlite.maintenance.inspection import inspect, reading
from bot.storage.sqlite.maintenance.restore import restore
from bot.storage.sqlite.schema import bundled, migrate
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, GUILD, NOW, OTHER_GUILD
from tests.storage.audit_logs import by_hand, fault_of, varied, written
from tests.storage.databases import query

YEAR_LATER = NOW + VIEWS_KEPT_FOR + timedelta(days=31)
BEFORE = views_removed_before(YEAR_LATER)
VIEW = AuditEntry(GUILD, NOW, BEN, AuditAction.TRADES_VIEWED, f"user:{ADA}", {"steam_id": str(ADAS_ACCOUNT)})
DECISION = AuditEntry(GUILD, NOW, BEN, AuditAction.RESEND_DENIED, "resend:7", {"requester": str(ADA)})


async def removed(path: Path, *, limit: int = 1_000) -> int:
    """Remove the views of more than a year before YEAR_LATER."""
    async with SqliteDatabase.open(path) as db:
        return await remove(db, limit=limit)


async def remove(db: SqliteDatabase, *, limit: int = 1_000) -> int:
    return await SqlAuditRepository(db).remove_views(before=BEFORE, limit=limit, at=YEAR_LATER)


@pytest.fixture
async def log(path: Path) -> Path:
    """A log of old entries of every kind, without its old views."""
    await written(path, varied())
    while await removed(path, limit=5):
        pass
    return path


async def test_old_views(path: Path) -> None:
    """All old views go, no matter who wrote them, and nothing else; each guild has a row that says so."""
    await written(path, [*varied(), replace(VIEW, at=YEAR_LATER - VIEWS_KEPT_FOR)])
    before = query(path, "SELECT * FROM audit ORDER BY id")
    views = [row for row in before if row[4] in VIEWS][:-1]

    assert await removed(path) == len(views)

    assert query(path, "SELECT * FROM audit ORDER BY id")[:-2] == [row for row in before if row not in views]
    rows = query(path, "SELECT guild_id, at, actor, action, json_extract(detail, '$.views') FROM audit WHERE id > 61")
    told = [(guild, to_ms(YEAR_LATER), None, "views.removed") for guild in (GUILD, OTHER_GUILD)]
    assert sorted(row[:4] for row in rows) == sorted(told)
    assert sum(int(row[4]) for row in rows) == len(views)
    assert inspect(path).chain == ChainReport(63 - len(views), removed=len(views))
    assert await removed(path) == 0


@pytest.mark.parametrize(("now", "before"), [("2027-03-31T23:59", "2026-03-01"), ("2028-03-01T00:00", "2027-03-01")])
def test_beginning_of_a_month(now: str, before: str) -> None:
    """Views stay for a year, and until the month after that begins: so the log has few rows about it."""
    moment = type(NOW).fromisoformat

    assert views_removed_before(moment(f"{now}+00:00")) == moment(f"{before}T00:00+00:00")


async def test_people(path: Path) -> None:
    """Those whom only removed views named are no longer known; everyone else is."""
    own = replace(VIEW, actor_id=ADA, action=AuditAction.LINK_REMOVED, detail={})
    others = replace(VIEW, subject=f"steam:{BENS_ACCOUNT}", detail={"steam_id": str(BENS_ACCOUNT)})
    await written(path, [VIEW, own, others])

    await removed(path)

    assert query(path, "SELECT kind, value FROM pseudonyms") == [("user", str(ADA))]
    assert fault_of(path) is None
    await written(path, [VIEW])
    assert fault_of(path) is None


async def test_views_of_an_earlier_version(path: Path) -> None:
    """Views that an earlier version wrote stay: their digests would not prove that nothing else was removed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        migrate(connection, path, bundled()[:5])
        connection.executescript("ALTER TABLE audit ADD COLUMN salt BLOB")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("bot.storage.audit.rows.VIEWS", frozenset())
            for entry in varied():
                append(connection, entry)
        connection.executescript("ALTER TABLE audit DROP COLUMN salt")
    assert inspect(path).chain == ChainReport(60)

    assert await removed(path) == 0
    await written(path, [VIEW])
    assert await removed(path) == 1

    assert inspect(path).chain == ChainReport(61, removed=1)


async def test_restored(log: Path, tmp_path: Path) -> None:
    """A backup from before the removal and one from after it can be restored, and views are removed again."""
    after = back_up(log, tmp_path / "after.db").path
    await written(log, [VIEW])
    before = back_up(log, tmp_path / "before.db").path

    for backup, views in ((before, 1), (after, 0)):
        await restore(backup, log, at=YEAR_LATER)
        assert await removed(log) == views
        assert fault_of(log) is None


async def test_interrupted(path: Path) -> None:
    """A removal that is rolled back leaves the log as it was, and the next one does the rest."""
    await written(path, varied())
    before = query(path, "SELECT * FROM audit ORDER BY id")

    def fails(connection: sqlite3.Connection) -> None:
        remove_views(connection, before=BEFORE, limit=5, at=YEAR_LATER)
        raise InterruptedError

    async with SqliteDatabase.open(path) as db:
        with pytest.raises(InterruptedError):
            await db.write(fails)

    assert query(path, "SELECT * FROM audit ORDER BY id") == before
    assert query(path, "SELECT * FROM removed_views") == []
    assert await removed(path, limit=5) == 5
    assert fault_of(path) is None


async def test_space_is_used_again(path: Path) -> None:
    """The file does not grow as long as new views take the place of old ones."""
    await written(path, [VIEW, DECISION, *[VIEW] * 3_000])
    await removed(path, limit=10_000)
    size = path.stat().st_size

    await written(path, [VIEW] * 1_500)

    assert path.stat().st_size == size


CHANGES = {
    "UPDATE removed_views SET content = zeroblob(32) WHERE id = :view": (":view", "changed"),
    "UPDATE removed_views SET at = at - 1 WHERE id = :view": (":view", "changed"),
    "UPDATE removed_views SET digest = zeroblob(32) WHERE id = :view": (":view", "changed"),
    "DELETE FROM removed_views WHERE id = :view": (":view", "missing"),
    "UPDATE removed_views SET id = 1000 WHERE id = :view": (":view", "missing"),
    "UPDATE removed_views SET removal = 9 WHERE id = :view": (":removal", "removal"),
    "UPDATE audit SET detail = '{}' WHERE id = :removal": (":removal", "changed"),
    "DELETE FROM audit WHERE id = :removal": (":removal", "missing"),
    "DELETE FROM audit WHERE id = :decision": (":decision", "missing"),
    "INSERT INTO removed_views SELECT id, at, digest, digest, 1 FROM audit WHERE id = :decision": (
        ":decision",
        "changed",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_change(log: Path, change: str) -> None:
    """Whatever of a removal is changed, the first row that does not fit is named."""
    [(view, removal)] = query(log, "SELECT id, removal FROM removed_views ORDER BY id LIMIT 1 OFFSET 3")
    [(decision,)] = query(log, "SELECT max(id) FROM audit WHERE action = 'resend.denied'")
    numbers = {":view": view, ":removal": removal, ":decision": decision}
    with by_hand(log) as connection:
        connection.execute(re.sub(r":\w+", lambda found: str(numbers[found[0]]), change))

    name, what = CHANGES[change]
    assert fault_of(log) == (numbers[name], what)


async def test_decision_called_a_view(log: Path) -> None:
    """A decision cannot be presented as a removed view: its digest covers all of it."""
    [(decision,)] = query(log, "SELECT max(id) FROM audit WHERE action = 'resend.denied'")
    with by_hand(log) as connection:
        insert = "INSERT INTO removed_views SELECT id, at, digest, digest, 61 FROM audit WHERE id = ?"
        connection.execute(insert, (decision,))
        connection.execute("DELETE FROM audit WHERE id = ?", (decision,))

    assert fault_of(log) == (decision, "changed")


async def test_young_view(path: Path) -> None:
    """A view removed before its year was over is a fault, even if its removal is a row of the log."""
    await written(path, [VIEW, replace(VIEW, at=NOW + timedelta(days=40)), DECISION])
    async with SqliteDatabase.open(path) as db:
        await SqlAuditRepository(db).remove_views(before=YEAR_LATER, limit=9, at=YEAR_LATER)

    assert fault_of(path) == (4, "removal")


async def test_removal_without_its_row(path: Path) -> None:
    """Views that are removed by hand, with what is left of them in its place, are a fault."""
    await written(path, [DECISION, VIEW, DECISION])
    copy = path.with_name("copy.db")
    back_up(path, copy)
    await removed(copy)
    with by_hand(path) as connection:
        connection.execute(
            "INSERT INTO removed_views VALUES (?, ?, ?, ?, ?)", query(copy, "SELECT * FROM removed_views")[0]
        )
        connection.execute("DELETE FROM audit WHERE id = 2")

    assert fault_of(path) == (2, "removal")
    await written(path, [DECISION])
    assert fault_of(path) == (2, "removal")


async def test_damaged_view(path: Path) -> None:
    """A view that is not as it was written stays, so that what was done to it can be found out."""
    await written(path, [VIEW] * 3)
    with by_hand(path) as connection:
        connection.execute("UPDATE audit SET subject = 'guild' WHERE id = 2")

    assert await removed(path) == 2

    assert query(path, "SELECT id FROM audit") == [(2,), (4,)]
    assert fault_of(path) == (2, "changed")


@pytest.mark.parametrize("number", [1, 17, 40])
async def test_any_byte(log: Path, number: int) -> None:
    """A change of any byte of what is left of a view is found at that view, or at the removal that it belongs to."""
    found = query(log, "SELECT at, content, digest, removal FROM removed_views ORDER BY id")
    at, content, digest, removal = found[number % len(found)]
    values = at.to_bytes(6) + content + digest + removal.to_bytes(1)
    whole = log.read_bytes()
    assert whole.count(values) == 1
    chance = random.Random(number)  # noqa: S311 -- which bits

    for position in range(whole.index(values), whole.index(values) + len(values)):
        descriptor = os.open(log, os.O_RDWR)
        os.pwrite(descriptor, bytes([whole[position] ^ chance.randrange(1, 256)]), position)
        with reading(log) as (reader, _):
            report = check(reader)
        os.pwrite(descriptor, whole[position : position + 1], position)
        os.close(descriptor)
        assert report.fault is not None
        assert report.fault.what in {"changed", "removal"}


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM audit WHERE id = 1",
        "DELETE FROM removed_views",
        "UPDATE removed_views SET removal = 1",
        "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit WHERE salt IS NOT NULL)",
    ],
)
async def test_database_refuses(log: Path, sql: str) -> None:
    """The database itself refuses to delete anything but a view whose digests stay."""
    await written(log, [VIEW])
    with sqlite3.connect(log) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.executescript(sql)
    connection.close()


ENTRIES = st.sampled_from([VIEW, DECISION, replace(VIEW, guild_id=OTHER_GUILD, action=AuditAction.AUDIT_VIEWED)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(ENTRIES, min_size=1, max_size=4)),
        st.tuples(st.just("remove"), st.integers(1, 4)),
    ),
    min_size=1,
    max_size=12,
)
TAMPERING = (
    "UPDATE {table} SET at = at + {n} WHERE id = {id}",
    "UPDATE {table} SET digest = zeroblob(32) WHERE id = {id}",
    "UPDATE {table} SET id = -{n} WHERE id = {id}",
    "DELETE FROM {table} WHERE id = {id}",
)


@given(steps=STEPS, how=st.sampled_from(TAMPERING), data=st.data())
def test_any_history(steps: Sequence[tuple[str, object]], how: str, data: st.DataObject) -> None:
    """After any appends and removals the check counts what is there and what went, and finds any change."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        migrate(connection, Path(":memory:"), bundled())
        kept = gone = 0
        for step, what in steps:
            connection.execute("BEGIN")
            if step == "append":
                for entry in what:  # type: ignore[attr-defined]
                    append(connection, entry)
                    kept += 1
            else:
                rows = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
                went = remove_views(connection, before=BEFORE, at=YEAR_LATER, limit=what)  # type: ignore[arg-type]
                gone += went
                told = connection.execute("SELECT count(*) FROM audit").fetchone()[0] - rows + went
                assert (told > 0) == (went > 0)
                kept += told - went
            connection.execute("COMMIT")
        assert check(connection) == ChainReport(kept, removed=gone)

        ids = connection.execute(
            "SELECT 'audit', id FROM audit UNION ALL SELECT 'removed_views', id FROM removed_views"
        )
        table, number = data.draw(st.sampled_from([tuple(row) for row in ids] or [("audit", 1)]))
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        changed = connection.execute(how.format(table=table, id=number, n=data.draw(st.integers(1, 2**40)))).rowcount
        assert (check(connection).fault is not None) == (changed > 0)
