"""Nobody may do anything that a role of theirs was not granted in this guild."""

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


def test_words():
    """The capabilities are a closed set of these words, which commands and database rows use."""
    assert {capability.value for capability in Capability} == {
        "inventory.own",
        "inventory.any",
        "trades.own",
        "trades.any",
        "resend.own",
        "resend.any",
        "resend.approve",
        "links.manage",
        "access.manage",
        "settings.manage",
        "audit.read",
    }


@pytest.mark.parametrize("word", ["", "*", "inventory", "INVENTORY.OWN", "resend.approve ", "administrator"])
def test_unknown_word(word):
    """An unknown word is no capability."""
    with pytest.raises(ValueError, match="is not a valid"):
        Capability(word)


@PROPERTY
@given(guild_id=IDS, user_id=IDS, role_ids=ROLES)
def test_nothing_by_default(guild_id, user_id, role_ids):
    """Without a grant nobody may do anything."""
    actor = Actor(guild_id=guild_id, user_id=user_id, role_ids=role_ids)

    assert capabilities(actor, []) == frozenset()


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS)
def test_only_what_was_granted(role_ids, grants):
    """A member holds a capability exactly where one of their roles has it in this very guild."""
    held = capabilities(member(*role_ids), grants)

    assert held == {
        capability
        for capability in Capability
        if any(Grant(GUILD, role_id, capability) in grants for role_id in role_ids)
    }


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS)
def test_foreign_grants(role_ids, grants):
    """Grants of another guild or to another role are worth nothing, however many there are."""
    foreign = [grant for grant in grants if grant.guild_id != GUILD or grant.role_id not in role_ids]

    assert capabilities(member(*role_ids), foreign) == frozenset()


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS)
def test_administrators(role_ids, grants):
    """Owner and administrators hold what starts the desk on top of what their roles give, and no more."""
    held = capabilities(member(*role_ids, administers=True), grants)

    assert held == capabilities(member(*role_ids), grants) | BOOTSTRAP


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS, more=GRANTS)
def test_more_grants(role_ids, grants, more):
    """A further grant takes nothing away, and the order of grants does not matter."""
    actor = member(*role_ids)

    assert capabilities(actor, grants) <= capabilities(actor, grants + more)
    assert capabilities(actor, grants + more) == capabilities(actor, more + grants)


@pytest.mark.parametrize("capability", Capability)
def test_one_grant(capability):
    """A grant gives its own capability and none that sounds alike or smaller."""
    grant = Grant(GUILD, ROLE, capability)

    assert capabilities(member(ROLE), [grant]) == {capability}
    assert capabilities(member(OTHER_ROLE), [grant]) == frozenset()
    assert capabilities(member(ROLE), [Grant(OTHER_GUILD, ROLE, capability)]) == frozenset()


def test_a_user_is_no_role():
    """A grant to a role whose number is a user's id says nothing about that user."""
    assert capabilities(member(ROLE), [Grant(GUILD, 100, Capability.READ_AUDIT)]) == frozenset()


def test_everyone():
    """A grant to @everyone, whose id is the guild's, reaches whoever has that role."""
    assert capabilities(member(GUILD), [Grant(GUILD, GUILD, Capability.TRADES_OWN)]) == {Capability.TRADES_OWN}


def test_seeded():
    """A new guild lets everybody see and resend their own things, and nothing else."""
    assert {"inventory.own", "trades.own", "resend.own"} == SEEDED


def test_bootstrap():
    """What administrators always hold is enough for a first grant, and opens no customer's data."""
    assert {"access.manage", "settings.manage"} == BOOTSTRAP


@pytest.mark.parametrize("capability", Capability)
def test_staff(capability):
    """Whoever may do more than look after their own things works at the desk."""
    assert is_staff(frozenset({capability})) == (capability not in SEEDED)
    assert is_staff(SEEDED | {capability}) == (capability not in SEEDED)


def test_customers_are_no_staff():
    """Holding nothing, or all own-scope rights, makes nobody staff."""
    assert not is_staff(frozenset())
    assert not is_staff(SEEDED)
    assert is_staff(BOOTSTRAP)


@PROPERTY
@given(role_ids=ROLES, grants=GRANTS, administers=st.booleans())
def test_decisions_agree(role_ids, grants, administers):
    """A decision says exactly what the capabilities say, and names grants that exist and would be enough."""
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
