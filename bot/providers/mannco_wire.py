"""The answers of Mannco.store: the envelope, trades, and the receipt of a resend (seed 004)."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.domain.failures import FailureKind
from bot.domain.masking import mask_trade_urls
from bot.domain.resends import Receipt
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Trade
from bot.providers.reading import Fields, Refused, Unreadable, loose

if TYPE_CHECKING:
    from bot.domain.failures import ProviderName

_HIDDEN = -11
"""The status of a trade that is hidden from its user."""
_MILLISECONDS_FROM = 10**11
"""A timestamp this great is in milliseconds: in seconds it would lie in the year 5138."""


def refuse_errors(answer: Fields, status: int) -> None:
    """Raise Refused for an envelope that says no, whatever its HTTP status; Unreadable for one that says both.

    A server's own error (5xx) is BROKEN even so: it may have come after the deed.
    """
    if not answer.truth("err"):
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unreadable("status")
        return
    if loose(answer.truth, "success"):
        raise Unreadable("err")
    content = answer.raw("content")
    if isinstance(content, dict):
        content = content.get("message")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = FailureKind.BROKEN
    else:
        kind = FailureKind.THROTTLED if status == HTTPStatus.TOO_MANY_REQUESTS else FailureKind.REFUSED
    raise Refused(kind, message=content)


def read_content(answer: Fields, status: int) -> Fields:
    """Return ``content`` of a success; Refused for an error, Unreadable for what is neither."""
    refuse_errors(answer, status)
    if not answer.truth("success"):
        raise Unreadable("success")
    return answer.need("content")


def read_receipt(answer: Fields, status: int) -> Receipt:
    """Return what was resent: the trade the answer names, whichever it is."""
    content = read_content(answer, status)
    trade_id = content.integer("trade_id")
    if trade_id is None:
        raise Unreadable(content.at("trade_id"))
    return Receipt(trade_id, _code(content))


def read_trades(answer: Fields, status: int, provider: ProviderName) -> tuple[Trade, ...]:
    """Return the trades that are not hidden, newest first."""
    entries = read_content(answer, status).parts("trades")
    trades = [_read_trade(entry, provider) for entry in entries if entry.integer("status") != _HIDDEN]
    return tuple(sorted(trades, key=_newness, reverse=True))


def _read_trade(entry: Fields, provider: ProviderName) -> Trade:
    trade_id, status = entry.integer("id"), entry.integer("status")
    if trade_id is None:
        raise Unreadable(entry.at("id"))
    if status is None:
        raise Unreadable(entry.at("status"))
    owner = _steam_id(entry, "user")
    if owner is None:
        raise Unreadable(entry.at("user"))
    return Trade(
        provider=provider,
        id=trade_id,
        owner=owner,
        status=status,
        items_send=_asset_ids(entry, "items_send"),
        items_received=_asset_ids(entry, "items_received"),
        bot=_steam_id(entry, "bot"),
        offer_id=loose(entry.id, "offerid") or "",
        created_at=_moment(loose(entry.integer, "timestamp")),
        code=_code(entry),
        last_error=mask_trade_urls(loose(entry.text, "lasterror") or ""),
        game=Game.from_app_id(loose(entry.integer, "game")),
    )


def _asset_ids(entry: Fields, name: str) -> tuple[str, ...]:
    """Read asset ids: a text with commas between them, a list, or null for none."""
    value = entry.raw(name)
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(type(part) in (str, int) for part in parts):
        raise Unreadable(entry.at(name))
    return tuple(text for part in parts if (text := str(part).strip()))


def _steam_id(entry: Fields, name: str) -> SteamId | None:
    try:
        return SteamId.parse(loose(entry.id, name) or "")
    except ValueError:
        return None


def _code(owner: Fields) -> TradeCode | None:
    code = loose(owner.id, "code")
    return TradeCode(code) if code else None


def _moment(timestamp: int | None) -> datetime | None:
    """Return a UNIX time, in seconds or milliseconds, as a moment."""
    if timestamp is None or timestamp <= 0:
        return None
    try:
        return datetime.fromtimestamp(timestamp / 1000 if timestamp >= _MILLISECONDS_FROM else timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _newness(trade: Trade) -> tuple[bool, float, int]:
    moment = trade.created_at
    return (moment is not None, moment.timestamp() if moment else 0.0, trade.id)
