"""Access control: a closed set of capabilities, granted to roles, denied by default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.links import Holder, Link
from bot.domain.steam import SteamId


class Capability(StrEnum):
    """A permission that a role can be granted; commands and the database use these values."""

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
"""The capabilities of @everyone in a new guild."""

BOOTSTRAP = frozenset({Capability.MANAGE_ACCESS, Capability.MANAGE_SETTINGS})
"""The capabilities that the guild owner and administrators always hold, so that a first grant is possible."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A guild member as the interaction describes them. ``role_ids`` includes @everyone, whose id is the guild's."""

    guild_id: int
    user_id: int
    role_ids: frozenset[int]
    administers: bool = False
    """Whether they own the guild or have Discord's Administrator permission."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A capability given to a role of a guild."""

    guild_id: int
    role_id: int
    capability: Capability


def capabilities(actor: Actor, grants: Iterable[Grant]) -> frozenset[Capability]:
    """Return the capabilities that the actor's roles were granted in their guild."""
    held = {
        grant.capability for grant in grants if grant.guild_id == actor.guild_id and grant.role_id in actor.role_ids
    }
    return frozenset(held | BOOTSTRAP if actor.administers else held)


STAFF_CAPABILITIES = tuple(each for each in Capability if each not in SEEDED)
"""Each of these makes its holder staff."""


def is_staff(held: frozenset[Capability]) -> bool:
    """Return whether the holder is staff: anyone with more than a customer's own-scope rights."""
    return not held.isdisjoint(STAFF_CAPABILITIES)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a member holds a capability, and why; role ids are in ascending order."""

    capability: Capability
    roles: tuple[int, ...]
    """The member's roles that give it."""
    by_office: bool
    """Whether they hold it as the guild's owner or an administrator."""
    holders: tuple[int, ...]
    """All roles of the guild that have it."""
    granters: tuple[int, ...]
    """All roles of the guild whose members may grant it."""

    @property
    def is_held(self) -> bool:
        """Whether the member holds it."""
        return self.by_office or bool(self.roles)


def decide(actor: Actor, grants: Iterable[Grant], capability: Capability) -> Decision:
    """Return whether ``actor`` holds ``capability``, as :func:`capabilities` does, and why."""
    here = sorted({(grant.role_id, grant.capability) for grant in grants if grant.guild_id == actor.guild_id})
    holders = tuple(role_id for role_id, granted in here if granted is capability)
    return Decision(
        capability=capability,
        roles=tuple(role_id for role_id in holders if role_id in actor.role_ids),
        by_office=actor.administers and capability in BOOTSTRAP,
        holders=holders,
        granters=tuple(role_id for role_id, granted in here if granted is Capability.MANAGE_ACCESS),
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """The user on whose behalf a provider is called. SkinDesk's own calls have no ``user_id`` and count as staff's."""

    user_id: int | None = None
    is_staff: bool = True


SKINDESK = Caller()
WATCHES = Caller(-1, is_staff=False)
"""Reads watched trades: one customer among the others, who never uses the staff's reserve. No user has this id."""

# A context variable, because only the rate limiter needs it and every adapter lies between.
_caller: ContextVar[Caller] = ContextVar("caller", default=SKINDESK)


@contextmanager
def on_behalf_of(caller: Caller) -> Iterator[None]:
    """Make every provider call inside on behalf of ``caller``."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def current_caller() -> Caller:
    """Return on whose behalf provider calls are made now."""
    return _caller.get()


@dataclass(frozen=True, slots=True)
class Viewer:
    """An actor with their capabilities and their link, read once for a command."""

    actor: Actor
    capabilities: frozenset[Capability]
    link: Link | None

    def may_see(self, owner: SteamId | None) -> bool:
        """Return whether they may see an account's trades; None is everyone's."""
        if Capability.TRADES_ANY in self.capabilities:
            return True
        return owner is not None and self.link is not None and self.link.steam_id == owner


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on an actor's rights, for the transaction that acts on them: they may have changed since they asked.

    ``check`` gets the rights as that transaction finds them, and who holds or held which account of the people
    concerned. It raises the reason for the actor, and nothing is changed.
    """

    actor: Actor
    check: Callable[[Viewer, Collection[Holder]], None]
