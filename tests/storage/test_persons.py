"""People are in the record by pseudonyms, which lead to them until they are forgotten and never again."""

# ruff: noqa: S608 -- the statements are put together of words in this file

import asyncio
import hashlib
import itertools
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditEntry, AuditRow, PseudonymKind
from bot.storage.audit.log import SqliteAuditRepository, concerning
from bot.storage.audit.pseudonyms import PSEUDONYM, SALT_BYTES, forget_person, introduce, person, pseudonym_of
from bot.storage.database import Database
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, NOW, OTHER_GUILD
from tests.storage.records import by_hand, faults, varied, written

LINKED = AuditEntry(
    GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{ADA}", {"steam_id": str(ADAS_ACCOUNT), "source": "sign_in"}
)
ID = re.compile(rb"[0-9]{17}")


async def _forget(db: Database, *people: tuple[int, PseudonymKind, int]) -> list[bool]:
    async def unit(connection) -> list[bool]:
        return [await forget_person(connection, *somebody) for somebody in people]

    return await db.write(unit)


async def _newest(db: Database, **wanted) -> Sequence[AuditRow]:
    return await SqliteAuditRepository(db).newest(GUILD, limit=100, **wanted)


async def test_no_id_in_the_record(path: Path) -> None:
    """No row has a Discord id or a SteamID in any column, whatever was written down."""
    await written(path, varied())

    with by_hand(path) as connection:
        rows = connection.execute("SELECT actor, action, subject, detail FROM audit").fetchall()
        people = connection.execute("SELECT DISTINCT kind, value FROM persons").fetchall()
    assert len(rows) == 60
    assert [row for row in rows if ID.search(repr(row).encode())] == []
    assert {PSEUDONYM.fullmatch(row[0]) is not None for row in rows if row[0] is not None} == {True}
    assert {kind for kind, _ in people} == set(PseudonymKind)
    assert {value for _, value in people} == {str(one) for one in (ADA, BEN, CLEO, ADAS_ACCOUNT, BENS_ACCOUNT)}


def test_no_pseudonym_reads_as_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudonym that happens to be all digits could be taken for somebody's id: another one is drawn."""
    somebody, draws = person(PseudonymKind.USER, ADA), itertools.count()
    salts = [number.to_bytes(SALT_BYTES) for number in range(100_000)]
    unlucky = next(
        place for place, salt in enumerate(salts) if ID.search(pseudonym_of(salt, GUILD, *somebody).encode())
    )
    monkeypatch.setattr("bot.storage.audit.pseudonyms.secrets.token_bytes", lambda _: salts[unlucky + next(draws)])

    assert introduce(GUILD, somebody).salt == salts[unlucky + 1]


async def test_proof(path: Path) -> None:
    """Anybody can recompute a pseudonym from its row; nobody who lacks the salt can, and each has another."""
    await written(path, varied())

    with by_hand(path) as connection:
        rows = connection.execute("SELECT pseudonym, guild_id, kind, value, salt FROM persons").fetchall()
    for pseudonym, guild_id, kind, value, salt in rows:
        assert hashlib.sha256(salt + f"{guild_id}:{kind}:{value}".encode()).hexdigest()[:20] == pseudonym
    assert {len(salt) for *_, salt in rows} == {16}
    assert len({salt for *_, salt in rows}) == len(rows)


async def test_one_pseudonym_each(db: Database) -> None:
    """Somebody keeps their pseudonym, but has another in each guild and as another kind."""
    audit = SqliteAuditRepository(db)
    for guild_id in (GUILD, OTHER_GUILD):
        for action in (AuditAction.LINK_REMOVED, AuditAction.LINK_REMOVED, AuditAction.ACCESS_GRANTED):
            await audit.append(AuditEntry(guild_id, NOW, ADA, action, "guild"))
    rows = await db.read("SELECT actor FROM audit ORDER BY id")
    first, again, staff, *elsewhere = [row["actor"] for row in rows]

    assert first == again
    assert len({first, staff, *elsewhere}) == 4


@pytest.mark.parametrize("odd", ["", "nobody", "76561197960265739 ", "007", "Ünï ★ \0", "\ud800", "9" * 40, "user:1"])
async def test_odd_person(db: Database, odd: str) -> None:
    """Whatever stands where a person belongs is behind a pseudonym, and no reason to refuse what is done."""
    audit = SqliteAuditRepository(db)
    details = dict.fromkeys(PERSONAL_DETAILS, odd)
    await audit.append(AuditEntry(GUILD, NOW, None, AuditAction.LINK_SET, f"user:{odd}", details))
    (stored,) = await db.read("SELECT subject, detail FROM audit")
    (row,) = await audit.newest(GUILD, limit=1, subject=f"user:{odd}")

    assert re.fullmatch(r"user:[0-9a-f]{20}", stored["subject"])
    assert all(PSEUDONYM.fullmatch(value) for value in json.loads(stored["detail"]).values())
    shown = json.dumps(odd)[1:-1]
    assert (row.subject, dict(row.detail)) == (f"user:{shown}", dict.fromkeys(PERSONAL_DETAILS, shown))
    assert (await audit.verify()).faults == ()


async def test_forgotten(db: Database) -> None:
    """Who is forgotten reads as such wherever they stood, is found by nothing, and the record is whole as before."""
    audit = SqliteAuditRepository(db)
    await audit.append(LINKED)
    user, account = (GUILD, PseudonymKind.USER, ADA), (GUILD, PseudonymKind.STEAM, ADAS_ACCOUNT.value)

    assert await _forget(db, user, account) == [True, True]

    (row,) = await _newest(db)
    assert re.fullmatch("erased:[0-9a-f]{20}", row.actor)
    assert row.actor == row.subject
    assert row.actor_id is None
    assert re.fullmatch("erased:[0-9a-f]{20}", row.detail["steam_id"])
    assert row.detail["steam_id"] != row.actor
    assert row.detail["source"] == "sign_in"
    assert await _newest(db, user_id=ADA) == []
    assert await _newest(db, subject=f"user:{ADA}") == []
    assert await concerning(db, GUILD, user_id=ADA, steam_ids=[ADAS_ACCOUNT.value]) == ()
    assert (await audit.verify()).faults == ()
    assert await _forget(db, user, account) == [False, False]


async def test_after_forgetting(db: Database) -> None:
    """What is written later has a new pseudonym: nothing ties it to what was before."""
    audit = SqliteAuditRepository(db)
    await audit.append(LINKED)
    await _forget(db, (GUILD, PseudonymKind.USER, ADA))
    await audit.append(LINKED)
    after, before = await _newest(db)

    assert after.actor == f"user:{ADA}"
    assert before.actor.startswith("erased:")
    assert [row.number for row in await _newest(db, user_id=ADA)] == [2]
    stored = [row["actor"] for row in await db.read("SELECT actor FROM audit")]
    assert len(set(stored)) == 2
    assert (await audit.verify()).faults == ()


async def test_forgotten_in_one_guild(db: Database) -> None:
    """A guild that forgets somebody does not make another one forget them."""
    await SqliteAuditRepository(db).append(LINKED)

    assert await _forget(db, (OTHER_GUILD, PseudonymKind.USER, ADA)) == [False]
    assert (await _newest(db))[0].actor == f"user:{ADA}"


async def test_staff_is_not_forgotten(db: Database) -> None:
    """What somebody did to others stays theirs, also after what they did for themselves is forgotten."""
    audit = SqliteAuditRepository(db)
    await audit.append(LINKED)
    await audit.append(AuditEntry(GUILD, NOW, ADA, AuditAction.RESEND_DENIED, "resend:7"))
    await _forget(db, (GUILD, PseudonymKind.USER, ADA))

    assert [row.actor_id for row in await _newest(db)] == [ADA, None]
    assert [row.number for row in await _newest(db, user_id=ADA)] == [2]
    with pytest.raises(ValueError, match="staff"):
        await _forget(db, (GUILD, PseudonymKind.STAFF, ADA))
    assert [row.actor_id for row in await _newest(db)] == [ADA, None]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        # Row 1 has them all; of the accounts, row 2 is the first that names another.
        (f"UPDATE persons SET value = '{CLEO}9' WHERE kind = 'user' AND value = '{ADA}'", {1: "person"}),
        ("UPDATE persons SET salt = zeroblob(16) WHERE kind = 'user'", {1: "person"}),
        ("UPDATE persons SET salt = x'' WHERE kind = 'steam'", {1: "person"}),
        ("UPDATE persons SET guild_id = guild_id + 1 WHERE kind = 'user'", {1: "person"}),
        ("UPDATE persons SET kind = 'steam' WHERE kind = 'user'", {1: "person"}),
        ("UPDATE persons SET value = CAST(x'ff' AS TEXT) WHERE kind = 'user'", {1: "person"}),
        ("UPDATE persons SET pseudonym = '0123456789abcdef0123' WHERE kind = 'user'", {1: "person"}),
        ("UPDATE persons SET pseudonym = 'nobody', salt = x'00' WHERE kind = 'user'", {0: "person"}),
        ("UPDATE persons SET value = '1' WHERE kind = 'staff'", {2: "person"}),
        ("DELETE FROM persons WHERE kind = 'staff'", {2: "person"}),
        ("DELETE FROM persons WHERE kind <> 'staff'", {}),
    ],
)
async def test_changed_person(path: Path, change: str, found: dict[int, str]) -> None:
    """Whom a pseudonym stands for cannot be changed, only erased: the first row that has it is named."""
    await written(path, [LINKED, AuditEntry(GUILD, NOW, BEN, AuditAction.RESEND_DENIED, "resend:7"), LINKED])
    with by_hand(path) as connection:
        connection.execute(change)

    assert await faults(path) == found


async def test_digit_moved_between_columns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digit that goes over from the salt to the guild's id leaves the hash as it is, and is noticed all the same."""
    monkeypatch.setattr("bot.storage.audit.pseudonyms.secrets.token_bytes", lambda count: b"1" * count)
    await written(path, [LINKED])
    with by_hand(path) as connection:
        moved = (b"1" * 15, int(f"1{GUILD}"))
        connection.execute("UPDATE persons SET salt = ?, guild_id = ? WHERE kind = 'user'", moved)

    assert await faults(path) == {1: "person"}


async def test_every_byte_of_a_person(path: Path) -> None:
    """One byte of a person's row or another: the check names the row of the record that uses it."""
    await written(path, [LINKED])
    with by_hand(path) as connection:
        (row,) = connection.execute("SELECT * FROM persons WHERE kind = 'user'").fetchall()
        for column, value in zip(("pseudonym", "guild_id", "kind", "value", "salt"), row, strict=True):
            stored = value if isinstance(value, bytes) else str(value).encode()
            for position in range(len(stored)):
                other = bytearray(stored)
                other[position] ^= 1
                changed: object = int(other) if column == "guild_id" else bytes(other)
                taken = "CAST(:changed AS TEXT)" if isinstance(value, str) else ":changed"
                connection.execute("PRAGMA ignore_check_constraints = ON")
                connection.execute(f"UPDATE persons SET {column} = {taken} WHERE kind <> 'steam'", {"changed": changed})
                assert await faults(path) == {1: "person"}, (column, position)
                connection.execute(f"UPDATE persons SET {column} = :value WHERE kind <> 'steam'", {"value": value})


async def test_concerning(db: Database) -> None:
    """All that names somebody is found: what they did, what was done to them, and their accounts in the details."""
    audit, account = SqliteAuditRepository(db), str(ADAS_ACCOUNT)
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
        return [row.number for row in await concerning(db, GUILD, **whom)]

    assert await numbers(user_id=ADA) == [4, 3, 2, 1]
    assert await numbers(steam_ids=[ADAS_ACCOUNT.value]) == [8, 7, 6, 5]
    assert await numbers(user_id=ADA, steam_ids=[ADAS_ACCOUNT.value, 1]) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert await numbers(user_id=5) == []
    assert await numbers() == []


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("append"),
            st.integers(0, 8),
            st.integers(0, 8),
            st.sampled_from([AuditAction.LINK_REMOVED, AuditAction.RESEND_CANCELLED, AuditAction.DATA_EXPORTED]),
            st.sampled_from(["user", "steam", "guild"]),
        ),
        st.tuples(st.just("forget"), st.integers(0, 8)),
    ),
    max_size=60,
)


@settings(max_examples=20)
@given(steps=STEPS)
def test_any_history(steps) -> None:
    """After any appends and forgettings the chain holds, and nobody forgotten is anywhere in the files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.db"
        rows, gone = asyncio.run(_live(path, steps))
        left = [str(n) for n in gone if any(str(n).encode() in file.read_bytes() for file in path.parent.iterdir())]

        assert left == []
        assert asyncio.run(faults(path)) == {}
        with by_hand(path) as connection:
            assert connection.execute("SELECT count(*) FROM audit").fetchone() == (rows,)


async def _live(path: Path, steps) -> tuple[int, set[int]]:
    """Go through a history; return how many rows it has and whose ids must not be there after it."""
    rows, gone = 0, set[int]()
    async with Database.open(path) as db:
        audit = SqliteAuditRepository(db)
        for step, *what in steps:
            if step == "append":
                who, whom, action, word = what
                subject = {"user": f"user:{ADA + whom}", "steam": f"steam:{ADAS_ACCOUNT.value + whom}"}.get(word, word)
                detail = {"owner": str(ADAS_ACCOUNT.value + who), "requester": str(ADA + whom)}
                await audit.append(AuditEntry(GUILD, NOW, ADA + who, action, subject, detail))
                gone -= {ADA + who, ADA + whom, ADAS_ACCOUNT.value + who, ADAS_ACCOUNT.value + whom}
                rows += 1
            else:
                ids = {ADA + what[0]: PseudonymKind.USER, ADAS_ACCOUNT.value + what[0]: PseudonymKind.STEAM}
                await _forget(db, *((GUILD, kind, value) for value, kind in ids.items()))
                gone |= ids.keys()
        assert (await audit.verify()).rows == rows
        await db.wipe()
        for file in path.parent.iterdir():
            content = file.read_bytes()
            assert [value for value in gone if str(value).encode() in content] == []
    return rows, gone
