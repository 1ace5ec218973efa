"""Reasons come from the grants and the record, to nobody but those who may grant; deleted roles lose what they hold."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.access_doctor import Concern, RoleFacts
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied
from tests.contracts.engines import ENGINES
from tests.services.test_access import AGENT, GUILD, MEMBER, OTHER_GUILD, OWNER, SUPPORT, Services

ROLES = (RoleFacts(GUILD, 0), RoleFacts(SUPPORT, 1))


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        yield Services(repositories)


async def test_only_those_who_may_grant(services: Services):
    """Who may what, and why, is told to holders of access.manage alone, and only they clear up."""
    for denied in (
        services.access.why(OWNER, Capability.READ_AUDIT, by=MEMBER),
        services.access.review(ROLES, by=MEMBER),
        services.access.revoke_deleted({GUILD}, by=MEMBER),
    ):
        with pytest.raises(AccessDenied) as refused:
            await denied
        assert refused.value.capability is Capability.MANAGE_ACCESS


async def test_the_row_of_the_standing_grant(services: Services):
    """Among many changes of a role the row is that of the grant which stands; of a seed it is the seeding."""
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


async def test_a_grant_of_the_seed_that_was_given_again(services: Services):
    """What everybody had from the beginning, lost and got again, is explained by the second grant."""
    await services.access.revoke(GUILD, Capability.TRADES_OWN, by=OWNER)
    await services.access.grant(GUILD, Capability.TRADES_OWN, by=OWNER)

    ((_, row),) = (await services.access.why(MEMBER, Capability.TRADES_OWN, by=OWNER)).rows
    assert row is not None
    assert row.action is AuditAction.ACCESS_GRANTED


async def test_a_review(services: Services):
    """A review has all grants of the guild and what is worth a look in them."""
    await services.access.grant(GUILD, Capability.TRADES_ANY, by=OWNER)
    review = await services.access.review(ROLES, by=OWNER)

    assert {grant.capability for grant in review.grants} == SEEDED | {Capability.TRADES_ANY}
    assert [each.concern for each in review.findings] == [Concern.NO_APPROVER, Concern.EVERYONE]


async def test_deleted_roles(services: Services):
    """Every grant of a role that is gone is revoked with its row and its post; no other is, here or elsewhere."""
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
    """Roles without @everyone are not this guild's: nothing is revoked for them."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    before = await services.access.grants(by=OWNER)

    with pytest.raises(ValueError, match=r"set\(\)|\{7\}"):
        await services.access.revoke_deleted(existing, by=OWNER)

    assert await services.access.grants(by=OWNER) == before
