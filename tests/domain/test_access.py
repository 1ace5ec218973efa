"""Members hold only the capabilities that their roles were granted in this guild."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import BOOTSTRAP, SEEDED, Actor, Capability, Grant, capabilities, decide, is_staff
from tests.domain.builders import PROPERTY

GUILD, OTHER_GUILD, ROLE, OTHER_ROLE = 1, 2, 10, 20

IDS = st.integers(1, 6)
GRANTS = st.lists(st.builds(Grant, guild_id=IDS, role_id=IDS, capability=st.sampled_from(Capability)), max_size=20)
ROLES = st.frozensets(IDS, max_size=4)


def member(*role_ids: int, administers: bool = False) -> Actor:
    return Actor(guild_id=GUILD, user_id=100, role_ids=frozenset(role_ids), administers=administers)


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS)
def test_only_what_was_granted(role_ids, grants):
    """A member holds a capability if, and only if, one of their roles has it in this guild."""
    held = capabilities(member(*role_ids), grants)

    assert held == {
        capability
        for capability in Capability
        if any(Grant(GUILD, role_id, capability) in grants for role_id in role_ids)
    }


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS)
def test_administrators(role_ids, grants):
    """Owner and administrators also hold the bootstrap capabilities, and no others."""
    held = capabilities(member(*role_ids, administers=True), grants)

    assert held == capabilities(member(*role_ids), grants) | BOOTSTRAP


def test_seeded():
    """In a new guild everyone has the own-scope capabilities only."""
    assert {"inventory.own", "trades.own", "resend.own"} == SEEDED


def test_bootstrap():
    """The bootstrap capabilities allow a first grant, and open no customer's data."""
    assert {"access.manage", "settings.manage"} == BOOTSTRAP


@pytest.mark.parametrize("capability", Capability)
def test_staff(capability):
    """Any capability beyond the seeded ones makes a member staff."""
    assert is_staff(frozenset({capability})) == (capability not in SEEDED)
    assert is_staff(SEEDED | {capability}) == (capability not in SEEDED)
    assert not is_staff(frozenset())


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS, administers=st.booleans())
def test_decisions_agree(role_ids, grants, administers):
    """A decision agrees with the capabilities, and names the grants that exist."""
    actor = member(*role_ids, administers=administers)
    decisions = {capability: decide(actor, grants, capability) for capability in Capability}

    assert {capability for capability, each in decisions.items() if each.is_held} == capabilities(actor, grants)
    for capability, each in decisions.items():
        assert each.capability is capability
        assert each.holders == tuple(
            sorted({g.role_id for g in grants if g.guild_id == GUILD and g.capability is capability})
        )
        assert set(each.roles) == set(each.holders) & role_ids
        assert each.by_office == (administers and capability in BOOTSTRAP)
        assert each.granters == decisions[Capability.MANAGE_ACCESS].holders
