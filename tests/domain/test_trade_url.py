"""Every spelling of a trade URL that people paste is read, and every mistake named."""

from __future__ import annotations

import re
import string
import time
import traceback
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.errors import TradeUrlRejected
from bot.domain.steam import TradeUrlProblem
from bot.domain.trade_url import parse_trade_url
from tests.domain.builders import PROPERTY
from tests.domain.pasting import QUERY, SPELLINGS, TOKEN, TOKENS, URL, pasted, trade_urls

# The only spelling that AssetPay accepts (providers.md, 1.3).
ASSETPAY = re.compile(r"^https://steamcommunity\.com/tradeoffer/new/\?partner=\d{1,10}&token=[A-Za-z0-9_-]{8}$")


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_accepted(text):
    """Spellings that the property tests do not cover become the canonical one."""
    canonical = parse_trade_url(text).canonical()

    assert canonical == URL
    assert ASSETPAY.match(canonical)


@pytest.mark.parametrize("wrap", ["{}", "_{}_", "__{}__", "<{}>."])
@pytest.mark.parametrize("token", ["-bcdefg-", "_bcdefg_", "________", "00000000"])
def test_token_is_kept(token, wrap):
    """A token keeps its first and last character in any wrapping."""
    text = wrap.format(f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={token}")

    assert parse_trade_url(text).token.reveal() == token


@PROPERTY
@given(data=st.data(), url=trade_urls())
def test_any_decoration_of_any_account(data, url):
    """Any spelling and wrapping gives the same account and token."""
    assert parse_trade_url(data.draw(pasted(url))) == url
    assert ASSETPAY.match(url.canonical())


PIECES = f"""https http : // / \\ @ ? & # &amp; = _ ** < ]( ) [ . % %3A%2F%2F %00 %FF steamcommunity.com www. xn--
tradeoffer/new /my partner= token= 0 123456789 é {TOKEN}"""
FRAGMENTS = st.lists(
    st.sampled_from([*PIECES.split(), " ", "\n", "\u200b", "\ud800", "\x00"]),
    max_size=14,
).map("".join)


@PROPERTY
@given(text=st.one_of(FRAGMENTS, st.text(), st.text(alphabet=st.characters(codec=None))))
@example(text="https://[::1/tradeoffer/new/")
@example(text="//[")
def test_any_text(text):
    """Any text is parsed or rejected with TradeUrlRejected."""
    try:
        url = parse_trade_url(text)
    except TradeUrlRejected:
        return
    assert ASSETPAY.match(url.canonical())


@PROPERTY
@given(
    cut=st.integers(0, len(URL)),
    width=st.integers(0, 3),
    put=st.sampled_from(["", "x", " ", "/", "&", "?", "#", "=", "@", "\\", "\u0455", "partner=1&", "token=&"]),
)
def test_token_shows_nowhere(cut, width, put):
    """Neither the error nor the result shows the token of a broken link."""
    text = URL[:cut] + put + URL[cut + width :]
    try:
        url = parse_trade_url(text)
    except TradeUrlRejected as rejected:
        shown = [str(rejected), repr(rejected), repr(vars(rejected)), *traceback.format_exception(rejected)]
    else:
        shown = [str(url), repr(url), f"{url.token}", f"{url!r}"]

    assert not [text for text in shown if TOKEN in text or TOKEN[:-3] in text]


@PROPERTY
@given(token=st.text(alphabet=string.printable, max_size=12))
def test_malformed_tokens(token):
    """Only eight letters, digits, hyphens or underscores are a token."""
    text = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={quote(token, safe='')}"
    try:
        read = parse_trade_url(text).token.reveal()
    except TradeUrlRejected:
        assert not re.fullmatch(r"[A-Za-z0-9_-]{8}", token)
    else:
        assert token.startswith(read)
        assert set(read) <= set(TOKENS)
        assert token[8:9] not in set(TOKENS)


REFUSED = {
    TradeUrlProblem.EMPTY: ("", "   ", "<>", "\u200b", "[]()", "__"),
    TradeUrlProblem.TOO_LONG: ("x" * 6000, "/" * 600 + "x" * 6000),
    TradeUrlProblem.NOT_A_LINK: (
        "hello",
        QUERY,
        f"ftp://steamcommunity.com/tradeoffer/new/?{QUERY}",
        f"/tradeoffer/new/?{QUERY}",
        "javascript:alert(1)",
        "1234567890123456",
        "\u0661" * 17,
    ),
    TradeUrlProblem.STEAM_ID_ONLY: ("76561198083722517", " `76561198083722517`.", "<76561198083722517>"),
    TradeUrlProblem.PROFILE_LINK: (
        "https://steamcommunity.com/profiles/76561198083722517",
        "https://steamcommunity.com/id/gaben",
        "steamcommunity.com/id/gaben",
        "https://steamcommunity.com/my",
        "look at https://steamcommunity.com/id/gaben and/or ask",
    ),
    TradeUrlProblem.OFFER_LINK: (
        "https://steamcommunity.com/tradeoffer/5678901234",
        "steamcommunity.com/tradeoffer/5678901234?l=english",
    ),
    TradeUrlProblem.SETTINGS_PAGE: (
        "https://steamcommunity.com/my/tradeoffers/privacy#trade_offer_access_url",
        "https://steamcommunity.com/profiles/76561198083722517/tradeoffers/privacy",
        "https://steamcommunity.com/id/gaben/tradeoffers/privacy/",
        "steamcommunity.com/id/gaben/tradeoffers",
    ),
    TradeUrlProblem.OTHER_STEAM_PAGE: (
        "steamcommunity.com",
        "https://steamcommunity.com/market/",
        f"https://steamcommunity.com/tradeoffer/?{QUERY}",
        f"https://steamcommunity.com/tradeoffer/newer/?{QUERY}",
        f"https://steamcommunity.com/id/gaben/tradeoffer/new/?{QUERY}",
        "https://store.steampowered.com/app/730",
        "https://s.team/p/abcd-efgh",
    ),
    TradeUrlProblem.STEAM_CHINA: (f"https://my.steamchina.com/tradeoffer/new/?{QUERY}",),
    TradeUrlProblem.LOOKALIKE_HOST: (
        f"https://steamcommunity.com\\@example.com/tradeoffer/new/?{QUERY}",
        f"https://steamcommunity.com\\.example.com/tradeoffer/new/?{QUERY}",
        f"[{URL}](https://steamcommunity.example/tradeoffer/new/?{QUERY})",
        f"{URL} https://steamcommunity.com.example.com/tradeoffer/new/",
        "https://steamcornmunity.com/tradeoffer/5678901234",
        f"https://steamcommunity.com%2F@example.com/tradeoffer/new/?{QUERY}",
        f"https://example.com/steamcommunity.com/tradeoffer/new/?{QUERY}",
        f"example.com/steamcommunity.com/tradeoffer/new/?{QUERY}",
        f"请看\uff1ahttps://中steamcommunity.com/tradeoffer/new/?{QUERY}",
        f"https%3A%2F%2Fsteamcommunity.example%2Ftradeoffer%2Fnew%2F%3F{QUERY}",
    ),
    TradeUrlProblem.OTHER_HOST: (
        "https://example.com/",
        "https://example.com:8443/trade",
        "someone@example.com",
    ),
    TradeUrlProblem.NO_PARTNER: (
        "https://steamcommunity.com/tradeoffer/new/",
        f"https://steamcommunity.com/tradeoffer/new/?token={TOKEN}",
        f"https://steamcommunity.com/tradeoffer/new/?partner=&token={TOKEN}",
        f"https://steamcommunity.com/tradeoffer/new/?partner=%20&token={TOKEN}",
        f"https://steamcommunity.com/tradeoffer/new/?Partner=1&token={TOKEN}",
    ),
    TradeUrlProblem.BAD_PARTNER: tuple(
        f"https://steamcommunity.com/tradeoffer/new/?partner={partner}&token={TOKEN}"
        for partner in (
            "0",
            "-1",
            "4294967296",
            "12345678901",
            "00000000001",
            "1.5",
            "1_0",
            "\uff11\uff12",
            "76561198083722517",
        )
    ),
    TradeUrlProblem.NO_TOKEN: (
        "https://steamcommunity.com/tradeoffer/new/?partner=123456789",
        "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=",
        "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=/",
        f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&TOKEN={TOKEN}",
    ),
    TradeUrlProblem.BAD_TOKEN: tuple(
        f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&token={token}"
        for token in (
            "AbCd-_9",
            "AbCd-_9hX",
            "AbCd-_9hthanks",
            "AbCd-_9h_",
            "AbCd+_9h",
            "AbCd%20_9h",
            "AbC\u0501-_9h",
            "\uff21bCd-_9h",
            "%",
        )
    ),
    TradeUrlProblem.REPEATED: (
        f"{URL}&partner=123456789",
        f"{URL}&token={TOKEN}",
    ),
    TradeUrlProblem.SEVERAL: (
        f"{URL}\n{URL.replace('123', '321')}",
        f"{URL},{URL.replace('AbCd', 'aBCd')}",
        f"[{URL}]({URL.replace('partner=1', 'partner=2')})",
        f"{URL} or https://steamcommunity.com/tradeoffer/new/?partner=1050",
        f"{quote(URL, safe='')}\u3001{URL.replace('9h', '9H')}",
    ),
}

LOOKALIKES = (
    "steamcommunity.com.example.com",
    "steamcommunity.com-example.com",
    "steamcommunity.co",
    "steamcommunity.org",
    "steamcomunity.com",
    "steamcommunlty.com",
    "stearncommunity.com",
    "stearn-trade.com",
    "steamcornmunity.com",
    "steancommunity.com",
    "staemcommunity.com",
    "st3amc0mmun1ty.com",
    "5teamcommunity.com",
    "steam-community.com",
    "someone@steamcommunity.com",
    "someone:secret@steamcommunity.com",
    "steamcommunity.com@example.com",
    "steamcommunity.com:443@example.com",
    "xn--steamcommunit-cnf.com",
    "\u0455teamcommunity.com",  # Cyrillic dze
    "steamc\u043emmunity.com",  # Cyrillic o
    "steamc\u03bfmmunity.com",  # Greek omicron
    "steamcommun\u0131ty.com",  # dotless i
    "\uff53teamcommunity.com",  # fullwidth s
    "steamcommunity\u3002com",  # ideographic full stop
    "steamcommunity.com\u2215tradeoffer",  # division slash
    "xn--shp-fna.example",
    "sh\u00f3p.example",
    "ex%61mple.com",
    "steam:secret@192.0.2.1",
)
HARMLESS = (
    *("steamid.io", "steamdb.info", "steam.tv", "steamgames.com", "community.mannco.store"),
    *("www.steamrep.com", "steamladder.com", "steamcharts.com", "cdn.steamstatic.com"),
    *("store.steampowered.com", "help.steampowered.com", "s.team", "login.steamcommunity.com"),
)
NOT_ALIKE = ("example.com", "192.0.2.1:8080", "someone@example.com")


def problem_of(text: str) -> TradeUrlProblem:
    with pytest.raises(TradeUrlRejected) as caught:
        parse_trade_url(text)
    return caught.value.trade_url_problem


@pytest.mark.parametrize(("problem", "text"), [(problem, text) for problem, texts in REFUSED.items() for text in texts])
def test_refused(problem, text):
    """Each mistake has its own name."""
    assert problem_of(text) == problem


def test_every_problem_can_be_met():
    """Each name of a mistake is covered above."""
    assert set(REFUSED) == set(TradeUrlProblem)


@pytest.mark.parametrize("host", LOOKALIKES + NOT_ALIKE, ids=ascii)
def test_other_host(host):
    """An alarm is for a link that shows Steam's trade path at another host, not for other pages."""
    for form in ("https://{}/tradeoffer/new/?{}", "//{}/tradeoffer/new/?{}", "{}/tradeoffer/new/?{}"):
        assert problem_of(form.format(host, QUERY)) == TradeUrlProblem.LOOKALIKE_HOST
    assert problem_of(f"https://{host}/id/gaben") == TradeUrlProblem.OTHER_HOST


@pytest.mark.parametrize("host", HARMLESS)
@pytest.mark.parametrize("path", ["", "/", "/lookup/76561198083722517", f"/tradeoffer/new/?{QUERY}", "/tradeoffer/1"])
def test_harmless_host(host, path):
    """Hosts that only have a word in common with Steam's are no phishing; Valve's own are not, either."""
    own = host.endswith(("steampowered.com", "s.team", "steamcommunity.com"))
    expected = TradeUrlProblem.OTHER_STEAM_PAGE if own else TradeUrlProblem.OTHER_HOST

    assert problem_of(f"see https://{host}{path} please") == expected


@pytest.mark.parametrize(
    "text",
    [
        "[](" * 2000,
        "](" * 3000,
        "_*" * 3000,
        " /" * 3000,
        "a." * 3000,
        "%25" * 2000,
        "&amp;" * 1200,
        "/" * 6000,
        "/tradeoffer" * 500,
        "a.a/tradeoffer" * 400,
        "//tradeoffer/new?token=" * 260,
        "partner=1" + " " * 5990,
        "\\" * 6000,
        "%e4" * 2000,
    ],
    ids=lambda text: text[:4],
)
def test_hostile_length(text):
    """The longest text that Discord allows is rejected quickly."""
    started = time.process_time()
    problem_of(text)

    assert time.process_time() - started < 5
