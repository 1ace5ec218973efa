"""Values that must never be shown, and the masking of trade tokens in text that is shown or stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NoReturn, final

from bot.domain.pasted import plain

_MASK = "••••"

# Possessive quantifiers: people paste up to 6000 characters, and a pattern that backtracks would block the bot.
_TOKEN = re.compile(
    r"token[\s\"'`*_~|\\]*+(?:[=:\uff1d\uff1a]|u003[ad])"
    r"(?:</?[a-z]{1,6}/?>|[\s=:<>(\[{\"'`*|~\\])*+"
    r"(?P<value>[^\s&\#)>\]\"\u3001\u3002\u300b\u300d\u3011\uff01\uff09\uff0c\uff1b\uff1f]++)",
    re.IGNORECASE,
)

_MAY_HOLD_TOKEN = re.compile(r"token|[&%\\]|[^ -~]", re.IGNORECASE)
"""Most texts do not match: they have no layers that :func:`plain` undoes, and do not name a token."""


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
    """Return ``text`` with every trade token masked, in each spelling that :func:`bot.domain.pasted.plain` undoes."""
    if not _MAY_HOLD_TOKEN.search(text):
        return text
    read = plain(text)
    pieces: list[str] = []
    end = 0
    for found in _TOKEN.finditer(read.text):
        pieces += (text[end : read.starts[found.start("value")]], _MASK)
        end = read.starts[found.end()]
    return "".join(pieces) + text[end:] if pieces else text
