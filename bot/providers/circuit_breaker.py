"""Leaves a failing provider alone for a while, and knows since when and why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.failures import FailureKind
from bot.domain.health import ProviderState

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.failures import Failure
    from bot.ports import Clock

_OUTAGE = frozenset({
    FailureKind.UNREACHABLE,
    FailureKind.LOST,
    FailureKind.TIMED_OUT,
    FailureKind.BROKEN,
    FailureKind.NONSENSE,
    FailureKind.REDIRECTED,
})  # fmt: skip
"""Failures of the provider as a whole. A refusal is an answer, and says nothing against the next question."""

_NOT_ASKED = frozenset({FailureKind.RATE_LIMITED_LOCALLY, FailureKind.WRONG_ACCOUNT})
"""Failures of ours before the provider was asked: they say nothing about it at all."""

_OPENS_AFTER = 5
_FIRST_REST = timedelta(seconds=15)
_LONGEST_REST = timedelta(minutes=5)


class Circuit:
    """Opens after five failures in a row; then one call at a time tries, after rests of 15 seconds up to 5 minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._rests = 0
        self._trying = False
        self.since: datetime | None = None
        self.failure: Failure | None = None
        self.until: datetime | None = None

    @property
    def state(self) -> ProviderState:
        """Return what to expect now."""
        if self.open_until is not None:
            return ProviderState.CIRCUIT_OPEN
        return ProviderState.FAILING if self._failures else ProviderState.WORKING

    @property
    def open_until(self) -> datetime | None:
        """Return the end of a rest, or None where there is none or it is over: the next call tries then."""
        return self.until if self.until is not None and self.until > self._clock.now() else None

    def rest_left(self) -> timedelta | None:
        """Return how long no call is to be made, or None where one may be made now."""
        if self.until is None:
            return None
        left = self.until - self._clock.now()
        if left > timedelta(0):
            return left
        return _FIRST_REST if self._trying else None

    def begin(self) -> None:
        """Note that a call is made: during a rest that is over it is the one that tries."""
        self._trying = self.until is not None

    def end(self, failure: Failure | None) -> None:
        """Note how a call ended; None for an answer."""
        self._trying = False
        if failure is not None and failure.kind in _NOT_ASKED:
            return
        now = self._clock.now()
        if failure is None or failure.kind not in _OUTAGE:
            if self._failures:
                self.since = now
            self._failures = self._rests = 0
            self.failure = self.until = None
            return
        if not self._failures:
            self.since = now
        self._failures += 1
        self.failure = failure
        if self._failures >= _OPENS_AFTER and (self.until is None or self.until <= now):
            self.until = now + min(_FIRST_REST * 2**self._rests, _LONGEST_REST)
            self._rests += 1

    def give_up(self) -> None:
        """Note that a call was cancelled: it says nothing about the provider."""
        self._trying = False
