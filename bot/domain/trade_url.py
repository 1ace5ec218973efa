"""Reads the trade URLs people really paste; refuses the rest with the mistake named."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from bot.domain.errors import TradeUrlRejected
from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl, TradeUrlProblem

_HOST = "steamcommunity.com"
_MAX_LENGTH = 512
_MASK = "••••"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
_WRAPPERS = "<>`'\"“”‘’«»\u2039\u203a\u201e\u201a*|~()[]{}.,;:!?\u2026 \t\r\n"
# Controls that are no white space, and what Unicode calls ignorable by default: nobody sees it in a pasted text.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINK = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?//(?P<authority>[^/?#\\\s]*)(?P<rest>.*)", re.DOTALL)
_ENCODED_LINK = re.compile(r"(?:https?%3a|(?:www\.)?steamcommunity\.com%2f)", re.IGNORECASE)
_SIGNS_OF_A_LINK = ("tradeoffer/new", "tradeoffer%2fnew", "://", "/", "%2f")
# Possessive, here and below: people paste up to 6000 characters, and a pattern that backtracks would stop the bot.
_MASKED_LINK = re.compile(r"\]\(\s*+<?(?P<target>[^)>\s]++)")
_TOKEN_WORD = "".join(f"(?:{letter}|%(?:25)*(?:{ord(letter):x}|{ord(letter.upper()):x}))" for letter in "token")
_TOKEN_IN_TEXT = re.compile(
    rf"(?P<key>{_TOKEN_WORD}[\s\"'`*_~|\\]*+"
    r"(?:[=:\uff1d\uff1a]|%(?:25)*3[ad]|u003[ad]|&(?:\#61|\#58|\#x3[ad]|equals|colon);)"
    r"[\s=:<>(\[{\"'`*|~\\]*+)[^\s&\#)>\]\"]++",
    re.IGNORECASE,
)


def parse_trade_url(text: str) -> TradeUrl:
    """Read a trade URL in any spelling of providers.md 5.1; TradeUrlRejected names the mistake otherwise."""
    link = _unwrap(text)
    if not link:
        raise _rejected(TradeUrlProblem.EMPTY)
    if len(link) > _MAX_LENGTH:
        raise _rejected(TradeUrlProblem.TOO_LONG)
    if re.fullmatch(r"\d{17}", link, re.ASCII):
        raise _rejected(TradeUrlProblem.STEAM_ID_ONLY)
    host, path, query = _split(link)
    _check_host(host, path)
    _check_path(path)
    return _read_query(query)


def mask_trade_urls(text: str) -> str:
    """Return ``text`` with every trade token in it masked, for wherever people's words are shown or kept.

    A text that holds none comes back as it is; one that does loses its invisible characters, which could hide some.
    """
    visible = _without_invisible(text)
    masked = _TOKEN_IN_TEXT.sub(lambda match: match["key"] + _MASK, visible)
    return text if masked == visible else masked


def _rejected(problem: TradeUrlProblem) -> TradeUrlRejected:
    return TradeUrlRejected(problem)


def _without_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _unwrap(text: str) -> str:
    """Strip what chat clients and people put around a link; undo one layer of HTML or percent encoding."""
    visible = _without_invisible(text)
    masked = _MASKED_LINK.search(visible)
    link = _bare(_pick(masked["target"] if masked is not None else visible))
    if _ENCODED_LINK.match(link):
        link = _bare(_without_invisible(unquote(link)))
    return link.replace("&amp;", "&")


def _pick(text: str) -> str:
    """Return the only word of ``text`` that can be the trade URL, or all of it where there is none or a choice."""
    words = text.split()
    for sign in _SIGNS_OF_A_LINK:
        found = [word for word in words if sign in word.lower()]
        if found:
            return found[0] if len(found) == 1 else text
    return text


def _bare(link: str) -> str:
    link = link.strip(_WRAPPERS)
    while link.startswith("_"):  # markdown italics: as many at the end; one more there belongs to the token
        link = link[1:].removesuffix("_").strip(_WRAPPERS)
    return link


def _split(link: str) -> tuple[str, str, str]:
    """Cut a link into authority, path and query; the scheme may be missing."""
    match = _LINK.match(link)
    if match is None:
        # What names a host without a scheme is judged by that host; the rest is no link at all.
        if not re.match(r"[^\s/?#]+[.\u3002\uff0e\uff61][^\s/?#]+(?:[/?#]|$)", link):  # all the dots of browsers
            raise _rejected(TradeUrlProblem.NOT_A_LINK)
        match = _LINK.match("//" + link)
    elif match["scheme"] is not None and match["scheme"].lower() not in ("http", "https"):
        raise _rejected(TradeUrlProblem.NOT_A_LINK)
    if match is None:
        raise _rejected(TradeUrlProblem.NOT_A_LINK)
    rest = match["rest"].partition("#")[0]
    path, _, query = rest.partition("?")
    return match["authority"], path, query


def _check_host(authority: str, path: str) -> None:
    host = authority.lower()
    if host in (_HOST, "www." + _HOST) and "\\" not in path:
        return
    if host in ("my.steamchina.com", "steamchina.com", "www.steamchina.com"):
        raise _rejected(TradeUrlProblem.STEAM_CHINA)
    if host in ("steampowered.com", "s.team") or host.endswith(".steampowered.com"):
        raise _rejected(TradeUrlProblem.OTHER_STEAM_PAGE)
    if _pretends_to_be_steam(host) or "tradeoffer" in path.lower() or "\\" in path:
        raise _rejected(TradeUrlProblem.LOOKALIKE_HOST)
    raise _rejected(TradeUrlProblem.OTHER_HOST)


def _pretends_to_be_steam(host: str) -> bool:
    """Say whether a host that is not Steam's is made to be taken for it."""
    if not host.isascii() or "xn--" in host or "%" in host:
        return True
    letters = host.translate(str.maketrans("01345", "oleas")).replace("rn", "m").replace("vv", "w")
    letters = letters.replace("-", "").replace(".", "")
    return any(word in letters for word in ("steam", "stean", "staem", "steem", "comunity", "community", "tradeoffer"))


def _check_path(path: str) -> None:
    lowered = path.rstrip("/").lower()
    if lowered == "/tradeoffer/new":
        return
    if re.fullmatch(r"/tradeoffer/\d+", lowered, re.ASCII):
        raise _rejected(TradeUrlProblem.OFFER_LINK)
    if re.fullmatch(r"/(?:my|profiles/[^/]+|id/[^/]+)/tradeoffers(?:/[a-z]*)?", lowered):
        raise _rejected(TradeUrlProblem.SETTINGS_PAGE)
    if re.match(r"/(?:my|profiles|id)(?:/|$)", lowered):
        raise _rejected(TradeUrlProblem.PROFILE_LINK)
    raise _rejected(TradeUrlProblem.OTHER_STEAM_PAGE)


def _read_query(query: str) -> TradeUrl:
    values: dict[str, list[str]] = {"partner": [], "token": []}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in values:
            values[name].append(value)
    if any(len(found) > 1 for found in values.values()):
        raise _rejected(TradeUrlProblem.REPEATED)
    partner, token = ("".join(values[name]).strip().rstrip("/") for name in ("partner", "token"))
    if not partner:
        raise _rejected(TradeUrlProblem.NO_PARTNER)
    if not re.fullmatch(r"\d{1,10}", partner, re.ASCII):
        raise _rejected(TradeUrlProblem.BAD_PARTNER)
    try:
        steam_id = SteamId.from_account_id(int(partner))
    except ValueError:
        raise _rejected(TradeUrlProblem.BAD_PARTNER) from None
    if not token:
        raise _rejected(TradeUrlProblem.NO_TOKEN)
    if not _TOKEN.fullmatch(token):
        raise _rejected(TradeUrlProblem.BAD_TOKEN)
    return TradeUrl(steam_id, TradeToken(token))
