"""Text as people type it: searches and prices, with the apostrophes, hyphens and digits of any keyboard."""

import re
from decimal import Decimal

from bot.domain.errors import InvalidInput
from bot.domain.normal_forms import normalized

_SIGNS: dict[int, str | None] = (
    dict.fromkeys(
        map(
            ord,
            "`\u00b4\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u055a\u05f3\ua78c",
        ),
        "'",
    )
    | dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u301d\u301e\u301f\u05f4"), '"')
    | dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\u05be"), "-")
    | dict.fromkeys((0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {0x0130: "I", 0x0131: "i"}
    | dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x2060, 0xFEFF))
)
"""Signs that look alike, no-break spaces, full-width letters and the Turkish i as ASCII has them; invisible ones go."""

_SIGN_LIKE = re.compile(f"[{re.escape(''.join(map(chr, _SIGNS)))}]")

_CODES = (
    "aed|ars|aud|brl|byn|cad|chf|clp|cny|cop|crc|czk|dkk|eur|gbp|gel|hkd|huf|idr|ils|inr|jpy|krw|kwd|kzt|mxn|myr|nok"
    "|nzd|pen|php|pln|qar|rmb|ron|rub|rur|sar|sek|sgd|thb|try|twd|uah|usd|usdt|uyu|vnd|zar"
)
_SIGN = rf"(?:[a-z]{{0,3}}[$€£¥₩₪₫₴₸₹₺₽₾]|{_CODES}|руб\.?|р\.?|грн\.?|zł|đ|kr\.?|tl|[美欧]?元|円)"  # noqa: RUF001 -- Cyrillic
_PRICE = r"""(?:{sign}\ ?)? (?:
        (?P<plain> \d{{1,12}} (?:[{decimal}]\d{{1,8}} | [{other}]\d{{1,2}})? | 0[{other}]\d{{1,8}} )
      | (?P<grouped> [1-9]\d{{0,2}} (?P<mark>[\ ',.]) \d{{3}} (?:(?P=mark)\d{{3}}){{0,2}}
                     (?:(?!(?P=mark)) [.,] \d{{1,8}})? )
    )? (?:\ ?{sign})?"""
_PRICES = {
    decimal: re.compile(_PRICE.format(sign=_SIGN, decimal=decimal, other=other), re.VERBOSE | re.ASCII)
    for decimal, other in (".,", ",.")
}
"""How prices are written by people whose decimals follow this sign."""


def straight(text: str) -> str:
    """Return a text with straight apostrophes, quotes and hyphens, in NFC: as Steam writes its English names."""
    return text if text.isascii() else normalized("NFC", _SIGN_LIKE.sub(_straight_sign, text))


def folded(text: str) -> str:
    """Return the form in which names and searches are compared and sorted; İ from a Turkish keyboard is an i."""
    if text.isascii():  # most names: ten thousand of them take a millisecond
        return text.lower().replace("`", "'")
    compatible = normalized("NFKC", _SIGN_LIKE.sub(_straight_sign, text))
    return normalized("NFKC", compatible.casefold().replace("i\u0307", "i"))  # İ written as two characters


def price_from(option: str, text: str, *, decimal: str = ".") -> Decimal | None:
    """Read a price as a user typed it; None if empty; raise InvalidInput for ``option`` otherwise.

    Thousands may be set apart, decimals follow a dot or a comma: ``1,204.50``, ``1.204,50``, ``1 204,5``. If there is
    one mark only, before three digits, it begins decimals if it is the ``decimal`` sign of the user's language and sets
    thousands apart otherwise: ``1.204`` is little more than one in English, and over a thousand in German. The sign of
    a currency is dropped: the amount counts in the currency of the offers.
    """
    typed = " ".join(normalized("NFKC", straight(text)).replace("。", ".").casefold().split())
    found = _PRICES[decimal].fullmatch(typed)
    if found is None:
        raise InvalidInput(option, "not_a_price")
    if (plain := found["plain"]) is not None:
        return Decimal(plain.replace(",", "."))
    if (grouped := found["grouped"]) is not None:
        return Decimal(grouped.replace(found["mark"], "").replace(",", "."))
    return None


def _straight_sign(found: re.Match[str]) -> str:
    return _SIGNS[ord(found[0])] or ""
