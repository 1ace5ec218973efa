"""Turns the answer behind a pager into bytes and back, by an explicit list of everything it holds.

A trade's code has no place in the list: it is written as nothing, and read as None. The bytes are the format's
number and zlib-compressed lines of JSON, in which a record is the list of its fields in the order of its class.
Items are written by column, all their names, then all their pictures, because like compresses best beside like; and
a name or a picture that comes again, of another item or at another provider, is only its place among those before.
"""

import inspect
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Money, Refusal, Sort, Sticker
from bot.domain.masking import mask_trade_urls
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer, TradesAnswer
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope, Trade

FORMAT = 2
"""To be raised with every change of what is written: a snapshot of another format is no longer read."""

_VALUES_IN_PIECE = 1_000
_COME_AGAIN = frozenset({"name", "market_hash_name", "kind", "exterior", "rarity", "icon_hash"})
_FOR_DETAILS = {"icon_hash": None, "inspect_certificate": None, "stickers": ()}
"""What only an item's details show, and what stands for it in a lean snapshot."""

_ENCODER = msgspec.json.Encoder()

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_MICROSECOND = timedelta(microseconds=1)


class UnreadableAnswer(Exception):
    """The bytes are of another format, or damaged."""


def encode(answer: InventoryAnswer | TradesAnswer, *, lean: bool = False) -> bytes:
    """Return the answer as bytes, without any trade's code. For a large one this takes a while.

    A ``lean`` one is without what takes most room and is shown least: pictures, stickers and inspect certificates.
    """
    packer = zlib.compressobj(zlib.Z_BEST_SPEED)
    packed = [packer.compress(_line(piece)) for piece in _pieces(answer, lean=lean)]
    return b"".join([bytes([FORMAT]), *packed, packer.flush()])


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


def encode_view(view: InventoryFilter | None) -> str | None:
    """Return how a reader has sorted and narrowed an answer as JSON, without trade tokens; None where they have not."""
    return None if view is None else json.dumps(_FILTER.dump(view), separators=(",", ":"))


def decode_view(text: str | None) -> InventoryFilter | None:
    """Return the view that was encoded; UnreadableAnswer where it cannot be."""
    try:
        return None if text is None else _FILTER.load(json.loads(text))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise UnreadableAnswer from error


def _pieces(answer: InventoryAnswer | TradesAnswer, *, lean: bool) -> Iterator[Any]:
    """Cut a large answer up: JSON holds the interpreter for a piece at a time, and the event loop comes in between."""
    if isinstance(answer, TradesAnswer):
        yield ["trades", _TRADES_ANSWER.dump(answer.without_codes())]
        return
    heads = tuple(_holding(part, ()) for part in answer.answers)
    yield ["inventory", _INVENTORY_ANSWER.dump(replace(answer, answers=heads))]
    known = _Known()
    for column, (name, codec) in enumerate(_ITEM_FIELDS.items()):
        for number, part in enumerate(answer.answers):
            items = part.inventory.items if part.inventory is not None else ()
            for start in range(0, len(items), _VALUES_IN_PIECE):
                chunk = items[start : start + _VALUES_IN_PIECE]
                if lean and name in _FOR_DETAILS:
                    values = [codec.dump(_FOR_DETAILS[name])] * len(chunk)
                else:
                    values = list(map(attrgetter(name), chunk))
                    if codec is not _PLAIN:
                        values = list(map(codec.dump, values))
                yield [number, column, known.shorten(values) if name in _COME_AGAIN else values]


def _line(piece: Any) -> bytes:
    try:
        return _ENCODER.encode(piece) + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold and an escape can
        return json.dumps(piece).encode("ascii") + b"\n"


def _with_items(answer: InventoryAnswer, lines: Iterable[bytes]) -> InventoryAnswer:
    fields = list(_ITEM_FIELDS.items())
    columns: list[list[list[Any]]] = [[[] for _ in fields] for _ in answer.answers]
    known = _Known()
    for line in lines:
        number, column, values = json.loads(line)
        name, codec = fields[column]
        texts = known.restore(values) if name in _COME_AGAIN else values
        columns[number][column].extend(codec.load(value) for value in texts)
    found = ([Item(*values) for values in zip(*each, strict=True)] for each in columns)
    parts = (_holding(part, tuple(items)) for part, items in zip(answer.answers, found, strict=True))
    return replace(answer, answers=tuple(parts))


class _Known:
    """The texts that were written so far, each to be named by its place from then on."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._texts: list[str] = []

    def shorten(self, texts: Iterable[str | None]) -> list[str | int | None]:
        """Return each text where it is new, else its place."""
        written: list[str | int | None] = []
        for text in texts:
            place = None if text is None else self._places.setdefault(text, len(self._places))
            is_new = place is not None and place == len(self._texts)
            if text is not None and is_new:
                self._texts.append(text)
            written.append(text if is_new else place)
        return written

    def restore(self, written: Iterable[str | int | None]) -> list[str | None]:
        """Return the texts behind what was written."""
        texts: list[str | None] = []
        for each in written:
            if isinstance(each, str):
                self._texts.append(each)
            texts.append(self._texts[each] if isinstance(each, int) else each)
        return texts


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


def _fields(cls: type, **fields: _Codec[Any]) -> dict[str, _Codec[Any]]:
    """Return the codecs of a dataclass's fields; TypeError where the domain has some that are not listed here."""
    names = list(inspect.signature(cls).parameters)
    if names != list(fields):
        raise TypeError(cls.__name__, names, list(fields))
    return fields


def _record(cls: type[_T], **codecs: _Codec[Any]) -> _Codec[_T]:
    """Return the codec of a dataclass."""
    fields = _fields(cls, **codecs)
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
_ITEM_FIELDS = _fields(
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
_NO_ITEMS: _Codec[tuple[Item, ...]] = _Codec(lambda _: [], lambda _: ())
_INVENTORY = _record(
    Inventory,
    provider=_PROVIDER,
    owner=_STEAM_ID,
    game=_GAME,
    items=_NO_ITEMS,
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
