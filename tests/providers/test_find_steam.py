# ruff: noqa: RUF001 -- the words are of many alphabets
"""Messages of Steam and Cloudflare are explained as theirs, and "error code" is read in the customers' languages."""

import tomllib
from pathlib import Path

import pytest

from bot.domain.failures import Dialect
from bot.providers.explanations import Catalogue

CATALOGUE = Catalogue.load()
CASES = Path(__file__).resolve().parents[2].parent / "shared" / "field" / "cases.toml"
A, S, C = Dialect.ASSETPAY, Dialect.STEAM, Dialect.CLOUDFLARE
SENDING = "There was an error sending your trade offer. Please try again later."
CANNOT = f"{SENDING}<br><br>You cannot trade with X"

MESSAGES = [
    *((f"{SENDING} ({number})", [(S, number)]) for number in (2, 8, 11, 15, 16, 20, 24, 25, 26, 28, 34, 42, 50, 84)),
    ("eresult: 16", [(S, 16)]),
    ("[Error: failed] EResult 15", [(S, 15)]),
    ('{"eresult":26,"cause":null}', [(S, 26)]),
    ("EResult.Revoked", [(S, 26)]),
    ("Error: AccessDenied", [(S, 15)]),
    ("access denied", [(S, 15)]),
    (f'{{"strError":"{SENDING} (25)"}}', [(S, 25)]),
    (f"{CANNOT}. (50)", [(S, 50)]),
    ("mannco says: There was an error accepting this trade offer.  Please try again later. (28)", [(S, 28)]),
    ("При отправке предложения обмена произошла ошибка. Повторите попытку позже. (26)", [(S, 26)]),
    ("steam trade error 15", [(S, 15)]),
    ("my trade offer ended with error 26 again", [(S, 26)]),
    (f"{SENDING} (26)", [(S, 26)]),
    (f"{SENDING} (77)", [(S, 77)]),
    (SENDING, [(S, None)]),
    # a provider's code stays the provider's
    ("I sent 7 trade offers and got error 33 from assetpay", [(A, 33)]),
    ("steam error 33", [(A, 33)]),
    # Cloudflare
    ("Error 1015 Ray ID: 8f00 You are being rate limited", [(C, 1015)]),
    ("Error 1010 Ray ID: 7d1 The owner of this website has banned your access", [(C, 1010)]),
    ("Error: 1006 Access denied", [(C, 1006)]),
    ("assetpay.gg | 522: Connection timed out | Cloudflare", [(C, 522)]),
    ("error code: 1033 cloudflare", [(C, None)]),
    ("cloudflare_1020", [(C, 1020)]),
    ("got a 520 from mannco", [(C, 520)]),
]


@pytest.mark.parametrize(("text", "expected"), MESSAGES, ids=[text[-40:] for text, _ in MESSAGES])
def test_message(text: str, expected: list[tuple[Dialect, int | None]]) -> None:
    """The number of such a message is Steam's or Cloudflare's alone, even if a provider is chosen."""
    chosen = A if "(" in text or "Ray" in text else None
    for dialect in (None, chosen):
        assert [(each.dialect, each.code) for each in CATALOGUE.find(text, dialect)] == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("You cannot trade with Alex because they have a trade ban.", "TradeBan"),
        ("You cannot trade with this user because they have a trade hold (escrow)", "TradeHold"),
        ("escrow", "TradeHold"),
        ("The Mobile Authenticator was not on for 7 days", "TradeHold"),
        ("trade hold of 15 days", "TradeHold"),
        ("X is not available to trade. More information will be shown to X if they invite you.", "TargetCannotTrade"),
        ("You have logged in from a new device. In order to protect the items…", "NewDevice"),
        ("He recently changed their password", "PasswordChanged"),
        ("i am VAC banned can i trade", "VacBan"),
        ("family view is on", "FamilyView"),
        ("it says my inventory is full", "InventoryFull"),
        ("X's inventory privacy is set to \"Private\". They are unable to receive trade offers.", "InventoryPrivate"),
        ("This Trade URL is no longer valid for sending a trade offer to X.", "TradeUrlInvalid"),
        ("We were unable to contact the game’s item server.", "ItemServerUnavailable"),
        ("You have sent too many trade offers, or have too many outstanding trade offers with X.", "LimitExceeded"),
    ],
)  # fmt: skip
def test_cause_in_words(text: str, key: str) -> None:
    """A cause that Steam says in words is found, and is a last error's meaning even if a number comes with it."""
    assert CATALOGUE.find(text)[0].key == key
    for last_error in (text, f"{SENDING}<br>{text} (15)"):
        explained = CATALOGUE.trade_error(Dialect.MANNCO, last_error)
        assert explained is not None
        assert (explained.key, bool(explained.resend)) == (key, True)


@pytest.mark.parametrize(
    ("last_error", "code"),
    [
        (f"{SENDING} (26)", 26),
        *(("26", 26), ("Error: 16", 16), ("Trade failed (16)", 16), ("AccessDenied", 15), ("Result: 84", 84)),
        ("Steam is not there (20)", 20),
    ],
)
def test_last_error(last_error: str, code: int) -> None:
    """The number in a trade's last error is Steam's."""
    explained = CATALOGUE.trade_error(Dialect.MANNCO, last_error)
    assert explained is not None
    assert explained.code == code


@pytest.mark.parametrize("text", ["", "Trade offer declined", "The trade offer was cancelled (10)", "x" * 6000])
def test_no_error_of_steam(text: str) -> None:
    assert CATALOGUE.trade_error(Dialect.MANNCO, text) is None


def test_number_alone() -> None:
    """A number alone has its meanings at providers first, then Steam's; Cloudflare's are no codes."""
    assert [(each.dialect, each.code) for each in CATALOGUE.find("26")] == [(S, 26)]
    dialects = [each.dialect for each in CATALOGUE.find("15")]
    assert dialects[0] is A
    assert dialects[-1] is S
    assert {each.dialect for each in CATALOGUE.find("1010")} == {A}
    for text in ("26", "error 26", "#26"):
        assert [each.key for each in CATALOGUE.find(text, Dialect.MANNCO)] == ["Revoked"]


SAID = """
hata kodu 33|Hata: 33|33 numaralı hata|HATA KODU:33|kod błędu 33|kod bledu 33|Błąd nr 33|错误代码：33
我得到错误代码33怎么办|错误码 ３３|錯誤：33|mã lỗi 33|Mã lỗi: 33|lỗi số 33|código de error 33|código de erro: 33
código do erro 33|erro 33|Fehlercode 33|Fehler Nr. 33|код ошибки 33|Код ошибки - 33|ошибкой 33|code d'erreur 33
code d’erreur n° 33|codice di errore 33|codice errore: 33|код помилки 33|kód chyby 33|chyba 33|foutcode 33
felkod 33|cod de eroare 33|eroarea 33|hibakód: 33|エラーコード：３３|エラー 33|오류 코드 33|오류코드: 33이 나와요
에러 33|رمز الخطأ: 33|خطأ 33|kode kesalahan 33|virhekoodi 33|fejlkode 33|κωδικός σφάλματος 33|ｅｒｒｏｒ　３３
"""


@pytest.mark.parametrize("text", [said for line in SAID.split("\n")[1:-1] for said in line.split("|")])
def test_language(text: str) -> None:
    """People say "error code" in many languages, also with full-width digits."""
    assert {(each.dialect, each.code) for each in CATALOGUE.find(text)} == {(A, 33)}


@pytest.mark.parametrize("text", ["hata 3 kez", "错误 3 次", "ошибка 2 раза", "erreur 3 fois", "lỗi 2 lần"])
def test_count_of_errors(text: str) -> None:
    assert CATALOGUE.find(text) == ()


@pytest.mark.skipif(not CASES.exists(), reason="lies beside the checkout where SkinDesk is developed")
def test_field_cases() -> None:
    """The field's own cases are read as it says, beside the copies above."""
    cases = tomllib.loads(CASES.read_text(encoding="utf-8"))
    for case in cases["steam_error"]:
        assert [(each.dialect, each.code) for each in CATALOGUE.find(case["text"])] == [
            (S, case["result"]) if "result" in case else (C, 1015)
        ]
    for case in cases["said"]:
        assert {each.code for each in CATALOGUE.find(case["text"])} == {case["code"]}
