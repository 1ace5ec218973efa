"""Trade URLs as people paste them: random accounts and tokens in random spellings and wrappings."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import strategies as st

from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

TOKENS = string.ascii_letters + string.digits + "_-"

TOKEN = "AbCd-_9h"
QUERY = f"partner=123456789&token={TOKEN}"
URL = f"https://steamcommunity.com/tradeoffer/new/?{QUERY}"

_STARTS = ("https://", "http://", "HTTPS://", "//", "")
_HOSTS = ("steamcommunity.com", "www.steamcommunity.com", "SteamCommunity.COM")
_PATHS = ("/tradeoffer/new/", "/tradeoffer/new", "/TradeOffer/New/")
_EXTRAS = ("l=english", "utm_source=share", "q=", "flag")
_ENDS = ("", "/", "#", "#top", "/#", "&")
_WRAPS = ("{}", "<{}>", "`{}`", '"{}"', "'{}'", "“{}”", "({})", "*{}*", "_{}_", "__{}__", "**{}**", "||{}||", "~~{}~~")
_LINKS = ("{}", "[my trade URL]({})", "[x](<{}>)", '[x]({} "title")')
_SENTENCES = ("{}", "{}.", "{}, ok?", "my url: {} thanks", "24/7 w/o reply {}", "hi\n{}\nbye", "> {}", " {}\t")
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
    for invisible in draw(st.lists(st.sampled_from(_INVISIBLE), max_size=3)):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + invisible + text[place:]
    return text
