"""What storing costs: a right checked, an entry of the record written, a request decided; alone, crowded, grown.

``uv run python -m benchmarks.storage`` prints a table; ``--json FILE`` keeps it. The reference is plain sqlite3 on a
thread with the same statements and settings, one transaction each under a lock, in turns with SkinDesk.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.measuring import Ratio, options_of, ratio_of, show
from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry, PseudonymKind
from bot.domain.failures import ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.resends import Resend, ResendState, TradeFacts
from bot.domain.steam import SteamId
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.storage import resend_rows
from bot.storage.audit import rows as audit_rows
from bot.storage.audit.log import SqlAuditRepository, append
from bot.storage.database import to_ms
from bot.storage.first_guild import SqlFirstGuildRepository
from bot.storage.grants import SqlGrantRepository
from bot.storage.guild_settings import SqlGuildSettingsRepository
from bot.storage.links import SqlLinkRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.database import SqliteDatabase
from bot.ui.resends.channel import DiscordAuditChannel

GUILD, USER, ROLE = 900_000_000_000_000_001, 800_000_000_000_000_000, 900_000_000_000_000_001
PEOPLE = 500
NOW = datetime(2026, 3, 29, tzinfo=UTC)
TASKS = (1, 200)
CROWDED_AT_LEAST = 5.0
FLAT = 2.0

Operation = Callable[[int], Awaitable[object]]


class _Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return NOW.timestamp()


def entry(n: int) -> AuditEntry:
    """Return an entry as resends make most of them: an actor, and two people in the details."""
    who = n * 7919 % PEOPLE
    detail = {"provider": "mannco", "trade": str(n), "owner": str(USER + who), "requester": str(USER + who)}
    return AuditEntry(GUILD, NOW, USER + n % PEOPLE, AuditAction.RESEND_APPROVED, f"resend:{n // 5}", detail)


def draft(n: int) -> Resend:
    """Return a request for a trade of its own."""
    return Resend(
        id=0,
        guild_id=GUILD,
        provider=ProviderName.MANNCO,
        trade_id=n,
        owner=SteamId.from_account_id(11),
        owner_user_id=USER,
        requested_by=USER + n % PEOPLE,
        reason=None,
        state=ResendState.PENDING,
        facts=TradeFacts(7, ("31000000001",), (), "5812345678", "cancelled (7)", None),
        version=1,
        requested_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )


class Plain:
    """The reference: one transaction each, under a lock, on a thread."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        for name, value in (("synchronous", "FULL"), ("foreign_keys", "ON"), ("secure_delete", "ON")):
            self._connection.execute(f"PRAGMA {name} = {value}")
        self._lock = asyncio.Lock()

    async def write(self, unit: Callable[[sqlite3.Connection], object]) -> None:
        async with self._lock:
            await asyncio.to_thread(self._transact, unit)

    async def read(self, sql: str, parameters: dict[str, int]) -> list[sqlite3.Row]:
        async with self._lock:
            return await asyncio.to_thread(lambda: self._connection.execute(sql, parameters).fetchall())

    def _transact(self, unit: Callable[[sqlite3.Connection], object]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        unit(self._connection)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _decided(connection: sqlite3.Connection, *, resend_id: int) -> None:
    values = {"guild_id": GUILD, "id": resend_id, "by": USER, "reason": None, "at": to_ms(NOW), "worker": None}
    resend = resend_rows.resend_of(connection.execute(resend_rows.DENY, values).fetchone())
    append(connection, resend_rows.audit_entry(resend, AuditAction.RESEND_DENIED, by=USER, at=NOW))


def _granted(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO guilds (guild_id, seeded_at) VALUES (?, 0)", (GUILD,))
    connection.execute("INSERT INTO grants VALUES (?, ?, ?)", (GUILD, ROLE, Capability.TRADES_OWN.value))


async def timed(operation: Operation, numbers: Iterator[int], *, operations: int, tasks: int) -> float:
    """Return the microseconds that one takes, of so many that ``tasks`` people do."""
    left = iter(range(operations))

    async def person() -> None:
        for _ in left:
            await operation(next(numbers))

    began = time.perf_counter()
    await asyncio.gather(*(person() for _ in range(tasks)))
    return (time.perf_counter() - began) / operations * 1e6


async def compared(
    what: str, ours: Operation, plain: Operation, *, rounds: int, operations: int, crowded: float | None = None
) -> list[Ratio]:
    """Measure both in turns, at 1 and at 200 tasks. ``crowded`` is how many times faster 200 at once should be."""
    ratios = []
    for tasks in TASKS:
        numbers, others = count(), count()
        if crowded is not None:
            numbers, others = count(tasks * 1_000_000), count(tasks * 1_000_000)
        pairs = []
        for number in range(rounds + 1):
            pair = [
                await timed(operation, each, operations=operations, tasks=tasks)
                for operation, each in ((ours, numbers), (plain, others))
            ]
            if number:  # the first round warms both up
                pairs.append((pair[0], pair[1]))
        name = f"{what}, {tasks} at once"
        ratios.append(ratio_of(name, "µs", pairs))
        if crowded is not None and tasks > 1:
            rates = [(1e6 / a, 1e6 / b) for a, b in pairs]
            ratios.append(ratio_of(f"{name}: rate", "/s", rates, bound=crowded, at_least=True))
    return ratios


async def checking(db: SqliteDatabase, plain: Plain, *, rounds: int) -> list[Ratio]:
    """Compare a right that is checked with a plain dict and with asking the file; see that no statement runs."""
    rows, clock = SqlAuditRepository(db), _Clock()
    audit = AuditService(
        rows=rows,
        settings=SqlGuildSettingsRepository(db),
        guilds=ServedGuilds(first=SqlFirstGuildRepository(db), clock=clock),
        channel=DiscordAuditChannel(),
        clock=clock,
    )
    access = AccessService(
        grants=SqlGrantRepository(db, now=clock.now), links=SqlLinkRepository(db), rows=rows, audit=audit, clock=clock
    )
    actor = Actor(guild_id=GUILD, user_id=USER, role_ids=frozenset({ROLE}))
    await access.require(Capability.TRADES_OWN, of=actor)
    statements: list[str] = []
    await db._reader.set_trace_callback(statements.append)  # noqa: SLF001 -- counts all statements
    db._writer.set_trace_callback(statements.append)  # noqa: SLF001 -- same
    await plain.write(_granted)
    rights = {(GUILD, ROLE): frozenset({Capability.TRADES_OWN})}
    sql = "SELECT capability FROM grants WHERE guild_id = :guild_id AND role_id = :role_id"

    async def checked(_: int) -> None:
        await access.require(Capability.TRADES_OWN, of=actor)

    async def from_a_dict(_: int) -> None:
        assert Capability.TRADES_OWN in rights[GUILD, ROLE]

    async def asked(_: int) -> None:
        rows = await plain.read(sql, {"guild_id": GUILD, "role_id": ROLE})
        assert any(row["capability"] == Capability.TRADES_OWN for row in rows)

    ratios = await compared("right checked, to a dict", checked, from_a_dict, rounds=rounds, operations=2_000)
    ratios += await compared("right checked, to sqlite3", checked, asked, rounds=rounds, operations=2_000)
    print(f"statements that checking rights ran: {len(statements)}")
    assert statements == []
    return ratios


async def writing(db: SqliteDatabase, plain: Plain, *, rounds: int, operations: int) -> list[Ratio]:
    """Compare entries of the record, and decisions about requests, that were opened before."""
    audit = SqlAuditRepository(db)
    ratios = await compared(
        "audited write",
        lambda n: audit.append(entry(n)),
        lambda n: plain.write(partial(append, entry=entry(n))),
        rounds=rounds,
        operations=operations,
        crowded=CROWDED_AT_LEAST,
    )
    resends = SqlResendRepository(db, "worker")
    needed = (rounds + 1) * operations * len(TASKS)
    ids = iter([each.id for each in await asyncio.gather(*map(resends.open, map(draft, range(needed)))) if each])

    def open_all(connection: sqlite3.Connection) -> None:
        for n in range(needed):
            row = resend_rows.new_row(draft(n)) | {"at_most": None, "counted_from": 0, "worker": None}
            others.append(connection.execute(resend_rows.OPEN, row).fetchone()["id"])

    others: list[int] = []
    await plain.write(open_all)
    other_ids = iter(others)
    return ratios + await compared(
        "decision",
        lambda _: resends.deny(GUILD, next(ids), by=USER, reason=None, at=NOW),
        lambda _: plain.write(partial(_decided, resend_id=next(other_ids))),
        rounds=rounds,
        operations=operations,
    )


def filled(path: Path, rows: int, seconds: float) -> int:
    """Add entries, chained as SkinDesk chains them, and as many links, until enough or out of time; return how many."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    wanted = {audit_rows.person(PseudonymKind.USER, USER + n) for n in range(PEOPLE)}
    names = sorted(audit_rows.pseudonyms_for(connection, GUILD, wanted).values())
    last = connection.execute("SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, digest = (0, audit_rows.BEFORE_FIRST) if last is None else (last["id"], last["digest"])
    first = number
    until = time.perf_counter() + seconds

    def chained(size: int) -> Iterator[tuple[object, ...]]:
        nonlocal number, digest
        for _ in range(size):
            number += 1
            name, other = names[number % PEOPLE], names[number * 7919 % PEOPLE]
            detail = json.dumps({"provider": "mannco", "trade": str(number), "owner": other, "requester": other})
            row = audit_rows.Columns(GUILD, to_ms(NOW), name, "resend.approved", f"resend:{number // 5}", detail)
            digest = audit_rows.digest_of(digest, number, row)
            yield (number, digest, None, *row)

    while number - first < rows and time.perf_counter() < until:
        connection.executemany(audit_rows.ADD_ROW, chained(min(10_000, rows - number + first)))
    added = number - first
    connection.execute(
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?) "
        "INSERT INTO links (guild_id, user_id, steam_id, source, linked_by, linked_at) "
        "SELECT ?, 10000000 + n, 76561197970265728 + n, 'staff', ?, ? FROM counted",
        (added, GUILD, USER, to_ms(NOW)),
    )
    connection.execute("COMMIT")
    connection.close()
    return added


async def costs(path: Path, *, rounds: int, operations: int) -> dict[str, list[float]]:
    """Return the microseconds of each operation, a round each."""
    async with SqliteDatabase.open(path) as db:
        audit, links = SqlAuditRepository(db), SqlLinkRepository(db)
        link = Link(GUILD, 0, SteamId.from_account_id(1), LinkSource.STAFF, USER, NOW)

        async def put(n: int) -> None:
            await links.put(replace(link, user_id=USER + n, steam_id=SteamId.from_account_id(1 + n)))

        numbers = count()
        kinds: dict[str, Operation] = {
            "audited write": lambda n: audit.append(entry(n)),
            "link set": put,
            "link of a user": lambda _: links.of_user(GUILD, 10_000_001),
            "link of an account": lambda _: links.of_steam_id(GUILD, SteamId(76561197970265729)),
            "record: newest 25": lambda _: audit.newest(GUILD, limit=25),
            "record: newest 25 of a user": lambda _: audit.newest(GUILD, limit=25, user_id=USER),
            "record: newest 25 of an action": lambda _: audit.newest(
                GUILD, limit=25, action=AuditAction.RESEND_APPROVED
            ),
        }
        found: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(rounds + 1):
            for name, operation in kinds.items():
                took = await timed(operation, numbers, operations=operations, tasks=1)
                if number:
                    found[name].append(took)
        return found


async def growing(folder: Path, *, rows: int, seconds: float, rounds: int, operations: int) -> list[Ratio]:
    """Compare a file with next to nothing in it with one that has so many links and entries."""
    small, large = folder / "small.db", folder / "large.db"
    for path in (small, large):
        async with SqliteDatabase.open(path):
            pass
    filled(small, 1_000, seconds)
    began = time.perf_counter()
    added = filled(large, rows, seconds)
    size = large.stat().st_size / 1e6
    print(
        f"{added:,} links and entries in {time.perf_counter() - began:.0f} s, {size:.0f} MB; the small file has 1,000"
    )
    in_small: dict[str, list[float]] = {}
    in_large: dict[str, list[float]] = {}
    for _ in range(rounds):
        for found, path in ((in_large, large), (in_small, small)):
            for name, times in (await costs(path, rounds=1, operations=operations)).items():
                found.setdefault(name, []).append(median(times))
    return [
        ratio_of(f"grown: {name}", "µs", list(zip(in_large[name], in_small[name], strict=True)), bound=FLAT)
        for name in in_large
    ]


async def run(options: argparse.Namespace) -> list[Ratio]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        async with SqliteDatabase.open(folder / "ours.db") as db, SqliteDatabase.open(folder / "plain.db"):
            plain = Plain(folder / "plain.db")
            ratios = await writing(db, plain, rounds=options.rounds, operations=options.operations)
            ratios += await checking(db, plain, rounds=options.rounds)
            plain.close()
        return ratios + await growing(
            folder, rows=options.rows, seconds=options.seconds, rounds=options.rounds, operations=100
        )


def main() -> int:
    parser = options_of(__doc__, rounds=5, operations=1_000, rows=1_000_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="for filling the large file")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure (default: where temporary files are)"
    )
    options = parser.parse_args()
    ratios = asyncio.run(run(options))
    print("reference: plain sqlite3 on a thread (for 'grown': the same operation in the small file)")
    return show(ratios, options)


if __name__ == "__main__":
    sys.exit(main())
