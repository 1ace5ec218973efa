"""The language of a browser, from its Accept-Language header."""

import re

from aiohttp import hdrs, web

from bot.languages import ENGLISH, LANGUAGES, Language

_MOST = 1_000
"""Characters of a header that is read; browsers send fewer than 200."""

_RANGE = re.compile(
    r"[ \t]*(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7})[ \t]*"
    r"(?:;[ \t]*[Qq]=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)
"""A language and how much it is wanted, as RFC 9110 writes them; the wildcard is as good as none."""

_WITHOUT_COUNTRY = {"pt": "pt-BR", "zh": "zh-CN"}
_OF_OTHER_COUNTRIES = {"pt": "pt-PT", "zh": "zh-CN"}
"""Angola, Mozambique and the others write Portuguese as Portugal does."""

_TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""Parts of a Chinese tag that ask for another script."""


def language_of(request: web.BaseRequest) -> Language:
    """Return the language that a browser wants most of those that SkinDesk has; English if it wants none of them."""
    return best_of(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


def best_of(header: str) -> Language:
    """Return the best language for a header; parts of it that are malformed do not count."""
    if len(header) > _MOST:
        return ENGLISH
    wanted = [
        (float(found["quality"] or 1), language)
        for part in header.split(",")
        if (found := _RANGE.fullmatch(part)) is not None and (language := _named(found["tag"].lower())) is not None
    ]
    quality, best = max(wanted, key=lambda each: each[0], default=(0.0, ENGLISH))  # the first of equals
    return best if quality > 0 else ENGLISH


def _named(tag: str) -> Language | None:
    """Return the language for a tag in lower case, or the nearest one: the same one of another country."""
    root, *parts = tag.split("-")
    exact = next((each for code, each in LANGUAGES.items() if code.lower() == tag), None)
    if exact is None and root == "zh" and not _TRADITIONAL.isdisjoint(parts):
        return None
    nearest = (_OF_OTHER_COUNTRIES if parts else _WITHOUT_COUNTRY).get(root, root)
    return exact or LANGUAGES.get(nearest)
