"""However requests, decisions, answers, stops and crashes follow each other: no call without an approval of its own."""

import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import DeskError
from bot.domain.resends import TRANSITIONS, ResendState
from tests.contracts.engines import ENGINES
from tests.fakes.trade_provider import Held, Way, accepts, confuses, does_and_loses, loses, refuses
from tests.services.resend_desk import CUSTOMERS_ACCOUNT, GUILD, MODERATOR, OTHER_MODERATOR, ResendDesk

TRADES = (1, 2)
STATES = {
    AuditAction.RESEND_REQUESTED: ResendState.PENDING,
    AuditAction.RESEND_RETURNED: ResendState.PENDING,
    **{AuditAction(f"resend.{state.value}"): state for state in ResendState if state is not ResendState.PENDING},
}
WAYS: dict[str, Way] = {
    "yes": accepts,
    "no": refuses,
    "done, and the answer lost": does_and_loses,
    "not done, and the answer lost": loses,
    "done, and the answer another's": confuses,
}
ways = st.sampled_from(sorted(WAYS))
either = st.sampled_from([0, 0, 1, 1, 2])


class Machine(RuleBasedStateMachine):
    """A desk through which everything happens, and the promises that hold in between."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._runner = asyncio.Runner()
        self._waiting: list[tuple[asyncio.Task[object], Held]] = []
        self._desk = self._runner.run(self._opened(Path(folder)))

    async def _opened(self, folder: Path) -> ResendDesk:
        desk = ResendDesk(await self._stack.enter_async_context(ENGINES["sqlite"](folder)))
        await desk.set_up()
        for trade_id in TRADES:
            desk.provider.add(trade_id, CUSTOMERS_ACCOUNT)
        return desk

    def teardown(self) -> None:
        self._runner.run(self._end())
        self._runner.close()

    async def _end(self) -> None:
        for task, _ in self._waiting:
            task.cancel()
        await self._desk.delivery.close(within=0.0)
        await asyncio.gather(*(task for task, _ in self._waiting), return_exceptions=True)
        await self._stack.aclose()

    @initialize()
    def request_all(self) -> None:
        for trade_id in TRADES:
            self.request(trade_id)

    @rule(trade_id=st.sampled_from(TRADES))
    def request(self, trade_id: int) -> None:
        """Ask for a trade that has failed again, if it is not asked for already."""
        if not self._desk.provider.kept[trade_id].status:
            self._desk.provider.change(trade_id, status=-1)
        self._try(self._desk.requested(trade_id))

    @rule(which=either, way=ways)
    def approve(self, which: int, way: str) -> None:
        self._desk.provider.ways.append(WAYS[way])
        self._try(self._desk.service.approve(self._one(which), by=MODERATOR))
        self._desk.provider.ways.clear()

    @rule(which=either, way=ways)
    def approve_with_a_late_answer(self, which: int, way: str) -> None:
        held = Held(WAYS[way])
        self._desk.provider.ways.append(held)
        self._runner.run(self._begun(self._desk.service.approve(self._one(which), by=MODERATOR), held))
        self._desk.provider.ways.clear()

    @precondition(lambda self: self._waiting)
    @rule()
    def answer(self) -> None:
        task, held = self._waiting.pop(0)
        held.let_go()
        self._runner.run(_ended(task))

    @rule(which=either)
    def deny(self, which: int) -> None:
        self._try(self._desk.service.deny(self._one(which), by=OTHER_MODERATOR))

    @rule(which=either, sent=st.booleans())
    def mark(self, which: int, *, sent: bool) -> None:
        self._try(self._desk.service.mark(self._one(which), sent=sent, by=OTHER_MODERATOR))

    @rule(trade_id=st.sampled_from(TRADES), status=st.sampled_from([-1, 5, 3]))
    def change(self, trade_id: int, status: int) -> None:
        self._desk.provider.change(trade_id, status=status)

    @rule(seconds=st.sampled_from([5, 60, 60, 90_000]))
    def wait(self, seconds: int) -> None:
        self._desk.clock.advance(seconds=seconds)
        self._runner.run(self._desk.delivery.tick())
        self._runner.run(self._desk.delivery.look_after_cards())

    @rule()
    def resume(self) -> None:
        """Let resends go on after an answer about another trade."""
        self._runner.run(self._desk.repositories.halts.resume(GUILD, by=1, at=self._desk.clock.now()))

    @rule(crash=st.booleans())
    def restart(self, *, crash: bool) -> None:
        self._runner.run(self._restarted(crash=crash))

    @invariant()
    def no_call_without_an_approval(self) -> None:
        written = self._runner.run(self._desk.written())
        approvals = entries(written, AuditAction.RESEND_APPROVED)
        beginnings = entries(written, AuditAction.RESEND_SENDING)
        for trade_id in TRADES:
            assert self._desk.provider.calls[trade_id] <= beginnings[trade_id] <= approvals[trade_id]

    @invariant()
    def every_way_is_one_of_the_domain(self) -> None:
        states: dict[str, list[ResendState]] = {}
        for entry in self._runner.run(self._desk.written()):
            if entry.action in STATES:
                states.setdefault(entry.subject, []).append(STATES[entry.action])
        for way in states.values():
            assert way[0] is ResendState.PENDING
            for before, after in pairwise(way):
                assert after in TRANSITIONS[before], way
            assert way.count(ResendState.SENDING) <= 1

    @invariant()
    def cards_say_how_it_is(self) -> None:
        if self._waiting:
            return
        for number, shown in self._desk.cards.shown.items():
            kept = self._runner.run(self._desk.row(shown))
            assert (shown.state, shown.version) == (kept.state, kept.version), number

    def _one(self, which: int) -> int:
        """Return one of the newest requests."""
        newest = max(self._desk.cards.shown, default=1)
        return max(newest - which, 1)

    def _try(self, work) -> None:
        async def tried() -> None:
            try:
                await work
            except DeskError:
                return

        self._runner.run(tried())

    async def _begun(self, work, held: Held) -> None:
        task = asyncio.create_task(work)
        reached = asyncio.create_task(held.reached.wait())
        await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        if task.done():
            await asyncio.gather(task, return_exceptions=True)
        else:
            self._waiting.append((task, held))

    async def _restarted(self, *, crash: bool) -> None:
        if crash:
            self._desk.crash()
        else:
            await self._desk.delivery.close(within=0.0)
        await asyncio.gather(*(task for task, _ in self._waiting), return_exceptions=True)
        self._waiting.clear()
        await self._desk.start()


async def _ended(task: asyncio.Task[object]) -> None:
    await asyncio.gather(task, return_exceptions=True)


def entries(written: list[AuditEntry], action: AuditAction) -> Counter[int]:
    """Count the entries of an action by trade."""
    return Counter(int(entry.detail["trade"]) for entry in written if entry.action is action)


def test_any_order_of_events() -> None:
    """A call has an approval of its own, each state follows from the one before, and cards say how it is."""
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=45,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
