"""Requests to send a trade's offer again: their states, the facts on the card, and who may decide.

pending ──approve──▶ approved ──begin──▶ sending ──▶ sent | failed | unknown
   │                    │ └──▶ failed                          unknown ──▶ sent | failed
   │                    └──stop, restart──▶ pending
   └──▶ denied | expired | cancelled
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum, auto

from bot.domain.audit import AuditRow
from bot.domain.failures import ProviderName
from bot.domain.links import Holder, Link
from bot.domain.secrets import TradeCode, mask_trade_urls
from bot.domain.steam import Game, SteamId
from bot.domain.trades import COMPLETED_STATUS, PENDING_STATUS, Trade

MAX_REASON = 200
"""Longest reason for a request or a denial, in characters."""

OPENED_AT_MOST = 5
"""Requests that a user without ``resend.any`` may open in a guild within :data:`OPENED_WITHIN`."""

OPENED_WITHIN = timedelta(hours=24)

TELLING_IN_DOUBT = "telling_in_doubt"
"""The note on the card of a request whose end was being told when the process that did so ended."""

ALARM = "alarm"
"""The note on the card of a resend that was answered about another trade, which paused the guild's resends."""

BeforeSend = Callable[[], Awaitable[None]]
"""The last check of a call, right before its first byte: if it raises a SkinDeskError, nothing is sent."""


WITHDRAWN = "withdrawn"
"""The reason of a cancellation by the requester."""


class ResendState(StrEnum):
    """The state of a request, as its card shows it."""

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
        """Whether the request blocks another one for the same trade."""
        return bool(TRANSITIONS[self])


TRANSITIONS: dict[ResendState, frozenset[ResendState]] = {
    ResendState.PENDING: frozenset(
        {ResendState.APPROVED, ResendState.DENIED, ResendState.EXPIRED, ResendState.CANCELLED}
    ),
    ResendState.APPROVED: frozenset({ResendState.SENDING, ResendState.FAILED, ResendState.PENDING}),
    ResendState.SENDING: frozenset({ResendState.SENT, ResendState.FAILED, ResendState.UNKNOWN}),
    ResendState.UNKNOWN: frozenset({ResendState.SENT, ResendState.FAILED}),
    ResendState.SENT: frozenset(),
    ResendState.FAILED: frozenset(),
    ResendState.DENIED: frozenset(),
    ResendState.EXPIRED: frozenset(),
    ResendState.CANCELLED: frozenset(),
}
"""All allowed transitions."""


class Outcome(StrEnum):
    """How a request ended, or why its outcome is unknown."""

    CONFIRMED = "confirmed"
    """The provider said the trade was resent."""
    REFUSED = "refused"
    """The provider refused; nothing was sent."""
    PARAMETER = "parameter"
    """A parameter is missing: the setting ``resend_parameter`` is wrong; nothing was sent."""
    CREDENTIALS = "credentials"
    """The provider refused the login (HTTP 403); nothing was sent."""
    NOT_REACHED = "not_reached"
    """No connection was made; nothing was sent."""
    ANSWER_LOST = "answer_lost"
    """There was no clear answer; it may have been sent."""
    OTHER_TRADE = "other_trade"
    """The answer was about another trade."""
    INTERRUPTED = "interrupted"
    """SkinDesk shut down between the call and its answer."""
    RESTORED = "restored"
    """A backup was restored: it may have been sent since then."""
    READ_BACK = "read_back"
    """Reading the trade again settled it."""
    MARKED = "marked"
    """A moderator settled it by hand."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a request that was sending or unknown. ``by`` is the moderator who marked it by hand."""

    sent: bool
    outcome: Outcome
    detail: str | None = None
    by: int | None = None


@dataclass(frozen=True, slots=True)
class TradeFacts:
    """The facts that the moderator sees and approves; ``code_digest`` recognises a new code.

    ``created_at``, ``game`` and ``bot`` are only shown: they never change, and requests of before have none of them.
    """

    status: int
    items_send: tuple[str, ...]
    items_received: tuple[str, ...]
    offer_id: str
    last_error: str
    code_digest: str | None
    created_at: datetime | None = None
    game: Game | None = None
    bot: SteamId | None = None

    @classmethod
    def of(cls, trade: Trade) -> TradeFacts:
        """Return the current facts of a trade of Mannco.store, whose statuses are numbers."""
        return cls(
            status=int(trade.status),
            items_send=tuple(item.asset_id for item in trade.to_customer),
            items_received=tuple(item.asset_id for item in trade.from_customer),
            offer_id=trade.offer_id,
            last_error=mask_trade_urls(trade.last_error),
            code_digest=trade.code.digest() if trade.code is not None else None,
            created_at=trade.created_at,
            game=trade.game,
            bot=trade.bot,
        )

    def differences(self, now: TradeFacts) -> tuple[str, ...]:
        """Return the names of the facts that have changed."""
        return tuple(name for name in _JUDGED if getattr(self, name) != getattr(now, name))

    def note_of_change(self, now: TradeFacts) -> str | None:
        """Return the old values of the changed facts, without codes, as a note for the card; None if none changed."""
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
        """Return whether the trade, read after a resend, proves that the resend was carried out."""
        # Mannco.store gives a resent trade a new code, and later a new offer (seed 004).
        if now.code_digest is not None and now.code_digest != self.code_digest:
            return True
        return now.offer_id not in ("", self.offer_id) and str(now.status) in (PENDING_STATUS, COMPLETED_STATUS)


_JUDGED = ("status", "items_send", "items_received", "offer_id", "last_error", "code_digest")
"""The facts whose change needs a new decision."""

_CHANGE = "changed "


def change_in(note: str) -> dict[str, int | str | None] | None:
    """Return the old values in a note of :meth:`TradeFacts.note_of_change`; None for any other note."""
    return json.loads(note.removeprefix(_CHANGE)) if note.startswith(_CHANGE) else None


class CardEdit(Enum):
    """The result of editing a card."""

    SHOWN = auto()
    """The card shows the new contents."""
    DOUBTFUL = auto()
    """The edit was refused or its answer lost: the card may still show the old contents."""
    GONE = auto()
    """The card no longer exists, is another bot's, or its channel is gone or closed."""
    LIMITED = auto()
    """Discord does not take edits of this card for a while."""


@dataclass(frozen=True, slots=True)
class PostedCard:
    """A posted card. ``is_current`` is False if it was posted earlier and shows something else."""

    message_id: int
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class CardMessage:
    """A message of SkinDesk with a request's buttons, as a click brings it."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class CardContext:
    """The facts that a card shows beside its request.

    ``owner_link`` is the owner's link, as fresh as it is, None if no one is linked; ``earlier`` are the newest ended
    requests of the same trade in this guild, newest first; ``of_customer`` those of the account's other trades.
    """

    owner_link: Link | None
    earlier: tuple[Resend, ...] = ()
    of_customer: tuple[Resend, ...] = ()


@dataclass(frozen=True, slots=True)
class Resend:
    """One request. ``version`` counts the changes of the facts.

    ``shown_version`` is the version that the card is known to show, with the state and the notes; None if it is behind.
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
    """The user who settled an unknown outcome by hand, or withdrew the request."""
    settle_after: datetime | None = None
    reminded_at: datetime | None = None
    notes: tuple[str, ...] = ()
    shown_version: int | None = None
    taken_by: int | None = None
    """The moderator who looks at it, as they said themselves; None after every decision."""
    taken_at: datetime | None = None
    asked_facts: TradeFacts | None = None
    """The facts with which it was asked for, if ``facts`` are others by now."""
    language: str | None = None
    """The code of the requester's language; None for a request from before it was stored."""
    worker: str | None = field(default=None, compare=False)
    """The process that posts the first card, approves, sends or tells the end; of an unknown request, that sent it."""
    audit_rows: tuple[AuditRow, ...] = field(default=(), compare=False, repr=False)
    """The rows of the change that returned this request; none if it was only read."""
    context: CardContext | None = field(default=None, compare=False, repr=False)
    """Set if the request was read or opened by itself, to be shown on its card."""

    @property
    def people(self) -> frozenset[int]:
        """The requester, and the user who was linked to the owner then."""
        return frozenset(user_id for user_id in (self.requested_by, self.owner_user_id) if user_id is not None)

    def may_be_withdrawn_by(self, user_id: int) -> bool:
        """Return whether this user may withdraw it now."""
        return self.state is ResendState.PENDING and self.requested_by == user_id

    @property
    def is_withdrawn(self) -> bool:
        """Whether its requester withdrew it."""
        return self.state is ResendState.CANCELLED and self.decision_reason == WITHDRAWN

    @property
    def is_shown(self) -> bool:
        """Whether the card is known to show the request as it is."""
        return self.shown_version == self.version

    def has_same_card(self, other: Resend) -> bool:
        """Return whether the same card shows both, but for what stands beside the request."""
        same = ("channel_id", "message_id", "shown_version", "settle_after")
        return replace(self, **{name: getattr(other, name) for name in same}) == other

    def is_due(self, now: datetime) -> bool:
        """Return whether the time for a decision is over."""
        return self.state is ResendState.PENDING and now >= self.expires_at

    def is_reminder_due(self, now: datetime) -> bool:
        """Return whether half of the time has passed without a decision or a reminder."""
        half = self.requested_at + (self.expires_at - self.requested_at) / 2
        return self.state is ResendState.PENDING and self.reminded_at is None and half <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's confirmation of a resend: the trade and its new code."""

    trade_id: int
    code: TradeCode | None


@dataclass(frozen=True, slots=True)
class ResendPause:
    """In this guild nothing is requested, approved or sent until a user resumes it.

    ``by`` is None if SkinDesk paused them: because the answer to ``resend_id`` was about another trade, or, without
    one, because a backup was restored.
    """

    guild_id: int
    at: datetime
    by: int | None = None
    resend_id: int | None = None

    @property
    def number(self) -> int:
        """The pause's number within its guild: its time in milliseconds since 1970."""
        return (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class ApproverRefusal(StrEnum):
    """Why a user may not decide on a request although they hold ``resend.approve``."""

    REQUESTER = "requester"
    OWNER = "owner"
    SHARED_ACCOUNT = "shared_account"
    """They have or had a Steam account that requester or owner have or had, within ``RELINK_COOL_DOWN``."""


def approver_refusal(resend: Resend, *, user_id: int, holders: Collection[Holder]) -> ApproverRefusal | None:
    """Return why this user may not decide: they requested it, the trade is theirs, or they may be one of the two.

    ``holders`` are those of the owner's account, and the accounts of all people concerned. The user who was linked at
    the time of the request counts as owner too.
    """
    if user_id == resend.requested_by:
        return ApproverRefusal.REQUESTER
    owners = {holder.user_id for holder in holders if holder.steam_id == resend.owner} | {resend.owner_user_id}
    if user_id in owners:
        return ApproverRefusal.OWNER
    parties = owners | {resend.requested_by}
    accounts = {holder.steam_id for holder in holders if holder.user_id == user_id}
    if any(holder.user_id in parties and holder.steam_id in accounts for holder in holders):
        return ApproverRefusal.SHARED_ACCOUNT
    return None
