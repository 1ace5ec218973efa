"""Reads the trade URLs people really paste; refuses the rest with the mistake named."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qsl, unquote

from bot.domain.errors import TradeUrlRejected
from bot.domain.secrets import TradeToken
from bot.domain.steam import SteamId, TradeUrl, TradeUrlProblem

_HOST = "steamcommunity.com"
_MAX_LENGTH = 512
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
_WRAPPERS = "<>`'\"“”‘’«»*|~()[]{}.,;:!? \t\r\n"
_LINK = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?//(?P<authority>[^/?#\\\s]*)(?P<rest>.*)", re.DOTALL)
_MASKED_LINK = re.compile(r"\[[^\]]*\]\(\s*<?(?P<target>[^)>\s]+)>?[^)]*\)")
_TOKEN_IN_TEXT = re.compile(r"(?i)(?P<key>token\s*(?:=|:|%3d|%253d)\s*)[^\s&#)>\]]+")


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
    """Return ``text`` with every trade token in it masked, for wherever people's words are shown or kept."""
    return _TOKEN_IN_TEXT.sub(lambda match: match["key"] + "••••", _without_invisible(text))


def _rejected(problem: TradeUrlProblem) -> TradeUrlRejected:
    return TradeUrlRejected(problem)


def _without_invisible(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


def _unwrap(text: str) -> str:
    """Strip what chat clients and people put around a link; undo one layer of HTML or percent encoding."""
    visible = _without_invisible(text)
    masked = _MASKED_LINK.search(visible)
    if masked is not None:
        visible = masked["target"]
    words = [word for word in visible.split() if "/" in word]
    link = (words[0] if len(words) == 1 else visible).strip(_WRAPPERS)
    if link.startswith("_"):  # markdown italics; alone at the end it may belong to the token
        link = link.lstrip("_").removesuffix("_")
    if re.match(r"(?i)(https?%3a|steamcommunity\.com%2f)", link):
        link = unquote(link)
    return link.replace("&amp;", "&")


def _split(link: str) -> tuple[str, str, str]:
    """Cut a link into authority, path and query; the scheme may be missing."""
    match = _LINK.match(link)
    if match is None:
        # What names a host without a scheme is judged by that host; the rest is no link at all.
        if not re.match(r"[^\s/?#]+\.[^\s/?#]+(?:[/?#]|$)", link):
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
    if host in (_HOST, "www." + _HOST):
        return
    if host in ("my.steamchina.com", "steamchina.com", "www.steamchina.com"):
        raise _rejected(TradeUrlProblem.STEAM_CHINA)
    if _pretends_to_be_steam(host) or "tradeoffer" in path.lower() or "\\" in path:
        raise _rejected(TradeUrlProblem.LOOKALIKE_HOST)
    raise _rejected(TradeUrlProblem.OTHER_HOST)


def _pretends_to_be_steam(host: str) -> bool:
    """Say whether a host that is not Steam's is made to be taken for it."""
    if not host.isascii() or "xn--" in host or "@" in host or ":" in host or "%" in host:
        return True
    letters = host.translate(str.maketrans("01345", "oleas")).replace("rn", "m").replace("vv", "w")
    letters = letters.replace("-", "").replace(".", "")
    return any(word in letters for word in ("steam", "stean", "staem", "steem", "comunity", "community", "tradeoffer"))


def _check_path(path: str) -> None:
    clean = path.rstrip("/")
    if clean == "/tradeoffer/new":
        return
    lowered = clean.lower()
    if lowered == "/tradeoffer/new":
        return
    if re.fullmatch(r"/tradeoffer/\d+", lowered, re.ASCII):
        raise _rejected(TradeUrlProblem.OFFER_LINK)
    if re.fullmatch(r"/(?:my|profiles/[^/]+|id/[^/]+)/tradeoffers(?:/[a-z]*)?", lowered):
        raise _rejected(TradeUrlProblem.SETTINGS_PAGE)
    if re.match(r"/(?:my|profiles/|id/)", lowered):
        raise _rejected(TradeUrlProblem.PROFILE_LINK)
    raise _rejected(TradeUrlProblem.OTHER_STEAM_PAGE)


def _read_query(query: str) -> TradeUrl:
    values: dict[str, list[str]] = {"partner": [], "token": []}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in values:
            values[name].append(value)
    if any(len(found) > 1 for found in values.values()):
        raise _rejected(TradeUrlProblem.REPEATED)
    partner, token = ("".join(values[name]).strip() for name in ("partner", "token"))
    if not partner:
        raise _rejected(TradeUrlProblem.NO_PARTNER)
    if not re.fullmatch(r"\d{1,10}", partner, re.ASCII):
        raise _rejected(TradeUrlProblem.BAD_PARTNER)
    try:
        steam_id = SteamId.from_account_id(int(partner))
    except ValueError:
        raise _rejected(TradeUrlProblem.BAD_PARTNER) from None
    token = token.rstrip("/")
    if not token:
        raise _rejected(TradeUrlProblem.NO_TOKEN)
    if not _TOKEN.fullmatch(token):
        raise _rejected(TradeUrlProblem.BAD_TOKEN)
    return TradeUrl(steam_id, TradeToken(token))
