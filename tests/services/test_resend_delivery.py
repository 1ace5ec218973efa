"""What happens to an approved resend: one call, an honest end, and nobody left without word of it."""

import asyncio
from collections import deque
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import AlreadyDecided
from bot.domain.failures import FailureKind
from bot.domain.resends import Outcome, Resend, ResendState
from tests.fakes.trade_provider import (
    Held,
    Way,
    accepts,
    breaks,
    confuses,
    does_and_loses,
    fails,
    loses,
    refusal,
    refuses,
)
from tests.services.resend_desk import (
    AGENT,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    OTHER_MODERATOR,
    TRADE,
    ResendDesk,
)

TICK = 5.0
"""Seconds between two ticks, as the cog has them."""

MISSING = "Missing id parameter"

ENDS: list[tuple[Way, ResendState, Outcome]] = [
    (accepts, ResendState.SENT, Outcome.CONFIRMED),
    (refuses, ResendState.FAILED, Outcome.REFUSED),
    (fails(FailureKind.REFUSED, MISSING, 300), ResendState.FAILED, Outcome.PARAMETER),
    (fails(FailureKind.REFUSED, "Invalid or expired token", 403), ResendState.FAILED, Outcome.CREDENTIALS),
    (fails(FailureKind.THROTTLED, "Too many requests", 429), ResendState.FAILED, Outcome.REFUSED),
    (fails(FailureKind.UNREACHABLE), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.OVER_BUDGET), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.RESTING), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.LOST), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.TIMED_OUT), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.NONSENSE, None, 200), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.TOO_LARGE), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.REDIRECTED), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.BROKEN, None, 500), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (does_and_loses, ResendState.SENT, Outcome.READ_BACK),
    (confuses, ResendState.SENT, Outcome.READ_BACK),
]


async def ticks(desk: ResendDesk, *, seconds: float) -> None:
    """Let time pass as the background loop does."""
    for _ in range(int(seconds / TICK)):
        desk.clock.advance(seconds=TICK)
        await desk.delivery.tick()


def face(resend: Resend) -> Resend:
    """Return what can be seen of a request: not when it is read next."""
    return replace(resend, settle_after=None, channel_id=None, message_id=None)


async def doubtful(desk: ResendDesk, trade_id: int = TRADE) -> Resend:
    """Return a request in a doubt that reading has not settled."""
    resend = await desk.requested(trade_id)
    desk.provider.ways.append(loses)
    unknown = await desk.service.approve(resend.id, by=MODERATOR)
    assert unknown.state is ResendState.UNKNOWN
    return unknown


# The one call


@pytest.mark.parametrize(("way", "state", "outcome"), ENDS)
async def test_every_answer(desk: ResendDesk, way: Way, state: ResendState, outcome: Outcome) -> None:
    """Whatever comes of the call is kept, shown and told, and the call is never made again."""
    resend = await desk.requested()
    desk.provider.ways.append(way)

    ended = await desk.service.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (state, outcome)
    assert face(ended) == face(await desk.row(resend)) == face(desk.cards.shown[resend.id])
    assert ended.decided_by == MODERATOR.user_id
    assert ended.sent_at == desk.clock.now()
    assert desk.cards.told_to(AGENT.user_id) == desk.cards.told_to(CUSTOMER.user_id) == [state.value]

    await ticks(desk, seconds=60)
    await desk.restart()

    assert desk.provider.calls == {TRADE: 1}
    assert (await desk.row(resend)).state is state


async def test_answer_nobody_foresaw(desk: ResendDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Where the adapter itself breaks, the provider may have acted: that is a doubt too, and it is in the log."""
    resend = await desk.requested()
    desk.provider.ways.append(breaks)

    ended = await desk.service.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (ResendState.UNKNOWN, Outcome.ANSWER_LOST)
    assert "resend broke off id=1 trade=4812" in caplog.text


async def test_crossed_answer_that_proves_nothing(desk: ResendDesk) -> None:
    """An answer about another trade is no yes, and says which trade it named."""
    resend = await desk.requested()

    async def about_another(provider, trade_id):
        return (await accepts(provider, provider.add(TRADE + 1, CUSTOMERS_ACCOUNT).id),)[0]

    desk.provider.ways.append(about_another)

    ended = await desk.service.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (ResendState.UNKNOWN, Outcome.OTHER_TRADE)
    assert ended.outcome_detail == str(TRADE + 1)
    assert [told.code for told in desk.cards.told] == [None, None]


async def test_intent_comes_before_the_call(desk: ResendDesk) -> None:
    """When the call begins it is on disk that it may have been made, and by whose approval."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    kept = await desk.row(resend)

    assert (kept.state, kept.decided_by) == (ResendState.SENDING, MODERATOR.user_id)
    assert [entry.action for entry in await desk.written()][-2:] == [
        AuditAction.RESEND_APPROVED,
        AuditAction.RESEND_SENDING,
    ]
    with pytest.raises(AlreadyDecided) as late:
        await desk.service.approve(resend.id, by=OTHER_MODERATOR)
    assert late.value.resend.decided_by == MODERATOR.user_id
    held.let_go()
    await approving


# Who is told


async def test_new_code(desk: ResendDesk) -> None:
    """The new code goes to the linked owner and to nobody else; neither the audit nor its channel has it."""
    resend = await desk.requested()

    await desk.service.approve(resend.id, by=MODERATOR)

    code = desk.provider.kept[TRADE].code
    assert code is not None
    assert [(told.user_id, told.code) for told in desk.cards.told] == [(AGENT.user_id, None), (CUSTOMER.user_id, code)]
    for kept in (await desk.written(), desk.channel.posts, desk.cards.shown, await desk.row(resend)):
        assert code.reveal() not in repr(kept)


@pytest.mark.parametrize("way", [accepts, does_and_loses])
async def test_owner_who_asked(desk: ResendDesk, way: Way) -> None:
    """An owner who asked for it themselves is told once, with the code."""
    resend = await desk.requested(by=CUSTOMER)
    desk.provider.ways.append(way)

    await desk.service.approve(resend.id, by=MODERATOR)

    assert [(told.user_id, told.code) for told in desk.cards.told] == [
        (CUSTOMER.user_id, desk.provider.kept[TRADE].code)
    ]


async def test_owner_without_a_link(desk: ResendDesk) -> None:
    """Where nobody is linked to the account the code stays with the provider."""
    await desk.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=desk.clock.now())
    resend = await desk.requested()

    await desk.service.approve(resend.id, by=MODERATOR)

    assert [(told.user_id, told.code) for told in desk.cards.told] == [(AGENT.user_id, None)]
    assert (await desk.row(resend)).notes == ()


@pytest.mark.parametrize(
    ("unreachable", "notes"),
    [
        ({AGENT.user_id}, ("requester_not_told",)),
        ({CUSTOMER.user_id}, ("owner_not_told",)),
        ({AGENT.user_id, CUSTOMER.user_id}, ("requester_not_told", "owner_not_told")),
    ],
)
async def test_closed_direct_messages(desk: ResendDesk, unreachable: set[int], notes: tuple[str, ...]) -> None:
    """Whoever cannot be told is named on the card, once however often it was tried."""
    desk.cards.unreachable = unreachable
    unknown = await doubtful(desk)
    desk.provider.carry_out(TRADE)

    await ticks(desk, seconds=10)

    assert unknown.notes == ()
    assert desk.cards.shown[unknown.id].notes == notes
    assert desk.cards.shown[unknown.id].state is ResendState.SENT


async def test_denied(desk: ResendDesk) -> None:
    """A denial is an outcome too: requester and owner are told, with the reason, and nothing is sent."""
    resend = await desk.requested()

    denied = await desk.service.deny(resend.id, by=MODERATOR, reason=" ask again on Monday ")

    assert denied.decision_reason == "ask again on Monday"
    assert desk.cards.told_to(AGENT.user_id) == desk.cards.told_to(CUSTOMER.user_id) == ["denied"]
    assert desk.cards.shown[resend.id] == denied
    assert desk.provider.calls == {}


async def test_expired(desk: ResendDesk) -> None:
    """At its very moment of expiry, and not before, a request ends; requester and owner are told."""
    resend = await desk.requested()
    desk.clock.advance(hours=24, microseconds=-1000)
    await desk.delivery.tick()
    assert (await desk.row(resend)).state is ResendState.PENDING
    desk.clock.advance(microseconds=1000)

    await desk.delivery.tick()

    assert desk.cards.shown[resend.id].state is ResendState.EXPIRED
    assert desk.cards.told_to(AGENT.user_id) == desk.cards.told_to(CUSTOMER.user_id) == ["expired"]


async def test_expired_while_it_was_stopped(desk: ResendDesk) -> None:
    """What ran out while nothing ran has ended after the first tick."""
    resend = await desk.requested()
    await desk.delivery.close(within=0.0)
    desk.clock.advance(days=30)

    await desk.start()

    assert desk.cards.shown[resend.id].state is ResendState.EXPIRED


async def test_audit_channel(desk: ResendDesk) -> None:
    """The audit channel tells who asked, who approved, and how it ended."""
    resend = await desk.requested()

    await desk.service.approve(resend.id, by=MODERATOR)

    assert [(post.action, post.actor_id, post.detail["state"]) for post in desk.channel.posts] == [
        (AuditAction.RESEND_REQUESTED, AGENT.user_id, "pending"),
        (AuditAction.RESEND_APPROVED, MODERATOR.user_id, "sending"),
        (AuditAction.RESEND_SENT, None, "sent"),
    ]
    assert {post.subject for post in desk.channel.posts} == {f"resend:{resend.id}"}


# Settling by reading


async def test_how_often_a_doubt_is_read(desk: ResendDesk) -> None:
    """A doubt is read at once, at least every 10 s for five minutes, then ever more slowly, at most an hour apart."""
    began = desk.clock.now()
    read_at: list[timedelta] = []

    async def step(name: str) -> None:
        if name == "provider.trades before" and desk.provider.calls:
            read_at.append(desk.clock.now() - began)
            desk.clock.advance(seconds=0.3)  # an answer takes its time

    desk.step = step
    unknown = await doubtful(desk)
    assert len(read_at) == 1
    for number in range(1, 12 * 60 * 12):
        desk.clock.advance(seconds=(began + timedelta(seconds=TICK * number) - desk.clock.now()).total_seconds())
        await desk.delivery.tick()

    gaps = [(later, later - earlier) for earlier, later in pairwise(read_at)]
    often = [gap for at, gap in gaps if at <= timedelta(minutes=5)]
    seldom = [gap for at, gap in gaps if at > timedelta(minutes=6)]
    assert len(often) >= 30
    assert max(often) <= timedelta(seconds=10)
    assert all(later >= earlier - timedelta(seconds=2 * TICK) for earlier, later in pairwise(seldom))
    assert timedelta(minutes=30) < seldom[-1] <= timedelta(hours=1, seconds=TICK)
    assert desk.provider.calls == {TRADE: 1}
    assert (await desk.row(unknown)).state is ResendState.UNKNOWN


async def test_read_at_every_start(desk: ResendDesk) -> None:
    """However seldom a doubt is read by then, a start reads it at once."""
    unknown = await doubtful(desk)
    await ticks(desk, seconds=15 * 60)
    readings = desk.provider.readings
    await desk.delivery.tick()
    assert desk.provider.readings == readings
    desk.provider.carry_out(TRADE)

    await desk.restart()

    ended = await desk.row(unknown)
    assert (ended.state, ended.outcome) == (ResendState.SENT, Outcome.READ_BACK)
    assert desk.cards.shown[unknown.id] == ended
    assert desk.cards.told[-1].code == desk.provider.kept[TRADE].code


async def test_several_doubts(desk: ResendDesk) -> None:
    """One reading settles all that it can: several doubts do not wait for each other's readings."""
    doubts = [await doubtful(desk, trade_id) for trade_id in (1, 2, 3)]
    desk.provider.carry_out(1)
    desk.provider.carry_out(3)
    readings = desk.provider.readings

    await ticks(desk, seconds=TICK)

    assert desk.provider.readings == readings + 1
    assert [(await desk.row(doubt)).state.value for doubt in doubts] == ["sent", "unknown", "sent"]


async def test_provider_that_cannot_be_read(desk: ResendDesk) -> None:
    """While the provider is down a doubt stays one, requests still expire, and it is settled once it is back."""
    unknown = await doubtful(desk)
    waiting = await desk.requested(2)
    desk.provider.cannot_be_read = refusal(FailureKind.UNREACHABLE)
    desk.provider.carry_out(TRADE)
    await ticks(desk, seconds=60)
    assert (await desk.row(unknown)).state is ResendState.UNKNOWN
    desk.clock.advance(hours=24)
    await desk.delivery.tick()
    assert (await desk.row(waiting)).state is ResendState.EXPIRED
    desk.provider.cannot_be_read = None

    desk.clock.advance(hours=1)
    await desk.delivery.tick()

    assert (await desk.row(unknown)).state is ResendState.SENT


@pytest.mark.parametrize("facts", [{"last_error": "another"}, {"status": 5}, {"code": None}, {"offer_id": "9"}])
async def test_reading_that_proves_nothing(desk: ResendDesk, facts: dict[str, object]) -> None:
    """A trade that merely changed does not settle a doubt."""
    unknown = await doubtful(desk)
    desk.provider.change(TRADE, **facts)

    await ticks(desk, seconds=30)

    assert (await desk.row(unknown)).state is ResendState.UNKNOWN


# Cancelled, crashed, broken


def points(log: list[str]) -> list[str]:
    """Return every step of the log that it came to, numbered where it came there more than once."""
    return [f"{name}#{log[: place + 1].count(name)}" for place, name in enumerate(log)]


async def steps_of_an_approval(desk: ResendDesk, trade_id: int) -> list[str]:
    """Approve undisturbed, and return the steps in their order."""
    resend = await desk.requested(trade_id)
    log: list[str] = []

    async def step(name: str) -> None:
        log.append(name)

    desk.step = step
    await desk.service.approve(resend.id, by=MODERATOR)
    desk.step = None
    return points(log)


class At:
    """A step that does something at one point and then no more."""

    def __init__(self, point: str, deed) -> None:
        self._point = point
        self._deed = deed
        self._log: list[str] = []

    async def __call__(self, name: str) -> None:
        self._log.append(name)
        if points(self._log)[-1] == self._point:
            self._deed()


@pytest.mark.parametrize("way", [accepts, does_and_loses, loses])
async def test_approver_who_goes_away(desk: ResendDesk, way: Way) -> None:
    """Wherever the approving caller is cancelled, at most one call is made, and once it is approved it has its end."""
    end = ResendState.UNKNOWN if way is loses else ResendState.SENT
    desk.provider.ways.append(way)
    every_point = await steps_of_an_approval(desk, 1)
    assert len(every_point) > 30
    seen = set()
    for trade_id, point in enumerate(every_point, start=2):
        resend = await desk.requested(trade_id)
        desk.provider.ways = deque([way])
        approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
        desk.step = At(point, approving.cancel)
        await asyncio.gather(approving, return_exceptions=True)
        await desk.quiet()
        desk.step = None

        kept = await desk.row(resend)

        assert kept.state in {ResendState.PENDING, end}, point
        assert desk.provider.calls[trade_id] == (kept.state is end), point
        assert face(desk.cards.shown[resend.id]) == face(kept), point
        seen.add(kept.state)
    assert seen == {ResendState.PENDING, end}


@pytest.mark.parametrize(
    ("way", "ends"),
    [
        (accepts, {("sent", 1)}),
        (loses, set()),
        (refuses, {("failed", 1)}),
    ],
)
async def test_crash_at_every_point(desk: ResendDesk, way: Way, ends: set[tuple[str, int]]) -> None:
    """Wherever it crashes, the next start makes no second call, shows how it stands, and tells the end that it has."""
    desk.provider.ways.append(way)
    every_point = await steps_of_an_approval(desk, 1)
    seen = set()
    for trade_id, point in enumerate(every_point, start=2):
        resend = await desk.requested(trade_id)
        desk.provider.ways = deque([way])
        desk.cards.told.clear()
        desk.step = At(point, desk.crash)
        await asyncio.gather(desk.service.approve(resend.id, by=MODERATOR), return_exceptions=True)
        await desk.quiet()
        desk.step = None
        await desk.start()

        kept = await desk.row(resend)

        calls = desk.provider.calls[trade_id]
        assert calls <= 1, point
        assert face(desk.cards.shown[resend.id]) == face(kept), point
        if not kept.state.is_open:
            assert calls, point
            for told in (AGENT, CUSTOMER):
                assert desk.cards.told_to(told.user_id)[-1] == kept.state.value, point
        await ticks(desk, seconds=10)
        assert desk.provider.calls[trade_id] == calls, point
        seen.add((kept.state.value, calls))
    assert seen - {("unknown", 1)} == {("pending", 0), ("unknown", 0)} | ends


class DiskFull(Exception):
    """What a storage says that cannot read or write."""


def fail() -> None:
    raise DiskFull


async def test_storage_that_breaks_at_every_point(desk: ResendDesk) -> None:
    """Wherever the disk fails for a moment, no second call is made and no request stays stuck: it goes on by itself."""
    database = ("resends.", "links.", "grants.", "settings.")
    every_point = [point for point in await steps_of_an_approval(desk, 1) if point.startswith(database)]
    assert len(every_point) > 20
    for trade_id, point in enumerate(every_point, start=2):
        resend = await desk.requested(trade_id)
        desk.step = At(point, fail)
        await asyncio.gather(desk.service.approve(resend.id, by=MODERATOR), return_exceptions=True)
        await desk.quiet()
        desk.step = None
        await ticks(desk, seconds=10)

        kept = await desk.row(resend)

        calls = desk.provider.calls[trade_id]
        assert (kept.state.value, calls) in {("pending", 0), ("unknown", 0), ("sent", 1)}, point
        await desk.restart()
        assert face(desk.cards.shown[resend.id]) == face(await desk.row(resend)), point
        assert desk.provider.calls[trade_id] == calls, point


async def test_broken_off_after_its_caller_had_gone(desk: ResendDesk, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong when nobody waits for it any more is in the log."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    approving.cancel()
    await asyncio.gather(approving, return_exceptions=True)

    desk.step = At("resends.settle before#1", fail)
    held.let_go()
    await desk.quiet()

    assert "resend broke off after its caller had gone" in caplog.text


# Stopping and starting


@pytest.mark.parametrize("done", [True, False])
async def test_stopped_during_the_call(desk: ResendDesk, *, done: bool) -> None:
    """A stop in a call leaves an honest doubt, which the next start settles by reading or shows with its buttons."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    await asyncio.sleep(0.02)  # until the card has been shown

    await desk.delivery.close(within=0.01)

    stopped = await desk.row(resend)
    assert (stopped.state, stopped.outcome) == (ResendState.UNKNOWN, Outcome.INTERRUPTED)
    await asyncio.gather(approving, return_exceptions=True)
    assert approving.cancelled()
    if done:
        desk.provider.carry_out(TRADE)

    await desk.start()

    kept = await desk.row(resend)
    assert kept.state is (ResendState.SENT if done else ResendState.UNKNOWN)
    assert face(desk.cards.shown[resend.id]) == face(kept)
    assert desk.provider.calls == {TRADE: 1}


async def test_stop_that_waits(desk: ResendDesk) -> None:
    """An answer that comes while the stop still waits is kept, shown and told."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    stopping = asyncio.create_task(desk.delivery.close(within=10.0))
    await asyncio.sleep(0)

    held.let_go()
    await stopping

    assert (await approving).state is ResendState.SENT
    assert desk.cards.shown[resend.id].state is ResendState.SENT
    assert desk.cards.told_to(CUSTOMER.user_id) == ["sent"]


async def test_stop_while_discord_hangs(desk: ResendDesk) -> None:
    """A Discord that does not answer does not keep the program from stopping, nor the doubt from being kept."""
    resend = await desk.requested()
    held = Held()
    desk.provider.ways.append(held)

    async def hang(name: str) -> None:
        if name == "cards.update before":
            await asyncio.Event().wait()

    desk.step = hang
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    async with asyncio.timeout(5):
        await desk.delivery.close(within=0.0)

    await asyncio.gather(approving, return_exceptions=True)
    assert (await desk.row(resend)).outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize(
    ("left", "taken_up"),
    [
        (ResendState.APPROVED, ResendState.PENDING),
        (ResendState.SENDING, ResendState.UNKNOWN),
        (ResendState.UNKNOWN, ResendState.UNKNOWN),
        (ResendState.PENDING, ResendState.PENDING),
    ],
)
async def test_start_with_what_was_left(desk: ResendDesk, left: ResendState, taken_up: ResendState) -> None:
    """A start sends nothing: sending becomes a doubt, approved is pending again, and the cards say so."""
    resend = await desk.requested()
    resends, now = desk.repositories.resends, desk.clock.now()
    if left is not ResendState.PENDING:
        await resends.approve(resend.id, version=1, by=MODERATOR.user_id, at=now)
    if left in (ResendState.SENDING, ResendState.UNKNOWN):
        await resends.begin_sending(resend.id, at=now)
    if left is ResendState.UNKNOWN:
        await resends.mark_unknown(resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now)
    desk.crash()

    await desk.start()

    kept = await desk.row(resend)
    assert kept.state is taken_up
    assert desk.cards.shown[resend.id].state is taken_up
    assert desk.provider.calls == {}
    if left is ResendState.APPROVED:
        assert (kept.decided_by, kept.notes, kept.version) == (None, ("restarted",), 2)
        assert (await desk.service.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_start_after_a_crash_before_the_card(desk: ResendDesk) -> None:
    """A request whose card never came ends at the next start, its requester hears of it, and can ask again."""

    async def crash(name: str) -> None:
        if name == "cards.post before":
            desk.crash()

    desk.step = crash
    await asyncio.gather(desk.requested(), return_exceptions=True)
    desk.step = None
    (left,) = await desk.repositories.resends.all_open()

    await desk.start()

    assert (await desk.row(left)).decision_reason == "card_not_posted"
    assert desk.cards.told_to(AGENT.user_id) == ["cancelled"]
    assert (await desk.requested()).state is ResendState.PENDING


async def test_start_does_not_disturb_what_has_ended(desk: ResendDesk) -> None:
    """Ended requests stay as they are over any number of starts, and nobody is told again."""
    await desk.service.approve((await desk.requested()).id, by=MODERATOR)
    told, written = list(desk.cards.told), await desk.written()

    for _ in range(3):
        await desk.restart()

    assert desk.cards.told == told
    assert await desk.written() == written
