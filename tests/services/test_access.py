"""The one authority over rights: what a role was granted in its guild, at this moment, and nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.access import SEEDED, Actor, Capability, Grant
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


async def test_a_guild_that_was_never_seen(services: Services):
    """Everybody holds the seed; owner and administrators what a first grant needs; nobody anything else."""
    assert await services.access.capabilities_of(MEMBER) == SEEDED
    assert await services.access.capabilities_of(AGENT) == SEEDED
    bootstrap = {Capability.MANAGE_ACCESS, Capability.MANAGE_SETTINGS}
    assert await services.access.capabilities_of(OWNER) == SEEDED | bootstrap
    for capability in set(Capability) - SEEDED:
        with pytest.raises(AccessDenied) as denied:
            await services.access.require(capability, of=MEMBER)
        assert denied.value.capability is capability


async def test_granted_and_revoked(services: Services):
    """A grant counts for its role from then on, a revocation too; saying it twice changes nothing."""
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


async def test_the_seed_can_be_taken_away(services: Services):
    """What everybody was seeded with stays revoked."""
    for capability in SEEDED:
        await services.access.revoke(GUILD, capability, by=OWNER)

    assert await services.access.capabilities_of(MEMBER) == frozenset()
    assert await services.access.grants(by=OWNER) == ()


async def test_who_may_change_rights(services: Services):
    """Only a holder of access.manage, by grant or by office, sees or changes who may do what."""
    for nobody in (MEMBER, AGENT):
        with pytest.raises(AccessDenied):
            await services.access.grant(SUPPORT, Capability.MANAGE_ACCESS, by=nobody)
        with pytest.raises(AccessDenied):
            await services.access.revoke(GUILD, Capability.TRADES_OWN, by=nobody)
        with pytest.raises(AccessDenied) as denied:
            await services.access.grants(by=nobody)
        assert denied.value.capability is Capability.MANAGE_ACCESS
    assert await services.access.capabilities_of(AGENT) == SEEDED

    await services.access.grant(SUPPORT, Capability.MANAGE_ACCESS, by=OWNER)
    assert (await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=AGENT)).changed


async def test_another_guild(services: Services):
    """A role of another guild, a grant of another guild, and another guild's owner are worth nothing."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)
    elsewhere = replace(AGENT, guild_id=OTHER_GUILD)
    assert Capability.TRADES_ANY not in await services.access.capabilities_of(elsewhere)

    await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=replace(OWNER, guild_id=OTHER_GUILD))
    assert Capability.READ_AUDIT not in await services.access.capabilities_of(AGENT)
    assert Grant(OTHER_GUILD, SUPPORT, Capability.READ_AUDIT) not in await services.access.grants(by=OWNER)


async def test_what_is_announced(services: Services):
    """Only what changed something is announced, with who, whose and what, where the guild wants to read it."""
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
