"""Reads the number of a trade, an offer or an order, as people paste it."""

from __future__ import annotations

import re
import unicodedata

from bot.domain.errors import InvalidInput
from bot.domain.secrets import mask_trade_urls
from bot.domain.trades import TradeReference

_LONGEST = 128
"""The longest order number of a shop that AssetPay takes (trades.md, 1.2)."""
_OFFER_LINK = re.compile(r"(?:https?://)?(?:www\.)?steamcommunity\.com/tradeoffer/([0-9]{1,20})/?", re.IGNORECASE)
_AROUND = " \t\n\r`\"'<>#"


def read_reference(text: str) -> TradeReference:
    """Read the number in what a user typed, or in a link to an offer; InvalidInput if no provider may be asked for it.

    A comma separates several numbers at AssetPay, ``.`` and ``..`` are steps in a path.
    """
    if len(text) > 4 * _LONGEST:
        raise InvalidInput("reference", "too_long")
    if mask_trade_urls(text) != text:
        raise InvalidInput("reference", "trade_url")
    wanted = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip(_AROUND)
    if (link := _OFFER_LINK.fullmatch(wanted)) is not None:
        return TradeReference(link[1])
    if not wanted:
        raise InvalidInput("reference", "empty")
    if len(wanted) > _LONGEST:
        raise InvalidInput("reference", "too_long")
    if "," in wanted or wanted in (".", "..") or not wanted.isprintable():
        raise InvalidInput("reference", "not_a_number")
    return TradeReference(wanted)
