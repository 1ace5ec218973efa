"""Ranks the catalogue's entries by how well they fit what a user has typed so far."""

import difflib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.domain.failures import Dialect, Explanation, StatusExplanation
from bot.domain.normal_forms import normalized
from bot.languages import Language, current
from bot.providers.pasted import as_key, only_number, tidied
from bot.providers.translations import for_reader

_LONGEST_NEEDLE = 100
_SIMILARITY = 0.8
"""The least similarity of a mistyped key to the one that is suggested; 1 is equal."""

# Letters whose stroke or missing dot is no accent to Unicode.
_WITHOUT_STROKE = str.maketrans({"ł": "l", "đ": "d", "ı": "i", "ø": "o"})  # noqa: RUF001 -- a letter of Turkish

_Entry = TypeVar("_Entry", Explanation, StatusExplanation)


@dataclass(frozen=True, slots=True)
class Searchable(Generic[_Entry]):
    """An entry with the texts that are compared, as :func:`typed` returns them; ``title`` is in several languages."""

    entry: _Entry
    code: str
    key: str
    title: str

    def rank(self, needle: str) -> int | None:
        """Return how well the needle fits, 0 for best and None for not at all. An empty one fits everything."""
        if not needle:
            return 0
        spelled: tuple[str, str] = (self.key, self.key.replace("_", " "))
        ranks = (
            needle == self.code or needle in spelled,
            self.code.startswith(needle),
            any(key.startswith(needle) for key in spelled),
            f"\n{needle}" in self.title,
            f" {needle}" in f"{spelled[1]} {self.title}",
            any(needle in text for text in (*spelled, self.title)),
        )
        return next((rank for rank, fits in enumerate(ranks) if fits), None)


def of_error(error: Explanation) -> Searchable[Explanation]:
    """Return an error as it is searched for in the current language, and in English."""
    key, titles = error.key.lower(), _titles(error.title, for_reader(error).title)
    return Searchable(error, "" if error.code is None else str(error.code), key, titles)


def of_status(status: StatusExplanation) -> Searchable[StatusExplanation]:
    """Return a status as it is searched for in the current language, and in English."""
    spoken, word = for_reader(status), status.word.lower()
    titles = (status.title, status.customer_title, spoken.title, spoken.customer_title)
    return Searchable(status, word, word, _titles(*titles))


class Searchables(Generic[_Entry]):
    """Entries as they are searched for, in each language that was searched in."""

    def __init__(self, entries: Iterable[_Entry], searched: Callable[[_Entry], Searchable[_Entry]]) -> None:
        self._entries: tuple[_Entry, ...] = tuple(entries)
        self._searched: Callable[[_Entry], Searchable[_Entry]] = searched
        self._by_language: dict[Language, tuple[Searchable[_Entry], ...]] = {}

    def for_reader(self) -> tuple[Searchable[_Entry], ...]:
        """Return them for the current language."""
        language = current()
        if language not in self._by_language:
            self._by_language[language] = tuple(map(self._searched, self._entries))
        return self._by_language[language]


def typed(text: str) -> str:
    """Return a text in the form in which typed ones are compared: neither case nor accents count."""
    if text.isascii():
        return text.lower()
    letters = normalized("NFKC", text).casefold().translate(_WITHOUT_STROKE)
    return "".join(letter for letter in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(letter))


def _titles(*titles: str | None) -> str:
    return "".join(f"\n{typed(title)}" for title in dict.fromkeys(filter(None, titles)))


def best(
    searchables: Iterable[Searchable[_Entry]], text: str, dialect: Dialect | None, *, limit: int
) -> tuple[_Entry, ...]:
    """Return the entries whose code, key or title begins with or contains ``text``, or else is similar to it."""
    needle = tidied(text[:_LONGEST_NEEDLE])
    needle = only_number(needle) or typed(needle)
    candidates = [each for each in searchables if dialect in (None, each.entry.dialect)]
    ranked = sorted((rank, place) for place, each in enumerate(candidates) if (rank := each.rank(needle)) is not None)
    if not ranked:
        keys = {each.key for each in candidates}
        similar = difflib.get_close_matches(as_key(needle), keys, n=5, cutoff=_SIMILARITY)
        ranked = sorted(
            (similar.index(each.key), place) for place, each in enumerate(candidates) if each.key in similar
        )
    return tuple(candidates[place].entry for _, place in ranked[: max(limit, 0)])
