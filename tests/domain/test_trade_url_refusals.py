"""Every mistake that people paste instead of a trade URL is refused by its own name."""

from __future__ import annotations

import time

import pytest

from bot.domain.errors import TradeUrlRejected
from bot.domain.steam import TradeUrlProblem
from bot.domain.trade_url import parse_trade_url
from tests.domain.pasting import QUERY, TOKEN, URL

REFUSED = {
    TradeUrlProblem.EMPTY: ("", "   ", "<>", "``", "\u200b", "[]()", "__", "..."),
    TradeUrlProblem.TOO_LONG: (f"{URL}&utm={'x' * 500}", "x" * 6000, "/" * 600 + "x" * 6000),
    TradeUrlProblem.NOT_A_LINK: (
        "hello",
        "my token is hidden",
        QUERY,
        f"ftp://steamcommunity.com/tradeoffer/new/?{QUERY}",
        f"steam://openurl/{URL}",
        f"https:/steamcommunity.com/tradeoffer/new/?{QUERY}",
        "javascript:alert(1)",
        "/tradeoffer/new/",
        "1234567890123456",
        "\u0661" * 17,
    ),
    TradeUrlProblem.STEAM_ID_ONLY: ("76561198083722517", " `76561198083722517`.", "<76561198083722517>"),
    TradeUrlProblem.PROFILE_LINK: (
        "https://steamcommunity.com/profiles/76561198083722517",
        "https://steamcommunity.com/profiles/76561198083722517/inventory/#730",
        "https://steamcommunity.com/id/gaben",
        "http://www.steamcommunity.com/id/gaben/",
        "steamcommunity.com/id/gaben",
        "https://steamcommunity.com/my",
        "look at https://steamcommunity.com/id/gaben and/or ask",
    ),
    TradeUrlProblem.OFFER_LINK: (
        "https://steamcommunity.com/tradeoffer/5678901234",
        "https://steamcommunity.com/tradeoffer/5678901234/",
        "steamcommunity.com/tradeoffer/5678901234?l=english",
    ),
    TradeUrlProblem.SETTINGS_PAGE: (
        "https://steamcommunity.com/my/tradeoffers/privacy",
        "https://steamcommunity.com/my/tradeoffers/privacy#trade_offer_access_url",
        "https://steamcommunity.com/profiles/76561198083722517/tradeoffers/privacy",
        "https://steamcommunity.com/id/gaben/tradeoffers/privacy/",
        "steamcommunity.com/id/gaben/tradeoffers",
    ),
    TradeUrlProblem.OTHER_STEAM_PAGE: (
        "steamcommunity.com",
        "https://steamcommunity.com/",
        "https://steamcommunity.com/market/",
        f"https://steamcommunity.com/tradeoffer/?{QUERY}",
        f"https://steamcommunity.com/tradeoffer/newer/?{QUERY}",
        f"https://steamcommunity.com/?{QUERY}",
        "https://store.steampowered.com/app/730",
        "https://steampowered.com",
        "https://s.team/p/abcd-efgh",
    ),
    TradeUrlProblem.STEAM_CHINA: (f"https://my.steamchina.com/tradeoffer/new/?{QUERY}",),
    TradeUrlProblem.LOOKALIKE_HOST: (
        f"https://steamcommunity.com\\@example.com/tradeoffer/new/?{QUERY}",
        f"https://steamcommunity.com\\.example.com/tradeoffer/new/?{QUERY}",
        f"https:\\\\steamcommunity.com\\tradeoffer\\new\\?{QUERY}",
        f"https://steamcommunity.com/tradeoffer\\new/?{QUERY}",
        f"[{URL}](https://steamcommunity.example/tradeoffer/new/?{QUERY})",
        "https://steamcommunity.co/id/gaben",
        f"https%3A%2F%2Fsteamcommunity.example%2Ftradeoffer%2Fnew%2F%3F{QUERY}",
    ),
    TradeUrlProblem.OTHER_HOST: (
        "https://example.com/",
        "example.com/trade",
        "https://example.com:8443/trade",
        "http://localhost:8080/",
        "someone@example.com",
    ),
    TradeUrlProblem.NO_PARTNER: (
        "https://steamcommunity.com/tradeoffer/new/",
        "https://steamcommunity.com/tradeoffer/new",
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
            "abc",
            "4294967296",
            "9999999999",
            "12345678901",
            "00000000001",
            "1.5",
            "1e3",
            "0x10",
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
        # "&amp;" is undone once, and no more.
        f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&amp;amp;token={TOKEN}",
    ),
    TradeUrlProblem.BAD_TOKEN: tuple(
        f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&token={token}"
        for token in (
            "AbCd-_9",
            "AbCd-_9hX",
            "AbCd+_9h",
            "AbCd%20_9h",
            "AbCd._9h",
            "AbC\u0501-_9h",
            "\uff21bCd-_9h",
            "%",
        )
    ),
    TradeUrlProblem.REPEATED: (
        f"{URL}&partner=5",
        f"{URL}&partner=123456789",
        f"{URL}&token={TOKEN}",
        f"{URL}&token=",
        f"{URL} {URL}",
        f"{URL}\n{URL.replace('123', '321')}",
    ),
}

LOOKALIKES = (
    "steamcommunity.com.example.com",
    "steamcommunity.com-example.com",
    "login.steamcommunity.com",
    "steamcommunity.com.",
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
    "steamcommunity.com:443",
    "steamcommunity.com:80",
    "steamcommunity.com:8080",
    "someone@steamcommunity.com",
    "someone:secret@steamcommunity.com",
    "steamcommunity.com@example.com",
    "steamcommunity.com:443@example.com",
    "st%65amcommunity.com",
    "%73teamcommunity.com",
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
NOT_ALIKE = ("example.com", "192.0.2.1:8080", "someone@example.com")


def problem_of(text: str) -> TradeUrlProblem:
    with pytest.raises(TradeUrlRejected) as caught:
        parse_trade_url(text)
    return caught.value.trade_url_problem


@pytest.mark.parametrize(("problem", "text"), [(problem, text) for problem, texts in REFUSED.items() for text in texts])
def test_refused(problem, text):
    """A mistake is refused by its own name, so that the hint fits."""
    assert problem_of(text) == problem


def test_every_problem_can_be_met():
    """There is no name of a mistake that nothing leads to."""
    assert set(REFUSED) == set(TradeUrlProblem)


@pytest.mark.parametrize("form", ["https://{}/tradeoffer/new/?{}", "//{}/tradeoffer/new/?{}", "{}/tradeoffer/new/?{}"])
@pytest.mark.parametrize("host", LOOKALIKES + NOT_ALIKE, ids=ascii)
def test_trade_url_elsewhere(host, form):
    """A host that is not exactly Steam's gets no trade URL, and the reader a warning."""
    assert problem_of(form.format(host, QUERY)) == TradeUrlProblem.LOOKALIKE_HOST


@pytest.mark.parametrize("host", LOOKALIKES, ids=ascii)
def test_lookalike_host(host):
    """A host made to be taken for Steam's is warned of, whatever page of it was pasted."""
    assert problem_of(f"https://{host}/id/gaben") == TradeUrlProblem.LOOKALIKE_HOST


@pytest.mark.parametrize("host", NOT_ALIKE)
def test_other_host(host):
    """A host that nobody takes for Steam's is refused without an alarm."""
    assert problem_of(f"https://{host}/id/gaben") == TradeUrlProblem.OTHER_HOST


@pytest.mark.parametrize(
    "text",
    [
        "[](" * 2000,
        "[" * 6000,
        "](" * 3000,
        "](x" * 2000,
        "_*" * 3000,
        "<_" * 3000,
        " /" * 3000,
        "a." * 3000,
        "%25" * 2000,
    ],
    ids=lambda text: text[:4],
)
def test_hostile_length(text):
    """The longest text that Discord lets through is refused at once: reading never holds up the bot."""
    started = time.monotonic()
    problem_of(text)

    assert time.monotonic() - started < 5
