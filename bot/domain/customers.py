"""What staff see of a customer on one screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.links import Holder, Link
from bot.domain.notes import Note
from bot.domain.references import ErrorReference
from bot.domain.resends import Resend
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.trades import Trade

if TYPE_CHECKING:
    from bot.domain.access import Actor

VIEWS_OF_CUSTOMERS = frozenset(
    {
        AuditAction.CUSTOMER_VIEWED,
        AuditAction.TRADES_VIEWED,
        AuditAction.INVENTORY_VIEWED,
        AuditAction.REFERENCE_VIEWED,
    }
)
"""Views of one customer's data by staff."""


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A customer: a member, a Steam account, or a member with the account that is linked to them."""

    user_id: int | None = None
    steam_id: SteamId | None = None

    @property
    def subject(self) -> str:
        """The customer as the audit log spells them."""
        return f"steam:{self.steam_id}" if self.user_id is None else f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class NoteList:
    """The notes on a customer, newest first. The reader may remove those in ``removable``."""

    key: CustomerKey
    notes: tuple[Note, ...]
    removable: frozenset[int]
    hides_authors: bool
    """Whether they are about the reader, who then learns no colleague's name, as in ``/mydata export``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as stored and as the providers answer now; every list has its newest entries first.

    ``holders`` are those of the account, and their accounts, now and within the cool-down of links. ``answer`` is None
    if there is no account, or no provider that lists trades. ``views`` are the staff's, before this one.
    """

    key: CustomerKey
    link: Link | None
    holders: frozenset[Holder]
    answer: TradesAnswer | None
    resends: tuple[Resend, ...]
    notes: NoteList
    errors: tuple[ErrorReference, ...]
    views: tuple[AuditRow, ...]
    may_ask: bool
    """Whether the reader may ask for resends of anyone's trades."""
    read_at: datetime

    @property
    def former_holders(self) -> tuple[int, ...]:
        """The other members who had the account within the cool-down."""
        return tuple(sorted({each.user_id for each in self.holders if each.steam_id == self.key.steam_id} - {self._id}))

    @property
    def former_accounts(self) -> tuple[SteamId, ...]:
        """The other accounts that the member had within the cool-down."""
        found = {each.steam_id for each in self.holders if each.user_id == self._id and self._id is not None}
        return tuple(sorted(account for account in found if account != self.key.steam_id))

    @property
    def open_resends(self) -> tuple[Resend, ...]:
        """The requests that wait for a decision or an outcome."""
        return tuple(resend for resend in self.resends if resend.state.is_open)

    @property
    def newest_resendable(self) -> Trade | None:
        """The newest trade that can be sent again and for which no request is open, if the reader may ask for it."""
        asked = {(resend.provider, str(resend.trade_id)) for resend in self.open_resends}
        trades = self.answer.trades if self.may_ask and self.answer is not None else ()
        found = (trade for trade in trades if trade.not_resendable is None)
        return next((trade for trade in found if (trade.provider, trade.id) not in asked), None)

    @property
    def _id(self) -> int | None:
        return self.key.user_id


def is_self(key: CustomerKey, link: Link | None, actor: Actor) -> bool:
    """Return whether a member looks at themselves. A link that they made themselves as staff proves nothing."""
    return key.user_id == actor.user_id and (link is None or not link.is_self_made)
