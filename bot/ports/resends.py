"""The interfaces of resends: the stored requests, the pauses, and the cards and messages in Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.domain.resends import ResendState

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.domain.access import Condition
    from bot.domain.audit import AuditRow
    from bot.domain.failures import ProviderName
    from bot.domain.resend_queue import ResendCounts
    from bot.domain.resends import (
        CardEdit,
        Outcome,
        PostedCard,
        Resend,
        ResendPause,
        Settlement,
        TradeFacts,
    )
    from bot.domain.secrets import TradeCode
    from bot.domain.steam import SteamId


class PauseRepository(Protocol):
    """Which guilds' resends are paused. A pause or its end is one compare-and-set with its audit row.

    SkinDesk's own pause is part of :meth:`ResendRepository.mark_unknown`.
    """

    async def of_guild(self, guild_id: int) -> ResendPause | None:
        """Return the guild's pause, None if there is none."""

    async def pause(self, guild_id: int, *, by: int, at: datetime) -> AuditRow | None:
        """Pause the guild's resends and return the audit row; None if they are paused already."""

    async def resume(self, guild_id: int, number: int, *, by: int, at: datetime) -> AuditRow | None:
        """End the guild's pause with this number and return the audit row; None if that is not its pause."""


class ResendRepository(Protocol):
    """Resend requests. Every change of state is one compare-and-set with its audit row in one transaction.

    A change returns the changed request with its audit row; None if it was not in the state that the change needs:
    another caller was faster. While a guild's resends are paused none of its requests is opened, approved or sent: also
    None. A request of another guild does not exist for a caller who names this one. ``only_if`` is checked in the same
    transaction, and what it raises is raised.

    Several processes may work on one database: ``Resend.worker`` says whose own a request is.
    """

    async def open(
        self, draft: Resend, *, at_most: int | None = None, only_if: Condition | None = None
    ) -> Resend | None:
        """Store a new pending request (its ``id`` is ignored); None if the trade has an open one in any guild.

        Also None if its requester opened ``at_most`` in its guild within ``OPENED_WITHIN`` before it. A request whose
        card could never be posted does not count.
        """

    async def opened_at(self, guild_id: int, user_id: int, *, limit: int) -> tuple[datetime, ...]:
        """Return when a user opened their newest requests in a guild, newest first, as :meth:`open` counts them."""

    async def get(self, guild_id: int, resend_id: int) -> Resend | None:
        """Return a request of this guild."""

    async def open_for_trade(self, guild_id: int, provider: ProviderName, trade_id: int) -> Resend | None:
        """Return this guild's open request for a trade."""

    async def newest_of_trades(
        self, guild_id: int, provider: ProviderName, trade_ids: Collection[int]
    ) -> tuple[Resend, ...]:
        """Return this guild's newest request for each of a few trades that has one, open or ended.

        A request whose card could never be posted does not count.
        """

    async def open_in_guild(self, guild_id: int) -> tuple[Resend, ...]:
        """Return the guild's open requests, oldest first."""

    async def of_customer(
        self, guild_id: int, *, owner: SteamId | None, user_id: int | None, limit: int
    ) -> tuple[Resend, ...]:
        """Return the guild's newest requests for an account's trades, and for those of a member then, newest first."""

    async def all_open(self) -> tuple[Resend, ...]:
        """Return every open request, oldest first: for the background work."""

    async def not_finalised(self) -> tuple[Resend, ...]:
        """Return every ended request whose end was not told to everyone, oldest first: for the background work."""

    async def cards_behind(self, *, since: datetime) -> tuple[Resend, ...]:
        """Return the requests that ended after ``since`` and whose card is not known to show it: background work."""

    async def begin_telling(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Store that this process now tells the end of a request; None if that is not its own to tell, or was told."""

    async def finalise(self, guild_id: int, resend_id: int, *, at: datetime) -> None:
        """Store that everyone was told the end of a request, if it was this process's own to tell."""

    async def take_over(self, ended: Resend, *, at: datetime) -> Resend | None:
        """Take a request whose end was not told from ``ended.worker``, a process that has ended.

        If that one had begun to tell it, it is finalised with the note ``TELLING_IN_DOUBT``. None if another process
        was faster.
        """

    async def attach_card(
        self,
        guild_id: int,
        resend_id: int,
        *,
        channel_id: int,
        message_id: int,
        version: int | None,
        state: ResendState = ResendState.PENDING,
        replaces: int | None = None,
    ) -> Resend | None:
        """Store the message of the request's card in the place of ``replaces``, and what it shows.

        ``version`` is None if that is not known. None, with nothing changed, if the card is another message by now.
        """

    async def card_shows(
        self, guild_id: int, resend_id: int, *, message_id: int, version: int, state: ResendState = ResendState.PENDING
    ) -> Resend | None:
        """Store which version the card shows and return the request; None if it has another card or state by now."""

    async def add_note(self, guild_id: int, resend_id: int, note: str) -> Resend | None:
        """Add a note for the card."""

    async def revise(
        self, guild_id: int, resend_id: int, facts: TradeFacts, *, version: int, at: datetime
    ) -> Resend | None:
        """Replace the facts on the card while pending and at ``version``; the next version begins.

        The facts before are kept as a note: ``TradeFacts.note_of_change``.
        """

    async def approve(
        self,
        guild_id: int,
        resend_id: int,
        *,
        version: int,
        by: int,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        """Move pending → approved: decision, audit row and intent in one. From now on it is this process's own.

        Only before its expiry, and if it is at ``version`` and the card shows it.
        """

    async def begin_sending(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move approved → sending, if it is this process's own. Once it is committed, the call may have been made."""

    async def return_to_pending(
        self, guild_id: int, resend_id: int, *, worker: str | None, note: str, at: datetime
    ) -> Resend | None:
        """Move approved → pending if it is ``worker``'s: nothing was sent, a moderator has to decide again."""

    async def deny(
        self,
        guild_id: int,
        resend_id: int,
        *,
        by: int,
        reason: str | None,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        """Move pending → denied."""

    async def expire(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move pending → expired."""

    async def cancel(
        self, guild_id: int, resend_id: int, *, at: datetime, reason: str, by: int | None = None
    ) -> Resend | None:
        """Move pending → cancelled, by its requester or by SkinDesk itself."""

    async def remind(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Store that the moderators were reminded of a pending request; None if they were already."""

    async def take(
        self,
        guild_id: int,
        resend_id: int,
        *,
        by: int,
        holder: int | None,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        """Store that ``by`` looks at a pending or unknown request, or no longer does if they are its ``holder``.

        None if another user than ``holder`` looks at it by now. The version stays, and each decision ends it.
        """

    async def counts(self, guild_id: int, *, since: datetime, median_since: datetime) -> ResendCounts:
        """Count the requests made after ``since``; the median is over those made after ``median_since``."""

    async def mark_unknown(
        self,
        guild_id: int,
        resend_id: int,
        *,
        worker: str | None,
        outcome: Outcome,
        detail: str | None,
        at: datetime,
    ) -> Resend | None:
        """Move sending → unknown if it is ``worker``'s, to be settled by reading at once.

        OTHER_TRADE pauses the guild's resends in the same transaction, and adds the note ``ALARM``: also if the request
        was taken from ``worker`` since it was sent.
        """

    async def settle_later(self, guild_id: int, resend_id: int, *, settle_after: datetime) -> None:
        """Defer the next reading of an unknown request."""

    async def settle(
        self, guild_id: int, resend_id: int, end: Settlement, *, at: datetime, only_if: Condition | None = None
    ) -> Resend | None:
        """Move sending or unknown → sent or failed, or approved → failed: the call did not come to be begun.

        Only by the process whose own it is; by reading and by hand, which start from unknown, by any.
        """


class ResendCards(Protocol):
    """The cards in the approvals channels, and messages to requester and owner."""

    async def post(self, resend: Resend, *, channel_id: int, mention: int | None = None) -> PostedCard:
        """Post the card, or find the one whose answer was lost minutes ago: one message for each message it replaces.

        ``mention`` is the role whose members Discord notifies; a role that was deleted is left out.
        ApprovalsChannelUnusable if Discord refuses for good; any other error may pass, and the card may be there.
        """

    async def update(self, resend: Resend) -> CardEdit:
        """Edit the card and return whether it shows the request now; a refusal is logged, never raised."""

    async def is_there(self, resend: Resend) -> bool:
        """Return whether Discord shows the card to SkinDesk; True if that cannot be found out now."""

    async def remove(self, resend: Resend) -> None:
        """Delete the card, or at least its buttons; a refusal is logged, never raised."""

    async def tell(self, resend: Resend, user_id: int, *, code: TradeCode | None = None) -> bool:
        """Tell a user the request's state, by ephemeral follow-up or direct message; return False if neither works.

        ``code`` is the trade's new code, for its owner only. It is sent by direct message and in no other way.
        """

    def evict(self, guild_id: int, user_id: int) -> None:
        """Drop a user's interactions, which are kept for follow-ups; direct messages still reach them."""
