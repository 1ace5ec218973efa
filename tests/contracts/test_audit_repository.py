"""What every AuditRepository does."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.domain.audit import AuditAction, AuditEntry, AuditRow
from bot.ports import AuditRepository
from tests.contracts.samples import ADA, BEN, CLEO, GUILD, NOW, OTHER_GUILD

ENTRY = AuditEntry(GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{BEN}", {"steam_id": "76561197960265739"})


def entries_of(rows: Iterable[AuditRow]) -> list[AuditEntry]:
    return [AuditEntry(GUILD, row.at, row.actor_id, row.action, row.subject, row.detail) for row in rows]


async def test_append(audit: AuditRepository) -> None:
    """An entry comes back as it was, whatever characters its facts have."""
    odd = replace(ENTRY, actor_id=None, detail={"name": "Ünï ★ \ud800 \0 '; DROP TABLE audit; --"})
    await audit.append(odd)

    assert entries_of(await audit.newest(GUILD, limit=10)) == [odd]


async def test_order(audit: AuditRepository) -> None:
    """The newest is what was written down last, even where the clock went back; ``limit`` counts from there."""
    entries = [replace(ENTRY, subject=f"user:{n}", at=NOW - timedelta(minutes=n)) for n in range(5)]
    for entry in entries:
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=3)) == entries[:1:-1]
    assert await audit.newest(GUILD, limit=0) == []
    assert await audit.newest(GUILD, limit=-1) == []


async def test_by_user(audit: AuditRepository) -> None:
    """A user is found as the one who did it and as the one it was done to, and not as a part of another id."""
    by_ada, to_ada = ENTRY, replace(ENTRY, actor_id=BEN, subject=f"user:{ADA}")
    for entry in (by_ada, to_ada, replace(ENTRY, actor_id=CLEO), replace(ENTRY, actor_id=CLEO, subject=f"user:{ADA}9")):
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=10, user_id=ADA)) == [to_ada, by_ada]


async def test_by_action(audit: AuditRepository) -> None:
    """Action and user narrow together."""
    removed = replace(ENTRY, action=AuditAction.LINK_REMOVED)
    for entry in (ENTRY, removed, replace(removed, actor_id=CLEO)):
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=10, action=AuditAction.LINK_REMOVED, user_id=ADA)) == [removed]


async def test_other_guild(audit: AuditRepository) -> None:
    """A guild's record is read with its own id only."""
    await audit.append(ENTRY)

    assert await audit.newest(OTHER_GUILD, limit=10) == []
    assert await audit.newest(OTHER_GUILD, limit=10, user_id=ADA) == []
