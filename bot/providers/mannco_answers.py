"""Mannco.store's answers: the envelope, lists of trades, and the receipt of a resend (seed 004)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from bot.domain.failures import FailureKind, ProviderName
from bot.domain.resends import Receipt
from bot.domain.secrets import TradeCode, mask_trade_urls
from bot.domain.steam import Game
from bot.domain.trades import (
    COMPLETED_STATUS,
    PENDING_STATUS,
    RESENDABLE_STATUSES,
    WINDOW,
    Direction,
    Trade,
    TradeItem,
    TradeState,
    UnreadRow,
)
from bot.providers.reading import Fields, Refused, Unreadable, parse_json, plain_number
from bot.providers.rows import AnyText, Integer, LongText, Text, account_from, listed, moment_from, read_row

_HIDDEN = -11
"""The status of a trade that its user does not see."""
_STATES = {
    PENDING_STATUS: TradeState.OFFERED,
    COMPLETED_STATUS: TradeState.COMPLETED,
    "-11": TradeState.CANCELLED,  # hidden: it does not change any more
    "-12": TradeState.REVERTED,
}
_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_TIME = (None, "", 0, "0")


def check_envelope(answer: Fields, status: int) -> None:
    """Raise Refused for an error with any HTTP status, Unreadable for an error that claims success.

    A server error (5xx) is BROKEN even with an envelope: the provider may have acted before it.
    """
    if not answer.truth("err"):
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unreadable("status")
        return
    if answer.truth("success", optional=True):
        raise Unreadable("err")
    content = answer.values.get("content")
    if isinstance(content, dict):
        content = content.get("message")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = FailureKind.BROKEN
    else:
        kind = FailureKind.THROTTLED if status == HTTPStatus.TOO_MANY_REQUESTS else FailureKind.REFUSED
    raise Refused(kind, message=content)


def _check_success(answer: Fields, status: int) -> None:
    """Raise Refused for an error, Unreadable for neither error nor success."""
    check_envelope(answer, status)
    if not answer.truth("success"):
        raise Unreadable("success")
    answer.says_success = True


def read_receipt(answer: Fields, status: int) -> Receipt:
    """Return the trade that the answer names, whichever it is."""
    _check_success(answer, status)
    content = answer.need("content")
    trade_id = content.integer("trade_id")
    if trade_id is None:
        raise Unreadable(content.at("trade_id"))
    code = content.optional_id("code")
    return Receipt(trade_id, TradeCode(code) if code else None)


class _Row(TypedDict, total=False):
    """A trade of seed 004, with numbers as texts and texts as numbers too."""

    id: Integer | None
    status: Integer | None
    user: Text | None
    items_send: AnyText | None
    items_received: AnyText | None
    bot: Text | None
    offerid: Text | None
    code: Text | None
    lasterror: LongText | None
    timestamp: AnyText | None
    game: Integer | None


_MOST_ASSETS = 5_000
"""More than any trade offer has."""
_LONGEST_ASSETS = 40 * _MOST_ASSETS
_MOST_TRADES = 4 * WINDOW
"""Rows that are read. Pages and suggestions go through all of them on the event loop."""


class _Content(TypedDict):
    trades: Annotated[list[_Row], Field(max_length=_MOST_TRADES, fail_fast=True)]


class _ListAnswer(BaseModel):
    """A whole list in which nothing is odd."""

    err: Literal[False]
    success: Literal[True]
    content: _Content


_ROW = TypeAdapter(_Row)

Listed = tuple[tuple[Trade, ...], tuple[UnreadRow, ...]]
"""The trades that are not hidden, newest first, and the rows that cannot be read."""


def read_whole(body: bytes, note: Callable[[str], None]) -> Listed:
    """Read an answer in which nothing is odd; ValueError for any other."""
    return _trades_of(_ListAnswer.model_validate_json(body).content["trades"], "content.trades", note)


def read_tolerant(answer: Fields, status: int) -> Listed:
    """Read an answer by row and value; Refused for an error, Unreadable for neither."""
    _check_success(answer, status)
    content, place = answer.values.get("content"), "content"
    if isinstance(content, dict) and "trades" in content:
        content, place = content["trades"], "content.trades"
    elif not isinstance(content, list):
        raise Unreadable("content.trades")
    values = enumerate(listed(content, place)[:_MOST_TRADES])
    rows = (read_row(_ROW, value, f"{place}[{index}]", answer.note) for index, value in values)
    return _trades_of(rows, place, answer.note)


def _trades_of(rows: Iterable[_Row | None], place: str, note: Callable[[str], None]) -> Listed:
    trades: list[Trade] = []
    unread: list[UnreadRow] = []
    for index, row in enumerate(rows):
        if row is not None and row.get("status") == _HIDDEN:
            continue
        try:
            trades.append(_read_trade(row, f"{place}[{index}]", note))
        except Unreadable as unreadable:
            note(unreadable.place)
            unread.append(UnreadRow(unreadable.place, None if row is None else account_from(row.get("user"))))
    trades.sort(key=lambda trade: (trade.created_at or _NEVER, int(trade.id)), reverse=True)
    return tuple(trades), tuple(unread)


def _read_trade(row: _Row | None, place: str, note: Callable[[str], None]) -> Trade:
    """Return a trade; Unreadable if its number, its status, its owner or what it sends cannot be read."""
    if row is None:
        raise Unreadable(place)
    trade_id, status, owner = row.get("id"), row.get("status"), account_from(row.get("user"))
    if trade_id is None:
        raise Unreadable(f"{place}.id")
    if status is None:
        raise Unreadable(f"{place}.status")
    if owner is None:
        raise Unreadable(f"{place}.user")
    sent, received = _asset_ids(row.get("items_send")), _asset_ids(row.get("items_received"))
    if sent is None:
        raise Unreadable(f"{place}.items_send")
    if received is None:
        note(f"{place}.items_received")
    timestamp = row.get("timestamp")
    created_at = moment_from(timestamp)
    if created_at is None and timestamp not in _NO_TIME:
        note(f"{place}.timestamp")
    code = row.get("code")
    return Trade(
        provider=ProviderName.MANNCO,
        id=str(trade_id),
        owner=owner,
        # Items to send make a withdrawal, items to receive a deposit (seed 004).
        direction=Direction.WITHDRAWAL if sent else Direction.DEPOSIT if received else Direction.NOTHING,
        state=state_of(str(status)),
        status=str(status),
        to_customer=tuple([TradeItem(asset_id=asset_id) for asset_id in sent]),
        from_customer=tuple([TradeItem(asset_id=asset_id) for asset_id in received or ()]),
        bot=account_from(row.get("bot")),
        offer_id=row.get("offerid") or "",
        created_at=created_at,
        code=TradeCode(code) if code else None,
        last_error=mask_trade_urls(row.get("lasterror") or ""),
        game=Game.from_app_id(row.get("game")),
    )


def state_of(status: str) -> TradeState:
    """Return the meaning of a status: the seed documents 0, 3, -1, -12 and those that can be resent."""
    if status in RESENDABLE_STATUSES:
        return TradeState.FAILED
    return _STATES.get(status, TradeState.UNKNOWN)


def _asset_ids(value: object) -> tuple[str, ...] | None:
    """Read asset ids: texts with commas between them, a list, also as text, or PHP's; None for anything else."""
    if value is None or value is False or value in ("", "0"):
        return ()
    if isinstance(value, str) and len(value) > _LONGEST_ASSETS:
        return None
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = parse_json(value.encode())
        except (Unreadable, UnicodeEncodeError):
            return None
    if isinstance(value, str):
        parts: list[object] = [*value.split(",")]
    elif plain_number(value) is not None:
        parts = [value]
    else:
        try:
            parts = listed(value, "")
        except Unreadable:
            return None
    if len(parts) > _MOST_ASSETS:
        return None
    texts = ["" if part is None else part if isinstance(part, str) else _whole_number(part) for part in parts]
    return None if None in texts else tuple([text.strip() for text in texts if text and not text.isspace()])


def _whole_number(value: object) -> str | None:
    number = plain_number(value)
    return str(int(number)) if number is not None and number == int(number) else None
