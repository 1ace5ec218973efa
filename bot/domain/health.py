"""How a provider is doing, and how much of its quota is left."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.domain.failures import Failure, ProviderName


class ProviderState(StrEnum):
    """What to expect of a provider."""

    WORKING = "working"
    """Its last call was answered, or nothing was asked yet."""
    FAILING = "failing"
    """Its last calls failed; it is still asked."""
    CIRCUIT_OPEN = "resting"
    """It failed so often that it is not asked for a while."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A documented limit: ``limit`` calls in ``per``, of which ``left`` may be made now.

    ``reserved`` of them are for the staff. ``free_at`` is when the next one may be made, where none is left.
    """

    what: str
    limit: int
    per: timedelta
    left: int
    reserved: int
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """A provider's state, since when and why. ``until`` is when an open circuit is tried again.

    One that works has a ``since`` only where it failed before: nothing is known of the time before the first call.
    """

    provider: ProviderName
    state: ProviderState
    since: datetime | None = None
    failure: Failure | None = None
    until: datetime | None = None
    quotas: tuple[Quota, ...] = ()
