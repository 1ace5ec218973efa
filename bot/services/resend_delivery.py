"""Sends an approved resend with a single call, stores its outcome, and settles unknown outcomes by reading."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Coroutine
from datetime import datetime
from typing import Any

import attrs

from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    GuildNotServed,
    OutcomeNotStored,
    ProviderError,
    ProviderOff,
    ResendNotFound,
    ResendsPaused,
    ShuttingDown,
    SkinDeskError,
)
from bot.domain.failures import CALLERS_OWN, NOT_DONE, Failure, FailureKind
from bot.domain.resends import TELLING_IN_DOUBT, Outcome, Resend, ResendState, Settlement, TradeFacts
from bot.domain.secrets import TradeCode, mask_trade_urls
from bot.domain.steam import SteamId
from bot.domain.trades import Scope, TradeList
from bot.ports import Clock, TradeProvider
from bot.ports.resends import PauseRepository, ResendRepository
from bot.ports.workers import Workers
from bot.services.guilds import ServedGuilds
from bot.services.resend_board import RETRY_ENDED_FOR, ResendBoard
from bot.services.resend_notifier import ResendNotifier
from bot.services.resend_readings import is_reading_due, next_reading

_log = logging.getLogger(__name__)

_NEVER_ASKED = CALLERS_OWN | {FailureKind.UNREACHABLE}


@attrs.define(kw_only=True, eq=False)
class ResendDelivery:
    """Carries decided requests to their end, whether or not a caller still waits."""

    _repository: ResendRepository
    _provider: TradeProvider | None
    _board: ResendBoard
    _notifier: ResendNotifier
    _guilds: ServedGuilds
    _pauses: PauseRepository
    _workers: Workers
    _clock: Clock
    _running: dict[asyncio.Task[Resend], int] = attrs.field(init=False, factory=dict)
    _recovered: list[Resend] = attrs.field(init=False, factory=list)
    """Requests that were moved on, whose card is still to be brought up to date."""
    _followed: frozenset[int] = attrs.field(init=False, factory=frozenset)
    """Unknown requests that this process has read already."""
    _ticking: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)
    is_stopping: bool = attrs.field(init=False, default=False)

    async def run_shielded(self, resend_id: int, work: Coroutine[Any, Any, Resend]) -> Resend:
        """Run ``work`` on a request to its end even if the caller is cancelled; ShuttingDown during shutdown."""
        if self.is_stopping:
            work.close()
            raise ShuttingDown
        task = asyncio.create_task(work)
        self._running[task] = resend_id
        task.add_done_callback(self._running.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_unretrieved)
            raise

    async def check_not_paused(self, guild_id: int) -> None:
        """Raise ResendsPaused if the guild's resends are paused."""
        pause = await self._pauses.of_guild(guild_id)
        if pause is not None:
            raise ResendsPaused(pause)

    async def expire(self, resend: Resend) -> None:
        """End a request that was not decided in time."""
        expired = await self._repository.expire(resend.guild_id, resend.id, at=self._clock.now())
        if expired is not None:
            self._notifier.tell(expired)

    async def recover(self) -> None:
        """Move on what no process works on any more; call it once before anyone can decide. Nothing is sent.

        ``sending`` may have reached the provider and becomes ``unknown``; ``approved`` has certainly not and becomes
        ``pending`` again. Each :meth:`tick` does the same: the death of another process counts as a start for what it
        held. The next one posts and updates the cards that are behind, and tells what was not told. A card that was
        posted but not stored is found again by its nonce, or by a click on it.
        """
        self._followed = frozenset()
        await self._move_on(await self._workers.alive())

    async def tick(self) -> None:
        """Expire undecided requests and settle unknown outcomes; call it every few seconds. It never awaits Discord.

        Only in the servers that this process leads. In a server that is not served, undecided requests are cancelled:
        no one could decide them. Unknown outcomes are settled there too, because an open request keeps its trade from
        being asked for elsewhere.
        """
        async with self._ticking:
            await self._tick()

    async def _tick(self) -> None:
        alive = await self._workers.alive()
        requests = await self._move_on(alive)
        while self._recovered:
            self._show_recovered(self._recovered.pop(0))
        await self._tell_what_is_left(alive)
        now = self._clock.now()
        led = [resend for resend in requests if self._workers.leads(resend.guild_id)]
        for resend in led:
            if resend.state is ResendState.PENDING and not self._guilds.serves(resend.guild_id):
                await self._cancel_unserved(resend)
            elif resend.is_due(now):
                await self.expire(resend)
        unknown = [resend for resend in led if resend.state is ResendState.UNKNOWN]
        followed, self._followed = self._followed, frozenset(resend.id for resend in unknown)
        await self._read([resend for resend in unknown if resend.id not in followed or is_reading_due(resend, now)])

    async def _move_on(self, alive: Collection[str]) -> list[Resend]:
        """Move on the approved and sending requests that no one works on, and return all open requests afterwards."""
        requests = []
        for resend in await self._repository.all_open():
            moved = await self._recover(resend) if self._is_left(resend, alive) else None
            if moved is not None:
                self._recovered.append(moved)
            requests.append(moved or resend)
        return requests

    def _is_left(self, resend: Resend, alive: Collection[str]) -> bool:
        """Return whether no task works on it, here or in another process, and it is this process's turn to.

        Here if the work on it failed, for example because the disk was full.
        """
        if resend.worker == self._workers.me:
            return resend.id not in self._running.values()
        return resend.worker not in alive and self._workers.leads(resend.guild_id)

    async def _tell_what_is_left(self, alive: Collection[str]) -> None:
        """Begin to tell what a process that has ended, or a failed write, has left. What may have been told is not."""
        for ended in await self._repository.not_finalised():
            if not self._is_left(ended, alive) or self._notifier.is_busy(ended):
                continue
            if ended.worker == self._workers.me:
                self._notifier.tell(ended)
                continue
            taken = await self._repository.take_over(ended, at=self._clock.now())
            if taken is not None and TELLING_IN_DOUBT in taken.notes:
                _log.warning("telling an end was interrupted, it is not told again id=%s", taken.id)
                self._board.show(taken)
            elif taken is not None:
                self._notifier.tell(taken)

    async def _read(self, unknown: Collection[Resend]) -> None:
        """Settle unknown outcomes by reading."""
        now = self._clock.now()
        per_account = self._provider is not None and self._provider.per_account
        asked = [resend.owner if per_account else None for resend in unknown]
        owners = tuple(dict.fromkeys(asked))
        lists = dict(zip(owners, await asyncio.gather(*map(self._read_trades, owners)), strict=True))
        for resend, owner in zip(unknown, asked, strict=True):
            settled, code = await self._settle_by_reading(resend, lists[owner], read_at=now)
            if settled.state is not ResendState.UNKNOWN:
                self._notifier.tell(settled, code=code)

    async def refresh_cards(self) -> None:
        """Begin reminders, and the edits and posts of cards that are behind; call it every few seconds."""
        alive = await self._workers.alive()
        behind = await self._repository.cards_behind(since=self._clock.now() - RETRY_ENDED_FOR)
        self._board.refresh(await self._repository.all_open(), behind, alive=alive)

    async def _cancel_unserved(self, resend: Resend) -> None:
        _log.info("resend cancelled, its server is not served id=%s guild=%s", resend.id, resend.guild_id)
        cancelled = await self._repository.cancel(
            resend.guild_id, resend.id, at=self._clock.now(), reason="server_not_served"
        )
        if cancelled is not None:
            self._notifier.tell(cancelled)

    async def _recover(self, resend: Resend) -> Resend | None:
        """Move on a request that no task works on any more, and return it; None if it is where it can wait."""
        now = self._clock.now()
        if resend.state is ResendState.SENDING:
            return await self._repository.mark_unknown(
                resend.guild_id, resend.id, worker=resend.worker, outcome=Outcome.INTERRUPTED, detail=None, at=now
            )
        if resend.state is ResendState.APPROVED:
            return await self._repository.return_to_pending(
                resend.guild_id, resend.id, worker=resend.worker, note="restarted", at=now
            )
        return None

    def _show_recovered(self, resend: Resend) -> None:
        self._board.show(resend)
        if resend.audit_rows:
            self._notifier.announce(resend)

    async def _read_trades(self, owner: SteamId | None) -> TradeList:
        """Return the current trades, or none if they cannot be read."""
        try:
            return await self.require_provider().trades(Scope.ALL, owner)
        except SkinDeskError as error:
            _log.warning("unknown resends not settled, reading failed: %s", error)
            return TradeList()

    async def _settle_by_reading(
        self, unknown: Resend, listed: TradeList, *, read_at: datetime
    ) -> tuple[Resend, TradeCode | None]:
        """Settle the request if the trades prove that it was sent; otherwise schedule the next reading.

        A trade that is not listed proves nothing. If a moderator or another process settled it meanwhile, it is
        returned unchanged: they tell it.
        """
        trade = listed.find(unknown.trade_id)
        if trade is not None and trade.owner == unknown.owner and unknown.facts.shows_resend(TradeFacts.of(trade)):
            end = Settlement(sent=True, outcome=Outcome.READ_BACK)
            settled = await self._repository.settle(unknown.guild_id, unknown.id, end, at=self._clock.now())
            return (unknown, None) if settled is None else (settled, trade.code)
        await self._repository.settle_later(unknown.guild_id, unknown.id, settle_after=next_reading(unknown, read_at))
        return unknown, None

    async def finish(self, *, within: float) -> None:
        """Begin nothing new, and give running work ``within`` seconds; what is cut off becomes unknown."""
        self.is_stopping = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def close(self, *, within: float) -> None:
        """Finish, and give cards and messages the rest of ``within`` seconds; the next start does what is left."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        await self.finish(within=within)
        left = max(until - loop.time(), 0.0)
        await asyncio.gather(self._notifier.close(within=left), self._board.close(within=left))

    async def send(self, approved: Resend) -> Resend:
        """Call the provider once for an approved request and return the request afterwards; run it shielded."""
        self._check_served(approved)
        self._notifier.announce(approved, AuditAction.RESEND_APPROVED, approved.audit_rows)
        try:
            settled, code = await self._call(approved)
        except (ResendsPaused, AlreadyDecided):
            return await self._not_sent(approved)
        if settled.state not in (ResendState.SENT, ResendState.FAILED, ResendState.UNKNOWN):
            raise AlreadyDecided(settled)  # this process hung, another one took the approval back, and nothing was sent
        if any(row.action is AuditAction.RESENDS_PAUSED for row in settled.audit_rows):
            self._notifier.announce(settled, AuditAction.RESENDS_PAUSED)
        if settled.state is ResendState.UNKNOWN:
            now = self._clock.now()
            settled, code = await self._settle_by_reading(settled, await self._read_trades(settled.owner), read_at=now)
        self._notifier.tell(settled, code=code)
        return settled

    async def _not_sent(self, approved: Resend) -> Resend:
        """Return a request to pending: resends were paused after its approval; ResendsPaused if they still are."""
        returned = await self._repository.return_to_pending(
            approved.guild_id, approved.id, worker=approved.worker, note="paused", at=self._clock.now()
        )
        if returned is not None:
            self._board.show(returned)
            self._notifier.announce(returned)
        await self.check_not_paused(approved.guild_id)
        return await self.get(approved.guild_id, approved.id)

    def _check_served(self, approved: Resend) -> None:
        """Raise what speaks against a call since the approval; the request returns to pending at the next start."""
        if self.is_stopping or self._workers.lease is None:
            raise ShuttingDown
        if not self._guilds.serves(approved.guild_id):
            raise GuildNotServed

    async def _begin(self, approved: Resend) -> None:
        """Store that the call is made now: it waits for this before its first byte, in its slot and connected.

        So a stop that came while it waited, in this server or of SkinDesk, is the last word.
        """
        self._check_served(approved)
        lease = self._workers.lease
        sending = await self._repository.begin_sending(approved.guild_id, approved.id, at=self._clock.now())
        if sending is None:
            await self.check_not_paused(approved.guild_id)
            raise AlreadyDecided(await self.get(approved.guild_id, approved.id))
        if self._workers.lease != lease:  # the write has waited, and others may have called this one's work unknown
            raise ShuttingDown
        self._board.show(sending)

    async def _call(self, sending: Resend) -> tuple[Resend, TradeCode | None]:
        """Call the provider once and store the outcome; what :meth:`_begin` raises passes, and nothing was sent."""
        has_begun = False

        async def begin() -> None:
            nonlocal has_begun
            await self._begin(sending)
            has_begun = True

        try:
            receipt = await self.require_provider().resend(sending.trade_id, before_send=begin)
        except ProviderError as error:
            return await self._store_failure(sending, error.failure), None
        except asyncio.CancelledError:
            await self._mark_unknown(sending, Outcome.INTERRUPTED, None)
            raise
        except Exception as error:
            if isinstance(error, SkinDeskError) and not has_begun:
                raise  # of _begin
            _log.exception("resend failed id=%s trade=%s", sending.id, sending.trade_id)
            return await self._mark_unknown(sending, Outcome.ANSWER_LOST, None), None
        if receipt.trade_id != sending.trade_id:
            _log.error("resend answered for another trade id=%s trade=%s", sending.id, sending.trade_id)
            return await self._mark_unknown(sending, Outcome.OTHER_TRADE, str(receipt.trade_id)), None
        return await self._settle(sending, Settlement(sent=True, outcome=Outcome.CONFIRMED)), receipt.code

    async def _store_failure(self, sending: Resend, failure: Failure) -> Resend:
        detail = _detail_of(failure)
        if failure.kind not in NOT_DONE:
            return await self._mark_unknown(sending, Outcome.ANSWER_LOST, detail)
        outcome = Outcome.NOT_REACHED if failure.kind in _NEVER_ASKED else Outcome.REFUSED
        if failure.kind is FailureKind.REFUSED:
            message = (failure.message or "").casefold()
            if message.startswith("missing ") and "parameter" in message:
                outcome = Outcome.PARAMETER
            elif failure.http_status in (401, 403):
                outcome = Outcome.CREDENTIALS
        return await self._settle(sending, Settlement(sent=False, outcome=outcome, detail=detail))

    async def _settle(self, sending: Resend, end: Settlement) -> Resend:
        settling = self._repository.settle(sending.guild_id, sending.id, end, at=self._clock.now())
        return await self._stored(sending, settling, was_sent=end.sent)

    async def _mark_unknown(self, sending: Resend, outcome: Outcome, detail: str | None) -> Resend:
        marking = self._repository.mark_unknown(
            sending.guild_id,
            sending.id,
            worker=sending.worker,
            outcome=outcome,
            detail=detail,
            at=self._clock.now(),
        )
        return await self._stored(sending, marking, was_sent=None)

    async def _stored(self, sending: Resend, storing: Awaitable[Resend | None], *, was_sent: bool | None) -> Resend:
        """Return the request after its outcome; OutcomeNotStored if the database fails, and the log has the answer."""
        try:
            return await storing or await self.get(sending.guild_id, sending.id)
        except DatabaseUnavailable as error:
            _log.error(
                "resend outcome not stored id=%s trade=%s sent=%s fault=%s",
                sending.id,
                sending.trade_id,
                was_sent,
                error.fault.value,
            )
            raise OutcomeNotStored(error.fault, was_sent) from error

    async def get(self, guild_id: int, resend_id: int) -> Resend:
        """Return a request of the guild; ResendNotFound if there is none."""
        resend = await self._repository.get(guild_id, resend_id)
        if resend is None:
            raise ResendNotFound
        return resend

    def require_provider(self) -> TradeProvider:
        """Return the provider; ProviderOff if there is none."""
        if self._provider is None:
            raise ProviderOff(None)
        return self._provider


def _detail_of(failure: Failure) -> str:
    """Return a failure as a text for the database: its kind, HTTP status and the provider's message."""
    parts = [failure.kind.value]
    if failure.http_status is not None:
        parts.append(f"HTTP {failure.http_status}")
    if failure.message:
        parts.append(mask_trade_urls(failure.message)[:200])
    return " · ".join(parts)


def _log_unretrieved(task: asyncio.Task[Resend]) -> None:
    """Log the error of a task whose caller was cancelled."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, SkinDeskError):
        _log.error("resend failed after its caller was cancelled", exc_info=error)
