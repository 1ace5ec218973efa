"""The queue: all requests as a moderator sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.resends import Resend, ResendPause, ResendState

COUNTED = timedelta(hours=24)
"""The time over which the requests of a queue are counted."""

MEDIAN_OVER = timedelta(days=7)
"""The time whose decisions count for the median wait."""


@dataclass(frozen=True, slots=True)
class ResendCounts:
    """How many requests were made since a time, by the state that they are in now, and the median wait.

    ``median_wait`` is the time from a request to its decision; None if none was decided.
    """

    states: Mapping[ResendState, int] = field(default_factory=dict)
    median_wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ResendQueue:
    """A guild's open requests, oldest first, its counts, and its pause."""

    requests: tuple[Resend, ...]
    counts: ResendCounts
    pause: ResendPause | None
    read_at: datetime
