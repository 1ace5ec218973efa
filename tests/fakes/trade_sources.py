"""Providers of trades in memory, and AssetPay's check of trade URLs."""

import asyncio

from bot.domain.access import Caller, current_caller
from bot.domain.failures import ProviderName, TradeUrlCheck
from bot.domain.steam import TradeUrl
from bot.domain.trades import NotAsked, Trade, TradeQuery, TradeReading
from bot.ports import TradeUrlChecker
from bot.providers.explanations import Catalogue
from bot.services.trade_url_hints import TradeUrlHints

_CATALOGUE = Catalogue.load()


def hints(checker: TradeUrlChecker | None = None) -> TradeUrlHints:
    """Return the hints of a desk, without a checker by default."""
    return TradeUrlHints(checker=checker, explanations=_CATALOGUE)


class FakeTradeSource:
    """Answers every query with ``reading`` or ``error`` while the ``gate`` is open."""

    def __init__(self, name: ProviderName, *trades: Trade) -> None:
        self.name = name
        self.reading = TradeReading(trades)
        self.error: Exception | None = None
        self.missing: NotAsked | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.asked: list[TradeQuery] = []
        self.callers: list[Caller] = []

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return what is ``missing``."""
        return self.missing

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the reading, whatever was asked for: leaving out is the service's work."""
        self.asked.append(query)
        self.callers.append(current_caller())
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.reading


class FakeTradeUrlChecker:
    """Finds ``found``, or raises ``error``, while the ``gate`` is open."""

    def __init__(self) -> None:
        self.found = TradeUrlCheck("4", (("escrowDays", "7"),))
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[TradeUrl] = []
        self.callers: list[Caller] = []

    async def check(self, trade_url: TradeUrl) -> TradeUrlCheck:
        """Answer once the gate is open."""
        self.asked.append(trade_url)
        self.callers.append(current_caller())
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.found
