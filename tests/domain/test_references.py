# ruff: noqa: RUF001 -- the words are of many alphabets
"""References in pasted text of every language."""

import pytest

from bot.domain.references import reference_in
from bot.languages import LANGUAGES, Language, in_language, t


@pytest.mark.parametrize(
    "text",
    [
        *("041ee7", " #041EE7 ", "got “Reference 041ee7”", "reference: `041ee7`", "REFERENCE NUMBER: 041ee7."),
        *("Referenz 041ee7", "die Referenz: 041EE7", "Referencia: 041ee7", "número de referência 041ee7"),
        *("Numer referencyjny: 041ee7", "nr referencyjny 041ee7", "Код обращения 041ee7", "код обращения: 041ee7!"),
        *(
            "Referans 041ee7",
            "REFERANS NUMARASI: 041ee7",
            "Mã tham chiếu: 041ee7",
            "ma\u0303 tham chie\u0302\u0301u 041ee7",
        ),
        *("参考编号 041ee7", "我的参考编号：041ee7，请帮忙", "参考编号041ee7", "参考号: 041ee7"),
    ],
)
def test_quoted(text: str) -> None:
    """A reference is found alone, or behind the word for it in any language."""
    assert reference_in(text) == "041ee7"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=repr)
def test_as_shown(language: Language) -> None:
    """It is found as SkinDesk shows it."""
    with in_language(language):
        shown = t("Reference {reference}", reference="041ee7")

    assert reference_in(f"⚠️ Hello\n{shown}") == "041ee7"


@pytest.mark.parametrize("text", ["", "abcdef is a word", "Referenz 041ee7f", "preference 041ee7", "код 041ee7"])
def test_none(text: str) -> None:
    """Other words and longer numbers are no reference."""
    assert reference_in(text) is None
