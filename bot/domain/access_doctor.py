"""Finds grants that let members obtain rights without being given them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from bot.domain.access import SEEDED, Capability, Grant


class Source(StrEnum):
    """A way to get a role that does not need a person of the server."""

    BOT = "bot"
    """It belongs to a bot; no member can have it."""
    INTEGRATION = "integration"
    """Another service gives it, for example to subscribers of a stream."""
    BOOST = "boost"
    """Members who boost the server have it."""
    PURCHASE = "purchase"
    """Members pay for it."""
    CONNECTION = "connection"
    """Members claim it with a connected account (a linked role)."""
    PROMPT = "prompt"
    """Members choose it when they join, or under Channels & Roles."""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role as Discord has it. ``rank`` is its place in the guild's order: 0 for @everyone, higher above lower.

    ``is_managed`` roles are given by Discord or another service only. ``administers`` and ``manages_roles`` are the
    role's own permissions of those names.
    """

    role_id: int
    rank: int
    is_managed: bool = False
    sources: frozenset[Source] = frozenset()
    administers: bool = False
    manages_roles: bool = False


class Concern(Enum):
    """The kinds of findings, the worst first."""

    NO_APPROVER = auto()
    EVERYONE = auto()
    SELF_ASSIGNED = auto()
    """Members take the role themselves: in a prompt, or with a connected account."""
    BOOSTED = auto()
    PURCHASED = auto()
    MANAGED = auto()
    """A bot's role, or one that another service gives."""
    GIVEN_WITHOUT_ACCESS = auto()
    """Members with Manage Roles, but without ``access.manage``, could give it to themselves."""
    DELETED = auto()


@dataclass(frozen=True, slots=True)
class Giver:
    """A role whose members can give the role in question to themselves and others."""

    manager_id: int
    above: tuple[int, ...] = ()
    """The roles of which they also need one, if ``manager_id`` (@everyone too) is not above the role in question."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A concern about a role, with the capabilities it is about."""

    concern: Concern
    role_id: int | None = None
    capabilities: tuple[Capability, ...] = ()
    givers: tuple[Giver, ...] = ()


_CONCERNS: Mapping[Source, Concern] = {
    Source.PROMPT: Concern.SELF_ASSIGNED,
    Source.CONNECTION: Concern.SELF_ASSIGNED,
    Source.BOOST: Concern.BOOSTED,
    Source.PURCHASE: Concern.PURCHASED,
    Source.INTEGRATION: Concern.MANAGED,
    Source.BOT: Concern.MANAGED,
}


def examine(guild_id: int, grants: Iterable[Grant], roles: Iterable[RoleFacts]) -> tuple[Finding, ...]:
    """Return the findings about a guild with these roles, the worst first; none if the roles are not known."""
    known = {role.role_id: role for role in roles}
    if guild_id not in known:
        return ()
    held: dict[int, set[Capability]] = {}
    for grant in grants:
        if grant.guild_id == guild_id:
            held.setdefault(grant.role_id, set()).add(grant.capability)
    of_everyone = held.get(guild_id, set())
    found: list[Finding] = []
    if not any(Capability.APPROVE_RESEND in held.get(role.role_id, ()) for role in known.values() if _is_human(role)):
        found.append(Finding(Concern.NO_APPROVER))
    if of_everyone - SEEDED:
        found.append(Finding(Concern.EVERYONE, guild_id, tuple(sorted(of_everyone - SEEDED))))
    # Own-scope rights, and rights of @everyone, are no concern of other roles.
    unprivileged = [] if Capability.MANAGE_ACCESS in of_everyone else _unprivileged(known.values(), held)
    for role_id, capabilities in held.items():
        if role_id not in known:
            found.append(Finding(Concern.DELETED, role_id, tuple(sorted(capabilities))))
            continue
        beyond = tuple(sorted(capabilities - SEEDED - of_everyone))
        if role_id == guild_id or not beyond:
            continue
        role = known[role_id]
        concerns = {_CONCERNS[source] for source in role.sources} or ({Concern.MANAGED} if role.is_managed else set())
        found.extend(Finding(concern, role_id, beyond) for concern in concerns)
        givers = _givers(role, unprivileged)
        if givers:
            found.append(Finding(Concern.GIVEN_WITHOUT_ACCESS, role_id, beyond, givers))
    return tuple(sorted(found, key=lambda each: (each.concern.value, each.role_id or 0)))


def caused_by(grant: Grant, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that this grant causes, reduced to its capability."""
    return tuple(
        replace(each, capabilities=(grant.capability,))
        for each in findings
        if each.role_id == grant.role_id and grant.capability in each.capabilities
    )


def _unprivileged(roles: Iterable[RoleFacts], held: Mapping[int, set[Capability]]) -> list[RoleFacts]:
    """Return the roles whose members may not grant capabilities anyway, the lowest first."""
    return sorted(
        (
            role
            for role in roles
            if not role.administers and _is_human(role) and Capability.MANAGE_ACCESS not in held.get(role.role_id, ())
        ),
        key=lambda role: role.rank,
    )


def _givers(given: RoleFacts, unprivileged: Iterable[RoleFacts]) -> tuple[Giver, ...]:
    """Return the roles whose members could give themselves this role.

    Discord's rule: a member with Manage Roles, through any role, gives any role below their own highest one, also to
    themselves, unless that role is managed.
    """
    if given.is_managed:
        return ()
    above = [role for role in unprivileged if role.rank > given.rank]
    alone = [Giver(role.role_id) for role in above if role.manages_roles]
    # Which role is a member's highest one is not known here.
    with_another = tuple(role.role_id for role in above if not role.manages_roles)
    lower = [role for role in unprivileged if role.rank < given.rank and role.manages_roles]
    return (*alone, *(Giver(role.role_id, with_another) for role in lower if with_another))


def _is_human(role: RoleFacts) -> bool:
    """Return whether members can have a role: not a bot's, nor a managed one of unknown source."""
    return Source.BOT not in role.sources and (bool(role.sources) or not role.is_managed)
