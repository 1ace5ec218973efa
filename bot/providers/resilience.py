"""Retries and a circuit breaker around a provider. A call that changes state passes through once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from typing import ParamSpec, TypeVar

from bot.domain.errors import ProviderError
from bot.domain.failures import Explanation, Failure, FailureKind, Fixer, ProviderName, Repeat, TradeUrlCheck
from bot.domain.health import ProviderHealth
from bot.domain.inventory import Inventory, InventoryQuery
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.steam import SteamId, TradeUrl
from bot.domain.trades import NotAsked, Scope, TradeList, TradeQuery, TradeReading
from bot.ports import (
    CallObserver,
    Clock,
    Explanations,
    InventoryProvider,
    TradeProvider,
    TradeSource,
    TradeUrlChecker,
)
from bot.providers.circuit import NOT_ASKED, CircuitBreaker, CircuitOpen, shows_up, sign_of
from bot.providers.evidence import about, current_question
from bot.providers.rate_limits import RateLimiter

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE = timedelta(seconds=13)
"""For all tries of a read together: a lookup is answered within 15 seconds (design.md, 1.5)."""
MAX_TRIES = 3
_FIRST_WAIT = timedelta(milliseconds=400)
_MIN_TIME_FOR_TRY = timedelta(seconds=1)
_TRANSIENT = frozenset({FailureKind.UNREACHABLE, FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN})

# A context variable, because only reads of several calls need it.
_ends: ContextVar[float] = ContextVar("ends")


def ends_within(seconds: float) -> float:
    """Return the event loop's time at which a read of several calls has to end: in ``seconds`` at the latest.

    After a failed try less is left of the deadline for all tries.
    """
    own = asyncio.get_running_loop().time() + seconds
    return min(own, _ends.get(own))


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
        self._is_up = True
        self.operations: set[str] = set()
        """What it may be asked for: each adapter around it adds its own, so that metrics can begin at 0."""

    async def health(self) -> ProviderHealth:
        """Return the provider's health."""
        return ProviderHealth(
            self._provider,
            *self._breaker.health(),
            await self._limiter.quotas(),
            is_up=self._is_up,
            operations=frozenset(self.operations),
        )

    async def read(
        self,
        operation: str,
        account: SteamId | None,
        call: Callable[P, Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Make a call that changes nothing, again after a transient failure, within one deadline.

        ``account`` is the one that the call is about; None if it is about no single one.
        """
        token = _ends.set(asyncio.get_running_loop().time() + self._deadline.total_seconds())
        try:
            with about(account):
                return await self._read(operation, call, *args, **kwargs)
        finally:
            _ends.reset(token)

    async def _read(self, operation: str, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        began, ends = loop.time(), _ends.get()
        question = current_question()
        tries = 0
        failure: Failure | None = None
        while True:
            tries += 1
            try:
                attempt = self._breaker.enter(question)
            except CircuitOpen as is_open:
                if failure is None:  # else it has opened since the last try, whose failure says more
                    failure = Failure(self._provider, FailureKind.CIRCUIT_OPEN, retry_after=is_open.wait)
                    self._observe(operation, 0.0, failure)
                raise ProviderError(failure) from None
            try_began = loop.time()
            try:
                async with asyncio.timeout_at(ends):
                    answer = await call(*args, **kwargs)
            except TimeoutError:
                failure = Failure(self._provider, FailureKind.TIMED_OUT)
            except ProviderError as error:
                failure = error.failure
            except BaseException:
                self._breaker.cancel(attempt)
                raise
            else:
                self._breaker.answered(attempt)
                self._observe(operation, loop.time() - try_began, None)
                return answer
            explanation = self._explanations.explain(failure)
            self._breaker.failed(attempt, failure, sign_of(failure, explanation))
            self._observe(operation, loop.time() - try_began, failure)
            took = None if failure.kind in NOT_ASKED else timedelta(seconds=loop.time() - began)
            failure = replace(failure, took=took)
            wait = wait_before_retry(
                failure,
                explanation,
                tries=tries,
                left=timedelta(seconds=max(0.0, ends - loop.time())),
                jitter=random.random(),  # noqa: S311 -- no secret depends on it
            )
            if wait is None:
                raise ProviderError(failure)
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
        is_up = True if failure is None else shows_up(failure, self._explanations.explain(failure))
        self._is_up = self._is_up if is_up is None else is_up
        for observe in self._observers:
            observe(self._provider, operation, seconds=seconds, failure=failure)


class ResilientInventories:
    """An inventory provider with retries and a circuit breaker."""

    def __init__(self, provider: InventoryProvider, resilience: ResilientProvider) -> None:
        self.name = provider.name
        self.games = provider.games
        self._provider = provider
        self._resilience = resilience
        resilience.operations.add("inventory")

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Look up, again after a transient failure."""
        return await self._resilience.read("inventory", query.trade_url.steam_id, self._provider.look_up, query)


class ResilientSource:
    """A source of trades with retries and a circuit breaker."""

    def __init__(self, source: TradeSource, resilience: ResilientProvider) -> None:
        self.name = source.name
        self._source = source
        self._resilience = resilience
        resilience.operations.add("trades")

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return what the query lacks."""
        return self._source.lacks(query)

    async def read(self, query: TradeQuery) -> TradeReading:
        """Read, again after a transient failure."""
        return await self._resilience.read("trades", query.account, self._source.read, query)


class ResilientTradeUrls:
    """A check of trade URLs with retries and a circuit breaker."""

    def __init__(self, checker: TradeUrlChecker, resilience: ResilientProvider) -> None:
        self._checker = checker
        self._resilience = resilience
        resilience.operations.add("trade URL check")

    async def check(self, trade_url: TradeUrl) -> TradeUrlCheck:
        """Check, again after a transient failure."""
        return await self._resilience.read("trade URL check", trade_url.steam_id, self._checker.check, trade_url)


class ResilientTrades:
    """A trade provider with retries and a circuit breaker for reads. A resend is passed on exactly once."""

    def __init__(self, provider: TradeProvider, resilience: ResilientProvider) -> None:
        self.name = provider.name
        self.per_account = provider.per_account
        self._provider = provider
        self._resilience = resilience
        resilience.operations.update(("resend", *(f"{scope.value} trades" for scope in Scope)))

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        """Read, again after a transient failure."""
        asked = account if self.per_account else None
        return await self._resilience.read(f"{scope.value} trades", asked, self._provider.trades, scope, account)

    def owner_of(self, trade_id: int) -> SteamId | None:
        """Return whose trade this is, if the provider remembers it."""
        return self._provider.owner_of(trade_id)

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        """Ask exactly once."""
        return await self._resilience.once("resend", self._provider.resend(trade_id, before_send=before_send))
