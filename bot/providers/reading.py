"""Reads what providers answer: tolerant of what may be missing, exact about money, and never quoting what it read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bot.domain.failures import FailureKind
from bot.domain.inventory import USD, Money
from bot.domain.masking import mask_trade_urls
from bot.worker import run_in_worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.domain.secrets import Secret
    from bot.providers.answer import Answer

T = TypeVar("T")

_LARGE = 256 * 1024
"""From this many bytes on, a body is read beside the event loop."""
_MAX_TEXT = 1_000
"""Longest text kept, in characters: the longest of the seeds, an icon's hash, has some 300."""
_MAX_MESSAGE = 500
_MAX_PARTS = 30_000
"""Longest list: more items than fit into a body of full-grown ones."""
_MAX_MAGNITUDE = 20
"""Greatest power of ten in a number: 64 bits have up to 20 digits."""
_MAX_FRACTION = 30
_MAX_INTEGER = 2**63 - 1
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,30})?", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)


class Unreadable(Exception):
    """The answer is not what the provider documents at ``place``, a path of our own words: ``data.inventory[3].id``."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Refused(Exception):
    """The provider answered in its envelope that it will not do it; the fields are those of ``Failure``."""

    def __init__(self, kind: FailureKind = FailureKind.REFUSED, **facts: Any) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.facts = facts


async def read(answer: Answer, reader: Callable[[Fields], T], *, secrets: Iterable[Secret] = ()) -> T:
    """Return what ``reader`` makes of an answer's JSON object; ProviderError where it cannot.

    ``reader`` raises Unreadable or Refused, and may run in a thread. ``secrets`` are masked in what the provider
    says. What cannot be read is THROTTLED or BROKEN by its HTTP status, and NONSENSE otherwise.
    """
    try:
        if len(answer.body) < _LARGE:
            return reader(Fields(parse_json(answer.body), note=answer.note))
        return await run_in_worker(
            lambda: reader(Fields(parse_json(answer.body, let_others_run=True), note=answer.note))
        )
    except Refused as refused:
        message = refused.facts.pop("message", None)
        error = answer.failure(refused.kind, message=masked(message, secrets), **refused.facts)
    except Unreadable as unreadable:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            error = answer.failure(FailureKind.THROTTLED)
        elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            error = answer.failure(FailureKind.BROKEN)
        else:
            answer.note(unreadable.place)
            error = answer.failure(FailureKind.NONSENSE, place=unreadable.place)
    raise error


def parse_json(body: bytes, *, let_others_run: bool = False) -> object:
    """Return the JSON in ``body`` with its fractions as exact decimals; Unreadable for anything else.

    No NaN, no infinity, no number too long to be one, no nesting deeper than Python's stack. Of a name that comes
    twice the last counts. ``let_others_run`` is for a thread: C code holds the interpreter lock to its end unless it
    calls Python now and then (7 MiB held up the event loop for 55 ms without, 20 ms with).
    """
    if not let_others_run:
        # What msgspec does not take json may: a byte order mark, half a surrogate pair.
        with suppress(msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            return _DECODER.decode(body)
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_hook=_unchanged if let_others_run else None,
        )
    except (ValueError, ArithmeticError, RecursionError):
        pass
    raise Unreadable("body")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _unchanged(values: dict[str, object]) -> dict[str, object]:
    return values


def masked(message: object, secrets: Iterable[Secret] = ()) -> str | None:
    """Return a provider's own words, shortened, without trade tokens and without ``secrets``; None for none."""
    if not isinstance(message, str) or not message.strip():
        return None
    text = _storable(message)
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), str(secret))
    return mask_trade_urls(text)[:_MAX_MESSAGE]


def identifier(value: object) -> str | None:
    """Return a key or an id made of plain characters as such; None for anything that could be free text."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def loose(read_field: Callable[[str], T | None], name: str) -> T | None:
    """Read a field that only decorates: what cannot be read is noted and counts as missing."""
    try:
        return read_field(name)
    except Unreadable as unreadable:
        fields = getattr(read_field, "__self__", None)
        if isinstance(fields, Fields):
            fields.note(unreadable.place)
        return None


def utc(text: str | None, *, otherwise: datetime) -> datetime:
    """Return an ISO 8601 moment in UTC (also where it names no zone), or ``otherwise`` where it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return otherwise


def _nothing(place: str) -> None:
    """Note nothing."""


class Fields:
    """A JSON object of an answer, and where in the answer it is. A missing field and null read as None.

    ``note`` is told the place of what was unexpected and not needed.
    """

    __slots__ = ("_place", "_values", "note")

    def __init__(self, value: object, place: str = "", *, note: Callable[[str], None] = _nothing) -> None:
        if not isinstance(value, dict):
            raise Unreadable(place or "body")
        self._values: dict[str, object] = value
        self._place = place
        self.note = note

    def at(self, name: str) -> str:
        """Return the place of a field."""
        return f"{self._place}.{name}" if self._place else name

    def raw(self, name: str) -> object:
        """Return a field as it is."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """Read a text; one that is too long is cut, an empty one is None."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise Unreadable(self.at(name))
        if not value or value.isspace():
            return None
        return (value if value.isascii() else _storable(value))[:_MAX_TEXT]

    def id(self, name: str) -> str:
        """Read an id that has to be there: a text, or an integer."""
        value = self.raw(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(self.integer(name))
        if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
            raise Unreadable(self.at(name))
        return _storable(value.strip())

    def truth(self, name: str) -> bool | None:
        """Read a boolean, or a number where 0 is false."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int | Decimal):
            raise Unreadable(self.at(name))
        return bool(value)

    def number(self, name: str) -> Decimal | None:
        """Read a number, or a text with nothing but a plain decimal number."""
        value = self._values.get(name)
        if value is None:
            return None
        number = _number(value)
        if number is None:
            raise Unreadable(self.at(name))
        return number

    def integer(self, name: str) -> int | None:
        """Read an integer of at most 64 bits."""
        value = self._values.get(name)
        if value is None:
            return None
        if type(value) is int and -_MAX_INTEGER <= value <= _MAX_INTEGER:
            return value
        number = _number(value)
        if number is None or number != number.to_integral_value() or abs(number) > _MAX_INTEGER:
            raise Unreadable(self.at(name))
        return int(number)

    def count(self, name: str) -> int | None:
        """Read an integer that is not negative."""
        number = self.integer(name)
        if number is not None and number < 0:
            raise Unreadable(self.at(name))
        return number

    def money(self, name: str, currency: str = USD) -> Money | None:
        """Read an amount that is not negative."""
        number = self.number(name)
        if number is None:
            return None
        if number < 0:
            raise Unreadable(self.at(name))
        return Money(number.copy_abs(), currency)  # there is a negative zero; abs() would round to 28 digits

    def part(self, name: str) -> Fields | None:
        """Read an object."""
        value = self.raw(name)
        return None if value is None else Fields(value, self.at(name), note=self.note)

    def need(self, name: str) -> Fields:
        """Read an object that has to be there."""
        return Fields(self.raw(name), self.at(name), note=self.note)

    def parts(self, name: str) -> Iterator[Fields]:
        """Read a list of objects that has to be there."""
        values = self.raw(name)
        if not isinstance(values, list) or len(values) > _MAX_PARTS:
            raise Unreadable(self.at(name))
        for index, value in enumerate(values):
            yield Fields(value, f"{self.at(name)}[{index}]", note=self.note)


def _storable(text: str) -> str:
    """Return ``text`` without the lone surrogates that JSON escapes can make and UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _number(value: object) -> Decimal | None:
    """Return a number of human size, else None: an exponent of nine digits would be gigabytes long in print."""
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None  # which is never too large, nor too fine
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if number.adjusted() > _MAX_MAGNITUDE:
        return None
    if len(text := str(number)) <= _MAX_FRACTION and "E" not in text:  # as it nearly always is
        return number
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -_MAX_FRACTION <= exponent <= _MAX_MAGNITUDE:
        return None
    return number.quantize(Decimal(1)) if exponent > 0 else number
