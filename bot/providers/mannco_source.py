"""Mannco.store's trades for ``/trades``: listed, since no call finds a single one (seed 004)."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from bot.domain.errors import Overloaded, ProviderError
from bot.domain.steam import SteamId
from bot.domain.trades import PENDING_STATUS, KeyLimit, NotAsked, Scope, TradeList, TradeQuery, TradeReading
from bot.ports import TradeProvider

_SECOND_ENDS_AFTER = 10.0
"""Seconds from the beginning: an answer is due within 15."""
_MAX_DIGITS = 19
"""A trade's number has at most 64 bits."""


class ManncoSource:
    """The trades that this desk's key lists."""

    def __init__(self, provider: TradeProvider) -> None:
        self.name = provider.name
        self._provider = provider

    def lacks(self, query: TradeQuery) -> NotAsked | None:  # noqa: ARG002 -- every query can be asked
        """Return None: the key is enough."""
        return None

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the listed trades, and whether the key may not see those of the account."""
        is_full = False
        if query.reference is None and query.scope is Scope.ACTIVE:
            listed, limit = await self._waiting(query.account)
        else:
            listed = await self._all(query)
            limit, is_full = listed.limit_for(query.account), listed.is_full
        return TradeReading(
            listed.trades, listed.unread, is_full=is_full, limit=limit, of_account_alone=listed.account is not None
        )

    async def _all(self, query: TradeQuery) -> TradeList:
        """Return all trades; if they lack the one that is wanted, those of its owner, if the owner is known."""
        listed = await self._provider.trades(Scope.ALL, query.account)
        number = "" if query.reference is None else query.reference.text
        if query.account is None and number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS:
            owner = self._provider.owner_of(int(number))
            if owner is not None and listed.find(int(number)) is None:
                return await self._provider.trades(Scope.ALL, owner)
        return listed

    async def _waiting(self, account: SteamId | None) -> tuple[TradeList, KeyLimit | None]:
        """Return the trades that wait, and whether the key may not see those of the account.

        These few may not show whose trades the key sees: all of them do, in the time that is left.
        """
        second_ends = asyncio.get_running_loop().time() + _SECOND_ENDS_AFTER
        listed = await self._provider.trades(Scope.ACTIVE, account)
        limit = listed.limit_for(account)
        if limit is not None:
            with suppress(ProviderError, Overloaded, TimeoutError):
                async with asyncio.timeout_at(second_ends):
                    everything = await self._provider.trades(Scope.ALL, account)
                waiting = tuple(trade for trade in everything.trades if trade.status == PENDING_STATUS)
                return replace(everything, trades=waiting), everything.limit_for(account)
        return listed, limit
