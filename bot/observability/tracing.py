"""What is known of one interaction while it is handled, and the one line of log that is left of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

_log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How the handling of an interaction ended; the words of log and metrics."""

    OK = "ok"
    REFUSED = "refused"
    """SkinDesk said no, and why: a wrong option, a missing right, something that is gone."""
    PROVIDER_FAILED = "provider_failed"
    INTERRUPTED = "interrupted"
    """SkinDesk stopped, or gave up waiting, before it was done."""
    FAILED = "failed"
    """A fault of SkinDesk's own: the log has the traceback under the reference."""


_LEVELS = {Outcome.OK: logging.INFO, Outcome.REFUSED: logging.INFO}


@dataclass(slots=True, eq=False)
class InteractionTrace:
    """One interaction. ``command`` is a command's name, or the kind of a component; durations are in seconds.

    ``provider_seconds`` is the time spent waiting for providers, added up where several were asked at once.
    """

    interaction_id: int
    command: str
    guild_id: int | None
    user_id: int
    is_suggestion: bool = False
    began: float = field(default_factory=time.perf_counter)
    acknowledged_after: float | None = None
    finished_after: float = 0.0
    provider_seconds: float = 0.0
    ending: Outcome = Outcome.OK
    reason: str | None = None
    reference: str | None = None

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.began

    def fail(self, ending: Outcome, *, reason: str, reference: str | None = None) -> None:
        """Note what went wrong and under which reference its reader knows it; the first thing that did counts."""
        if self.ending is Outcome.OK:
            self.ending, self.reason, self.reference = ending, reason, reference


Observer: TypeAlias = Callable[[InteractionTrace], None]
"""Something that is told of every interaction once it is handled."""

_current: ContextVar[InteractionTrace | None] = ContextVar("handling", default=None)


def begin(trace: InteractionTrace) -> None:
    """Let everything that the current task causes count for this interaction."""
    _current.set(trace)


def waited_for_provider(seconds: float) -> None:
    """Count the time of a call for the interaction that caused it, if one did."""
    trace = _current.get()
    if trace is not None:
        trace.provider_seconds += seconds


def log_interaction(trace: InteractionTrace) -> None:
    """Write the line of an interaction. Suggestions are made at every key that is pressed: they are left to debug."""
    level = _LEVELS.get(trace.ending, logging.WARNING)
    facts = {
        "command": trace.command,
        "guild": trace.guild_id,
        "user": trace.user_id,
        "outcome": trace.ending.value,
        "reason": trace.reason,
        "ms": _ms(trace.finished_after),
        "acknowledged_ms": _ms(trace.acknowledged_after),
        "provider_ms": _ms(trace.provider_seconds),
        "reference": trace.reference,
    }
    _log.log(
        logging.DEBUG if trace.is_suggestion and level == logging.INFO else level,
        "interaction handled",
        extra={name: value for name, value in facts.items() if value is not None},
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
