"""Mannco.store in memory: it counts every call and answers as a test sets it."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace as altered

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.secrets import TradeCode
from bot.domain.steam import SteamId
from bot.domain.trades import PENDING_STATUS, Scope, Trade, TradeList
from bot.providers.mannco_answers import state_of
from tests.domain import builders

Way = Callable[["FakeTradeProvider", int], Awaitable[Receipt]]
"""How a resend of a trade goes."""


def refusal(kind: FailureKind, message: str | None = None, http_status: int | None = None) -> ProviderError:
    """Return a failed call of Mannco.store."""
    return ProviderError(Failure(ProviderName.MANNCO, kind, message=message, http_status=http_status))


async def accepts(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Send the offer again and confirm."""
    return Receipt(trade_id, provider.carry_out(trade_id))


async def refuses(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Refuse; nothing is done."""
    raise refusal(FailureKind.REFUSED, "Failed to resend trade. Trade not found or conditions not met.", 300)


async def loses(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Lose the answer; nothing is done."""
    raise refusal(FailureKind.LOST)


async def does_and_loses(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Send the offer again and lose the answer."""
    provider.carry_out(trade_id)
    raise refusal(FailureKind.LOST)


async def confuses(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Send the offer again and answer about another trade."""
    provider.carry_out(trade_id)
    return Receipt(trade_id + 1, TradeCode("SWAPPED"))


async def breaks(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
    """Raise an unexpected error, like an adapter with a bug."""
    raise ZeroDivisionError


def fails(kind: FailureKind, message: str | None = None, http_status: int | None = None) -> Way:
    """Return a way that fails; nothing is done."""

    async def way(provider: "FakeTradeProvider", trade_id: int) -> Receipt:
        raise refusal(kind, message, http_status)

    return way


class Held:
    """A way that waits before it goes on as ``then``: wait for ``reached``, and call :meth:`let_go`."""

    def __init__(self, then: Way = accepts) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()
        self.then = then

    def let_go(self) -> None:
        """Let the answer through."""
        self._released.set()

    async def __call__(self, provider: "FakeTradeProvider", trade_id: int) -> Receipt:
        self.reached.set()
        await self._released.wait()
        return await self.then(provider, trade_id)


class FakeTradeProvider:
    """Keeps trades. ``calls`` counts resends by trade, ``ways`` are used up one per resend, then ``accepts``."""

    name = ProviderName.MANNCO
    per_account = False
    """If true, an account's trades are listed only if it is asked about, and the key's own otherwise."""

    def __init__(self) -> None:
        self.key_owner: SteamId | None = SteamId.from_account_id(1)
        self.kept: dict[int, Trade] = {}
        self.calls: Counter[int] = Counter()
        self.readings = 0
        self.ways: deque[Way] = deque()
        self.cannot_be_read: Exception | None = None
        self.before_check: Callable[[], Awaitable[object]] | None = None
        """What a resend waits for before its last check: a slot, a connection."""
        self._codes = 0

    def add(self, trade_id: int, owner: SteamId, *, status: int = -1, items_send: tuple[str, ...] = ("31",)) -> Trade:
        """Add a failed withdrawal."""
        trade = builders.trade(
            id=trade_id,
            owner=owner,
            status=status,
            items_send=items_send,
            items_received=() if items_send else ("32",),
            bot=None,
            offer_id="5678901234",
            created_at=None,
            code=self._new_code(),
            last_error="Steam is not available (20)",
        )
        self.kept[trade_id] = trade
        return trade

    def change(self, trade_id: int, **facts: Any) -> None:
        """Change a trade, as the provider may at any time."""
        if "status" in facts:
            status = facts["status"] = str(facts["status"])
            facts["state"] = state_of(status)
        for name, field in (("items_send", "to_customer"), ("items_received", "from_customer")):
            if name in facts:
                facts[field] = builders.items_of(facts.pop(name))
        self.kept[trade_id] = altered(self.kept[trade_id], **facts)

    def carry_out(self, trade_id: int) -> TradeCode:
        """Send the offer again."""
        code = self._new_code()
        self.change(trade_id, status=PENDING_STATUS, code=code, last_error="")
        return code

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        """Return the trades."""
        self.readings += 1
        await asyncio.sleep(0)
        if self.cannot_be_read is not None:
            raise self.cannot_be_read
        if not self.per_account:
            return TradeList(tuple(self.kept.values()), self.key_owner)
        asked = account or self.key_owner
        found = tuple(each for each in self.kept.values() if each.owner == asked)
        return TradeList(found, self.key_owner, account, per_account=True)

    def owner_of(self, trade_id: int) -> SteamId | None:
        """Return the owner, as if every trade was listed lately."""
        return self.kept[trade_id].owner if self.per_account and trade_id in self.kept else None

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        """Go the next way, unless the last check refuses."""
        if self.before_check is not None:
            await self.before_check()
        if before_send is not None:
            await before_send()
        self.calls[trade_id] += 1
        way = self.ways.popleft() if self.ways else accepts
        await asyncio.sleep(0)
        return await way(self, trade_id)

    def _new_code(self) -> TradeCode:
        self._codes += 1
        return TradeCode(f"CODE{self._codes:04}")
