"""Values that must never be shown, and the masking of trade tokens in text that is shown or stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NoReturn, final

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


class Secret:
    """A text that only :meth:`reveal` returns; ``str``, ``repr`` and ``format`` return a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself, for the place that has to send it."""
        return self._value

    def digest(self) -> str:
        """Return the SHA-256 hex digest, to see later whether the secret has changed."""
        return hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).hexdigest()

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine = self._value.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(mine, other._value.encode("utf-8", "surrogatepass"))

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __str__(self) -> str:
        return _MASK

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_MASK})"

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not pickled or copied to disk")


@final
class TradeToken(Secret):
    """The ``token`` of a Steam trade URL: it allows sending its owner offers."""

    __slots__ = ()


@final
class TradeCode(Secret):
    """Mannco.store's verification ``code`` of a trade: only the trade's owner may see it (seed 004)."""

    __slots__ = ()


@final
class SignInToken(Secret):
    """The end of a sign-in address: it allows linking an account to the Discord user."""

    __slots__ = ()


@final
class SignInAddress(Secret):
    """The whole address of a Steam sign-in, with its token."""

    __slots__ = ()


def mask_trade_urls(text: str) -> str:
    """Return ``text`` with every trade token masked; in that case also without invisible characters."""
    visible = INVISIBLE.sub("", text)
    masked = _TOKEN.sub(rf"\g<key>{_MASK}", visible)
    return text if masked == visible else masked
