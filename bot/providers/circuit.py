"""The circuit breaker of a provider, which no single customer and no single account can open or hold open."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus

from bot.domain.failures import CALLERS_OWN, Explanation, Failure, FailureKind, Fixer
from bot.domain.health import ProviderState
from bot.ports import Clock
from bot.providers.evidence import Evidence, Question

KEPT_FOR = timedelta(minutes=1)
"""How long a failure counts: an open circuit that nobody tries closes after this time."""
TRIAL_EVERY = timedelta(seconds=2)
NO_TRIAL_FOR = timedelta(seconds=10)
"""How long a caller whose call failed makes no trial, nor anyone else for that account."""
_SEVERAL = 3

NOT_ASKED = CALLERS_OWN | {FailureKind.WRONG_ACCOUNT}
_REFUSES_ALL = frozenset({FailureKind.BLOCKED, FailureKind.THROTTLED})
_OUTAGES = frozenset({FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN, FailureKind.REDIRECTED})


class Sign(Enum):
    """What the end of a call says about the provider."""

    NOT_ASKED = auto()
    """Nothing: SkinDesk itself refused."""
    ANSWER = auto()
    """It works."""
    QUESTION = auto()
    """Nothing: the cause is this one question."""
    OUTAGE = auto()
    """It may be out of order, unless the account explains it: a huge or slow inventory can end any call."""
    NETWORK = auto()
    """It cannot be reached, which no account explains."""


def sign_of(failure: Failure, explanation: Explanation) -> Sign:
    """Return what a failure says about the provider.

    A refusal is an answer, unless it is HTTP 500 for a fault of the provider's own (AssetPay's SERVER_ERROR).
    Throttling, a firewall's refusal, a body above the limit, an unreadable 4xx, and an unreadable body after a success
    are about one question.
    """
    status = failure.http_status or 0
    if failure.kind in NOT_ASKED:
        return Sign.NOT_ASKED
    if failure.kind is FailureKind.REFUSED:
        is_fault = status == HTTPStatus.INTERNAL_SERVER_ERROR and explanation.fixer is Fixer.PROVIDER
        return Sign.OUTAGE if is_fault and explanation.known else Sign.ANSWER
    if failure.kind is FailureKind.UNREACHABLE:
        return Sign.QUESTION if failure.place else Sign.NETWORK
    if failure.kind is FailureKind.NONSENSE:
        is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        return Sign.QUESTION if failure.says_success or is_refusal else Sign.OUTAGE
    return Sign.OUTAGE if failure.kind in _OUTAGES else Sign.QUESTION


def shows_up(failure: Failure, explanation: Explanation) -> bool | None:
    """Return whether a failed call shows that the provider is up for this desk, None if it shows neither.

    A provider that refuses the desk's credentials, or whose firewall or limit refuses every call, opens no circuit,
    because it answers others. But this desk gets nothing from it.
    """
    sign = sign_of(failure, explanation)
    if sign is Sign.ANSWER:
        return not (explanation.known and explanation.confidential)
    if sign in (Sign.OUTAGE, Sign.NETWORK) or failure.kind in _REFUSES_ALL:
        return False
    return None


class CircuitOpen(Exception):
    """No call may be made for this question before ``wait`` is over."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(str(wait))
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that may be made; attempts are numbered in the order of their beginning."""

    question: Question
    number: int
    is_trial: bool


class CircuitBreaker:
    """Opens on three failures within a minute that have no customer and no account in common.

    An answer refutes the failures of all calls that began before its own. While the circuit is open, one call in two
    seconds passes as a trial, whether the one before has ended or not, and one of staff beside it: customers who fail
    together take each other's trials, and no one else's. For two seconds after an answer every call passes, so a
    provider that answers some refuses none of them, whatever happens to others. A caller whose call failed makes no
    trial for ten seconds, nor does anyone else for that account.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._evidence = Evidence(clock, KEPT_FOR)
        self._no_trial = Evidence(clock, NO_TRIAL_FOR)
        """The failures, also of single questions, and the trials that have not ended."""
        self._begun = 0
        self._answered = 0
        """The number of the latest attempt that was answered."""
        self._failed = 0
        self._failure: Failure | None = None
        """The latest failure that no answer has refuted, and its attempt's number."""
        self._since: datetime | None = None
        self._answered_at = -math.inf
        self._trial_at = {True: -math.inf, False: -math.inf}
        """When the latest trial of staff, and that of customers, began."""

    def health(self) -> tuple[ProviderState, datetime | None, Failure | None, datetime | None]:
        """Return the state, since when, the latest failure, and when anyone may try an open circuit, if not now."""
        if not self._is_open():
            state = ProviderState.WORKING if self._failure is None else ProviderState.FAILING
            return state, self._since, self._failure, None
        left = self._next_trial(max(self._trial_at.values())) - self._clock.monotonic()
        until = self._clock.now() + timedelta(seconds=left) if left > 0 else None
        return ProviderState.CIRCUIT_OPEN, self._since, self._failure, until

    def enter(self, question: Question) -> Attempt:
        """Begin a call; CircuitOpen if none may be made for this question now."""
        now = self._clock.monotonic()
        is_trial = False
        if self._is_open():
            failed_at = self._no_trial.failed_at(question)
            own_wait = 0.0 if failed_at is None else failed_at + NO_TRIAL_FOR.total_seconds() - now
            wait = max(self._next_trial(self._trial_at[question.caller.is_staff]) - now, own_wait)
            if wait > 0:
                raise CircuitOpen(timedelta(seconds=wait))
            is_trial = not self._answers()
        self._begun += 1
        if is_trial:
            self._trial_at[question.caller.is_staff] = now
            self._no_trial.add(question, began=self._begun)
        return Attempt(question, self._begun, is_trial)

    def cancel(self, attempt: Attempt) -> None:
        """End a call that says nothing about the provider; another trial may take its place."""
        if attempt.is_trial:
            self._no_trial.discard(attempt.question)
            self._trial_at[attempt.question.caller.is_staff] = -math.inf

    def answered(self, attempt: Attempt) -> None:
        """End a call with an answer."""
        self._answered = max(self._answered, attempt.number)
        self._answered_at = self._clock.monotonic()
        for each in (self._evidence, self._no_trial):
            each.refute(attempt.number)
        if self._failure is not None and self._failed < attempt.number:
            self._failure = None
            self._since = self._clock.now()

    def failed(self, attempt: Attempt, failure: Failure, sign: Sign) -> None:
        """End a call with its failure."""
        if sign is Sign.NOT_ASKED:
            self.cancel(attempt)
        elif sign is Sign.ANSWER:
            self.answered(attempt)
        elif attempt.number > self._answered:
            self._no_trial.add(attempt.question, began=attempt.number)
            if sign is not Sign.QUESTION:
                by_account = sign is not Sign.NETWORK
                self._evidence.add(attempt.question, began=attempt.number, by_account=by_account)
            if sign is not Sign.QUESTION or failure.kind is FailureKind.NONSENSE:
                if self._failure is None:
                    self._since = self._clock.now()
                self._failure, self._failed = failure, attempt.number

    def _is_open(self) -> bool:
        return self._evidence.is_shared(_SEVERAL)

    def _answers(self) -> bool:
        """Return whether the provider has just answered someone."""
        return self._clock.monotonic() < self._answered_at + TRIAL_EVERY.total_seconds()

    def _next_trial(self, latest: float) -> float:
        return -math.inf if self._answers() else latest + TRIAL_EVERY.total_seconds()
