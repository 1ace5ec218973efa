"""The doctor reports rights that members could obtain without being given them, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import SEEDED, Capability, Grant
from bot.domain.access_doctor import Concern, Finding, RoleFacts, Source, caused_by, examine
from tests.domain.builders import PROPERTY

GUILD, SUPPORT, MODERATORS, ADMINS, VIP, COLOURS = 1, 10, 20, 30, 40, 50
EVERYONE = RoleFacts(GUILD, 0)
HEALTHY_ROLES = (
    EVERYONE,
    RoleFacts(COLOURS, 10, sources=frozenset({Source.PROMPT})),
    RoleFacts(VIP, 20, is_managed=True, sources=frozenset({Source.BOOST})),
    RoleFacts(SUPPORT, 30),
    RoleFacts(MODERATORS, 40),
    RoleFacts(ADMINS, 50, administers=True, manages_roles=True),
)
HEALTHY_GRANTS = (
    *(Grant(GUILD, GUILD, capability) for capability in SEEDED),
    *(Grant(GUILD, COLOURS, capability) for capability in SEEDED),
    Grant(GUILD, SUPPORT, Capability.TRADES_ANY),
    Grant(GUILD, MODERATORS, Capability.TRADES_ANY),
    Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND),
)


def with_role(changed: RoleFacts) -> tuple[RoleFacts, ...]:
    return (*(role for role in HEALTHY_ROLES if role.role_id != changed.role_id), changed)


def found(*grants: Grant, roles: tuple[RoleFacts, ...] = HEALTHY_ROLES) -> tuple[Finding, ...]:
    return examine(GUILD, (*HEALTHY_GRANTS, *grants), roles)


def facts(role_id: int) -> RoleFacts:
    return next(role for role in HEALTHY_ROLES if role.role_id == role_id)


def test_no_findings():
    """Roles that staff give, and own-scope rights for everyone, are in order."""
    assert found() == ()


def test_no_approver():
    """A deleted role or a bot's role has no members who could approve."""
    others = tuple(grant for grant in HEALTHY_GRANTS if grant.capability is not Capability.APPROVE_RESEND)
    bots = replace(facts(COLOURS), is_managed=True, sources=frozenset({Source.BOT}))

    assert examine(GUILD, others, HEALTHY_ROLES) == (Finding(Concern.NO_APPROVER),)
    for role_id, roles in ((99, HEALTHY_ROLES), (COLOURS, with_role(bots))):
        grants = (*others, Grant(GUILD, role_id, Capability.APPROVE_RESEND))
        assert examine(GUILD, grants, roles)[0] == Finding(Concern.NO_APPROVER)


def test_everyone():
    """Capabilities of @everyone beyond the seeded ones are reported."""
    for capability in set(Capability) - SEEDED:
        assert found(Grant(GUILD, GUILD, capability)) == (Finding(Concern.EVERYONE, GUILD, (capability,)),)


@pytest.mark.parametrize(
    ("source", "is_managed", "concern"),
    [
        (Source.PROMPT, False, Concern.SELF_ASSIGNED),
        (Source.CONNECTION, False, Concern.SELF_ASSIGNED),
        (Source.BOOST, True, Concern.BOOSTED),
        (Source.PURCHASE, True, Concern.PURCHASED),
        (Source.INTEGRATION, True, Concern.MANAGED),
        (Source.BOT, True, Concern.MANAGED),
        (None, True, Concern.MANAGED),
    ],
)
def test_roles_not_given_by_staff(source, is_managed, concern):
    """A role that members get without staff may hold own-scope rights only."""
    sources = frozenset() if source is None else frozenset({source})
    roles = with_role(replace(facts(COLOURS), is_managed=is_managed, sources=sources))

    assert found(roles=roles) == ()
    expected = Finding(concern, COLOURS, (Capability.TRADES_ANY,))
    assert found(Grant(GUILD, COLOURS, Capability.TRADES_ANY), roles=roles) == (expected,)


@pytest.mark.parametrize(
    "manager",
    [
        RoleFacts(99, 90, administers=True, manages_roles=True),
        RoleFacts(99, 90, is_managed=True, sources=frozenset({Source.BOT}), manages_roles=True),
        RoleFacts(99, 90, is_managed=True, manages_roles=True),
        RoleFacts(99, 90),
        RoleFacts(SUPPORT, 30, manages_roles=True),
    ],
)
def test_harmless_managers(manager):
    """Administrators can grant anyway, bots are no members, and members of the role have it already."""
    roles = with_role(manager)
    grants = [grant for grant in HEALTHY_GRANTS if grant.role_id not in (SUPPORT, MODERATORS)]
    grants += [Grant(GUILD, SUPPORT, Capability.APPROVE_RESEND)]

    assert [each for each in examine(GUILD, grants, roles) if each.concern is Concern.GIVEN_WITHOUT_ACCESS] == []


def test_managed_roles_are_not_given():
    """A managed role cannot be given by hand."""
    roles = (*with_role(replace(facts(SUPPORT), is_managed=True)), RoleFacts(99, 35, manages_roles=True))

    assert found(roles=roles) == (Finding(Concern.MANAGED, SUPPORT, (Capability.TRADES_ANY,)),)


def test_deleted_roles():
    """All capabilities of a deleted role are reported, own-scope rights too."""
    grants = Grant(GUILD, 99, Capability.TRADES_OWN), Grant(GUILD, 99, Capability.TRADES_ANY)

    expected = (Capability.TRADES_ANY, Capability.TRADES_OWN)
    assert found(*grants) == (Finding(Concern.DELETED, 99, expected),)


def test_roles_that_are_not_known():
    """If the guild's roles are not known there are no findings; otherwise every role would look deleted."""
    assert examine(GUILD, HEALTHY_GRANTS, ()) == ()
    assert examine(GUILD, HEALTHY_GRANTS, HEALTHY_ROLES[1:]) == ()


def test_other_guilds():
    """Another guild's grants are ignored."""
    assert found(Grant(2, GUILD, Capability.TRADES_ANY), Grant(2, 99, Capability.TRADES_ANY)) == ()


def test_caused_by():
    """Only the findings of one grant are returned, reduced to its capability."""
    grants = [Grant(GUILD, COLOURS, each) for each in (Capability.TRADES_ANY, Capability.READ_AUDIT)]
    findings = found(*grants, Grant(GUILD, 99, Capability.TRADES_ANY))

    assert caused_by(grants[1], findings) == (Finding(Concern.SELF_ASSIGNED, COLOURS, (Capability.READ_AUDIT,)),)
    assert caused_by(Grant(GUILD, SUPPORT, Capability.TRADES_ANY), findings) == ()


def given_to_oneself(roles: tuple[RoleFacts, ...], wanted: RoleFacts, member: frozenset[int]) -> bool:
    """Apply Discord's rule to one member: Manage Roles from any role, and a highest role above the wanted one."""
    held = [role for role in roles if role.role_id in member or role.role_id == GUILD]
    return any(role.manages_roles for role in held) and max(role.rank for role in held) > wanted.rank


@PROPERTY
@given(data=st.data())
def test_the_rule_of_manage_roles(data):
    """It is reported if, and only if, a member without access.manage could give themselves the role."""
    count = data.draw(st.integers(1, 4))
    roles = (
        RoleFacts(GUILD, 0, manages_roles=data.draw(st.booleans())),
        *(
            RoleFacts(10 + rank, rank, administers=data.draw(st.booleans()), manages_roles=data.draw(st.booleans()))
            for rank in range(1, count + 1)
        ),
    )
    granting = data.draw(st.frozensets(st.sampled_from([role.role_id for role in roles])))
    wanted = roles[data.draw(st.integers(1, count))]
    grants = [
        *(Grant(GUILD, role_id, Capability.MANAGE_ACCESS) for role_id in granting),
        Grant(GUILD, wanted.role_id, Capability.READ_AUDIT),
    ]
    unprivileged = [role.role_id for role in roles if not role.administers and role.role_id not in granting]
    members = [
        frozenset(role_id for place, role_id in enumerate(unprivileged) if number >> place & 1)
        for number in range(2 ** len(unprivileged))
    ]
    possible = GUILD not in granting and any(
        given_to_oneself(roles, wanted, member) for member in members if wanted.role_id not in member
    )

    warned = [
        each
        for each in examine(GUILD, grants, roles)
        if each.concern is Concern.GIVEN_WITHOUT_ACCESS and each.role_id == wanted.role_id
    ]
    assert bool(warned) == possible
    for giver in (giver for each in warned for giver in each.givers):
        for above in giver.above or (giver.manager_id,):
            assert given_to_oneself(roles, wanted, frozenset({giver.manager_id, above}))
