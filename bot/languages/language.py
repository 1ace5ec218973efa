"""A language with its catalogues, and which one the current task speaks."""

import logging
import struct
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from gettext import GNUTranslations, NullTranslations, c2py
from pathlib import Path

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


_PLACES: dict[int, dict[str, int]] = {}
"""The places of a file's messages, by their hash. All languages have the same messages, and share the dictionary."""


class Translations(NullTranslations):
    """The translations of a ``.mo`` file. Their texts stay in one piece: as strings they would take 2 MB more."""

    def __init__(self, file: bytes) -> None:
        """Take the contents of a file as Babel compiles it; an error of any kind if it is damaged.

        It has a table of the messages, a table of the texts, the messages, and the texts, each with a zero behind it.
        """
        super().__init__()
        magic, _, count, messages, texts = struct.unpack_from("<5I", file)
        behind = texts + 8 * count
        table = struct.unpack_from(f"<{2 * count}I", file, texts)
        begins, first, end = table[1::2], table[1], len(file)
        afters = (length + begin + 1 for length, begin in zip(table[::2], begins, strict=True))
        if magic != GNUTranslations.LE_MAGIC or [first, *afters] != [*begins, end]:
            raise ValueError("not a whole file of gettext")
        self._texts = file[first:]
        self._texts.decode()  # an error here, and not when a message is shown
        self._begins = array("I", (begin - first for begin in (*begins, end)))
        hashed = hash((file[messages:texts], file[behind:first]))  # of 64 bits; the bytes would take 0.2 MB
        if hashed not in _PLACES:
            _PLACES[hashed] = _places(file, messages, count)
        self._places = _PLACES[hashed]
        # The form for a number, by the rule in the header, which is the translation of nothing.
        self._plural = c2py((self._form("", 0) or "").partition("; plural=")[2].partition(";")[0])
        for number in range(10):
            self._plural(number)  # an error here, as above

    def gettext(self, message: str) -> str:
        """Return the translation of a message, or else the message."""
        return self._form(message, 0) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form of a translation for a number, or else that of the message."""
        return self._form(msgid1, self._plural(n)) or (msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """Return the translation of a message in this context, or else the message."""
        return self._form(f"{context}\x04{message}", 0) or message

    def _form(self, message: str, form: int) -> str | None:
        place = self._places.get(message)
        if place is None:
            return None
        text = self._texts[self._begins[place] : self._begins[place + 1] - 1].decode()
        forms = text.split("\0")
        return forms[form] if form < len(forms) else None


def _places(file: bytes, messages: int, count: int) -> dict[str, int]:
    """Return the place of each message of a file, by the one without a number if it has two."""
    table = struct.iter_unpack("<2I", file[messages : messages + 8 * count])
    found = (file[begin : begin + length].partition(b"\0")[0].decode() for length, begin in table)
    return {message: place for place, message in enumerate(found)}


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
            return Translations((self._folder / f"{name}.mo").read_bytes())
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
