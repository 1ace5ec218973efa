"""Reads the rows of a provider's list: one odd value costs that value, one odd row that row.

The shapes of rows are typed dictionaries that pydantic checks. A whole answer is checked in one pass over its bytes;
only if that fails are its rows checked one by one, and the odd values taken out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

from bot.domain.steam import SteamId
from bot.providers.reading import (
    MAX_INTEGER,
    MAX_ITEMS,
    MAX_MAGNITUDE,
    MAX_TEXT,
    Unreadable,
    plain_number,
    storable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

R = TypeVar("R")

_DECIMAL = r"^[0-9]{1,15}(\.[0-9]{1,30})?$"
"""A number that is not negative; above it is no money, and a float would lose digits."""
_SHARE = r"^(0(\.[0-9]{1,30})?|1(\.0{1,30})?)$"
_MILLISECONDS_FROM = 10**11
"""A time this large is in milliseconds: in seconds it would be in the year 5138."""
_TRIES = 3


class _Checked:
    """A type that pydantic checks itself in bytes, and ``check`` does in a value that was read before."""

    def __init__(self, check: Callable[[Any], object]) -> None:
        self._check = check

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=handler(source), python_schema=core_schema.no_info_plain_validator_function(self._check)
        )


def _text(value: object) -> str:
    """Return a text without half characters, cut if it is long; a number as text."""
    if isinstance(value, str):
        return storable(value.strip())[:MAX_TEXT]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _id(value)
    raise ValueError


def _id(value: object) -> str:
    """Return an id: a text that is not blank, or a number."""
    if isinstance(value, str):
        text = storable(value.strip())
    elif (number := plain_number(value)) is not None:
        text = str(number)
    else:
        text = ""
    if not text or len(text) > MAX_TEXT:
        raise ValueError
    return text


def _number_up_to(most: int) -> Callable[[object], Decimal]:
    """Return a check for exact numbers from 0 to ``most``."""

    def check(value: object) -> Decimal:
        number = plain_number(value.strip() if isinstance(value, str) else value)
        if number is None or not 0 <= number <= most:
            raise ValueError
        return number.copy_abs()  # because abs() rounds to 28 digits and -0 exists

    return check


def _integer_from(least: int) -> Callable[[object], int]:
    """Return a check for integers of at most 64 bits, from ``least``."""

    def check(value: object) -> int:
        number = plain_number(value.strip() if isinstance(value, str) else value)
        if number is None or number != number.to_integral_value() or not least <= number <= MAX_INTEGER:
            raise ValueError
        return int(number)

    return check


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT), _Checked(_text)]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(lambda text: text[:MAX_TEXT]), _Checked(_text)
]
"""A text that is cut if it is long, from bytes too: the answers with one are read in one pass as well."""
AnyText = Annotated[str, _Checked(lambda value: value)]
"""A text of any length from bytes; a value that was read before as it is, for its reader to check."""
Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT), _Checked(_id)]
Amount = Annotated[
    str, Field(pattern=_DECIMAL, coerce_numbers_to_str=True), _Checked(_number_up_to(10 ** (MAX_MAGNITUDE + 1)))
]
"""A number from 0: its digits from bytes, an exact decimal otherwise; ``Decimal`` takes both."""
Wear = Annotated[str, Field(pattern=_SHARE, coerce_numbers_to_str=True), _Checked(_number_up_to(1))]
"""From 0 to 1. Seeds 000 to 002 have it as text on items and as number on stickers."""
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER, strict=True), _Checked(_integer_from(0))]
Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER, strict=True), _Checked(_integer_from(-MAX_INTEGER))]


def listed(values: object, place: str) -> list[Any]:
    """Return the rows of a list, of PHP's spelling of one (``{"0": …, "2": …}``), or of null for none.

    Unreadable for anything else, and for more rows than any inventory has.
    """
    if values is None:
        return []
    if isinstance(values, dict) and all(isinstance(name, str) and name.isdecimal() for name in values):
        values = list(values.values())
    if not isinstance(values, list) or len(values) > MAX_ITEMS:
        raise Unreadable(place)
    return values


def read_rows(
    shape: TypeAdapter[R],
    values: object,
    place: str,
    note: Callable[[str], None],
    *,
    instead: Mapping[str, object] | None = None,
) -> tuple[list[R], int]:
    """Return the rows of the list at ``place``, and how many were left out because they cannot be read.

    The place of every odd value is given to ``note``. Its row is read without it; ``instead`` has the fields that
    are odd as a whole if anything in them is, and the values that stand for them then.
    """
    rows = listed(values, place)
    found = [
        row
        for index, value in enumerate(rows)
        if (row := read_row(shape, value, f"{place}[{index}]", note, instead=instead)) is not None
    ]
    return found, len(rows) - len(found)


def read_row(
    shape: TypeAdapter[R],
    value: object,
    place: str,
    note: Callable[[str], None],
    *,
    instead: Mapping[str, object] | None = None,
) -> R | None:
    """Return a row without its odd values, or None if it is no object or lacks what it needs."""
    for _ in range(_TRIES):
        try:
            return shape.validate_python(value)
        except ValidationError as error:
            # Without the values: an error must never quote one.
            odd = error.errors(include_url=False, include_context=False, include_input=False)
        places = sorted({mistake["loc"] for mistake in odd}, key=_by_depth, reverse=True)
        for path in places:
            note(place + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path))
        if any(mistake["type"] == "missing" for mistake in odd) or not all(places):
            return None
        for path in places:
            _take_out(value, path, instead or {})
    return None


def _by_depth(path: tuple[int | str, ...]) -> tuple[int, tuple[int, ...]]:
    """Sort deeper places last, and of a list's values the later ones, so that taking one out moves no other."""
    return len(path), tuple(part if isinstance(part, int) else -1 for part in path)


def _take_out(value: Any, path: tuple[int | str, ...], instead: Mapping[str, object]) -> None:
    """Remove the value at ``path``, or put another in place of its whole field."""
    first, last = path[0], path[-1]
    if first in instead:
        value[first] = instead[str(first)]
        return
    for part in path[:-1]:
        value = value[part]
    del value[last]


def moment_from(value: object) -> datetime | None:
    """Read a time in seconds or milliseconds since 1970, as number or text, or in ISO 8601; None if it is neither."""
    number = plain_number(value.strip() if isinstance(value, str) else value)
    try:
        if number is not None:
            seconds = float(number)
            if seconds <= 0:
                return None
            return datetime.fromtimestamp(seconds / (1000 if seconds >= _MILLISECONDS_FROM else 1), UTC)
        moment = datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def account_from(value: object) -> SteamId | None:
    """Read an account's SteamID, as text or number; None if it is none."""
    try:
        return SteamId.parse(str(value))
    except ValueError:
        return None
