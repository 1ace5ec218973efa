"""What PostgreSQL does that SQLite cannot: the server is elsewhere, and goes away."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import PoolTimeout
from psycopg_pool.base import AttemptWithBackoff
from typing_extensions import override

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.ports.identify import IDENTIFY_EVERY
from bot.storage import write_queue
from bot.storage.audit.log import SqlAuditRepository, append
from bot.storage.database import Connection
from bot.storage.errors import ServerInUse, ServerUnreachable, ServerUnusable
from bot.storage.postgres import connection as connections
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.identify import PostgresIdentifySlots
from bot.storage.postgres.schema import Migration, bundled, migrate
from bot.storage.postgres.workers import PostgresWorkers
from bot.storage.resends import SqlResendRepository
from tests.contracts.samples import draft
from tests.support import postgres
from tests.support.relay import Relay

PATIENCE = 60.0
"""Seconds after which a test hangs. Test, server and machine may stand still for some."""

ENTRY = AuditEntry(7, datetime(2026, 1, 1, tzinfo=UTC), None, AuditAction.RESENDS_PAUSED, "guild")

END_ALL = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture
async def db(url: str) -> AsyncIterator[PostgresDatabase]:
    async with PostgresDatabase.open(url) as opened:
        yield opened


async def recovered(db: PostgresDatabase) -> None:
    async with asyncio.timeout(30):
        while (await db.guard.check()).fault is not None:  # noqa: ASYNC110 -- as the background job does
            await asyncio.sleep(0.1)


def add(connection: Connection) -> int:
    return append(connection, ENTRY).number


async def test_two_processes(url: str, db: PostgresDatabase) -> None:
    """Jobs of two processes at once run one after another: the audit log's chain holds, without a gap."""
    async with PostgresDatabase.open(url) as other:
        logs = SqlAuditRepository(db), SqlAuditRepository(other)
        await asyncio.gather(*(log.append(ENTRY) for log in logs for _ in range(100)))

    report = postgres.chain_report(url)
    assert (report.rows, report.fault) == (200, None)


async def test_daily_limit_of_two_processes(url: str, db: PostgresDatabase) -> None:
    """A limit on what is stored holds whichever processes are asked at once."""
    async with PostgresDatabase.open(url) as other:
        resends = SqlResendRepository(db, "a"), SqlResendRepository(other, "b")
        opening = [resends[n % 2].open(draft(trade_id=n), at_most=5) for n in range(1, 21)]
        assert len(list(filter(None, await asyncio.gather(*opening)))) == 5


async def test_identify_slots_of_two_processes(url: str, db: PostgresDatabase) -> None:
    """Two processes begin no two sessions of a bucket within the pause, and wait for no other bucket."""
    async with PostgresDatabase.open(url) as other:
        assert PostgresIdentifySlots(db)._every == IDENTIFY_EVERY
        hour, later = 3600.0, "UPDATE identify_slots SET free_at = free_at - interval '1 hour' * :passed"
        slots = PostgresIdentifySlots(db, every=hour), PostgresIdentifySlots(other, every=hour)
        waits = await asyncio.gather(*(slots[n % 2].take(0) for n in range(6)))
        assert waits.count(0.0) == 1
        assert hour - PATIENCE < max(waits) < hour
        assert await slots[0].take(1) == 0

        await db.run(later, {"passed": 0.5})
        assert await slots[1].take(0) < hour / 2
        await slots[0].began(0)
        assert await slots[1].take(0) > hour - PATIENCE
        await db.run(later, {"passed": 1})
        assert await slots[1].take(0) == 0
        assert await slots[0].take(0) > hour - PATIENCE


async def test_lost_connections(url: str, db: PostgresDatabase) -> None:
    """Connections that the server has closed are replaced, and no caller hears of it."""
    assert await db.write(add) == 1
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(END_ALL)

    assert (await db.read("SELECT count(*) FROM audit"))[0][0] == 1
    assert await db.write(add) == 2


async def test_forgotten_connections(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections from which nothing comes any more, not even their end, are replaced: nothing waits for ever."""

    class Patient(Relay):
        @override
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Give new connections the time that they need."""
            monkeypatch.setattr(connections, "_ANSWER_WITHIN", PATIENCE)
            await super()._serve(reader, writer)

    async with Patient(url) as relay, PostgresDatabase.open(relay.url) as db:
        assert await db.write(add) == 1
        for use, result in (partial(db.write, add), 2), (partial(db.read, "SELECT 1"), [(1,)]):
            relay.forget()
            monkeypatch.setattr(connections, "_ANSWER_WITHIN", 0.5)
            async with asyncio.timeout(PATIENCE / 2):
                assert await use() == result


@pytest.mark.parametrize("is_committed", [True, False])
async def test_answer_to_commit_lost(
    url: str, db: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, *, is_committed: bool
) -> None:
    """If the answer to COMMIT is lost, the server tells whether the transaction counts: the caller hears the truth."""
    commit = connections.PostgresWriter.execute_commit

    def lose(writer: connections.PostgresWriter) -> None:
        if is_committed:
            commit(writer)
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(END_ALL)
        commit(writer)

    monkeypatch.setattr(connections.PostgresWriter, "execute_commit", lose)
    if is_committed:
        assert await db.write(add) == 1
    else:
        with pytest.raises(DatabaseUnavailable) as caught:
            await db.write(add)
        assert not caught.value.may_be_done
        await recovered(db)
    assert (await db.read("SELECT count(*) FROM audit"))[0][0] == is_committed


async def test_outcome_of_commit_unknown(url: str, db: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the server is away right after a COMMIT, the caller hears that the change may have been made."""
    assert await db.write(add) == 1
    monkeypatch.setattr(connections, "STATEMENT_WITHIN", 0.5)
    commit = connections.PostgresWriter.execute_commit
    allow = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
    name = sql.Identifier(url.partition("?")[0].rpartition("/")[2])
    with (
        psycopg.connect(postgres.server().url(), autocommit=True) as admin,
        psycopg.connect(url, autocommit=True) as ours,
    ):

        def lose(writer: connections.PostgresWriter) -> None:
            commit(writer)
            admin.execute(sql.SQL(allow).format(name, sql.SQL("false")))
            ours.execute(END_ALL)
            commit(writer)

        monkeypatch.setattr(connections.PostgresWriter, "execute_commit", lose)
        with pytest.raises(DatabaseUnavailable) as caught:
            await db.write(add)
        admin.execute(sql.SQL(allow).format(name, sql.SQL("true")))
    assert caught.value.may_be_done
    await recovered(db)
    assert (await db.read("SELECT count(*) FROM audit"))[0][0] == 2


async def test_answer_to_statement_lost(db: PostgresDatabase) -> None:
    """A statement that changes something is not run again if its answer is lost: a claim would seem another's."""
    with pytest.raises(DatabaseUnavailable):
        await db.run(
            "DO $$ BEGIN INSERT INTO interaction_claims SELECT count(*), 'a' FROM interaction_claims; COMMIT; "
            "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END $$"
        )
    await recovered(db)
    assert (await db.read("SELECT count(*) FROM interaction_claims"))[0][0] == 1


async def test_long_vacuum(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The space of erased rows is made reusable, however long that takes in a large database."""
    with psycopg.connect(url, autocommit=True) as admin:
        for setting in ("vacuum_cost_delay = 5", "vacuum_cost_limit = 10"):
            admin.execute(f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$")
    async with PostgresDatabase.open(url) as db:
        for name in ("STATEMENT_WITHIN", "_ANSWER_WITHIN"):
            monkeypatch.setattr(connections, name, 0.2)
        began = time.monotonic()
        assert await db.wipe()
        assert time.monotonic() - began > 0.4


async def refusals(db: PostgresDatabase) -> list[bool]:
    """Return of a read and a write that fail whether something may be done all the same."""
    found = []
    for failing in (db.read("SELECT 1"), db.write(add)):
        with pytest.raises(DatabaseUnavailable) as caught:
            await failing
        found.append(caught.value.may_be_done)
    return found


async def test_fails_after_a_change() -> None:
    """Who has changed something before does not learn that nothing was changed; others do."""
    with postgres.own_server() as server:
        async with PostgresDatabase.open(server.url()) as db:
            assert await db.write(add) == 1
            server.stop(mode="immediate")

            assert await refusals(db) == [True, True]
            assert await asyncio.create_task(refusals(db)) == [False, False]


async def test_server_away() -> None:
    """While the server is away callers hear at once that nothing was changed; once it is back, all works again."""
    with postgres.own_server() as server:
        async with PostgresDatabase.open(server.url()) as db:
            assert await asyncio.create_task(db.write(add)) == 1
            server.stop(mode="immediate")
            for _ in range(2):
                with pytest.raises(DatabaseUnavailable) as caught:
                    await db.write(add)
                assert (caught.value.fault, caught.value.may_be_done) == (DatabaseFault.NO_ANSWER, False)
            with pytest.raises(DatabaseUnavailable):
                await db.read("SELECT 1")
            assert db.guard.write_failures >= 1
            server.start()
            await recovered(db)
            assert await db.write(add) == 2

        server.stop()
        with pytest.raises(ServerUnreachable):
            async with PostgresDatabase.open(server.url()):
                pass


async def test_back_after_a_while(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """However many connections broke and however long the server was away, the first probe finds it back.

    The log says once why no connection was made. The pool by itself would try again after minutes.
    """
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", 3 * PATIENCE)
    with postgres.own_server() as server:
        async with PostgresDatabase.open(server.url()) as db:
            await asyncio.gather(*(db.read("SELECT pg_sleep(0.2)") for _ in range(8)))
            server.stop(mode="immediate")
            with pytest.raises(DatabaseUnavailable):
                await db.read("SELECT 1")
            with pytest.raises(PoolTimeout):
                await db.probe()
            server.start()
            db._pool.timeout = PATIENCE
            await db.probe()
    refused = [
        each.message for each in caplog.records if each.name == "psycopg.pool" and "No such file" in each.message
    ]
    assert len(refused) == len(caplog.messages) - 1 == 1


async def test_hanging_process(url: str, db: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs in a transaction does not stop the others for good: the server ends its transaction."""
    assert await db.write(add) == 1
    monkeypatch.setattr(write_queue, "_LOCK_TIMEOUT", PATIENCE)
    monkeypatch.setattr(connections, "_IDLE_WITHIN", 0.5)
    hanging = connections.PostgresWriter(url, db.guard)
    assert await asyncio.to_thread(hanging.begin) is None

    assert await db.write(add) == 2
    hanging.close()


@pytest.mark.parametrize("again", [True, False])
async def test_back_after_hanging(db: PostgresDatabase, *, again: bool) -> None:
    """A process that hung in a transaction hears in a statement or in COMMIT that nothing was changed, and goes on."""

    def hang(connection: Connection) -> int:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 50")
        number = add(connection)
        time.sleep(0.3)
        return add(connection) if again else number

    with pytest.raises(DatabaseUnavailable) as failed:
        await db.write(hang)

    assert not failed.value.may_be_done
    await recovered(db)
    assert await db.write(add) == 1


async def test_not_ours() -> None:
    """A database with another program's tables is refused and left as it is."""
    with postgres.database(empty=True) as address:
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("CREATE TABLE orders (n int)")
        with pytest.raises(ServerUnusable, match="another program"):
            async with PostgresDatabase.open(address):
                pass


async def test_later_version(url: str) -> None:
    """A database that a later SkinDesk has migrated is refused."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("INSERT INTO skindesk_migrations (number, name) VALUES (9999, 'later')")
    with pytest.raises(ServerUnusable, match="later"):
        async with PostgresDatabase.open(url):
            pass


async def test_earlier_version_still_runs(url: str) -> None:
    """A start that would change the schema is refused while a process works on it, and done once that has ended."""
    newer = (*bundled(), Migration(len(bundled()) + 1, "newer", "ALTER TABLE notes RENAME COLUMN text TO body"))
    async with PostgresDatabase.open(url) as db, PostgresWorkers.among("a", db, url, None):
        with pytest.raises(ServerInUse):
            async with PostgresDatabase.open(url, migrations=newer):
                pass
        await db.read("SELECT text FROM notes")

    async with PostgresDatabase.open(url, migrations=newer) as db:
        await db.read("SELECT body FROM notes")


async def test_hanging_start(url: str) -> None:
    """A process that hangs while it checks the schema keeps no other one from starting: the server ends its session."""
    hangs, goes_on = threading.Event(), threading.Event()

    class Hanging(tuple[Migration, ...]):
        __slots__ = ()

        @override
        def __len__(self) -> int:
            hangs.set()
            goes_on.wait(PATIENCE)
            return super().__len__()

    with psycopg.connect(url, autocommit=True) as connection:
        starting = asyncio.create_task(asyncio.to_thread(migrate, connection, "", Hanging(bundled())))
        assert await asyncio.to_thread(hangs.wait, PATIENCE)
        async with asyncio.timeout(PATIENCE / 2), PostgresDatabase.open(url) as db:
            assert await db.write(add) == 1
        goes_on.set()
        with pytest.raises(psycopg.OperationalError):
            await starting


async def test_first_starts_at_once() -> None:
    """Two processes that start on an empty database at once bring it to its schema once."""
    with postgres.database(empty=True) as address:

        async def start() -> int:
            async with PostgresDatabase.open(address) as opened:
                return await opened.write(add)

        assert sorted(await asyncio.gather(start(), start())) == [1, 2]


async def test_password(caplog: pytest.LogCaptureFixture) -> None:
    """The password is in no error and in no log."""
    with pytest.raises(ServerUnreachable) as caught:
        async with PostgresDatabase.open("postgresql://desk:hunter2hunter2@127.0.0.1:1/desk"):
            pass
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caplog.text}"


async def test_options(url: str) -> None:
    """Options of the server's in the address count, but not against SkinDesk's own limits."""
    async with PostgresDatabase.open(f"{url}&options=-c%20geqo%3Doff%20-c%20statement_timeout%3D0") as db:
        assert await db.read("SELECT current_setting('geqo'), current_setting('statement_timeout')") == [("off", "5s")]
