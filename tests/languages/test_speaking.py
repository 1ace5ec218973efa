"""Which language speaks, and how it writes messages, numbers and lists."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import msgspec
import pytest

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
    t,
    tn,
    tp,
    translated,
    use,
)
from bot.languages.language import Key, _Texts

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


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_nothing_to_translate(language: Language) -> None:
    """An empty text of the explanations stays empty: gettext has the catalogue's header there."""
    with in_language(language):
        assert translated("") == ""


def test_read_at_once() -> None:
    """Threads may read the catalogues of several languages at once: each has its own texts."""
    catalogues = [{f"{place * step % 3_001}": f"{step} {place}" for place in range(3_000)} for step in (1, 7)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(catalogues)) as threads:
            for _ in range(200):
                places: dict[Key, int] = {}
                read = list(threads.map(lambda found, places=places: _Texts(found, places), catalogues))
                for texts, found in zip(read, catalogues, strict=True):
                    assert {key: texts.get(key) for key in found} == found
    finally:
        sys.setswitchinterval(interval)
