"""Limits of providers that several processes keep together: each call is counted in the database before it is made."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import Quota
from bot.domain.secrets import Secret
from bot.domain.steam import SteamId
from bot.ports import Clock
from bot.ports.windows import CUSTOMERS, EVERYONE, CallDecision, CallRequest, SharedWindows
from bot.providers.evidence import current_question
from bot.providers.rate_limits import CallWindow, RateLimitExceeded, customer_of, shares_of

_log = logging.getLogger(__name__)

_DIGEST_BYTES = 16
_PAUSE_WITHIN = 1.0
"""Seconds for storing a pause: an answer of the provider waits for it, and must not be lost."""


@dataclass(frozen=True, slots=True)
class Names:
    """Digests for the database, keyed with a credential: neither it nor a person can be found from them."""

    credential: Secret

    def of(self, *parts: object) -> bytes:
        """Return the name of something that belongs to the credential."""
        key, text = self.credential.reveal().encode("utf-8", "surrogatepass"), "\0".join(map(str, parts))
        return hmac.digest(key, text.encode(), hashlib.sha256)[:_DIGEST_BYTES]


class SharedWindow(CallWindow):
    """A window of all processes that use the same credential and database.

    DatabaseUnavailable, and no call, if the database does not answer: no call is made without being counted.
    """

    def __init__(
        self,
        what: str,
        limit: int,
        per: timedelta,
        clock: Clock,
        *,
        shared: SharedWindows,
        names: Names,
        route: tuple[str, ...],
        within: timedelta,
    ) -> None:
        self.per = per
        self._what = what
        self._limit = limit
        self._clock = clock
        self._shared = shared
        self._names = names
        self._reserved, self._customer_limit = shares_of(limit)
        self._whole = CallRequest(window=names.of("window", *route), per=per, within=within, limit=limit)
        self._customers_paused = False
        """Whether customers were refused when this process asked last."""

    @override
    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        decision = self._allowed(await self._shared.take(self._request()))
        try:
            yield
        finally:
            if decision.call is not None:
                self._shared.end(decision.call, self.per)

    @override
    async def check(self) -> None:
        self._allowed(await self._shared.preview(self._request()))

    @override
    async def block(self, wait: timedelta) -> None:
        await self._stored(self._shared.pause(self._whole.window, EVERYONE, min(wait, self.per)))

    @override
    async def block_customers(self, wait: timedelta) -> None:
        self._customers_paused = True
        await self._stored(self._shared.pause(self._whole.window, CUSTOMERS, min(wait, self.per)))

    @override
    async def block_account(self, account: SteamId, wait: timedelta) -> None:
        await self._stored(self._shared.pause(self._whole.window, self._names.of("account", account.value), wait))

    @override
    async def answered(self) -> None:
        if self._customers_paused:
            self._customers_paused = False
            await self._stored(self._shared.resume(self._whole.window, CUSTOMERS))

    @override
    async def quota(self) -> Quota:
        decision = await self._shared.preview(self._whole)
        if decision.wait > timedelta(0):
            return Quota(self._what, self._limit, self.per, 0, self._reserved, self._clock.now() + decision.wait)
        return Quota(self._what, self._limit, self.per, self._limit - decision.held, self._reserved)

    def _request(self) -> CallRequest:
        question = current_question()
        customer_id, is_staff = customer_of(question), question.caller.is_staff
        return replace(
            self._whole,
            limit=self._limit if is_staff else self._limit - self._reserved,
            is_staff=is_staff,
            customer=None if customer_id is None else self._names.of("customer", customer_id),
            customer_limit=self._customer_limit,
            account=None if question.account is None else self._names.of("account", question.account.value),
        )

    def _allowed(self, decision: CallDecision) -> CallDecision:
        self._customers_paused = decision.customers_paused
        if decision.wait > timedelta(0):
            raise RateLimitExceeded(decision.wait)
        return decision

    async def _stored(self, storing: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(_PAUSE_WITHIN):
                await storing
        except (TimeoutError, DatabaseUnavailable) as error:
            _log.warning("pause of a provider's limit not stored limit=%s error=%s", self._what, type(error).__name__)
