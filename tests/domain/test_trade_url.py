"""Every spelling of a trade URL that people paste is read."""

from __future__ import annotations

import re
import string
import traceback
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.errors import TradeUrlRejected
from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl
from bot.domain.trade_url import parse_trade_url
from tests.domain.builders import PROPERTY
from tests.domain.pasting import QUERY, TOKEN, TOKENS, URL, pasted, trade_urls

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


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(text):
    """What people mean becomes the one spelling that every provider takes."""
    canonical = parse_trade_url(text).canonical()

    assert canonical == URL
    assert ASSETPAY.match(canonical)


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
