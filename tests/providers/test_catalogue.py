"""The catalogue explains everything that the providers document, and admits what it does not know."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failures import Dialect, Failure, FailureKind, Fixer, ProviderName
from bot.providers.catalogue import CatalogueFault, Entries, packaged, read
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


def refusal(dialect: Dialect, **facts: Any) -> Failure:
    return Failure(PROVIDERS[dialect], FailureKind.REFUSED, **facts)


ASSETPAY = (Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY)
ASSETPAY_ROWS = [(dialect, row) for dialect in ASSETPAY for row in table(dialect.value)]


class TestDocumentedErrors:
    @pytest.mark.parametrize(
        ("dialect", "row"), ASSETPAY_ROWS, ids=lambda each: each["key"] if isinstance(each, dict) else str(each)
    )
    def test_assetpay(self, dialect: Dialect, row: Row) -> None:
        """Code and key of AssetPay's tables are explained as that error with any HTTP status."""
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
        """An unknown message of Mannco is explained by its HTTP status."""
        kinds = {429: FailureKind.THROTTLED, 500: FailureKind.BROKEN}
        failure = Failure(ProviderName.MANNCO, kinds.get(http, FailureKind.REFUSED), message="???", http_status=http)

        assert CATALOGUE.explain(failure).key == f"HTTP {http}"
        assert CATALOGUE.find(f"http {http}")[0].key == f"HTTP {http}"

    @pytest.mark.parametrize("row", table("statuses"), ids=lambda row: " ".join(row.values()))
    def test_status(self, row: Row) -> None:
        """Every documented status has its own explanation."""
        status = CATALOGUE.status(Dialect(row["dialect"]), row["word"], kind=row["kind"])

        assert (status.dialect, status.word, status.kind) == (row["dialect"], row["word"], row["kind"])
        assert status.title != CATALOGUE.status(Dialect.STEAM, "no such word").title

    def test_nothing_undocumented(self) -> None:
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
    def test_two_dialects(self, row: Row) -> None:
        """A number has both dialects' meanings, the current one first; with the dialect known, only its own."""
        found = [each for each in CATALOGUE.find(row["code"]) if each.dialect in ASSETPAY]

        assert [each.key for each in found] == [row["current_key"], row["legacy_key"]]
        for dialect, column in ((Dialect.ASSETPAY, "current_key"), (Dialect.ASSETPAY_LEGACY, "legacy_key")):
            assert CATALOGUE.explain(refusal(dialect, code=int(row["code"]))).key == row[column]
            assert [each.key for each in CATALOGUE.find(f"#{row['code']}", dialect)] == [row[column]]

    def test_key_decides_over_number(self) -> None:
        """A key decides, and its received number is shown."""
        explanation = CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=14, key="INVALID_TRADEURL"))

        assert (explanation.key, explanation.code) == ("INVALID_TRADEURL", 14)
        assert explanation.title == CATALOGUE.find("INVALID_TRADEURL", Dialect.ASSETPAY)[0].title

    def test_two_keys_share_1300(self) -> None:
        """1300 is explained by its key; alone it has two meanings."""
        for key in ("FORBIDDEN", "MERCHANT_API_KEY_REQUIRED"):
            assert CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=1300, key=key)).key == key
        assert len(CATALOGUE.find("1300")) == 2

    def test_positive_number_of_skinsback_without_its_method(self) -> None:
        """A positive number of SkinsBack means nothing without its method."""
        for method in (None, "money_history"):
            explanation = CATALOGUE.explain(refusal(Dialect.SKINSBACK, code=3, method=method))
            assert (explanation.known, explanation.code) == (False, 3)


class TestUnknown:
    @given(st.sampled_from(sorted(PROVIDERS)), st.none() | st.integers(), st.none() | st.text())
    def test_always_explained(self, dialect: Dialect, code: int | None, key: str | None) -> None:
        """Every refusal has an explanation, in the provider's dialect."""
        explanation = CATALOGUE.explain(refusal(dialect, code=code, key=key, message=key))

        assert explanation.dialect is dialect
        assert all((explanation.key, explanation.title, explanation.customer, explanation.agent))
        assert code is None or explanation.code == code

    def test_new_key_with_a_known_number(self) -> None:
        """An unknown key is not explained by its number."""
        explanation = CATALOGUE.explain(refusal(Dialect.ASSETPAY, code=7, key="SOMETHING_NEW"))

        assert (explanation.known, explanation.code, explanation.key) == (False, 7, "SOMETHING_NEW")

    def test_failure_word_as_the_key_of_an_error(self) -> None:
        """A word that is documented for trades is not a call's error."""
        assert not CATALOGUE.explain(refusal(Dialect.ASSETPAY, key="USER_ESCROW")).known

    @pytest.mark.parametrize("word", ["5", "", "PENDING", "Active", "canceled "])
    def test_status(self, word: str) -> None:
        """A status in another spelling is unknown: .co's capitals have other meanings."""
        status = CATALOGUE.status(Dialect.ASSETPAY, word)

        assert (status.known, status.word, status.dialect, status.kind) == (False, word, Dialect.ASSETPAY, "trade")

    def test_pending_of_the_older_dialect(self) -> None:
        """.co's PENDING is .gg's active."""
        title = CATALOGUE.status(Dialect.ASSETPAY_LEGACY, "PENDING").title

        assert title == CATALOGUE.status(Dialect.ASSETPAY, "active").title

    @pytest.mark.parametrize("number", [4, 5, 6, 7, 10])
    def test_mannco_statuses_without_a_published_meaning(self, number: int) -> None:
        """Steam's meaning of Mannco's numbers is a hint for the staff only."""
        status = CATALOGUE.status(Dialect.MANNCO, str(number))

        assert status.title == f"Failed or cancelled (status {number})"
        assert "hint" in status.agent
        assert "In Steam, state" not in status.customer


class TestFailuresWithoutACode:
    @pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind is not FailureKind.REFUSED])
    def test_kind(self, kind: FailureKind) -> None:
        """Each kind of failure has its own explanation."""
        explanation = CATALOGUE.explain(Failure(ProviderName.ASSETPAY, kind))

        assert (explanation.dialect, explanation.key, explanation.known) == (Dialect.SKINDESK, kind.value, True)

    @pytest.mark.parametrize(
        ("kind", "key"), [(FailureKind.THROTTLED, "SLOW_DOWN"), (FailureKind.LOST, "USER_NOT_TRADEABLE")]
    )
    def test_kind_with_a_key(self, kind: FailureKind, key: str) -> None:
        """A 429 with an unknown key, and a lost connection with any key, are explained by their kind."""
        assert CATALOGUE.explain(Failure(ProviderName.ASSETPAY, kind, key=key)).key == kind.value

    def test_retry_after(self) -> None:
        """A provider's Retry-After replaces the catalogue's wait, if waiting helps."""
        failure = refusal(Dialect.ASSETPAY, code=1011, key="FLEET_DEGRADED")
        assert CATALOGUE.explain(failure).repeat_after == timedelta(seconds=30)
        failure = replace(failure, retry_after=timedelta(seconds=90))
        assert CATALOGUE.explain(failure).repeat_after == timedelta(seconds=90)

        assert CATALOGUE.explain(replace(failure, code=7, key="USER_NOT_TRADEABLE")).repeat_after is None


class TestTexts:
    def test_confidential(self) -> None:
        """Customers learn from a confidential entry that the desk is at fault, and nothing about its credentials."""
        confidential = [each for each in CATALOGUE.explanations if each.confidential]

        assert confidential
        for each in confidential:
            assert not TELLTALE.search(f"{each.title} {each.customer}"), each.key
            assert each.fixer is not Fixer.CUSTOMER
            assert re.search(r"(?i)\b(?:tell|ask) the staff\b", each.customer)

    def test_credentials_are_confidential(self) -> None:
        """An entry about the merchant's credentials or addresses is confidential."""
        credentials = re.compile(
            r"\b(api[ _]key|client secret|api secret|jwt|client id|ip address|signature|callback url)\b", re.IGNORECASE
        )
        for each in CATALOGUE.explanations:
            if credentials.search(f"{each.key.replace('_', ' ')} {each.meaning}"):
                assert each.confidential, each.key

    @pytest.mark.parametrize("field", ["title", "meaning", "agent"])
    def test_distinct(self, field: str) -> None:
        """No two errors of a dialect share a title, a meaning or an instruction for the staff."""
        texts = Counter((each.dialect, getattr(each, field)) for each in CATALOGUE.explanations)
        assert [text for text, count in texts.items() if count > 1] == []


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
            for explanation, methods, _, is_failure_word in entries.errors
            for method in methods or (None,)
        )
        statuses = Counter((status.dialect, status.kind, status.word) for status in entries.statuses)
        assert {*errors.values(), *statuses.values()} == {1}
