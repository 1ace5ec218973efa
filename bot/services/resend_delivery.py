"""Makes the one call of an approved resend, keeps what came of it, and settles by reading what is in doubt."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import ProviderError, ProviderOff, ResendNotFound, ShuttingDown, SkinDeskError
from bot.domain.failures import NOT_DONE, Failure, FailureKind
from bot.domain.masking import mask_trade_urls
from bot.domain.resends import Outcome, Resend, ResendState, TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.trades import Scope, Trade
from bot.ports import Clock, LinkRepository, ResendCards, ResendRepository, TradeProvider
from bot.services.audit import AuditService
from bot.services.pauses import PauseService
from bot.services.resend_board import ResendBoard

_log = logging.getLogger(__name__)

_SETTLE_EVERY = timedelta(seconds=4)
"""Less than the time between two ticks, so that each of them reads: 10 s are never to pass without (design.md, 1.6)."""
_SETTLE_OFTEN_FOR = timedelta(minutes=5)
_SETTLE_AT_MOST_EVERY = timedelta(hours=1)
_NEVER_ASKED = frozenset({FailureKind.UNREACHABLE, FailureKind.RATE_LIMITED_LOCALLY, FailureKind.CIRCUIT_OPEN})

_ACTIONS = {
    ResendState.PENDING: AuditAction.RESEND_RETURNED,
    ResendState.SENT: AuditAction.RESEND_SENT,
    ResendState.FAILED: AuditAction.RESEND_FAILED,
    ResendState.UNKNOWN: AuditAction.RESEND_UNKNOWN,
    ResendState.DENIED: AuditAction.RESEND_DENIED,
    ResendState.EXPIRED: AuditAction.RESEND_EXPIRED,
    ResendState.CANCELLED: AuditAction.RESEND_CANCELLED,
}


class ResendDelivery:
    """What happens to a request once it is decided, with or without anybody waiting for it."""

    def __init__(
        self,
        *,
        repository: ResendRepository,
        provider: TradeProvider | None,
        links: LinkRepository,
        cards: ResendCards,
        board: ResendBoard,
        pauses: PauseService,
        audit: AuditService,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._provider = provider
        self._links = links
        self._cards = cards
        self._board = board
        self._pauses = pauses
        self._audit = audit
        self._clock = clock
        self._under_way: dict[asyncio.Task[Resend], int] = {}
        self._left_behind: list[Resend] = []
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new may begin."""
        return self._stopping

    async def run_shielded(self, resend_id: int, work: Coroutine[Any, Any, Resend]) -> Resend:
        """Do ``work`` on a request to its end, whether its caller waits or not; ShuttingDown once nothing may begin."""
        if self._stopping:
            work.close()
            raise ShuttingDown
        task = asyncio.create_task(work)
        self._under_way[task] = resend_id
        task.add_done_callback(self._under_way.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_report_unheard)
            raise

    async def carry_out(self, approved: Resend) -> Resend:
        """Call the provider once for an approved request and return how it stands then.

        The caller going away does not stop it.
        """
        return await self.run_shielded(approved.id, self._carry_out(approved))

    async def expire(self, resend: Resend) -> None:
        """End a request that nobody decided in time."""
        expired = await self._repository.expire(resend.guild_id, resend.id, at=self._clock.now())
        if expired is not None:
            await self.finalise(expired, actor_id=None)

    async def recover(self) -> None:
        """Take up what a stop or a crash left behind; call it once, before anybody can decide.

        ``sending`` may have reached the provider and becomes ``unknown``; ``approved`` has certainly not and is
        pending again; ``pending`` without a card is cancelled, since nobody could decide. Nothing is sent. Ends that
        were not told are told with the next tick.
        """
        now = self._clock.now()
        self._left_behind.extend(await self._repository.not_finalised())
        for resend in await self._repository.all_open():
            left: Resend | None = resend
            if resend.state is ResendState.PENDING and resend.message_id is None:
                left = await self._repository.cancel(resend.guild_id, resend.id, at=now, reason="card_not_posted")
            elif resend.state is ResendState.UNKNOWN:
                await self._repository.settle_later(resend.guild_id, resend.id, settle_after=now)
            else:
                # What is still pending is shown again, too: a crash may have come between new facts and their card.
                await self._take_up(resend)
            if left is not None:
                self._left_behind.append(left)

    async def tick(self) -> None:
        """Expire what nobody decided and settle what is in doubt; call it every few seconds."""
        while self._left_behind:
            await self._show_again(self._left_behind.pop(0))
        now = self._clock.now()
        in_doubt = []
        for resend in await self._repository.all_open():
            if resend.is_due(now):
                await self.expire(resend)
            elif resend.state is ResendState.UNKNOWN and (resend.settle_after is None or now >= resend.settle_after):
                in_doubt.append(resend)
            elif resend.id not in self._under_way.values() and await self._take_up(resend):
                # The work on it broke off, say on a full disk, and nobody else would ever go on with it.
                await self._show_again(resend)
        trades = await self._read_trades() if in_doubt else ()
        for resend in in_doubt:
            settled, code = await self._settle_by_reading(resend, trades, read_at=now)
            if settled.state is not ResendState.UNKNOWN:
                await self.finalise(settled, actor_id=None, code=code)

    async def look_after_cards(self) -> None:
        """Remind of requests and see that each has its card; call it every few seconds.

        Apart from :meth:`tick`, because Discord may hang and doubts are to be read all the same.
        """
        await self._board.look_after(await self._repository.all_open())

    async def _take_up(self, resend: Resend) -> bool:
        """Bring a request that nobody works on to where it can go on; False where it is there."""
        now = self._clock.now()
        if resend.state is ResendState.SENDING:
            changed = await self._repository.mark_unknown(
                resend.guild_id, resend.id, outcome=Outcome.INTERRUPTED, detail=None, settle_after=now, at=now
            )
        elif resend.state is ResendState.APPROVED:
            changed = await self._repository.return_to_pending(resend.guild_id, resend.id, note="restarted", at=now)
        else:
            changed = None
        return changed is not None

    async def _show_again(self, before: Resend) -> None:
        """Tell the end of a request that was left behind, or show what has become of it since it was as ``before``."""
        if not before.state.is_open:
            actor_id = before.decided_by if before.state is ResendState.DENIED else before.settled_by
            await self.finalise(before, actor_id=actor_id)
            return
        resend = await self._get(before.guild_id, before.id)
        await self._board.show(resend)
        if resend.state is not before.state and resend.state in (ResendState.PENDING, ResendState.UNKNOWN):
            await self.announce(resend, _ACTIONS[resend.state], actor_id=None)

    async def _read_trades(self) -> tuple[Trade, ...]:
        """Return the trades as they are now; none where they cannot be read."""
        try:
            return await self._require_provider().trades(Scope.ALL)
        except SkinDeskError as error:
            _log.warning("doubtful resends not settled, reading failed: %s", error)
            return ()

    async def _settle_by_reading(
        self, unknown: Resend, trades: tuple[Trade, ...], *, read_at: datetime
    ) -> tuple[Resend, TradeCode | None]:
        """Settle the request if the trades prove that it was sent; otherwise set the next reading.

        Where somebody settled it by hand meanwhile it comes back as it was: its end has been told.
        """
        for trade in trades:
            if trade.id != unknown.trade_id or trade.owner != unknown.owner:
                continue
            if unknown.facts.shows_resend(TradeFacts.of(trade)):
                settled = await self._repository.settle(
                    unknown.guild_id,
                    unknown.id,
                    sent=True,
                    outcome=Outcome.READ_BACK,
                    detail=None,
                    at=self._clock.now(),
                )
                return (unknown, None) if settled is None else (settled, trade.code)
        await self._repository.settle_later(unknown.guild_id, unknown.id, settle_after=_next_reading(unknown, read_at))
        return unknown, None

    async def close(self, *, within: float) -> None:
        """Take nothing new, leave what is under way ``within`` seconds, and leave the rest in honest doubt."""
        self._stopping = True
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def finalise(self, resend: Resend, *, actor_id: int | None, code: TradeCode | None = None) -> None:
        """Show how it stands on the card, in the audit channel, and to requester and owner."""
        await self.announce(resend, _ACTIONS[resend.state], actor_id=actor_id)
        owner = await self._links.of_steam_id(resend.guild_id, resend.owner)
        owner_id = owner.user_id if owner is not None else None
        if owner is None or owner.proven is None:
            code = None
        told = {
            "requester_not_told": await self._cards.tell(
                resend, resend.requested_by, code=code if owner_id == resend.requested_by else None
            )
        }
        if owner_id is not None and owner_id != resend.requested_by:
            told["owner_not_told"] = await self._cards.tell(resend, owner_id, code=code)
        for note in (note for note, was_told in told.items() if not was_told):
            if note not in resend.notes:
                resend = await self._repository.add_note(resend.guild_id, resend.id, note) or resend
        await self._board.show(resend)
        if not resend.state.is_open:
            await self._repository.finalise(resend.guild_id, resend.id, at=self._clock.now())

    async def announce(self, resend: Resend, action: AuditAction, *, actor_id: int | None) -> None:
        """Post to the audit channel what was done to a request."""
        detail = {"trade": str(resend.trade_id), "owner": str(resend.owner), "state": resend.state.value}
        await self._audit.announce(
            AuditEntry(resend.guild_id, self._clock.now(), actor_id, action, f"resend:{resend.id}", detail)
        )

    async def _carry_out(self, approved: Resend) -> Resend:
        sending = await self._repository.begin_sending(approved.guild_id, approved.id, at=self._clock.now())
        if sending is None:
            return await self._not_begun(approved)
        showing = asyncio.create_task(self._show_sending(sending))
        try:
            settled, code = await self._call(sending)
        except BaseException:
            showing.cancel()  # Discord may be what hangs
            raise
        finally:
            await asyncio.gather(showing, return_exceptions=True)
        if settled.outcome is Outcome.OTHER_TRADE:
            await self._raise_alarm(settled)
        if settled.state is ResendState.UNKNOWN:
            now = self._clock.now()
            settled, code = await self._settle_by_reading(settled, await self._read_trades(), read_at=now)
        await self.finalise(settled, actor_id=None, code=code)
        return settled

    async def _not_begun(self, approved: Resend) -> Resend:
        """Return how it stands; where all resends were stopped after the approval, take that back and say so."""
        if await self._pauses.of_guild(approved.guild_id) is not None:
            returned = await self._repository.return_to_pending(
                approved.guild_id, approved.id, note="paused", at=self._clock.now()
            )
            if returned is not None:
                await self._board.show(returned)
                await self.announce(returned, AuditAction.RESEND_RETURNED, actor_id=None)
        await self._pauses.check(approved.guild_id)
        return await self._get(approved.guild_id, approved.id)

    async def _raise_alarm(self, unknown: Resend) -> None:
        """Post that the answer to this one has stopped every other resend of the guild."""
        detail = {
            "resend": str(unknown.id),
            "trade": str(unknown.trade_id),
            "answered_about": unknown.outcome_detail or "",
        }
        await self._audit.announce(
            AuditEntry(unknown.guild_id, self._clock.now(), None, AuditAction.RESENDS_PAUSED, "guild", detail)
        )

    async def _show_sending(self, sending: Resend) -> None:
        await self._board.show(sending)
        await self.announce(sending, AuditAction.RESEND_APPROVED, actor_id=sending.decided_by)

    async def _call(self, sending: Resend) -> tuple[Resend, TradeCode | None]:
        """Call the provider, once, and keep what came of it."""
        try:
            receipt = await self._require_provider().resend(sending.trade_id)
        except ProviderError as error:
            return await self._keep_failure(sending, error.failure), None
        except asyncio.CancelledError:
            await self._doubt(sending, Outcome.INTERRUPTED, None)
            raise
        except Exception:  # noqa: BLE001 -- whatever broke on the way, the provider may have acted by now
            _log.exception("resend broke off id=%s trade=%s", sending.id, sending.trade_id)
            return await self._doubt(sending, Outcome.ANSWER_LOST, None), None
        if receipt.trade_id != sending.trade_id:
            _log.error("resend answered for another trade id=%s trade=%s", sending.id, sending.trade_id)
            return await self._doubt(sending, Outcome.OTHER_TRADE, str(receipt.trade_id)), None
        settled = await self._settle(sending, sent=True, outcome=Outcome.CONFIRMED, detail=None)
        return settled, receipt.code

    async def _keep_failure(self, sending: Resend, failure: Failure) -> Resend:
        detail = _detail_of(failure)
        if failure.kind not in NOT_DONE:
            return await self._doubt(sending, Outcome.ANSWER_LOST, detail)
        outcome = Outcome.NOT_REACHED if failure.kind in _NEVER_ASKED else Outcome.REFUSED
        if failure.kind is FailureKind.REFUSED:
            message = (failure.message or "").casefold()
            if message.startswith("missing ") and "parameter" in message:
                outcome = Outcome.PARAMETER
            elif failure.http_status in (401, 403):
                outcome = Outcome.CREDENTIALS
        return await self._settle(sending, sent=False, outcome=outcome, detail=detail)

    async def _settle(self, resend: Resend, *, sent: bool, outcome: Outcome, detail: str | None) -> Resend:
        settled = await self._repository.settle(
            resend.guild_id, resend.id, sent=sent, outcome=outcome, detail=detail, at=self._clock.now()
        )
        return settled or await self._get(resend.guild_id, resend.id)

    async def _doubt(self, sending: Resend, outcome: Outcome, detail: str | None) -> Resend:
        now = self._clock.now()
        unknown = await self._repository.mark_unknown(
            sending.guild_id, sending.id, outcome=outcome, detail=detail, settle_after=now, at=now
        )
        return unknown or await self._get(sending.guild_id, sending.id)

    async def _get(self, guild_id: int, resend_id: int) -> Resend:
        resend = await self._repository.get(guild_id, resend_id)
        if resend is None:
            raise ResendNotFound
        return resend

    def _require_provider(self) -> TradeProvider:
        if self._provider is None:
            raise ProviderOff(None)
        return self._provider


def _detail_of(failure: Failure) -> str:
    """Return a failure as facts fit for a database row: the kind, the HTTP status, the provider's words."""
    parts = [failure.kind.value]
    if failure.http_status is not None:
        parts.append(f"HTTP {failure.http_status}")
    if failure.message:
        parts.append(mask_trade_urls(failure.message)[:200])
    return " · ".join(parts)


def _next_reading(resend: Resend, read_at: datetime) -> datetime:
    """Return when to read again: all the time for 5 minutes after the doubt began, then ever more slowly."""
    since = read_at - (resend.sent_at or resend.requested_at)
    if since < _SETTLE_OFTEN_FOR:
        return read_at + _SETTLE_EVERY
    return read_at + min(since / 5, _SETTLE_AT_MOST_EVERY)


def _report_unheard(task: asyncio.Task[Resend]) -> None:
    """Log what went wrong after the caller had gone, since nobody else will."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, SkinDeskError):
        _log.error("resend broke off after its caller had gone", exc_info=error)
