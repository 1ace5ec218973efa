"""Reads the catalogue's files, one per dialect, and turns them into explanations."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import resources
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec

from bot.domain.failures import Dialect, Explanation, Fixer, Repeat, StatusExplanation

TITLE_LIMIT = 80
TEXT_LIMIT = 300
UNKNOWN = "unknown"

_NOT_INHERITED = frozenset({"code", "source"})
_TRIMMED = r"\A\S(?s:.*\S)?\Z"
_Title = Annotated[str, msgspec.Meta(max_length=TITLE_LIMIT, pattern=_TRIMMED)]
_Text = Annotated[str, msgspec.Meta(max_length=TEXT_LIMIT, pattern=_TRIMMED)]
_Raw = dict[str, Any]
T = TypeVar("T")


class CatalogueFault(ValueError):
    """An entry of the catalogue is wrong."""


class Entry(NamedTuple):
    """An explanation and the methods its number belongs to; ``explanation.method`` is the first of them.

    ``texts`` are phrases that name the error in a longer text.
    """

    explanation: Explanation
    methods: tuple[str, ...]
    texts: tuple[str, ...]
    is_failure_word: bool


class Entries(NamedTuple):
    """The whole catalogue, in the order of ``Dialect`` and then of the files."""

    errors: tuple[Entry, ...]
    statuses: tuple[StatusExplanation, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """``texts_from`` names the dialect whose texts an entry has for everything that it leaves out."""

    error: list[_Raw] = []
    failure_word: list[_Raw] = []
    status: list[_Raw] = []
    texts_from: Dialect | None = None
    confidential_customer: str = ""


class _Error(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: _Title
    title: _Title
    meaning: _Text
    cause: _Text
    customer: _Text
    agent: _Text
    fixer: Fixer
    repeat: Repeat
    source: _Title
    code: int | None = None
    repeat_after: Annotated[int, msgspec.Meta(gt=0)] | None = None
    confidential: bool = False
    methods: tuple[str, ...] = ()
    texts: tuple[_Title, ...] = ()
    resend: _Text = ""


class _Status(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    kind: Literal["trade", "deposit", "failure_word", "tradeurl_check", "market_offer", "trade_offer", "unknown"]
    word: _Title
    title: _Title
    customer: _Text
    agent: _Text
    fixer: Fixer
    is_final: bool
    source: _Title
    known: bool = True
    customer_title: _Title | None = None


def packaged() -> dict[Dialect, str]:
    """Return the texts of the files that come with SkinDesk."""
    folder = resources.files(__name__)
    return {dialect: folder.joinpath(f"{dialect.value}.toml").read_text("utf-8") for dialect in Dialect}


def read(texts: Mapping[Dialect, str]) -> Entries:
    """Turn the files' texts into explanations; CatalogueFault for the first mistake."""
    files: dict[Dialect, _File] = {}
    for dialect, text in texts.items():
        try:
            files[dialect] = msgspec.toml.decode(text, type=_File)
        except msgspec.MsgspecError as error:
            raise CatalogueFault(f"{dialect.value}.toml: {error}") from error
    general_text = files[Dialect.SKINDESK].confidential_customer
    errors: list[Entry] = []
    statuses: list[StatusExplanation] = []
    for dialect, file in files.items():
        inherited = {table.get("key"): table for table in files[file.texts_from].error} if file.texts_from else {}
        for place, own in enumerate(file.error + file.failure_word):
            shared = inherited.get(own.get("key"), {})
            table = {name: value for name, value in shared.items() if name not in _NOT_INHERITED} | own
            if table.get("confidential"):
                table.setdefault("customer", general_text)
            checked = _checked(table, _Error, dialect)
            errors.append(_entry(checked, dialect, is_failure_word=place >= len(file.error)))
        for table in file.status:
            status = _checked(table, _Status, dialect)
            statuses.append(StatusExplanation(dialect=dialect, **msgspec.structs.asdict(status)))
    statuses += (_status_of_word(entry.explanation) for entry in errors if entry.is_failure_word)
    return Entries(tuple(errors), tuple(statuses))


def _checked(table: _Raw, kind: type[T], dialect: Dialect) -> T:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        name = table.get("key") or f"{table.get('kind')} {table.get('word')}"
        raise CatalogueFault(f"{dialect.value}.toml: {name}: {error}") from error


def _entry(error: _Error, dialect: Dialect, *, is_failure_word: bool) -> Entry:
    fields = msgspec.structs.asdict(error)
    methods, texts = fields.pop("methods"), fields.pop("texts")
    seconds = fields.pop("repeat_after")
    if seconds is not None and error.repeat is not Repeat.LATER:
        raise CatalogueFault(f"{dialect.value}.toml: {error.key}: repeat_after needs repeat = later")
    if is_failure_word and error.code is not None:
        raise CatalogueFault(f"{dialect.value}.toml: {error.key}: a failure word has no code")
    explanation = Explanation(
        dialect=dialect,
        repeat_after=None if seconds is None else timedelta(seconds=seconds),
        method=methods[0] if methods else None,
        **fields,
    )
    return Entry(explanation, methods, texts, is_failure_word)


def _status_of_word(explanation: Explanation) -> StatusExplanation:
    """Return a failure word as a status, because it is shown on a trade that has ended."""
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
