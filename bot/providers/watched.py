"""Reads watched trades again: one reading of a provider for as many of them as it can be for."""

from collections.abc import Iterable, Mapping, Sequence

from bot.domain.errors import ProviderError
from bot.domain.trades import Scope, Trade, TradeQuery
from bot.domain.watches import TradeKey
from bot.ports import TradeProvider, TradeSource
from bot.providers.assetpay_sources import MAX_REFERENCES, AssetPaySource
from bot.providers.resilience import ResilientProvider


class WatchedTradesOfMannco:
    """Mannco.store: one list has all trades, or those of one account if they are listed by account."""

    def __init__(self, provider: TradeProvider) -> None:
        self.name = provider.name
        self._provider = provider

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        """Read the list with the first trade."""
        account = None
        if self._provider.per_account:
            first = wanted[0]
            wanted = [each for each in wanted if each.owner == first.owner]
            account = first.owner
            if account is None and first.trade_id.isdecimal():
                account = self._provider.owner_of(int(first.trade_id))
        listed = await self._provider.trades(Scope.ALL, account)
        return _by_number(wanted, listed.trades)


class WatchedDeposits:
    """SkinsBack: the list of all deposits, which is shared with ``/trades``."""

    def __init__(self, source: TradeSource) -> None:
        self.name = source.name
        self._source = source

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        """Read the list. If a failure cut it off before any of the trades, none of them is taken for missing."""
        reading = await self._source.read(TradeQuery(Scope.ALL))
        found = _by_number(wanted, reading.trades)
        if reading.failure is not None and not any(found.values()):
            raise ProviderError(reading.failure)
        return found


class WatchedTradesOfAssetPay:
    """AssetPay: single trades by their numbers, many in one call (trades.md, 1.2)."""

    def __init__(self, source: AssetPaySource, resilience: ResilientProvider) -> None:
        self.name = source.name
        self._source = source
        self._resilience = resilience
        resilience.operations.add("watched trades")

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        """Read as many as one call takes."""
        wanted = wanted[:MAX_REFERENCES]
        numbers = [each.trade_id for each in wanted]
        trades, _ = await self._resilience.read("watched trades", None, self._source.find, numbers)
        return _by_number(wanted, trades)


def _by_number(wanted: Iterable[TradeKey], trades: Iterable[Trade]) -> dict[str, Trade | None]:
    found = {trade.id.casefold(): trade for trade in trades}
    return {each.trade_id: found.get(each.trade_id.casefold()) for each in wanted}
