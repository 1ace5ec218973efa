"""Tells people about requests in the background: requester and owner, and the audit channel. No one awaits Discord."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import attrs
from cachetools import LRUCache

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.resends import Resend, ResendState
from bot.domain.secrets import TradeCode
from bot.ports import Clock, LinkRepository
from bot.ports.resends import ResendCards, ResendRepository
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.services.keyed_tasks import KeyedTasks, call_within
from bot.services.resend_board import ResendBoard

_log = logging.getLogger(__name__)

_AT_ONCE = 20
_REMEMBERED = 10_000

_ACTIONS = {
    ResendState.PENDING: AuditAction.RESEND_RETURNED,
    ResendState.SENT: AuditAction.RESEND_SENT,
    ResendState.FAILED: AuditAction.RESEND_FAILED,
    ResendState.UNKNOWN: AuditAction.RESEND_UNKNOWN,
    ResendState.DENIED: AuditAction.RESEND_DENIED,
    ResendState.EXPIRED: AuditAction.RESEND_EXPIRED,
    ResendState.CANCELLED: AuditAction.RESEND_CANCELLED,
}


@attrs.define(kw_only=True, eq=False)
class ResendNotifier:
    """Tells each outcome once. The database says first that this process tells an end, and then that it was told.

    In a server that is not served no one is notified, and the end is stored as told.
    """

    _repository: ResendRepository
    _links: LinkRepository
    _guilds: ServedGuilds
    _cards: ResendCards
    _board: ResendBoard
    _audit: AuditService
    _clock: Clock
    _each_within: float = 20.0
    """Seconds for one call to Discord."""
    _notified: LRUCache[int, ResendState] = attrs.field(init=False, factory=partial(LRUCache, _REMEMBERED))
    """What this process has told, or has begun to tell: never twice, even if storing that fails."""
    _tasks: KeyedTasks = attrs.field(init=False, factory=partial(KeyedTasks, _AT_ONCE))
    _posts: KeyedTasks = attrs.field(init=False, factory=partial(KeyedTasks, _AT_ONCE))
    """Posts in the audit channel, for which no message waits."""

    def tell(self, resend: Resend, *, code: TradeCode | None = None) -> None:
        """Begin to show a request's state on its card, to post it to the audit channel, and to tell its people."""
        self._board.show(resend)
        self._tasks.begin(resend.id, partial(self._tell, resend, code))

    def announce(self, resend: Resend, action: AuditAction | None = None, rows: Sequence[AuditRow] = ()) -> None:
        """Begin to post an action, the state's own by default, to the audit channel: its row of ``rows``."""
        self._posts.begin(
            resend.id, partial(self._announce, resend, action or _ACTIONS[resend.state], rows or resend.audit_rows)
        )

    def keep_silent(self, resend: Resend, state: ResendState) -> None:
        """Tell no one that the request comes to this state: the requester reads it in the answer."""
        self._notified[resend.id] = state

    def is_busy(self, resend: Resend) -> bool:
        """Return whether people are being told about the request."""
        return self._tasks.is_busy(resend.id)

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that have not ended."""
        return self._tasks.running | self._posts.running

    async def close(self, *, within: float) -> None:
        """Let running messages end for ``within`` seconds; the next start tells the ends that were not told."""
        await asyncio.gather(self._tasks.close(within=within), self._posts.close(within=within))

    async def _tell(self, resend: Resend, code: TradeCode | None) -> None:
        if self._notified.get(resend.id) is not resend.state and self._guilds.serves(resend.guild_id):
            claimed = await self._claimed(resend)
            if claimed is None:
                return
            resend = claimed
            owner = await self._links.of_steam_id(resend.guild_id, resend.owner)
            owner_id = owner.user_id if owner is not None else None
            if owner is None or owner.proven is None or owner.codes_from(self._clock.now()) is not None:
                code = None
            people = {resend.requested_by: "requester_not_told"}
            if owner_id is not None:
                people.setdefault(owner_id, "owner_not_told")
            if resend.is_withdrawn:
                del people[resend.requested_by]  # who reads it in the answer
            self._notified[resend.id] = resend.state
            self.announce(resend)
            reached = await asyncio.gather(
                *(self._reaches(resend, user_id, code if user_id == owner_id else None) for user_id in people)
            )
            notes = [note for note, is_reached in zip(people.values(), reached, strict=True) if not is_reached]
            for note in notes:
                if note not in resend.notes:
                    resend = await self._repository.add_note(resend.guild_id, resend.id, note) or resend
            if notes:
                self._board.show(resend, again=True)
        if not resend.state.is_open:
            await self._repository.finalise(resend.guild_id, resend.id, at=self._clock.now())

    async def _claimed(self, resend: Resend) -> Resend | None:
        """Return the request as it is now; None if another process tells its end, or the unknown outcome is known."""
        if resend.state.is_open:
            current = await self._repository.get(resend.guild_id, resend.id)
            current = current if current is not None and current.state is resend.state else None
        else:
            current = await self._repository.begin_telling(resend.guild_id, resend.id, at=self._clock.now())
        return None if current is None else replace(current, audit_rows=resend.audit_rows)

    async def _reaches(self, resend: Resend, user_id: int, code: TradeCode | None) -> bool:
        try:
            return await call_within(self._each_within, self._cards.tell(resend, user_id, code=code))
        except Exception as error:  # noqa: BLE001 -- the card says it
            _log.warning("not told id=%s user=%s %s", resend.id, user_id, type(error).__name__)
            return False

    async def _announce(self, resend: Resend, action: AuditAction, rows: Sequence[AuditRow]) -> None:
        """Post an action on a request. After a restart the request has no rows, and the newest one is looked up."""
        found = [row for row in rows if row.action is action]
        row = found[0] if found else await self._audit.last_row(resend.guild_id, action, f"resend:{resend.id}")
        if row is not None:
            shown = {"trade": str(resend.trade_id), "owner": str(resend.owner), "state": resend.state.value}
            await self._audit.announce(row, shown=None if action is AuditAction.RESENDS_PAUSED else shown)
