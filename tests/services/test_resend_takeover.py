"""Two processes work on one desk's resends: each does its own, and the other one what it has left."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import AlreadyDecided, CardOutdated, ResendsPaused, ShuttingDown
from bot.domain.resends import ALARM, CardMessage, Outcome, Resend, ResendState
from tests.contracts.engines import Repositories
from tests.fakes.trade_provider import Held, confuses, loses
from tests.services.resend_setup import (
    AGENT,
    APPROVALS,
    CUSTOMER,
    GUILD,
    MODERATOR,
    OTHER_MODERATOR,
    TRADE,
    ResendSetup,
    face,
    outcomes,
)

T = TypeVar("T")


@pytest.fixture
def other(services: ResendSetup, repositories: Repositories) -> ResendSetup:
    """The other process. It was started later, so it leads the server."""
    opened = ResendSetup(repositories, beside=services)
    assert opened.workers.leads(GUILD)
    return opened


class Stopped:
    """A process that stops at a call to a port, the ``number``-th of its kind, until it is let go."""

    def __init__(self, process: ResendSetup, call: str, *, number: int = 1) -> None:
        self._process, self._call, self._left = process, call, number
        self.reached = asyncio.Event()
        self._released = asyncio.Event()
        process.step = self

    async def __call__(self, name: str) -> None:
        self._left -= name == self._call
        if self._left == 0:
            self._process.step = None
            self.reached.set()
            await self._released.wait()

    async def begins(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin work and wait until the process stops."""
        task = asyncio.create_task(work)
        await self.reached.wait()
        return task

    async def goes_on(self, task: asyncio.Task[T]) -> T | BaseException:
        """Let the process go on and return what the work ends with."""
        self._released.set()
        [end] = await asyncio.gather(task, return_exceptions=True)
        await self._process.told()
        return end


def card_of(resend: Resend) -> CardMessage:
    """Return the request's card, as a click brings it."""
    return CardMessage(APPROVALS, resend.message_id or 0)


async def round_of(*processes: ResendSetup) -> None:
    """Let processes do a round of their background work."""
    for process in processes:
        await process.tick()
        await process.refresh()


async def test_decisions_at_once(services: ResendSetup, other: ResendSetup) -> None:
    """A card of one process is pressed in both: one decision wins, the other moderator hears that it was decided."""
    for trade_id in range(8):
        resend = await services.requested(trade_id)
        work = [
            services.service.approve(resend.id, by=MODERATOR, seen=1, card=card_of(resend)),
            other.service.approve(resend.id, by=OTHER_MODERATOR, seen=1, card=card_of(resend)),
            other.service.deny(resend.id, by=MODERATOR, card=card_of(resend)),
            services.service.withdraw(resend.id, by=AGENT),
        ]
        done, refused = await outcomes([*work[trade_id % 4 :], *work[: trade_id % 4]])
        await services.told()
        await other.told()

        kept = await services.row(resend)
        assert [each.state for each in done] == [kept.state]
        assert {type(each) for each in refused} <= {AlreadyDecided, CardOutdated}
        assert services.provider.calls[trade_id] == (kept.state is ResendState.SENT)
        assert services.cards.shown[resend.id].state is kept.state
        assert services.cards.states_for(CUSTOMER.user_id)[-1:] == [kept.state.value]
    assert len(services.cards.messages) <= 2 * 8


async def test_living_process(services: ResendSetup, other: ResendSetup) -> None:
    """What a living process approves, sends and tells is its own, even if another one leads the server."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    await other.delivery.recover()
    await round_of(other, other)

    assert (await services.row(resend)).state is ResendState.SENDING
    held.let_go()
    assert (await approving).state is ResendState.SENT
    await round_of(other)
    assert services.cards.states_for(AGENT.user_id) == ["sent"]


@pytest.mark.parametrize("done", [True, False])
async def test_dead_during_the_call(services: ResendSetup, other: ResendSetup, *, done: bool) -> None:
    """The death of a process counts as a start for what it held: the next round reads the outcome."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    services.crash()
    await asyncio.gather(approving, return_exceptions=True)
    if done:
        services.provider.carry_out(TRADE)

    await round_of(other)

    kept = await services.row(resend)
    assert kept.outcome is (Outcome.READ_BACK if done else Outcome.INTERRUPTED)
    assert face(services.cards.shown[resend.id]) == face(kept)
    assert services.cards.states_for(CUSTOMER.user_id) == (["sent"] if done else [])
    await services.start()
    assert (await services.row(resend)).state is kept.state
    assert services.provider.calls == {TRADE: 1}


async def test_hung_before_the_call(services: ResendSetup, other: ResendSetup) -> None:
    """A process that hung before its call calls nothing: its approval was taken back, and another one made."""
    resend = await services.requested()
    stopped = Stopped(services, "resends.begin_sending before")
    approving = await stopped.begins(services.approve(resend.id, by=MODERATOR))
    services.desk.end(services.workers)
    await round_of(other)
    assert (await services.row(resend)).notes == ("restarted",)
    stopped_again = Stopped(other, "resends.begin_sending before")
    again = await stopped_again.begins(other.approve(resend.id, by=OTHER_MODERATOR))

    await stopped.goes_on(approving)

    assert services.provider.calls == {}
    await stopped_again.goes_on(again)
    assert services.provider.calls == {TRADE: 1}
    rows = [row.actor_id for row in await services.written() if row.action is AuditAction.RESEND_APPROVED]
    assert rows == [MODERATOR.user_id, OTHER_MODERATOR.user_id]
    kept = await services.row(resend)
    assert (kept.state, kept.decided_by) == (ResendState.SENT, OTHER_MODERATOR.user_id)


async def test_not_alive(services: ResendSetup) -> None:
    """A process that others may call dead begins no call."""
    resend = await services.requested()
    services.workers.lease_number = None

    with pytest.raises(ShuttingDown):
        await services.approve(resend.id, by=MODERATOR)

    assert services.provider.calls == {}


@pytest.mark.parametrize("lease", [None, 2])
async def test_hung_as_the_call_began(services: ResendSetup, other: ResendSetup, lease: int | None) -> None:
    """A process that hung while it stored its call makes none, even if it counts among the living again by then."""
    resend = await services.requested()
    stopped = Stopped(services, "resends.begin_sending after")
    approving = await stopped.begins(services.approve(resend.id, by=MODERATOR))
    services.desk.end(services.workers)
    await round_of(other)
    services.workers.lease_number = lease

    assert isinstance(await stopped.goes_on(approving), ShuttingDown)

    assert services.provider.calls == {}
    assert (await services.row(resend)).state is ResendState.UNKNOWN


async def test_stopped_in_the_other_process(services: ResendSetup, other: ResendSetup) -> None:
    """Once *Stop resends* has answered in one process, no call is begun in the other one."""
    resend = await services.requested()
    stopped = Stopped(services, "resends.begin_sending before")
    approving = await stopped.begins(services.approve(resend.id, by=MODERATOR))

    await other.repositories.pauses.pause(GUILD, by=OTHER_MODERATOR.user_id, at=other.clock.now())

    assert isinstance(await stopped.goes_on(approving), ResendsPaused)
    assert services.provider.calls == {}
    assert services.cards.shown[resend.id].state is ResendState.PENDING


@pytest.mark.parametrize("call", ["begin_telling before", "begin_telling after", "finalise before"])
async def test_dead_while_telling(services: ResendSetup, other: ResendSetup, call: str) -> None:
    """The other process tells what no one has begun to tell, and nothing else; no one is told twice."""
    resend = await services.requested()

    async def crash(name: str) -> None:
        if name == f"resends.{call}":
            services.crash()

    services.step = crash
    await asyncio.gather(services.deny(resend.id, by=MODERATOR), return_exceptions=True)
    services.step = None

    await round_of(other, other)

    told = services.cards.states_for(AGENT.user_id)
    assert told == ([] if call == "begin_telling after" else ["denied"])
    assert len(services.cards.shown[resend.id].notes) == (call != "begin_telling before")


async def test_one_first_card(services: ResendSetup, other: ResendSetup) -> None:
    """The process that took a request posts its card; if it dies, the other one does, and there is one card."""
    stopped = Stopped(services, "cards.post before")
    asking = await stopped.begins(services.requested())
    await round_of(other)
    assert services.cards.posted == {}
    await stopped.goes_on(asking)
    stopped = Stopped(services, "resends.attach_card before")
    asking = await stopped.begins(services.requested(2))
    services.crash()

    await round_of(other)

    await stopped.goes_on(asking)
    kept = await services.repositories.resends.open_in_guild(GUILD)
    assert [services.cards.cards_of(each.id) for each in kept] == [[each.message_id] for each in kept]
    assert set(services.cards.posted.values()) == {1}


@pytest.mark.parametrize("call", ["cards.update before", "cards.update after"])
async def test_edits_at_once(services: ResendSetup, other: ResendSetup, call: str) -> None:
    """If an edit of one process comes after a newer one of the other, it is drawn again: the card shows the end."""
    resend = await services.requested()
    stopped = Stopped(services, call)
    taking = await stopped.begins(services.queue.take(resend.id, by=MODERATOR, holder=None))

    await other.deny(resend.id, by=OTHER_MODERATOR)

    await stopped.goes_on(taking)
    assert services.cards.shown[resend.id].state is ResendState.DENIED


@pytest.mark.parametrize("call", ["cards.update before", "cards.update after"])
async def test_replaced_during_an_edit(services: ResendSetup, other: ResendSetup, call: str) -> None:
    """If one process edits a card that the other one replaces, there is one card, which shows both."""
    resend = await services.requested()
    stopped = Stopped(services, call)
    taking = await stopped.begins(services.queue.take(resend.id, by=MODERATOR, holder=None))
    services.clock.advance(hours=13)

    await other.refresh()

    await stopped.goes_on(taking)
    kept = await services.row(resend)
    assert services.cards.cards_of(resend.id) == [kept.message_id] != [resend.message_id]
    shown = services.cards.on_cards[kept.message_id or 0]
    assert (shown.taken_by, shown.reminded_at) == (MODERATOR.user_id, services.clock.now())


async def test_taken_while_it_is_replaced(services: ResendSetup, other: ResendSetup) -> None:
    """If a card changes while another process draws the one that replaces it, the new card shows the change."""
    resend = await services.requested()
    services.clock.advance(hours=13)
    stopped = Stopped(other, "cards.post after")
    replacing = await stopped.begins(other.refresh())

    await services.queue.take(resend.id, by=MODERATOR, holder=None)

    await stopped.goes_on(replacing)
    kept = await services.row(resend)
    assert services.cards.cards_of(resend.id) == [kept.message_id] != [resend.message_id]
    assert services.cards.on_cards[kept.message_id or 0].taken_by == MODERATOR.user_id


async def test_alarm_of_a_hung_process(services: ResendSetup, other: ResendSetup) -> None:
    """An answer about another trade is an alarm, also if another process has read the outcome before it came."""
    resend = await services.requested()
    services.provider.ways.append(confuses)
    stopped = Stopped(services, "provider.resend after")
    approving = await stopped.begins(services.approve(resend.id, by=MODERATOR))
    services.desk.end(services.workers)
    await round_of(other)
    services.desk.alive.append(services.workers.me)

    await stopped.goes_on(approving)

    assert await services.repositories.pauses.of_guild(GUILD) is not None
    shown = services.cards.shown[resend.id]
    assert (shown.state, shown.notes) == (ResendState.SENT, (ALARM,))
    assert services.cards.states_for(AGENT.user_id) == ["sent"]


async def test_unknown_no_longer(services: ResendSetup, other: ResendSetup) -> None:
    """A process that is slow to say that the outcome is unknown does not say it after another one told the end."""
    resend = await services.requested()

    services.provider.ways.append(loses)
    stopped = Stopped(services, "provider.trades before", number=2)
    approving = await stopped.begins(services.approve(resend.id, by=MODERATOR))
    await other.service.mark(resend.id, sent=False, by=OTHER_MODERATOR)
    await other.told()

    await stopped.goes_on(approving)

    assert services.cards.states_for(AGENT.user_id) == ["failed"]
    assert services.cards.shown[resend.id].state is ResendState.FAILED


async def test_duties_of_the_leader(services: ResendSetup, other: ResendSetup) -> None:
    """Only the process that leads a server expires, reads, reminds and looks after cards that were deleted."""
    unknown, resend = await services.requested(1), await services.requested(2)
    services.provider.ways.append(Held())
    approving = asyncio.create_task(services.approve(unknown.id, by=MODERATOR))
    await asyncio.sleep(0)
    services.cards.gone.add(resend.message_id)
    services.clock.advance(hours=13)

    await round_of(services)

    assert services.cards.posted[resend.id] == 1
    assert (await services.row(resend)).reminded_at is None
    services.clock.advance(hours=12)
    await round_of(services)
    assert (await services.row(resend)).state is ResendState.PENDING
    await round_of(other)
    assert (await services.row(resend)).state is ResendState.EXPIRED
    approving.cancel()
