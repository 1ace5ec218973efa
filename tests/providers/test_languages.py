# ruff: noqa: RUF001 -- the words are of many alphabets
"""Explanations in other languages: shown in the reader's, found and suggested in all of them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, ProviderName, StatusExplanation
from bot.languages import LANGUAGES, Language, in_language, t
from bot.providers.explanations import Catalogue
from bot.providers.suggestions import typed
from bot.ui.explain import status_name
from tests.support.made_up import MadeUpLanguage, added, made_up

CATALOGUE = Catalogue.load()
OWN_WORDS = {"title", "customer_title", "meaning", "cause", "customer", "agent", "resend"}


@pytest.fixture
def language() -> Iterator[Language]:
    """The made-up language, as the reader's."""
    with added(MadeUpLanguage()) as it:
        yield it


def read_everywhere() -> list[Explanation | StatusExplanation | None]:
    """Read entries in each way that there is."""
    refused = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=33, key="STEAM_RATE_LIMITED")
    return [
        CATALOGUE.explain(refused),
        CATALOGUE.explain(replace(refused, key="SOMETHING_NEW")),
        CATALOGUE.explain(Failure(ProviderName.MANNCO, FailureKind.TIMED_OUT)),
        *CATALOGUE.find("error 33"),
        *CATALOGUE.suggest("rate"),
        *CATALOGUE.find_statuses("status 4"),
        *CATALOGUE.suggest_statuses("declined"),
        CATALOGUE.trade_error(Dialect.MANNCO, "Revoked (26)"),
        CATALOGUE.entry(CATALOGUE.explain(refused).id),
        CATALOGUE.status(Dialect.MANNCO, "4"),
        CATALOGUE.status(Dialect.MANNCO, "4711"),
    ]


def test_in_the_readers_language() -> None:
    """Whatever is read of the catalogue has its texts in the reader's language; everything else stays."""
    in_english = read_everywhere()
    with added(MadeUpLanguage()):
        translated = read_everywhere()

    assert len(in_english) == len(translated) >= 20
    for english, other in zip(in_english, translated, strict=True):
        assert english is not None
        assert other is not None
        for name in english.__dataclass_fields__:
            text = getattr(english, name)
            assert getattr(other, name) == (made_up(text) if name in OWN_WORDS and text else text)


@pytest.mark.parametrize(
    "text",
    [
        *("Fehler 7", "FEHLER: 7", "Fehlercode 7", "fehlercode7", "error 7", "código de error 7", "CÓDIGO DE ERROR: 7"),
        *("erro 7", "código de erro: 7", "błąd 7", "BŁĄD 7", "kod błędu: 7", "Ошибка 7", "КОД ОШИБКИ: 7", "код 7"),
        *(
            "hata 7",
            "HATA KODU: 7",
            "İŞLEM HATASI 7",
            "hata numarası 7",
            "Lỗi: 7",
            "MÃ LỖI 7",
            "mã `7`",
            "ma\u0303 lỗi 7",
        ),
        *("错误 7", "错误7", "错误代码7", "错误码：7", "我的错误代码是7，怎么办", "AssetPay · 代码 `7`"),
    ],
)
def test_number_behind_a_word(text: str) -> None:
    """A number counts as a code behind the word for it, in capitals and without a space too."""
    assert {each.code for each in CATALOGUE.find(text)} == {7}


@pytest.mark.parametrize(
    "text", ["ошибка 7 раз", "HATA 7 KEZ", "lỗi 7 ngày", "错误7天", "erro 7 dias", "błąd 7 dni", "декод 7"]
)
def test_number_of_something_else(text: str) -> None:
    """A count is no code."""
    assert CATALOGUE.find(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        *("Status: 4", "estado 4", "ESTADO DE LA OPERACIÓN: 4", "stan 4", "status wymiany `4`", "Статус сделки: 4"),
        *(
            "İŞLEM DURUMU: 4",
            "takas durumu `4`",
            "trạng thái giao dịch: 4",
            "状态4",
            "交易状态：4",
            "Handelsstatus `4`",
        ),
    ],
)
def test_status_behind_a_word(text: str) -> None:
    """A status counts behind the word for it, with whose status it is between them."""
    assert {each.word for each in CATALOGUE.find_statuses(text)} == {"4"}


@pytest.mark.parametrize("each", LANGUAGES.values(), ids=repr)
def test_as_shown(each: Language) -> None:
    """What SkinDesk itself shows of a code or a status is found again."""
    (status,) = CATALOGUE.find_statuses("status 4", Dialect.MANNCO)
    with in_language(each):
        code, shown = t("code {value}", value="`1010`"), status_name(status)

    assert {found.code for found in CATALOGUE.find(f"AssetPay (.gg) · {code}")} == {1010}
    assert status in CATALOGUE.find_statuses(f"Mannco.store · {shown}")


def test_titles(language: Language) -> None:
    """A title is found in every language, whatever the reader's is; in Chinese without spaces around it."""
    english = CATALOGUE.explain(Failure(ProviderName.MANNCO, FailureKind.TIMED_OUT))
    with in_language(LANGUAGES["en"]):
        title = CATALOGUE.explain(Failure(ProviderName.MANNCO, FailureKind.TIMED_OUT)).title
        fresh = Catalogue.load()
        found = fresh.find(f"⚠️ {made_up(title).upper()}\nhello there")
    assert [each.id for each in found] == [english.id]
    assert [each.id for each in fresh.find(f"look: {title}.")] == [english.id]
    assert fresh.find(made_up(title)[1:]) == ()
    assert [fresh.find(made_up(title).rstrip(".") + behind) for behind in ("s", "1", "é")] == [()] * 3


def test_suggested(language: Language) -> None:
    """Titles are suggested as the reader types them, without accents too, and in English."""
    for text in ("Śtéám íś ńót áńś", "steam is not ans", "31"):
        found = CATALOGUE.suggest(text)[0]
        assert found.key == "STEAM_UNAVAILABLE"
        assert found.title.startswith("Śtéám íś ńót")


def test_suggested_in_turn() -> None:
    """Each reader is suggested the titles of their own language and of English, no matter who searched before."""
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, key="STEAM_UNAVAILABLE")
    english = CATALOGUE.explain(failure).title
    for each in LANGUAGES.values():
        with in_language(each):
            title = CATALOGUE.explain(failure).title
            for typed_title in (title, english):
                assert title in [found.title for found in CATALOGUE.suggest(typed_title)]


@pytest.mark.parametrize(
    ("written", "as_typed"),
    [("İptal", "iptal"), ("IŞIK", "ışık"), ("Łódź", "lodz"), ("Ещё", "еще"), ("Đã gửi", "da gui"), ("Größe", "grosse")],
)
def test_typed(written: str, as_typed: str) -> None:
    """Neither case nor accents count in what is typed."""
    assert typed(written) == typed(as_typed)
