"""Pasted and typed texts are searched for errors: answers, log lines, prose of several languages, own spellings."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.failures import Dialect
from bot.providers.explanations import Catalogue

CATALOGUE = Catalogue.load()
A, L, S, M, D = Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY, Dialect.SKINSBACK, Dialect.MANNCO, Dialect.SKINDESK
BOTS, RATE, DOWN, FLEET = (A, 1010), (A, 33), (A, 31), (A, 1011)
TRADEABLE = {(A, 7), (L, 7)}
"""Errors by dialect and number."""

TRADE_URL = "https://steamcommunity.com/tradeoffer/new/?partner=1010&token=ABCDEFGH"

TEXTS = [
    # whole answers of providers
    ('{"success":false,"error":{"code":33,"key":"STEAM_RATE_LIMITED","message":"x"},"requestId":"3f2504e0"}', {RATE}),
    ('{\n  "error": {\n    "code": 7,\n    "key": "USER_NOT_TRADEABLE",\n    "message": ["no"]\n  }\n}', TRADEABLE),
    ("{'success': False, 'error': {'code': 1010, 'key': 'NO_BOTS_AVAILABLE'}}", {BOTS}),
    ('{"status":"error","error_code":-8,"error_message":"invalid_ip_address"}', {(S, -8)}),
    ('{"status":"error","error_code":6,"error_message":"user_inventory_is_hidden"}', {(S, 6)}),
    ('{"err":true,"content":"No failed trades to resend"}', {(M, None)}),
    # log lines, SkinDesk's own among them
    (
        "2026-05-14T12:00:01Z WARN deposit failed code=1011 key=FLEET_DEGRADED request=9b1c user=7656119808",
        {FLEET},
    ),
    ("provider failed reference=a1b2c3 guild=1 provider=assetpay kind=refused code=14 key=None http=400", {(A, 14)}),
    ("provider failed reference=a1b2c3 guild=1 provider=assetpay_legacy code=14 key=None", {(L, 14)}),
    ('[12:04] mannco POST /trade/resend -> 300 {"content":"Bot offline"}', {(M, None)}),
    # prose of customers
    ("Hallo, ich bekomme beim Einzahlen immer den Fehler 1010, was soll ich tun?", {BOTS}),
    ("Fehler: STEAM_UNAVAILABLE – seit heute Morgen geht nichts mehr", {DOWN}),
    ("Fehlercode 33 kommt dauernd", {RATE}),
    ("Fehler Nr. 1010", {BOTS}),
    ("erreur 1010 quand je dépose mes skins", {BOTS}),
    ("me sale el código 1010 al depositar", {BOTS}),
    ("ошибка 1010 при депозите", {BOTS}),
    ("hi, the error code is 33 pls help", {RATE}),
    ("user not tradeable please help", TRADEABLE),
    ('it says "Steam Unavailable" on the site', {DOWN}),
    ("It says STEAM UNAVAILABLE when I deposit", {DOWN}),
    ("trade failed: OFFER_NOT_ACCEPTED", {(A, None)}),
    # one provider named beside a number of several
    ("error 14 on assetpay.gg", {(A, 14)}),
    ("assetpay.co error 14", {(L, 14)}),
    ("skinsback says error_code -8", {(S, -8)}),
    # two at once
    ("first error 33 then error 1010", {RATE, BOTS}),
    ("errors 33 and 1010", {RATE, BOTS}),
    ("Fehler 33, 1010", {RATE, BOTS}),
    ("code 33/1010", {RATE, BOTS}),
    ("33, 1010", {RATE, BOTS}),
    ("steam_rate_limited steam_unavailable", {RATE, DOWN}),
    # a trade URL in it
    (f"error 33 with {TRADE_URL}", {RATE}),
    (f"STEAM_UNAVAILABLE: {TRADE_URL}", {DOWN}),
    (TRADE_URL, set()),
    # numbers as they are typed
    *((text, {BOTS}) for text in ("1010", "#1010", "E1010", "e-1010", "1010?", "№ 1010", "ERR_1010", "Error (1010)")),
    *((text, {BOTS}) for text in ("**Error 1010**", "> code: 1010", "error=1010&x=1", 'code = "1010"', "err #1010")),
    *((text, {(S, -8)}) for text in ("code: -8", "code:-8", "error −8")),  # noqa: RUF001 -- as it is typed
    # keys as they are typed
    *((text, {RATE}) for text in ("Steam_Rate_Limited", "steam rate limited", "steam-rate-limited")),
    *((text, {RATE}) for text in ("steamRateLimited", "||STEAM_RATE_LIMITED||", "`steam_rate_limited`")),
    # statuses of HTTP
    ("HTTP/1.1 403 Forbidden", {(M, None)}),
    ("got a 429 from mannco", {(M, None)}),
    ("http status: 503", {(D, None)}),
    ("502 Bad Gateway", {(D, None)}),
    # SkinDesk's own messages
    ("AssetPay (.gg) · code `33` · `STEAM_RATE_LIMITED`", {RATE}),
    ("⚠️ The provider took too long to answer", {(D, None)}),
    # no errors
    *(
        (text, set())
        for text in (
            "",
            "hello there",
            "I sold 7 skins",
            "trade 14 of 20",
            "999999999999999999999999",
            "code 7z",
            "error 7.5",
            "\u0667",
            "error 2 times today",
            "Fehler 3 Mal gehabt",
            "I get an error, 7 items are missing",
            "got 500 coins",
            "steam unavailable for me",
            "price changed again",
            "trade #480101 failed",
            "level 7 e7 e4",
            "decode 7",
        )
    ),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[text[:40] for text, _ in TEXTS])
def test_pasted(text: str, expected: set[tuple[Dialect, int | None]]) -> None:
    """A text leads to exactly the errors that it names."""
    assert {(each.dialect, each.code) for each in CATALOGUE.find(text)} == expected


def test_provider_that_has_no_such_error() -> None:
    """A provider's name restricts the result only if that leaves any, and never a chosen dialect."""
    assert {(each.dialect, each.code) for each in CATALOGUE.find("mannco error 1010")} == {BOTS}
    assert {each.dialect for each in CATALOGUE.find("skinsback error 7", Dialect.ASSETPAY)} == {A}


@pytest.mark.parametrize("text", ["STEAM_RATE_LIMTED", "steam rate limitd", "steamratelimited"])
def test_mistyped_key(text: str) -> None:
    """A mistyped key is suggested if nothing fits better."""
    assert [each.key for each in CATALOGUE.suggest(text)][:1] == ["STEAM_RATE_LIMITED"]


class TestFind:
    def test_answer_with_number_and_key(self) -> None:
        """In a pasted answer the key decides, and the dialect of its number comes first."""
        found = CATALOGUE.find('{"error": {"code": 14, "key": "INVALID_TRADEURL", "message": ["bad"]}}')

        assert [(each.dialect, each.code) for each in found] == [
            (Dialect.ASSETPAY_LEGACY, 14),
            (Dialect.ASSETPAY, 13),
        ]

    def test_key_within_a_longer_word(self) -> None:
        """A key counts as a whole word only."""
        assert CATALOGUE.find("see MY_USER_NOT_TRADEABLE_FLAG for that") == ()

    def test_one_word_key_in_prose(self) -> None:
        """Keys that are ordinary words count in capitals only, unless they stand alone."""
        assert CATALOGUE.find("there was a conflict between us") == ()
        assert {each.key for each in CATALOGUE.find("it says CONFLICT again")} == {"CONFLICT"}
        assert {each.key for each in CATALOGUE.find("conflict")} == {"CONFLICT"}

    def test_word_that_is_an_error_and_a_failure_word(self) -> None:
        assert [each.code for each in CATALOGUE.find("PRICE_CHANGED", Dialect.ASSETPAY)] == [11, None]

    def test_unknown_entry(self) -> None:
        """The explanation of unknown errors is not found by its key."""
        assert CATALOGUE.find("unknown") == ()
        assert all(each.key != "unknown" for each in CATALOGUE.suggest("unknown"))

    @given(st.text())
    @example("error code " * 600)
    @example("_a" * 4000)
    @example("#" * 7000)
    @example("error" + " " * 7000)
    @example("ERROR\x00\ud800 7")
    def test_any_text(self, text: str) -> None:
        """Any text is searched quickly, without an error and without duplicates."""
        begun = time.process_time()
        for dialect in (None, Dialect.MANNCO):
            found = CATALOGUE.find(text, dialect)
            assert len(set(map(id, found))) == len(found)
            assert len(CATALOGUE.suggest(text, dialect)) <= 25
        assert time.process_time() - begun < 3


class TestSuggest:
    def test_order(self) -> None:
        """An equal code comes first, then those that begin with the text, then those that contain it."""
        codes = [each.code for each in CATALOGUE.suggest("10", Dialect.ASSETPAY)]

        assert codes[0] == 10
        assert set(codes[1:]) <= {1001, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1014, 1015}

    def test_title(self) -> None:
        assert CATALOGUE.suggest("  Steam is not ANS ")[0].key == "STEAM_UNAVAILABLE"

    def test_empty_text(self) -> None:
        """An empty text suggests the catalogue from its beginning, up to the limit."""
        assert [each.code for each in CATALOGUE.suggest("", limit=3)] == [1, 2, 3]
        assert CATALOGUE.suggest("", limit=0) == ()

    def test_dialect(self) -> None:
        assert {each.dialect for each in CATALOGUE.suggest("in", Dialect.SKINSBACK)} == {Dialect.SKINSBACK}
