"""The state of what SkinDesk depends on: providers and their quotas, the database, Discord's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.failures import Failure, ProviderName


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
    """A provider's state, since when and why. ``until`` is when an open circuit is tried next, None for now."""

    provider: ProviderName
    state: ProviderState
    since: datetime | None = None
    failure: Failure | None = None
    until: datetime | None = None
    quotas: tuple[Quota, ...] = ()


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
    """Whether a shard is connected to Discord's gateway, and since when it is or is not."""

    shard: int
    connected: bool
    since: datetime
