"""A deposit as SkinsBack's methods ``orders`` and ``orderstatus`` answer it (trades.md, 3.4 and 3.5)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Required

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bot.domain.failures import ProviderName
from bot.domain.money import Money
from bot.domain.secrets import mask_trade_urls
from bot.domain.trades import Direction, Trade, TradeItem, TradeState, UnreadRow
from bot.providers.item_rows import money
from bot.providers.reading import Unreadable
from bot.providers.rows import Amount, Id, Text, account_from, moment_from, read_row, read_rows
from bot.providers.skinsback import currency_of

HOLD = timedelta(days=8)
"""Steam's trade protection as SkinsBack counts it (trades.md, 3.5); its answers hold no end of it."""
STATES = {
    "pending": TradeState.OFFERED,
    "in_hold": TradeState.HELD,
    "hold_approved": TradeState.HELD,
    "success": TradeState.COMPLETED,
    "fail": TradeState.FAILED,
    "hold_returned": TradeState.REVERTED,
}
_CREDITED = ("hold_approved", "success")
"""The words of deposits that SkinsBack asks the shop to credit."""
_NOTHING = (None, "", 0, "0")
"""PHP's spellings of no account and no time."""

Note = Callable[[str], None]


class SkinRow(TypedDict, total=False):
    """A skin. Its price and the one with the multiplier are not kept: the key of the latter is not documented."""

    name: Text | None


class DepositRow(TypedDict, total=False):
    """A deposit; numbers come as texts and texts as numbers. The amounts in all currencies are not kept."""

    status: Required[Id]
    transaction_id: Required[Id]
    order_id: Text | None
    steam_id: Text | None
    date: Any
    amount: Amount | None
    user_amount: Amount | None
    amount_currency: Text | None
    offer_date: Any
    skins_send_date: Any
    skins: Any


_DEPOSIT = TypeAdapter(DepositRow)
_SKIN = TypeAdapter(SkinRow)


def deposit_from(value: object, place: str, note: Note) -> Trade | UnreadRow:
    """Read a deposit; UnreadRow without a transaction id or a status. The places of odd values are given to ``note``.

    ``user_amount`` is what the customer is credited, ``amount`` the merchant's side, both in ``amount_currency``.
    """
    row = read_row(_DEPOSIT, value, place, note)
    if row is None:
        return UnreadRow(place, account_from(value.get("steam_id")) if isinstance(value, dict) else None)
    word = row["status"]
    owner = account_from(row.get("steam_id"))
    if owner is None and row.get("steam_id") not in _NOTHING:
        note(f"{place}.steam_id")
    currency = currency_of(row.get("amount_currency"))
    total = _money(row.get("user_amount"), currency)
    sent_at = _moment(row.get("skins_send_date"), f"{place}.skins_send_date", note)
    offered_at = _moment(row.get("offer_date"), f"{place}.offer_date", note)
    hold_ends = _hold_end(sent_at) if STATES.get(word) is TradeState.HELD else None
    return Trade(
        provider=ProviderName.SKINSBACK,
        id=mask_trade_urls(row["transaction_id"]),
        owner=owner,
        direction=Direction.DEPOSIT,
        state=STATES.get(word, TradeState.UNKNOWN),
        status=mask_trade_urls(word),
        from_customer=_items(row.get("skins"), f"{place}.skins", note),
        shop_reference=mask_trade_urls(row.get("order_id") or ""),
        total=total,
        credited_now=total if word in _CREDITED else None,
        credited_later=total if word == "in_hold" else None,
        merchant_amount=_money(row.get("amount"), currency),
        created_at=_moment(row.get("date"), f"{place}.date", note),
        updated_at=max(filter(None, (offered_at, sent_at)), default=None),
        hold_ends=hold_ends,
        hold_end_is_estimate=hold_ends is not None,
    )


def _money(amount: Any, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else money(amount, currency)


def _moment(value: object, place: str, note: Note) -> datetime | None:
    moment = moment_from(value)
    if moment is None and value not in _NOTHING:
        note(place)
    return moment


def _hold_end(sent_at: datetime | None) -> datetime | None:
    try:
        return None if sent_at is None else sent_at + HOLD
    except OverflowError:
        return None


def _items(skins: object, place: str, note: Note) -> tuple[TradeItem, ...]:
    try:
        rows, _ = read_rows(_SKIN, skins, place, note)
    except Unreadable:
        note(place)
        return ()
    return tuple(_item(mask_trade_urls(row.get("name") or "")) for row in rows)


@lru_cache(maxsize=16_384)  # names repeat
def _item(name: str) -> TradeItem:
    return TradeItem(name)
