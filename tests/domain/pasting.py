"""Trade URLs as people paste them: random accounts and tokens in random spellings and wrappings."""

from __future__ import annotations

import html
import json
import re
import string
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import assume
from hypothesis import strategies as st

from bot.domain.pasted import LONGEST
from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn

TOKENS = string.ascii_letters + string.digits + "_-"

TOKEN = "AbCd-_9h"
QUERY = f"partner=123456789&token={TOKEN}"
URL = f"https://steamcommunity.com/tradeoffer/new/?{QUERY}"

ENCODED = quote(URL, safe="")
SPELLINGS = {
    "canonical": URL,
    "http": f"http://steamcommunity.com/tradeoffer/new/?{QUERY}",
    "www": f"https://www.steamcommunity.com/tradeoffer/new/?{QUERY}",
    "no scheme": f"steamcommunity.com/tradeoffer/new/?{QUERY}",
    "upper-case host": f"https://STEAMCOMMUNITY.COM/tradeoffer/new/?{QUERY}",
    "upper-case path": f"https://steamcommunity.com/TradeOffer/New/?{QUERY}",
    "no slash before the question mark": f"https://steamcommunity.com/tradeoffer/new?{QUERY}",
    "trailing slash": f"{URL}/",
    "fragment": f"{URL}#top",
    "token before partner, trailing slash": f"steamcommunity.com/tradeoffer/new/?token={TOKEN}&partner=123456789/",
    "extra parameter in front": f"https://steamcommunity.com/tradeoffer/new/?utm_source=x&{QUERY}",
    "extra parameters between": f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&l=a&utm=b&token={TOKEN}",
    "&amp; for &": f"https://steamcommunity.com/tradeoffer/new/?partner=123456789&amp;token={TOKEN}",
    "leading zero": f"https://steamcommunity.com/tradeoffer/new/?partner=0123456789&token={TOKEN}",
    "encoded letters in the token": "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=%41bCd%2D%5F9h",
    "no-break space behind": f"{URL}\u00a0",
    "angle brackets": f"<{URL}>",
    "code block": f"```\n{URL}\n```",
    "English single quotes": f"‘{URL}’",
    "German quotes": f"\u201e{URL}“",
    "guillemets": f"«{URL}»",
    "square brackets": f"[{URL}]",
    "markdown link with a title": f'[my trade URL]({URL} "mine")',
    "markdown link labelled by itself": f"[{URL}]({URL})",
    "markdown link, brackets in the label": f"[[mine]]({URL})",
    "markdown link in a sentence": f"it is [here]({URL}), thanks",
    "italics with underscores": f"_{URL}_",
    "italics around angle brackets": f"_<{URL}>_",
    "list": f"- {URL}",
    "ellipsis": f"{URL}\u2026",
    "exclamation and question mark": f"{URL}?!",
    "colon and semicolon": f"{URL}:;",
    "words with slashes around": f"sent 24/7 w/o reply: {URL} and/or tell me",
    "another link behind": f"{URL} (from https://example.com/help)",
    "settings page in front": f"https://steamcommunity.com/my/tradeoffers/privacy says {URL}",
    "zero-width space in the host": f"https://steam\u200bcommunity.com/tradeoffer/new/?{QUERY}",
    "zero-width joiner in the token": "https://steamcommunity.com/tradeoffer/new/?partner=123456789&token=AbCd\u200d-_9h",
    "soft hyphen": f"https://steamcommunity.com/trade\u00adoffer/new/?{QUERY}",
    "percent-encoded": ENCODED,
    "percent-encoded, no scheme": quote(f"steamcommunity.com/tradeoffer/new/?{QUERY}", safe=""),
    "percent-encoded with &amp;": quote(URL.replace("&", "&amp;"), safe=""),
    "percent-encoded in a sentence": f"this one: <{ENCODED}>, ok?",
    "Chinese full stop before": f"请看\u3002steamcommunity.com/tradeoffer/new/?{QUERY}",
    "Chinese before": f"我的交易链接\uff1a{URL}",
    "Chinese glued, no scheme": f"链接steamcommunity.com/tradeoffer/new/?{QUERY}谢谢",
    "Chinese behind": f"{URL}\uff0c谢谢",
    "Japanese in brackets": f"【{URL}】です",
    "words before": f"Trade link:{URL}",
    "words before, no scheme": f"Trade link:steamcommunity.com/tradeoffer/new/?{QUERY}",
    "Russian before": f"ссылка:{URL}",
    "BBCode": f"[url={URL}]my link[/url]",
    "BBCode around": f"[url]{URL}[/url]",
    "HTML": f'<a href="{URL.replace("&", "&amp;")}">{URL[:40]}...</a>',
    "HTML, entities for signs": URL.replace("&", "&#38;").replace("_", "&#x5f;").replace("/", "&sol;"),
    "HTML, twice escaped": URL.replace("&", "&amp;amp;"),
    "JSON": json.dumps({"tradeUrl": URL}),
    "JSON in JSON": json.dumps(json.dumps({"tradeUrl": URL, "ok": True})),
    "JSON with escaped slashes": URL.replace("/", r"\/"),
    "JSON with escaped signs": URL.replace("&", r"\u0026").replace("=", r"\u003d"),
    "JSON with line breaks": json.dumps(f"hi\n{URL}\nbye"),
    "Python": str({"url": URL}),
    "CSV": f"alex,{URL},yes",
    "CSV with semicolons": f"alex;{URL};yes",
    "escaped underscore": URL.replace("_", r"\_"),
    "escaped by a chat client": re.sub(r"([_\-.?&=])", r"\\\1", URL),
    "backslashes": URL.replace("/", "\\"),
    "twice": f"{URL} {URL}",
    "twice, once of them shortened": f"[{URL[:60]}…]({URL})",
    "twice, differently": f"{ENCODED}\n{URL}",
    "line break before the token": URL.replace("&", "\n&"),
    "spaces around the signs": URL.replace("&", " & ").replace("?", " ?"),
    "percent-encoded twice": quote(ENCODED, safe=""),
    "percent-encoded five times": ENCODED.replace("%", "%25252525"),
    "percent-encoded with Chinese": quote(f"链接\uff1a{URL}\uff0c谢谢", safe=""),
    "in another address": f"https://steamcommunity.com/linkfilter/?u={ENCODED}",
    "in Steam's own scheme": f"steam://openurl/{URL}",
    "one slash": f"https:/steamcommunity.com/tradeoffer/new/?{QUERY}",
    "two slashes at the end": f"https://steamcommunity.com//tradeoffer/new//?{QUERY}",
    "no question mark": f"https://steamcommunity.com/tradeoffer/new/{QUERY}",
    "port and final dot": f"https://steamcommunity.com.:443/tradeoffer/new/?{QUERY}",
    "encoded host": f"https://st%65amcommunity.com/tradeoffer/new/?{QUERY}",
    "many parameters": f"{URL}&utm={'x' * 500}",
    "harmless link beside": f"https://steamid.io/lookup/1 {URL}",
    "percent-encoded with its white space": quote(f"{URL} ", safe=""),
}
"""Texts with one trade URL in them, and that is :data:`URL`."""

_STARTS = ("https://", "http://", "HTTPS://", "//", "")
_HOSTS = ("steamcommunity.com", "www.steamcommunity.com", "SteamCommunity.COM")
_PATHS = ("/tradeoffer/new/", "/tradeoffer/new", "/TradeOffer/New/")
_EXTRAS = ("l=english", "utm_source=share", "q=", "flag")
_ENDS = ("", "/", "#", "#top", "/#", "&")
_WRAPS = ("{}", "<{}>", "`{}`", '"{}"', "'{}'", "“{}”", "({})", "*{}*", "_{}_", "__{}__", "**{}**", "||{}||", "~~{}~~")
_LINKS = ("{}", "[my trade URL]({})", "[x](<{}>)", '[x]({} "title")')
_SENTENCES = ("{}", "{}.", "{}, ok?", "my url: {} thanks", "24/7 w/o reply {}", "hi\n{}\nbye", "> {}", " {}\t")
_LAYERS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    html.escape,
    lambda text: "".join(f"&#{ord(sign)};" if sign in "_-?=/" else sign for sign in text),
    lambda text: "".join(f"&#x{ord(sign):x};" for sign in text),
    lambda text: json.dumps({"url": text}),
    lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
    lambda text: re.sub(r"([^\w\s])", r"\\\1", text).replace("_", r"\_"),
    lambda text: text.replace("/", r"\/"),
)
_INVISIBLE = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\ufe0f", "\u3164", "\x00")


@st.composite
def trade_urls(draw: DrawFn) -> TradeUrl:
    """Draw any account with any token; a token of digits alone could be part of an account number."""
    account = draw(st.one_of(st.integers(1, 2**32 - 1), st.sampled_from([1, 2**32 - 1])))
    token = draw(st.text(alphabet=TOKENS, min_size=8, max_size=8).filter(lambda text: not text.isdigit()))
    return TradeUrl(SteamId.from_account_id(account), TradeToken(token))


@st.composite
def pasted(draw: DrawFn, url: TradeUrl) -> str:
    """Draw a text with the trade URL in it that is still readable."""
    pairs = [f"partner={url.steam_id.account_id}", f"token={url.token.reveal()}"]
    pairs = draw(st.permutations(pairs + draw(st.lists(st.sampled_from(_EXTRAS), max_size=2))))
    query = draw(st.sampled_from(("&", "&amp;"))).join(pairs)
    link = draw(st.sampled_from(_STARTS)) + draw(st.sampled_from(_HOSTS)) + draw(st.sampled_from(_PATHS)) + "?" + query
    link += draw(st.sampled_from(_ENDS))
    if draw(st.booleans()) and not link.startswith("//"):
        link = quote(link, safe="")
    for wrap in draw(st.lists(st.sampled_from(_WRAPS), max_size=3)):
        link = wrap.format(link)
    text = draw(st.sampled_from(_SENTENCES)).format(draw(st.sampled_from(_LINKS)).format(link))
    for layer in draw(st.lists(st.sampled_from(_LAYERS), max_size=2)):
        text = layer(text)
    assume(len(text) < LONGEST - 3)
    for invisible in draw(st.lists(st.sampled_from(_INVISIBLE), max_size=3)):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + invisible + text[place:]
    return text
