"""Rights of one guild count in no other; the rows and the roles by which rights are explained and cleaned up."""

from dataclasses import replace

import pytest

from bot.domain.access import Capability, Grant
from bot.domain.audit import AuditAction
from tests.contracts.engines import Repositories
from tests.services.members import AGENT, GUILD, OTHER_GUILD, OWNER, SUPPORT, Members


@pytest.fixture
async def services(repositories: Repositories) -> Members:
    return Members(repositories)


async def test_another_guild(services: Members):
    """Roles, grants and owners of another guild do not count."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    elsewhere = replace(AGENT, guild_id=OTHER_GUILD)
    assert Capability.TRADES_ANY not in await services.access.capabilities_of(elsewhere)

    await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=replace(OWNER, guild_id=OTHER_GUILD))
    assert Capability.READ_AUDIT not in await services.access.capabilities_of(AGENT)
    assert Grant(OTHER_GUILD, SUPPORT, Capability.READ_AUDIT) not in await services.access.grants(by=OWNER)


async def test_why(services: Members):
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


@pytest.mark.parametrize("existing", [set(), {SUPPORT}])
async def test_unknown_roles(services: Members, existing: set[int]):
    """Nothing is revoked if the guild's roles are not known."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    before = await services.access.grants(by=OWNER)

    with pytest.raises(ValueError, match=r"set\(\)|\{7\}"):
        await services.access.revoke_deleted(existing, by=OWNER)

    assert await services.access.grants(by=OWNER) == before
