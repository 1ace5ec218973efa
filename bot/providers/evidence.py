"""Tells the trouble of one customer or one account from a provider's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.access import Caller, current_caller
from bot.domain.steam import SteamId
from bot.ports import Clock

_MAX_KEPT = 200


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks a provider, and about which account; None for a question about no single account."""

    caller: Caller
    account: SteamId | None


# A context variable for the same reason as the caller's: only the rate limiter needs it.
_account: ContextVar[SteamId | None] = ContextVar("account", default=None)


@contextmanager
def about(account: SteamId | None) -> Iterator[None]:
    """Make every provider call inside a question about ``account``."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)


def current_question() -> Question:
    """Return on whose behalf and about which account provider calls are made now."""
    return Question(current_caller(), _account.get())


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    began: int
    account: SteamId | None
    """The account that may explain it."""


class Evidence:
    """The recent failures of a provider, the latest of each question.

    Everything is kept for ``kept_for``, and for the latest 200 questions.
    """

    def __init__(self, clock: Clock, kept_for: timedelta) -> None:
        self._clock = clock
        self._kept_for = kept_for.total_seconds()
        self._failures: dict[Question, _Failure] = {}
        """In the order of their time."""

    def add(self, question: Question, *, began: int = 0, by_account: bool = True) -> None:
        """Keep a failure in place of the question's earlier one.

        ``began`` is the number of its call, ``by_account`` whether the account may be its cause.
        """
        self._failures.pop(question, None)
        account = question.account if by_account else None
        self._failures[question] = _Failure(self._clock.monotonic(), began, account)
        if len(self._failures) > _MAX_KEPT:
            del self._failures[next(iter(self._failures))]

    def discard(self, question: Question) -> None:
        """Drop the question's failure."""
        self._failures.pop(question, None)

    def clear(self) -> None:
        """Drop every failure."""
        self._failures.clear()

    def refute(self, began: int) -> None:
        """Drop the failures of calls that began before the call ``began``, which was answered."""
        self._failures = {question: each for question, each in self._failures.items() if each.began >= began}

    def is_shared(self, least: int) -> bool:
        """Return whether ``least`` failures have no customer and no account in common.

        Staff are trusted: several failures of theirs are separate ones if their accounts are. The failures are chosen
        one after the other, so in rare cases more than ``least`` are needed.
        """
        self._drop_old()
        customers: set[int] = set()
        accounts: set[SteamId] = set()
        found = 0
        for question, failure in self._failures.items():
            customer = None if question.caller.is_staff else question.caller.user_id
            if customer in customers or failure.account in accounts:
                continue
            found += 1
            if customer is not None:
                customers.add(customer)
            if failure.account is not None:
                accounts.add(failure.account)
        return found >= least

    def failed_at(self, question: Question) -> float | None:
        """Return when the question's caller or account failed last, in seconds of the monotonic clock."""
        self._drop_old()
        return max(
            (
                failure.at
                for other, failure in self._failures.items()
                if other.caller.user_id == question.caller.user_id
                or (question.account is not None and other.account == question.account)
            ),
            default=None,
        )

    def _drop_old(self) -> None:
        oldest = self._clock.monotonic() - self._kept_for
        while self._failures and self._failures[question := next(iter(self._failures))].at <= oldest:
            del self._failures[question]
