"""Every language has every message, as it is in the code now, with the same placeholders and markup."""

import re
from collections.abc import Iterator

import pytest
from babel.messages import Catalog, Message

from bot.languages import ENGLISH, LANGUAGES
from bot.languages.language import EXPLANATIONS, FOLDER, MESSAGES
from bot.providers.catalogue import TEXT_LIMIT, TITLE_LIMIT
from tests.languages.catalogues import catalogue, compiled, formats, templates, written
from tests.languages.same import SAME
from tests.languages.sources import placeholders

CODES = [code for code in LANGUAGES if code != ENGLISH.code]
NAMES = (MESSAGES, EXPLANATIONS)
AGAIN = "uv run python -m tests.languages"

_MARKUP = re.compile(r"`[^`]+`|</?[a-z]+>|https?://[^\s)<]+|\*\*|\n")
_DATA = re.compile(
    r"\{\w+\}|`[^`]+`|<[^<>]+>|https?://\S+|/[a-z]+|You cannot trade with X \(50\)"  # as Steam says it
    r"|\b(?:SkinDesk|Steam|SteamID\w*|Discord|AssetPay|SkinsBack|Mannco\.store|Cloudflare|CSV|HTTP|URL|ID|API|IP|UTC|OK)\b"
)
_ENGLISH = re.compile(r"(?i)\b(?:the|and|your|you|with|this|which|from|have|been|does|cannot|whether)\b")


@pytest.fixture(scope="module")
def current() -> dict[str, Catalog]:
    return templates()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", CODES)
def test_up_to_date(code: str, name: str, current: dict[str, Catalog]) -> None:
    """A catalogue has the messages that the code has now, and SkinDesk reads what the catalogue says."""
    found = catalogue(FOLDER / code, name)

    assert _keys(found) == _keys(current[name]), f"collect them again: {AGAIN}"
    assert (FOLDER / code / f"{name}.po").read_bytes() == written(found), f"write it again: {AGAIN}"
    assert (FOLDER / code / f"{name}.mo").read_bytes() == compiled(found), f"compile it: {AGAIN}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", CODES)
def test_complete(code: str, name: str) -> None:
    """Each message has all its forms, none of an earlier English, and none that is still English."""
    found = catalogue(FOLDER / code, name)
    left = [message.id for message in _messages(found) if message.fuzzy or not all(_forms(message))]
    plural = [
        message.id for message in _messages(found) if message.pluralizable and len(_forms(message)) != found.num_plurals
    ]
    english = [form for message in _messages(found) for form in _forms(message) if _is_english(form, message, code)]

    assert (left, plural, english) == ([], [], [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", CODES)
def test_placeholders_and_markup(code: str, name: str) -> None:
    """A translation has the placeholders, codes, addresses, emphasis and lines of its message."""
    found = [
        f"{form!r} of {message.id!r}"
        for message in _messages(catalogue(FOLDER / code, name))
        for form in _forms(message)
        if form and not _has_same_data(form, _english(message))
    ]

    assert found == []


@pytest.mark.parametrize("code", CODES)
def test_explanations_fit(code: str) -> None:
    """Titles and texts of the explanations keep to the limits of the English ones, and some room for the language."""
    found = [
        (len(form), form)
        for message in _messages(catalogue(FOLDER / code, EXPLANATIONS))
        for form in _forms(message)
        if len(form) > (TITLE_LIMIT if _is_title(message) else TEXT_LIMIT)
    ]

    assert found == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_formats(code: str) -> None:
    """Numbers, amounts and lists are written as CLDR has it; the name is the language's own."""
    kept = (FOLDER / code / "language.toml").read_text(encoding="utf-8")

    assert _without_name(kept) == _without_name(formats(code))


def test_locales() -> None:
    """No locale of Discord has two languages."""
    locales = [locale for language in LANGUAGES.values() for locale in language.formats.locales]

    assert len(locales) == len(set(locales))


def test_same() -> None:
    """The list of what reads as in English has nothing that is translated by now."""
    found = {
        (form, code)
        for code in CODES
        for name in NAMES
        for message in _messages(catalogue(FOLDER / code, name))
        for form in _forms(message)
        if form == _english(message)
    }

    assert {(text, code) for text, codes in SAME.items() for code in codes.split()} - found == set()


def _messages(found: Catalog) -> Iterator[Message]:
    return (message for message in found if message.id)


def _keys(found: Catalog) -> set[tuple[str | None, object]]:
    return {(message.context, message.id) for message in _messages(found)}


def _forms(message: Message) -> tuple[str, ...]:
    text = message.string
    return tuple(text) if isinstance(text, list | tuple) else (text or "",)


def _english(message: Message) -> str:
    return str(message.id[-1] if isinstance(message.id, tuple) else message.id)


def _has_same_data(form: str, english: str) -> bool:
    try:
        found = placeholders(form)
    except ValueError:  # a brace is missing
        return False
    return found == placeholders(english) and sorted(_MARKUP.findall(form)) == sorted(_MARKUP.findall(english))


def _is_english(form: str, message: Message, code: str) -> bool:
    """Return whether a translation is the English text, or has words of it."""
    left = _DATA.sub(" ", form)
    if form == _english(message):
        return re.search(r"[A-Za-z]{2,}", left) is not None and code not in SAME.get(form, "").split()
    return code != "pl" and _ENGLISH.search(left) is not None


def _is_title(message: Message) -> bool:
    return any(comment.endswith("title") for comment in message.auto_comments)


def _without_name(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("name")]
