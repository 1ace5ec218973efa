"""The catalogue explains everything that the providers document, and admits what it does not know."""

from __future__ import annotations

import csv
import itertools
import re
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.failures import Dialect, Failure, FailureKind, Fixer, ProviderName, Repeat
from bot.providers.catalogue import TEXT_LIMIT, TITLE_LIMIT, CatalogueFault, Entries, packaged, read
from bot.providers.explanations import Catalogue

Row = dict[str, str]

TABLES = Path(__file__).parent / "catalogue_tables"
PROVIDERS = {
    Dialect.ASSETPAY: ProviderName.ASSETPAY,
    Dialect.ASSETPAY_LEGACY: ProviderName.ASSETPAY_LEGACY,
    Dialect.SKINSBACK: ProviderName.SKINSBACK,
    Dialect.MANNCO: ProviderName.MANNCO,
}
CATALOGUE = Catalogue.load()
TELLTALE = re.compile(
    r"\b(api|keys?|signatures?|signed|ips?|ip address|secrets?|tokens?|credentials?|passwords?|scopes?|jwt|bearer|"
    r"headers?|log-?ins?|logs? in|allow-?list|whitelist|balance at|top up)\b",
    re.IGNORECASE,
)


def table(name: str) -> list[Row]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def refusal(
    dialect: Dialect,
    *,
    code: int | None = None,
    key: str | None = None,
    message: str | None = None,
    http_status: int | None = None,
    method: str | None = None,
) -> Failure:
    return Failure(
        PROVIDERS[dialect],
        FailureKind.REFUSED,
        code=code,
        key=key,
        message=message,
        http_status=http_status,
        method=method,
    )


ASSETPAY_ROWS = [
    (dialect, row) for dialect in (Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY) for row in table(dialect.value)
]


class TestEveryDocumentedError:
    @pytest.mark.parametrize(
        ("dialect", "row"), ASSETPAY_ROWS, ids=lambda each: each["key"] if isinstance(each, dict) else str(each)
    )
    def test_assetpay(self, dialect: Dialect, row: Row) -> None:
        """Code and key of AssetPay's tables are explained as that error, whatever HTTP status came with it."""
        kind = FailureKind.THROTTLED if row["http"] == "429" else FailureKind.REFUSED
        code = int(row["code"])
        failure = Failure(PROVIDERS[dialect], kind, code=code, key=row["key"], http_status=int(row["http"]))
        explanation = CATALOGUE.explain(failure)

        assert (explanation.dialect, explanation.code, explanation.key) == (dialect, code, row["key"])
        assert explanation.known
        assert explanation in CATALOGUE.find(row["code"])
        assert CATALOGUE.find(row["key"].lower().replace("_", " "), dialect)[0] == explanation
        assert explanation in CATALOGUE.suggest(row["key"], dialect)

    @pytest.mark.parametrize("row", table("skinsback"), ids=lambda row: f"{row['method']} {row['key']}")
    def test_skinsback(self, row: Row) -> None:
        """SkinsBack's errors are found by method and number as well as by `error_message`."""
        method = row["method"] or "user_inventory"
        code = int(row["code"]) if row["code"] else None
        by_key = CATALOGUE.explain(refusal(Dialect.SKINSBACK, key=row["key"], code=code, method=method))
        by_message = CATALOGUE.explain(refusal(Dialect.SKINSBACK, message=row["key"], code=code, method=method))

        assert (by_key.key, by_key.code, by_key.known) == (row["key"], code, True)
        assert by_message == by_key
        if code is not None:
            assert CATALOGUE.explain(refusal(Dialect.SKINSBACK, code=code, method=method)) == by_key
            assert row["key"] in {each.key for each in CATALOGUE.find(f"error_code: {code}", Dialect.SKINSBACK)}

    @pytest.mark.parametrize("row", table("mannco"), ids=lambda row: row["message"])
    def test_mannco(self, row: Row) -> None:
        """Mannco's messages are found exactly, in other letters, and with more text behind them."""
        message, http = row["message"], int(row["http"])
        explanation = CATALOGUE.explain(refusal(Dialect.MANNCO, message=message, http_status=http))

        assert explanation.key == message
        assert explanation.known
        assert explanation in CATALOGUE.find(message)
        if " " in message:
            longer = f"  {message.upper()} (trade 5)"
            assert CATALOGUE.explain(refusal(Dialect.MANNCO, message=longer, http_status=http)) == explanation
            assert CATALOGUE.find(f"my agent got “{message}” just now") == (explanation,)

    @pytest.mark.parametrize("http", [300, 401, 403, 404, 429, 500])
    def test_mannco_status_without_a_known_message(self, http: int) -> None:
        """Where Mannco's message is not known, its HTTP status is explained."""
        kinds = {429: FailureKind.THROTTLED, 500: FailureKind.BROKEN}
        failure = Failure(ProviderName.MANNCO, kinds.get(http, FailureKind.REFUSED), message="???", http_status=http)

        assert CATALOGUE.explain(failure).key == f"HTTP {http}"
        assert CATALOGUE.find(f"http {http}")[0].key == f"HTTP {http}"

    @pytest.mark.parametrize("row", table("statuses"), ids=lambda row: " ".join(row.values()))
    def test_status(self, row: Row) -> None:
        """Every documented status has words of its own."""
        status = CATALOGUE.status(Dialect(row["dialect"]), row["word"], kind=row["kind"])

        assert (status.dialect, status.word, status.kind) == (row["dialect"], row["word"], row["kind"])
        assert status.title != CATALOGUE.status(Dialect.STEAM, "no such word").title

    def test_nothing_is_made_up(self) -> None:
        """AssetPay's files hold the documented pairs and no others."""
        for dialect in (Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY):
            documented = Counter((int(row["code"]), row["key"]) for row in table(dialect.value))
            held = Counter(
                (each.code, each.key)
                for each in CATALOGUE.explanations
                if each.dialect is dialect and each.code is not None
            )
            assert held == documented


class TestNumbersThatClash:
    @pytest.mark.parametrize("row", table("clashes"), ids=lambda row: row["code"])
    def test_bare_number(self, row: Row) -> None:
        """A number with two meanings in AssetPay's dialects shows both, the current one first."""
        found = [each for each in CATALOGUE.find(row["code"]) if each.dialect is not Dialect.SKINSBACK]

        assert [each.key for each in found] == [row["current_key"], row["legacy_key"]]

    @pytest.mark.parametrize("row", table("clashes"), ids=lambda row: row["code"])
    def test_number_with_a_dialect(self, row: Row) -> None:
        """With the dialect known, a number has the meaning of that dialect only."""
        for dialect, column in ((Dialect.ASSETPAY, "current_key"), (Dialect.ASSETPAY_LEGACY, "legacy_key")):
            assert CATALOGUE.explain(refusal(dialect, code=int(row["code"]))).key == row[column]
            assert [each.key for each in CATALOGUE.find(f"#{row['code']}", dialect)] == [row[column]]

    def test_fifteen(self) -> None:
        assert len(table("clashes")) == 15

    def test_key_decides_over_number(self) -> None:
        """A key is believed, and the number that came with it is shown as it came."""
        explanation = CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=14, key="INVALID_TRADEURL"))

        assert (explanation.key, explanation.code) == ("INVALID_TRADEURL", 14)
        assert explanation.title == CATALOGUE.find("INVALID_TRADEURL", Dialect.ASSETPAY)[0].title

    def test_two_keys_share_1300(self) -> None:
        """1300 is told apart by its key; alone it shows both."""
        for key in ("FORBIDDEN", "MERCHANT_API_KEY_REQUIRED"):
            assert CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=1300, key=key)).key == key
        assert len(CATALOGUE.find("1300")) == 2

    def test_positive_number_of_skinsback_without_its_method(self) -> None:
        """A positive number of SkinsBack says nothing as long as its method is not known."""
        for method in (None, "money_history"):
            explanation = CATALOGUE.explain(refusal(Dialect.SKINSBACK, code=3, method=method))
            assert (explanation.known, explanation.code) == (False, 3)

    def test_skinsback_numbers_differ_by_method(self) -> None:
        keys = {
            method: CATALOGUE.explain(refusal(Dialect.SKINSBACK, code=7, method=method)).key
            for method in ("user_inventory", "create_from_user_inventory", "market_buy", "create")
        }
        assert len(set(keys.values())) == 4


class TestUnknown:
    @given(st.sampled_from(sorted(PROVIDERS)), st.none() | st.integers(), st.none() | st.text())
    def test_always_explained(self, dialect: Dialect, code: int | None, key: str | None) -> None:
        """Whatever a provider refuses with, there are words for it, in the provider's dialect."""
        explanation = CATALOGUE.explain(refusal(dialect, code=code, key=key, message=key))

        assert explanation.dialect is dialect
        assert all((explanation.key, explanation.title, explanation.customer, explanation.agent))
        assert code is None or explanation.code == code

    def test_new_key_with_a_known_number(self) -> None:
        """A key that is not known makes its number doubtful: it is not explained as the old error."""
        explanation = CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=7, key="SOMETHING_NEW"))

        assert (explanation.known, explanation.code, explanation.key) == (False, 7, "SOMETHING_NEW")

    def test_failure_word_as_the_key_of_an_error(self) -> None:
        """A word documented for trades only is no known error of a call."""
        assert not CATALOGUE.explain(refusal(Dialect.ASSETPAY, key="USER_ESCROW")).known

    @pytest.mark.parametrize("word", ["5", "", "PENDING", "Active", "canceled "])
    def test_status(self, word: str) -> None:
        """A status that is not written as documented is not guessed at; .co's capitals are not .gg's words."""
        status = CATALOGUE.status(Dialect.ASSETPAY, word)

        assert (status.known, status.word, status.dialect, status.kind) == (False, word, Dialect.ASSETPAY, "trade")

    def test_pending_and_active_differ_between_the_dialects(self) -> None:
        """PENDING of .co is the stage that .gg calls active."""
        old = CATALOGUE.status(Dialect.ASSETPAY_LEGACY, "PENDING")

        assert old.title == CATALOGUE.status(Dialect.ASSETPAY, "active").title
        assert old.title != CATALOGUE.status(Dialect.ASSETPAY, "pending").title

    @pytest.mark.parametrize("number", [4, 5, 6, 7, 10])
    def test_mannco_statuses_without_a_published_meaning(self, number: int) -> None:
        """Steam's reading of Mannco's numbers is never more than a hint to staff."""
        status = CATALOGUE.status(Dialect.MANNCO, str(number))

        assert status.title == f"Failed or cancelled (status {number})"
        assert "hint" in status.agent
        assert "Steam's own list" not in status.customer


class TestFailuresWithoutACode:
    @pytest.mark.parametrize("provider", ProviderName)
    @pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind is not FailureKind.REFUSED])
    def test_kind(self, provider: ProviderName, kind: FailureKind) -> None:
        """Each way in which a call can fail has words of its own."""
        explanation = CATALOGUE.explain(Failure(provider, kind))

        assert (explanation.dialect, explanation.key, explanation.known) == (Dialect.SKINDESK, kind.value, True)

    def test_throttled_with_an_unknown_envelope(self) -> None:
        """A 429 stays a 429, whatever unknown key came with it."""
        failure = Failure(ProviderName.ASSETPAY, FailureKind.THROTTLED, code=9, key="SLOW_DOWN", http_status=429)

        assert CATALOGUE.explain(failure).key == "throttled"

    def test_lost_with_a_key_of_a_dialect(self) -> None:
        """Half an answer is not read: a lost connection is explained as that."""
        failure = Failure(ProviderName.ASSETPAY, FailureKind.LOST, code=7, key="USER_NOT_TRADEABLE")

        assert CATALOGUE.explain(failure).key == "lost"

    def test_the_providers_own_waiting_time(self) -> None:
        """A provider that says how long to wait is believed over the catalogue."""
        failure = refusal(Dialect.ASSETPAY, code=1011, key="FLEET_DEGRADED")
        told = replace(failure, retry_after=timedelta(seconds=90))

        assert CATALOGUE.explain(failure).repeat_after == timedelta(seconds=30)
        assert CATALOGUE.explain(told).repeat_after == timedelta(seconds=90)

    def test_waiting_time_where_waiting_does_not_help(self) -> None:
        failure = refusal(Dialect.ASSETPAY, key="USER_NOT_TRADEABLE")

        assert CATALOGUE.explain(replace(failure, retry_after=timedelta(seconds=9))).repeat_after is None


class TestFind:
    @pytest.mark.parametrize("text", ["7", " #7 ", "error 7", "Error code: 7", "code=7", "ERR #7", "error-7", "`7`"])
    def test_number(self, text: str) -> None:
        """A number is a code alone or behind a word that says so, and has all its meanings."""
        found = CATALOGUE.find(text)

        assert [(each.dialect, each.code) for each in found][:3] == [
            (Dialect.ASSETPAY, 7),
            (Dialect.ASSETPAY_LEGACY, 7),
            (Dialect.SKINSBACK, 7),
        ]

    @pytest.mark.parametrize("text", ["-10", "−10", "error -10", '"error_code":-10', "code: –10"])  # noqa: RUF001 -- as typed
    def test_negative_number(self, text: str) -> None:
        assert [each.key for each in CATALOGUE.find(text)] == ["invalid_client_secret"]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "   ",
            "hello there",
            "I sold 7 skins",
            "trade 14 of 20",
            "not found",
            "order 10075",
            "999999999999999999999999",
            "code 7z",
            "error 7.5",
            "statusCode 7",
            "\u0667",
            "https://steamcommunity.com/tradeoffer/new/?partner=7&token=ABCDEFGH",
        ],
    )
    def test_nothing_meant(self, text: str) -> None:
        """Ordinary numbers and words are no codes."""
        assert [each.key for each in CATALOGUE.find(text) if each.key != "NOT_FOUND"] == []

    @pytest.mark.parametrize(
        "text",
        ["USER_NOT_TRADEABLE", "user not tradeable", " user-not_tradeable? ".replace("-", " "), "`User_Not_Tradeable`"],
    )
    def test_key_in_any_spelling(self, text: str) -> None:
        assert {each.key for each in CATALOGUE.find(text)} == {"USER_NOT_TRADEABLE"}

    def test_answer_with_number_and_key(self) -> None:
        """In a pasted answer the key decides, and the dialect whose number it has comes first."""
        found = CATALOGUE.find('{"error": {"code": 14, "key": "INVALID_TRADEURL", "message": ["bad"]}}')

        assert [(each.dialect, each.code) for each in found] == [
            (Dialect.ASSETPAY_LEGACY, 14),
            (Dialect.ASSETPAY, 13),
        ]

    def test_several_keys_in_a_message(self) -> None:
        found = CATALOGUE.find("first STEAM_UNAVAILABLE, then (FLEET_DEGRADED), later error 1010!", Dialect.ASSETPAY)

        assert {each.code for each in found} == {31, 1010, 1011}

    def test_key_within_a_longer_word(self) -> None:
        """A key counts as a whole word only."""
        assert CATALOGUE.find("see MY_USER_NOT_TRADEABLE_FLAG for that") == ()

    def test_one_word_key_in_prose(self) -> None:
        """Keys that are ordinary words count in capitals only, unless they stand alone."""
        assert CATALOGUE.find("there was a conflict between us") == ()
        assert {each.key for each in CATALOGUE.find("it says CONFLICT again")} == {"CONFLICT"}
        assert {each.key for each in CATALOGUE.find("conflict")} == {"CONFLICT"}

    def test_failure_word(self) -> None:
        """A word from a trade's error field is found like a key."""
        (found,) = CATALOGUE.find("trade failed: OFFER_NOT_ACCEPTED")

        assert (found.dialect, found.code) == (Dialect.ASSETPAY, None)

    def test_word_that_is_an_error_and_a_failure_word(self) -> None:
        assert [each.code for each in CATALOGUE.find("PRICE_CHANGED", Dialect.ASSETPAY)] == [11, None]

    def test_dialect(self) -> None:
        """With a dialect given nothing of another one is shown."""
        for dialect in Dialect:
            assert all(each.dialect is dialect for each in CATALOGUE.find("7", dialect))

    def test_unknown_entry(self) -> None:
        """What stands for the undocumented is not offered as an explanation of anything."""
        assert CATALOGUE.find("unknown") == ()
        assert all(each.key != "unknown" for each in CATALOGUE.suggest("unknown"))

    @given(st.text())
    @example("error code " * 600)
    @example("_a" * 4000)
    @example("#" * 7000)
    @example("error" + " " * 7000)
    @example("ERROR\x00\ud800 7")
    def test_any_text(self, text: str) -> None:
        """Any text is answered, quickly, without an error and without doubles."""
        begun = time.perf_counter()
        for dialect in (None, Dialect.MANNCO):
            found = CATALOGUE.find(text, dialect)
            assert len(set(map(id, found))) == len(found)
            assert len(CATALOGUE.suggest(text, dialect)) <= 25
        assert time.perf_counter() - begun < 3


class TestSuggest:
    def test_order(self) -> None:
        """What equals the text comes first, then what begins with it, then what contains it."""
        codes = [each.code for each in CATALOGUE.suggest("10", Dialect.ASSETPAY)]

        assert codes[0] == 10
        assert set(codes[1:]) <= {1001, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1014, 1015}

    def test_title(self) -> None:
        assert CATALOGUE.suggest("steam is not ans")[0].key == "STEAM_UNAVAILABLE"

    def test_empty_text(self) -> None:
        """An empty field offers the catalogue from its beginning, and never more than asked for."""
        assert [each.code for each in CATALOGUE.suggest("", limit=3)] == [1, 2, 3]
        assert CATALOGUE.suggest("", limit=0) == ()

    def test_stable(self) -> None:
        assert CATALOGUE.suggest("inv") == CATALOGUE.suggest("  INV ")

    def test_dialect(self) -> None:
        assert {each.dialect for each in CATALOGUE.suggest("in", Dialect.SKINSBACK)} == {Dialect.SKINSBACK}


class TestWords:
    def test_lengths(self) -> None:
        """Every text fits the embeds it is shown in."""
        for each in CATALOGUE.explanations:
            assert 0 < len(each.title) <= TITLE_LIMIT
            for text in (each.meaning, each.cause, each.customer, each.agent):
                assert 0 < len(text) <= TEXT_LIMIT
        for status in CATALOGUE.statuses:
            assert 0 < len(status.title) <= TITLE_LIMIT
            assert 0 < len(status.customer) <= TEXT_LIMIT
            assert 0 < len(status.agent) <= TEXT_LIMIT

    def test_confidential_words_for_customers(self) -> None:
        """Customers learn from a confidential entry that the desk is at fault, and nothing about its credentials."""
        confidential = [each for each in CATALOGUE.explanations if each.confidential]

        assert confidential
        for each in confidential:
            assert not TELLTALE.search(f"{each.title} {each.customer}"), each.key
            assert each.fixer is not Fixer.CUSTOMER
            assert "quote the reference" in each.customer

    def test_what_is_confidential(self) -> None:
        """An entry that speaks of the merchant's credentials or addresses is confidential."""
        speaks = re.compile(
            r"\b(api[ _]key|client secret|api secret|jwt|client id|ip address|signature|callback url)\b", re.IGNORECASE
        )
        for each in CATALOGUE.explanations:
            if speaks.search(f"{each.key.replace('_', ' ')} {each.meaning}"):
                assert each.confidential, each.key

    def test_each_error_in_its_own_words(self) -> None:
        """No two errors of a dialect share a title, a meaning or an instruction to staff."""
        for dialect, field in itertools.product(Dialect, ("title", "meaning", "agent")):
            texts = Counter(getattr(each, field) for each in CATALOGUE.explanations if each.dialect is dialect)
            assert [text for text, count in texts.items() if count > 1] == []

    def test_a_waiting_time_needs_something_to_wait_for(self) -> None:
        for each in CATALOGUE.explanations:
            assert each.repeat_after is None or each.repeat is Repeat.LATER


class TestFiles:
    """A mistake in a file is found when it is loaded, and named."""

    ENTRY = """
[[error]]
key = "NEW_ONE"
title = "t"
meaning = "m"
cause = "c"
customer = "c"
agent = "a"
fixer = "agent"
repeat = "later"
source = "s"
"""

    def read(self, addition: str) -> Entries:
        texts = packaged()
        texts[Dialect.MANNCO] += addition
        return read(texts)

    def test_sound_addition(self) -> None:
        assert "NEW_ONE" in {each.explanation.key for each in self.read(self.ENTRY).errors}

    @pytest.mark.parametrize(
        "addition",
        [
            ENTRY.replace('title = "t"\n', ""),
            ENTRY.replace('"t"', '""'),
            ENTRY.replace('"t"', '" t"'),
            ENTRY.replace('"t"', f'"{"t" * 81}"'),
            ENTRY.replace('"agent"', '"robot"'),
            ENTRY.replace('"later"', '"sometime"'),
            ENTRY + "colour = 1",
            ENTRY + 'code = "7"',
            ENTRY + "code = true",
            ENTRY + "confidential = 1",
            ENTRY + 'methods = "x"',
            ENTRY + "repeat_after = 0",
            ENTRY.replace("later", "never") + "repeat_after = 5",
            ENTRY.replace("[[error]]", "[[failure_word]]") + "code = 5",
        ],
    )
    def test_faulty_entry(self, addition: str) -> None:
        with pytest.raises(CatalogueFault, match=r"^mannco\.toml: NEW_ONE: "):
            self.read(addition)

    @pytest.mark.parametrize(
        "addition",
        ['[[status]]\nkind = "weather"\nword = "x"', '[[status]]\nkind = "trade"', "[[mistake]]", "[[error]"],
    )
    def test_faulty_file(self, addition: str) -> None:
        with pytest.raises(CatalogueFault, match=r"^mannco\.toml: "):
            self.read(addition)

    def test_no_duplicates(self) -> None:
        """No error is there twice with its method, and no status."""
        entries = read(packaged())
        errors = Counter(
            (explanation.dialect, method, explanation.code, explanation.key, is_failure_word)
            for explanation, methods, is_failure_word in entries.errors
            for method in methods or (None,)
        )
        statuses = Counter((status.dialect, status.kind, status.word) for status in entries.statuses)
        assert {*errors.values(), *statuses.values()} == {1}
