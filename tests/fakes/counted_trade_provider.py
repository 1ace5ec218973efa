"""Mannco.store in memory, which checks at every call that its intent is stored."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextvars import ContextVar

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.resends import BeforeSend, Receipt, ResendState
from bot.domain.secrets import TradeCode
from bot.ports import AuditRepository
from bot.ports.resends import ResendRepository
from tests.fakes.trade_provider import FakeTradeProvider, Way, accepts

_asked_for: ContextVar[int] = ContextVar("_asked_for", default=0)


class Late:
    """A way that goes on as ``then`` once it is let go, even if its caller was cancelled."""

    def __init__(self, then: Way = accepts) -> None:
        self.reached = asyncio.Event()
        self.resend_id = 0
        self._released = asyncio.Event()
        self._then = then
        self._acting: asyncio.Task[Receipt] | None = None

    async def let_go(self) -> None:
        """Let the provider act, and wait until it has."""
        self._released.set()
        if self._acting is not None:
            await asyncio.gather(self._acting, return_exceptions=True)

    def cancel(self) -> None:
        """Cancel the call."""
        if self._acting is not None:
            self._acting.cancel()

    async def __call__(self, provider: FakeTradeProvider, trade_id: int) -> Receipt:
        self.resend_id = _asked_for.get()
        self._acting = asyncio.create_task(self._act(provider, trade_id))
        self.reached.set()
        return await asyncio.shield(self._acting)

    async def _act(self, provider: FakeTradeProvider, trade_id: int) -> Receipt:
        await self._released.wait()
        return await self._then(provider, trade_id)


class CountedTradeProvider(FakeTradeProvider):
    """Counts calls by request and by the number of its approvals, and resends by request and by trade."""

    def __init__(self, resends: ResendRepository, audit: AuditRepository) -> None:
        super().__init__()
        self._resends = resends
        self._audit = audit
        self.calls_of: Counter[tuple[int, int]] = Counter()
        """By the request's id and its number of approvals then."""
        self.done: Counter[int] = Counter()
        """By the request's id."""
        self.done_to: Counter[int] = Counter()
        """By the trade's id."""
        self.calls_unannounced = 0
        """Calls without a stored intent. They are counted, because a service could catch an error."""

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        """Go the next way, once the intent is stored."""

        async def begin() -> None:
            if before_send is not None:
                await before_send()
            await self._count(trade_id)

        return await super().resend(trade_id, before_send=begin)

    async def _count(self, trade_id: int) -> None:
        everywhere = await self._resends.all_open()
        resend = next((each for each in everywhere if (each.provider, each.trade_id) == (self.name, trade_id)), None)
        if resend is None or resend.state is not ResendState.SENDING:
            self.calls_unannounced += 1
        else:
            written = await self._audit.newest(resend.guild_id, limit=10_000)
            self.calls_of[resend.id, approvals(written, resend.id)] += 1
            _asked_for.set(resend.id)

    def carry_out(self, trade_id: int) -> TradeCode:
        """Do what a resend does."""
        self.done[_asked_for.get()] += 1
        self.done_to[trade_id] += 1
        return super().carry_out(trade_id)


def approvals(written: Iterable[AuditRow], resend_id: int) -> int:
    """Return how often a request was approved, by the audit log."""
    return sum(
        entry.action is AuditAction.RESEND_APPROVED and entry.subject == f"resend:{resend_id}" for entry in written
    )
