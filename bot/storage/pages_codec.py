"""Turns the answer behind a pager into bytes and back, by an explicit list of everything it holds.

A trade's code has no place in the list: it is written as nothing, and read as None. The bytes are the format's
number and zlib-compressed lines of JSON, in which a record is the list of its fields in the order of its class.
"""

import inspect
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Refusal, Sort, Sticker
from bot.domain.money import Money
from bot.domain.pages import InventoryAnswer, ProviderAnswer, TradesAnswer
from bot.domain.steam import Game, SteamId
from bot.domain.trade_url import mask_trade_urls
from bot.domain.trades import Scope, Trade

FORMAT = 2
"""To be raised with every change of what is written: a snapshot of another format is no longer read."""

_ITEMS_IN_PIECE = 250

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_MICROSECOND = timedelta(microseconds=1)


class UnreadableAnswer(Exception):
    """The bytes are of another format, or damaged."""


def encode(answer: InventoryAnswer | TradesAnswer) -> bytes:
    """Return the answer as bytes, without any trade's code. For a large one this takes a while."""
    lines = [json.dumps(piece, separators=(",", ":")) for piece in _pieces(answer)]
    return bytes([FORMAT]) + zlib.compress("\n".join(lines).encode("ascii"))


def decode(data: bytes) -> InventoryAnswer | TradesAnswer:
    """Return the answer that was encoded; UnreadableAnswer where it cannot be."""
    if data[:1] != bytes([FORMAT]):
        raise UnreadableAnswer
    try:
        head, *lines = zlib.decompress(data[1:]).splitlines()
        kind, record = json.loads(head)
        if kind == "trades":
            return _TRADES_ANSWER.load(record)
        return _with_items(_INVENTORY_ANSWER.load(record), lines)
    except (ValueError, TypeError, LookupError, ArithmeticError, zlib.error) as error:
        raise UnreadableAnswer from error


def _pieces(answer: InventoryAnswer | TradesAnswer) -> Iterator[Any]:
    """Cut a large answer up: JSON holds the interpreter for a piece at a time, and the event loop comes in between."""
    if isinstance(answer, TradesAnswer):
        yield ["trades", _TRADES_ANSWER.dump(answer.without_codes())]
        return
    heads = tuple(_holding(part, ()) for part in answer.answers)
    yield ["inventory", _INVENTORY_ANSWER.dump(replace(answer, answers=heads))]
    for number, part in enumerate(answer.answers):
        items = part.inventory.items if part.inventory is not None else ()
        for start in range(0, len(items), _ITEMS_IN_PIECE):
            yield [number, _ITEMS.dump(items[start : start + _ITEMS_IN_PIECE])]


def _with_items(answer: InventoryAnswer, lines: Iterable[bytes]) -> InventoryAnswer:
    items: list[list[Item]] = [[] for _ in answer.answers]
    for line in lines:
        number, records = json.loads(line)
        items[number].extend(_ITEMS.load(records))
    parts = (_holding(part, tuple(found)) for part, found in zip(answer.answers, items, strict=True))
    return replace(answer, answers=tuple(parts))


def _holding(part: ProviderAnswer, items: tuple[Item, ...]) -> ProviderAnswer:
    return part if part.inventory is None else replace(part, inventory=replace(part.inventory, items=items))


@dataclass(frozen=True, slots=True)
class _Codec(Generic[_T]):
    """How one kind of value becomes JSON, and JSON that value again."""

    dump: Callable[[_T], Any]
    load: Callable[[Any], _T]


def _as_is(value: Any) -> Any:
    return value


def _or_none(of: _Codec[_T]) -> _Codec[_T | None]:
    return _Codec(
        lambda value: None if value is None else of.dump(value),
        lambda json_value: None if json_value is None else of.load(json_value),
    )


def _tuple_of(of: _Codec[_T]) -> _Codec[tuple[_T, ...]]:
    return _Codec(
        lambda values: [of.dump(value) for value in values],
        lambda json_values: tuple([of.load(json_value) for json_value in json_values]),
    )


def _enum(members: type[_E]) -> _Codec[_E]:
    return _Codec(lambda member: member.value, members)


def _record(cls: type[_T], **fields: _Codec[Any]) -> _Codec[_T]:
    """Return the codec of a dataclass; TypeError where the domain has fields that are not listed here."""
    names = list(inspect.signature(cls).parameters)
    if names != list(fields):
        raise TypeError(cls.__name__, names, list(fields))
    dumps = [(name, codec.dump) for name, codec in fields.items()]
    loads = [codec.load for codec in fields.values()]
    return _Codec(
        lambda value: [dump(getattr(value, name)) for name, dump in dumps],
        lambda values: cls(*[load(value) for load, value in zip(loads, values, strict=True)]),
    )


_PLAIN: _Codec[Any] = _Codec(_as_is, _as_is)
"""Text without secrets, integers, truth values and None are JSON already."""

_OUTSIDE: _Codec[str] = _Codec(mask_trade_urls, str)
_CODE: _Codec[None] = _Codec(lambda _: None, lambda _: None)
_DECIMAL: _Codec[Decimal] = _Codec(str, Decimal)
_MOMENT: _Codec[datetime] = _Codec(lambda moment: moment.astimezone(UTC).isoformat(), datetime.fromisoformat)
_DURATION: _Codec[timedelta] = _Codec(
    lambda duration: duration // _MICROSECOND, lambda microseconds: microseconds * _MICROSECOND
)
_STEAM_ID: _Codec[SteamId] = _Codec(lambda steam_id: steam_id.value, SteamId)
_PROVIDER = _enum(ProviderName)
_GAME = _enum(Game)

_MONEY = _record(Money, amount=_DECIMAL, currency=_PLAIN)
_STICKER = _record(Sticker, name=_PLAIN, slot=_PLAIN, wear=_or_none(_DECIMAL))
_ITEM = _record(
    Item,
    id=_PLAIN,
    name=_PLAIN,
    refusal=_or_none(_enum(Refusal)),
    app_id=_PLAIN,
    market_hash_name=_PLAIN,
    kind=_PLAIN,
    tradable=_PLAIN,
    offer=_or_none(_MONEY),
    local_offer=_or_none(_MONEY),
    market_price=_or_none(_MONEY),
    exterior=_PLAIN,
    wear=_or_none(_DECIMAL),
    rarity=_PLAIN,
    colour=_PLAIN,
    paint_seed=_PLAIN,
    inspect_certificate=_PLAIN,
    icon_hash=_PLAIN,
    stickers=_tuple_of(_STICKER),
    amount=_PLAIN,
    max_amount=_PLAIN,
)
_ITEMS = _tuple_of(_ITEM)
_INVENTORY = _record(
    Inventory,
    provider=_PROVIDER,
    owner=_STEAM_ID,
    game=_GAME,
    items=_ITEMS,
    total=_PLAIN,
    updated_at=_MOMENT,
    collateral=_or_none(_MONEY),
    owner_certain=_PLAIN,
)
_FAILURE = _record(
    Failure,
    provider=_PROVIDER,
    kind=_enum(FailureKind),
    code=_PLAIN,
    key=_PLAIN,
    message=_or_none(_OUTSIDE),
    http_status=_PLAIN,
    request_id=_PLAIN,
    retry_after=_or_none(_DURATION),
    place=_PLAIN,
    method=_PLAIN,
    took=_or_none(_DURATION),
)
_FILTER = _record(
    InventoryFilter,
    search=_or_none(_OUTSIDE),
    sort=_enum(Sort),
    min_price=_or_none(_DECIMAL),
    max_price=_or_none(_DECIMAL),
)
_PROVIDER_ANSWER = _record(
    ProviderAnswer,
    provider=_PROVIDER,
    inventory=_or_none(_INVENTORY),
    failure=_or_none(_FAILURE),
    reference=_PLAIN,
)
_INVENTORY_ANSWER = _record(
    InventoryAnswer,
    owner=_STEAM_ID,
    game=_GAME,
    filter=_FILTER,
    answers=_tuple_of(_PROVIDER_ANSWER),
    linked_user_id=_PLAIN,
)
_TRADE = _record(
    Trade,
    provider=_PROVIDER,
    id=_PLAIN,
    owner=_STEAM_ID,
    status=_PLAIN,
    items_send=_tuple_of(_PLAIN),
    items_received=_tuple_of(_PLAIN),
    bot=_or_none(_STEAM_ID),
    offer_id=_PLAIN,
    created_at=_or_none(_MOMENT),
    code=_CODE,
    last_error=_OUTSIDE,
    game=_or_none(_GAME),
)
_TRADES_ANSWER = _record(
    TradesAnswer,
    provider=_PROVIDER,
    scope=_enum(Scope),
    steam_id=_or_none(_STEAM_ID),
    viewer=_or_none(_STEAM_ID),
    trades=_tuple_of(_TRADE),
    read_at=_MOMENT,
    window_full=_PLAIN,
)
