"""Ranks the catalogue's entries by how well they fit what a user has typed so far."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.domain.failures import Dialect, Explanation, StatusExplanation
from bot.providers.pasted import as_key, only_number, tidied

_LONGEST_NEEDLE = 100
_SIMILARITY = 0.8
"""The least similarity of a mistyped key to the one that is suggested; 1 is equal."""

_Entry = TypeVar("_Entry", Explanation, StatusExplanation)


@dataclass(frozen=True, slots=True)
class Searchable(Generic[_Entry]):
    """An entry with the texts that are compared, in lower case."""

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
            self.title.startswith(needle),
            f" {needle}" in f"{spelled[1]} {self.title}",
            any(needle in text for text in (*spelled, self.title)),
        )
        return next((rank for rank, fits in enumerate(ranks) if fits), None)


def of_error(error: Explanation) -> Searchable[Explanation]:
    """Return an error as it is searched for."""
    return Searchable(error, "" if error.code is None else str(error.code), error.key.lower(), error.title.lower())


def of_status(status: StatusExplanation) -> Searchable[StatusExplanation]:
    """Return a status as it is searched for."""
    title = f"{status.title}\n{status.customer_title or ''}"
    return Searchable(status, status.word.lower(), status.word.lower(), title.lower())


def best(
    searchables: Iterable[Searchable[_Entry]], text: str, dialect: Dialect | None, *, limit: int
) -> tuple[_Entry, ...]:
    """Return the entries whose code, key or title begins with or contains ``text``, or else is similar to it."""
    needle = tidied(text[:_LONGEST_NEEDLE]).lower()
    needle = only_number(needle) or needle
    candidates = [each for each in searchables if dialect in (None, each.entry.dialect)]
    ranked = sorted((rank, place) for place, each in enumerate(candidates) if (rank := each.rank(needle)) is not None)
    if not ranked:
        keys = {each.key for each in candidates}
        similar = difflib.get_close_matches(as_key(needle), keys, n=5, cutoff=_SIMILARITY)
        ranked = sorted(
            (similar.index(each.key), place) for place, each in enumerate(candidates) if each.key in similar
        )
    return tuple(candidates[place].entry for _, place in ranked[: max(limit, 0)])
