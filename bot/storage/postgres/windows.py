"""Counts the calls to providers of all processes, on the server's clock."""

import asyncio
import contextlib
import time
from datetime import timedelta

from typing_extensions import override

from bot.domain.errors import DatabaseUnavailable
from bot.ports.windows import CallDecision, CallRequest, SharedWindows
from bot.storage.errors import DatabaseClosed
from bot.storage.postgres.database import PostgresDatabase

_DECIDE = """
SELECT call, wait, held, customers_paused FROM decide_call(
    :window, :account, :customer, :is_staff, :limit, :customer_limit, :per, :within, :counts
)
"""

_END = """
UPDATE provider_calls SET until = clock_timestamp() + ended.remaining
FROM unnest(CAST(:calls AS bigint[]), CAST(:remaining AS interval[])) AS ended(call, remaining)
WHERE provider_calls.id = ended.call
"""

_PAUSE = """
INSERT INTO provider_pauses (digest, scope, until) VALUES (:window, :scope, clock_timestamp() + :wait)
ON CONFLICT (digest, scope) DO UPDATE SET until = greatest(provider_pauses.until, excluded.until)
"""

_RESUME = "DELETE FROM provider_pauses WHERE digest = :window AND scope = :scope"

_PURGE = (
    "DELETE FROM provider_calls WHERE until < clock_timestamp() - interval '1 hour'",
    "DELETE FROM provider_pauses WHERE until < clock_timestamp() - interval '1 hour'",
)

_ENDS_TOGETHER = 0.1
"""Seconds in which the ends of calls are collected. Until its end is stored, a call counts as one that still lasts."""

_CLOSE_WITHIN = 0.25


class PostgresWindows(SharedWindows):
    """Windows in the tables ``provider_calls`` and ``provider_pauses``; the function decide_call is in the schema."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._ended: dict[int, tuple[float, timedelta]] = {}
        self._storing: asyncio.Task[None] | None = None

    @override
    async def take(self, request: CallRequest) -> CallDecision:
        return await self._decide(request, counts=True)

    @override
    async def preview(self, request: CallRequest) -> CallDecision:
        return await self._decide(request, counts=False)

    @override
    def end(self, call: int, per: timedelta) -> None:
        self._ended[call] = time.monotonic(), per
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_ends(), name="ends of provider calls")

    @override
    async def pause(self, window: bytes, scope: bytes, wait: timedelta) -> None:
        await self._database.run(_PAUSE, {"window": window, "scope": scope, "wait": wait})

    @override
    async def resume(self, window: bytes, scope: bytes) -> None:
        await self._database.run(_RESUME, {"window": window, "scope": scope})

    async def purge(self) -> None:
        """Delete what is over in windows that are not used any more."""
        for sql in _PURGE:
            await self._database.run(sql)

    async def stored(self) -> None:
        """Wait until every end so far is stored, or could not be."""
        if self._storing is not None:
            await asyncio.wait({self._storing})

    async def close(self) -> None:
        """Store what is left, in little time: an end that is not stored only counts longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self.stored()

    async def _decide(self, request: CallRequest, *, counts: bool) -> CallDecision:
        parameters = {
            "window": request.window,
            "account": request.account,
            "customer": request.customer,
            "is_staff": request.is_staff,
            "limit": request.limit,
            "customer_limit": request.customer_limit,
            "per": request.per,
            "within": request.within,
            "counts": counts,
        }
        ((call, wait, held, customers_paused),) = await self._database.run(_DECIDE, parameters)
        return CallDecision(call, wait, held, customers_paused)

    async def _store_ends(self) -> None:
        while self._ended:
            await asyncio.sleep(_ENDS_TOGETHER)
            ended, self._ended = self._ended, {}
            now = time.monotonic()
            remaining = [per - timedelta(seconds=now - at) for at, per in ended.values()]
            # Ends that are not stored count for the longest that the calls could last.
            with contextlib.suppress(DatabaseUnavailable, DatabaseClosed):
                await self._database.run(_END, {"calls": list(ended), "remaining": remaining})
