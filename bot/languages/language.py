"""A language with its catalogues, and which one the current task speaks."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

_log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
"""One folder a language, named by its code: ``pt-BR``."""

MESSAGES, EXPLANATIONS = "messages", "explanations"
"""The names of the catalogues in a folder: of the code's messages, and of the provider catalogue's texts."""


class Formats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``language.toml``: the language's own ``name``, whose readers get it, and how it writes numbers, from CLDR.

    ``locales`` are Discord's codes. ``money`` has ``{amount}`` and ``{symbol}``; ``lists`` are CLDR's patterns for the
    start, the middle and the end of a list, and for two things. ``between_sentences`` is a space, but nothing in
    Chinese.
    """

    name: str
    locales: tuple[str, ...]
    decimal: str
    group: str
    money: str
    lists: tuple[str, str, str, str]
    between_sentences: str
    symbols: Mapping[str, str]


Key: TypeAlias = "str | tuple[str, int]"
"""A message, with its context or with the number of its plural form, as gettext keeps it."""

_PLACES: dict[str, dict[Key, int]] = {}
"""For each catalogue, the places of its messages. A dictionary for each language would take 3 MB more."""
_LOCK = threading.Lock()
"""Two threads may read two languages at once."""


class _Texts:
    """The texts of a catalogue in one language, by the places of their messages."""

    def __init__(self, found: Mapping[Key, str], places: dict[Key, int]) -> None:
        with _LOCK:
            for key in found:
                places.setdefault(key, len(places))
            # As UTF-8: as a str with one letter outside of Latin-1 each character takes two bytes.
            self._texts = [None if (text := found.get(key)) is None else text.encode() for key in places]
        self.places = places

    def get(self, key: Key, default: object = None) -> object:
        place = self.places.get(key)
        text = None if place is None or place >= len(self._texts) else self._texts[place]
        return default if text is None else text.decode()

    def __getitem__(self, key: Key) -> object:
        if (text := self.get(key)) is None:
            raise KeyError(key)
        return text


class _Translations(GNUTranslations):
    """gettext's translations, which keep a dictionary, with :class:`_Texts` in its place."""

    _catalog: Any

    def __init__(self, file: BinaryIO, places: dict[Key, int]) -> None:
        super().__init__(file)
        self._catalog = _Texts(self._catalog, places)


class Language:
    """A language, by its BCP 47 ``code``. Its files are read when they are first needed.

    English stands in for a file that cannot be read, as during an update: no answer may fail because of its language.
    """

    def __init__(self, folder: Path) -> None:
        self.code = folder.name
        self._folder = folder

    def __repr__(self) -> str:
        return f"Language({self.code!r})"

    @cached_property
    def formats(self) -> Formats:
        """The contents of ``language.toml``."""
        try:
            return msgspec.toml.decode((self._folder / "language.toml").read_bytes(), type=Formats)
        except Exception:
            if self.code == "en":
                raise
            _log.exception("formats not read language=%s", self.code)
            return msgspec.structs.replace(ENGLISH.formats, name=self.code, locales=())

    @cached_property
    def messages(self) -> NullTranslations:
        """The messages of the code."""
        return self._catalogue(MESSAGES)

    @cached_property
    def explanations(self) -> NullTranslations:
        """The texts of the explanations' catalogue."""
        return self._catalogue(EXPLANATIONS)

    def _catalogue(self, name: str) -> NullTranslations:
        if self.code == "en":  # the language of the keys
            return NullTranslations()
        try:
            with (self._folder / f"{name}.mo").open("rb") as file:
                return _Translations(file, _PLACES.setdefault(name, {}))
        except Exception:  # noqa: BLE001 -- a damaged file raises errors of many kinds
            _log.exception("catalogue not read language=%s catalogue=%s", self.code, name)
            return NullTranslations()


def found_in(folder: Path) -> dict[str, Language]:
    """Return the languages that have a folder, by code, English first."""
    codes = sorted((path.parent.name for path in folder.glob("*/language.toml")), key=lambda code: (code != "en", code))
    return {code: Language(folder / code) for code in codes}


LANGUAGES = found_in(FOLDER)
"""All languages by code, English first."""

ENGLISH = LANGUAGES["en"]
_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)

current = _current.get
"""Return the language of the current task."""


def use(language: Language) -> None:
    """Speak this language for the rest of the current task, and in the tasks that it starts."""
    _current.set(language)


@contextmanager
def in_language(language: Language) -> Iterator[None]:
    """Speak this language inside the block. Everything that others than the current reader read needs it."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def of_code(code: str | None) -> Language:
    """Return the language with this code; English for None and for a language that is not there any more."""
    return LANGUAGES.get(code or "", ENGLISH)


def of_locale(locale: str, server: Language | None = None) -> Language:
    """Return the language for a reader with this Discord locale; English for a locale that no language has.

    If the server speaks the same language as the locale, in another country's version, that one counts: Discord
    offers Brazilian Portuguese only.
    """
    if server is not None and _root(server.code) == _root(locale):
        return server
    return next((each for each in LANGUAGES.values() if locale in each.formats.locales), ENGLISH)


def has_versions(language: Language) -> bool:
    """Return whether another language here is the same one in another country's version."""
    return sum(_root(code) == _root(language.code) for code in LANGUAGES) > 1


def _root(code: str) -> str:
    return code.partition("-")[0]
