"""Entries of the catalogue in the reader's language. Inside the catalogue they are in English."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from bot.domain.failures import Explanation, StatusExplanation
from bot.languages import ENGLISH, current, translated

Entry = TypeVar("Entry", bound=Explanation | StatusExplanation)

TEXTS_OF_ERRORS = ("title", "meaning", "cause", "customer", "agent", "resend")
TEXTS_OF_STATUSES = ("title", "customer_title", "customer", "agent")


def for_reader(entry: Entry) -> Entry:
    """Return an entry with its texts in the current language; ids, keys and codes stay the same."""
    if current() is ENGLISH:
        return entry
    names = TEXTS_OF_STATUSES if isinstance(entry, StatusExplanation) else TEXTS_OF_ERRORS
    texts: dict[str, Any] = {name: text and translated(text) for name in names for text in [getattr(entry, name)]}
    return replace(entry, **texts)


def all_for_reader(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return entries with their texts in the current language."""
    return tuple(map(for_reader, entries))
