"""Looks codes, keys, messages and statuses up in the catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Self

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Repeat, StatusExplanation
from bot.providers.catalogue import UNKNOWN, Entries, Entry, packaged, read

_LONGEST_TEXT = 6000
"""More than any Discord message or embed holds; what comes after is not searched."""
_LONGEST_NEEDLE = 100

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))  # noqa: RUF001 -- people paste typographic minus signs
_QUOTES = "`'\"*<>()[]{}.,;:!? \t\r\n"
_ALONE = re.compile(r"#?\s{0,3}(-?[0-9]{1,5})")
_LABELLED = re.compile(
    r"(?:(?<![A-Za-z])(?:error[ _-]?code|err(?:or)?|code)(?:\s(?:number|no\.?|nr\.?|code))?|#)"
    r"(?P<between>[\s\"'`*:=#(]{0,12})(?P<number>-?[0-9]{1,5})(?![0-9A-Za-z_])(?!\.[0-9])",
    re.IGNORECASE,
)
_KEY_WITH_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+(?![A-Za-z0-9_])")
_KEY_IN_CAPITALS = re.compile(r"(?<![A-Za-z0-9_])[A-Z]{4,}(?![A-Za-z0-9_])")
_PROVIDER_SAYS_MORE = frozenset({FailureKind.REFUSED, FailureKind.THROTTLED, FailureKind.BROKEN})


@dataclass(frozen=True, slots=True)
class _Searchable:
    """An explanation with what ``suggest`` compares, in lower case once and for all."""

    explanation: Explanation
    code: str
    key: str
    title: str

    def rank(self, needle: str) -> int | None:
        """How well the needle fits, 0 being best; None where it does not. Nothing fits everything equally."""
        if not needle:
            return 0
        spelled = (self.key, self.key.replace("_", " "))
        ranks = (
            needle == self.code or needle in spelled,
            self.code.startswith(needle),
            any(key.startswith(needle) for key in spelled),
            self.title.startswith(needle),
            f" {needle}" in f"{spelled[1]} {self.title}",
            any(needle in text for text in (*spelled, self.title)),
        )
        return next((rank for rank, fits in enumerate(ranks) if fits), None)


class Catalogue:
    """The explanations that come with SkinDesk (the port ``Explanations``)."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._by_key: dict[tuple[Dialect, str | None, str], Explanation] = {}
        self._by_code: dict[tuple[Dialect, str | None, int], Explanation] = {}
        self._by_any_method: dict[tuple[Dialect, str], Explanation] = {}
        for entry in entries.errors:
            # A failure word is said of a trade, not of a call: the same word as a call's error may mean another thing.
            if not entry.is_failure_word:
                self._index(entry)
        self._kinds: dict[FailureKind, Explanation] = {
            kind: self._own(kind.value) for kind in FailureKind if kind is not FailureKind.REFUSED
        }
        self._unknown = replace(self._own(UNKNOWN), known=False)
        self._statuses = {(status.dialect, status.kind, status.word): status for status in entries.statuses}
        self._unknown_status = self._statuses.pop((Dialect.SKINDESK, UNKNOWN, UNKNOWN))

        found = [entry.explanation for entry in entries.errors if entry.explanation.key != UNKNOWN]
        self._order = {id(explanation): place for place, explanation in enumerate(found)}
        self._by_number: defaultdict[int, list[Explanation]] = defaultdict(list)
        self._by_word: defaultdict[str, list[Explanation]] = defaultdict(list)
        self._by_exact_key: defaultdict[str, list[Explanation]] = defaultdict(list)
        for explanation in found:
            if explanation.code is not None:
                self._by_number[explanation.code].append(explanation)
            self._by_word[_as_key(explanation.key)].append(explanation)
            self._by_exact_key[explanation.key].append(explanation)
        self._messages = {_folded(each.key): each for each in found if " " in each.key}
        longest_first = sorted(self._messages, key=len, reverse=True)
        self._message = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        self._searchables = tuple(
            _Searchable(each, "" if each.code is None else str(each.code), each.key.lower(), each.title.lower())
            for each in found
        )

    @classmethod
    def load(cls) -> Self:
        """Read the packaged catalogue; CatalogueFault where it is not as it has to be."""
        return cls(read(packaged()))

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """Every explanation of the catalogue."""
        return tuple(entry.explanation for entry in self._entries.errors)

    @property
    def statuses(self) -> tuple[StatusExplanation, ...]:
        """Every status of the catalogue."""
        return self._entries.statuses

    def explain(self, failure: Failure) -> Explanation:
        """Return the explanation of a failure: by key first, by number only within its dialect and method."""
        dialect = failure.provider.dialect
        found = self._of_provider(failure, dialect) if failure.kind in _PROVIDER_SAYS_MORE else None
        if found is not None:
            # The number and method are shown as they came: a documented key may arrive with another number.
            found = replace(
                found,
                code=found.code if failure.code is None else failure.code,
                method=found.method if failure.method is None or found.method is None else failure.method,
            )
        else:
            found = self._kinds.get(failure.kind)
        if found is None:
            key = _given(failure.key) or UNKNOWN
            return replace(self._unknown, dialect=dialect, code=failure.code, key=key, method=failure.method)
        if failure.retry_after is not None and found.repeat is Repeat.LATER:
            return replace(found, repeat_after=failure.retry_after)
        return found

    def find(self, text: str, dialect: Dialect | None = None) -> tuple[Explanation, ...]:
        """Return what a number, a key or a pasted message can mean; several for an ambiguous number."""
        text = " ".join(text[:_LONGEST_TEXT].translate(_DASHES).split())
        if alone := _ALONE.fullmatch(text.strip("`'\"*()[] ")):
            numbers = {int(alone[1])}
            named: list[Explanation] = []
        else:
            numbers = set(_numbers(text))
            named = self._named(text)
        found = _within(named, dialect)
        # Where a key came with its number, the number's other meanings are other errors.
        explained = {explanation.code for explanation in named}
        for number in sorted(numbers - explained):
            found += _within(self._by_number.get(number, []), dialect)
        if not found:
            found = _within(self._http(text, numbers), dialect)
        unique = {id(explanation): explanation for explanation in found}.values()
        ranked = sorted(unique, key=lambda each: (each.code not in numbers, self._order[id(each)]))
        return tuple(ranked)

    def suggest(self, text: str, dialect: Dialect | None = None, *, limit: int = 25) -> tuple[Explanation, ...]:
        """Return the entries whose code, key or title begins with or contains ``text``, best first."""
        needle = " ".join(text[:_LONGEST_NEEDLE].translate(_DASHES).lower().split())
        if labelled := _LABELLED.fullmatch(needle):
            needle = labelled["number"]
        ranked = (
            (rank, place)
            for place, each in enumerate(self._searchables)
            if dialect in (None, each.explanation.dialect) and (rank := each.rank(needle)) is not None
        )
        best = sorted(ranked)[: max(limit, 0)]
        return tuple(self._searchables[place].explanation for _, place in best)

    def status(self, dialect: Dialect, word: str, *, kind: str = "trade") -> StatusExplanation:
        """Return the meaning of a status; one that says so for an unknown word.

        The word counts as it is written: AssetPay's two dialects differ in capitals *and* in meaning.
        """
        known = self._statuses.get((dialect, kind, word))
        return known or replace(self._unknown_status, dialect=dialect, word=word, kind=kind)

    def _index(self, entry: Entry) -> None:
        """Make the entry known to ``explain``; the first of several wins (1300, and keys of several methods)."""
        explanation = entry.explanation
        for method in entry.methods or (None,):
            self._by_key.setdefault((explanation.dialect, method, explanation.key), explanation)
            if explanation.code is not None:
                self._by_code.setdefault((explanation.dialect, method, explanation.code), explanation)
        self._by_any_method.setdefault((explanation.dialect, explanation.key), explanation)

    def _own(self, key: str) -> Explanation:
        return self._by_key[Dialect.SKINDESK, None, key]

    def _of_provider(self, failure: Failure, dialect: Dialect) -> Explanation | None:
        if dialect is Dialect.MANNCO:
            return self._of_message(failure)
        key = _given(failure.key)
        if key is None and dialect is Dialect.SKINSBACK:
            # SkinsBack's `error_message` is the error's key.
            message = _given(failure.message)
            key = message if (dialect, message) in self._by_any_method else None
        if key is not None:
            # An unknown key is a new error, and its number may have been given to it anew: 15 numbers changed their
            # meaning between AssetPay's dialects, while no key ever did. So the number is not asked then.
            return (
                self._by_key.get((dialect, failure.method, key))
                or self._by_key.get((dialect, None, key))
                or self._by_any_method.get((dialect, key))
            )
        if failure.code is None:
            return None
        # Without a method, or with one whose list is not known, a positive number of SkinsBack means nothing.
        return self._by_code.get((dialect, failure.method, failure.code)) or self._by_code.get(
            (dialect, None, failure.code)
        )

    def _of_message(self, failure: Failure) -> Explanation | None:
        """Mannco has no codes: the message decides, then the HTTP status."""
        for said in (_given(failure.key), _given(failure.message)):
            if said is None:
                continue
            exact = self._by_key.get((Dialect.MANNCO, None, said))
            begins = self._message.match(_folded(said[:_LONGEST_TEXT]))
            if exact or begins:
                return exact or (self._messages[begins[0]] if begins else None)
        return self._by_key.get((Dialect.MANNCO, None, f"HTTP {failure.http_status}"))

    def _named(self, text: str) -> list[Explanation]:
        """Return what the text names by key or message: as a whole, or else in the midst of other words."""
        if whole := self._by_word.get(_as_key(text)):
            return list(whole)
        named: list[Explanation] = []
        for key in dict.fromkeys(_KEY_WITH_UNDERSCORE.findall(text)):
            named += self._by_word.get(key.casefold(), [])
        # A key of one word is an ordinary word too (conflict, forbidden): only its capitals tell it apart.
        for key in dict.fromkeys(_KEY_IN_CAPITALS.findall(text)):
            named += self._by_exact_key.get(key, [])
        messages = dict.fromkeys(self._message.findall(_folded(text)))
        named += (self._messages[message] for message in messages if not message.startswith("http "))
        return named

    def _http(self, text: str, numbers: set[int]) -> list[Explanation]:
        """Return what an HTTP status means where nothing better was found: it says least of all."""
        messages = [message for message in self._message.findall(_folded(text)) if message.startswith("http ")]
        messages += [f"http {number}" for number in sorted(numbers)]
        return [self._messages[message] for message in messages if message in self._messages]


def _given(text: str | None) -> str | None:
    """Return the text without space around it; None where nothing is left."""
    return (text or "").strip() or None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _as_key(text: str) -> str:
    """Return a text as a key would be written: case and the kind of separator do not count."""
    return "_".join(text.strip(_QUOTES).casefold().replace("_", " ").split())


def _numbers(text: str) -> list[int]:
    """Return the numbers that are marked as codes."""
    numbers = []
    for labelled in _LABELLED.finditer(text):
        number = labelled["number"]
        # "error-7" has a hyphen, "error -7" a minus sign.
        numbers.append(int(number if labelled["between"] else number.lstrip("-")))
    return numbers


def _within(explanations: list[Explanation], dialect: Dialect | None) -> list[Explanation]:
    return [each for each in explanations if dialect in (None, each.dialect)]
