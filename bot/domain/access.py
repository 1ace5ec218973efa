"""Who may do what: a closed set of capabilities, granted to roles, denied by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Capability(StrEnum):
    """One thing a role may be allowed to do; the words are those of commands and database rows."""

    INVENTORY_OWN = "inventory.own"
    INVENTORY_ANY = "inventory.any"
    TRADES_OWN = "trades.own"
    TRADES_ANY = "trades.any"
    RESEND_OWN = "resend.own"
    RESEND_ANY = "resend.any"
    APPROVE_RESEND = "resend.approve"
    MANAGE_LINKS = "links.manage"
    MANAGE_ACCESS = "access.manage"
    MANAGE_SETTINGS = "settings.manage"
    READ_AUDIT = "audit.read"


SEEDED = frozenset({Capability.INVENTORY_OWN, Capability.TRADES_OWN, Capability.RESEND_OWN})
"""What @everyone holds in a new guild."""

BOOTSTRAP = frozenset({Capability.MANAGE_ACCESS, Capability.MANAGE_SETTINGS})
"""What the guild owner and administrators always hold, so that a first grant is possible."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of a guild as the interaction itself describes them.

    ``role_ids`` holds the @everyone role too, whose id is the guild's. ``administers`` is true for the guild
    owner and for members with Discord's Administrator permission.
    """

    guild_id: int
    user_id: int
    role_ids: frozenset[int]
    administers: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A capability given to a role of a guild."""

    guild_id: int
    role_id: int
    capability: Capability


def capabilities(actor: Actor, grants: Iterable[Grant]) -> frozenset[Capability]:
    """Return everything ``actor`` may do: what their roles were granted in their guild, and nothing else."""
    held = {
        grant.capability for grant in grants if grant.guild_id == actor.guild_id and grant.role_id in actor.role_ids
    }
    return frozenset(held | BOOTSTRAP if actor.administers else held)


_STAFF_CAPABILITIES = frozenset(Capability) - SEEDED


def is_staff(held: frozenset[Capability]) -> bool:
    """Say whether the holder works at the desk: anybody with more than a customer's own-scope rights."""
    return not held.isdisjoint(_STAFF_CAPABILITIES)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody holds a capability, and through what; role ids are in ascending order.

    ``roles`` are those of theirs that give it. ``by_office`` is true where they hold it as the server's owner or an
    administrator, whatever is granted. ``holders`` are all roles of the guild that have it, ``granters`` those whose
    members may grant it; owner and administrators always may.
    """

    capability: Capability
    roles: tuple[int, ...]
    by_office: bool
    holders: tuple[int, ...]
    granters: tuple[int, ...]

    @property
    def is_held(self) -> bool:
        """Whether they may do it."""
        return self.by_office or bool(self.roles)


def decide(actor: Actor, grants: Iterable[Grant], capability: Capability) -> Decision:
    """Return whether ``actor`` holds ``capability``, as :func:`capabilities` says, and why."""
    here = [grant for grant in grants if grant.guild_id == actor.guild_id]
    holders = _holders(here, capability)
    return Decision(
        capability=capability,
        roles=tuple(role_id for role_id in holders if role_id in actor.role_ids),
        by_office=actor.administers and capability in BOOTSTRAP,
        holders=holders,
        granters=_holders(here, Capability.MANAGE_ACCESS),
    )


def _holders(grants: Iterable[Grant], capability: Capability) -> tuple[int, ...]:
    return tuple(sorted({grant.role_id for grant in grants if grant.capability is capability}))
