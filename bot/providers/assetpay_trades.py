"""Reads the trades in AssetPay's answers, in both dialects (trades.md, 1.5 and 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bot.domain.failures import Dialect, ProviderName
from bot.domain.money import Money
from bot.domain.secrets import mask_trade_urls
from bot.domain.steam import Game
from bot.domain.trades import Direction, Trade, TradeItem, TradeState, UnreadRow
from bot.providers.assetpay_answers import read_data
from bot.providers.item_rows import money
from bot.providers.reading import Fields, Unreadable
from bot.providers.rows import Amount, Count, Id, Integer, Text, account_from, listed, moment_from, read_row, read_rows

_STATES = {
    Dialect.ASSETPAY: {
        "initiated": TradeState.PREPARED,
        "pending": TradeState.PREPARED,
        "active": TradeState.OFFERED,
        "hold": TradeState.HELD,
        "completed": TradeState.COMPLETED,
        "failed": TradeState.FAILED,
        "canceled": TradeState.CANCELLED,
        "cancelled": TradeState.CANCELLED,  # the spelling of the answers to a cancellation
        "declined": TradeState.CANCELLED,
        "reverted": TradeState.REVERTED,
    },
    Dialect.ASSETPAY_LEGACY: {
        "INITIATED": TradeState.PREPARED,
        "PENDING": TradeState.OFFERED,
        "ACTIVE": TradeState.HELD,
        "ESCROW": TradeState.HELD,
        "HOLD": TradeState.HELD,
        "COMPLETED": TradeState.COMPLETED,
        "FAILED": TradeState.FAILED,
        "REVERTED": TradeState.REVERTED,
        "PARTIAL": TradeState.COMPLETED,
    },
}
"""Capitals count: PENDING is the older dialect's word for what the current one calls ``active``."""
_DIRECTIONS = {"deposit": Direction.DEPOSIT, "withdraw": Direction.WITHDRAWAL}
_MOST_ROWS = 1_000
"""Rows that are read of one answer, ten times as many as are asked for. Pages go through them on the event loop."""


class TradeOfferRow(TypedDict, total=False):
    """What AssetPay pays or takes for an item of a trade."""

    price: Amount | None


class TradeItemRow(TypedDict, total=False):
    """An item of a trade. A new withdrawal's items have no name yet."""

    name: Text | None
    marketHashName: Text | None
    assetId: Id | None
    offer: TradeOfferRow | None
    status: Text | None
    purchaseStatus: Text | None
    """The older dialect's name of ``status``."""
    error: Text | None


class BotRow(TypedDict, total=False):
    """The bot that sends the offer."""

    name: Text | None
    steamId: Text | None


class TradeRow(TypedDict, total=False):
    """A trade. Its ``clientTradeUrl`` holds a token, so it has no place here."""

    id: Id | None
    type: Text | None
    status: Text | None
    game: Integer | None
    clientSteamID: Text | None
    items: Any
    totalPrice: Amount | None
    preCredit: Amount | None
    pendingCredit: Amount | None
    externalId: Id | None
    offerID: Id | None
    holdEndDate: Any
    autoCancelAt: Any
    revertedBy: Text | None
    error: Text | None
    botInfo: BotRow | None
    createdAt: Any
    updatedAt: Any
    activeAt: Any
    readyAt: Any
    """The older dialect's name of ``activeAt``: when the offer reached the customer."""


class PageRow(TypedDict, total=False):
    """What ``data`` of a list says beside its trades: how it goes on, or how many there are in all."""

    nextCursor: Id | None
    count: Count | None


_ROW = TypeAdapter(TradeRow)
_ITEM = TypeAdapter(TradeItemRow)
_PAGE = TypeAdapter(PageRow)


@dataclass(frozen=True, slots=True)
class TradePage:
    """One answer's trades, and its rows that cannot be read.

    ``cursor`` asks for the next page in the current dialect. ``count`` is the older one's number of trades in all.
    ``is_cut`` if the answer has more trades than are read, or a cursor that cannot be read.
    """

    trades: tuple[Trade, ...] = ()
    unread: tuple[UnreadRow, ...] = ()
    cursor: str | None = None
    count: int | None = None
    is_cut: bool = False

    @property
    def rows(self) -> int:
        """How many rows the provider sent."""
        return len(self.trades) + len(self.unread)


def read_page(answer: Fields, provider: ProviderName) -> TradePage:
    """Read a list's page; Refused for an error, Unreadable for neither an error nor a list."""
    data = read_data(answer)
    name = "trades" if provider.dialect is Dialect.ASSETPAY_LEGACY else "items"
    if name not in data.values:
        raise Unreadable(data.at(name))
    rows = listed(data.values[name], data.at(name))
    said_next = data.values.get("nextCursor")
    facts = {"nextCursor": said_next or None, "count": data.values.get("count")}
    said = read_row(_PAGE, facts, data.place, answer.note) or {}
    cursor = said.get("nextCursor")
    found = [
        read_trade(row, data.at(f"{name}[{index}]"), provider, answer.note)
        for index, row in enumerate(rows[:_MOST_ROWS])
    ]
    return TradePage(
        *separated(found),
        cursor=cursor,
        count=said.get("count"),
        is_cut=len(rows) > _MOST_ROWS or bool(said_next and cursor is None),
    )


def separated(found: list[Trade | UnreadRow]) -> tuple[tuple[Trade, ...], tuple[UnreadRow, ...]]:
    """Return the trades, and the rows that cannot be read."""
    return (
        tuple(each for each in found if isinstance(each, Trade)),
        tuple(each for each in found if isinstance(each, UnreadRow)),
    )


def read_trade(value: object, place: str, provider: ProviderName, note: Callable[[str], None]) -> Trade | UnreadRow:
    """Return a trade, or an unread row if its id or its status cannot be read.

    A trade of a ``type`` that is not documented has no direction, but its items: staff still recognise it by them.
    """
    row = read_row(_ROW, value, place, note)
    if row is None:
        return UnreadRow(place)
    owner = account_from(row.get("clientSteamID"))
    trade_id, status = _kept(row.get("id")), _kept(row.get("status"))
    if not trade_id or not status:
        missing = f"{place}.{'status' if trade_id else 'id'}"
        note(missing)
        return UnreadRow(missing, owner)
    if owner is None:
        note(f"{place}.clientSteamID")
    direction = _DIRECTIONS.get((row.get("type") or "").casefold())
    if direction is None:
        note(f"{place}.type")
    items = _items(row.get("items"), f"{place}.items", note)
    bot = row.get("botInfo") or {}

    def moment(name: str) -> datetime | None:
        said = row.get(name)
        read = moment_from(said)
        if read is None and said not in (None, ""):
            note(f"{place}.{name}")
        return read

    return Trade(
        provider=provider,
        id=trade_id,
        owner=owner,
        direction=direction or Direction.NOTHING,
        state=state_of(provider.dialect, status),
        status=status,
        to_customer=() if direction is Direction.DEPOSIT else items,
        from_customer=items if direction is Direction.DEPOSIT else (),
        game=Game.from_app_id(row.get("game")),
        offer_id=_kept(row.get("offerID")),
        shop_reference=_kept(row.get("externalId")),
        bot=account_from(bot.get("steamId")),
        bot_name=_kept(bot.get("name")),
        total=_usd(row.get("totalPrice")),
        credited_now=_usd(row.get("preCredit")),
        credited_later=_usd(row.get("pendingCredit")),
        created_at=moment("createdAt"),
        updated_at=moment("updatedAt") or moment("activeAt") or moment("readyAt"),
        expires_at=moment("autoCancelAt"),
        hold_ends=moment("holdEndDate"),
        reverted_by=_kept(row.get("revertedBy")),
        last_error=_kept(row.get("error")),
    )


def state_of(dialect: Dialect, word: str) -> TradeState:
    """Return the meaning of a status word in its dialect (trades.md, 1.6 and 2)."""
    return _STATES[dialect].get(word, TradeState.UNKNOWN)


def _items(values: object, place: str, note: Callable[[str], None]) -> tuple[TradeItem, ...]:
    try:
        rows, _ = read_rows(_ITEM, values, place, note)
    except Unreadable:
        note(place)
        return ()
    return tuple(map(_item, rows))


def _item(row: TradeItemRow) -> TradeItem:
    return TradeItem(
        name=_kept(row.get("marketHashName") or row.get("name")),
        asset_id=_kept(row.get("assetId")),
        price=_usd((row.get("offer") or {}).get("price")),  # not marketPrice: AssetPay does not pay that
        status=_kept(row.get("status") or row.get("purchaseStatus")),
        error=_kept(row.get("error")),
    )


def _kept(text: str | None) -> str:
    """Return an outside text as it may be kept, empty if there is none."""
    return mask_trade_urls(text) if text else ""


def _usd(amount: str | Decimal | None) -> Money | None:
    return None if amount is None else money(amount)
