"""The trace of one interaction: timings and outcome, for the log and for metrics."""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

_log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How an interaction ended, in the log and in metrics."""

    OK = "ok"
    REFUSED = "refused"
    """SkinDesk refused: a wrong option, a missing right, or something that is gone."""
    PROVIDER_FAILED = "provider_failed"
    INTERRUPTED = "interrupted"
    """A shutdown or a time limit ended the work."""
    FAILED = "failed"
    """A bug or a broken dependency; the log has the traceback under the reference."""


@dataclass(slots=True, eq=False)
class InteractionTrace:
    """Timings, in seconds, and outcome. ``command`` is a command's name or the action of a component.

    ``provider_seconds`` adds up the waiting time of all provider calls, parallel ones too.
    """

    command: str
    guild_id: int | None
    user_id: int
    is_suggestion: bool = False
    began: float = field(default_factory=time.perf_counter)
    acknowledged_after: float | None = None
    finished_after: float = 0.0
    provider_seconds: float = 0.0
    outcome: Outcome = Outcome.OK
    reason: str | None = None
    reference: str | None = None

    @property
    def age(self) -> float:
        """Seconds since the interaction arrived."""
        return time.perf_counter() - self.began

    def fail(self, outcome: Outcome, *, reason: str, reference: str | None = None) -> None:
        """Note a failure; the first one counts."""
        if self.outcome is Outcome.OK:
            self.outcome, self.reason, self.reference = outcome, reason, reference


Observer: TypeAlias = Callable[[InteractionTrace], None]
"""Called with the trace of every interaction at its end."""

current_trace: ContextVar[InteractionTrace | None] = ContextVar("current_trace", default=None)
"""The interaction of the current task, to which provider calls are attributed."""


def add_provider_seconds(_provider: object, _operation: str, /, *, seconds: float, failure: object) -> None:  # noqa: ARG001 -- an observer of calls
    """Add the duration of a provider call to the interaction that made it, if any."""
    trace = current_trace.get()
    if trace is not None:
        trace.provider_seconds += seconds


def log_interaction(trace: InteractionTrace) -> None:
    """Log an interaction in one line; suggestions, which come with every key press, at debug level."""
    if trace.outcome in (Outcome.OK, Outcome.REFUSED):
        level = logging.DEBUG if trace.is_suggestion else logging.INFO
    else:
        level = logging.WARNING
    facts = {
        "command": trace.command,
        "guild": trace.guild_id,
        "user": trace.user_id,
        "outcome": trace.outcome.value,
        "reason": trace.reason,
        "ms": round(trace.finished_after * 1000),
        "acknowledged_ms": None if trace.acknowledged_after is None else round(trace.acknowledged_after * 1000),
        "provider_ms": round(trace.provider_seconds * 1000),
        "reference": trace.reference,
    }
    extra = {name: value for name, value in facts.items() if value is not None}
    _log.log(level, "interaction handled", extra=extra)
