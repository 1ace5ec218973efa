"""A trade between a customer and a provider's bot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.failures import ProviderName
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId

RESENDABLE_STATUSES = frozenset({-1, 4, 5, 6, 7, 10})
"""The statuses of a failed or cancelled trade that Mannco.store resends (seed 004)."""

PENDING_STATUS = 0
COMPLETED_STATUS = 3
"""Waiting for the customer, and completed (seed 004)."""

WINDOW = 500
"""``/trades/all`` lists at most the newest 500 trades (seed 004)."""


class Direction(StrEnum):
    """The direction of the items, seen from the customer."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    NOTHING = "nothing"


class Scope(StrEnum):
    """The trades to list, as the command's option spells it."""

    ACTIVE = "active"
    ALL = "all"


class NotResendableReason(StrEnum):
    """The condition of a resend that a trade does not meet."""

    STATUS = "status"
    NOTHING_TO_SEND = "nothing_to_send"


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade; ``last_error`` is untrusted text, and only the owner may see ``code``."""

    provider: ProviderName
    id: int
    owner: SteamId
    status: int
    """The provider's number."""
    items_send: tuple[str, ...]
    """Asset ids that go to the customer."""
    items_received: tuple[str, ...]
    """Asset ids that come from the customer."""
    bot: SteamId | None
    offer_id: str
    created_at: datetime | None
    code: TradeCode | None
    last_error: str
    game: Game | None = None

    @property
    def direction(self) -> Direction:
        """Items to send make a withdrawal, items to receive a deposit (seed 004)."""
        if self.items_send:
            return Direction.WITHDRAWAL
        return Direction.DEPOSIT if self.items_received else Direction.NOTHING

    @property
    def lacks_offer(self) -> bool:
        """Whether it waits for the customer although there is no offer yet."""
        return self.status == PENDING_STATUS and not self.offer_id

    @property
    def not_resendable(self) -> NotResendableReason | None:
        """The first condition of a resend that is not met, or None if the trade can be resent."""
        if self.status not in RESENDABLE_STATUSES:
            return NotResendableReason.STATUS
        if not self.items_send:
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
class TradeList:
    """The trades that a provider lists for this desk's key, newest first.

    Mannco.store lists the trades of the key's own account, or everyone's to an administrator (seed 004), and does not
    say which: the list has to show it. ``key_owner`` is the key's own account, None if unknown. ``account`` is the only
    account that was asked about, None if none was named; ``per_account`` says that one can be. ``left_out`` has the
    places of rows that could not be read.
    """

    trades: tuple[Trade, ...] = ()
    key_owner: SteamId | None = None
    account: SteamId | None = None
    left_out: tuple[str, ...] = ()
    per_account: bool = False

    @property
    def is_full(self) -> bool:
        """Whether there may be older trades that are not listed."""
        return len(self.trades) + len(self.left_out) >= WINDOW

    def limit_for(self, account: SteamId | None) -> KeyLimit | None:
        """Return None if the trades of this account, or of everyone for None, are listed if there are any."""
        if account is not None and account == self.account and not self.trades:
            return None
        seen = {trade.owner for trade in self.trades}
        if self.key_owner is not None:
            seen.add(self.key_owner)
        if account in seen or len(seen) > 1:
            return None
        return KeyLimit(next(iter(seen), None), self.per_account and self.account is None)

    def find(self, trade_id: int) -> Trade | None:
        """Return the trade with this id, if it is listed."""
        return next((trade for trade in self.trades if trade.id == trade_id), None)
