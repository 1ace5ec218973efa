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


class Ending(StrEnum):
    """How the handling of an interaction ended; the words of log and metrics."""

    OK = "ok"
    REFUSED = "refused"
    """SkinDesk said no, and why: a wrong option, a missing right, something that is gone."""
    PROVIDER_FAILED = "provider_failed"
    INTERRUPTED = "interrupted"
    """SkinDesk stopped, or gave up waiting, before it was done."""
    FAILED = "failed"
    """A fault of SkinDesk's own: the log has the traceback under the reference."""


_LEVELS = {Ending.OK: logging.INFO, Ending.REFUSED: logging.INFO}


@dataclass(slots=True, eq=False)
class Handling:
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
    ending: Ending = Ending.OK
    reason: str | None = None
    reference: str | None = None

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.began

    def goes_wrong(self, ending: Ending, *, reason: str, reference: str | None = None) -> None:
        """Note what went wrong and under which reference its reader knows it; the first thing that did counts."""
        if self.ending is Ending.OK:
            self.ending, self.reason, self.reference = ending, reason, reference


Observer: TypeAlias = Callable[[Handling], None]
"""Something that is told of every interaction once it is handled."""

_current: ContextVar[Handling | None] = ContextVar("handling", default=None)


def begin(handling: Handling) -> None:
    """Let everything that the current task causes count for this interaction."""
    _current.set(handling)


def waited_for_provider(seconds: float) -> None:
    """Count the time of a call for the interaction that caused it, if one did."""
    handling = _current.get()
    if handling is not None:
        handling.provider_seconds += seconds


def log_handled(handling: Handling) -> None:
    """Write the line of an interaction. Suggestions are made at every key that is pressed: they are left to debug."""
    level = _LEVELS.get(handling.ending, logging.WARNING)
    facts = {
        "command": handling.command,
        "guild": handling.guild_id,
        "user": handling.user_id,
        "outcome": handling.ending.value,
        "reason": handling.reason,
        "ms": _ms(handling.finished_after),
        "acknowledged_ms": _ms(handling.acknowledged_after),
        "provider_ms": _ms(handling.provider_seconds),
        "reference": handling.reference,
    }
    _log.log(
        logging.DEBUG if handling.is_suggestion and level == logging.INFO else level,
        "interaction handled",
        extra={name: value for name, value in facts.items() if value is not None},
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
