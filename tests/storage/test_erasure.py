"""After an erasure the files hold nothing about the member."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.notes import Note
from bot.domain.resends import Outcome, ResendState, Settlement
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.links import SqlLinkRepository
from bot.storage.my_data import SqlMyDataRepository
from bot.storage.notes import SqlNoteRepository
from bot.storage.references import SqlReferenceRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.snapshots import SqlSnapshotRepository
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.watches import SqlWatchRepository
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
    BENS_ACCOUNT,
    GUILD,
    LATER,
    NOW,
    OTHER_GUILD,
    error,
    in_state,
    snapshot,
    trade,
    watch,
)
from tests.storage.audit_logs import fault_of

AT_LAST = NOW + RELINK_COOL_DOWN


def sightings(folder: Path) -> list[str]:
    """Return where in the files the user or the account is, as text or as an integer column."""
    found = []
    for file in folder.iterdir():
        content = file.read_bytes()
        for name, number in (("user", ADA), ("account", ADAS_ACCOUNT.value)):
            for form, sought in (
                ("text", str(number).encode()),
                ("text in UTF-16", str(number).encode("utf-16-le")),
                ("integer", number.to_bytes(8, "big")),
                ("integer", number.to_bytes(8, "little")),
            ):
                found += [f"{name} as {form} in {file.name}"] * content.count(sought)
        for form, sought in (("reason", b"the bot was offline"), ("items", trade().to_customer[0].asset_id.encode())):
            found += [f"{form} in {file.name}"] * content.count(sought)
    return found


async def live(db: SqliteDatabase) -> None:
    """Let a member use SkinDesk, and staff act on them; others too."""
    links, audit, resends = SqlLinkRepository(db), SqlAuditRepository(db), SqlResendRepository(db, "worker")
    await links.put(Link(GUILD, BEN, BENS_ACCOUNT, LinkSource.SIGN_IN, BEN, NOW))
    await links.put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW))
    for place, state in enumerate([state for state in ResendState if not state.is_open] * 6):
        await in_state(resends, state, trade_id=place)
        for number in range(5):
            subject = f"user:{ADA}" if number else f"steam:{ADAS_ACCOUNT}"
            detail = {"steam_id": str(ADAS_ACCOUNT), "game": "cs2"}
            await audit.append(AuditEntry(GUILD, LATER, BEN, AuditAction.INVENTORY_VIEWED, subject, detail))
    marked = await in_state(resends, ResendState.UNKNOWN, trade_id=99)
    await resends.settle(
        GUILD, marked.id, Settlement(sent=True, outcome=Outcome.MARKED, detail="the bot was offline", by=BEN), at=LATER
    )
    changed = await in_state(resends, ResendState.PENDING, trade_id=100)
    facts = replace(changed.facts, items_send=("1",))
    await resends.revise(GUILD, changed.id, facts, version=changed.version, at=LATER)
    await resends.deny(GUILD, changed.id, by=BEN, reason=None, at=LATER)
    await SqlWatchRepository(db).add(watch(), at_most=9)
    await SqlNoteRepository(db).add(Note(0, GUILD, ADA, ADAS_ACCOUNT, BEN, "the bot was offline", NOW), at_most=9)
    await SqlReferenceRepository(db).save(error())
    for number in range(9):
        await SqlSnapshotRepository(db).save(replace(snapshot(), id=f"p-{number}"))


async def test_the_files(path: Path) -> None:
    """After the cool-down no file holds the member's id, SteamID, reasons or items in any form."""
    async with SqliteDatabase.open(path) as db:
        await live(db)
        assert sightings(path.parent), "the search works"
        my_data = SqlMyDataRepository(db)
        await my_data.erase(GUILD, ADA, at=AT_LAST)
        await my_data.erase(GUILD, ADA, at=AT_LAST + RELINK_COOL_DOWN)
        await my_data.wipe()
        assert sightings(path.parent) == [], "while SkinDesk runs"

    assert sightings(path.parent) == []
    assert fault_of(path) is None


async def test_during_the_cool_down(path: Path) -> None:
    """During the cool-down the ended link is the only row about the member."""
    async with SqliteDatabase.open(path) as db:
        await live(db)
        my_data = SqlMyDataRepository(db)
        await my_data.erase(GUILD, ADA, at=AT_LAST)
        await my_data.wipe()

    assert {each.partition(" in ")[0] for each in sightings(path.parent)} == {"user as integer", "account as integer"}


class Wipes:
    """Stands in for ``db.wipe``: counts the calls, which end as given, and otherwise succeed."""

    def __init__(self, *ends: bool | BaseException) -> None:
        self._ends = list(ends)
        self.count = 0

    async def __call__(self) -> bool:
        self.count += 1
        end = self._ends.pop(0) if self._ends else True
        if isinstance(end, BaseException):
            raise end
        return end


async def test_wiping(db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is rewritten only after an erasure, and again if that failed."""
    wipe = Wipes(False, True)
    monkeypatch.setattr(db, "wipe", wipe)
    my_data = SqlMyDataRepository(db)
    for _ in range(4):
        await my_data.wipe()
    assert wipe.count == 2

    await my_data.erase(GUILD, ADA, at=NOW)
    for _ in range(2):
        await my_data.wipe()
    assert wipe.count == 3


@pytest.mark.parametrize("error", [sqlite3.DatabaseError(), asyncio.CancelledError()])
async def test_a_wipe_that_fails(db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """After a failed wipe the next round tries again."""
    wipe = Wipes(error)
    monkeypatch.setattr(db, "wipe", wipe)
    my_data = SqlMyDataRepository(db)
    with pytest.raises(type(error)):
        await my_data.wipe()
    for _ in range(2):
        await my_data.wipe()

    assert wipe.count == 2


async def test_cancelled_caller(db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """An erasure whose caller was cancelled counts, and the disk is wiped."""
    wipe = Wipes()
    monkeypatch.setattr(db, "wipe", wipe)
    my_data = SqlMyDataRepository(db)
    await my_data.wipe()
    erasing = asyncio.create_task(my_data.erase(GUILD, ADA, at=NOW))
    await asyncio.sleep(0)
    erasing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await erasing
    await db.write(lambda connection: None)  # after it
    await my_data.wipe()

    assert (await SqlAuditRepository(db).newest(GUILD, limit=1))[0].action is AuditAction.DATA_ERASED
    assert wipe.count == 2


async def test_running_cool_down(db: SqliteDatabase) -> None:
    """Erasing one's data is no way around the cool-down: the ended link keeps it."""
    await SqlLinkRepository(db).put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW))
    await db.write(lambda connection: connection.execute("UPDATE links SET resends_from = 4711").rowcount)
    await SqlMyDataRepository(db).erase(GUILD, ADA, at=LATER)

    (ended,) = await db.read("SELECT * FROM ended_links")
    assert (ended["user_id"], ended["steam_id"], ended["resends_from"]) == (ADA, ADAS_ACCOUNT.value, 4711)


async def test_sign_ins(db: SqliteDatabase) -> None:
    """A sign-in in progress is deleted, in that guild only."""
    rows = [("a", GUILD, ADA), ("b", GUILD, BEN), ("c", OTHER_GUILD, ADA)]

    def begin(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO sign_ins VALUES (?, ?, ?, 4711)", rows)

    await db.write(begin)
    await SqlMyDataRepository(db).erase(GUILD, ADA, at=LATER)

    assert [row["digest"] for row in await db.read("SELECT digest FROM sign_ins ORDER BY digest")] == ["b", "c"]
