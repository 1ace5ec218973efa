"""Reads providers' JSON: tolerant of missing fields, exact about money, and never quoting a value in a failure."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bot.domain.failures import FailureKind
from bot.domain.secrets import mask_trade_urls
from bot.worker import run_in_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bot.domain.secrets import Secret
    from bot.providers.response import Response

T = TypeVar("T")

_LARGE = 256 * 1024
"""Bodies of this many bytes and more are read on the worker thread."""
_ONE_PASS = 2 * 2**20
"""Bodies of this many bytes and more are read row by row: one pass would hold the interpreter too long."""
MAX_TEXT = 1_000
"""The longest text of the seeds, an icon's hash, has some 300 characters."""
_BLOCKED = frozenset({401, 403, 404, 451})
"""What a firewall, an address block or another server answers where the provider's API is not reached."""
_MAX_MESSAGE = 500
_READ_OF_MESSAGE = 8 * _MAX_MESSAGE
"""A provider may send megabytes; escapes and long tokens take more room than what is shown of them."""
_MAX_DETAIL = 200
MAX_ITEMS = 30_000
"""More than fit into the largest body if they are full items."""
MAX_MAGNITUDE = 20
"""Greatest power of ten in a number: 64 bits have up to 20 digits."""
_MAX_FRACTION = 30
MAX_NESTING = 200
"""Levels of objects and lists, as many as pydantic reads. What Python's stack allows differs between its versions."""
MAX_INTEGER = 2**63 - 1
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,30})?", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)


class Unreadable(Exception):
    """The response is not as documented at ``place``, a path such as ``data.inventory[3].id``."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place
        self.says_success = False


class Refused(Exception):
    """The provider refused in its envelope; the fields are those of ``Failure``."""

    def __init__(self, kind: FailureKind = FailureKind.REFUSED, **facts: Any) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.facts = facts


async def read(
    response: Response,
    reader: Callable[[Fields], T],
    *,
    whole: Callable[[bytes], T] | None = None,
    secrets: Iterable[Secret] = (),
) -> T:
    """Return the result of ``reader`` for a response's JSON object; ProviderError if it raises Unreadable or Refused.

    ``whole`` reads the body in one pass, or raises ValueError if anything in it is odd: then ``reader`` reads it.
    Both may run on the worker thread. ``secrets`` are masked in the provider's message and details. An unreadable
    response is THROTTLED, BROKEN or BLOCKED by its HTTP status, and NONSENSE otherwise.
    """
    try:
        if len(response.body) < _LARGE:
            return _read_body(response, reader, whole)
        return await run_in_worker(_read_body, response, reader, whole)
    except Refused as refused:
        facts = refused.facts
        facts["message"] = masked(facts.get("message"), secrets)
        facts["details"] = tuple(masked_details(facts.get("details", ()), secrets))
        error = response.failure(refused.kind, **facts)
    except Unreadable as unreadable:
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            error = response.failure(FailureKind.THROTTLED)
        elif response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            error = response.failure(FailureKind.BROKEN)
        elif response.status in _BLOCKED:
            error = response.failure(FailureKind.BLOCKED)
        else:
            response.note(unreadable.place)
            error = response.failure(FailureKind.NONSENSE, place=unreadable.place, says_success=unreadable.says_success)
    raise error


def _read_body(response: Response, reader: Callable[[Fields], T], whole: Callable[[bytes], T] | None) -> T:
    size = len(response.body)
    if whole is not None and size < _ONE_PASS:
        with suppress(ValueError):
            return whole(response.body)
    answer = Fields(parse_json(response.body, yield_gil=size >= _LARGE), note=response.note)
    try:
        return reader(answer)
    except Unreadable as unreadable:
        unreadable.says_success = answer.says_success
        raise


def masked_details(details: Iterable[tuple[str, str]], secrets: Iterable[Secret]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a refusal's facts, masked and shortened, without empty ones."""
    for name, value in details:
        shown_name, shown = masked(name, secrets), masked(value, secrets)
        if shown_name and shown:
            yield shown_name[:_MAX_DETAIL], shown[:_MAX_DETAIL]


def parse_json(body: bytes, *, yield_gil: bool = False) -> object:
    """Return the JSON in ``body`` with its fractions as exact decimals; Unreadable for anything else.

    Refuses NaN, infinity, oversized numbers and more than MAX_NESTING levels. Of a repeated name the last counts.
    ``yield_gil`` is for a thread: C code holds the interpreter lock unless it calls Python now and then (7 MiB held
    up the event loop for 55 ms without it, 20 ms with it).
    """
    try:
        value = _decoded(body, yield_gil=yield_gil)
    except (ValueError, ArithmeticError, RecursionError):
        pass
    else:
        if not _is_too_deep(value):
            return value
    raise Unreadable("body")


def _decoded(body: bytes, *, yield_gil: bool) -> object:
    if not yield_gil:
        # json accepts some documents that msgspec does not: a byte order mark, half a surrogate pair.
        with suppress(msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            return _DECODER.decode(body)
    return json.loads(
        body.decode("utf-8-sig"),
        parse_float=Decimal,
        parse_constant=_refuse_constant,
        object_hook=_unchanged if yield_gil else None,
    )


def _is_too_deep(value: object) -> bool:
    """Return whether objects and lists are nested deeper than MAX_NESTING, level by level."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_NESTING):
        level = [
            each
            for outer in level
            for each in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(each, dict | list)
        ]
    return bool(level)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _unchanged(values: dict[str, object]) -> dict[str, object]:
    return values


def masked(message: object, secrets: Iterable[Secret] = ()) -> str | None:
    """Return a provider's message, shortened, without trade tokens and ``secrets``; None if there is none."""
    if not isinstance(message, str) or not message.strip():
        return None
    text = storable(message)
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), str(secret))
    return mask_trade_urls(text[:_READ_OF_MESSAGE])[:_MAX_MESSAGE]


def identifier(value: object) -> str | None:
    """Return a key or an id of plain characters; None for anything that could be free text."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


class Fields:
    """A JSON object of a response and its place in it. A missing field and null read as None.

    A value of the wrong type raises Unreadable. If a field is read as ``optional``, its place is given to ``note``
    instead, and the field counts as missing.
    """

    __slots__ = ("note", "place", "says_success", "values")

    def __init__(self, value: object, place: str = "", *, note: Callable[[str], None] = lambda _: None) -> None:
        if not isinstance(value, dict):
            raise Unreadable(place or "body")
        self.values: dict[str, object] = value
        self.place = place
        self.note = note
        self.says_success = False
        """Set once the envelope has said so: the provider works, even if the rest cannot be read."""

    def at(self, name: str) -> str:
        """Return the place of a field."""
        return f"{self.place}.{name}" if self.place else name

    def text(self, name: str, *, optional: bool = False) -> str | None:
        """Read a text; a long one is cut, a blank one is None."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._reject(name, optional=optional)
            return None
        if not value or value.isspace():
            return None
        return (value if value.isascii() else storable(value))[:MAX_TEXT]

    def id(self, name: str) -> str:
        """Read a required id: a text, or an integer."""
        value = self.values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(self.integer(name))
        text = value.strip() if isinstance(value, str) else ""
        if not text or len(text) > MAX_TEXT:
            raise Unreadable(self.at(name))
        return text if text.isascii() else storable(text)

    def optional_id(self, name: str) -> str:
        """Read an id, or an empty text."""
        value = self.values.get(name)
        if value is None or value == "":
            return ""
        try:
            return self.id(name)
        except Unreadable as unreadable:
            self.note(unreadable.place)
            return ""

    def truth(self, name: str, *, optional: bool = False) -> bool | None:
        """Read a boolean, or a number with 0 for false."""
        value = self.values.get(name)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int | Decimal):
            return bool(value)
        self._reject(name, optional=optional)
        return None

    def integer(self, name: str, *, least: int = -MAX_INTEGER, optional: bool = False) -> int | None:
        """Read an integer of at most 64 bits."""
        value = self.values.get(name)
        if value is None:
            return None
        if type(value) is not int:
            number = plain_number(value)
            value = int(number) if number is not None and number == number.to_integral_value() else None
        if value is not None and least <= value <= MAX_INTEGER:
            return value
        self._reject(name, optional=optional)
        return None

    def part(self, name: str) -> Fields | None:
        """Read an object."""
        value = self.values.get(name)
        return None if value is None else Fields(value, self.at(name), note=self.note)

    def need(self, name: str) -> Fields:
        """Read a required object."""
        return Fields(self.values.get(name), self.at(name), note=self.note)

    def _reject(self, name: str, *, optional: bool) -> None:
        if not optional:
            raise Unreadable(self.at(name))
        self.note(self.at(name))


def storable(text: str) -> str:
    """Return ``text`` without the lone surrogates that JSON escapes can make and UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def plain_number(value: object) -> Decimal | None:
    """Return a number of human size, else None: an exponent of nine digits would print as gigabytes."""
    if type(value) is Decimal:
        number = value
    elif type(value) is int:
        number = Decimal(value)
    elif isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None  # the pattern bounds its size
    else:
        return None
    if number.adjusted() > MAX_MAGNITUDE:
        return None
    if len(text := str(number)) <= _MAX_FRACTION and "E" not in text:  # nearly always
        return number
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -_MAX_FRACTION <= exponent <= MAX_MAGNITUDE:
        return None
    return number.quantize(Decimal(1)) if exponent > 0 else number
