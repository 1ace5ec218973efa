"""Grants and revocations, who may change them, and reviews of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.access import SEEDED, Actor, Capability, Grant
from bot.domain.access_doctor import Concern, RoleFacts
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied
from bot.domain.settings import Setting
from bot.services.access import AccessService
from bot.services.audit import AuditService
from tests.contracts.engines import ENGINES, Repositories
from tests.domain.builders import NOW
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock

GUILD, OTHER_GUILD, SUPPORT = 100, 200, 7
OWNER = Actor(GUILD, 1, frozenset({GUILD}), administers=True)
MEMBER = Actor(GUILD, 2, frozenset({GUILD}))
AGENT = Actor(GUILD, 3, frozenset({GUILD, SUPPORT}))
ROLES = (RoleFacts(GUILD, 0), RoleFacts(SUPPORT, 1))


class Services:
    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self.channel = FakeAuditChannel()
        self.clock = FakeClock(NOW)
        rows = repositories.audit
        audit = AuditService(rows=rows, settings=repositories.settings, channel=self.channel, clock=self.clock)
        self.access = AccessService(
            grants=repositories.grants, links=repositories.links, rows=rows, audit=audit, clock=self.clock
        )


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        yield Services(repositories)


async def test_new_guild(services: Services):
    """Everyone has the seeded capabilities; administrators also what a first grant needs."""
    assert await services.access.capabilities_of(MEMBER) == SEEDED
    assert await services.access.capabilities_of(AGENT) == SEEDED
    bootstrap = {Capability.MANAGE_ACCESS, Capability.MANAGE_SETTINGS}
    assert await services.access.capabilities_of(OWNER) == SEEDED | bootstrap
    for capability in set(Capability) - SEEDED:
        with pytest.raises(AccessDenied) as denied:
            await services.access.require(capability, of=MEMBER)
        assert denied.value.capability is capability


async def test_granted_and_revoked(services: Services):
    """Both count at once, and the second time changes nothing."""
    assert (await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    assert not (await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    await services.access.require(Capability.TRADES_ANY, of=AGENT)
    assert await services.access.capabilities_of(AGENT) == SEEDED | {Capability.TRADES_ANY}
    with pytest.raises(AccessDenied):
        await services.access.require(Capability.TRADES_ANY, of=MEMBER)

    assert (await services.access.revoke(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    assert not (await services.access.revoke(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    with pytest.raises(AccessDenied):
        await services.access.require(Capability.TRADES_ANY, of=AGENT)


async def test_seeded_capabilities_can_be_revoked(services: Services):
    for capability in SEEDED:
        await services.access.revoke(GUILD, capability, by=OWNER)

    assert await services.access.capabilities_of(MEMBER) == frozenset()
    assert await services.access.grants(by=OWNER) == ()


async def test_who_may_change_grants(services: Services):
    """Only holders of access.manage read, explain or change grants."""
    for actor in (MEMBER, AGENT):
        with pytest.raises(AccessDenied):
            await services.access.grant(SUPPORT, Capability.MANAGE_ACCESS, by=actor)
        with pytest.raises(AccessDenied):
            await services.access.revoke(GUILD, Capability.TRADES_OWN, by=actor)
        with pytest.raises(AccessDenied) as denied:
            await services.access.grants(by=actor)
        assert denied.value.capability is Capability.MANAGE_ACCESS
        for refused in (
            services.access.why(OWNER, Capability.READ_AUDIT, by=actor),
            services.access.review(ROLES, by=actor),
            services.access.revoke_deleted({GUILD}, by=actor),
        ):
            with pytest.raises(AccessDenied):
                await refused
    assert await services.access.capabilities_of(AGENT) == SEEDED

    await services.access.grant(SUPPORT, Capability.MANAGE_ACCESS, by=OWNER)
    assert (await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=AGENT)).changed


async def test_another_guild(services: Services):
    """Roles, grants and owners of another guild do not count."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    elsewhere = replace(AGENT, guild_id=OTHER_GUILD)
    assert Capability.TRADES_ANY not in await services.access.capabilities_of(elsewhere)

    await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=replace(OWNER, guild_id=OTHER_GUILD))
    assert Capability.READ_AUDIT not in await services.access.capabilities_of(AGENT)
    assert Grant(OTHER_GUILD, SUPPORT, Capability.READ_AUDIT) not in await services.access.grants(by=OWNER)


async def test_posts(services: Services):
    """Only changes are posted, and only if the guild has an audit channel."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    assert services.channel.posts == [], "no channel is set yet"

    await services.repositories.settings.set_channel(GUILD, Setting.AUDIT_CHANNEL, 9, by=OWNER.user_id, at=NOW)
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    await services.access.revoke(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    with pytest.raises(AccessDenied):
        await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=AGENT)

    (entry,) = services.channel.posts
    assert entry.action is AuditAction.ACCESS_REVOKED
    assert (entry.guild_id, entry.actor_id, entry.subject) == (GUILD, OWNER.user_id, f"role:{SUPPORT}")
    assert entry.detail == {"capability": "trades.any"}
    assert entry.at == NOW


# Reviews


async def test_why(services: Services):
    """The row is that of the current grant, or of the guild's seeding."""
    seeded = await services.access.why(AGENT, Capability.TRADES_OWN, by=OWNER)
    for capability in (Capability.TRADES_ANY, Capability.READ_AUDIT):
        for change in (services.access.grant, services.access.revoke, services.access.grant):
            await change(SUPPORT, capability, by=OWNER)

    why = await services.access.why(AGENT, Capability.TRADES_ANY, by=OWNER)

    ((role_id, row),) = why.rows
    rows = await services.repositories.audit.newest(GUILD, limit=99, subject=f"role:{SUPPORT}")
    about = [each.number for each in rows if each.detail["capability"] == "trades.any"]
    assert role_id == SUPPORT
    assert row is not None
    assert row.number == max(about)
    assert row.action is AuditAction.ACCESS_GRANTED
    ((_, first),) = seeded.rows
    assert first is not None
    assert first.action is AuditAction.GUILD_SEEDED


async def test_why_of_a_seeded_capability_granted_again(services: Services):
    await services.access.revoke(GUILD, Capability.TRADES_OWN, by=OWNER)
    await services.access.grant(GUILD, Capability.TRADES_OWN, by=OWNER)

    ((_, row),) = (await services.access.why(MEMBER, Capability.TRADES_OWN, by=OWNER)).rows
    assert row is not None
    assert row.action is AuditAction.ACCESS_GRANTED


async def test_review(services: Services):
    await services.access.grant(GUILD, Capability.TRADES_ANY, by=OWNER)
    review = await services.access.review(ROLES, by=OWNER)

    assert {grant.capability for grant in review.grants} == SEEDED | {Capability.TRADES_ANY}
    assert [each.concern for each in review.findings] == [Concern.NO_APPROVER, Concern.EVERYONE]


async def test_deleted_roles(services: Services):
    """Every grant of a deleted role is revoked, with its audit row; no other grant is."""
    elsewhere = Grant(OTHER_GUILD, 99, Capability.TRADES_ANY)
    await services.repositories.grants.grant(elsewhere, by=1, at=services.clock.now())
    for role_id in (SUPPORT, 98, 99):
        await services.access.grant(role_id, Capability.TRADES_ANY, by=OWNER)

    revoked = await services.access.revoke_deleted({GUILD, SUPPORT}, by=OWNER)

    assert set(revoked) == {Grant(GUILD, role_id, Capability.TRADES_ANY) for role_id in (98, 99)}
    left = await services.access.grants(by=OWNER)
    assert {grant.role_id for grant in left} == {GUILD, SUPPORT}
    assert elsewhere in await services.repositories.grants.of_guild(OTHER_GUILD)
    rows = await services.repositories.audit.newest(GUILD, limit=9, action=AuditAction.ACCESS_REVOKED)
    assert {row.subject for row in rows} == {"role:98", "role:99"}
    assert await services.access.revoke_deleted({GUILD, SUPPORT}, by=OWNER) == ()


@pytest.mark.parametrize("existing", [set(), {SUPPORT}])
async def test_unknown_roles(services: Services, existing: set[int]):
    """Nothing is revoked if the guild's roles are not known."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    before = await services.access.grants(by=OWNER)

    with pytest.raises(ValueError, match=r"set\(\)|\{7\}"):
        await services.access.revoke_deleted(existing, by=OWNER)

    assert await services.access.grants(by=OWNER) == before
