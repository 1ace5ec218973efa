"""Asks AssetPay why an account cannot trade, after an error that has several causes."""

import asyncio
from dataclasses import replace

import attrs

from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, Failure, FailureKind, TradeUrlCheck
from bot.domain.steam import TradeUrl
from bot.ports import Explanations, TradeUrlChecker

WITHIN = 3.0
"""Seconds that an answer waits for a check at most."""
_KEYS = frozenset({"INVENTORY_FETCH_FAILED", "USER_NOT_TRADEABLE", "INVALID_TRADEURL"})
"""AssetPay's errors 3, 7 and 13 (seed 000)."""


@attrs.define(kw_only=True, eq=False)
class TradeUrlHints:
    """Checks of trade URLs. Without a ``checker`` errors stay as they are."""

    _checker: TradeUrlChecker | None
    _explanations: Explanations

    def of(self, trade_url: TradeUrl | None, *, ends: float) -> "TradeUrlHint":
        """Return the hint for one lookup whose answer has to be ready at ``ends`` in the event loop's time."""
        return TradeUrlHint(self._checker, self._explanations, trade_url, ends)


@attrs.define(eq=False)
class TradeUrlHint:
    """Checks the trade URL of one lookup, once at most, however many of its calls fail."""

    _checker: TradeUrlChecker | None
    _explanations: Explanations
    _trade_url: TradeUrl | None
    _ends: float
    _lock: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)
    _is_checked: bool = attrs.field(init=False, default=False)
    _found: TradeUrlCheck | None = attrs.field(init=False, default=None)

    async def added_to(self, failure: Failure) -> Failure:
        """Return the failure with what the check found, or as it was."""
        if self._checker is None or self._trade_url is None or not self._may_help(failure):
            return failure
        async with self._lock:
            if not self._is_checked:
                self._is_checked = True
                self._found = await self._check(self._checker, self._trade_url)
        return replace(failure, trade_url_check=self._found)

    def _may_help(self, failure: Failure) -> bool:
        if failure.kind is not FailureKind.REFUSED or failure.provider.dialect is not Dialect.ASSETPAY:
            return False
        return self._explanations.explain(failure).key in _KEYS

    async def _check(self, checker: TradeUrlChecker, trade_url: TradeUrl) -> TradeUrlCheck | None:
        """Return what the check found; None if it failed or was late."""
        try:
            async with asyncio.timeout_at(min(self._ends, asyncio.get_running_loop().time() + WITHIN)):
                return await checker.check(trade_url)
        except (ProviderError, TimeoutError):
            return None
