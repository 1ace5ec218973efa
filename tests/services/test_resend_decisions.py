"""Decisions on resends: who may, who is first, and what becomes of those who are not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    MayNotDecide,
    ResendNotFound,
    SkinDeskError,
    TradeChanged,
    TradeNotFound,
)
from bot.domain.resends import Outcome, Resend, ResendState
from tests.fakes.trade_provider import Held, does_and_loses
from tests.services.resend_setup import (
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


async def test_fifty_approvers(services: ResendDesk) -> None:
    """Of fifty who approve at once one sends it, and the others are told who it was and when."""
    resend = await services.requested()
    services.clock.advance(minutes=3)
    crowd = [somebody(1_000 + number, MODERATORS) for number in range(50)]

    done, refused = await outcomes([services.approve(resend.id, by=one) for one in crowd])

    (sent,) = done
    assert sent.state is ResendState.SENT
    assert services.provider.calls == {TRADE: 1}
    assert len(refused) == 49
    for late in refused:
        assert isinstance(late, AlreadyDecided)
        assert (late.resend.decided_by, late.resend.decided_at) == (sent.decided_by, services.clock.now())
    assert services.cards.shown[resend.id] == await services.row(resend) == sent


@pytest.mark.parametrize("first", range(3))
async def test_every_decision_at_once(services: ResendDesk, first: int) -> None:
    """Of an approval, a denial and an expiry at once one counts, and the card says which."""
    services.clock.advance(hours=1)
    resend = await services.requested()
    services.clock.advance(hours=24)
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: services.approve(resend.id, by=MODERATOR),
        lambda: services.service.deny(resend.id, by=OTHER_MODERATOR),
        services.delivery.tick,
    ]

    await asyncio.gather(*(way() for way in ways[first:] + ways[:first]), return_exceptions=True)

    ended = await services.row(resend)
    assert ended.state in {ResendState.DENIED, ResendState.EXPIRED}
    assert services.provider.calls == {}
    assert services.cards.shown[resend.id] == ended
    assert services.cards.told_to(AGENT.user_id) == [ended.state.value]


async def test_changed_for_everybody(services: ResendDesk) -> None:
    """A trade that changed before many approve at once is sent by none of them: each is told what changed."""
    resend = await services.requested()
    services.provider.change(TRADE, status=5, last_error="Trade offer expired")
    crowd = [somebody(1_000 + number, MODERATORS) for number in range(10)]

    done, refused = await outcomes([services.approve(resend.id, by=one) for one in crowd])

    assert done == []
    for late in refused:
        assert isinstance(late, TradeChanged)
        assert late.differences == ("status", "last_error")
    assert services.provider.calls == {}
    shown = services.cards.shown[resend.id]
    assert (shown.state, shown.facts.status, shown.version) == (ResendState.PENDING, 5, 2)

    sent = await services.approve(resend.id, by=MODERATOR)

    assert sent.state is ResendState.SENT


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve before"])
async def test_changed_between_two_approvals(services: ResendDesk, moment: str) -> None:
    """Who read the trade before it changed does not approve what the card shows since somebody else's try."""
    resend = await services.requested()
    slow = asyncio.Event()
    go_on = asyncio.Event()

    async def step(name: str) -> None:
        if name == moment and not slow.is_set():
            slow.set()
            await go_on.wait()

    services.step = step
    first = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await slow.wait()
    services.provider.change(TRADE, status=10)
    with pytest.raises(TradeChanged):
        await services.approve(resend.id, by=OTHER_MODERATOR)
    go_on.set()

    with pytest.raises(TradeChanged) as changed:
        await first

    assert changed.value.differences == ("status",)
    assert services.provider.calls == {}


# One at a time


Decision = Callable[[ResendDesk, Resend, Actor], Awaitable[object]]
DECISIONS: dict[str, Decision] = {
    "approve": lambda services, resend, actor: services.approve(resend.id, by=actor),
    "deny": lambda services, resend, actor: services.service.deny(resend.id, by=actor),
    "mark sent": lambda services, resend, actor: services.service.mark(resend.id, sent=True, by=actor),
    "mark failed": lambda services, resend, actor: services.service.mark(resend.id, sent=False, by=actor),
    "ask to deny": lambda services, resend, actor: services.service.may_decide(resend.id, by=actor),
    "ask to mark": lambda services, resend, actor: services.service.may_mark(resend.id, by=actor),
}


@pytest.mark.parametrize("decision", DECISIONS)
async def test_who_may_not_decide(services: ResendDesk, decision: str) -> None:
    """No decision is left to those without the right, the requester, the owner, or another guild's moderators."""
    owner = somebody(201, MODERATORS)
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=services.clock.now())
    await services.link(owner, CUSTOMERS_ACCOUNT)
    both = somebody(AGENT.user_id, AGENTS, MODERATORS)
    resend = await services.requested(by=both)
    if "mark" in decision:
        await _made_doubtful(services, resend)
    before = await services.row(resend)
    decide = DECISIONS[decision]

    with pytest.raises(AccessDenied) as denied:
        await decide(services, resend, AGENT)
    assert denied.value.capability is Capability.APPROVE_RESEND
    for actor in (both, owner):
        with pytest.raises(MayNotDecide):
            await decide(services, resend, actor)
    with pytest.raises(ResendNotFound):
        await decide(services, resend, somebody(MODERATOR.user_id, MODERATORS, guild_id=OTHER_GUILD))

    assert await services.row(resend) == before
    await decide(services, resend, MODERATOR)


async def _made_doubtful(services: ResendDesk, resend: Resend) -> None:
    resends = services.repositories.resends
    now = services.clock.now()
    await resends.approve(resend.guild_id, resend.id, version=resend.version, by=MODERATOR.user_id, at=now)
    await resends.begin_sending(resend.guild_id, resend.id, at=now)
    await resends.mark_unknown(
        resend.guild_id, resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now
    )


async def test_right_taken_away_meanwhile(services: ResendDesk) -> None:
    """Whoever could decide when the card came and may not any more is refused."""
    resend = await services.requested()
    await services.repositories.grants.revoke(
        Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND), by=1, at=services.clock.now()
    )

    with pytest.raises(AccessDenied):
        await services.approve(resend.id, by=MODERATOR)

    assert services.provider.calls == {}


async def test_approved_too_late(services: ResendDesk) -> None:
    """An approval after the expiry ends the request, also where no tick has come by yet."""
    resend = await services.requested()
    services.clock.advance(hours=24)

    with pytest.raises(AlreadyDecided) as late:
        await services.approve(resend.id, by=MODERATOR)

    assert late.value.resend.state is ResendState.EXPIRED
    assert services.cards.shown[resend.id].state is ResendState.EXPIRED
    assert services.provider.calls == {}


async def test_no_longer_resendable(services: ResendDesk) -> None:
    """A trade that meanwhile went through cancels the request; requester and owner are told."""
    resend = await services.requested()
    services.provider.change(TRADE, status=3)

    with pytest.raises(SkinDeskError):
        await services.approve(resend.id, by=MODERATOR)

    ended = await services.row(resend)
    assert (ended.state, ended.decision_reason) == (ResendState.CANCELLED, "no_longer_resendable")
    assert ended.facts.status == 3
    assert face(services.cards.shown[resend.id]) == face(ended)
    assert services.cards.told_to(AGENT.user_id) == services.cards.told_to(CUSTOMER.user_id) == ["cancelled"]


@pytest.mark.parametrize("gone", [True, False])
async def test_not_the_trade_any_more(services: ResendDesk, *, gone: bool) -> None:
    """A trade that is no longer listed, or another's by now, is not sent; the request waits."""
    resend = await services.requested()
    if gone:
        del services.provider.kept[TRADE]
    else:
        services.provider.change(TRADE, owner=STRANGERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await services.approve(resend.id, by=MODERATOR)

    assert await services.row(resend) == resend
    assert services.provider.calls == {}


async def test_card_that_could_not_be_updated(services: ResendDesk) -> None:
    """A card that kept its buttons while Discord was away says how it ended as soon as somebody presses one."""
    resend = await services.requested()
    services.cards.edits = "refused"
    await services.approve(resend.id, by=MODERATOR)
    services.cards.edits = "taken"
    assert services.cards.shown[resend.id].state is ResendState.PENDING

    with pytest.raises(AlreadyDecided) as late:
        await services.approve(resend.id, by=OTHER_MODERATOR)

    assert late.value.resend.state is ResendState.SENT
    assert services.cards.shown[resend.id].state is ResendState.SENT
    assert services.provider.calls == {TRADE: 1}


# Marking


@pytest.mark.parametrize("sent", [True, False])
async def test_marked(services: ResendDesk, *, sent: bool) -> None:
    """A doubt settled by hand keeps who approved and who marked, and why; both are told."""
    resend = await services.requested()
    await _made_doubtful(services, resend)
    services.clock.advance(minutes=9)

    marked = await services.service.mark(resend.id, sent=sent, by=OTHER_MODERATOR, reason=" seen in Steam ")

    assert marked.state is (ResendState.SENT if sent else ResendState.FAILED)
    assert (marked.decided_by, marked.settled_by) == (MODERATOR.user_id, OTHER_MODERATOR.user_id)
    assert (marked.outcome, marked.outcome_detail) == (Outcome.MARKED, "seen in Steam")
    assert marked.settled_at == services.clock.now()
    assert services.cards.told_to(AGENT.user_id) == services.cards.told_to(CUSTOMER.user_id) == [marked.state.value]
    assert [told.code for told in services.cards.told] == [None, None]
    with pytest.raises(AlreadyDecided):
        await services.service.mark(resend.id, sent=not sent, by=MODERATOR)


async def test_marked_while_it_is_read(services: ResendDesk) -> None:
    """Where a moderator is faster than the reading, theirs is the end, and it is told once, without a code."""
    resend = await services.requested()
    await _made_doubtful(services, resend)
    services.provider.carry_out(TRADE)

    async def mark(name: str) -> None:
        if name == "provider.trades after":
            services.step = None
            await services.service.mark(resend.id, sent=False, by=MODERATOR)

    services.step = mark
    await services.delivery.tick()

    ended = await services.row(resend)
    assert (ended.state, ended.outcome) == (ResendState.FAILED, Outcome.MARKED)
    assert services.cards.shown[resend.id] == ended
    assert services.cards.told_to(CUSTOMER.user_id) == ["failed"]
    assert [told.code for told in services.cards.told] == [None, None]


async def test_marked_before_there_is_a_doubt(services: ResendDesk) -> None:
    """A resend that is still being sent, or not even approved, cannot be settled by hand."""
    resend = await services.requested()
    held = Held(does_and_loses)
    services.provider.ways.append(held)
    with pytest.raises(AlreadyDecided):
        await services.service.mark(resend.id, sent=True, by=OTHER_MODERATOR)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    with pytest.raises(AlreadyDecided):
        await services.service.mark(resend.id, sent=False, by=OTHER_MODERATOR)

    held.let_go()
    assert (await approving).outcome is Outcome.READ_BACK


async def test_owner_unlinks_first(services: ResendDesk) -> None:
    """A moderator whose own trade it is does not become somebody else by removing their link."""
    owner = somebody(77, MODERATORS)
    await services.link(owner, STRANGERS_ACCOUNT)
    services.provider.add(TRADE, STRANGERS_ACCOUNT)
    resend = await services.service.request(str(TRADE), by=AGENT)
    await services.repositories.links.remove(GUILD, owner.user_id, by=owner.user_id, at=services.clock.now())

    with pytest.raises(MayNotDecide):
        await services.approve(resend.id, by=owner)

    assert (await services.row(resend)).state is ResendState.PENDING
