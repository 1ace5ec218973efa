"""Parses trade URLs as people paste them, and names the mistake if it cannot."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from bot.domain.errors import TradeUrlRejected
from bot.domain.secrets import INVISIBLE, TradeToken
from bot.domain.steam import MAX_ACCOUNT_ID, SteamId, TradeUrl, TradeUrlProblem

_HOSTS = ("steamcommunity.com", "www.steamcommunity.com")
_STEAM_CHINA = ("my.steamchina.com", "steamchina.com", "www.steamchina.com")
_PATH = "/tradeoffer/new"
_MAX_LENGTH = 512
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
_WRAPPERS = "<>`'\"“”‘’«»\u2039\u203a\u201e\u201a*|~()[]{}.,;:!?\u2026 \t\r\n"
_LINK = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?//(?P<authority>[^/?#\\\s]*)(?P<rest>.*)", re.DOTALL)
_ENCODED_LINK = re.compile(r"(?:https?%3a|(?:www\.)?steamcommunity\.com%2f)", re.IGNORECASE)
_HOST_WITHOUT_SCHEME = re.compile(r"[^\s/?#]+[.\u3002\uff0e\uff61][^\s/?#]+(?:[/?#]|$)")  # every dot of browsers
_LINK_SIGNS = ("tradeoffer/new", "tradeoffer%2fnew", "://", "/", "%2f")
# Possessive quantifiers: a pattern that backtracks would block the bot on a long text.
_MARKDOWN_TARGET = re.compile(r"\]\(\s*+<?(?P<target>[^)>\s]++)")
_LOOKALIKES = ("steam", "stean", "staem", "steem", "comunity", "community", "tradeoffer")


def parse_trade_url(text: str) -> TradeUrl:
    """Read a trade URL in any spelling of providers.md 5.1; raise TradeUrlRejected with the mistake otherwise."""
    link = _extract_link(text)
    if not link:
        raise TradeUrlRejected(TradeUrlProblem.EMPTY)
    if len(link) > _MAX_LENGTH:
        raise TradeUrlRejected(TradeUrlProblem.TOO_LONG)
    if re.fullmatch(r"\d{17}", link, re.ASCII):
        raise TradeUrlRejected(TradeUrlProblem.STEAM_ID_ONLY)
    match = _LINK.match(link)
    if match is None and _HOST_WITHOUT_SCHEME.match(link):
        match = _LINK.match(f"//{link}")
    if match is None or (match["scheme"] or "https").lower() not in ("http", "https"):
        raise TradeUrlRejected(TradeUrlProblem.NOT_A_LINK)
    path, _, query = match["rest"].partition("#")[0].partition("?")
    host = match["authority"].lower()
    if host not in _HOSTS or "\\" in path:
        raise TradeUrlRejected(_host_problem(host, path.lower()))
    if path.rstrip("/").lower() != _PATH:
        raise TradeUrlRejected(_path_problem(path.rstrip("/").lower()))
    return _read_query(query)


def _extract_link(text: str) -> str:
    """Strip what chat clients and people put around a link; undo one layer of HTML or percent encoding."""
    visible = INVISIBLE.sub("", text)
    markdown = _MARKDOWN_TARGET.search(visible)
    if markdown is not None:
        visible = markdown["target"]
    for sign in _LINK_SIGNS:
        found = [word for word in visible.split() if sign in word.lower()]
        if found:
            # With several candidates the text stays whole: a guess could pick another person's trade URL.
            visible = found[0] if len(found) == 1 else visible
            break
    link = _strip_wrappers(visible)
    if _ENCODED_LINK.match(link):
        link = _strip_wrappers(INVISIBLE.sub("", unquote(link)))
    return link.replace("&amp;", "&")


def _strip_wrappers(link: str) -> str:
    link = link.strip(_WRAPPERS)
    while link.startswith("_"):  # markdown italics: as many at the end; one more there belongs to the token
        link = link[1:].removesuffix("_").strip(_WRAPPERS)
    return link


def _host_problem(host: str, path: str) -> TradeUrlProblem:
    if host in _STEAM_CHINA:
        return TradeUrlProblem.STEAM_CHINA
    if host in ("steampowered.com", "s.team") or host.endswith(".steampowered.com"):
        return TradeUrlProblem.OTHER_STEAM_PAGE
    if not host.isascii() or "xn--" in host or "%" in host or "tradeoffer" in path or "\\" in path:
        return TradeUrlProblem.LOOKALIKE_HOST
    letters = host.translate(str.maketrans("01345", "oleas", "-.")).replace("rn", "m").replace("vv", "w")
    return (
        TradeUrlProblem.LOOKALIKE_HOST if any(word in letters for word in _LOOKALIKES) else TradeUrlProblem.OTHER_HOST
    )


def _path_problem(path: str) -> TradeUrlProblem:
    if re.fullmatch(r"/tradeoffer/\d+", path, re.ASCII):
        return TradeUrlProblem.OFFER_LINK
    if re.fullmatch(r"/(?:my|profiles/[^/]+|id/[^/]+)/tradeoffers(?:/[a-z]*)?", path):
        return TradeUrlProblem.SETTINGS_PAGE
    if re.match(r"/(?:my|profiles|id)(?:/|$)", path):
        return TradeUrlProblem.PROFILE_LINK
    return TradeUrlProblem.OTHER_STEAM_PAGE


def _read_query(query: str) -> TradeUrl:
    values: dict[str, list[str]] = {"partner": [], "token": []}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in values:
            values[name].append(value)
    if any(len(found) > 1 for found in values.values()):
        raise TradeUrlRejected(TradeUrlProblem.REPEATED)
    partner, token = ("".join(values[name]).strip().rstrip("/") for name in ("partner", "token"))
    if not partner:
        raise TradeUrlRejected(TradeUrlProblem.NO_PARTNER)
    if not re.fullmatch(r"\d{1,10}", partner, re.ASCII) or not 0 < int(partner) <= MAX_ACCOUNT_ID:
        raise TradeUrlRejected(TradeUrlProblem.BAD_PARTNER)
    if not token:
        raise TradeUrlRejected(TradeUrlProblem.NO_TOKEN)
    if not _TOKEN.fullmatch(token):
        raise TradeUrlRejected(TradeUrlProblem.BAD_TOKEN)
    return TradeUrl(SteamId.from_account_id(int(partner)), TradeToken(token))
