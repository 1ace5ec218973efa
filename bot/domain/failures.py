"""How a provider's call can fail, and what an explanation of it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class ProviderName(StrEnum):
    """A provider as the configuration names its table."""

    ASSETPAY = "assetpay"
    ASSETPAY_CLIENT = "assetpay_client"
    ASSETPAY_LEGACY = "assetpay_legacy"
    SKINSBACK = "skinsback"
    MANNCO = "mannco"

    @property
    def label(self) -> str:
        """The provider as people call it, its dialect or endpoint in brackets where there are several."""
        return _LABELS[self]

    @property
    def dialect(self) -> Dialect:
        """Whose numbering this provider's error codes follow."""
        return _DIALECTS[self]


class Party(StrEnum):
    """Somebody else who is asked over the same transport, and is no provider."""

    STEAM = "steam"

    @property
    def label(self) -> str:
        """The party as people call it."""
        return self.value.capitalize()

    @property
    def dialect(self) -> Dialect:
        """Whose numbering its error codes would follow."""
        return Dialect.STEAM


class Dialect(StrEnum):
    """A numbering of errors: the same number means different things in different dialects."""

    ASSETPAY = "assetpay"
    ASSETPAY_LEGACY = "assetpay_legacy"
    SKINSBACK = "skinsback"
    MANNCO = "mannco"
    STEAM = "steam"
    SKINDESK = "skindesk"


_LABELS = {
    ProviderName.ASSETPAY: "AssetPay",
    ProviderName.ASSETPAY_CLIENT: "AssetPay (client)",
    ProviderName.ASSETPAY_LEGACY: "AssetPay (.co)",
    ProviderName.SKINSBACK: "SkinsBack",
    ProviderName.MANNCO: "Mannco.store",
}
_DIALECTS = {
    ProviderName.ASSETPAY: Dialect.ASSETPAY,
    ProviderName.ASSETPAY_CLIENT: Dialect.ASSETPAY,
    ProviderName.ASSETPAY_LEGACY: Dialect.ASSETPAY_LEGACY,
    ProviderName.SKINSBACK: Dialect.SKINSBACK,
    ProviderName.MANNCO: Dialect.MANNCO,
}


class FailureKind(StrEnum):
    """How a call failed, seen from outside the provider."""

    REFUSED = "refused"
    """The provider answered in its own envelope that it will not do it."""
    UNREACHABLE = "unreachable"
    """No connection was made: the provider never saw the request."""
    LOST = "lost"
    """The connection ended before a whole answer: the provider may have acted."""
    TIMED_OUT = "timed_out"
    """No whole answer in time: the provider may have acted."""
    NONSENSE = "nonsense"
    """An answer that is not what the provider documents; ``place`` says where."""
    TOO_LARGE = "too_large"
    """An answer above the size that SkinDesk reads."""
    REDIRECTED = "redirected"
    """An answer that points elsewhere; SkinDesk does not follow."""
    THROTTLED = "throttled"
    """HTTP 429, with or without an envelope."""
    BROKEN = "broken"
    """HTTP 5xx without an envelope."""
    RATE_LIMITED_LOCALLY = "over_budget"
    """Not asked: SkinDesk keeps the provider's documented limit; ``retry_after`` says until when."""
    CIRCUIT_OPEN = "resting"
    """Not asked: the circuit breaker is open; ``retry_after`` says until when."""
    WRONG_ACCOUNT = "wrong_account"
    """A fixed client token belongs to another SteamID than the one asked for (design.md, 1.5)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call, as facts. ``message`` is the provider's own text: outside data, for staff only.

    ``took`` is how long the caller waited for it, all tries together; None where nothing was asked. Two failures
    that differ in it alone are the same.
    """

    provider: ProviderName | Party
    kind: FailureKind
    code: int | None = None
    key: str | None = None
    message: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    retry_after: timedelta | None = None
    place: str | None = None
    method: str | None = None
    """Which of the provider's methods was called, where numbers depend on it (SkinsBack)."""
    took: timedelta | None = field(default=None, compare=False)


NOT_DONE = frozenset({
    FailureKind.REFUSED,
    FailureKind.UNREACHABLE,
    FailureKind.THROTTLED,
    FailureKind.RATE_LIMITED_LOCALLY,
    FailureKind.CIRCUIT_OPEN,
})  # fmt: skip
"""Failures after which the provider has certainly not acted; every other one leaves a doubt."""


class Fixer(StrEnum):
    """Who can do something about it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMINISTRATOR = "administrator"
    PROVIDER = "provider"
    TIME = "time"


class Repeat(StrEnum):
    """Whether doing the same again makes sense."""

    NEVER = "never"
    AFTER_FIX = "after_fix"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error in words people can act on.

    ``customer`` and ``agent`` are the next step of each. A ``confidential`` explanation is about the merchant's
    own credentials: customers see neither its key nor its meaning. ``repeat_after`` is how long to wait before a
    repeat, where ``repeat`` is LATER. ``source`` is the seed or page it comes from.
    """

    dialect: Dialect
    code: int | None
    key: str
    title: str
    meaning: str
    cause: str
    customer: str
    agent: str
    fixer: Fixer
    repeat: Repeat
    source: str
    repeat_after: timedelta | None = None
    method: str | None = None
    confidential: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True)
class StatusExplanation:
    """A trade's or deposit's status in words. ``word`` is the provider's value as text.

    ``title`` is worded for the staff; ``customer_title`` is what its owner reads, where that differs.
    """

    dialect: Dialect
    word: str
    title: str
    customer: str
    agent: str
    fixer: Fixer
    is_final: bool
    source: str
    kind: str = "trade"
    known: bool = True
    customer_title: str | None = None
