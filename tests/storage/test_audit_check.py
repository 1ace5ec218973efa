"""Any change of the audit log is found, and the check names the first row that does not fit."""

# ruff: noqa: S608 -- the statements are put together of words in this file

import asyncio
import hashlib
import json
import os
import random
import sqlite3
from pathlib import Path

import pytest

from bot.domain.audit import AuditAction, AuditEntry, ChainFault, ChainReport, DamagedRow
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.sqlite.audit_check import check
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.inspection import inspect, reading
from tests.contracts.samples import ADA, BEN, CLEO, GUILD, NOW
from tests.storage.audit_logs import by_hand, fault_of, varied, written

COLUMNS = ("guild_id", "at", "actor", "action", "subject", "detail", "digest")


def compact(values: list[object]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii")


@pytest.fixture
async def log(path: Path) -> Path:
    await written(path, varied())
    return path


@pytest.mark.parametrize("rows", [0, 60])
async def test_unchanged(path: Path, rows: int) -> None:
    await written(path, varied(rows))

    assert inspect(path).chain == ChainReport(rows)


async def test_digest(log: Path) -> None:
    """Anyone can recompute the chain: the SHA-256 of the previous digest and the row as compact JSON in ASCII.

    Of a view it is that of the previous digest, its number and time, and the SHA-256 of its salt and the row.
    """
    digest = bytes(32)
    with by_hand(log) as connection:
        for salt, number, *row, stored in connection.execute(
            f"SELECT salt, id, {', '.join(COLUMNS)} FROM audit ORDER BY id"
        ):
            if salt is None:
                covered = compact([number, *row])
            else:
                covered = compact([number, row[1]]) + hashlib.sha256(salt + compact(row)).digest()
            digest = hashlib.sha256(digest + covered).digest()
            assert stored == digest


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE audit SET at = at + 1 WHERE id IN (30, 32)", (30, "changed", 30)),
        ("UPDATE audit SET actor = NULL WHERE id = 31", (31, "changed", 29)),
        ("UPDATE audit SET digest = zeroblob(32) WHERE id = 60", (60, "changed", 0)),
        ("UPDATE audit SET action = CAST(x'ff' AS TEXT) WHERE id = 30", (30, "unreadable", 30)),
        ("DELETE FROM audit WHERE id = 1", (1, "missing", 59)),
        ("DELETE FROM audit WHERE id BETWEEN 30 AND 32", (30, "missing", 30)),
        ("DELETE FROM audit WHERE id > 57", (58, "cut_off", 0)),
        ("DELETE FROM audit", (1, "cut_off", 0)),
        ("UPDATE audit SET id = -1 WHERE id = 60", (-1, "changed", 60)),
        ("DELETE FROM sqlite_sequence WHERE name = 'audit'", (60, "sequence", 0)),
        ("UPDATE sqlite_sequence SET seq = 61 WHERE name = 'audit'", (61, "cut_off", 0)),
    ],
)
async def test_first_fault(log: Path, change: str, fault: tuple[int, str, int]) -> None:
    """The first row that was changed, removed or renumbered is named, with the number of rows that follow it."""
    with by_hand(log) as connection:
        connection.execute(change)

    chain = inspect(log).chain
    assert chain is not None
    assert chain.fault == ChainFault(*fault)


async def test_inserted_row(log: Path) -> None:
    """A row that was not written by SkinDesk is named, even if the log went on after it."""
    with by_hand(log) as connection:
        names = ", ".join(COLUMNS)
        connection.execute(f"INSERT INTO audit ({names}) SELECT {names} FROM audit WHERE id = 60")
    await written(log, varied(2))

    assert fault_of(log) == (61, "changed")


async def test_rows_after_a_cut(log: Path) -> None:
    """Later rows do not take the numbers of rows that were cut off."""
    with by_hand(log) as connection:
        connection.execute("DELETE FROM audit WHERE id > 58")
    await written(log, varied(1))

    assert fault_of(log) == (59, "missing")


async def test_rewritten_row(log: Path) -> None:
    """If a row is changed with its digest, the next row does not fit."""
    with by_hand(log) as connection:
        (previous,) = connection.execute("SELECT digest FROM audit WHERE id = 29").fetchone()
        connection.execute("UPDATE audit SET at = at + 1 WHERE id = 30")
        row = connection.execute(f"SELECT id, {', '.join(COLUMNS[:-1])} FROM audit WHERE id = 30").fetchone()
        fitting = hashlib.sha256(previous + json.dumps(row, separators=(",", ":")).encode()).digest()
        connection.execute("UPDATE audit SET digest = ? WHERE id = 30", (fitting,))

    assert fault_of(log) == (31, "changed")


async def test_plain_id(log: Path) -> None:
    """A row with a plain id instead of a pseudonym is a fault even if its digest fits: it could never be erased."""
    with by_hand(log) as connection:
        (previous,) = connection.execute("SELECT digest FROM audit WHERE id = 60").fetchone()
        row = [61, GUILD, 1, None, "link.set", f"user:{ADA}", "{}"]
        digest = hashlib.sha256(previous + json.dumps(row, separators=(",", ":")).encode()).digest()
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", (*row, digest))

    assert fault_of(log) == (61, "pseudonym")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (f"UPDATE pseudonyms SET value = '{CLEO}9' WHERE kind = 'user'", (0, "pseudonym")),
        ("UPDATE pseudonyms SET salt = x'' WHERE kind = 'user'", (0, "pseudonym")),
        ("UPDATE pseudonyms SET guild_id = guild_id + 1 WHERE kind = 'user'", (0, "pseudonym")),
        ("UPDATE pseudonyms SET kind = 'steam' WHERE kind = 'user'", (0, "pseudonym")),
        ("UPDATE pseudonyms SET value = CAST(x'ff' AS TEXT) WHERE kind = 'user'", (0, "pseudonym")),
        ("UPDATE pseudonyms SET pseudonym = '0123456789abcdef0123' WHERE kind = 'user'", (0, "pseudonym")),
        ("DELETE FROM pseudonyms WHERE kind = 'staff'", (2, "pseudonym")),
        ("DELETE FROM pseudonyms WHERE kind <> 'staff'", None),
    ],
)
async def test_changed_pseudonym(path: Path, change: str, fault: tuple[int, str] | None) -> None:
    """The person behind a pseudonym cannot be changed, only erased, and not if they acted as staff."""
    linked = AuditEntry(GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{ADA}", {"source": "sign_in"})
    await written(path, [linked, AuditEntry(GUILD, NOW, BEN, AuditAction.RESEND_DENIED, "resend:7"), linked])
    with by_hand(path) as connection:
        connection.execute(change)

    assert fault_of(path) == fault


async def test_digit_moved_to_another_column(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digit moved from the salt to the guild's id leaves the hash as it is, and is found by the salt's length."""
    monkeypatch.setattr("bot.storage.audit.rows.secrets.token_bytes", lambda count: b"1" * count)
    await written(path, [AuditEntry(GUILD, NOW, ADA, AuditAction.LINK_REMOVED, "guild")])
    with by_hand(path) as connection:
        connection.execute("UPDATE pseudonyms SET salt = ?, guild_id = ?", (b"1" * 15, int(f"1{GUILD}")))

    assert fault_of(path) == (0, "pseudonym")


@pytest.mark.parametrize("number", [1, 24, 60])
async def test_any_byte_of_a_row(log: Path, number: int) -> None:
    """A change of any byte of a row in the file is found at that row."""
    with sqlite3.connect(log) as connection:
        query = "SELECT guild_id, at, actor, action, subject, detail, digest FROM audit WHERE id = ?"
        guild_id, at, *texts, digest = connection.execute(query, (number,)).fetchone()
    connection.close()
    values = guild_id.to_bytes(8) + at.to_bytes(6) + b"".join((text or "").encode() for text in texts) + digest
    content = log.read_bytes()
    assert content.count(values) == 1
    chance = random.Random(number)  # noqa: S311 -- which bits

    for position in range(content.index(values), content.index(values) + len(values)):
        descriptor = os.open(log, os.O_RDWR)
        os.pwrite(descriptor, bytes([content[position] ^ chance.randrange(1, 256)]), position)
        with reading(log) as (reader, _):
            report = check(reader)
        os.pwrite(descriptor, content[position : position + 1], position)
        os.close(descriptor)
        assert report.fault is not None
        assert report.fault.number == number


async def test_check_during_writes(log: Path) -> None:
    """The check reads one snapshot of the log during writes."""
    async with SqliteDatabase.open(log) as db:
        audit = SqlAuditRepository(db)
        checking = asyncio.create_task(asyncio.to_thread(inspect, log))
        while not checking.done():
            await audit.append(varied(1)[0])

        chain = (await checking).chain
    assert chain is not None
    assert chain.fault is None


async def test_returned_row(db: SqliteDatabase) -> None:
    """``append`` returns the row as it is read later, with its number and digest."""
    audit = SqlAuditRepository(db)
    rows = [await audit.append(entry) for entry in varied(20) if entry.guild_id == GUILD and "odd" not in entry.detail]

    assert list(reversed(await audit.newest(GUILD, limit=99))) == rows
    stored = await db.read("SELECT id, digest FROM audit ORDER BY id")
    assert [(row["id"], row["digest"].hex()) for row in stored] == [(row.number, row.digest) for row in rows]


@pytest.mark.parametrize(
    "change",
    [
        "action = 'access.grantee'",
        "action = CAST(x'ff' AS TEXT)",
        "actor = CAST(x'ff' AS TEXT)",
        "subject = CAST(x'ff' AS TEXT)",
        "detail = 'steam_id'",
        "detail = '{\"trade\": 4812}'",
        "detail = CAST(x'ff' AS TEXT)",
        "at = 9223372036854775807",
    ],
)
async def test_reading_a_damaged_row(log: Path, change: str) -> None:
    """A damaged row is returned as such by ``newest_as_found`` and left out by ``newest``."""
    async with SqliteDatabase.open(log) as db:
        audit = SqlAuditRepository(db)
        before = await audit.newest_as_found(GUILD, limit=99)
        with by_hand(log) as connection:
            connection.execute(f"UPDATE audit SET {change} WHERE id = 30")

        found = await audit.newest_as_found(GUILD, limit=99)
        assert found == [DamagedRow(30) if row.number == 30 else row for row in before]
        assert await audit.newest(GUILD, limit=99) == [row for row in before if row.number != 30]
    fault = fault_of(log)
    assert fault is not None
    assert fault[0] == 30
