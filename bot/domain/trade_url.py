"""Finds the trade URL in what people paste, and names the mistake if there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from bot.domain.errors import TradeUrlRejected
from bot.domain.pasted import LONGEST, plain
from bot.domain.secrets import TradeToken
from bot.domain.steam import MAX_ACCOUNT_ID, SteamId, TradeUrl, TradeUrlProblem

_HOSTS = ("steamcommunity.com", "www.steamcommunity.com")
_STEAM_CHINA = ("my.steamchina.com", "steamchina.com", "www.steamchina.com")
_STEAM = ("steamcommunity.com", "steampowered.com", "s.team")
# They are what they say, so no path makes them look-alikes of steamcommunity.com.
_HARMLESS = (
    *("steam.tv", "steamgames.com", "steamstatic.com", "steamusercontent.com", "valvesoftware.com"),  # Valve's
    *("steamdb.info", "steamid.io", "steamrep.com", "steamladder.com", "steamcharts.com", "steamgifts.com"),
    *("mannco.store", "assetpay.gg", "skinsback.com"),
)
_LONGEST_MESS = 512
_MOST_LINKS = 50
"""Each is searched for its host; a text with more of them names several in any case."""
_LONGEST_ADDRESS = 1024
_LONGEST_LABEL = 32

# Possessive quantifiers and "not behind another one": patterns that backtrack would block the bot on a long text.
_TRADE_PATH = re.compile(
    r"(?<![/\\])[/\\]++tradeoffer(?![\w-])(?:[/\\]++(?P<page>new|\d++)(?![\w-])[/\\]*+)?+",
    re.IGNORECASE | re.ASCII,
)
_BROKEN = re.compile(r"(?<!\s)\s*+([?&])\s*+(?=(?:partner|token)=)")
_QUERY_ENDS = re.compile(r"[\s\"'<>`#]|//")
_PARAMETER = re.compile(r"(?:^|[?&])(?P<name>partner|token)=(?P<value>[^&]*+)")
_NOTHING = re.compile(r"[\s/).,;!?\]]*+$")
_ACCOUNT = re.compile(r"(\d{1,10}+)(?![A-Za-z0-9]|_[A-Za-z0-9]|[.-]\d)", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]*+", re.ASCII)
_TOKEN_LENGTH = 8
# Letters of a host, and those that are taken for them. Others, Chinese for instance, are text before the link.
_HOST_SIGNS = (
    r"A-Za-z0-9.@:%_\-\u00c0-\u058f\u13a0-\u13ff\u1d00-\u1fff\u2024\u2044\u2215\ua640-\ua69f"
    r"\u3002\uff0e\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff61\U0001d400-\U0001d7ff"
)
_BACKWARDS = re.compile(rf"^[{_HOST_SIGNS}/\\]++")
_PART = re.compile(r"[^/\\_\u3002][^/\\]*+")
_LABEL = re.compile(r"^[^/\\]*:(?!\d*(?:[/\\]|$))")  # as in "link:steamcommunity.com", but not before a port
_ENDS_ADDRESS = re.compile(r"[\s\"'<>`?#&=()\[\]{}|,;*\u3001\u300a-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:$")
_WRAPPERS = re.compile(r"[_*~|<(\[\"' ]*+$")
_LINK = re.compile(rf"(?P<slashes>//)?(?P<address>[{_HOST_SIGNS}]++)(?P<path>/(?!/)[^?#\s<>\"'`]*+)?+")
_DOMAIN = re.compile(r"[^.\u3002\uff0e\uff61]++[.\u3002\uff0e\uff61].*[^\W\d]{2}|(?:.*@)?(?:\d{1,3}+\.){3}\d")
_ONLY_SIGNS = re.compile(r"[\W_]*+")


@dataclass(frozen=True, slots=True)
class TradeLink:
    """A link in a text that shows Steam's trade path: what it holds, and its mistake if there is one."""

    problem: TradeUrlProblem | None
    account: SteamId | None = None
    url: TradeUrl | None = None


def parse_trade_url(text: str) -> TradeUrl:
    """Read the only trade URL in a text; raise TradeUrlRejected with the mistake if there is not exactly one."""
    if len(text) > LONGEST:
        raise TradeUrlRejected(TradeUrlProblem.TOO_LONG)
    visible = plain(text).text
    links = list(trade_links(visible))
    urls = {link.url for link in links if link.url is not None}
    accounts = {link.account for link in links if link.account is not None}
    if any(link.problem is TradeUrlProblem.LOOKALIKE_HOST for link in links):
        raise TradeUrlRejected(TradeUrlProblem.LOOKALIKE_HOST)
    if len(urls) > 1 or len(accounts) > 1:
        raise TradeUrlRejected(TradeUrlProblem.SEVERAL)
    if urls:
        return urls.pop()
    problem = next((link.problem for link in links if link.problem is not None), None)
    raise TradeUrlRejected(problem or _problem_without(visible))


def trade_links(visible: str) -> Iterator[TradeLink]:
    """Find every link with Steam's trade path in a text that is :func:`bot.domain.pasted.plain` already."""
    visible = _BROKEN.sub(r"\1", visible)
    paths = list(islice(_TRADE_PATH.finditer(visible), _MOST_LINKS + 1))
    if len(paths) > _MOST_LINKS:
        yield TradeLink(TradeUrlProblem.SEVERAL)
        return
    for path, following in zip_longest(paths, paths[1:]):
        end = following.start() if following is not None else len(visible)
        host, inside, italics = _before(visible[max(0, path.start() - _LONGEST_ADDRESS) : path.start()])
        if not host:
            yield TradeLink(TradeUrlProblem.NOT_A_LINK)
        elif problem := _host_problem(host, shows_trade_path=True):
            yield TradeLink(problem)
        elif path["page"] is None or inside:
            yield TradeLink(TradeUrlProblem.OTHER_STEAM_PAGE)
        elif path["page"].isdigit():
            yield TradeLink(TradeUrlProblem.OFFER_LINK)
        else:
            yield _read_query(_QUERY_ENDS.split(visible[path.end() : end], maxsplit=1)[0], italics)


def _before(text: str) -> tuple[str, str, int]:
    """Return the host before a path or "", what is between them, and how many underscores make the link italic."""
    slashes = text.rfind("//")
    if slashes >= 0 and _ENDS_ADDRESS.search(text, slashes) is None:
        scheme = _SCHEME.search(text[max(0, slashes - _LONGEST_LABEL) : slashes])
        start = slashes - len(scheme[0]) if scheme is not None else slashes
        is_web = scheme is None or scheme[0].lower().endswith(("http:", "https:"))
        address = text[slashes + 2 :] if is_web else ""
    else:
        start = _start_of_bare_host(text)
        address = text[start:] if "@" in text[start:] else _LABEL.sub("", text[start:])
    wrappers = _WRAPPERS.search(text[max(0, start - _LONGEST_LABEL) : start])
    italics = wrappers[0].count("_") if wrappers is not None else 0
    if "@" in address:  # before it is a name, even if that looks like a host
        return address, "", italics
    host, _, inside = address.replace("\\", "/").partition("/")
    return host, inside.strip("/"), italics


def _start_of_bare_host(text: str) -> int:
    """Find where an address without "https://" begins; the end of the text if there is none."""
    run = len(_BACKWARDS.sub("", text[::-1], count=1))
    parts = (part for part in _PART.finditer(text, run) if _DOMAIN.match(part[0]))
    first = next(parts, None)
    return first.start() if first is not None else len(text)


def _host_problem(address: str, *, shows_trade_path: bool) -> TradeUrlProblem | None:
    host, _, port = address.lower().partition(":")
    host = host.removesuffix(".")
    if "@" in address or "%" in address:
        return TradeUrlProblem.LOOKALIKE_HOST if shows_trade_path else TradeUrlProblem.OTHER_HOST
    if host in _HOSTS and port in ("", "80", "443"):
        return None
    if host in _STEAM_CHINA:
        return TradeUrlProblem.STEAM_CHINA
    if _belongs(host, _STEAM):
        return TradeUrlProblem.OTHER_STEAM_PAGE
    harmless = not shows_trade_path or _belongs(host, _HARMLESS)
    return TradeUrlProblem.OTHER_HOST if harmless else TradeUrlProblem.LOOKALIKE_HOST


def _belongs(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _read_query(query: str, italics: int) -> TradeLink:
    values: dict[str, list[str]] = {"partner": [], "token": []}
    for found in _PARAMETER.finditer(query):
        values[found["name"]].append(found["value"])
    if any(len(found) > 1 for found in values.values()):
        return TradeLink(TradeUrlProblem.REPEATED)
    partner, token = ("".join(values[name]) for name in ("partner", "token"))
    if _NOTHING.match(partner):
        return TradeLink(TradeUrlProblem.NO_PARTNER)
    number = _ACCOUNT.match(partner)
    if number is None or not 0 < int(number[1]) <= MAX_ACCOUNT_ID:
        return TradeLink(TradeUrlProblem.BAD_PARTNER)
    account = SteamId.from_account_id(int(number[1]))
    if _NOTHING.match(token):
        return TradeLink(TradeUrlProblem.NO_TOKEN, account)
    run = _TOKEN.match(token)
    letters = run[0] if run is not None else ""
    if 0 < len(letters) - _TOKEN_LENGTH <= italics:  # "_link_": the sign after the token is not part of it
        letters = letters[:_TOKEN_LENGTH] + letters[_TOKEN_LENGTH:].strip("_")
    if len(letters) != _TOKEN_LENGTH:
        return TradeLink(TradeUrlProblem.BAD_TOKEN, account)
    return TradeLink(None, account, TradeUrl(account, TradeToken(letters)))


def _problem_without(visible: str) -> TradeUrlProblem:
    """Name the mistake of a text without Steam's trade path."""
    if _ONLY_SIGNS.fullmatch(visible):
        return TradeUrlProblem.EMPTY if len(visible) <= _LONGEST_MESS else TradeUrlProblem.TOO_LONG
    other = None
    for link in _LINK.finditer(visible):
        if link["slashes"] or _DOMAIN.match(link["address"]):
            problem = _host_problem(link["address"], shows_trade_path=False)
            if problem is not TradeUrlProblem.OTHER_HOST:
                return problem or _path_problem((link["path"] or "").rstrip("/").lower())
            other = problem
    if len(visible) > _LONGEST_MESS:
        return TradeUrlProblem.TOO_LONG
    if re.fullmatch(r"\W*\d{17}\W*", visible, re.ASCII):
        return TradeUrlProblem.STEAM_ID_ONLY
    return other or TradeUrlProblem.NOT_A_LINK


def _path_problem(path: str) -> TradeUrlProblem:
    if re.match(r"/(?:my|profiles/[^/]+|id/[^/]+)/tradeoffers(?:/[a-z]*)?$", path):
        return TradeUrlProblem.SETTINGS_PAGE
    if re.match(r"/(?:my|profiles|id)(?:/|$)", path):
        return TradeUrlProblem.PROFILE_LINK
    return TradeUrlProblem.OTHER_STEAM_PAGE
