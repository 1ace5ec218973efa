"""The state of what SkinDesk depends on: providers and their quotas, the database, Discord's gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.failures import Failure, ProviderName
from bot.domain.resends import ResendState


class ProviderState(StrEnum):
    """Whether a provider answers."""

    WORKING = "working"
    """Its last call succeeded, or there was none yet."""
    FAILING = "failing"
    """Its last calls failed; it is still called."""
    CIRCUIT_OPEN = "resting"
    """Several people's calls failed, so that only trial calls are made."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A documented limit: ``limit`` calls in ``per``; ``left`` are possible now, ``reserved`` are for staff only."""

    what: str
    limit: int
    per: timedelta
    left: int
    reserved: int
    free_at: datetime | None = None
    """When the next call is possible, if none is left."""


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """A provider's state, since when and why. ``until`` is when an open circuit is tried next, None for now.

    ``operations`` are the kinds of calls that SkinDesk makes, as observers of calls get them.
    """

    provider: ProviderName
    state: ProviderState
    since: datetime | None = None
    failure: Failure | None = None
    until: datetime | None = None
    quotas: tuple[Quota, ...] = ()
    is_up: bool = True
    """Whether the latest call that shows it was answered, for this desk's credentials; True before the first one."""
    operations: frozenset[str] = frozenset()


class DatabaseFault(StrEnum):
    """Why the database cannot be used."""

    MISSING = "missing"
    """Its file is gone from the path."""
    REPLACED = "replaced"
    """Another file is at the path."""
    READ_ONLY = "read_only"
    FULL = "full"
    """The disk has no space left."""
    DAMAGED = "damaged"
    """A page cannot be read, or does not fit the others."""
    UNREADABLE = "unreadable"
    """Any other error of the disk."""
    NO_ANSWER = "no_answer"
    """It did not answer in time."""


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """The fault of the database, if it has one, and since when it is known."""

    fault: DatabaseFault | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShardHealth:
    """Whether a shard is connected to Discord's gateway, since when it is or is not, and why not, if that is known."""

    shard: int
    connected: bool
    since: datetime
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """Bytes: of the database, of the log beside it, and how many its user may still write to that file system.

    The latter two are None if they are a server's.
    """

    size: int
    log_size: int | None = None
    free: int | None = None


@dataclass(frozen=True, slots=True)
class ResendBacklog:
    """The requests in each state, and how long the oldest ones have waited: zero if there are none."""

    by_state: Mapping[ResendState, int]
    oldest_pending: timedelta
    oldest_unknown: timedelta
    life_used: float
    """The largest share of its time until it expires that a pending request has used, 1 at its end."""
