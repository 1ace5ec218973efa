"""SkinsBack's deposits for ``/trades``: all of the shop by ``orders``, one by ``orderstatus`` (trades.md, 3)."""

from functools import partial

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.trades import NotAsked, Trade, TradeQuery, TradeReading, TradeReference, UnreadRow
from bot.providers.reading import Fields, Unreadable
from bot.providers.resilience import ResilientProvider
from bot.providers.skinsback import Shop, check_error
from bot.providers.skinsback_deposits import deposit_from
from bot.providers.skinsback_orders import Orders

_METHOD = "orderstatus"
_NUMBERS = ("transaction_id", "order_id")
"""The parameters that name a deposit: SkinsBack's number, and the shop's."""
_NOT_FOUND = (2, "invalid_order_id", 3, "invalid_transaction_id", 4, "transaction_not_found")


class SkinsBackDeposits:
    """The shop's deposits of the last 14 days, and single ones of any age."""

    name = ProviderName.SKINSBACK

    def __init__(self, shop: Shop, resilience: ResilientProvider) -> None:
        self._shop = shop
        self._resilience = resilience
        resilience.operations.add("deposit")
        self._orders = Orders(shop, resilience)

    def lacks(self, query: TradeQuery) -> NotAsked | None:  # noqa: ARG002 -- every query can be asked
        """Return None: the shop's credentials are enough."""
        return None

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the deposit that the query names, or the listed ones of its account."""
        if query.reference is not None:
            return await self._resilience.read("deposit", query.account, self._named, query, query.reference)
        found = await self._orders.read()
        return TradeReading(
            tuple(found.of(query.account)),
            found.unread,
            since=found.since,
            is_cut=found.is_cut,
            failure=found.failure,
            knows_offers=False,
        )

    async def close(self) -> None:
        """End the calls that are shared."""
        await self._orders.close()

    async def _named(self, query: TradeQuery, reference: TradeReference) -> TradeReading:
        """Ask for a deposit by SkinsBack's number, then by the shop's unless it was the account's.

        The kept list may hold it, but up to a minute old: a user who names one deposit asks what it is like now, and
        that costs a call or two of 500 a minute.
        """
        trades: list[Trade] = []
        unread: list[UnreadRow] = []
        for number in _NUMBERS:
            try:
                form = [("method", _METHOD), (number, reference.text)]
                found = await self._shop.ask(form, partial(_read_named, reference))
            except ProviderError as error:
                if not _is_not_found(error.failure):
                    raise
                continue
            if isinstance(found, UnreadRow):
                unread.append(found)
                continue
            trades.append(found)
            if query.account in (None, found.owner):
                break
        return TradeReading(tuple(trades), tuple(unread), knows_offers=False)


def _read_named(reference: TradeReference, answer: Fields) -> Trade | UnreadRow:
    """Read a deposit, whose own status stands in place of a success; UnreadRow also for one with other numbers."""
    check_error(answer, _METHOD)
    if answer.values.keys().isdisjoint(_NUMBERS):
        raise Unreadable("transaction_id")
    found = deposit_from(answer.values, _METHOD, answer.note)
    if isinstance(found, Trade) and not reference.matches(found):
        answer.note(f"{_METHOD}.transaction_id")
        return UnreadRow(f"{_METHOD}.transaction_id")
    return found


def _is_not_found(failure: Failure) -> bool:
    said = failure.code if failure.key is None else failure.key
    return failure.kind is FailureKind.REFUSED and said in _NOT_FOUND
