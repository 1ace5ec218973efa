"""Collects the messages, brings each language's catalogues up to date and compiles them; adds a language."""

import io
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import discord
from babel import Locale, UnknownLocaleError
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

from bot.languages.language import EXPLANATIONS, FOLDER, LANGUAGES, MESSAGES
from bot.providers.catalogue import packaged, read
from bot.providers.translations import TEXTS_OF_ERRORS, TEXTS_OF_STATUSES
from tests.languages.sources import all_modules, messages, name_of

ROOT = Path(__file__).parent.parent.parent
COMMENT = "Translators:"
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "RUB": "₽", "UAH": "₴"}
"""For languages whose symbol in CLDR is the currency's code: customers know the sign from the shops."""
LOCALES = sorted(locale.value for locale in discord.Locale)
"""The languages that Discord can be set to."""

_CODE = re.compile(r"[a-z]{2,3}(-([A-Z]{2}|[0-9]{3}))?")
_HEADER = "# {language} translations of SkinDesk.\n#"


def templates() -> dict[str, Catalog]:
    """Return all messages of both catalogues, in the order of the files."""
    return {MESSAGES: _messages(), EXPLANATIONS: _explanations()}


def _messages() -> Catalog:
    template = Catalog(project="SkinDesk")
    for name, tree in all_modules():
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for call, texts in messages(tree):
            if texts is not None:
                context, message = _key_of(name_of(call), texts)
                comments = list(_comments(lines, call.lineno))
                template.add(message, locations=[(name, 1)], auto_comments=comments, context=context)
    return template


def _key_of(function: str, texts: list[str]) -> tuple[str | None, str | tuple[str, str]]:
    """Return context and message of a call with these texts."""
    match function, texts:
        case "tn", [one, many]:
            return None, (one, many)
        case ("tp", [context, text]) | ("Message", [text, context]):
            return context, text
        case _:
            return None, texts[0]


def _comments(lines: list[str], number: int) -> Iterator[str]:
    """Yield what the lines above a call tell translators."""
    above = takewhile(lambda line: line.startswith("#"), (line.strip() for line in reversed(lines[: number - 1])))
    found = " ".join(line.lstrip("# ") for line in reversed(list(above)))
    if COMMENT in found:
        yield found.partition(COMMENT)[2].strip()


def _explanations() -> Catalog:
    template = Catalog(project="SkinDesk")
    for name, dialect, what in texts_of_explanations():
        template.add(name, auto_comments=[what], locations=[(f"{dialect}.toml", 1)])
    return template


def texts_of_explanations() -> Iterator[tuple[str, str, str]]:
    """Yield each text of the provider catalogue that people read, with its dialect, its entry and field."""
    entries = read(packaged())
    for error in (entry.explanation for entry in entries.errors):
        for field in TEXTS_OF_ERRORS:
            if text := getattr(error, field):
                yield text, error.dialect.value, f"{error.key}: {field}"
    for status in entries.statuses:
        for field in TEXTS_OF_STATUSES:
            if text := getattr(status, field):
                yield text, status.dialect.value, f"{status.kind} {status.word}: {field}"


class Translations(Catalog):
    """A catalogue whose header has only what readers need: dates would make each update a change."""

    def _headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale).replace("_", "-")),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]

    mime_headers: Any = property(_headers)


def catalogue(folder: Path, name: str) -> Translations:
    """Return a language's catalogue as it stands."""
    locale = locale_of(folder.name)
    found = Translations(locale=locale, header_comment=_HEADER.format(language=locale.english_name), fuzzy=False)
    path = folder / f"{name}.po"
    if path.exists():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            if line.strip() and not line.startswith("#") and not line.rstrip().endswith('"'):
                raise PoFileError("no quotation mark at the end", found, line, number)
        with path.open("rb") as file:
            for message in read_po(file, locale=str(locale), abort_invalid=True):
                if message.id:
                    found[message.id] = message
    return found


def update(folder: Path, name: str) -> None:
    """Bring a catalogue of a language up to date and compile it.

    New messages are empty. One whose English has changed keeps its old translation, marked as fuzzy: read it, correct
    it and remove the mark. Translations that no message needs are dropped.
    """
    found = catalogue(folder, name)
    found.update(templates()[name], update_header_comment=False)
    found.obsolete.clear()
    (folder / f"{name}.po").write_bytes(written(found))
    (folder / f"{name}.mo").write_bytes(compiled(found))


def written(found: Catalog) -> bytes:
    """Return the text of a catalogue's file."""
    buffer = io.BytesIO()
    write_po(buffer, found, width=110, include_lineno=False, omit_header=False, ignore_obsolete=True)
    return buffer.getvalue()


def compiled(found: Catalog) -> bytes:
    """Return what SkinDesk reads of a catalogue; messages without a translation stay English."""
    buffer = io.BytesIO()
    write_mo(buffer, found)
    return buffer.getvalue()


def add(code: str, folder: Path = FOLDER) -> Path:
    """Make the folder of a language: empty catalogues, and its formats from CLDR."""
    place, text = folder / code, formats(code)
    place.mkdir(exist_ok=True)
    if not (place / "language.toml").exists():
        (place / "language.toml").write_text(text, encoding="utf-8")
    for name in (MESSAGES, EXPLANATIONS):
        update(place, name)
    return place


def refused(code: str) -> str | None:
    """Return why a language cannot be added under this code, and what to do; None if it can."""
    root = code.partition("-")[0]
    if code in LANGUAGES:
        return f"{code} is there already. To update it, leave out `add {code}`."
    if _CODE.fullmatch(code) is None:
        return f"“{code}” is not written as the code of a language: fr, or with a country, es-MX."
    if root not in {each.partition("-")[0] for each in LOCALES}:
        return f"Discord does not have {code}, so nobody could read it. It has: {', '.join(LOCALES)}."
    if versions := [each for each in LANGUAGES if each.startswith(f"{code}-")]:
        return f"{code} needs a country, as {', '.join(versions)}."
    if owner := next((each.code for each in LANGUAGES.values() if code in each.formats.locales), None):
        return (
            f"{owner} has the readers of {code}: take it out of `locales` in bot/languages/{owner}/language.toml first."
        )
    return None


def locale_of(code: str) -> Locale:
    """Return CLDR's locale for a language; that of the language alone if CLDR has no version for the country."""
    try:
        return Locale.parse(code, sep="-")
    except UnknownLocaleError:
        return Locale.parse(code.partition("-")[0])


def formats(code: str) -> str:
    """Return ``language.toml`` of a language, as CLDR has it."""
    locale = locale_of(code)
    pattern = locale.currency_formats["standard"].pattern.partition(";")[0]
    before, _, after = pattern.partition("#,##0.00")
    money = f"{before}{{amount}}{after}".replace("¤", "{symbol}")
    signs = locale.number_symbols["latn"]
    patterns = locale.list_patterns["standard"]
    lists = [patterns[part] for part in ("start", "middle", "end", "2")]
    root = code.partition("-")[0]
    mine = [
        each
        for each in LOCALES
        if each == code or ("-" not in code and each.partition("-")[0] == root and each not in LANGUAGES)
    ]
    between_sentences = "" if root in ("ja", "zh") else " "  # CLDR does not have it
    symbols = {
        currency: sign if (symbol := locale.currency_symbols.get(currency, currency)) == currency else symbol
        for currency, sign in SIGNS.items()
    }
    lines = [
        "# Made by `python -m tests.languages add`, from Unicode's CLDR; `locales` are Discord's.",
        f"name = {_quoted(_name(locale, code))}",
        f"locales = [{', '.join(map(_quoted, mine))}]",
        f"decimal = {_quoted(signs['decimal'])}",
        f"group = {_quoted(signs['group'])}",
        f"money = {_quoted(money)}",
        f"lists = [{', '.join(map(_quoted, lists))}]",
        f"between_sentences = {_quoted(between_sentences)}",
        "",
        "[symbols]",
        *(f"{currency} = {_quoted(symbol)}" for currency, symbol in symbols.items()),
    ]
    return "\n".join(lines) + "\n"


def _name(locale: Locale, code: str) -> str:
    name = locale.get_display_name() or code
    return name[:1].upper() + name[1:]


def _quoted(text: str) -> str:
    escaped = "".join(each if each.isprintable() else f"\\u{ord(each):04X}" for each in text)
    return f'"{escaped}"'
