"""Untrusted text stays text in every place."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import accumulate

import pytest
import regex  # type: ignore[import-untyped]  # -- it ships no types
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.languages import LANGUAGES, in_language
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, graphemes, moment, money, outside, plain, relative, utf16_length
from tests.support.hostile_text import FRAGMENTS, HIDDEN, hostile, live, rendered


@given(hostile, st.sampled_from(["message", "embed_description", "embed_title", "embed_field_value"]))
def test_rendered(text, profile):
    """Discord's markdown shows untrusted text as it was, cleaned."""
    kinds, visible = rendered(outside(text, 10_000), profile)

    assert set(kinds) <= {"paragraph", "inline", "text"}
    assert visible.replace("\uff20", "@") == plain(text, 10_000).replace("\uff20", "@")


@given(hostile, hostile, hostile)
def test_between_own_markup(first, second, third):
    """Untrusted text does not change the markup around it."""
    kinds, _ = rendered(f"**{outside(first)}** {code(second)}\n{outside(third)}{outside(first)}", "embed_description")

    assert [kind for kind in kinds if kind not in {"paragraph", "inline", "text"}] == [
        "strong_open",
        "strong_close",
        "code",
        "break",
    ]


@given(hostile, st.integers(3, 80))
def test_any_limit(text, limit):
    """Every result fits its limit, is not empty, can be encoded, and ends in no half escape."""
    for shown in (outside(text, limit), plain(text, limit), code(text, limit)):
        assert 1 <= len(shown) <= utf16_length(shown) <= limit
        assert shown.strip()
        assert shown.encode("utf-8").decode("utf-8") == shown
    backslashes = re.search(r"\\*$", outside(text, limit))
    assert backslashes is not None
    assert len(backslashes[0]) % 2 == 0
    assert live(outside(text, limit)) == []


@given(hostile, st.integers(1, 60))
def test_cut(text, limit):
    """A cut text is the beginning of the whole one, and cuts no visible character."""
    whole = plain(text, 10_000)
    shown = plain(text, limit)
    if shown == whole:
        return
    kept = shown.removesuffix("…")

    assert shown.endswith("…")
    assert whole.startswith(kept)
    boundaries = {0, *(match.end() for match in regex.finditer(r"\X", whole))}
    assert len(kept) in boundaries


@given(hostile)
def test_graphemes(text):
    """Splitting loses nothing and never splits what Unicode keeps together."""
    clean = plain(text, 10_000)
    ends = [*accumulate(len(cluster) for cluster in graphemes(clean))]

    assert "".join(graphemes(text)) == text
    assert {*ends} <= {match.end() for match in regex.finditer(r"\X", clean)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AK-47 | Redline (Field-Tested)", "AK-47 | Redline (Field-Tested)"),
        ("★ StatTrak™ Karambit | Doppler (Factory New)", "★ StatTrak™ Karambit | Doppler (Factory New)"),
        ("WRONG_TRADE_URL", "WRONG_TRADE_URL"),
        ("Trade hold: 7 days, M&M's.", "Trade hold: 7 days, M&M's."),
        ("@everyone", "\uff20everyone"),
        ("@\u200bhere", "\uff20here"),
        ("<@1>", r"\<\@1\>"),
        ("<t:0:R>", r"\<t\:0\:R\>"),
        ("</resend:1>", r"\</resend\:1\>"),
        ("[free](https://evil.example)", r"\[free\](https\://evil\.example)"),
        ("discord.gg/abc", r"discord\.gg/abc"),
        ("steam://run/1", r"steam\://run/1"),
        ("-# small", r"\-# small"),
        ("# big", r"\# big"),
        ("> quote", r"\> quote"),
        ("1. list", r"1\. list"),
        ("12) list", r"12\) list"),
        ("- list", r"\- list"),
        ("=== rule", r"\=== rule"),
        ("||hidden||", r"\|\|hidden\|\|"),
        ("a || b", r"a \|\| b"),
        ("snake_case_ and _x_", r"snake_case\_ and \_x\_"),
        (r"¯\_(ツ)_/¯", r"¯\\\_(ツ)\_/¯"),
        ("line\r\none\u2028two\t three", "line one two three"),
        ("\u202egnp.exe\u202c", r"gnp\.exe"),
        ("e\u0301", "é"),
        ("🏴\U000e0067\U000e007f", "🏴"),
        ("a\u200db", "ab"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("1\ufe0f\u20e3 2\ufe0f", "1\ufe0f\u20e3 2"),
        ("\u1fef", r"\`"),
    ],
)
def test_examples(text, shown):
    """Item names and codes stay as they are; markup, links and mentions are escaped."""
    assert outside(text) == shown


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b\u202e", "\u3164\u2800", "\ud800", "\u0301", "\u200b" * 10_000], ids=ascii
)
def test_nothing_left(text):
    """Discord refuses empty texts, so a dash replaces them."""
    assert [outside(text), plain(text), code(text)] == ["–", "–", "`–`"]


@pytest.mark.parametrize(
    "hidden",
    sorted({*HIDDEN, "\U000e01ef", "\u2065", "\ufdd0", "\U0002fffe"} - {"\u0301", "\u0336", "\u20e3"}),
    ids=ascii,
)
def test_hidden(hidden):
    """Invisible characters are removed, and separators become one space."""
    shown = outside(f"a{hidden}b")

    assert shown in {"ab", "a b", r"a\[31mb", r"a\`b", "a;b"}


@pytest.mark.parametrize(
    ("first", "second"),
    [("http:", "//evil.example"), ("discord", ".gg/abc"), ("@", "everyone"), ("a |", "| b"), ("&", "#64;"), ("_", "_")],
)
def test_neighbours(first, second):
    """Two untrusted texts side by side make no markup, link or mention."""
    assert live(outside(first) + outside(second)) == []


def test_zalgo():
    """At most three marks stay stacked on a letter, and none falls on the bot's own text before it."""
    shown = plain("\u0336q\u0336" + "\u0301\u0316" * 100 + "o", 100)

    assert shown[0] == "q"
    assert shown[-1] == "o"
    assert sum(unicodedata.category(character) == "Mn" for character in shown) == 3


def test_megabytes():
    """A huge text costs no more than a long one: text far behind the limit is not read."""
    assert plain("\u200b" * 200 + "x" * 8_000_000, 3) == "xx…"
    assert outside("q\u0336" * 4_000_000, 3) == "q\u0336…"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1204.5", "USD", "$1,204.50"),
        ("12.98", "EUR", "€12.98"),
        ("6.49", "RUB", "₽6.49"),
        ("12.98", "XYZ", "12.98\u00a0XYZ"),
        ("0.065", "USD", "$0.065"),
        ("-3", "USD", "-$3.00"),
        ("-1234.5", "XYZ", "-1,234.50\u00a0XYZ"),
        ("1E+3", "USD", "$1,000.00"),
        ("1E-7", "USD", "$0.0000001"),
        ("0.123456789", "USD", "$0.12345679"),
        ("-0.000000001", "USD", "$0.00"),
        ("-0", "USD", "$0.00"),
        ("1E-5000000", "USD", "$0.00"),
        ("1E+5000000", "USD", "more than $1,000,000,000,000,000.00"),
        ("-1E+16", "EUR", "less than -€1,000,000,000,000,000.00"),
        ("1", "*", "1.00\u00a0\\*"),
    ],
)
def test_money(amount, currency, shown):
    """An amount is exact, has at least two decimals, and is never in scientific notation."""
    assert money(Money(Decimal(amount), currency)) == shown


@pytest.mark.parametrize(
    ("language", "amount", "currency", "shown"),
    [
        ("de", "1204.5", "USD", "1.204,50\u00a0$"),
        ("de", "-0.065", "EUR", "-0,065\u00a0€"),
        ("es", "1204.5", "USD", "1.204,50\u00a0US$"),
        ("pl", "1204.5", "PLN", "1\u00a0204,50\u00a0PLN"),
        ("pt-BR", "-3", "USD", "-US$\u00a03,00"),
        ("ru", "1234567", "RUB", "1\u00a0234\u00a0567,00\u00a0₽"),
        ("tr", "12.98", "USD", "$12,98"),
        ("zh-CN", "1204.5", "USD", "US$1,204.50"),
    ],
)
def test_money_of_a_language(language, amount, currency, shown):
    """An amount is written as the reader's language writes it."""
    with in_language(LANGUAGES[language]):
        assert money(Money(Decimal(amount), currency)) == shown


@given(
    value=st.decimals(-(10**15), 10**15, places=8, allow_nan=False),
    currency=st.sampled_from(["USD", "EUR", "RUB", "PLN"]),
    language=st.sampled_from([*LANGUAGES.values()]),
)
def test_money_is_exact(value, currency, language):
    """In every language an amount has all its decimals, at least two, and its currency once."""
    with in_language(language):
        shown = money(Money(value, currency))
    signs = language.formats
    sign = signs.symbols.get(currency, currency)
    number = shown.replace(sign, "").strip().removeprefix("-")
    whole, point, decimals = number.partition(signs.decimal)

    assert (shown.count(sign), shown.startswith("-"), point) == (1, value < 0, signs.decimal)
    assert Decimal(f"{whole.replace(signs.group, '')}.{decimals}") == abs(value)
    assert len(decimals) == max(2, len(decimals.rstrip("0")))


def test_times():
    """A timestamp does not depend on the zone of the time."""
    at = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-7)))

    assert moment(at) == moment(elsewhere) == "<t:1767323045:f>"
    assert relative(at) == relative(elsewhere) == "<t:1767323045:R>"


def test_naive_time():
    """A time without a zone is a programming mistake, not a guess."""
    with pytest.raises(ValueError, match="2026"):
        moment(datetime(2026, 1, 2))  # noqa: DTZ001 -- the mistake


def test_detector():
    """The helper of these tests finds all markup, links and mentions."""
    constructs = [fragment for fragment in FRAGMENTS if re.search(r"[<@\[*`~|\\]|://|\.gg|^#|^-#|^>|&", fragment)]

    assert [fragment for fragment in constructs if not live(fragment)] == ["\\\\"]
    for text in ("**a**", "<t:0>", "<@1>", "<#1>", "@here", "# a", "</cmd:1>", "<:xx:1>", "https://a.example", "`a`"):
        assert set(rendered(text)[0]) - {"paragraph", "inline", "text"}, text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Error.<br><br/>You cannot trade", "Error. You cannot trade"),
        ("<b>a</b> &amp; &lt;i&gt;b&lt;/i&gt; &quot;c&#39;", "a & b \"c'"),
        ('[b]x[/b] [url=https://x.example]y[/url] <a href="z">w</a>', "x y w"),
        ("1 < 2 and 3 > 2 [note] <@1> [1]", "1 < 2 and 3 > 2 [note] <@1> [1]"),
        ("<" * 9_000, "<" * 4_000),
    ],
)
def test_markup(text: str, words: str) -> None:
    """HTML, entities and BBCode are taken out; other signs stay."""
    assert without_markup(text) == words


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_letters(text: str):
    """Text of printable ASCII, which is cleaned in a shorter way, is shown as it is beside other letters."""
    assert plain(f"é{text}", 1000)[1:] == plain(f"e{text}", 1000)[1:]
    assert plain(f" {text}é", 1000)[:-1].rstrip() == plain(f" {text}e", 1000)[:-1].rstrip()
