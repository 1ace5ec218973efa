"""Finds the titles of explanations in a pasted text, in every language: people paste the pages of others."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bot.domain.failures import Explanation
from bot.languages import LANGUAGES

_PHRASE_LENGTH = 3
"""Titles of this many words do not occur in other sentences by chance."""
_PHRASE_IDEOGRAMS = 5
"""The same for titles in Chinese, which has no spaces."""
_BEGINNING = 4
"""Letters by which titles are looked up."""
_FIRST_IDEOGRAM = "\u2e80"
_START = re.compile(rf"(?<!\w)\S|[{_FIRST_IDEOGRAM}-\U0003ffff]|(?<=[{_FIRST_IDEOGRAM}-\U0003ffff])\w")
"""Where a title may begin: at a word, or anywhere among ideograms."""

_Titles = dict[str, list[tuple[str, list[Explanation]]]]


class Titles:
    """The titles of explanations by their beginnings. Those of other languages are read when they are first needed."""

    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._explanations = tuple(explanations)
        self._in_english = _by_beginning((each.title, each) for each in self._explanations)
        self._in_others: _Titles | None = None

    def named_in(self, text: str) -> list[Explanation]:
        """Return the explanations whose titles are in a text: the English ones, or else those of all languages."""
        said = folded(text)
        return _found(said, self._in_english) or _found(said, self._others())

    def _others(self) -> _Titles:
        if self._in_others is None:
            self._in_others = _by_beginning(
                (language.explanations.gettext(each.title), each)
                for language in LANGUAGES.values()
                if language.code != "en"
                for each in self._explanations
            )
        return self._in_others


def folded(text: str) -> str:
    """Return a text in the form in which messages and titles are compared: case and spaces do not count."""
    return " ".join(text.casefold().split()).rstrip(".")


def _by_beginning(titles: Iterable[tuple[str, Explanation]]) -> _Titles:
    grouped: defaultdict[str, dict[str, Explanation]] = defaultdict(dict)
    owners: defaultdict[str, list[Explanation]] = defaultdict(list)
    for title, explanation in titles:
        if _is_long(said := folded(title)) and explanation not in owners[said]:
            owners[said].append(explanation)
            grouped[said[:_BEGINNING]][said] = explanation
    return {
        beginning: [(title, owners[title]) for title in sorted(group, key=len, reverse=True)]
        for beginning, group in grouped.items()
    }


def _is_long(title: str) -> bool:
    ideograms = sum(letter >= _FIRST_IDEOGRAM for letter in title)
    return title.count(" ") >= _PHRASE_LENGTH - 1 or ideograms >= _PHRASE_IDEOGRAMS


def _found(said: str, titles: _Titles) -> list[Explanation]:
    found: list[Explanation] = []
    end = 0
    for start in _START.finditer(said):
        place = start.start()
        if place >= end and (alike := titles.get(said[place : place + _BEGINNING])):
            title, explanations = _title_at(said, place, alike)
            found += explanations
            end = place + len(title)
    return found


def _title_at(
    said: str, place: int, titles: Sequence[tuple[str, list[Explanation]]]
) -> tuple[str, Sequence[Explanation]]:
    for title, explanations in titles:
        end = place + len(title)
        if said.startswith(title, place) and not _is_within_word(said, end):
            return title, explanations
    return "", ()


def _is_within_word(said: str, place: int) -> bool:
    around = said[place - 1 : place + 1] if 0 < place < len(said) else ""
    return around.isalnum() and max(around) < _FIRST_IDEOGRAM
