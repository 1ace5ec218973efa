"""The facts behind the reference of an error, kept for a week so that staff can look up what a user was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.failures import Explanation, Failure, FailureKind
from bot.domain.normal_forms import normalized

KEPT_FOR = timedelta(days=7)
"""The lifetime of a reference (design.md, 1.5)."""

_ALONE = re.compile(r"#?([0-9a-f]{6})", re.IGNORECASE)
# "Reference" in the languages of SkinDesk, as docs/glossary.md has it, and shortened.
_QUOTED = re.compile(
    r"(?:\b(?:reference|referenz|refer[eê]ncia|referencyjny|(?:код|номер) обращения|referans|tham chiếu)"
    r"(?:\s(?:number|no|nummer|numarası|kodu))?\W{1,4}|参考(?:编号|号码?)\W{0,4})([0-9a-f]{6})(?![0-9a-z])",  # noqa: RUF001 -- Turkish
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ErrorReference:
    """An error that a user was shown.

    ``error`` is the exception's type, ``title`` the title that the user read, in English. ``failure`` is that of a
    provider's call, without the provider's texts.
    """

    guild_id: int
    reference: str
    user_id: int
    at: datetime
    command: str
    error: str
    title: str
    failure: Failure | None = None


def reference_in(text: str) -> str | None:
    """Return the reference that a text is, or that it quotes as SkinDesk's errors show it: "Reference 041ee7"."""
    found = _ALONE.fullmatch(text.strip()) or _QUOTED.search(normalized("NFC", text))
    return found[1].lower() if found else None


def without_texts(failure: Failure, explanation: Explanation) -> Failure:
    """Return a failure without what the provider wrote about the account or trade.

    Mannco.store and SkinsBack name some errors by their message alone, so the catalogue's key takes its place.
    """
    named = explanation.known and failure.kind is FailureKind.REFUSED
    key = failure.key or (explanation.key if named else None)
    return replace(failure, key=key, message=None, details=(), trade_url_check=None, retry_after=None)
