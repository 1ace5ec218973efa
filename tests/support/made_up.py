"""A made-up language: English with accents, 40 % longer. What is not in it was never translated."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

import discord
import msgspec

from bot.languages.language import ENGLISH, LANGUAGES, MESSAGES, Formats, Language, in_language

CODE = "en-XA"
WITHOUT_LANGUAGE = [
    locale.value
    for locale in discord.Locale
    if all(locale.value not in language.formats.locales for language in LANGUAGES.values())
]
"""The locales of Discord that no language has."""
LOCALE = WITHOUT_LANGUAGE[0]
"""The locale whose readers get the made-up language."""
LONGER = 0.4
FILLING = "ẃ"

_KEPT = re.compile(r"\{\w*\}|`[^`]*`|<[^<>\n]+>|\]\([^()\s]+\)|https?://[^\s<>)]+|\b[a-z]\w*_\w+\b")
ACCENTED = frozenset("aceinosuyz")
_ACCENTS = str.maketrans("aceinosuyzACEINOSUYZ", "áćéíńóśúýźÁĆÉÍŃÓŚÚÝŹ")


def made_up(text: str) -> str:
    """Return a text in the made-up language; placeholders, code, links and markup stay."""
    parts, place = [], 0
    for kept in _KEPT.finditer(text):
        parts += [text[place : kept.start()].translate(_ACCENTS), kept[0]]
        place = kept.end()
    parts.append(text[place:].translate(_ACCENTS))
    return f"{''.join(parts)} {FILLING * max(1, round(LONGER * len(text)) - 1)}"


def made_up_formats() -> Formats:
    """Return how the language writes numbers and lists: as English, but for the words."""
    lists = tuple(each.replace("and", made_up("and")) for each in ENGLISH.formats.lists)
    return msgspec.structs.replace(ENGLISH.formats, name=made_up("English"), locales=(LOCALE,), lists=lists)


class Saying(NullTranslations):
    """Messages as a function of the English ones."""

    def __init__(self, say: Callable[[str], str]) -> None:
        super().__init__()
        self._say = say

    def gettext(self, message: str) -> str:
        return self._say(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._say(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._say(message)


class MadeUpLanguage(Language):
    """The language, without files."""

    def __init__(self) -> None:
        super().__init__(Path(CODE))
        self.__dict__ |= {"formats": made_up_formats(), "messages": Saying(made_up), "explanations": Saying(made_up)}


@contextmanager
def added(language: Language) -> Iterator[Language]:
    """Add a language for a while; it speaks in this block."""
    LANGUAGES[language.code] = language
    try:
        with in_language(language):
            yield language
    finally:
        del LANGUAGES[language.code]


def said(language: Language, english: str) -> set[str]:
    """Return how a message is said in a language, in each of its contexts."""
    if language.code == ENGLISH.code:
        return {english}
    if isinstance(language.messages, Saying):
        return {made_up(english)}
    texts = _texts_of(language._folder)
    keys = [key for key in texts if str(key).rpartition("\x04")[2] == english]
    return {texts[key] for key in keys} or {english}


@cache
def _texts_of(folder: Path) -> dict[str | tuple[str, int], str]:
    """Return the texts of a language's messages by message and context, or by message and form."""
    with (folder / f"{MESSAGES}.mo").open("rb") as file:
        catalogue: Any = GNUTranslations(file)
    texts: dict[str | tuple[str, int], str] = catalogue._catalog
    return texts
