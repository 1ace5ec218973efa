"""Every spelling of a trade URL that people paste, and every mistake they make."""

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
from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl, TradeUrlProblem
from bot.domain.trade_url import parse_trade_url
from tests.domain.builders import PROPERTY
from tests.domain.pasting import TOKENS, pasted, trade_urls

TOKEN = "AbCd-_9h"
QUERY = f"partner=123456789&token={TOKEN}"
URL = f"https://steamcommunity.com/tradeoffer/new/?{QUERY}"
ENCODED = quote(URL, safe="")
# The only spelling that AssetPay takes (providers.md, 1.3).
ASSETPAY = re.compile(r"^https://steamcommunity\.com/tradeoffer/new/\?partner=\d{1,10}&token=[A-Za-z0-9_-]{8}$")

ACCEPTED = {
    "canonical": URL,
    "http": f"http://steamcommunity.com/tradeoffer/new/?{QUERY}",
    "www": f"https://www.steamcommunity.com/tradeoffer/new/?{QUERY}",
    "no scheme": f"steamcommunity.com/tradeoffer/new/?{QUERY}",
    "no scheme, www": f"www.steamcommunity.com/tradeoffer/new/?{QUERY}",
    "no scheme but slashes": f"//steamcommunity.com/tradeoffer/new/?{QUERY}",
    "upper-case host": f"https://STEAMCOMMUNITY.COM/tradeoffer/new/?{QUERY}",
    "upper-case scheme": f"HTTPS://SteamCommunity.com/tradeoffer/new/?{QUERY}",
    "upper-case path": f"https://steamcommunity.com/TradeOffer/New/?{QUERY}",
    "no slash before the question mark": f"https://steamcommunity.com/tradeoffer/new?{QUERY}",
    "trailing slash": f"{URL}/",
    "trailing hash": f"{URL}#",
    "fragment": f"{URL}#top",
    "trailing slash and hash": f"{URL}/#",
    "trailing ampersand": f"{URL}&",
    "token before partner": f"https://steamcommunity.com/tradeoffer/new/?token={TOKEN}&partner=123456789",
    "token before partner, trailing slash": f"steamcommunity.com/tradeoffer/new/?token={TOKEN}&partner=123456789/",
    "extra parameter behind": f"{URL}&l=english",
    "extra parameter in front": f"https://steamcommunity.com/tradeoffer/new/?utm_source=x&{QUERY}",
    "extra parameters between": f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&l=a&utm=b&token={TOKEN}",
    "&amp; for &": f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&amp;token={TOKEN}",
    "leading zero": f"https://steamcommunity.com/tradeoffer/new/?partner=0123456789&token={TOKEN}",
    "encoded letters in the token": "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=%41bCd%2D%5F9h",
    "white space around": f" \t{URL}\r\n",
    "no-break space behind": f"{URL}\u00a0",
    "angle brackets": f"<{URL}>",
    "backticks": f"`{URL}`",
    "code block": f"```\n{URL}\n```",
    "double quotes": f'"{URL}"',
    "single quotes": f"'{URL}'",
    "English quotes": f"“{URL}”",
    "English single quotes": f"‘{URL}’",
    "German quotes": f"\u201e{URL}“",
    "guillemets": f"«{URL}»",
    "parentheses": f"({URL})",
    "square brackets": f"[{URL}]",
    "markdown link": f"[my trade URL]({URL})",
    "markdown link without preview": f"[my trade URL](<{URL}>)",
    "markdown link with a title": f'[my trade URL]({URL} "mine")',
    "markdown link labelled by itself": f"[{URL}]({URL})",
    "markdown link, brackets in the label": f"[[mine]]({URL})",
    "markdown link in a sentence": f"it is [here]({URL}), thanks",
    "italics with asterisks": f"*{URL}*",
    "italics with underscores": f"_{URL}_",
    "bold": f"**{URL}**",
    "bold italics": f"***{URL}***",
    "underlined": f"__{URL}__",
    "underlined bold italics": f"__***{URL}***__",
    "italics around angle brackets": f"_<{URL}>_",
    "struck through": f"~~{URL}~~",
    "spoiler": f"||{URL}||",
    "quoted line": f"> {URL}",
    "list": f"- {URL}",
    "full stop": f"{URL}.",
    "comma": f"{URL},",
    "closing parenthesis": f"{URL})",
    "ellipsis": f"{URL}\u2026",
    "exclamation and question mark": f"{URL}?!",
    "colon and semicolon": f"{URL}:;",
    "words around": f"my trade url is {URL} please check",
    "words with slashes around": f"sent 24/7 w/o reply: {URL} and/or tell me",
    "on a line of its own": f"hello!\n\n{URL}\n\nbye",
    "another link behind": f"{URL} (from https://example.com/help)",
    "settings page in front": f"https://steamcommunity.com/my/tradeoffers/privacy says {URL}",
    "zero-width space in front": f"\u200b{URL}",
    "zero-width space in the host": f"https://steam\u200bcommunity.com/tradeoffer/new/?{QUERY}",
    "zero-width joiner in the token": "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=AbCd\u200d-_9h",
    "byte order mark": f"\ufeff{URL}",
    "soft hyphen": f"https://steamcommunity.com/trade\u00adoffer/new/?{QUERY}",
    "direction marks": f"\u202a\u2066{URL}\u2069\u202c",
    "variation selector": f"https://steamcommunity.com\ufe0f/tradeoffer/new/?{QUERY}",
    "invisible filler": f"{URL}\u3164",
    "NUL": f"{URL}\x00",
    "percent-encoded": ENCODED,
    "percent-encoded, lower case": ENCODED.replace("%2F", "%2f").replace("%3A", "%3a"),
    "percent-encoded, no scheme": quote(f"steamcommunity.com/tradeoffer/new/?{QUERY}", safe=""),
    "percent-encoded, no scheme, www": quote(f"www.steamcommunity.com/tradeoffer/new/?{QUERY}", safe=""),
    "percent-encoded with &amp;": quote(URL.replace("&", "&amp;"), safe=""),
    "percent-encoded in a sentence": f"this one: <{ENCODED}>, ok?",
    "percent-encoded with its white space": quote(f"{URL} ", safe=""),
}

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


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(text):
    """What people mean becomes the one spelling that every provider takes."""
    canonical = parse_trade_url(text).canonical()

    assert canonical == URL
    assert ASSETPAY.match(canonical)


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


def test_documented_sample():
    """The percent-encoded trade URL of seed 000 is read."""
    sample = "https%3A%2F%2Fsteamcommunity.com%2Ftradeoffer%2Fnew%2F%3Fpartner%3D12345%26token%3DABCDEFGH"

    assert parse_trade_url(sample) == TradeUrl(SteamId.from_account_id(12345), TradeToken("ABCDEFGH"))


@pytest.mark.parametrize("account", [1, 4294967295])
def test_first_and_last_account(account):
    """The ends of the range are accounts."""
    url = parse_trade_url(f"steamcommunity.com/tradeoffer/new/?partner={account}&token={TOKEN}")

    assert url.steam_id.account_id == account


@pytest.mark.parametrize("wrap", ["{}", "_{}_", "__{}__", "*{}*", "<{}>."])
@pytest.mark.parametrize("token", ["ABCDEFGH", "abcdefgh", "-bcdefg-", "_bcdefg_", "--------", "________", "00000000"])
def test_token_is_kept(token, wrap):
    """A token keeps its case and its first and last character, whatever stood around the link."""
    text = wrap.format(f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={token}")

    assert parse_trade_url(text).token.reveal() == token


@PROPERTY
@given(data=st.data(), url=trade_urls())
def test_any_decoration_of_any_account(data, url):
    """Whatever stands around a trade URL and however it is spelled: it is the same account and token."""
    assert parse_trade_url(data.draw(pasted(url))) == url


@PROPERTY
@given(url=trade_urls())
def test_canonical(url):
    """The canonical spelling is AssetPay's, and reading it changes nothing."""
    assert ASSETPAY.match(url.canonical())
    assert parse_trade_url(url.canonical()) == url


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
    """No text whatever makes reading fail in another way than by naming the mistake."""
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
    """Neither a refusal nor what was read shows the token, however the link is broken."""
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
def test_tokens_of_another_form(token):
    """What is no token of eight letters, digits, hyphens or underscores is not passed on as one."""
    text = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={quote(token, safe='')}"
    try:
        read = parse_trade_url(text).token.reveal()
    except TradeUrlRejected:
        assert not re.fullmatch(r"[A-Za-z0-9_-]{8}", token)
    else:
        assert read == token.strip().rstrip("/")
        assert set(read) <= set(TOKENS)


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
