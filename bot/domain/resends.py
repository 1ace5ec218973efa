"""A request to send a trade's offer again: its states, who may decide, and what the moderator saw.

pending ──approve──▶ approved ──begin──▶ sending ──▶ sent | failed | unknown
   │                    └──restart──▶ pending                  unknown ──▶ sent | failed
   └──▶ denied | expired | cancelled
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.masking import mask_trade_urls
from bot.domain.trades import COMPLETED_STATUS, PENDING_STATUS, Trade

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.failures import ProviderName
    from bot.domain.secrets import TradeCode
    from bot.domain.steam import SteamId

MAX_REASON = 200
"""Longest reason for a request or a denial, in characters."""

OPENED_AT_MOST = 5
"""Requests that somebody without ``resend.any`` may open in a guild within :data:`OPENED_WITHIN`.

Each is read by a moderator, and each may become an offer: a customer with more failed trades than that has a trouble
that resends do not end, and should talk to the staff.
"""

OPENED_WITHIN = timedelta(hours=24)


class ResendState(StrEnum):
    """Where a request stands; the words shown on its card."""

    PENDING = "pending"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether the request still stands in the way of another one for the same trade."""
        return bool(TRANSITIONS[self])


TRANSITIONS: dict[ResendState, frozenset[ResendState]] = {
    ResendState.PENDING: frozenset(
        {ResendState.APPROVED, ResendState.DENIED, ResendState.EXPIRED, ResendState.CANCELLED}
    ),
    ResendState.APPROVED: frozenset({ResendState.SENDING, ResendState.PENDING}),
    ResendState.SENDING: frozenset({ResendState.SENT, ResendState.FAILED, ResendState.UNKNOWN}),
    ResendState.UNKNOWN: frozenset({ResendState.SENT, ResendState.FAILED}),
    ResendState.SENT: frozenset(),
    ResendState.FAILED: frozenset(),
    ResendState.DENIED: frozenset(),
    ResendState.EXPIRED: frozenset(),
    ResendState.CANCELLED: frozenset(),
}
"""Every way from one state to another; there is no other."""


class Outcome(StrEnum):
    """How a request came to its end, or why it has none yet."""

    CONFIRMED = "confirmed"
    """The provider said the trade was resent."""
    REFUSED = "refused"
    """The provider refused; nothing was sent."""
    PARAMETER = "parameter"
    """The provider misses a parameter: the setting ``resend_parameter`` is wrong; nothing was sent."""
    CREDENTIALS = "credentials"
    """The provider refused the login (HTTP 403); nothing was sent."""
    NOT_REACHED = "not_reached"
    """No connection was made; nothing was sent."""
    ANSWER_LOST = "answer_lost"
    """No clear answer came back; it may or may not have been sent."""
    OTHER_TRADE = "other_trade"
    """The answer was about another trade."""
    INTERRUPTED = "interrupted"
    """SkinDesk stopped between the call and its answer."""
    RESTORED = "restored"
    """An earlier state of the database was restored: it may have been sent since that was saved."""
    READ_BACK = "read_back"
    """Reading the trade again settled it."""
    MARKED = "marked"
    """A moderator settled it by hand."""


@dataclass(frozen=True, slots=True)
class TradeFacts:
    """What the moderator is shown and therefore approves; ``code_digest`` recognises a new code."""

    status: int
    items_send: tuple[str, ...]
    items_received: tuple[str, ...]
    offer_id: str
    last_error: str
    code_digest: str | None

    @classmethod
    def of(cls, trade: Trade) -> TradeFacts:
        """Return the facts of ``trade`` as they are now."""
        return cls(
            status=trade.status,
            items_send=trade.items_send,
            items_received=trade.items_received,
            offer_id=trade.offer_id,
            last_error=mask_trade_urls(trade.last_error),
            code_digest=trade.code.digest() if trade.code is not None else None,
        )

    def differences(self, now: TradeFacts) -> tuple[str, ...]:
        """Return the names of the facts that are not as they were."""
        return tuple(name for name in self.__slots__ if getattr(self, name) != getattr(now, name))

    def note_of_change(self, now: TradeFacts) -> str | None:
        """Return the values of these facts that are others ``now``, as a note for the card; None where none is.

        Of items it keeps how many there were, and of the code that it was another one.
        """
        shown = {
            "status": self.status,
            "items_send": len(self.items_send),
            "items_received": len(self.items_received),
            "offer_id": self.offer_id,
            "last_error": mask_trade_urls(self.last_error),
            "code_digest": None,
        }
        changed = self.differences(now)
        return _CHANGE + json.dumps({name: shown[name] for name in changed}) if changed else None

    def shows_resend(self, now: TradeFacts) -> bool:
        """Say whether the trade, read after a resend, can only look like this because it was carried out.

        Mannco.store gives a resent trade a new code, and later a new offer (seed 004). Everything else that may
        change, such as the last error, proves nothing.
        """
        if now.code_digest is not None and now.code_digest != self.code_digest:
            return True
        return now.offer_id not in ("", self.offer_id) and now.status in (PENDING_STATUS, COMPLETED_STATUS)


_CHANGE = "changed "


def change_in(note: str) -> dict[str, int | str | None] | None:
    """Return what :meth:`TradeFacts.note_of_change` kept, by the facts' names; None for any other note."""
    return json.loads(note.removeprefix(_CHANGE)) if note.startswith(_CHANGE) else None


class CardEdit(StrEnum):
    """What became of an edit of a card."""

    SHOWN = "shown"
    """The card shows what it was to show."""
    DOUBTFUL = "doubtful"
    """The edit was refused, or its answer lost: the card may still show what it showed before."""
    GONE = "gone"
    """There is no card any more, or its channel is gone or closed."""


@dataclass(frozen=True, slots=True)
class Resend:
    """One request.

    ``decided_*`` name the decision, ``settled_by`` who settled a doubt by hand. ``version`` counts the facts that the
    card is to show, ``shown_version`` is the newest that it is known to have shown; None: none.
    """

    id: int
    guild_id: int
    provider: ProviderName
    trade_id: int
    owner: SteamId
    requested_by: int
    reason: str | None
    state: ResendState
    facts: TradeFacts
    version: int
    requested_at: datetime
    expires_at: datetime
    owner_user_id: int | None = None
    channel_id: int | None = None
    message_id: int | None = None
    decided_by: int | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    outcome: Outcome | None = None
    outcome_detail: str | None = None
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: int | None = None
    settle_after: datetime | None = None
    reminded_at: datetime | None = None
    notes: tuple[str, ...] = ()
    shown_version: int | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the card is known to show these facts."""
        return self.shown_version == self.version

    def is_due(self, now: datetime) -> bool:
        """Whether nobody decided in time."""
        return self.state is ResendState.PENDING and now >= self.expires_at

    def is_reminder_due(self, now: datetime) -> bool:
        """Whether nobody decided in half of the time, and the moderators were not reminded of it."""
        half = self.requested_at + (self.expires_at - self.requested_at) / 2
        return self.state is ResendState.PENDING and self.reminded_at is None and half <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's yes to a resend: the trade it is about, and that trade's new code."""

    trade_id: int
    code: TradeCode | None


class ApproverRefusal(StrEnum):
    """Why somebody may not decide on a request although they hold ``resend.approve``."""

    REQUESTER = "requester"
    OWNER = "owner"


def approver_refusal(
    resend: Resend, *, user_id: int, steam_id: SteamId | None, owner_user_id: int | None
) -> ApproverRefusal | None:
    """Return why this person may not approve: they asked for it, or the trade is theirs.

    ``steam_id`` is the Steam account linked to them, ``owner_user_id`` the Discord user linked to the trade's owner
    now. Whoever was linked to it when the resend was asked for stays its owner, whatever is unlinked since.
    """
    if user_id == resend.requested_by:
        return ApproverRefusal.REQUESTER
    if user_id in (owner_user_id, resend.owner_user_id) or (steam_id is not None and steam_id == resend.owner):
        return ApproverRefusal.OWNER
    return None
