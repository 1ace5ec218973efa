"""What every GrantRepository does."""

import asyncio

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.audit import AuditAction
from bot.domain.settings import Setting
from bot.ports import AuditRepository, GrantRepository, GuildSettingsRepository
from tests.contracts.samples import ADA, GUILD, NOW, OTHER_GUILD

MODERATORS = 700_000_000_000_000_001
SEED = {Grant(GUILD, GUILD, capability) for capability in SEEDED}
APPROVERS = Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND)


async def test_new_guild(grants: GrantRepository, audit: AuditRepository) -> None:
    """@everyone of a guild that was never seen gets the seed and nothing else, and that is written down once."""
    first = await grants.of_guild(GUILD)
    again = await grants.of_guild(GUILD)
    (entry,) = await audit.newest(GUILD, limit=10)

    assert set(first) == SEED
    assert again == first
    assert (entry.action, entry.actor_id, entry.subject) == (AuditAction.GUILD_SEEDED, None, "guild")
    assert entry.detail == {"capabilities": "inventory.own resend.own trades.own"}


async def test_seen_by_many_at_once(grants: GrantRepository, audit: AuditRepository) -> None:
    """A guild is seeded once, however many ask first."""
    answers = await asyncio.gather(*(grants.of_guild(GUILD) for _ in range(20)))

    assert {frozenset(answer) for answer in answers} == {frozenset(SEED)}
    assert len(await audit.newest(GUILD, limit=10)) == 1


async def test_seed_revoked(grants: GrantRepository) -> None:
    """A revoked seed stays revoked, down to the last one."""
    for grant in await grants.of_guild(GUILD):
        assert await grants.revoke(grant, by=ADA, at=NOW)

    assert await grants.of_guild(GUILD) == ()


async def test_seed_revoked_before_it_was_looked_at(grants: GrantRepository) -> None:
    """The first thing done in a guild can be to take a seed away."""
    gone = Grant(GUILD, GUILD, Capability.RESEND_OWN)

    assert await grants.revoke(gone, by=ADA, at=NOW)
    assert set(await grants.of_guild(GUILD)) == SEED - {gone}


async def test_guild_with_settings(grants: GrantRepository, guild_settings: GuildSettingsRepository) -> None:
    """Having set something is not having been seeded."""
    await guild_settings.set_channel(GUILD, Setting.APPROVALS_CHANNEL, 5, by=ADA, at=NOW)

    assert set(await grants.of_guild(GUILD)) == SEED
    assert (await guild_settings.of_guild(GUILD)).approvals_channel_id == 5


async def test_grant(grants: GrantRepository, audit: AuditRepository) -> None:
    """A grant is there at once, and written down with who, whom and what."""
    assert await grants.grant(APPROVERS, by=ADA, at=NOW)
    assert set(await grants.of_guild(GUILD)) == SEED | {APPROVERS}

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.ACCESS_GRANTED, ADA, NOW)
    assert (entry.subject, entry.detail) == (f"role:{MODERATORS}", {"capability": "resend.approve"})


async def test_granted_already(grants: GrantRepository, audit: AuditRepository) -> None:
    """Granting twice changes nothing and is not written down twice."""
    await grants.grant(APPROVERS, by=ADA, at=NOW)
    rows = len(await audit.newest(GUILD, limit=10))

    assert not await grants.grant(APPROVERS, by=ADA, at=NOW)
    assert len(await audit.newest(GUILD, limit=10)) == rows


async def test_revoke(grants: GrantRepository, audit: AuditRepository) -> None:
    """A revocation counts at once; the second one finds nothing."""
    await grants.grant(APPROVERS, by=ADA, at=NOW)

    assert await grants.revoke(APPROVERS, by=ADA, at=NOW)
    assert not await grants.revoke(APPROVERS, by=ADA, at=NOW)
    assert set(await grants.of_guild(GUILD)) == SEED
    assert [entry.action for entry in await audit.newest(GUILD, limit=2)] == [
        AuditAction.ACCESS_REVOKED,
        AuditAction.ACCESS_GRANTED,
    ]


async def test_other_guild(grants: GrantRepository) -> None:
    """Nothing of one guild is read or revoked with another one's id, even for a role of the same id."""
    await grants.grant(APPROVERS, by=ADA, at=NOW)
    elsewhere = Grant(OTHER_GUILD, MODERATORS, Capability.APPROVE_RESEND)

    assert not await grants.revoke(elsewhere, by=ADA, at=NOW)
    assert APPROVERS in await grants.of_guild(GUILD)
    assert {grant.guild_id for grant in await grants.of_guild(OTHER_GUILD)} == {OTHER_GUILD}
