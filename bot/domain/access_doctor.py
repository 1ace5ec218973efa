"""What is worth a second look in a guild's grants: rights that somebody could come by without being given them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING

from bot.domain.access import SEEDED, Capability, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Source(StrEnum):
    """A way in which somebody comes by a role without a person of the server giving it to them."""

    BOT = "bot"
    """It belongs to a bot; no member can have it."""
    INTEGRATION = "integration"
    """Another service gives it, for example to subscribers of a stream."""
    BOOST = "boost"
    """Whoever boosts the server has it."""
    PURCHASE = "purchase"
    """Whoever pays for it has it."""
    CONNECTION = "connection"
    """Members claim it themselves with a connected account (a linked role)."""
    PROMPT = "prompt"
    """Members choose it themselves when they join, or under Channels & Roles."""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What matters of a role. ``rank`` is its place in the guild's order, 0 for @everyone, higher above lower.

    ``is_managed`` roles are given by Discord or another service alone, never by hand. ``administers`` and
    ``manages_roles`` are the permissions of those names, as the role itself has them.
    """

    role_id: int
    rank: int
    is_managed: bool = False
    sources: frozenset[Source] = frozenset()
    administers: bool = False
    manages_roles: bool = False


class Concern(Enum):
    """What is worth a look, the worst first."""

    NO_APPROVER = auto()
    EVERYBODY = auto()
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
    """Whoever has the role ``manager_id`` can give the role in question to themselves and others.

    Where ``above`` is not empty they need one of these roles as well, because ``manager_id`` itself does not stand
    above the role in question; ``manager_id`` can be @everyone then.
    """

    manager_id: int
    above: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a look: which role, and the capabilities of it that this is about."""

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
    """Return what is worth a look, the worst first; nothing for a guild in order.

    ``roles`` are all roles of the guild as they are now. Where @everyone is not among them they are not known, and
    nothing can be said. Own-scope rights, and those that everybody has, are no reason to look.
    """
    known = {role.role_id: role for role in roles}
    if guild_id not in known:
        return ()
    held: dict[int, set[Capability]] = {}
    for grant in grants:
        if grant.guild_id == guild_id:
            held.setdefault(grant.role_id, set()).add(grant.capability)
    everybodys = held.get(guild_id, set())
    found: list[Finding] = []
    if not any(Capability.APPROVE_RESEND in held.get(role.role_id, ()) for role in known.values() if _is_human(role)):
        found.append(Finding(Concern.NO_APPROVER))
    if everybodys - SEEDED:
        found.append(Finding(Concern.EVERYBODY, guild_id, _sorted(everybodys - SEEDED)))
    managers = _Managers(known.values(), held) if Capability.MANAGE_ACCESS not in everybodys else None
    for role_id, capabilities in held.items():
        if role_id not in known:
            found.append(Finding(Concern.DELETED, role_id, _sorted(capabilities)))
            continue
        beyond = _sorted(capabilities - SEEDED - everybodys)
        if role_id == guild_id or not beyond:
            continue
        role = known[role_id]
        concerns = {_CONCERNS[source] for source in role.sources} or ({Concern.MANAGED} if role.is_managed else set())
        found.extend(Finding(concern, role_id, beyond) for concern in concerns)
        givers = managers.of(role) if managers is not None else ()
        if givers:
            found.append(Finding(Concern.GIVEN_WITHOUT_ACCESS, role_id, beyond, givers))
    return tuple(sorted(found, key=lambda each: (each.concern.value, each.role_id or 0)))


def caused_by(grant: Grant, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what among the findings is so because of this grant, and says no more than that."""
    return tuple(
        replace(each, capabilities=(grant.capability,))
        for each in findings
        if each.role_id == grant.role_id and grant.capability in each.capabilities
    )


class _Managers:
    """Who could hand roles out although they may not grant anything.

    Discord's rule: whoever has Manage Roles, through whichever role, gives any role below their own highest one, to
    themselves too, unless the role is managed. Owner and administrators, and whoever holds ``access.manage``, can
    grant anything anyway.
    """

    def __init__(self, roles: Iterable[RoleFacts], held: Mapping[int, set[Capability]]) -> None:
        self._unprivileged = sorted(
            (
                role
                for role in roles
                if not role.administers
                and _is_human(role)
                and Capability.MANAGE_ACCESS not in held.get(role.role_id, ())
            ),
            key=lambda role: role.rank,
        )

    def of(self, given: RoleFacts) -> tuple[Giver, ...]:
        """Return who could give themselves this role."""
        if given.is_managed:
            return ()
        above = [role for role in self._unprivileged if role.rank > given.rank]
        alone = [Giver(role.role_id) for role in above if role.manages_roles]
        # Their members' highest role may be another one, which is only known of each member.
        with_another = tuple(role.role_id for role in above if not role.manages_roles)
        lower = [role for role in self._unprivileged if role.rank < given.rank and role.manages_roles]
        return (*alone, *(Giver(role.role_id, with_another) for role in lower if with_another))


def _is_human(role: RoleFacts) -> bool:
    """Say whether members can have a role: not a bot's, nor a managed one of which nobody says who gets it."""
    return Source.BOT not in role.sources and (bool(role.sources) or not role.is_managed)


def _sorted(capabilities: Iterable[Capability]) -> tuple[Capability, ...]:
    return tuple(sorted(capabilities))
