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
