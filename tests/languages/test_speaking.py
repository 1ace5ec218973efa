"""Which language speaks, and how it writes messages, numbers and lists."""

import asyncio
import io
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from gettext import GNUTranslations
from typing import Any

import msgspec
import pytest
from babel.messages import Catalog

from bot.languages import (
    ENGLISH,
    LANGUAGES,
    Language,
    Message,
    current,
    decimal,
    has_versions,
    in_language,
    listed,
    number,
    of_code,
    of_locale,
    paragraph,
    t,
    tn,
    tp,
    translated,
    use,
)
from bot.languages.language import _PLACES, EXPLANATIONS, FOLDER, MESSAGES, Translations
from tests.languages.catalogues import compiled

HOSTILE = "{0} {trade!r} {user.token} {count:>99} %s %(a)d {{}} {"


def test_block_ends() -> None:
    """After a block its surroundings speak again, also after an error and inside another block."""
    german, polish = LANGUAGES["de"], LANGUAGES["pl"]
    with in_language(german):
        with in_language(polish):
            assert current() is polish
        assert current() is german
        with pytest.raises(KeyError), in_language(polish):
            t("{trade}", number=1)
        assert current() is german
    assert current() is ENGLISH


async def test_tasks() -> None:
    """A task speaks as the one that started it, and what it changes is its own."""

    async def speak(code: str) -> str:
        begun_in = current().code
        use(LANGUAGES[code])
        await asyncio.sleep(0)
        return f"{begun_in} {current().code}"

    with in_language(LANGUAGES["ru"]):
        assert await asyncio.gather(*map(speak, ("de", "tr"))) == ["ru de", "ru tr"]
        assert current().code == "ru"


@pytest.mark.parametrize("code", [None, "", "xx", "DE", "de-XX"])
def test_unknown_code(code: str | None) -> None:
    """A code that no language has is English: its folder may be gone while rows still name it."""
    assert of_code(code) is ENGLISH


def test_versions() -> None:
    """Only Portuguese has two versions, and the server's counts for its own readers alone."""
    brazilian, european = LANGUAGES["pt-BR"], LANGUAGES["pt-PT"]

    assert {each for each in LANGUAGES.values() if has_versions(each)} == {brazilian, european}
    assert of_locale("pt-BR", european) is european
    assert of_locale("pt-BR", ENGLISH) is of_locale("pt-BR", None) is brazilian
    assert of_locale("de", european) is LANGUAGES["de"]
    assert of_locale("zh-TW", LANGUAGES["de"]) is ENGLISH


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_hostile_values(language: Language) -> None:
    """What people or providers wrote stays as it is in each message, amount and list."""
    with in_language(language):
        for text in (
            t("Trade: {trade}", trade=HOSTILE),
            Message("Reason: {value}")(value=HOSTILE),
            tp("whose data", "{who}", who=HOSTILE),
            tn("{count} of {what}", "{count} of {what}", 2, what=HOSTILE),
            listed([HOSTILE]),
            listed(["a", HOSTILE]),
            listed([HOSTILE, "{1}", HOSTILE, "b"]),
            t(HOSTILE),
        ):
            assert HOSTILE in text


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("en", "0 -999 1,000 -1,000 1,234,567"),
        ("de", "0 -999 1.000 -1.000 1.234.567"),
        ("pl", "0 -999 1\xa0000 -1\xa0000 1\xa0234\xa0567"),
    ],
)
def test_numbers(code: str, numbers: str) -> None:
    """Thousands are set apart as in the language, in messages too."""
    with in_language(LANGUAGES[code]):
        assert " ".join(map(number, (0, -999, 1_000, -1_000, 1_234_567))) == numbers
        assert tn("{count} !", "{count} !!", 1_000) == f"{number(1_000)} !!"
        assert decimal(Decimal("1234.5678"), 2) == f"{number(1_234)}{current().formats.decimal}57"


@pytest.mark.parametrize(
    ("code", "two", "four"),
    [("en", "a and b", "a, b, c, and d"), ("de", "a und b", "a, b, c und d"), ("zh-CN", "a和b", "a、b、c和d")],
)
def test_lists(code: str, two: str, four: str) -> None:
    """Things are listed with the language's words."""
    with in_language(LANGUAGES[code]):
        assert [listed("a"[:end]) for end in (0, 1)] == ["", "a"]
        assert [listed("ab"), listed(each for each in "abcd")] == [two, four]


def test_patterns_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pattern has its place, also in a language in which all four differ."""
    formats = msgspec.structs.replace(ENGLISH.formats, lists=("{0}<{1}", "{0}-{1}", "{0}>{1}", "{0}={1}"))
    monkeypatch.setitem(ENGLISH.__dict__, "formats", formats)

    assert [listed("ab"), listed("abc"), listed("abcde")] == ["a=b", "a<b>c", "a<b-c-d>e"]


@pytest.mark.parametrize(("code", "joined"), [("en", "{a} 1. {label} 2."), ("zh-CN", "{a} 1.{label} 2.")])
def test_paragraph(code: str, joined: str) -> None:
    """Sentences stand behind one another as the language puts them, without the empty ones. Braces are only braces."""
    with in_language(LANGUAGES[code]):
        assert paragraph() == paragraph("", "") == ""
        assert paragraph("", "{a} 1.", "", "{label} 2.", "") == joined


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_nothing_to_translate(language: Language) -> None:
    """An empty text of the explanations stays empty: gettext has the catalogue's header there."""
    with in_language(language):
        assert translated("") == ""


@pytest.mark.parametrize("name", [MESSAGES, EXPLANATIONS])
@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_read_as_the_standard_library_does(code: str, name: str) -> None:
    """Each text, in its context and for each number, is what Python's own reader finds in the file."""
    file = (FOLDER / code / f"{name}.mo").read_bytes()
    reference: Any = GNUTranslations(io.BytesIO(file))
    read = Translations(file)

    assert len(reference._catalog) > 1_000
    for key, text in reference._catalog.items():
        message = key[0] if isinstance(key, tuple) else key
        context, _, in_context = message.rpartition("\x04")
        if isinstance(key, tuple):
            for count in (0, 1, 2, 5, 12, 21, 1_000_000):
                assert read.ngettext(message, "", count) == reference.ngettext(message, "", count)
        elif context:
            assert read.pgettext(context, in_context) == text
        else:
            assert read.gettext(message) == text
    assert read.gettext(HOSTILE) == read.pgettext("trade", HOSTILE) == read.ngettext(HOSTILE, "", 1) == HOSTILE


def test_damaged() -> None:
    """A file that ends early or is no text is an error when it is read: none later, when its texts are shown."""
    file = (FOLDER / "ru" / f"{MESSAGES}.mo").read_bytes()
    for damaged in (file.replace("я".encode(), b"\xff\xff"), *(file[:end] for end in range(0, len(file), 499))):
        with pytest.raises((ValueError, struct.error)):
            Translations(damaged)


def test_damaged_tables() -> None:
    """So is a file whose texts do not stand one behind another, or whose rule for numbers cannot be used."""
    file = (FOLDER / "ru" / f"{MESSAGES}.mo").read_bytes()
    (texts,) = struct.unpack_from("<I", file, 16)
    (length,) = struct.unpack_from("<I", file, texts + 8)
    longer = bytearray(file)
    struct.pack_into("<I", longer, texts + 8, length + 1)
    rules = [file.replace(b"; plural=n % 10", rule) for rule in (b"; plural=n ? 10", b"; plural=n % 00")]
    for damaged in (bytes(longer), *rules):
        assert len(damaged) == len(file)
        assert damaged != file
        with pytest.raises((ValueError, ZeroDivisionError)):
            Translations(damaged)


def test_form_that_is_not_there() -> None:
    """English stands in for a form that a translation lacks."""
    file = (FOLDER / "ru" / f"{MESSAGES}.mo").read_bytes()
    found = Translations(file.replace(b"? 1 : 2;", b"? 1 : 9;"))

    assert [found.ngettext("{count} trade", "{count} trades", count)[8:] for count in (1, 2, 5)] == [
        "сделка",
        "сделки",
        "trades",
    ]


@pytest.mark.parametrize("name", [MESSAGES, EXPLANATIONS])
def test_messages_kept_once(name: str) -> None:
    """All languages share one dictionary of messages: with its own, each would take 0.2 MB more."""
    files = [(FOLDER / code / f"{name}.mo").read_bytes() for code in LANGUAGES if code != "en"]

    assert len({id(Translations(file)._places) for file in files}) == 1


def test_read_at_once() -> None:
    """Threads may read the catalogues of several languages at once: each has its own texts."""
    files, texts = [], []
    for step, sign in ((1, "a"), (7, "b"), (1, "ł")):
        found = Catalog(locale="pl")
        texts.append({f"{place * step}": f"{sign} {place}" for place in range(1, 300)})
        for message, text in texts[-1].items():
            found.add(message, text)
        files.append(compiled(found))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(files)) as threads:
            for _ in range(50):
                _PLACES.clear()
                for read, expected in zip(threads.map(Translations, files), texts, strict=True):
                    assert {message: read.gettext(message) for message in expected} == expected
    finally:
        sys.setswitchinterval(interval)
