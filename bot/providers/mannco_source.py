"""Mannco.store's trades for ``/trades``: listed, since no call finds a single one (seed 004)."""

import asyncio
from contextlib import suppress

from bot.domain.errors import ProviderError
from bot.domain.steam import SteamId
from bot.domain.trades import NotAsked, Scope, TradeList, TradeQuery, TradeReading
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
        if query.reference is not None:
            listed = await self._named(query)
            scope = Scope.ALL
        else:
            listed, scope = await self._listed(query.scope, query.account)
        return TradeReading(
            listed.trades,
            listed.unread,
            is_full=scope is Scope.ALL and listed.is_full,
            limit=listed.limit_for(query.account),
            of_account_alone=listed.account is not None,
        )

    async def _named(self, query: TradeQuery) -> TradeList:
        """Return a list with the trade of this number if there is one, from its owner's own list if that is needed."""
        listed = await self._provider.trades(Scope.ALL, query.account)
        number = query.reference.text if query.reference is not None else ""
        if query.account is None and number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS:
            known = self._provider.owner_of(int(number))
            if known is not None and listed.find(int(number)) is None:
                return await self._provider.trades(Scope.ALL, known)
        return listed

    async def _listed(self, scope: Scope, account: SteamId | None) -> tuple[TradeList, Scope]:
        """Return the trades, and the scope that they were read with.

        The few active trades may not show whose the key sees: all of them do, in the time that is left.
        """
        second_ends = asyncio.get_running_loop().time() + _SECOND_ENDS_AFTER
        listed = await self._provider.trades(scope, account)
        if scope is Scope.ACTIVE and listed.limit_for(account) is not None:
            with suppress(ProviderError, TimeoutError):
                async with asyncio.timeout_at(second_ends):
                    return await self._provider.trades(Scope.ALL, account), scope
        return listed, scope
