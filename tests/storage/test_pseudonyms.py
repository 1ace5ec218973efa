"""The audit log names people by pseudonyms, which lead to them until they are erased."""

import hashlib
import itertools
import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditEntry, AuditRow, PseudonymKind
from bot.storage.audit.log import SqlAuditRepository, rows_about
from bot.storage.audit.rows import PSEUDONYM, SALT_BYTES, erase_person, person, pseudonym_of, pseudonyms_for
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW, OTHER_GUILD
from tests.storage.audit_logs import by_hand, fault_of, varied, written

LINKED = AuditEntry(
    GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{ADA}", {"steam_id": str(ADAS_ACCOUNT), "source": "sign_in"}
)
ID = re.compile(rb"[0-9]{17}")


async def _erase(db: SqliteDatabase, *people: tuple[int, PseudonymKind, int]) -> None:
    def job(connection: sqlite3.Connection) -> None:
        for one in people:
            erase_person(connection, *one)

    await db.write(job)


async def _newest(db: SqliteDatabase, **wanted) -> Sequence[AuditRow]:
    return await SqlAuditRepository(db).newest(GUILD, limit=100, **wanted)


async def test_no_id_in_the_log(path: Path) -> None:
    """No row has a Discord id or a SteamID in any column."""
    await written(path, varied())

    with by_hand(path) as connection:
        rows = connection.execute("SELECT actor, action, subject, detail FROM audit").fetchall()
        people = connection.execute("SELECT DISTINCT kind, value FROM pseudonyms").fetchall()
    assert len(rows) == 60
    assert [row for row in rows if ID.search(repr(row).encode())] == []
    assert {PSEUDONYM.fullmatch(row[0]) is not None for row in rows if row[0] is not None} == {True}
    assert {kind for kind, _ in people} == set(PseudonymKind)
    assert {value for _, value in people} == {str(one) for one in (ADA, BEN, CLEO, ADAS_ACCOUNT, BENS_ACCOUNT)}


async def test_pseudonym_with_as_many_digits_as_an_id(db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudonym with as many digits as an id could be taken for one, so another one is drawn."""
    ada, draws = person(PseudonymKind.USER, ADA), itertools.count()
    salts = [number.to_bytes(SALT_BYTES) for number in range(100_000)]
    unlucky = next(place for place, salt in enumerate(salts) if ID.search(pseudonym_of(salt, GUILD, *ada).encode()))
    monkeypatch.setattr("bot.storage.audit.rows.secrets.token_bytes", lambda _: salts[unlucky + next(draws)])

    names = await db.write(lambda connection: pseudonyms_for(connection, GUILD, [ada]))

    assert names == {ada: pseudonym_of(salts[unlucky + 1], GUILD, *ada)}


async def test_proof(path: Path) -> None:
    """A pseudonym can be recomputed from its row, with a salt of its own."""
    await written(path, varied())

    with by_hand(path) as connection:
        rows = connection.execute("SELECT pseudonym, guild_id, kind, value, salt FROM pseudonyms").fetchall()
    for pseudonym, guild_id, kind, value, salt in rows:
        assert hashlib.sha256(salt + f"{guild_id}:{kind}:{value}".encode()).hexdigest()[:20] == pseudonym
    assert {len(salt) for *_, salt in rows} == {16}
    assert len({salt for *_, salt in rows}) == len(rows)


async def test_same_person(db: SqliteDatabase) -> None:
    """A person keeps their pseudonym, but has another one in each guild and as staff."""
    audit = SqlAuditRepository(db)
    for guild_id in (GUILD, OTHER_GUILD):
        for action in (AuditAction.LINK_REMOVED, AuditAction.LINK_REMOVED, AuditAction.ACCESS_GRANTED):
            await audit.append(AuditEntry(guild_id, NOW, ADA, action, "guild"))
    rows = await db.read("SELECT actor FROM audit ORDER BY id")
    first, again, staff, *elsewhere = [row["actor"] for row in rows]

    assert first == again
    assert len({first, staff, *elsewhere}) == 4


@pytest.mark.parametrize("odd", ["", "none", "76561197960265739 ", "007", "Ünï ★ \0", "\ud800", "9" * 40, "user:1"])
async def test_odd_person(db: SqliteDatabase, path: Path, odd: str) -> None:
    """Any text in the place of a person is stored as a pseudonym."""
    audit = SqlAuditRepository(db)
    details = dict.fromkeys(PERSONAL_DETAILS, odd)
    await audit.append(AuditEntry(GUILD, NOW, None, AuditAction.LINK_SET, f"user:{odd}", details))
    (stored,) = await db.read("SELECT subject, detail FROM audit")
    (row,) = await audit.newest(GUILD, limit=1, subject=f"user:{odd}")

    assert re.fullmatch(r"user:[0-9a-f]{20}", stored["subject"])
    assert all(PSEUDONYM.fullmatch(value) for value in json.loads(stored["detail"]).values())
    shown = json.dumps(odd)[1:-1]
    assert (row.subject, dict(row.detail)) == (f"user:{shown}", dict.fromkeys(PERSONAL_DETAILS, shown))
    assert fault_of(path) is None


async def test_erased(db: SqliteDatabase, path: Path) -> None:
    """An erased person is shown by pseudonym, no filter finds them, and the log can be verified as before."""
    audit = SqlAuditRepository(db)
    await audit.append(LINKED)

    await _erase(db, (GUILD, PseudonymKind.USER, ADA), (GUILD, PseudonymKind.STEAM, ADAS_ACCOUNT.value))

    (row,) = await _newest(db)
    assert re.fullmatch("erased:[0-9a-f]{20}", row.actor)
    assert row.actor == row.subject
    assert row.actor_id is None
    assert re.fullmatch("erased:[0-9a-f]{20}", row.detail["steam_id"])
    assert row.detail["steam_id"] != row.actor
    assert row.detail["source"] == "sign_in"
    assert await _newest(db, user_id=ADA) == []
    assert await _newest(db, subject=f"user:{ADA}") == []
    assert await rows_about(db.read, GUILD, user_id=ADA, steam_ids=[ADAS_ACCOUNT.value]) == ()
    assert fault_of(path) is None


async def test_after_the_erasure(db: SqliteDatabase, path: Path) -> None:
    """Later rows have a new pseudonym, which nothing connects with the old one."""
    audit = SqlAuditRepository(db)
    await audit.append(LINKED)
    await _erase(db, (GUILD, PseudonymKind.USER, ADA))
    await audit.append(LINKED)
    after, before = await _newest(db)

    assert after.actor == f"user:{ADA}"
    assert before.actor.startswith("erased:")
    assert [row.number for row in await _newest(db, user_id=ADA)] == [2]
    assert len({row["actor"] for row in await db.read("SELECT actor FROM audit")}) == 2
    assert fault_of(path) is None


async def test_staff_is_not_erased(db: SqliteDatabase) -> None:
    """Actions as staff keep their actor after the user's own actions are erased."""
    audit = SqlAuditRepository(db)
    await audit.append(LINKED)
    await audit.append(AuditEntry(GUILD, NOW, ADA, AuditAction.RESEND_DENIED, "resend:7"))
    await _erase(db, (GUILD, PseudonymKind.USER, ADA))

    assert [row.actor_id for row in await _newest(db)] == [ADA, None]
    assert [row.number for row in await _newest(db, user_id=ADA)] == [2]
    with pytest.raises(ValueError, match="staff"):
        await _erase(db, (GUILD, PseudonymKind.STAFF, ADA))
    assert [row.actor_id for row in await _newest(db)] == [ADA, None]


async def test_rows_about(db: SqliteDatabase) -> None:
    """Every row that names a person is found: as actor, as subject, and their accounts in the details."""
    audit, account = SqlAuditRepository(db), str(ADAS_ACCOUNT)
    subjects: list[tuple[int | None, AuditAction, str, dict[str, str]]] = [
        (ADA, AuditAction.LINK_REMOVED, "guild", {}),
        (ADA, AuditAction.ACCESS_GRANTED, "role:1", {}),
        (BEN, AuditAction.LINK_SET, f"user:{ADA}", {}),
        (BEN, AuditAction.RESEND_DENIED, "resend:1", {"requester": str(ADA)}),
        (BEN, AuditAction.TRADES_VIEWED, f"steam:{account}", {}),
        (None, AuditAction.RESEND_SENT, "resend:1", {"owner": account}),
        (BEN, AuditAction.LINK_SET, f"user:{BEN}", {"steam_id": account}),
        (BEN, AuditAction.LINK_SET, f"user:{BEN}", {"instead_of": account, "steam_id": str(BENS_ACCOUNT)}),
        (BEN, AuditAction.LINK_SET, f"user:{BEN}", {"steam_id": str(BENS_ACCOUNT), "other": account}),
        (CLEO, AuditAction.ACCESS_GRANTED, f"role:{ADA}", {"capability": str(ADA)}),
    ]
    for actor_id, action, subject, detail in subjects:
        await audit.append(AuditEntry(GUILD, NOW, actor_id, action, subject, detail))
    await audit.append(AuditEntry(OTHER_GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{ADA}", {"steam_id": account}))

    async def numbers(**whom) -> list[int]:
        return [row.number for row in await rows_about(db.read, GUILD, **whom)]

    assert await numbers(user_id=ADA) == [4, 3, 2, 1]
    assert await numbers(steam_ids=[ADAS_ACCOUNT.value]) == [8, 7, 6, 5]
    assert await numbers(user_id=ADA, steam_ids=[ADAS_ACCOUNT.value, 1]) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert await numbers(user_id=5) == []
    assert await numbers() == []
