"""The catalogue's files, one per dialect: read, checked and turned into explanations."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib import resources
from itertools import chain
from typing import TypeVar

from bot.domain.failures import Dialect, Explanation, FailureKind, Fixer, Repeat, StatusExplanation

TITLE_LIMIT = 80
TEXT_LIMIT = 300
UNKNOWN = "unknown"
STATUS_KINDS = frozenset(
    {"trade", "deposit", "failure_word", "tradeurl_check", "market_offer", "trade_offer", UNKNOWN},
)

_NOT_INHERITED = frozenset({"code", "source"})
_LISTS = ("error", "failure_word", "status")
_AnyEnum = TypeVar("_AnyEnum", bound=StrEnum)


class CatalogueFault(ValueError):
    """A file of the catalogue is not as it has to be: ``file``, ``entry`` in it, and what is wrong."""

    def __init__(self, file: str, entry: str, problem: str) -> None:
        super().__init__(f"{file}: {entry}: {problem}")
        self.file = file
        self.entry = entry
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Entry:
    """An explanation and every method its number belongs to; ``explanation.method`` is the first of them."""

    explanation: Explanation
    methods: tuple[str, ...]
    is_failure_word: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """The whole catalogue, in the order of ``Dialect`` and then of the files."""

    errors: tuple[Entry, ...]
    statuses: tuple[StatusExplanation, ...]


class _Table:
    """One TOML table whose keys are taken one by one; a key that nobody takes is a mistake."""

    def __init__(self, raw: Mapping[str, object], file: str, entry: str) -> None:
        self._raw = dict(raw)
        self.file = file
        self.entry = entry

    def fault(self, problem: str) -> CatalogueFault:
        return CatalogueFault(self.file, self.entry, problem)

    def has(self, name: str) -> bool:
        return name in self._raw

    def text(self, name: str, limit: int = TEXT_LIMIT) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not value or value != value.strip():
            raise self.fault(f"{name} must be a text without space around it")
        if len(value) > limit:
            raise self.fault(f"{name} has {len(value)} characters, at most {limit} are allowed")
        return value

    def member(self, name: str, words: type[_AnyEnum]) -> _AnyEnum:
        value = self._take(name)
        if not isinstance(value, str) or value not in set(words):
            raise self.fault(f"{name} must be one of {', '.join(words)}")
        return words(value)

    def number(self, name: str) -> int | None:
        value = self._raw.pop(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.fault(f"{name} must be a whole number")
        return value

    def claim(self, name: str, *, default: bool | None = None) -> bool:
        value = self._raw.pop(name, default)
        if not isinstance(value, bool):
            raise self.fault(f"{name} must be true or false")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        value = self._raw.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise self.fault(f"{name} must be a list of texts")
        return tuple(value)

    def done(self) -> None:
        if self._raw:
            raise self.fault(f"unknown: {', '.join(sorted(self._raw))}")

    def _take(self, name: str) -> object:
        if name not in self._raw:
            raise self.fault(f"{name} is missing")
        return self._raw.pop(name)


def packaged() -> dict[str, str]:
    """Return the texts of the files that come with SkinDesk, by dialect."""
    folder = resources.files(__name__)
    return {dialect.value: folder.joinpath(f"{dialect.value}.toml").read_text("utf-8") for dialect in Dialect}


def read(texts: Mapping[str, str]) -> Entries:
    """Turn the files' texts (by dialect) into explanations; CatalogueFault at the first thing that is wrong."""
    files = {dialect: _parse(dialect, texts.get(dialect.value)) for dialect in Dialect}
    general_words = _Table(files[Dialect.SKINDESK], "skindesk.toml", "top level").text("confidential_customer")
    errors: list[Entry] = []
    statuses: list[StatusExplanation] = []
    for dialect, file in files.items():
        _check_top_level(dialect, file)
        base = _base(dialect, file, files)
        for kind in ("error", "failure_word"):
            errors += (
                _entry(_inherited(table, base), dialect, general_words, is_failure_word=kind == "failure_word")
                for table in _tables(dialect, file, kind)
            )
        statuses += (_status(_Table(*table), dialect) for table in _tables(dialect, file, "status"))
    statuses += (_status_of_word(entry.explanation) for entry in errors if entry.is_failure_word)
    _check_duplicates(errors, statuses)
    _check_complete(errors, statuses)
    return Entries(tuple(errors), tuple(statuses))


def _parse(dialect: Dialect, text: str | None) -> dict[str, object]:
    if text is None:
        raise CatalogueFault(f"{dialect.value}.toml", "file", "missing")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueFault(f"{dialect.value}.toml", "file", str(error)) from error


def _check_top_level(dialect: Dialect, file: Mapping[str, object]) -> None:
    allowed = {*_LISTS, "confidential_customer" if dialect is Dialect.SKINDESK else "words_from"}
    if unknown := sorted(set(file) - allowed):
        raise CatalogueFault(f"{dialect.value}.toml", "top level", f"unknown: {', '.join(unknown)}")


def _tables(dialect: Dialect, file: Mapping[str, object], kind: str) -> Iterator[tuple[Mapping[str, object], str, str]]:
    """Yield each table of a list with the file's name and its own, for messages."""
    name = f"{dialect.value}.toml"
    tables = file.get(kind, [])
    if not isinstance(tables, list):
        raise CatalogueFault(name, kind, "must be a list of tables")
    for place, table in enumerate(tables, start=1):
        if not isinstance(table, dict):
            raise CatalogueFault(name, f"{kind} {place}", "must be a table")
        label = table.get("key") or f"{table.get('kind', '')} {table.get('word', '')}".strip()
        yield table, name, f"{kind} {place} ({label})"


def _base(
    dialect: Dialect, file: Mapping[str, object], files: Mapping[Dialect, Mapping[str, object]]
) -> Mapping[object, Mapping[str, object]]:
    """Return the tables, by key, of the dialect whose words this one shares."""
    source = file.get("words_from")
    if source is None:
        return {}
    if source not in set(Dialect) or source == dialect:
        raise CatalogueFault(f"{dialect.value}.toml", "top level", "words_from must name another dialect")
    other = Dialect(str(source))
    return {table.get("key"): table for table, _, _ in _tables(other, files[other], "error")}


def _inherited(table: tuple[Mapping[str, object], str, str], base: Mapping[object, Mapping[str, object]]) -> _Table:
    raw, file, entry = table
    shared = {name: value for name, value in base.get(raw.get("key"), {}).items() if name not in _NOT_INHERITED}
    return _Table({**shared, **raw}, file, entry)


def _entry(table: _Table, dialect: Dialect, general_words: str, *, is_failure_word: bool) -> Entry:
    confidential = table.claim("confidential", default=False)
    methods = table.words("methods")
    repeat = table.member("repeat", Repeat)
    seconds = table.number("repeat_after")
    if seconds is not None and (repeat is not Repeat.LATER or seconds <= 0):
        raise table.fault("repeat_after is a number of seconds above 0 and needs repeat = later")
    code = table.number("code")
    if is_failure_word and code is not None:
        raise table.fault("a failure word has no code")
    explanation = Explanation(
        dialect=dialect,
        code=code,
        key=table.text("key", TITLE_LIMIT),
        title=table.text("title", TITLE_LIMIT),
        meaning=table.text("meaning"),
        cause=table.text("cause"),
        customer=table.text("customer") if table.has("customer") or not confidential else general_words,
        agent=table.text("agent"),
        fixer=table.member("fixer", Fixer),
        repeat=repeat,
        source=table.text("source", TITLE_LIMIT),
        repeat_after=None if seconds is None else timedelta(seconds=seconds),
        method=methods[0] if methods else None,
        confidential=confidential,
    )
    table.done()
    return Entry(explanation, methods, is_failure_word)


def _status(table: _Table, dialect: Dialect) -> StatusExplanation:
    kind = table.text("kind", TITLE_LIMIT)
    if kind not in STATUS_KINDS:
        raise table.fault(f"kind must be one of {', '.join(sorted(STATUS_KINDS))}")
    status = StatusExplanation(
        dialect=dialect,
        word=table.text("word", TITLE_LIMIT),
        title=table.text("title", TITLE_LIMIT),
        customer=table.text("customer"),
        agent=table.text("agent"),
        fixer=table.member("fixer", Fixer),
        is_final=table.claim("is_final"),
        source=table.text("source", TITLE_LIMIT),
        kind=kind,
        known=table.claim("known", default=True),
        customer_title=table.text("customer_title", TITLE_LIMIT) if table.has("customer_title") else None,
    )
    table.done()
    return status


def _status_of_word(explanation: Explanation) -> StatusExplanation:
    """Return a failure word as a status, which it is too: it stands on a trade that has ended."""
    return StatusExplanation(
        dialect=explanation.dialect,
        word=explanation.key,
        title=explanation.title,
        customer=explanation.customer,
        agent=explanation.agent,
        fixer=explanation.fixer,
        is_final=True,
        source=explanation.source,
        kind="failure_word",
    )


def _check_duplicates(errors: list[Entry], statuses: list[StatusExplanation]) -> None:
    seen: set[tuple[object, ...]] = set()
    of_errors = (
        (entry.explanation.dialect, method, entry.explanation.code, entry.explanation.key, entry.is_failure_word)
        for entry in errors
        for method in entry.methods or (None,)
    )
    of_statuses = ((status.dialect, status.kind, status.word) for status in statuses)
    for identity in chain(of_errors, of_statuses):
        if identity in seen:
            raise CatalogueFault(f"{identity[0]}.toml", " ".join(map(str, identity[1:])), "is there twice")
        seen.add(identity)


def _check_complete(errors: list[Entry], statuses: list[StatusExplanation]) -> None:
    needed = {kind.value for kind in FailureKind if kind is not FailureKind.REFUSED} | {UNKNOWN}
    present = {entry.explanation.key for entry in errors if entry.explanation.dialect is Dialect.SKINDESK}
    for key in sorted(needed - present):
        raise CatalogueFault("skindesk.toml", f"error {key}", "missing")
    if not any(status.kind == UNKNOWN and status.dialect is Dialect.SKINDESK for status in statuses):
        raise CatalogueFault("skindesk.toml", "status unknown", "missing")
