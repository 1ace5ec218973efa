"""Puts patience and sense around a provider: reads are tried again where that helps, a failing one is left alone."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind
from bot.domain.health import ProviderHealth
from bot.providers.retry import wait_before_retry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.domain.failures import ProviderName
    from bot.domain.inventory import Inventory, InventoryQuery
    from bot.domain.resends import Receipt
    from bot.domain.steam import Game
    from bot.domain.trades import Scope, Trade
    from bot.ports import CallObserver, Explanations, InventoryProvider, TradeProvider
    from bot.providers.circuit_breaker import Circuit
    from bot.providers.rate_limits import RateLimiter

T = TypeVar("T")

DEADLINE = timedelta(seconds=13)
"""All tries of a read together: a lookup is answered within 15 seconds (design.md, 1.5)."""


_NOT_ASKED = frozenset({FailureKind.RATE_LIMITED_LOCALLY, FailureKind.CIRCUIT_OPEN})


class ResilientProvider:
    """What one provider's calls share: the circuit, the tries, the health."""

    def __init__(
        self,
        provider: ProviderName,
        *,
        circuit: Circuit,
        limiter: RateLimiter,
        explanations: Explanations,
        observers: Sequence[CallObserver] = (),
    ) -> None:
        self._provider = provider
        self._circuit = circuit
        self._limiter = limiter
        self._explanations = explanations
        self._observers = tuple(observers)

    def health(self) -> ProviderHealth:
        """Return how the provider is doing."""
        circuit = self._circuit
        return ProviderHealth(
            self._provider, circuit.state, circuit.since, circuit.failure, circuit.open_until, self._limiter.quotas()
        )

    async def read(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that changes nothing, again where its failure may pass, within one deadline."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ends = begun + DEADLINE.total_seconds()
        tries = 0
        while True:
            self._check_circuit(operation)
            tries += 1
            try:
                return await self.observed(operation, self._once(call, ends=ends))
            except ProviderError as error:
                failure = error.failure
            left = timedelta(seconds=max(0.0, ends - loop.time()))
            wait = wait_before_retry(
                failure,
                self._explanations.explain(failure),
                tries=tries,
                left=left,
                chance=random.random(),  # noqa: S311 -- jitter
            )
            if wait is None:
                raise ProviderError(_timed(failure, timedelta(seconds=loop.time() - begun)))
            await asyncio.sleep(wait.total_seconds())

    async def observed(self, operation: str, call: Awaitable[T]) -> T:
        """Await a call and tell the observers how it went. A call that is cancelled has no outcome to tell."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await call
        except ProviderError as error:
            self._tell(operation, loop.time() - began, error.failure)
            raise
        self._tell(operation, loop.time() - began, None)
        return answer

    def _tell(self, operation: str, seconds: float, failure: Failure | None) -> None:
        for observe in self._observers:
            observe(self._provider, operation, seconds=seconds, failure=failure)

    async def _once(self, call: Callable[[], Awaitable[T]], *, ends: float) -> T:
        self._circuit.begin()
        try:
            async with asyncio.timeout_at(ends):
                answer = await call()
        except TimeoutError:
            failure = Failure(self._provider, FailureKind.TIMED_OUT)
            self._circuit.end(failure)
            raise ProviderError(failure) from None
        except ProviderError as error:
            self._circuit.end(error.failure)
            raise
        except BaseException:
            self._circuit.give_up()
            raise
        self._circuit.end(None)
        return answer

    def _check_circuit(self, operation: str) -> None:
        rest = self._circuit.rest_left()
        if rest is not None:
            failure = Failure(self._provider, FailureKind.CIRCUIT_OPEN, retry_after=rest)
            self._tell(operation, 0.0, failure)
            raise ProviderError(failure)


def _timed(failure: Failure, took: timedelta) -> Failure:
    """Return the failure with how long it took, unless nobody was asked."""
    return failure if failure.kind in _NOT_ASKED else replace(failure, took=took)


class ResilientInventories:
    """An inventory provider with steadiness."""

    def __init__(self, provider: InventoryProvider, resilience: ResilientProvider) -> None:
        self._provider = provider
        self._resilience = resilience

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        return self._provider.name

    @property
    def games(self) -> frozenset[Game]:
        """The games it has."""
        return self._provider.games

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask, more than once where that helps."""
        return await self._resilience.read("inventory", lambda: self._provider.look_up(query))


class ResilientTrades:
    """A trade provider with steadiness for reads. A resend is passed on as it is: once."""

    def __init__(self, provider: TradeProvider, resilience: ResilientProvider) -> None:
        self._provider = provider
        self._resilience = resilience

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        return self._provider.name

    async def trades(self, scope: Scope) -> tuple[Trade, ...]:
        """Read, more than once where that helps."""
        return await self._resilience.read(f"{scope.value} trades", lambda: self._provider.trades(scope))

    async def resend(self, trade_id: int) -> Receipt:
        """Ask exactly once."""
        return await self._resilience.observed("resend", self._provider.resend(trade_id))
