"""Retries and a circuit breaker around a provider. A call that changes state passes through once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from bot.domain.errors import ProviderError
from bot.domain.failures import Explanation, Failure, FailureKind, Fixer, ProviderName, Repeat
from bot.domain.health import ProviderHealth, ProviderState
from bot.domain.inventory import Inventory, InventoryQuery
from bot.domain.resends import Receipt
from bot.domain.steam import SteamId
from bot.domain.trades import Scope, TradeList
from bot.ports import CallObserver, Clock, Explanations, InventoryProvider, TradeProvider
from bot.providers.rate_limits import RateLimiter

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE = timedelta(seconds=13)
"""For all tries of a read together: a lookup is answered within 15 seconds (design.md, 1.5)."""
MAX_TRIES = 3
_FIRST_WAIT = timedelta(milliseconds=400)
_MIN_TIME_FOR_TRY = timedelta(seconds=1)
_TRANSIENT = frozenset({FailureKind.UNREACHABLE, FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN})

_OPENS_AFTER = 5
_FIRST_OPEN = timedelta(seconds=15)
_MAX_OPEN = timedelta(minutes=5)
_OUTAGES = _TRANSIENT | {FailureKind.NONSENSE, FailureKind.REDIRECTED}
"""Failures of the provider as a whole. A refusal is an answer, and says nothing about the next question."""
_NOT_ASKED = frozenset({FailureKind.RATE_LIMITED_LOCALLY, FailureKind.CIRCUIT_OPEN, FailureKind.WRONG_ACCOUNT})
"""SkinDesk's own failures before the provider is asked: they say nothing about it."""
_SAYS_NOTHING = _NOT_ASKED | {FailureKind.BLOCKED}
"""A firewall can refuse a single question, and the provider did not see that one either."""


class CircuitBreaker:
    """Opens after five failures in a row, for 15 seconds and later for up to 5 minutes.

    Then it is half-open: one call at a time is a trial, which closes the circuit or opens it again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._openings = 0
        self._is_trial_running = False
        self._open_until: datetime | None = None
        self._since: datetime | None = None
        self._failure: Failure | None = None

    def health(self) -> tuple[ProviderState, datetime | None, Failure | None, datetime | None]:
        """Return the state, since when, the latest failure, and until when the circuit is open."""
        if self._open_until is not None and self._open_until > self._clock.now():
            return ProviderState.CIRCUIT_OPEN, self._since, self._failure, self._open_until
        state = ProviderState.FAILING if self._failures else ProviderState.WORKING
        return state, self._since, self._failure, None

    def enter(self) -> timedelta | None:
        """Begin a call, or return how long none may be made."""
        if self._open_until is not None:
            left = self._open_until - self._clock.now()
            if left > timedelta(0):
                return left
            if self._is_trial_running:
                return _FIRST_OPEN
            self._is_trial_running = True
        return None

    def cancel(self) -> None:
        """End a call that was cancelled and so says nothing about the provider."""
        self._is_trial_running = False

    def leave(self, failure: Failure | None) -> None:
        """End a call with its failure, or None for an answer."""
        self._is_trial_running = False
        if failure is not None and failure.kind in _SAYS_NOTHING:
            return
        now = self._clock.now()
        if failure is None or failure.kind not in _OUTAGES:
            if self._failures:
                self._since = now
            self._failures = self._openings = 0
            self._failure = self._open_until = None
            return
        if not self._failures:
            self._since = now
        self._failures += 1
        self._failure = failure
        if self._failures >= _OPENS_AFTER and (self._open_until is None or self._open_until <= now):
            self._open_until = now + min(_FIRST_OPEN * 2**self._openings, _MAX_OPEN)
            self._openings += 1


def wait_before_retry(
    failure: Failure, explanation: Explanation, *, tries: int, left: timedelta, jitter: float
) -> timedelta | None:
    """Return how long to wait before the next try, or None for no further try.

    ``left`` remains of the deadline. Waits double; ``jitter``, from 0 to 1, spreads them over half to all of their
    length. A provider's ``Retry-After`` is obeyed if it fits into the deadline, and ends the tries if not. HTTP 429
    is never tried again.
    """
    if tries >= MAX_TRIES or failure.http_status == 429:  # noqa: PLR2004 -- Too Many Requests
        return None
    wait = _FIRST_WAIT * 2 ** (tries - 1) * (0.5 + jitter / 2)
    asked_for = failure.retry_after
    if failure.kind is FailureKind.REFUSED:
        if not explanation.known or explanation.fixer is not Fixer.TIME or explanation.repeat is not Repeat.LATER:
            return None
        asked_for = asked_for or explanation.repeat_after
    elif failure.kind not in _TRANSIENT:
        return None
    if asked_for is not None:
        wait = max(wait, asked_for)
    return wait if wait + _MIN_TIME_FOR_TRY <= left else None


class ResilientProvider:
    """The circuit breaker, retries and health of one provider."""

    def __init__(
        self,
        provider: ProviderName,
        *,
        clock: Clock,
        limiter: RateLimiter,
        explanations: Explanations,
        observers: Sequence[CallObserver] = (),
        deadline: timedelta = DEADLINE,
    ) -> None:
        self._provider = provider
        self._breaker = CircuitBreaker(clock)
        self._limiter = limiter
        self._explanations = explanations
        self._observers = tuple(observers)
        self._deadline = deadline

    def health(self) -> ProviderHealth:
        """Return the provider's health."""
        return ProviderHealth(self._provider, *self._breaker.health(), self._limiter.quotas())

    async def read(self, operation: str, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a call that changes nothing, again after a transient failure, within one deadline."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        ends = began + self._deadline.total_seconds()
        tries = 0
        while True:
            tries += 1
            open_for = self._breaker.enter()
            if open_for is not None:
                failure = Failure(self._provider, FailureKind.CIRCUIT_OPEN, retry_after=open_for)
                self._observe(operation, 0.0, failure)
                raise ProviderError(failure)
            try_began = loop.time()
            try:
                async with asyncio.timeout_at(ends):
                    answer = await call(*args, **kwargs)
            except TimeoutError:
                failure = Failure(self._provider, FailureKind.TIMED_OUT)
            except ProviderError as error:
                failure = error.failure
            except BaseException:
                self._breaker.cancel()
                raise
            else:
                self._breaker.leave(None)
                self._observe(operation, loop.time() - try_began, None)
                return answer
            self._breaker.leave(failure)
            self._observe(operation, loop.time() - try_began, failure)
            wait = wait_before_retry(
                failure,
                self._explanations.explain(failure),
                tries=tries,
                left=timedelta(seconds=max(0.0, ends - loop.time())),
                jitter=random.random(),  # noqa: S311 -- no secret depends on it
            )
            if wait is None:
                took = None if failure.kind in _NOT_ASKED else timedelta(seconds=loop.time() - began)
                raise ProviderError(replace(failure, took=took))
            await asyncio.sleep(wait.total_seconds())

    async def once(self, operation: str, call: Awaitable[T]) -> T:
        """Make a call that changes state: exactly once, even if the circuit is open."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await call
        except ProviderError as error:
            self._observe(operation, loop.time() - began, error.failure)
            raise
        self._observe(operation, loop.time() - began, None)
        return answer

    def _observe(self, operation: str, seconds: float, failure: Failure | None) -> None:
        for observe in self._observers:
            observe(self._provider, operation, seconds=seconds, failure=failure)


class ResilientInventories:
    """An inventory provider with retries and a circuit breaker."""

    def __init__(self, provider: InventoryProvider, resilience: ResilientProvider) -> None:
        self.name = provider.name
        self.games = provider.games
        self._provider = provider
        self._resilience = resilience

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Look up, again after a transient failure."""
        return await self._resilience.read("inventory", self._provider.look_up, query)


class ResilientTrades:
    """A trade provider with retries and a circuit breaker for reads. A resend is passed on exactly once."""

    def __init__(self, provider: TradeProvider, resilience: ResilientProvider) -> None:
        self.name = provider.name
        self.per_account = provider.per_account
        self._provider = provider
        self._resilience = resilience

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        """Read, again after a transient failure."""
        return await self._resilience.read(f"{scope.value} trades", self._provider.trades, scope, account)

    def owner_of(self, trade_id: int) -> SteamId | None:
        """Return whose trade this is, if the provider remembers it."""
        return self._provider.owner_of(trade_id)

    async def resend(self, trade_id: int) -> Receipt:
        """Ask exactly once."""
        return await self._resilience.once("resend", self._provider.resend(trade_id))
