"""Looks up codes, keys, messages and statuses in the catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from string import ascii_lowercase, ascii_uppercase
from typing import Self

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Repeat, StatusExplanation
from bot.providers.catalogue import UNKNOWN, Entries, packaged, read
from bot.providers.pasted import (
    LONGEST_TEXT,
    as_key,
    http_statuses,
    labelled_numbers,
    numbers_alone,
    plain_key,
    possible_statuses,
    providers_named,
    tidied,
)
from bot.providers.pasted_steam import (
    cloudflare_numbers,
    is_about_offers,
    is_message,
    numbers_in_brackets,
    result_names,
    steam_results,
)
from bot.providers.suggestions import Searchables, of_error, of_status
from bot.providers.titles import Titles, folded
from bot.providers.translations import all_for_reader, for_reader

_TRADE = "trade"
_CLOUDFLARE_GENERAL = "cloudflare_1xxx"
_KEY_WITH_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+(?![A-Za-z0-9_])")
_KEY_IN_CAMEL_CASE = re.compile(r"(?<![A-Za-z0-9_])(?:[A-Z][a-z]+){2,6}(?![A-Za-z0-9_])")
_KEY_IN_CAPITALS = re.compile(r"(?<![A-Za-z0-9_])[A-Z]{4,}(?![A-Za-z0-9_])")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)  # unlike lower(), it keeps every position
_QUOTES = "\"'`“”„»«"
_PHRASE_LENGTH = 3
"""Keys of this many words do not occur in other sentences by chance."""
_HTTP_END = 600
_HAS_ENVELOPE = frozenset({FailureKind.REFUSED, FailureKind.THROTTLED, FailureKind.BROKEN})


class Catalogue:
    """The explanations that come with SkinDesk (the port ``Explanations``)."""

    def __init__(self, entries: Entries) -> None:
        self.explanations = tuple(entry.explanation for entry in entries.errors)
        self.statuses = entries.statuses
        self._by_key: dict[tuple[Dialect, str | None, str], Explanation] = {}
        self._by_code: dict[tuple[Dialect, str | None, int], Explanation] = {}
        self._by_any_method: dict[tuple[Dialect, str], Explanation] = {}
        self._causes: dict[str, Explanation] = {}
        for explanation, methods, texts, is_failure_word in entries.errors:
            self._causes |= {folded(text): explanation for text in texts}
            if is_failure_word:
                self._by_key[explanation.dialect, _TRADE, explanation.key] = explanation
                continue  # said of a trade: as a call's error the same word may mean something else
            dialect = explanation.dialect
            # Of several entries the first one counts (1300, and keys of several methods).
            for method in methods or (None,):
                self._by_key.setdefault((dialect, method, explanation.key), explanation)
                if explanation.code is not None:
                    self._by_code.setdefault((dialect, method, explanation.code), explanation)
            self._by_any_method.setdefault((dialect, explanation.key), explanation)
        self._kinds: dict[FailureKind, Explanation] = {
            kind: self._by_key[Dialect.SKINDESK, None, kind.value]
            for kind in FailureKind
            if kind is not FailureKind.REFUSED
        }
        self._cause = _any_of(self._causes)
        self._unknown_of_steam = self._by_key[Dialect.STEAM, None, UNKNOWN]
        self._unknown = replace(self._by_key[Dialect.SKINDESK, None, UNKNOWN], known=False)
        self._statuses = {(status.dialect, status.kind, status.word): status for status in entries.statuses}
        self._unknown_status = self._statuses.pop((Dialect.SKINDESK, UNKNOWN, UNKNOWN))
        found_by_word = [status for status in self._statuses.values() if status.kind != "failure_word"]
        self._status_as_written = _by(found_by_word, lambda status: status.word)
        self._status_as_typed = _by(found_by_word, lambda status: _status_word(status.word))
        found = [entry.explanation for entry in entries.errors if entry.explanation.key != UNKNOWN]
        self._order = {id(explanation): place for place, explanation in enumerate(found)}
        self._by_number: defaultdict[int, list[Explanation]] = defaultdict(list)
        self._by_word: defaultdict[str, list[Explanation]] = defaultdict(list)
        self._by_exact_key: defaultdict[str, list[Explanation]] = defaultdict(list)
        for explanation in found:
            # Cloudflare's numbers are no code of a service: they count in Cloudflare's own words only.
            if explanation.code is not None and explanation.dialect is not Dialect.CLOUDFLARE:
                self._by_number[explanation.code].append(explanation)
            for word in dict.fromkeys((plain_key(explanation.key), as_key(explanation.key))):
                self._by_word[word].append(explanation)
            self._by_exact_key[explanation.key].append(explanation)
        self._messages = {folded(each.key): each for each in found if " " in each.key}
        self._message = _any_of(self._messages)
        self._titles = Titles(found)
        spelled = sorted((key for key in self._by_word if "_" in key), key=len, reverse=True)
        self._spelled_key = re.compile(
            rf"(?<![\w-])(?=[a-z])(?:{'|'.join(key.replace('_', '[ -]') for key in spelled)})(?![\w-])"
        )
        self._entries: dict[str, Explanation | StatusExplanation] = {each.id: each for each in entries.statuses}
        self._entries |= {each.id: each for each in (*found, self._unknown, self._unknown_of_steam)}
        self._searchables = Searchables(map(of_error, found))
        self._searchable_statuses = Searchables(map(of_status, found_by_word))

    @classmethod
    def load(cls) -> Self:
        """Read the packaged catalogue; CatalogueFault for a mistake in it."""
        return cls(read(packaged()))

    def explain(self, failure: Failure) -> Explanation:
        """Return the explanation of a failure: by key first, by number only within its dialect and method."""
        return for_reader(self._explain(failure))

    def _explain(self, failure: Failure) -> Explanation:
        dialect = failure.provider.dialect
        found = self._of_provider(failure, dialect) if failure.kind in _HAS_ENVELOPE else None
        if found is not None:
            # A documented key may come with another number. The received one is shown.
            found = replace(
                found,
                code=found.code if failure.code is None else failure.code,
                method=found.method if failure.method is None or found.method is None else failure.method,
            )
        else:
            found = self._kinds.get(failure.kind)
        if found is None:
            key = _stripped(failure.key) or UNKNOWN
            return replace(self._unknown, dialect=dialect, code=failure.code, key=key, method=failure.method)
        if failure.retry_after is not None and found.repeat is Repeat.LATER:
            return replace(found, repeat_after=failure.retry_after)
        return found

    def find(self, text: str, dialect: Dialect | None = None) -> tuple[Explanation, ...]:
        """Return the possible meanings of a number, a key or a pasted message.

        If the text names a provider, only that provider's meanings are returned, unless there are none. The number of
        a message of Steam or Cloudflare is theirs alone, even if a provider is named or selected.
        """
        text = tidied(text)
        if (of_cloudflare := cloudflare_numbers(text)) is not None:
            return self._of_cloudflare(of_cloudflare)
        numbers = numbers_alone(text)
        named: list[Explanation] = []
        of_steam: tuple[Explanation, ...] = ()
        if not numbers:
            numbers = labelled_numbers(text)
            named = self._named(text)
            of_steam = self._of_steam(text, numbers if not named else frozenset())
            numbers -= {explanation.code for explanation in of_steam}
        found = _within(named, dialect)
        # If a key came with its number, the number's other meanings are other errors.
        explained = {explanation.code for explanation in named}
        for number in sorted(numbers - explained):
            found += _within(self._by_number.get(number, []), dialect)
        if not found and dialect is Dialect.MANNCO:  # it has no codes: its trades show Steam's
            found = _within((each for number in numbers for each in self._by_number.get(number, [])), Dialect.STEAM)
        if not found and not of_steam:
            found = _within(self._causes_in(text), None if dialect is Dialect.MANNCO else dialect)
        if not found and not of_steam:
            found = _within(self._titles.named_in(text), dialect)
        if not found and not of_steam:
            found = _within(self._http(text, numbers), dialect)
        named_providers = providers_named(text)
        of_provider = [each for each in found if each.dialect in named_providers]
        if dialect is None and of_provider:
            found = of_provider
        unique = {id(explanation): explanation for explanation in found}.values()
        ranked = sorted(unique, key=lambda each: (each.code not in numbers, self._order[id(each)]))
        return all_for_reader((*of_steam, *(each for each in ranked if each not in of_steam)))

    def trade_error(self, dialect: Dialect, text: str) -> Explanation | None:
        """Return the meaning of a trade's last error: the provider's word or key, or Steam's error, best a cause."""
        for method in (_TRADE, None):
            if (own := self._by_key.get((dialect, method, text.strip()))) is not None:
                return for_reader(own)
        text = tidied(text)
        numbers = numbers_alone(text) or labelled_numbers(text) | numbers_in_brackets(text)
        found = [*self._causes_in(text), *self._of_steam(text, numbers)]
        found += (each for each in self._named(text) if each.dialect is Dialect.STEAM)
        found += filter(None, (self._by_code.get((Dialect.STEAM, None, number)) for number in sorted(numbers)))
        best_known = min(found, key=lambda each: each.key == UNKNOWN, default=None)
        return best_known and for_reader(best_known)

    def suggest(self, text: str, dialect: Dialect | None = None, *, limit: int = 25) -> tuple[Explanation, ...]:
        """Return the entries whose code, key or title begins with or contains ``text``, or else is similar to it."""
        return all_for_reader(self._searchables.best(text, dialect, limit=limit))

    def suggest_statuses(
        self, text: str, dialect: Dialect | None = None, *, limit: int = 25
    ) -> tuple[StatusExplanation, ...]:
        """Return the statuses whose word or title begins with or contains ``text``, or else is similar to it."""
        return all_for_reader(self._searchable_statuses.best(text, dialect, limit=limit))

    def find_statuses(self, text: str, dialect: Dialect | None = None) -> tuple[StatusExplanation, ...]:
        """Return the statuses that a text names: "status 4", or a status word alone.

        A word as a provider spells it counts first: AssetPay's dialects have the same words in other capitals.
        """
        text = tidied(text)
        found: list[StatusExplanation] = []
        for word in dict.fromkeys(possible_statuses(text)):
            found += self._status_as_written.get(word) or self._status_as_typed.get(_status_word(word), [])
        named = providers_named(text)
        wanted = {dialect} if dialect else {*named, Dialect.STEAM} if named else set(Dialect)
        return all_for_reader(each for each in found if each.dialect in wanted)

    def entry(self, entry_id: str) -> Explanation | StatusExplanation | None:
        """Return the entry with this id."""
        found = self._entries.get(entry_id)
        return found and for_reader(found)

    def status(self, dialect: Dialect, word: str, *, kind: str = "trade") -> StatusExplanation:
        """Return the meaning of a status, known or not.

        Capitals count: AssetPay's two dialects have the same words in other capitals with other meanings.
        """
        known = self._statuses.get((dialect, kind, word.replace("cancelled", "canceled")))  # both: trades.md, 1.6
        return for_reader(known or replace(self._unknown_status, dialect=dialect, word=word, kind=kind))

    def _of_provider(self, failure: Failure, dialect: Dialect) -> Explanation | None:
        if dialect is Dialect.MANNCO:
            return self._of_message(failure)
        key = _stripped(failure.key)
        if key is None and dialect is Dialect.SKINSBACK:
            # SkinsBack's `error_message` is the error's key.
            message = _stripped(failure.message)
            key = message if (dialect, message) in self._by_any_method else None
        if key is not None:
            # An unknown key is a new error, and its number may be an old one: 15 numbers changed their meaning between
            # AssetPay's dialects, but no key did. So the number is ignored.
            return (
                self._by_key.get((dialect, failure.method, key))
                or self._by_key.get((dialect, None, key))
                or self._by_any_method.get((dialect, key))
            )
        if failure.code is None:
            return None
        # A positive number of SkinsBack means nothing without a method whose list is known.
        return self._by_code.get((dialect, failure.method, failure.code)) or self._by_code.get(
            (dialect, None, failure.code)
        )

    def _of_message(self, failure: Failure) -> Explanation | None:
        """Explain a failure of Mannco, which has no codes, by its message, then by the HTTP status."""
        for said in (_stripped(failure.key), _stripped(failure.message)):
            if said is None:
                continue
            exact = self._by_key.get((Dialect.MANNCO, None, said))
            begins = self._message.match(folded(said[:LONGEST_TEXT]))
            if exact or begins:
                return exact or (self._messages[begins[0]] if begins else None)
        return self._by_key.get((Dialect.MANNCO, None, f"HTTP {failure.http_status}"))

    def _named(self, text: str) -> list[Explanation]:
        """Return the entries that the text names by key or message, as a whole or among other words."""
        if whole := self._by_word.get(plain_key(text)) or self._by_word.get(as_key(text)):
            return list(whole)
        named: list[Explanation] = []
        for key in dict.fromkeys(_KEY_WITH_UNDERSCORE.findall(text)):
            named += self._by_word.get(key.casefold(), [])
        for found in self._spelled_key.finditer(text.translate(_LOWER)):  # five times faster than IGNORECASE
            spelled = text[found.start() : found.end()]
            if _is_meant_as_key(text, found) and folded(spelled) not in self._messages:
                named += self._by_word.get(plain_key(spelled.replace("-", " ")), [])
        for key in dict.fromkeys(_KEY_IN_CAMEL_CASE.findall(text)):
            named += self._by_exact_key.get(key, [])
        # A key of one word is an ordinary word, too (conflict, forbidden): only capitals show that the key is meant.
        for key in dict.fromkeys(_KEY_IN_CAPITALS.findall(text)):
            named += self._by_exact_key.get(key, [])
        messages = dict.fromkeys(self._message.findall(folded(text)))
        named += (self._messages[message] for message in messages if not message.startswith("http "))
        return named

    def _of_steam(self, text: str, labelled: Iterable[int]) -> tuple[Explanation, ...]:
        """Return what a text says in Steam's own forms: causes before numbers.

        ``labelled`` numbers are Steam's if the text is about its offers and names no provider that has codes.
        """
        certain, likely = steam_results(text)
        has_codes = providers_named(text) - {Dialect.MANNCO}
        if is_about_offers(text) and not certain | likely and not has_codes:
            likely = frozenset(labelled)
        known = {number: self._by_code.get((Dialect.STEAM, None, number)) for number in sorted(certain | likely)}
        found = [each for each in known.values() if each is not None]
        names = {name.casefold().removeprefix("k_eresult") for name in result_names(text)}
        found += (each for name in names for each in self._by_word.get(name, []) if each.dialect is Dialect.STEAM)
        unknown = [number for number in certain if known[number] is None]
        if not found and not unknown:
            return tuple(self._causes_in(text)) if is_message(text) else ()
        causes = [each for each in self._causes_in(text) if each.key != UNKNOWN]
        found = [*causes, *found] or [replace(self._unknown_of_steam, code=number) for number in sorted(unknown)]
        return tuple({id(each): each for each in found or self._causes_in(text)}.values())

    def _causes_in(self, text: str) -> list[Explanation]:
        """Return the entries one of whose ``texts`` is in the text, the longest text first."""
        said = sorted(set(self._cause.findall(folded(text))), key=len, reverse=True)
        return [self._causes[each] for each in said]

    def _of_cloudflare(self, numbers: Iterable[int]) -> tuple[Explanation, ...]:
        found = [each for number in numbers if (each := self._by_code.get((Dialect.CLOUDFLARE, None, number)))]
        return tuple(found) or (self._by_key[Dialect.CLOUDFLARE, None, _CLOUDFLARE_GENERAL],)

    def _http(self, text: str, numbers: Iterable[int]) -> Iterator[Explanation]:
        """Yield the meanings of HTTP statuses, the least specific answer."""
        for status in sorted({*http_statuses(text), *numbers}):
            if message := self._messages.get(f"http {status}"):
                yield message
            if of_cloudflare := self._by_code.get((Dialect.CLOUDFLARE, None, status)):
                yield of_cloudflare
            elif status == HTTPStatus.TOO_MANY_REQUESTS:
                yield self._kinds[FailureKind.THROTTLED]
            elif HTTPStatus.INTERNAL_SERVER_ERROR <= status < _HTTP_END:
                yield self._kinds[FailureKind.BROKEN]


def _stripped(text: str | None) -> str | None:
    """Return the text without surrounding space; None if it is empty."""
    return (text or "").strip() or None


def _by(
    statuses: Iterable[StatusExplanation], key: Callable[[StatusExplanation], str]
) -> dict[str, list[StatusExplanation]]:
    grouped: defaultdict[str, list[StatusExplanation]] = defaultdict(list)
    for status in statuses:
        grouped[key(status)].append(status)
    return grouped


def _status_word(word: str) -> str:
    """Return a status in the form in which spellings are compared."""
    return plain_key(word.replace("-", " ") if len(word) > _PHRASE_LENGTH else word).replace("cancelled", "canceled")


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of these as whole words, the longest first."""
    longest_first = sorted(phrases, key=len, reverse=True)
    begins = re.escape("".join(sorted({phrase[0] for phrase in longest_first})))  # most letters begin none of them
    return re.compile(rf"(?<!\w)(?=[{begins}])(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def _is_meant_as_key(text: str, found: re.Match[str]) -> bool:
    """Return whether words are meant as a key, by their number, capitals, a hyphen, or quotes around them."""
    spelled = text[found.start() : found.end()]
    parts = re.split("[ -]", spelled)
    before, after = text[max(found.start() - 1, 0) : found.start()], text[found.end() : found.end() + 1]
    return (
        len(parts) >= _PHRASE_LENGTH
        or "-" in spelled
        or all(part[:1].isupper() for part in parts)
        or (before != "" and after != "" and before in _QUOTES and after in _QUOTES)
    )


def _within(explanations: Iterable[Explanation], dialect: Dialect | None) -> list[Explanation]:
    return [each for each in explanations if dialect in (None, each.dialect)]
