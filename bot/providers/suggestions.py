"""Ranks the catalogue's entries by how well they fit what a user has typed so far."""

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add
from typing import Generic, TypeVar

from bot.domain.failures import Dialect, Explanation, StatusExplanation
from bot.domain.normal_forms import normalized
from bot.languages import ENGLISH, Language, current
from bot.providers.pasted import as_key, only_number, tidied

_LONGEST_NEEDLE = 100
_SIMILARITY = 0.8
"""The least similarity of a mistyped key to the one that is suggested; 1 is equal."""

# Letters whose stroke or missing dot is no accent to Unicode.
_WITHOUT_STROKE = str.maketrans({"ł": "l", "đ": "d", "ı": "i", "ø": "o"})  # noqa: RUF001 -- a letter of Turkish

_Entry = TypeVar("_Entry", Explanation, StatusExplanation)


@dataclass(frozen=True, slots=True)
class Searchable(Generic[_Entry]):
    """An entry with its code and key, as :func:`typed` returns them, and with its titles in English."""

    entry: _Entry
    code: str
    key: str
    titles: tuple[str, ...]

    def rank(self, needle: str, titles: str) -> int | None:
        """Return how well the needle fits, 0 for best and None for not at all. An empty one fits everything.

        ``titles`` are those of this entry in the languages that are searched.
        """
        if not needle:
            return 0
        spelled: tuple[str, str] = (self.key, self.key.replace("_", " "))
        if not (self.code.startswith(needle) or any(needle in text for text in (titles, *spelled))):
            return None
        ranks = (
            needle == self.code or needle in spelled,
            self.code.startswith(needle),
            any(key.startswith(needle) for key in spelled),
            f"\n{needle}" in titles,
            f" {needle}" in f"{spelled[1]} {titles}",
        )
        return next((rank for rank, fits in enumerate(ranks) if fits), len(ranks))


def of_error(error: Explanation) -> Searchable[Explanation]:
    """Return an error as it is searched for."""
    code = "" if error.code is None else str(error.code)
    return Searchable(error, code, error.key.lower(), (error.title,))


def of_status(status: StatusExplanation) -> Searchable[StatusExplanation]:
    """Return a status as it is searched for."""
    word = status.word.lower()
    return Searchable(status, word, word, tuple(filter(None, (status.title, status.customer_title))))


class Searchables(Generic[_Entry]):
    """Entries as they are searched for, with their titles in each language that was searched in."""

    def __init__(self, searchables: Iterable[Searchable[_Entry]]) -> None:
        self._searchables: tuple[Searchable[_Entry], ...] = tuple(searchables)
        self._titles: dict[Language, tuple[str, ...]] = {}

    def best(self, text: str, dialect: Dialect | None, *, limit: int) -> tuple[_Entry, ...]:
        """Return the entries whose code, key or title begins with or contains ``text``, or else is similar to it.

        Titles count in the current language and in English.
        """
        needle = tidied(text[:_LONGEST_NEEDLE])
        needle = only_number(needle) or typed(needle)
        searched = zip(self._searchables, self._titles_for_reader(), strict=True)
        candidates = [(each, titles) for each, titles in searched if dialect in (None, each.entry.dialect)]
        ranked = sorted(
            (rank, place)
            for place, (each, titles) in enumerate(candidates)
            if (rank := each.rank(needle, titles)) is not None
        )
        if not ranked:
            keys = {each.key for each, _ in candidates}
            similar = difflib.get_close_matches(as_key(needle), keys, n=5, cutoff=_SIMILARITY)
            ranked = sorted(
                (similar.index(each.key), place) for place, (each, _) in enumerate(candidates) if each.key in similar
            )
        return tuple(candidates[place][0].entry for _, place in ranked[: max(limit, 0)])

    def _titles_for_reader(self) -> Iterable[str]:
        english = self._titles_in(ENGLISH)
        return english if current() is ENGLISH else map(add, english, self._titles_in(current()))

    def _titles_in(self, language: Language) -> tuple[str, ...]:
        """Return the titles of each entry, in the form in which they are compared, with a line break before each."""
        if language not in self._titles:
            say = language.explanations.gettext
            self._titles[language] = tuple(
                "".join(f"\n{typed(say(title))}" for title in each.titles) for each in self._searchables
            )
        return self._titles[language]


def typed(text: str) -> str:
    """Return a text in the form in which typed ones are compared: neither case nor accents count."""
    if text.isascii():
        return text.lower()
    letters = normalized("NFKC", text).casefold().translate(_WITHOUT_STROKE)
    return "".join(letter for letter in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(letter))
