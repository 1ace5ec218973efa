"""Masks trade tokens in text that is shown or stored."""

from __future__ import annotations

import re

_MASK = "••••"

# Control characters, and the characters that Unicode calls ignorable by default.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Possessive quantifiers: people paste up to 6000 characters, and a pattern that backtracks would block the bot.
_TOKEN_WORD = "".join(f"(?:{letter}|%(?:25)*(?:{ord(letter):x}|{ord(letter.upper()):x}))" for letter in "token")
_TOKEN = re.compile(
    rf"(?P<key>{_TOKEN_WORD}[\s\"'`*_~|\\]*+"
    r"(?:[=:\uff1d\uff1a]|%(?:25)*3[ad]|u003[ad]|&(?:\#61|\#58|\#x3[ad]|equals|colon);)"
    r"[\s=:<>(\[{\"'`*|~\\]*+)[^\s&\#)>\]\"]++",
    re.IGNORECASE,
)


def mask_trade_urls(text: str) -> str:
    """Return ``text`` with every trade token masked; in that case also without invisible characters."""
    visible = INVISIBLE.sub("", text)
    masked = _TOKEN.sub(rf"\g<key>{_MASK}", visible)
    return text if masked == visible else masked
