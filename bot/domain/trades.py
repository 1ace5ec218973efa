"""A trade between a customer and a provider's bot, whichever provider it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from bot.domain.failures import Failure, ProviderName
from bot.domain.money import Money
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId, TradeUrl

RESENDABLE_STATUSES = frozenset({"-1", "4", "5", "6", "7", "10"})
"""Mannco.store's statuses of a failed or cancelled trade that it resends (seed 004)."""

PENDING_STATUS = "0"
COMPLETED_STATUS = "3"
"""Mannco.store's statuses: waiting for the customer, and completed (seed 004)."""

WINDOW = 500
"""Mannco.store's ``/trades/all`` lists at most the newest 500 trades (seed 004)."""


class Direction(StrEnum):
    """The direction of the items, seen from the customer."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    NOTHING = "nothing"


class Scope(StrEnum):
    """The trades to list, as the command's option spells it."""

    ACTIVE = "active"
    ALL = "all"


class TradeState(StrEnum):
    """The meaning of a provider's status word. The word itself is ``Trade.status``."""

    PREPARED = "prepared"
    """There is no offer in Steam yet."""
    OFFERED = "offered"
    """The offer is in Steam and not accepted."""
    HELD = "held"
    """Accepted, and not final before Steam's trade protection ends."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Taken back, declined or expired before it was accepted."""
    REVERTED = "reverted"
    """Undone after it was accepted."""
    UNKNOWN = "unknown"
    """A word without documentation: it counts as open."""

    @property
    def is_open(self) -> bool:
        """Whether the trade may still change."""
        return self in _OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the trade is over and its items are back with their owner."""
        return self in _FAILED


_OPEN = frozenset({TradeState.PREPARED, TradeState.OFFERED, TradeState.HELD, TradeState.UNKNOWN})
_FAILED = frozenset({TradeState.FAILED, TradeState.CANCELLED, TradeState.REVERTED})


class NotResendableReason(StrEnum):
    """The condition of a resend that a trade does not meet."""

    NO_RESEND = "no_resend"
    """The provider has no resend."""
    STATUS = "status"
    NOTHING_TO_SEND = "nothing_to_send"


class TradeItem(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One item of a trade. All texts are untrusted; ``status`` and ``error`` are AssetPay's words about this item."""

    name: str = ""
    asset_id: str = ""
    price: Money | None = None
    """The amount credited for it in a deposit, or paid in a withdrawal."""
    status: str = ""
    error: str = ""


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One trade. ``last_error``, names and references are untrusted text; only the owner may see ``code``."""

    provider: ProviderName
    id: str
    """The provider's number: an integer (Mannco.store), a UUID (AssetPay), a transaction id (SkinsBack)."""
    owner: SteamId | None
    """None if the provider named no readable account: only staff see the trade."""
    direction: Direction
    state: TradeState
    status: str
    """The provider's word or number, as it came."""
    to_customer: tuple[TradeItem, ...] = ()
    from_customer: tuple[TradeItem, ...] = ()
    game: Game | None = None
    offer_id: str = ""
    """Steam's number of the trade offer."""
    shop_reference: str = ""
    """The shop's own order number."""
    bot: SteamId | None = None
    bot_name: str = ""
    code: TradeCode | None = None
    """Mannco.store's verification code."""
    total: Money | None = None
    """The whole amount credited for a deposit, or paid for a withdrawal."""
    credited_now: Money | None = None
    """The part of ``total`` that the provider credits as soon as the trade is accepted."""
    credited_later: Money | None = None
    """The part of ``total`` that is credited once the trade is completed."""
    merchant_amount: Money | None = None
    """The merchant's amount for the items (SkinsBack's ``amount``): for holders of ``trades.any`` only."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    """When the provider cancels the offer if it is not accepted."""
    hold_ends: datetime | None = None
    """When Steam's trade protection ends; an estimate, good to the day, if ``hold_end_is_estimate``."""
    hold_end_is_estimate: bool = False
    reverted_by: str = ""
    """Who undid it, in the provider's word."""
    last_error: str = ""

    @property
    def items(self) -> tuple[TradeItem, ...]:
        """The items that move in the trade's direction."""
        return self.from_customer if self.direction is Direction.DEPOSIT else self.to_customer

    @property
    def status_kind(self) -> str:
        """The catalogue's kind of its status words: SkinsBack's are those of deposits."""
        return "deposit" if self.provider is ProviderName.SKINSBACK else "trade"

    @property
    def lacks_offer(self) -> bool:
        """Whether it waits for the customer although there is no offer yet."""
        return self.provider is ProviderName.MANNCO and self.status == PENDING_STATUS and not self.offer_id

    @property
    def not_resendable(self) -> NotResendableReason | None:
        """The first condition of a resend that is not met, or None if the trade can be resent."""
        if self.provider is not ProviderName.MANNCO:
            return NotResendableReason.NO_RESEND
        if self.status not in RESENDABLE_STATUSES:
            return NotResendableReason.STATUS
        if not self.to_customer:
            return NotResendableReason.NOTHING_TO_SEND
        return None


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """This desk's key may not see the trades that were asked about, so that none is listed says nothing.

    ``sees_only`` is the one account whose trades it sees, None if nothing shows which. If ``per_account``, it may see
    those of another account that is named.
    """

    sees_only: SteamId | None
    per_account: bool = False


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A listed trade that could not be read: its place in the answer, and its owner if that could be read."""

    place: str
    owner: SteamId | None = None


@dataclass(frozen=True, slots=True)
class TradeList:
    """The trades that Mannco.store lists for this desk's key, newest first.

    It lists the trades of the key's own account, or everyone's to an administrator (seed 004), and does not say
    which: the list has to show it. ``key_owner`` is the key's own account, None if unknown. ``account`` is the only
    account that was asked about, None if none was named; ``per_account`` says that one can be.
    """

    trades: tuple[Trade, ...] = ()
    key_owner: SteamId | None = None
    account: SteamId | None = None
    unread: tuple[UnreadRow, ...] = ()
    per_account: bool = False

    @property
    def is_full(self) -> bool:
        """Whether there may be older trades that are not listed."""
        return len(self.trades) + len(self.unread) >= WINDOW

    def limit_for(self, account: SteamId | None) -> KeyLimit | None:
        """Return None if the trades of this account, or of everyone for None, are listed if there are any."""
        if account is not None and account == self.account and not self.trades:
            return None
        seen = {trade.owner for trade in self.trades if trade.owner is not None}
        if self.key_owner is not None:
            seen.add(self.key_owner)
        if account in seen or len(seen) > 1:
            return None
        return KeyLimit(next(iter(seen), None), self.per_account and self.account is None)

    def find(self, trade_id: int) -> Trade | None:
        """Return the trade with this number, if it is listed."""
        return next((trade for trade in self.trades if trade.id == str(trade_id)), None)


@dataclass(frozen=True, slots=True)
class TradeReference:
    """A provider's number of a trade, Steam's number of an offer, or the shop's order number.

    The text is untrusted, but has at most 128 characters and none that a provider could misread.
    """

    text: str

    def matches(self, trade: Trade) -> bool:
        """Return whether it is the number of this trade, of its offer or of the shop's order."""
        wanted = self.text.casefold()
        return wanted == trade.id.casefold() or self.text in filter(None, (trade.offer_id, trade.shop_reference))


@dataclass(frozen=True, slots=True)
class TradeQuery:
    """What ``/trades`` asks a provider for.

    ``account`` is None for everyone's trades. With a ``reference`` only the trades that it names are wanted, in any
    state. ``trade_url`` is the account's, if it was given: it holds a token.
    """

    scope: Scope = Scope.ALL
    account: SteamId | None = None
    trade_url: TradeUrl | None = field(default=None, repr=False)
    reference: TradeReference | None = None


class NotAsked(StrEnum):
    """Why a provider was not asked: the query lacks this."""

    TRADE_URL = "trade_url"
    """It lists an account's trades only with the account's trade URL (AssetPay)."""
    REFERENCE = "reference"
    """It finds single trades by their numbers and lists none (AssetPay)."""
    OTHER_ACCOUNT = "other_account"
    """The configured client token belongs to another account (AssetPay)."""


@dataclass(frozen=True, slots=True)
class TradeReading:
    """What one provider answered to a :class:`TradeQuery`.

    It may hold trades of other accounts and in other states than asked for: the service leaves them out.
    """

    trades: tuple[Trade, ...] = ()
    unread: tuple[UnreadRow, ...] = ()
    since: datetime | None = None
    """The beginning of the period that was asked about; None if there is none."""
    is_cut: bool = False
    """Whether the list ended at SkinDesk's own bound of pages or time."""
    is_full: bool = False
    """Whether the provider lists only the newest :data:`WINDOW` trades, and did."""
    failure: Failure | None = None
    """What ended the reading early, if some trades had been read by then."""
    limit: KeyLimit | None = None
    of_account_alone: bool = False
    """Whether only the account's own trades were listed, so that every row is the account's."""
    knows_offers: bool = True
    """Whether Steam's offer number would have been found, if the query has a reference."""
