"""Numbers, amounts, lists and paragraphs as the language of the current task writes them.

Babel would do it, but for 28 ms at the start and 18 MB of memory; so its data stand in ``language.toml``.
"""

from collections.abc import Iterable
from decimal import Decimal

from bot.languages.language import current


def number(value: int) -> str:
    """Return a whole number with its thousands set apart."""
    text = f"{value:,}"
    return text if value < 1_000 and value > -1_000 else text.replace(",", current().formats.group)  # noqa: PLR2004 -- thousands


def decimal(value: Decimal | float, digits: int) -> str:
    """Return a number with this many decimals."""
    return localised(f"{value:,.{digits}f}")


def localised(plain: str) -> str:
    """Return a number that is written as in English, ``-1,204.50``, with the signs of the language."""
    formats = current().formats
    if (formats.group, formats.decimal) == (",", "."):
        return plain
    whole, dot, decimals = plain.partition(".")
    return whole.replace(",", formats.group) + (formats.decimal if dot else "") + decimals


def amount(plain: str, currency: str) -> str:
    """Return an amount of money with its currency's symbol or code; ``plain`` is the number as in English."""
    formats = current().formats
    sign = "-" if plain.startswith("-") else ""
    return sign + formats.money.format(amount=localised(plain.removeprefix("-")), symbol=currency)


def listed(things: Iterable[str]) -> str:
    """Return ``one``, ``one and two``, or ``one, two and three``; empty without any."""
    start, middle, end, two = current().formats.lists
    match [*things]:
        case []:
            return ""
        case [only]:
            return only
        case [first, second]:
            return two.format(first, second)
        case [first, *between, last]:
            text = first
            for place, each in enumerate(between):
                text = (middle if place else start).format(text, each)
            return end.format(text, last)
        case _:
            raise AssertionError


def paragraph(*sentences: object) -> str:
    """Return whole sentences behind one another, without the empty ones."""
    return current().formats.between_sentences.join(text for each in sentences if (text := str(each)))
