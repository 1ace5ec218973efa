"""Kills two processes on one PostgreSQL database in turns around approvals, and checks the promises about resends."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from typing_extensions import override

from bot.demo.trades import ResendAnswer, WorldTrade
from bot.domain.resends import ResendState
from tests.e2e.killed import REFUSALS, KilledBot, Moment, Provider, Report, Round, Stored, number_of, state_of
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.records import InteractionRecord

_PATIENCE = 40.0
"""Seconds until a request has ended: another process takes over, or a call of the one that lives is given up."""

_CLAIMED_WITHIN = 5.0
"""Seconds of its own until a living process has claimed a click."""

_STATE = "SELECT state, worker FROM resends WHERE id = %s"
_HUNG_FOR = 20.0
"""Seconds until the call of a process that hung is over."""

_IS_CLAIMED = "SELECT worker IN (SELECT id FROM living_workers) FROM interaction_claims WHERE id = %s"
_LIVING = "SELECT count(*) FROM living_workers"
_APPROVALS = "SELECT count(*) FROM audit WHERE action = 'resend.approved' AND subject = %s"
_ERRORS = ("answered for another trade", "database unavailable fault=no_answer", "resend outcome not stored")
"""What is logged after such an answer, and by a process that hung in a transaction."""

_NOT_TOLD = ("could not be told", "They may not know it")


class Killed(StrEnum):
    """What a round kills."""

    LEADER = "leader"
    OTHER = "other"
    BOTH = "both"
    HUNG = "leader, which hangs and comes back"


@dataclass(slots=True)
class TurnReport(Report):
    """The result of a round; ``ended_after`` are the seconds from the kill to the end on the card."""

    killed: Killed = Killed.LEADER
    ended_after: float = 0.0


class KilledInTurns(KilledBot):
    """Two processes, one of which leads; the other one takes over from it, and leads from then on."""

    def __init__(self, live: LiveBot) -> None:
        super().__init__(live)
        self._processes: list[tuple[BotProcess, AsyncExitStack]] = []
        """The leader first."""
        self._has_hung = False

    @classmethod
    @override
    @asynccontextmanager
    async def opened(cls, live: LiveBot) -> AsyncIterator[Self]:
        async with super().opened(live) as killed:
            await killed._start()
            try:
                yield killed
            finally:
                for _, running in killed._processes:
                    await running.aclose()

    async def play_turn(self, planned: Round, killed: Killed) -> TurnReport:
        """Request, approve, kill, and note every broken promise in ``violations``."""
        report, trade = TurnReport(planned, killed=killed), self._failed_again()
        before = self._mannco.resend_calls[trade.id], trade.offer_id
        answers = len(self._live.server.interactions.records)
        card = await self._live.requested(trade.id)
        provider = Provider(planned)
        self._mannco.next_resends.append(planned.answer)
        self._mannco.faults.extend([provider] * 6)  # either process's login, the read before the call, and the call
        approval = None if planned.moment is Moment.BEFORE else await self._live.decide(card)
        with suppress(TimeoutError):  # without a call there is no such moment
            await provider.reached(planned.moment, approval)
        await asyncio.sleep(planned.pause)
        await self._kill(killed)
        killed_at = time.monotonic()
        self._mannco.faults.clear()
        self._mannco.next_resends.clear()
        report.left = (await asyncio.to_thread(self._stored, number_of(card))).state
        starting = [asyncio.create_task(self._start()) for _ in range(2 - len(self._processes))]
        await provider.settled()
        try:
            if approval is not None:
                await self._is_over(approval, killed)
            await self._settled(report, card, trade, before)
            report.ended_after = time.monotonic() - killed_at
            self._check_turn(report)
            await asyncio.gather(*starting)
            await self._close(report, card, trade, before[0])
        except TimeoutError:
            report.violations.append(f"it does not end: {state_of(card)}")
        await asyncio.gather(*starting)
        await self._check_told(report, card, self._live.server.interactions.records[answers:])
        if approval is not None and not approval.is_finished:
            self._cut_off.append(approval)
        lines = [line for bot, _ in self._processes for line in bot.stderr_lines]
        errors = [line for line in lines if "Traceback" in line or " ERROR " in line]
        report.violations += [line for line in errors if not any(part in line for part in _ERRORS)]
        if planned.answer is ResendAnswer.OTHER_TRADE:
            await self._resume()
        return report

    @override
    async def finish(self) -> None:
        for bot, _ in self._processes:
            assert await bot.terminate(STOPS_WITHIN) == 0
        # A process that comes back answers what others have answered meanwhile: Discord refuses that.
        allowed = ("answered twice",) if self._has_hung else ()
        self._live.assert_sound(unfinished=tuple(self._cut_off), allowed=allowed)

    @override
    async def _start(self) -> None:
        running = AsyncExitStack()
        bot = await running.enter_async_context(self._live.bot())
        self._processes.append((bot, running))
        await bot.wait_ready(within=90.0)

    @override
    def _stored(self, resend_id: int) -> Stored:
        [(state, _)] = postgres.rows(self._live.url, _STATE, resend_id)
        [(approvals,)] = postgres.rows(self._live.url, _APPROVALS, f"resend:{resend_id}")
        return Stored(ResendState(state), approvals, "ok")

    async def _kill(self, killed: Killed) -> None:
        if killed is Killed.HUNG:
            await self._hang()
            return
        numbers = {Killed.LEADER: [0], Killed.OTHER: [1], Killed.BOTH: [1, 0]}[killed]
        for number in numbers:
            _, running = self._processes.pop(number)
            await running.aclose()

    async def _hang(self) -> None:
        """Stop the leader until the other process has taken over from it."""
        self._has_hung = True
        leader, _ = self._processes[0]
        leader.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(_PATIENCE):
            while await asyncio.to_thread(postgres.rows, self._live.url, _LIVING) != [(1,)]:  # noqa: ASYNC110 -- it is
                await asyncio.sleep(0.1)  # another process's doing
        await asyncio.sleep(2.0)
        leader.send_signal(signal.SIGCONT)
        self._processes.append(self._processes.pop(0))

    async def _is_over(self, approval: InteractionRecord, killed: Killed) -> None:
        """Wait until a living process has answered the click, or the one that claimed it counts as dead."""
        clicked_at = time.monotonic()
        async with asyncio.timeout(_PATIENCE):
            while not approval.is_finished:
                if killed is Killed.HUNG and time.monotonic() - clicked_at > _HUNG_FOR:
                    break  # Discord took no answer any more when it came back
                claimed = await asyncio.to_thread(postgres.rows, self._live.url, _IS_CLAIMED, approval.id)
                if claimed == [(False,)] or (not claimed and approval.age > _CLAIMED_WITHIN):
                    break
                await asyncio.sleep(0.1)

    async def _settled(self, report: TurnReport, card: Message, trade: WorldTrade, before: tuple[int, str]) -> None:
        """Wait until no process works on the request, and check that it ended as the provider's side says."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                calls, offer = self._mannco.resend_calls[trade.id], trade.offer_id
                report.calls, report.is_done = calls - before[0], offer != before[1]
                [(state, worker)] = await asyncio.to_thread(postgres.rows, self._live.url, _STATE, number_of(card))
                is_left = state == "pending" and worker is None
                if state == "sent" if report.is_done else is_left or state in ("sent", "failed", "unknown"):
                    break
                await asyncio.sleep(0.1)
        report.end = ResendState(state)
        await self._live.card_shows(card, report.end, _PATIENCE)

    def _check_turn(self, report: TurnReport) -> None:
        allowed = {
            ResendState.PENDING: report.calls == 0,
            ResendState.SENT: report.is_done,
            ResendState.UNKNOWN: report.calls == 1,
            # Without a call: the process that lives has paused its calls after those that were lost before.
            ResendState.FAILED: report.calls == 0 or report.round.answer in REFUSALS,
        }
        if report.calls > 1 or report.end is None or not allowed[report.end]:
            report.violations.append(f"{report.calls} calls, and the end is {report.end}")

    async def _check_told(self, report: TurnReport, card: Message, records: list[InteractionRecord]) -> None:
        """Requester and owner hear the end once, or the card says that they may not know; there is one card."""
        number, end = number_of(card), state_of(card)
        title = f"Resend {number} · {end}\n"

        def told() -> list[int]:
            followed = [message for record in records for message in record.followups]
            agent, customer = map(self._live.server.direct_messages, (self._live.agent, self._live.customer))
            return [sum(title in each.text for each in heard) for heard in ([*followed, *agent], customer)]

        def is_told() -> bool:
            return all(told()) or any(note in card.text for note in _NOT_TOLD)

        try:
            await self._live.server.until(is_told, _PATIENCE)
        except TimeoutError:
            report.violations.append(f"told {told()}, and the card does not say that")
        if max(told()) > 1:
            report.violations.append(f"told {told()}")
        posts = [message for message in self._live.approvals.messages if not message.is_ephemeral]
        cards = [each for each in posts if f"Resend {number} · " in each.text.split("\n")[0]]
        if cards != [card]:
            report.violations.append(f"{len(cards)} cards")
