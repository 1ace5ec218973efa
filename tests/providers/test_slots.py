"""Slots shared between people: bounds and turns, in every order of asking, ending, giving up and being cancelled."""

import asyncio
import ssl
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import SKINDESK, Caller, on_behalf_of
from bot.domain.errors import ShuttingDown
from bot.domain.failures import FailureKind, ProviderName
from bot.providers.rate_limits import MINUTE, RateLimiter, SlidingWindow
from bot.providers.slots import FairSlots, NoSlot
from bot.providers.transport import Limits, Transport
from tests.support.loopback import as_json, content, hang, in_turn

CUSTOMERS = [Caller(number, is_staff=False) for number in range(1, 6)]
AGENTS = [Caller(100 + number) for number in range(3)]
MOST = {False: 2, True: 4}
MOST_WAITING = {False: 4, True: 8}
SLOTS, FOR_PEOPLE, FOR_CUSTOMERS = 8, 7, 6
LONG = 60.0

_asking = st.tuples(st.sampled_from([SKINDESK, *CUSTOMERS, *AGENTS]), st.integers(1, 5))
_ending = st.tuples(st.sampled_from(["end", "cancel", "end and cancel"]), st.integers(0, 20))
PLANS = st.lists(st.tuples(st.lists(_asking, max_size=4), st.lists(_ending, max_size=4)), min_size=3, max_size=20)
"""Rounds: who asks how often, and what happens to which calls then, all in the same moment."""

Plan = list[tuple[list[tuple[Caller, int]], list[tuple[str, int]]]]


class Desk:
    """Calls that hold or wait for a slot, and a check of every promise about them."""

    def __init__(self) -> None:
        self.slots = FairSlots(SLOTS)
        self.holding: dict[asyncio.Task[None], tuple[Caller, asyncio.Event]] = {}
        self.waiting: dict[asyncio.Task[None], Caller] = {}
        self.refused_too_early = False
        self.order: list[Caller] = []

    def ask(self, caller: Caller) -> None:
        with on_behalf_of(caller):
            task = asyncio.create_task(self._call(caller))
        self.waiting[task] = caller
        task.add_done_callback(lambda ended: self.waiting.pop(ended, None))

    async def _call(self, caller: Caller) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with self.slots.hold(within=LONG):
                del self.waiting[task]
                ended = asyncio.Event()
                self.holding[task] = (caller, ended)
                self.order.append(caller)
                try:
                    await ended.wait()
                finally:
                    del self.holding[task]
        except NoSlot:
            others = Counter(each for other, each in self.waiting.items() if other is not task)
            self.refused_too_early |= others[caller] < MOST_WAITING[caller.is_staff]

    async def end(self, what: str, which: int) -> None:
        """End a call, cancel one, or do both: the cancelled one may get the slot of the other in this moment."""
        if "end" in what and self.holding:
            [*self.holding.values()][which % len(self.holding)][1].set()
        if "cancel" in what:
            for _ in range(which % 3):
                await asyncio.sleep(0)
            if tasks := [*self.waiting, *self.holding]:
                tasks[which % len(tasks)].cancel()

    async def settled(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    def check(self) -> None:
        held = Counter(caller for caller, _ in self.holding.values())
        waiting = Counter(self.waiting.values())
        customers = sum(number for caller, number in held.items() if not caller.is_staff)
        people = held.total() - held[SKINDESK]
        assert not self.refused_too_early
        assert held.total() <= SLOTS
        assert people <= FOR_PEOPLE
        assert customers <= FOR_CUSTOMERS
        assert self.slots.is_full == (held.total() == SLOTS)
        for caller in {*held, *waiting} - {SKINDESK}:
            assert held[caller] <= MOST[caller.is_staff]
            assert waiting[caller] <= MOST_WAITING[caller.is_staff]
        for caller in waiting:  # no one waits who may have a slot
            at_limit = caller != SKINDESK and (held[caller] == MOST[caller.is_staff] or people == FOR_PEOPLE)
            share_full = not caller.is_staff and customers == FOR_CUSTOMERS
            assert held.total() == SLOTS or at_limit or share_full


async def everything(plan: Plan) -> None:
    desk = Desk()
    for asking, ending in plan:
        for caller, times in asking:
            for _ in range(times):
                desk.ask(caller)
        await desk.settled()
        desk.check()
        for what, which in ending:
            await desk.end(what, which)
        await desk.settled()
        desk.check()
    for _ in range(200):  # everyone has their turn
        for _, ended in desk.holding.values():
            ended.set()
        await desk.settled()
        desk.check()
    assert not desk.waiting
    for _ in range(SLOTS):  # no slot was lost
        desk.ask(SKINDESK)
    await desk.settled()
    assert len(desk.holding) == SLOTS
    for task in [*desk.holding]:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@given(PLANS)
def test_any_order(plan: Plan) -> None:
    """Bounds hold at every moment, no one waits who may have a slot, everyone gets one, and none is ever lost."""
    asyncio.run(everything(plan))


async def test_turns() -> None:
    """People get the next slots in turn, not in the order of their calls; SkinDesk's own calls come first."""
    desk = Desk()
    for caller in [*AGENTS[:2] * 3, CUSTOMERS[0], SKINDESK]:
        desk.ask(caller)
    await desk.settled()
    assert desk.slots.is_full
    first, second, late = CUSTOMERS[1:4]
    for caller in (first, first, first, second, second, AGENTS[2], SKINDESK, late):
        desk.ask(caller)
    await desk.settled()
    desk.order.clear()

    while desk.waiting:
        ended = next(iter(desk.holding.values()))[1]
        ended.set()
        await desk.settled()
        desk.check()

    assert desk.order[0] == SKINDESK
    assert desk.order[1:5] == [first, second, AGENTS[2], late]
    assert desk.order[5:] == [first, second, first]


async def test_reasons() -> None:
    """A caller who is refused learns whether their own calls or those of others are the reason."""
    slots = FairSlots(4)

    async def reason(caller: Caller) -> bool | None:
        with on_behalf_of(caller):
            try:
                async with slots.hold(within=0.01):
                    return None
            except NoSlot as refused:
                return refused.own

    with on_behalf_of(CUSTOMERS[0]):
        async with slots.hold(within=LONG), slots.hold(within=LONG):
            assert await reason(CUSTOMERS[0]) is True
            assert [await reason(each) for each in (CUSTOMERS[1], AGENTS[0], SKINDESK)] == [None] * 3
            with on_behalf_of(CUSTOMERS[1]):
                async with slots.hold(within=LONG):
                    assert await reason(CUSTOMERS[1]) is False
                    assert [await reason(each) for each in (AGENTS[0], SKINDESK)] == [None] * 2


async def test_cooldown() -> None:
    """A call that cools down counts among its caller's own, and takes no slot from others."""
    slots = FairSlots(4)
    first, second = CUSTOMERS[:2]

    async def ask(caller: Caller, *, within: float, cooldown: float = 0.0) -> None:
        with on_behalf_of(caller):
            async with slots.hold(within=within) as held:
                held.cooldown = cooldown

    await asyncio.gather(ask(first, within=LONG, cooldown=1.0), ask(first, within=LONG, cooldown=LONG))
    with pytest.raises(NoSlot) as refused:
        await ask(first, within=0.01)
    assert refused.value.own
    for caller in (second, second, AGENTS[0], SKINDESK):
        await ask(caller, within=0.0)
    await ask(first, within=LONG)


class TestTransport:
    """The slots of a transport."""

    async def test_large_answers(self, server, connect, failure_of):
        """Large answers, and those above the limit, keep their caller from further calls for a while, no one else."""
        megabyte = 2**20
        server.script = in_turn(content(bytes(megabyte)), content(bytes(3 * megabyte)), content(bytes(5 * megabyte)))
        transport = connect(ProviderName.MANNCO, wait=0.05, body=4 * megabyte)
        with on_behalf_of(Caller(1, is_staff=False)):
            for _ in range(2):
                await transport.request("GET", "/")
            assert (await failure_of(transport.request("GET", "/"))).kind is FailureKind.TOO_LARGE
            assert (await failure_of(transport.request("GET", "/"))).kind is FailureKind.BUSY_WITH_OWN

        server.script = in_turn(as_json({}))
        for other in (Caller(2, is_staff=False), AGENTS[0], SKINDESK):
            with on_behalf_of(other):
                assert (await transport.request("GET", "/")).status == 200

    @pytest.mark.parametrize(
        ("holder", "asker", "kind"),
        [
            (SKINDESK, SKINDESK, FailureKind.BUSY),
            (Caller(1, is_staff=False), Caller(2, is_staff=False), FailureKind.BUSY),
            (Caller(1, is_staff=False), Caller(1, is_staff=False), FailureKind.BUSY_WITH_OWN),
        ],
    )
    async def test_no_slot(self, server, clock, failure_of, holder, asker, kind):
        """A request that finds no slot in time is "busy": the provider never saw it, and it counts for no limit."""
        server.script = in_turn(hang)
        window = SlidingWindow("calls", 10, MINUTE, clock)
        limiter = RateLimiter({("GET", "/"): window}, clock)
        limits = Limits(connections=2, wait=0.05)
        async with Transport(
            ProviderName.MANNCO, server.url, ssl.create_default_context(), clock, limits, limiter
        ) as transport:
            with on_behalf_of(holder):
                first = [asyncio.create_task(transport.request("GET", "/")) for _ in range(2)]
            async with asyncio.timeout(30):
                while len(server.requests) < 2:  # noqa: ASYNC110 -- the other side's state has no event
                    await asyncio.sleep(0.01)

            with on_behalf_of(asker):
                failure = await failure_of(transport.request("GET", "/"))

            assert (failure.kind, len(server.requests), (await window.quota()).left) == (kind, 2, 8)
            for task in first:
                task.cancel()

    async def test_last_check(self, server, connect):
        """A check runs when the slot is held, right before the first byte: if it refuses, nothing is sent."""
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(writer):
            reached.set()
            await go_on.wait()
            return await as_json({})(writer)

        server.script = lambda _: slowly
        transport = connect(ProviderName.MANNCO, connections=1)
        checks = []

        async def check():
            checks.append(len(server.requests))
            raise ShuttingDown

        first = asyncio.create_task(transport.request("GET", "/1"))
        await reached.wait()
        waiting = asyncio.create_task(transport.request("GET", "/2", fresh=True, before_send=check))
        await asyncio.sleep(0.05)
        assert checks == []
        go_on.set()

        with pytest.raises(ShuttingDown):
            await waiting
        assert (await first).status == (await transport.request("GET", "/3")).status == 200
        assert checks == [1]
        assert [request.path for request in server.requests] == ["/1", "/3"]
