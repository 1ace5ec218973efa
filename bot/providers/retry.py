"""Decides whether a failed read is worth another try, and after how long. Nothing that changes state asks here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.failures import FailureKind, Fixer, Repeat

if TYPE_CHECKING:
    from bot.domain.failures import Explanation, Failure

MOST_TRIES = 3

_PASSING = frozenset({FailureKind.UNREACHABLE, FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN})
"""What the transport knows to pass: the next connection may work."""

_FIRST_WAIT = timedelta(milliseconds=400)
_LEAST_LEFT = timedelta(seconds=1)
"""A try with less time than this would only fail."""


def wait_before_retry(
    failure: Failure, explanation: Explanation, *, tries: int, left: timedelta, chance: float
) -> timedelta | None:
    """Return how long to wait before the next try, or None where there should be none.

    ``tries`` have been made, ``left`` remains of the deadline, ``chance`` is a random number from 0 to 1: waits grow
    twofold and are spread over half to all of their length. A provider's own word on when to come back is obeyed
    where it fits into the deadline, and ends the matter where it does not. HTTP 429 is never tried again.
    """
    if tries >= MOST_TRIES or not _may_pass(failure, explanation):
        return None
    wait = _FIRST_WAIT * 2 ** (tries - 1) * (0.5 + chance / 2)
    asked_for = failure.retry_after or (explanation.repeat_after if failure.kind is FailureKind.REFUSED else None)
    if asked_for is not None:
        wait = max(wait, asked_for)
    return wait if wait + _LEAST_LEFT <= left else None


def _may_pass(failure: Failure, explanation: Explanation) -> bool:
    if failure.http_status == 429:  # noqa: PLR2004 -- Too Many Requests
        return False
    if failure.kind is FailureKind.REFUSED:
        return explanation.known and explanation.fixer is Fixer.TIME and explanation.repeat is Repeat.LATER
    return failure.kind in _PASSING
