"""Kills the program around an approval, restarts it, and checks the promises about resends."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from typing import Self

from aiohttp import web

from bot.demo.providers.faults import Act, never
from bot.demo.trades import ResendAnswer, WorldTrade
from bot.domain.resends import ResendState
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.records import InteractionRecord

PATIENCE = 40.0
"""Seconds after which a card counts as hung; a start and two rounds of reading take a few."""

_RESEND = "/trade/resend"
HANGING = frozenset({ResendAnswer.HANG, ResendAnswer.HANG_AFTER})
REFUSALS = frozenset({ResendAnswer.REFUSE, ResendAnswer.FORBIDDEN, ResendAnswer.THROTTLED})


class Moment(StrEnum):
    """When the kill comes."""

    BEFORE = "before the click"
    CLICKED = "with the click"
    READING = "while the trade is read"
    CALLING = "during the call"
    ANSWERED = "with the answer"
    SHOWN = "after the end was shown"


@dataclass(frozen=True, slots=True)
class Round:
    """One kill, ``pause`` seconds after ``moment``. The provider acts ``late`` seconds after the call."""

    moment: Moment
    answer: ResendAnswer = ResendAnswer.OK
    late: float = 0.0
    pause: float = 0.0


@dataclass(slots=True)
class Report:
    """The result of a round. ``left`` is the state in the database after the kill, ``end`` that on the card later."""

    round: Round
    left: ResendState | None = None
    calls: int = 0
    is_done: bool = False
    """Whether the provider has carried the resend out before the next start settles it."""
    end: ResendState | None = None
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """A request in the database, and the result of SQLite's integrity check."""

    state: ResendState
    approvals: int
    integrity: str


class Provider:
    """The provider's side of one round."""

    def __init__(self, planned: Round) -> None:
        self._planned = planned
        self.read = asyncio.Event()
        self.called = asyncio.Event()
        self.answered = asyncio.Event()
        self._acting: asyncio.Task[web.StreamResponse] | None = None

    async def __call__(self, request: web.Request, act: Act) -> web.StreamResponse:
        """Handle a request, as a fault of the simulated providers."""
        if request.path != _RESEND:
            self.read.set()
            return await never() if self._planned.moment is Moment.READING else await act(request)
        self.called.set()
        self._acting = asyncio.create_task(self._act(request, act))
        return await asyncio.shield(self._acting)  # a killed caller does not take its request back

    async def settled(self) -> None:
        """Wait until it has acted, or never will."""
        if self._acting is None:
            return
        if self._planned.answer in HANGING:
            await asyncio.wait({self._acting}, timeout=self._planned.late + 0.2)
            self._acting.cancel()
        await asyncio.gather(self._acting, return_exceptions=True)

    async def _act(self, request: web.Request, act: Act) -> web.StreamResponse:
        await asyncio.sleep(self._planned.late)
        response = await act(request)
        self.answered.set()
        return response

    async def reached(self, moment: Moment, approval: InteractionRecord | None) -> None:
        """Wait for the moment of the kill."""
        async with asyncio.timeout(PATIENCE):
            match moment:
                case Moment.READING:
                    await self.read.wait()
                case Moment.CALLING:
                    await self.called.wait()
                case Moment.ANSWERED:
                    await self.answered.wait()
                case Moment.SHOWN if approval is not None:
                    await approval.finished(PATIENCE)


class KilledBot:
    """A bot that is killed once a round. :meth:`finish` checks all rounds together."""

    _bot: BotProcess

    def __init__(self, live: LiveBot) -> None:
        self._live = live
        self._mannco = live.providers.mannco
        self._running = AsyncExitStack()
        self._trades = cycle([trade for trade in live.world.trades_of(live.world.customer)[:6] if trade.items_send])
        self._cut_off: list[InteractionRecord] = []

    @classmethod
    @asynccontextmanager
    async def opened(cls, live: LiveBot) -> AsyncIterator[Self]:
        """Start the program and set it up; the last process is stopped at the end."""
        killed = cls(live)
        try:
            await killed._start()
            await live.set_up()
            await live.use(live.owner, "access grant", role=live.moderators, capability="settings.manage")
            yield killed
        finally:
            await killed._running.aclose()

    async def play(self, planned: Round) -> Report:
        """Request, approve, kill, restart, and note every broken promise in ``violations``."""
        report, trade = Report(planned), self._failed_again()
        before, offer = self._mannco.resend_calls[trade.id], trade.offer_id
        card = await self._live.requested(trade.id)
        provider = Provider(planned)
        self._mannco.next_resends.append(planned.answer)
        self._mannco.faults.extend([provider, provider])  # the read before the call, and the call
        approval = None if planned.moment is Moment.BEFORE else await self._live.decide(card)
        try:
            await provider.reached(planned.moment, approval)
        except TimeoutError:
            report.violations.append("the moment never came")
        await asyncio.sleep(planned.pause)
        await self._bot.kill()
        self._mannco.faults.clear()
        self._mannco.next_resends.clear()
        left = await asyncio.to_thread(_left_behind, self._live.database, number_of(card))
        report.left = left.state
        if left.integrity != "ok":
            report.violations.append(f"integrity_check: {left.integrity}")
        await self._running.aclose()
        await self._start()
        await provider.settled()
        report.calls = self._mannco.resend_calls[trade.id] - before
        report.is_done = trade.offer_id != offer
        await self._check_end(report, card)
        await self._close(report, card, trade, before)
        if approval is not None and not approval.is_finished:
            self._cut_off.append(approval)
        if "Traceback" in self._bot.stderr or " ERROR " in self._bot.stderr:
            report.violations.append("an error was logged after the start")
        if planned.answer is ResendAnswer.OTHER_TRADE:
            await self._resume()
        return report

    async def finish(self) -> None:
        """Stop the program; only killed processes may have left an interaction unfinished, and no secret is out."""
        assert await self._bot.terminate(STOPS_WITHIN) == 0
        self._live.assert_sound(unfinished=tuple(self._cut_off))

    async def _resume(self) -> None:
        """Resume the resends of the server, which an answer about another trade pauses."""
        answer = await self._live.use(self._live.moderator, "approvals")
        for custom_id in answer.custom_ids:
            if custom_id.startswith("resends:resume:"):
                await (await self._live.server.click(answer, custom_id, self._live.moderator)).finished()

    def _stored(self, resend_id: int) -> Stored:
        return _stored(self._live.database, resend_id)

    async def _start(self) -> None:
        self._bot = await self._running.enter_async_context(self._live.bot())
        await self._bot.wait_ready()

    def _failed_again(self) -> WorldTrade:
        trade = next(self._trades)
        trade.status, trade.last_error, trade.at = -1, "Steam is not available (20)", self._live.world.now()
        return trade

    async def _check_end(self, report: Report, card: Message) -> None:
        """Wait for the only right end, given the state the kill left and the provider's action."""
        expected, found = expected_end(report), report.violations
        if report.calls > 1:
            found.append(f"{report.calls} calls for one approval")
        try:
            await self._live.card_shows(card, expected, PATIENCE)
            if report.left is ResendState.APPROVED:
                await self._live.server.until(lambda: "restarted after an approval" in card.text, PATIENCE)
        except TimeoutError:
            found.append(f"the card does not come to say {expected!r}")
        report.end = state_of(card)
        if report.end is ResendState.PENDING and report.calls:
            found.append("pending again, although the call was made")
        if report.end is ResendState.SENT and not report.is_done:
            found.append("shown as sent, but it is not")
        if report.end is ResendState.FAILED and (report.is_done or report.round.answer not in REFUSALS):
            found.append("shown as failed, without the provider's answer")

    async def _close(self, report: Report, card: Message, trade: WorldTrade, before: int) -> None:
        """Settle an open request: another approval is one more call, settling by hand is none."""
        calls = report.calls
        if report.end is ResendState.PENDING:
            decided = await (await self._live.decide(card)).finished(PATIENCE)
            try:
                await self._live.card_shows(card, ResendState.SENT, PATIENCE)
            except TimeoutError:
                report.violations.append(f"approved again, the card says {card.text!r}, the answer {decided.answer!r}")
            calls += 1
        elif report.end is ResendState.UNKNOWN:
            opened = await (await self._live.decide(card, "failed")).finished(PATIENCE)
            await self._live.give_reason(opened, "It is not there")
            await self._live.card_shows(card, ResendState.FAILED, PATIENCE)
        if (made := self._mannco.resend_calls[trade.id] - before) != calls:
            report.violations.append(f"{made} calls in the end, not {calls}")
        if card.custom_ids:
            report.violations.append("a settled card has buttons")
        stored = await asyncio.to_thread(self._stored, number_of(card))
        if stored.state is not state_of(card):
            report.violations.append(f"the card shows {state_of(card)!r}, the database {stored.state!r}")
        if made > stored.approvals:
            report.violations.append(f"{made} calls, {stored.approvals} approvals")


def expected_end(report: Report) -> ResendState:
    """Return the state that a restart must come to."""
    match report.left:
        case ResendState.PENDING | ResendState.APPROVED:
            return ResendState.PENDING
        case ResendState.SENDING | ResendState.UNKNOWN:
            return ResendState.SENT if report.is_done else ResendState.UNKNOWN
        case ResendState.SENT | ResendState.FAILED:
            return report.left
        case _:
            raise AssertionError(report.left)


def number_of(card: Message) -> int:
    """Return the request's number in the card's title."""
    return int(_title(card).split()[2])


def state_of(card: Message) -> ResendState:
    """Return the state in the card's title."""
    return ResendState(_title(card).rpartition(" · ")[2])


def _title(card: Message) -> str:
    return str(card.embeds[0]["title"])


def _left_behind(database: Path, resend_id: int) -> Stored:
    """Read a copy: opening the file itself would do the recovery that is the next start's job."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if (part := database.with_name(database.name + suffix)).exists():
                shutil.copy(part, folder)
        return _stored(Path(folder) / database.name, resend_id)


def _stored(database: Path, resend_id: int) -> Stored:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        integrity = "; ".join(line for (line,) in connection.execute("PRAGMA integrity_check"))
        [(state,)] = connection.execute("SELECT state FROM resends WHERE id = ?", (resend_id,))
        [(approvals,)] = connection.execute(
            "SELECT count(*) FROM audit WHERE action = 'resend.approved' AND subject = ?", (f"resend:{resend_id}",)
        )
    return Stored(ResendState(state), approvals, integrity)
