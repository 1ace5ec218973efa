"""Each GrantRepository stores grants with audit rows, and seeds a guild once."""

import asyncio

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.audit import AuditAction
from bot.ports import AuditRepository, GrantRepository
from tests.contracts.samples import ADA, GUILD, NOW

MODERATORS = 700_000_000_000_000_001
SEED = {Grant(GUILD, GUILD, capability) for capability in SEEDED}
APPROVERS = Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND)


async def test_new_guild(grants: GrantRepository, audit: AuditRepository) -> None:
    """@everyone of a new guild gets the seed, with one audit row."""
    first = await grants.of_guild(GUILD)
    again = await grants.of_guild(GUILD)
    (entry,) = await audit.newest(GUILD, limit=10)

    assert set(first) == SEED
    assert again == first
    assert (entry.action, entry.actor_id, entry.subject) == (AuditAction.GUILD_SEEDED, None, "guild")
    assert entry.detail == {"capabilities": "inventory.own resend.own trades.own"}


async def test_seeded_once(grants: GrantRepository, audit: AuditRepository) -> None:
    """Concurrent first reads seed a guild once."""
    answers = await asyncio.gather(*(grants.of_guild(GUILD) for _ in range(20)))

    assert {frozenset(answer) for answer in answers} == {frozenset(SEED)}
    assert len(await audit.newest(GUILD, limit=10)) == 1


async def test_seed_revoked(grants: GrantRepository) -> None:
    """A revoked seed stays revoked."""
    for grant in await grants.of_guild(GUILD):
        assert await grants.revoke(grant, by=ADA, at=NOW)

    assert await grants.of_guild(GUILD) == ()


async def test_grant(grants: GrantRepository, audit: AuditRepository) -> None:
    """A grant counts at once and has an audit row; granting it again changes nothing."""
    assert await grants.grant(APPROVERS, by=ADA, at=NOW)
    assert set(await grants.of_guild(GUILD)) == SEED | {APPROVERS}

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.ACCESS_GRANTED, ADA, NOW)
    assert (entry.subject, entry.detail) == (f"role:{MODERATORS}", {"capability": "resend.approve"})
    assert await grants.grant(APPROVERS, by=ADA, at=NOW) is None
    assert (await audit.newest(GUILD, limit=1))[0] == entry


async def test_revoke(grants: GrantRepository, audit: AuditRepository) -> None:
    """A revocation counts at once, in each process that has read the grant; a second one changes nothing."""
    await grants.grant(APPROVERS, by=ADA, at=NOW)
    for _ in range(2):
        assert APPROVERS in await grants.of_guild(GUILD)

    assert await grants.revoke(APPROVERS, by=ADA, at=NOW)
    for _ in range(2):
        assert set(await grants.of_guild(GUILD)) == SEED
    assert not await grants.revoke(APPROVERS, by=ADA, at=NOW)
    assert [entry.action for entry in await audit.newest(GUILD, limit=2)] == [
        AuditAction.ACCESS_REVOKED,
        AuditAction.ACCESS_GRANTED,
    ]
