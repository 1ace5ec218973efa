"""Finds Steam's result numbers and Cloudflare's error numbers in a pasted text, which are no provider's codes."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = r"\(?(?P<number>[0-9]{1,3})(?![0-9A-Za-z_.])"
_NAMED_RESULT = re.compile(rf"e_?result(?:[ _-]?code)?[\s\"'`:=.\[-]{{0,4}}{_NUMBER}", re.IGNORECASE)
_ERROR_OF_STEAM = re.compile(
    r"(?:\bsteam(?:'?s)?[ -](?:(?:trade|offer|tradeoffer|api)[ -]){0,2}(?:error|err|result|fehler|erreur|hata|ошибка)"
    r"|\bresult|"
    rf"\btrade[ -]?(?:offer[ -]?)?(?:error|fehler))(?:[ -]?(?:code|number|nr\.?|no\.?))?[\s\"'`:=#]{{0,4}}{_NUMBER}",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\((?P<number>[0-9]{1,3})\)")
_SENTENCE_END = re.compile(r"[.!\u3002](?:\s|<br ?/?>){0,8}\((?P<number>[0-9]{1,3})\)")
_LAST = re.compile(r"\((?P<number>[0-9]{1,3})\)\W{0,4}$")
# "The trade offer was cancelled (6)": the number is the offer's state, not a result.
_OFFER_STATE = re.compile(r"\b(?:cancell?ed|declined|expired|counter(?:ed)?|accepted|reverted)\b", re.IGNORECASE)
_SUCCESS = re.compile(r"\"success\"\s?:\s?(?P<number>[0-9]{1,3})(?![0-9.])")
# Steam's own sentences, and "trade offer" in the languages in which Steam says them.
_SENTENCE = re.compile(
    r"error (?:sending|accepting|declining|cancell?ing) (?:your|this|the|a) trade ?offer|"
    r"you cannot trade with|strerror",
    re.IGNORECASE,
)
_TRADE_OFFER = re.compile(
    r"trade ?offers?|handelsangebot|предложени\w{0,4} обмена|takas teklif|"
    r"ofert\w{0,2} (?:wymiany|de intercambio|de troca)|"
    r"offre d'échange|proposta di scambio|交易报价|交易報價|lời mời trao đổi|đề nghị trao đổi",
    re.IGNORECASE,
)
_RESULT_NAME = re.compile(r"e_?result[\s\"'`:=.]{0,4}(?P<name>[A-Za-z]{4,40})", re.IGNORECASE)
_CLOUDFLARE = re.compile(
    r"cloudflare|\b(?:cf-)?ray[ -]?id\b|\bcf-ray\b|you are being rate limited|owner of this website|"
    r"sorry, you have been blocked|web server is (?:down|returning)|origin is unreachable|"
    r"error:? 10(?:0[6-9]|1[0-2]|20)\b.{0,40}access denied",
    re.IGNORECASE,
)
_CLOUDFLARE_NUMBER = re.compile(r"(?<![A-Za-z0-9.:-])(?:1[0-9]{3}|5[23][0-9])(?![\w.])")


class SteamResults(NamedTuple):
    """``certain`` numbers are Steam's even if no table has them; ``likely`` ones only if Steam's table has them."""

    certain: frozenset[int]
    likely: frozenset[int]


def steam_results(text: str) -> SteamResults:
    """Return the result numbers of Steam's messages in a text, as in "Please try again later. (26)"."""
    certain = _numbers(_NAMED_RESULT, text)
    at_end = _numbers(_SENTENCE_END, text)
    likely = at_end | _numbers(_ERROR_OF_STEAM, text) | _numbers(_SUCCESS, text)
    if is_message(text):
        certain |= at_end | _numbers(_LAST, text)
    if not is_message(text) and _OFFER_STATE.search(text):
        return SteamResults(certain, likely - at_end)
    if _TRADE_OFFER.search(text):
        likely |= _numbers(_IN_BRACKETS, text)
    elif is_about_offers(text):
        likely |= _numbers(_LAST, text)
    return SteamResults(certain, likely)


def _numbers(pattern: re.Pattern[str], text: str) -> frozenset[int]:
    return frozenset(int(found["number"]) for found in pattern.finditer(text))


def result_names(text: str) -> tuple[str, ...]:
    """Return the names that a text gives as Steam's results, as in "EResult.Revoked"."""
    return tuple(found["name"] for found in _RESULT_NAME.finditer(text))


def numbers_in_brackets(text: str) -> frozenset[int]:
    """Return the numbers in brackets of a trade's last error, unless they may be the state of its offer."""
    return frozenset() if _OFFER_STATE.search(text) and not is_message(text) else _numbers(_IN_BRACKETS, text)


def is_message(text: str) -> bool:
    """Return whether a text has one of Steam's own sentences about a trade offer."""
    return _SENTENCE.search(text) is not None


def is_about_offers(text: str) -> bool:
    """Return whether a text is about Steam or its trade offers."""
    return _TRADE_OFFER.search(text) is not None or "steam" in text.casefold()


def cloudflare_numbers(text: str) -> tuple[int, ...] | None:
    """Return the error numbers of a page of Cloudflare; None if the text is no such page."""
    if not _CLOUDFLARE.search(text):
        return None
    return tuple(dict.fromkeys(map(int, _CLOUDFLARE_NUMBER.findall(text))))
