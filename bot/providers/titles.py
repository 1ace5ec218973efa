"""Finds the titles of explanations in a pasted text, in every language: people paste the pages of others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from bot.domain.failures import Explanation
from bot.languages import ENGLISH, LANGUAGES

_PHRASE_LENGTH = 3
"""Titles of this many words do not occur in other sentences by chance."""
_PHRASE_IDEOGRAMS = 5
"""The same for titles in Chinese, which has no spaces."""
_BEGINNING = 4
"""Letters by which titles are looked up."""
_FIRST_IDEOGRAM = "\u2e80"
_START = re.compile(rf"(?<!\w)\S|[{_FIRST_IDEOGRAM}-\U0003ffff]|(?<=[{_FIRST_IDEOGRAM}-\U0003ffff])\w")
"""Where a title may begin: at a word, or anywhere among ideograms."""


class Titles:
    """The titles of explanations. Those of other languages are read when they are first needed."""

    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._explanations = tuple(explanations)
        self._in_english = _Index((each.title, each) for each in self._explanations)

    def named_in(self, text: str) -> list[Explanation]:
        """Return the explanations whose titles are in a text: the English ones, or else those of all languages."""
        said = folded(text)
        return self._in_english.found_in(said) or self._in_others.found_in(said)

    @cached_property
    def _in_others(self) -> _Index:
        return _Index(
            (language.explanations.gettext(each.title), each)
            for language in LANGUAGES.values()
            if language is not ENGLISH
            for each in self._explanations
        )


class _Index:
    """Titles by their beginnings, and the explanations of each."""

    def __init__(self, titles: Iterable[tuple[str, Explanation]]) -> None:
        self._explanations: dict[str, tuple[Explanation, ...]] = {}
        for title, explanation in titles:
            if _is_long(said := folded(title)):
                self._explanations[said] = (*self._explanations.get(said, ()), explanation)
        self._by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        for title in sorted(self._explanations, key=len, reverse=True):
            self._by_beginning[title[:_BEGINNING]].append(title)

    def found_in(self, said: str) -> list[Explanation]:
        """Return the explanations whose titles are in a text, the longest title at each place."""
        found: list[Explanation] = []
        beginnings, end = self._by_beginning, 0
        for start in _START.finditer(said):
            place = start.start()
            if place >= end and (alike := beginnings.get(said[place : place + _BEGINNING])):
                title = _title_at(said, place, alike)
                found += self._explanations.get(title, ())
                end = place + len(title)
        return found


def folded(text: str) -> str:
    """Return a text in the form in which messages and titles are compared: case and spaces do not count."""
    return " ".join(text.casefold().split()).rstrip(".")


def _is_long(title: str) -> bool:
    return (
        title.count(" ") >= _PHRASE_LENGTH - 1
        or sum(letter >= _FIRST_IDEOGRAM for letter in title) >= _PHRASE_IDEOGRAMS
    )


def _title_at(said: str, place: int, titles: Iterable[str]) -> str:
    for title in titles:
        if said.startswith(title, place) and not _is_within_word(said, place + len(title)):
            return title
    return ""


def _is_within_word(said: str, place: int) -> bool:
    around = said[place - 1 : place + 1] if 0 < place < len(said) else ""
    return around.isalnum() and max(around) < _FIRST_IDEOGRAM
