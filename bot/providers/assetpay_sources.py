"""AssetPay's trades for ``/trades``: single ones with the merchant's key, and an account's with a client token."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.errors import Overloaded, ProviderError
from bot.domain.failures import Dialect, Failure, FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.domain.trades import NotAsked, Trade, TradeList, TradeQuery, TradeReading, UnreadRow
from bot.providers.assetpay_answers import check_success
from bot.providers.assetpay_client import ClientCalls, client_name
from bot.providers.assetpay_trades import TradePage, read_page, read_trade, separated
from bot.providers.reading import Fields, Unreadable, read
from bot.providers.resilience import ends_within
from bot.providers.rows import listed
from bot.providers.transport import Transport

MAX_REFERENCES = 100
"""References in one call (trades.md, 1.2)."""
MAX_PAGES = 50
"""Pages in all of one reading (trades.md, 6)."""
_PER_PAGE = {Dialect.ASSETPAY: 100, Dialect.ASSETPAY_LEGACY: 50}
"""The current dialect allows 100 (trades.md, 1.3); the older one's maximum is unknown, and its inventories have 50."""
_GAMES = (Game.CS2, Game.RUST)
_NOT_FOUND = {"TRADE_NOT_FOUND": 21, "INVALID_TRADE_ID": 23}
"""The second one is of older versions, which refuse what cannot be an id (providers.md, 1.7)."""
_TIME_TO_ANSWER = 0.5
"""No further page is asked for in the last seconds before the deadline."""


class AssetPaySource:
    """Single trades by their ids and the shop's order numbers, with the merchant's API key (trades.md, 1.2)."""

    name = ProviderName.ASSETPAY

    def __init__(self, transport: Transport, api_key: Secret) -> None:
        self._transport = transport
        self._api_key = api_key

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return REFERENCE without one: the key lists no customer's trades (trades.md, 1.4)."""
        return NotAsked.REFERENCE if query.reference is None else None

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the trade that the reference names, if AssetPay shows it to this desk."""
        references = [] if query.reference is None else [query.reference.text]
        trades, unread = await self.find(references)
        return TradeReading(trades, unread, knows_offers=False)

    async def find(self, references: Sequence[str]) -> tuple[tuple[Trade, ...], tuple[UnreadRow, ...]]:
        """Return the trades with these ids or order numbers, at most 100 of them, and the rows that cannot be read.

        A reference that no trade can have is not asked for. A trade that was not asked for counts as unreadable.
        """
        wanted = [each for each in dict.fromkeys(references) if _can_be_asked(each)]
        if len(wanted) > MAX_REFERENCES:
            raise ValueError(len(wanted))
        if not wanted:
            return (), ()
        response = await self._transport.request(
            "GET", "/secure/trades", names=wanted, headers={"api-key": self._api_key.reveal()}
        )
        try:
            return await read(response, lambda answer: _read_found(answer, wanted), secrets=(self._api_key,))
        except ProviderError as error:
            if not _is_not_found(error.failure):
                raise
        return (), ()


def _can_be_asked(reference: str) -> bool:
    """Return whether it is one part of a path: the domain has refused all others already."""
    return reference not in ("", ".", "..") and "," not in reference


def _is_not_found(failure: Failure) -> bool:
    if failure.kind is not FailureKind.REFUSED:
        return False
    return failure.key in _NOT_FOUND if failure.key is not None else failure.code in _NOT_FOUND.values()


def _read_found(answer: Fields, wanted: Sequence[str]) -> tuple[tuple[Trade, ...], tuple[UnreadRow, ...]]:
    """Read one trade, or a list of them if several were asked for."""
    check_success(answer)
    data = answer.values.get("data")
    if data is None:
        raise Unreadable("data")
    if isinstance(data, dict):
        rows = [("data", data)]
    else:
        rows = [(f"data[{index}]", value) for index, value in enumerate(listed(data, "data"))]
    ids = {each.casefold() for each in wanted}
    found: list[Trade | UnreadRow] = []
    for place, value in rows:
        trade = read_trade(value, place, ProviderName.ASSETPAY, answer.note)
        if isinstance(trade, Trade) and trade.id.casefold() not in ids and trade.shop_reference not in wanted:
            answer.note(f"{place}.id")
            trade = UnreadRow(f"{place}.id", trade.owner)
        found.append(trade)
    return separated(found)


@dataclass(slots=True)
class _Found:
    """The trades that one reading has found so far."""

    query: TradeQuery
    trades: dict[str, Trade] = field(default_factory=dict)
    unread: list[UnreadRow] = field(default_factory=list)
    pages: int = 0
    is_cut: bool = False
    is_complete: bool = False
    """Whether the trade that the query names was found."""
    failure: Failure | None = None

    def add(self, page: TradePage) -> bool:
        """Add a page; return whether anything in it is new."""
        new = {trade.id.casefold(): trade for trade in page.trades}
        is_new = bool(page.unread) or not new.keys() <= self.trades.keys()
        self.trades |= new
        self.unread += page.unread
        self.is_cut |= page.is_cut
        reference = self.query.reference
        own = (trade for trade in page.trades if self.query.account in (None, trade.owner))  # others' change nothing
        self.is_complete |= reference is not None and any(map(reference.matches, own))
        return is_new


_Parameters = list[tuple[str, str]]
_Ask = Callable[[_Parameters], Awaitable[TradePage | None]]
"""Asks for a page; None if no more may be asked for."""


class AssetPayClientSource:
    """An account's trades by client token, newest first and game by game (trades.md, 1.3 and 2).

    No parameter asks for open trades alone, and an old trade may still be open. So every list is read to its end, to
    the 50th page, or to the deadline. Only a reference ends the reading once its trade is found.
    """

    def __init__(self, calls: ClientCalls) -> None:
        self.name = client_name(calls.dialect)
        self._calls = calls
        self._per_page = ("limit", str(_PER_PAGE[calls.dialect]))
        self._walk = _by_number if calls.dialect is Dialect.ASSETPAY_LEGACY else _by_cursor

    def lacks(self, query: TradeQuery) -> NotAsked | None:
        """Return what a token for the account needs."""
        return self._calls.tokens.lacks(query)

    async def read(self, query: TradeQuery) -> TradeReading:
        """Return the trades of both games; those so far if a later page fails or comes too late."""
        ends = ends_within(self._calls.transport.limits.deadline)
        found = _Found(query)
        try:
            async with asyncio.timeout_at(ends - _TIME_TO_ANSWER):
                # Side by side, so that the newest trades of both games are there after one provider's time.
                await asyncio.gather(*(self._read(game, found) for game in _GAMES))
        except TimeoutError:
            found.is_cut = True
            if not found.trades:
                found.failure = found.failure or Failure(self.name, FailureKind.TIMED_OUT)
        if found.failure is not None and not found.trades:
            raise ProviderError(found.failure)
        trades = tuple(found.trades.values())
        owner = self._calls.tokens.owner(query.trade_url)
        return TradeReading(
            trades,
            tuple(found.unread),
            is_cut=found.is_cut and not found.is_complete,
            failure=None if found.is_complete else found.failure,
            limit=TradeList(trades, owner).limit_for(query.account),
            of_account_alone=owner is not None
            and owner == query.account
            and all(trade.owner in (None, owner) for trade in trades),
        )

    async def _read(self, game: Game, found: _Found) -> None:
        async def ask(parameters: _Parameters) -> TradePage | None:
            if found.is_complete:
                return None
            if found.pages == MAX_PAGES:
                found.is_cut = True
                return None
            found.pages += 1
            return await self._calls.get(
                "/client/trades",
                [("game", str(game.value)), self._per_page, *parameters],
                found.query.trade_url,
                lambda answer: read_page(answer, self.name),
            )

        try:
            await self._walk(ask, found)
        except (ProviderError, Overloaded) as error:
            found.is_cut = True
            failure = error.failure if isinstance(error, ProviderError) else Failure(self.name, FailureKind.BUSY)
            found.failure = found.failure or failure


async def _by_cursor(ask: _Ask, found: _Found) -> None:
    """Read a list of the current dialect: each page names the next one's cursor."""
    seen = set[str]()
    page = await ask([])
    while page is not None:
        found.add(page)
        if page.cursor is None:
            return
        if page.cursor in seen:
            found.is_cut = True
            return
        seen.add(page.cursor)
        page = await ask([("cursor", page.cursor)])


async def _by_number(ask: _Ask, found: _Found) -> None:
    """Read a list of the older dialect: pages have numbers, and the answer may have the number of all trades.

    The page size may be less than asked for. So without that number only a page with nothing new ends the list.
    """
    rows, number = 0, 1
    while (page := await ask([("page", str(number))])) is not None:
        rows += page.rows
        is_new = found.add(page)
        is_whole = page.count is not None and rows >= page.count
        if is_whole or not is_new:
            found.is_cut |= page.count is not None and not is_whole
            return
        number += 1
