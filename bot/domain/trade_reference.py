"""Reads the number of a trade, an offer or an order, as people paste it."""

from __future__ import annotations

import re
import unicodedata

from bot.domain.errors import InvalidInput
from bot.domain.pasted import plain
from bot.domain.secrets import mask_trade_urls
from bot.domain.trades import TradeReference

MAX_REFERENCE = 128
"""The longest order number of a shop that AssetPay takes (trades.md, 1.2)."""
_OFFER_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?steamcommunity\.com/tradeoffer/([0-9]{1,20})(?:[/?#].*)?", re.IGNORECASE
)
_TRADE_URL = re.compile("partner=|tradeoffer/new", re.IGNORECASE)
_STEPS = re.compile(r"(?:^|[/\\;])\.\.?(?:[/\\;]|$)")
"""Steps in a path. Servers in front of a provider may undo the percent-encoding before they follow them."""
_AROUND = " \t\n\r\xa0`\"'<>#“”„‘’«»"


def read_reference(text: str) -> TradeReference:
    """Read the number in what a user typed, or in a link to an offer; InvalidInput if no provider may be asked for it.

    A comma separates several numbers at AssetPay. ``.`` and ``..`` are steps in a path, also between slashes.
    """
    if len(text) > 4 * MAX_REFERENCE:
        raise InvalidInput("reference", "too_long")
    wanted = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip(_AROUND)
    read = plain(unicodedata.normalize("NFKC", wanted)).text
    if any(mask_trade_urls(each) != each for each in (text, wanted, read)) or _TRADE_URL.search(read):
        raise InvalidInput("reference", "trade_url")
    if (link := _OFFER_LINK.fullmatch(wanted)) is not None:
        return TradeReference(link[1])
    if not wanted:
        raise InvalidInput("reference", "empty")
    if len(wanted) > MAX_REFERENCE:
        raise InvalidInput("reference", "too_long")
    if "," in wanted or "://" in wanted or _STEPS.search(read) or not wanted.isprintable():
        raise InvalidInput("reference", "not_a_number")
    return TradeReference(wanted)
