"""Failures of provider calls, and their explanations."""

from __future__ import annotations

import hashlib
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
        """The provider's name for people, with the dialect or endpoint in brackets."""
        return _LABELS[self]

    @property
    def family(self) -> str:
        """The provider behind the dialect or endpoint, as ``/trades provider`` spells it."""
        return "assetpay" if self in _ASSETPAY else self.value

    @property
    def dialect(self) -> Dialect:
        """The numbering of this provider's error codes."""
        return Dialect.ASSETPAY if self is ProviderName.ASSETPAY_CLIENT else Dialect(self.value)


class Party(StrEnum):
    """A service that is called over the same transport but is no provider."""

    STEAM = "steam"

    @property
    def label(self) -> str:
        """The service's name for people."""
        return self.value.capitalize()

    @property
    def dialect(self) -> Dialect:
        """The numbering of its error codes."""
        return Dialect.STEAM


class Dialect(StrEnum):
    """A numbering of errors: the same number means different things in different dialects."""

    ASSETPAY = "assetpay"
    ASSETPAY_LEGACY = "assetpay_legacy"
    SKINSBACK = "skinsback"
    MANNCO = "mannco"
    STEAM = "steam"
    CLOUDFLARE = "cloudflare"
    SKINDESK = "skindesk"

    @property
    def label(self) -> str:
        """The name of whose numbering it is, for people."""
        return _DIALECTS[self]


_ASSETPAY = frozenset({ProviderName.ASSETPAY, ProviderName.ASSETPAY_CLIENT, ProviderName.ASSETPAY_LEGACY})
_LABELS = {
    ProviderName.ASSETPAY: "AssetPay",
    ProviderName.ASSETPAY_CLIENT: "AssetPay (client)",
    ProviderName.ASSETPAY_LEGACY: "AssetPay (.co)",
    ProviderName.SKINSBACK: "SkinsBack",
    ProviderName.MANNCO: "Mannco.store",
}
_DIALECTS = {
    Dialect.ASSETPAY: "AssetPay (.gg)",
    Dialect.ASSETPAY_LEGACY: "AssetPay (.co)",
    Dialect.SKINSBACK: "SkinsBack",
    Dialect.MANNCO: "Mannco.store",
    Dialect.STEAM: "Steam",
    Dialect.CLOUDFLARE: "Cloudflare",
    Dialect.SKINDESK: "SkinDesk",
}


class FailureKind(StrEnum):
    """How a call failed."""

    REFUSED = "refused"
    """The provider refused, in its own envelope."""
    UNREACHABLE = "unreachable"
    """No connection was made: the provider did not get the request."""
    LOST = "lost"
    """The connection ended before the whole response arrived: the provider may have acted."""
    TIMED_OUT = "timed_out"
    """No whole response in time: the provider may have acted."""
    NONSENSE = "nonsense"
    """A response that is not as documented; ``place`` is where."""
    TOO_LARGE = "too_large"
    """A response above the size that SkinDesk reads."""
    REDIRECTED = "redirected"
    """A redirect, which SkinDesk does not follow."""
    THROTTLED = "throttled"
    """HTTP 429, with or without an envelope."""
    BROKEN = "broken"
    """HTTP 5xx without an envelope."""
    BLOCKED = "blocked"
    """HTTP 401, 403, 404 or 451 without an envelope: refused before the provider's own API."""
    RATE_LIMITED_LOCALLY = "over_budget"
    """Not asked: SkinDesk keeps the provider's documented limit; ``retry_after`` says until when."""
    CIRCUIT_OPEN = "resting"
    """Not asked: the circuit breaker is open; ``retry_after`` says until when."""
    BUSY = "busy"
    """Not asked: SkinDesk had no free slot in time, because others ask, too."""
    BUSY_WITH_OWN = "busy_with_own"
    """Not asked: the caller's own calls take as many slots as one person may have."""
    WRONG_ACCOUNT = "wrong_account"
    """A fixed client token belongs to another SteamID than the one asked for (design.md, 1.5)."""


@dataclass(frozen=True, slots=True)
class TradeUrlCheck:
    """What AssetPay's check of a trade URL found: its state as a status word, and facts such as escrow days, masked."""

    state: str
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call. ``message`` is the provider's own, untrusted text, for staff only."""

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
    """The provider's method that was called, if numbers depend on it (SkinsBack)."""
    says_success: bool = field(default=False, compare=False)
    """Whether a NONSENSE response says in its envelope that the call succeeded."""
    details: tuple[tuple[str, str], ...] = ()
    """Facts of the refusal that the provider names, such as escrow days or bans: names and values, both masked."""
    trade_url_check: TradeUrlCheck | None = field(default=None, compare=False)
    """The result of a check of the trade URL after the failure, as a hint to its cause (AssetPay)."""
    took: timedelta | None = field(default=None, compare=False)
    """The caller's waiting time over all attempts; None if the provider was not called."""


CALLERS_OWN = frozenset(
    {FailureKind.RATE_LIMITED_LOCALLY, FailureKind.CIRCUIT_OPEN, FailureKind.BUSY, FailureKind.BUSY_WITH_OWN}
)
"""SkinDesk refused without a call. That is about the caller: another one may be answered at the same moment."""
NOT_DONE = CALLERS_OWN | {FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.THROTTLED}
"""Failures after which the provider has certainly not acted; after any other one it may have."""


class Fixer(StrEnum):
    """Who can fix an error."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMINISTRATOR = "administrator"
    PROVIDER = "provider"
    TIME = "time"


class Repeat(StrEnum):
    """Whether a repeat makes sense."""

    NEVER = "never"
    AFTER_FIX = "after_fix"
    LATER = "later"


def _id_of(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation of an error.

    ``customer`` and ``agent`` are the next step for each of them. A ``confidential`` explanation is about the
    merchant's own credentials: customers see neither its key nor its meaning. ``repeat_after`` is the wait before a
    repeat if ``repeat`` is LATER. ``source`` is the seed or page it comes from. ``resend`` is what a moderator has to
    know before the offer is sent again.
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
    resend: str = ""
    id: str = field(default="", compare=False)
    """Short text that identifies the entry, also after its texts have changed, and a copy with another code."""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", _id_of("error", self.dialect, self.method, self.code, self.key))


@dataclass(frozen=True, slots=True)
class StatusExplanation:
    """An explanation of a trade's or deposit's status. ``word`` is the provider's value as text."""

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
    """The title for customers, if it differs."""
    id: str = field(default="", compare=False)
    """Short text that identifies the entry, also after its texts have changed, and a copy with another word."""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", _id_of("status", self.dialect, self.kind, self.word))
