"""Each AuditRepository appends rows and finds them by user, action and subject."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.domain.audit import AuditAction, AuditEntry, AuditRow, ChainReport
from bot.ports import AuditRepository
from tests.contracts.engines import Repositories
from tests.contracts.samples import ADA, BEN, CLEO, GUILD, NOW, OTHER_GUILD

ENTRY = AuditEntry(GUILD, NOW, ADA, AuditAction.LINK_SET, f"user:{BEN}", {"steam_id": "76561197960265739"})


def entries_of(rows: Iterable[AuditRow]) -> list[AuditEntry]:
    return [AuditEntry(GUILD, row.at, row.actor_id, row.action, row.subject, row.detail) for row in rows]


async def test_append(audit: AuditRepository) -> None:
    """An entry comes back equal, with any characters in its details."""
    odd = replace(ENTRY, actor_id=None, detail={"name": "Ünï ★ \ud800 \0 '; DROP TABLE audit; --"})
    await audit.append(odd)

    assert entries_of(await audit.newest(GUILD, limit=10)) == [odd]


async def test_order(audit: AuditRepository) -> None:
    """The newest row is the one written last, even if the clock went back."""
    entries = [replace(ENTRY, subject=f"user:{n}", at=NOW - timedelta(minutes=n)) for n in range(5)]
    for entry in entries:
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=3)) == entries[:1:-1]
    assert await audit.newest(GUILD, limit=0) == []
    assert await audit.newest(GUILD, limit=-1) == []


async def test_by_user(audit: AuditRepository) -> None:
    """A user is found as actor and as subject, and not as a part of another id."""
    by_ada, to_ada = ENTRY, replace(ENTRY, actor_id=BEN, subject=f"user:{ADA}")
    for entry in (by_ada, to_ada, replace(ENTRY, actor_id=CLEO), replace(ENTRY, actor_id=CLEO, subject=f"user:{ADA}9")):
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=10, user_id=ADA)) == [to_ada, by_ada]


async def test_by_action(audit: AuditRepository) -> None:
    """Action and user are combined."""
    removed = replace(ENTRY, action=AuditAction.LINK_REMOVED)
    for entry in (ENTRY, removed, replace(removed, actor_id=CLEO)):
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=10, action=AuditAction.LINK_REMOVED, user_id=ADA)) == [removed]


async def test_by_user_as_staff(audit: AuditRepository) -> None:
    """A user's own actions and those as staff are found in one order."""
    denied = replace(ENTRY, action=AuditAction.RESEND_DENIED, subject="resend:7", detail={"requester": f"{BEN}"})
    for_themselves = replace(ENTRY, action=AuditAction.LINK_REMOVED, subject=f"user:{ADA}")
    for entry in (denied, for_themselves, replace(denied, actor_id=CLEO), denied):
        await audit.append(entry)

    assert entries_of(await audit.newest(GUILD, limit=10, user_id=ADA)) == [denied, for_themselves, denied]
    assert entries_of(await audit.newest(GUILD, limit=2, user_id=ADA)) == [denied, for_themselves]
    assert await audit.newest(GUILD, limit=10, user_id=BEN) == []


async def test_by_subject(audit: AuditRepository) -> None:
    """A subject is found by its exact spelling, also combined with the other filters."""
    subjects = (f"user:{BEN}", "steam:76561197960265739", "role:7", "resend:7", "guild")
    entries = {subject: replace(ENTRY, subject=subject) for subject in subjects}
    for entry in entries.values():
        await audit.append(entry)

    for subject, entry in entries.items():
        assert entries_of(await audit.newest(GUILD, limit=10, subject=subject)) == [entry]
        assert entries_of(await audit.newest(GUILD, limit=10, subject=subject, user_id=ADA)) == [entry]
        assert entries_of(await audit.newest(GUILD, limit=10, subject=subject, action=ENTRY.action)) == [entry]
        assert await audit.newest(GUILD, limit=10, subject=subject, user_id=CLEO) == []
        assert await audit.newest(GUILD, limit=10, subject=subject, action=AuditAction.LINK_REMOVED) == []
    assert entries_of(await audit.newest(GUILD, limit=10, subject=f"user:{BEN}", user_id=BEN)) == [entries[subjects[0]]]
    for absent in (f"user:{BEN}9", f"user:{CLEO}", f"steam:{BEN}", "resend:70", "user:", "user", "", "us%r:7"):
        assert await audit.newest(GUILD, limit=10, subject=absent) == []


async def test_chain(repositories: Repositories) -> None:
    """The chain covers the rows of all guilds."""
    assert repositories.chain() == ChainReport(0)

    for guild_id in (GUILD, OTHER_GUILD, GUILD):
        await repositories.audit.append(replace(ENTRY, guild_id=guild_id))

    assert repositories.chain() == ChainReport(3)
