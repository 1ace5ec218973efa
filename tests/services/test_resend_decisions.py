"""Decisions on resends: who may, who is first, and what becomes of those who are not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    DeskError,
    MayNotDecide,
    ResendNotFound,
    TradeChanged,
    TradeNotFound,
)
from bot.domain.resends import Outcome, Resend, ResendState
from tests.fakes.trade_provider import Held, does_and_loses
from tests.services.resend_desk import (
    AGENT,
    AGENTS,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    MODERATORS,
    OTHER_GUILD,
    OTHER_MODERATOR,
    STRANGERS_ACCOUNT,
    TRADE,
    ResendDesk,
    face,
    outcomes,
    somebody,
)


async def test_fifty_approvers(desk: ResendDesk) -> None:
    """Of fifty who approve at once one sends it, and the others are told who it was and when."""
    resend = await desk.requested()
    desk.clock.advance(minutes=3)
    crowd = [somebody(1_000 + number, MODERATORS) for number in range(50)]

    done, refused = await outcomes([desk.approve(resend.id, by=one) for one in crowd])

    (sent,) = done
    assert sent.state is ResendState.SENT
    assert desk.provider.calls == {TRADE: 1}
    assert len(refused) == 49
    for late in refused:
        assert isinstance(late, AlreadyDecided)
        assert (late.resend.decided_by, late.resend.decided_at) == (sent.decided_by, desk.clock.now())
    assert desk.cards.shown[resend.id] == await desk.row(resend) == sent


@pytest.mark.parametrize("first", range(3))
async def test_every_decision_at_once(desk: ResendDesk, first: int) -> None:
    """Of an approval, a denial and an expiry at once one counts, and the card says which."""
    desk.clock.advance(hours=1)
    resend = await desk.requested()
    desk.clock.advance(hours=24)
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.approve(resend.id, by=MODERATOR),
        lambda: desk.service.deny(resend.id, by=OTHER_MODERATOR),
        desk.delivery.tick,
    ]

    await asyncio.gather(*(way() for way in ways[first:] + ways[:first]), return_exceptions=True)

    ended = await desk.row(resend)
    assert ended.state in {ResendState.DENIED, ResendState.EXPIRED}
    assert desk.provider.calls == {}
    assert desk.cards.shown[resend.id] == ended
    assert desk.cards.told_to(AGENT.user_id) == [ended.state.value]


async def test_changed_for_everybody(desk: ResendDesk) -> None:
    """A trade that changed before many approve at once is sent by none of them: each is told what changed."""
    resend = await desk.requested()
    desk.provider.change(TRADE, status=5, last_error="Trade offer expired")
    crowd = [somebody(1_000 + number, MODERATORS) for number in range(10)]

    done, refused = await outcomes([desk.approve(resend.id, by=one) for one in crowd])

    assert done == []
    for late in refused:
        assert isinstance(late, TradeChanged)
        assert late.differences == ("status", "last_error")
    assert desk.provider.calls == {}
    shown = desk.cards.shown[resend.id]
    assert (shown.state, shown.facts.status, shown.version) == (ResendState.PENDING, 5, 2)

    sent = await desk.approve(resend.id, by=MODERATOR)

    assert sent.state is ResendState.SENT


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve before"])
async def test_changed_between_two_approvals(desk: ResendDesk, moment: str) -> None:
    """Who read the trade before it changed does not approve what the card shows since somebody else's try."""
    resend = await desk.requested()
    slow = asyncio.Event()
    go_on = asyncio.Event()

    async def step(name: str) -> None:
        if name == moment and not slow.is_set():
            slow.set()
            await go_on.wait()

    desk.step = step
    first = asyncio.create_task(desk.approve(resend.id, by=MODERATOR))
    await slow.wait()
    desk.provider.change(TRADE, status=10)
    with pytest.raises(TradeChanged):
        await desk.approve(resend.id, by=OTHER_MODERATOR)
    go_on.set()

    with pytest.raises(TradeChanged) as changed:
        await first

    assert changed.value.differences == ("status",)
    assert desk.provider.calls == {}


# One at a time


Decision = Callable[[ResendDesk, Resend, Actor], Awaitable[object]]
DECISIONS: dict[str, Decision] = {
    "approve": lambda desk, resend, actor: desk.approve(resend.id, by=actor),
    "deny": lambda desk, resend, actor: desk.service.deny(resend.id, by=actor),
    "mark sent": lambda desk, resend, actor: desk.service.mark(resend.id, sent=True, by=actor),
    "mark failed": lambda desk, resend, actor: desk.service.mark(resend.id, sent=False, by=actor),
    "ask to deny": lambda desk, resend, actor: desk.service.may_decide(resend.id, by=actor),
    "ask to mark": lambda desk, resend, actor: desk.service.may_mark(resend.id, by=actor),
}


@pytest.mark.parametrize("decision", DECISIONS)
async def test_who_may_not_decide(desk: ResendDesk, decision: str) -> None:
    """No decision is left to those without the right, the requester, the owner, or another guild's moderators."""
    owner = somebody(201, MODERATORS)
    await desk.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=desk.clock.now())
    await desk.link(owner, CUSTOMERS_ACCOUNT)
    both = somebody(AGENT.user_id, AGENTS, MODERATORS)
    resend = await desk.requested(by=both)
    if "mark" in decision:
        await _made_doubtful(desk, resend)
    before = await desk.row(resend)
    decide = DECISIONS[decision]

    with pytest.raises(AccessDenied) as denied:
        await decide(desk, resend, AGENT)
    assert denied.value.capability is Capability.APPROVE_RESEND
    for actor in (both, owner):
        with pytest.raises(MayNotDecide):
            await decide(desk, resend, actor)
    with pytest.raises(ResendNotFound):
        await decide(desk, resend, somebody(MODERATOR.user_id, MODERATORS, guild_id=OTHER_GUILD))

    assert await desk.row(resend) == before
    await decide(desk, resend, MODERATOR)


async def _made_doubtful(desk: ResendDesk, resend: Resend) -> None:
    resends = desk.repositories.resends
    now = desk.clock.now()
    await resends.approve(resend.guild_id, resend.id, version=resend.version, by=MODERATOR.user_id, at=now)
    await resends.begin_sending(resend.guild_id, resend.id, at=now)
    await resends.mark_unknown(
        resend.guild_id, resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now
    )


async def test_right_taken_away_meanwhile(desk: ResendDesk) -> None:
    """Whoever could decide when the card came and may not any more is refused."""
    resend = await desk.requested()
    await desk.repositories.grants.revoke(
        Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND), by=1, at=desk.clock.now()
    )

    with pytest.raises(AccessDenied):
        await desk.approve(resend.id, by=MODERATOR)

    assert desk.provider.calls == {}


async def test_approved_too_late(desk: ResendDesk) -> None:
    """An approval after the expiry ends the request, also where no tick has come by yet."""
    resend = await desk.requested()
    desk.clock.advance(hours=24)

    with pytest.raises(AlreadyDecided) as late:
        await desk.approve(resend.id, by=MODERATOR)

    assert late.value.resend.state is ResendState.EXPIRED
    assert desk.cards.shown[resend.id].state is ResendState.EXPIRED
    assert desk.provider.calls == {}


async def test_no_longer_resendable(desk: ResendDesk) -> None:
    """A trade that meanwhile went through cancels the request; requester and owner are told."""
    resend = await desk.requested()
    desk.provider.change(TRADE, status=3)

    with pytest.raises(DeskError):
        await desk.approve(resend.id, by=MODERATOR)

    ended = await desk.row(resend)
    assert (ended.state, ended.decision_reason) == (ResendState.CANCELLED, "no_longer_resendable")
    assert ended.facts.status == 3
    assert face(desk.cards.shown[resend.id]) == face(ended)
    assert desk.cards.told_to(AGENT.user_id) == desk.cards.told_to(CUSTOMER.user_id) == ["cancelled"]


@pytest.mark.parametrize("gone", [True, False])
async def test_not_the_trade_any_more(desk: ResendDesk, *, gone: bool) -> None:
    """A trade that is no longer listed, or another's by now, is not sent; the request waits."""
    resend = await desk.requested()
    if gone:
        del desk.provider.kept[TRADE]
    else:
        desk.provider.change(TRADE, owner=STRANGERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await desk.approve(resend.id, by=MODERATOR)

    assert await desk.row(resend) == resend
    assert desk.provider.calls == {}


async def test_card_that_could_not_be_updated(desk: ResendDesk) -> None:
    """A card that kept its buttons while Discord was away says how it ended as soon as somebody presses one."""
    resend = await desk.requested()
    desk.cards.edits = "refused"
    await desk.approve(resend.id, by=MODERATOR)
    desk.cards.edits = "taken"
    assert desk.cards.shown[resend.id].state is ResendState.PENDING

    with pytest.raises(AlreadyDecided) as late:
        await desk.approve(resend.id, by=OTHER_MODERATOR)

    assert late.value.resend.state is ResendState.SENT
    assert desk.cards.shown[resend.id].state is ResendState.SENT
    assert desk.provider.calls == {TRADE: 1}


# Marking


@pytest.mark.parametrize("sent", [True, False])
async def test_marked(desk: ResendDesk, *, sent: bool) -> None:
    """A doubt settled by hand keeps who approved and who marked, and why; both are told."""
    resend = await desk.requested()
    await _made_doubtful(desk, resend)
    desk.clock.advance(minutes=9)

    marked = await desk.service.mark(resend.id, sent=sent, by=OTHER_MODERATOR, reason=" seen in Steam ")

    assert marked.state is (ResendState.SENT if sent else ResendState.FAILED)
    assert (marked.decided_by, marked.settled_by) == (MODERATOR.user_id, OTHER_MODERATOR.user_id)
    assert (marked.outcome, marked.outcome_detail) == (Outcome.MARKED, "seen in Steam")
    assert marked.settled_at == desk.clock.now()
    assert desk.cards.told_to(AGENT.user_id) == desk.cards.told_to(CUSTOMER.user_id) == [marked.state.value]
    assert [told.code for told in desk.cards.told] == [None, None]
    with pytest.raises(AlreadyDecided):
        await desk.service.mark(resend.id, sent=not sent, by=MODERATOR)


async def test_marked_while_it_is_read(desk: ResendDesk) -> None:
    """Where a moderator is faster than the reading, theirs is the end, and it is told once, without a code."""
    resend = await desk.requested()
    await _made_doubtful(desk, resend)
    desk.provider.carry_out(TRADE)

    async def mark(name: str) -> None:
        if name == "provider.trades after":
            desk.step = None
            await desk.service.mark(resend.id, sent=False, by=MODERATOR)

    desk.step = mark
    await desk.delivery.tick()

    ended = await desk.row(resend)
    assert (ended.state, ended.outcome) == (ResendState.FAILED, Outcome.MARKED)
    assert desk.cards.shown[resend.id] == ended
    assert desk.cards.told_to(CUSTOMER.user_id) == ["failed"]
    assert [told.code for told in desk.cards.told] == [None, None]


async def test_marked_before_there_is_a_doubt(desk: ResendDesk) -> None:
    """A resend that is still being sent, or not even approved, cannot be settled by hand."""
    resend = await desk.requested()
    held = Held(does_and_loses)
    desk.provider.ways.append(held)
    with pytest.raises(AlreadyDecided):
        await desk.service.mark(resend.id, sent=True, by=OTHER_MODERATOR)
    approving = asyncio.create_task(desk.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    with pytest.raises(AlreadyDecided):
        await desk.service.mark(resend.id, sent=False, by=OTHER_MODERATOR)

    held.let_go()
    assert (await approving).outcome is Outcome.READ_BACK


async def test_owner_unlinks_first(desk: ResendDesk) -> None:
    """A moderator whose own trade it is does not become somebody else by removing their link."""
    owner = somebody(77, MODERATORS)
    await desk.link(owner, STRANGERS_ACCOUNT)
    desk.provider.add(TRADE, STRANGERS_ACCOUNT)
    resend = await desk.service.request(str(TRADE), by=AGENT)
    await desk.repositories.links.remove(GUILD, owner.user_id, by=owner.user_id, at=desk.clock.now())

    with pytest.raises(MayNotDecide):
        await desk.approve(resend.id, by=owner)

    assert (await desk.row(resend)).state is ResendState.PENDING
