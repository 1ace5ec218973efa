"""Masks secrets in text that is logged."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from bot.domain.normal_forms import normalized

MASK: Final = "••••"

_SHORTEST_SECRET = 4  # masking shorter ones would make every line unreadable

# Names of secrets, the characters between name and value, and the end of the value: a closing quote or the end of a
# word. Backslashes come from JSON within JSON. Bounds and atomic groups keep the search linear.
_NAMES = r"authorization|api[-_ ]?key|secret|token|passw(?:or)?d|jwt|(?<![^\W_])(?:x[-_])?sign(?:ature)?"
_CODES = r"(?:(?<![^\W_])|trade|verification)code"
_STEMS = ("auth", "key", "secret", "token", "pass", "jwt", "sign", "code")
"""Each of those names contains one of these, in small letters."""
_SCHEME = rf"(?:(?:bearer|bot|basic|raw|token|key)\s+|(?:{_NAMES})\s*+:\s+)?+"
_JOINED = (
    r"""(?>(?P<colon>\s*:\s+)|\\{0,8}["'`]?\s*(?:=>|==?|:|%(?:25){0,8}3[da])\s*"""
    r"""|\\{0,8}["']\s*,\s*(?=b?\\{0,8}["']))"""
    rf"""(?P<open>(?>b?\\{{0,8}}(?P<quote>["'`])))?{_SCHEME}"""
)
_UNQUOTED = r"""[^\s&#)>\]},;"'`\\]++"""
_VALUE = (
    r"""(?P<value>(?(quote)(?:(?!\\{0,8}(?P=quote)).)*"""
    rf"""|{_UNQUOTED}(?:["'`](?=[^\W_]){_UNQUOTED})*))"""  # a quote in a word belongs to it
)
_STATUS_CODE = r"-?\d{1,6}(?![\w-])"  # codes of errors and statuses are logged; a trade's code has 8 digits
_NAMED = re.compile(rf"(?i)(?P<name>(?:{_NAMES}){_JOINED}){_VALUE}")
_CODE = re.compile(rf"(?i)(?P<name>{_CODES}{_JOINED})(?!{_STATUS_CODE}){_VALUE}")
_SHAPED = re.compile(
    r"(?<![\w-])(?:"
    r"eyJ[\w-]{8,}(?:\.[\w-]*)*"  # a JWT, or its beginning
    r"|[\w-]{16,}\.[\w-]{6,}\.[\w-]{20,}"  # a JWT with another beginning, or a Discord bot token
    r"|ap_[\w-]{6,}"  # an AssetPay key
    r")",
    re.ASCII,
)
_DISCORD_PATH = re.compile(r"(?P<name>/(?:webhooks|interactions)/\d+/)[^/\s?\"']+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#?\w+;|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_WORD = re.compile(r"\S+")
_LAYERS = 4

# In prose a sentence follows a name and a colon: "discord.token: copy it again". No shape tells "wrong" from "horse",
# so only these words are taken for the beginning of a sentence. Keep out what people choose as a password.
_SENTENCE_BEGINS: Final = """
a about absent accepted active add after again all allowed already also an and any are as ask at available bad basic be
bearer because been before belongs blank blocked both but by can cannot change changed check choose configure contacts
contain contains copy corrupt could create currently decoded decoding defaults denied deprecated did different differs
disabled do does duplicate during each either empty enabled ends ensure enter error errors every exceeded exceeds
expected expects expired expires extra fail failed failing fails failure false fetch fetched field fields file files
find first fit fits fix for found from generate get give given goes got granted had happens has have he header her him
how however if ignored illegal in inactive including incomplete incorrect input inputs inspect instead insufficient
invalid is issued it its just kept last later leave left length let like limit limited loaded locked longer look looks
lost made make makes malformed mandatory may me mean means mismatch missing more most must my name named needed needs
neither never new next no none nor not note nothing now null obtain of off old on once one only optional or other our
ours out outdated parameter parsed parsing paste pasted permission permitted please position possibly present presented
previous provide provided put quoted rather read reading received refused refuses refusing regenerate rejected rejecting
rejects reloaded remove removed renew renewed replace required requires reset restart retry revoke revoked rotate same
say says second see sent server set she shorter should show shown signature signed similar since some something
sometimes somewhere spelled spelt stale starts stays still stop stopped stored string such supply take taken tells than
that the their them then there therefore these they this those to too true truncated try twice two unable unauthorized
unavailable unchanged undecodable undefined under unexpected unknown unless unreadable unrecognised unrecognized unset
unsupported until unusable unverified update use used uses using valid validation value values verification verify via
wait was we were what when where whether which while who whose will with within without works would write written wrong
yet you your zero
"""
_BEGINS: Final = frozenset(_SENTENCE_BEGINS.split())
_FIRST_WORD = re.compile(r"(can|[a-z]+?)(?:n?['’]t|['’](?:s|re|ve|ll))?[.:!?…]*", re.IGNORECASE)

_registered: tuple[str, ...] = ()
"""Secrets to mask, the longest first because one may be part of another."""


def register_secret(value: str) -> None:
    """Mask ``value`` in all later records, unless it is shorter than four characters."""
    if len(value) >= _SHORTEST_SECRET:
        global _registered  # noqa: PLW0603 -- logging is global, and so are its secrets
        # redact decodes percent and entity spellings, but not those of JSON and repr.
        spellings = {*_registered, value, json.dumps(value)[1:-1], repr(value)[1:-1]}
        _registered = tuple(sorted(spellings, key=len, reverse=True))


def redact(text: str) -> str:
    """Return ``text`` without invisible characters and without anything that is, or looks like, a secret."""
    if not text.isascii():
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    if not text.isascii() or _ENCODED.search(text):
        text = _WORD.sub(lambda word: _mask_encoded(word[0]), text)
    return _mask(text)


def _mask_encoded(word: str) -> str:
    """Return the word decoded and masked if it contains a secret, otherwise as it is."""
    if word.isascii() and not _ENCODED.search(word):
        return word
    plain = word
    for _ in range(_LAYERS):
        plain = _decode(plain)
    masked = _mask(plain)
    return word if masked == plain else masked


def _decode(word: str) -> str:
    """Decode one layer of percent, HTML and backslash encoding, and full-width letters."""
    try:
        plain = html.unescape(unquote(word))
    except ValueError:  # an entity of thousands of digits
        plain = unquote(word)
    plain = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), plain)
    return normalized("NFKC", plain)


def _mask(text: str) -> str:
    for secret in _registered:
        text = text.replace(secret, MASK)
    if _may_name_a_secret(text):  # most lines do not, and need no slow search
        text = _NAMED.sub(_masked, text)
        text = _CODE.sub(_masked, text)
    text = _DISCORD_PATH.sub(rf"\g<name>{MASK}", text)
    return _SHAPED.sub(MASK, text)


def _may_name_a_secret(text: str) -> bool:
    small = text.lower()
    return not text.isascii() or any(stem in small for stem in _STEMS)


def _masked(match: re.Match[str]) -> str:
    """Mask the value, unless it begins a sentence."""
    if match["colon"] and not match["open"]:
        word = _FIRST_WORD.fullmatch(match["value"])
        if word is not None and word[1].lower() in _BEGINS:
            return match[0]
    return match["name"] + MASK


def is_secret(name: str, text: str) -> bool:
    """Return whether the value ``text`` under this name is a secret."""
    if not _may_name_a_secret(name):
        return False
    found = (pattern.search(f"{name}={text!r}") for pattern in (_NAMED, _CODE))
    return any(match is not None and match.start() < len(name) for match in found)
