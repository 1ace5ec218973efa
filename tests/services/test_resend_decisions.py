"""Decisions on resends: who may decide, which decision counts, and how the others are refused."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.access import SKINDESK, Actor, Caller, Capability, current_caller
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    MayNotDecide,
    ResendNotFound,
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
    ResendSetup,
    face,
    member,
    outcomes,
)


async def test_fifty_approvals_at_once(services: ResendSetup) -> None:
    """One approval sends; the others get who approved and when."""
    resend = await services.requested()
    services.clock.advance(minutes=3)
    crowd = [member(1_000 + number, MODERATORS) for number in range(50)]

    done, refused = await outcomes([services.approve(resend.id, by=one) for one in crowd])

    (sent,) = done
    assert sent.state is ResendState.SENT
    assert services.provider.calls == {TRADE: 1}
    assert len(refused) == 49
    for late in refused:
        assert isinstance(late, AlreadyDecided)
        assert (late.resend.decided_by, late.resend.decided_at) == (sent.decided_by, services.clock.now())
    assert face(services.cards.shown[resend.id]) == face(await services.row(resend)) == face(sent)


async def test_on_whose_behalf(services: ResendSetup) -> None:
    """A click's own reading counts for its approver, so that clicks cannot take SkinDesk's slots; the call does not."""
    resend = await services.requested()
    callers: dict[str, Caller] = {}

    async def step(name: str) -> None:
        if name.startswith("provider"):
            callers[name] = current_caller()

    services.step = step
    await services.approve(resend.id, by=MODERATOR)

    assert callers["provider.trades before"] == Caller(MODERATOR.user_id)
    assert callers["provider.resend before"] == SKINDESK


@pytest.mark.parametrize("first", range(3))
async def test_approval_denial_and_expiry_at_once(services: ResendSetup, first: int) -> None:
    resend = await services.requested()
    services.clock.advance(hours=24)
    decisions: list[Callable[[], Awaitable[object]]] = [
        lambda: services.approve(resend.id, by=MODERATOR),
        lambda: services.service.deny(resend.id, by=OTHER_MODERATOR),
        services.delivery.tick,
    ]

    await asyncio.gather(*(decide() for decide in decisions[first:] + decisions[:first]), return_exceptions=True)

    await services.told()

    ended = await services.row(resend)
    assert ended.state in {ResendState.DENIED, ResendState.EXPIRED}
    assert services.provider.calls == {}
    assert face(services.cards.shown[resend.id]) == face(ended)
    assert services.cards.states_for(AGENT.user_id) == [ended.state.value]


async def test_trade_changed_before_ten_approvals(services: ResendSetup) -> None:
    """No approval sends a changed trade: each gets the difference, and the card shows the new facts."""
    resend = await services.requested()
    services.provider.change(TRADE, status=5, last_error="Trade offer expired")
    crowd = [member(1_000 + number, MODERATORS) for number in range(10)]

    done, refused = await outcomes([services.approve(resend.id, by=one) for one in crowd])

    assert done == []
    for late in refused:
        assert isinstance(late, TradeChanged)
        assert late.differences == ("status", "last_error")
    assert services.provider.calls == {}
    shown = services.cards.shown[resend.id]
    assert (shown.state, shown.facts.status, shown.version) == (ResendState.PENDING, 5, 2)
    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve before"])
async def test_trade_changed_during_an_approval(services: ResendSetup, moment: str) -> None:
    """An approval that read the trade before it changed does not approve the facts of another one's card."""
    resend = await services.requested()
    slow, go_on = asyncio.Event(), asyncio.Event()

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


Decision = Callable[[ResendSetup, Resend, Actor], Awaitable[object]]
DECISIONS: dict[str, Decision] = {
    "approve": lambda services, resend, actor: services.approve(resend.id, by=actor),
    "deny": lambda services, resend, actor: services.service.deny(resend.id, by=actor),
    "mark sent": lambda services, resend, actor: services.service.mark(resend.id, sent=True, by=actor),
    "ask to deny": lambda services, resend, actor: services.service.may_decide(resend.id, by=actor),
    "ask to mark": lambda services, resend, actor: services.service.may_mark(resend.id, by=actor),
}


@pytest.mark.parametrize("decision", DECISIONS)
async def test_who_may_not_decide(services: ResendSetup, decision: str) -> None:
    """Refused: actors without the capability, the requester, the owner even after unlinking, and other guilds."""
    owner = member(201, MODERATORS)
    now = services.clock.now()
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=now)
    await services.link(owner, CUSTOMERS_ACCOUNT)
    requester = member(AGENT.user_id, AGENTS, MODERATORS)
    resend = await services.requested(by=requester)
    if "mark" in decision:
        await mark_unknown(services, resend)
    before = await services.row(resend)
    decide = DECISIONS[decision]

    with pytest.raises(AccessDenied) as denied:
        await decide(services, resend, AGENT)
    assert denied.value.capability is Capability.APPROVE_RESEND
    for actor in (requester, owner):
        with pytest.raises(MayNotDecide):
            await decide(services, resend, actor)
    await services.repositories.links.remove(GUILD, owner.user_id, by=owner.user_id, at=now)
    with pytest.raises(MayNotDecide):
        await decide(services, resend, owner)
    with pytest.raises(ResendNotFound):
        await decide(services, resend, member(MODERATOR.user_id, MODERATORS, guild_id=OTHER_GUILD))

    assert await services.row(resend) == before
    await decide(services, resend, MODERATOR)


async def mark_unknown(services: ResendSetup, resend: Resend) -> None:
    resends, now = services.repositories.resends, services.clock.now()
    await resends.approve(resend.guild_id, resend.id, version=resend.version, by=MODERATOR.user_id, at=now)
    sending = await resends.begin_sending(resend.guild_id, resend.id, at=now)
    assert sending is not None
    await resends.mark_unknown(
        resend.guild_id, resend.id, worker=sending.worker, outcome=Outcome.ANSWER_LOST, detail=None, at=now
    )


@pytest.mark.parametrize("gone", [True, False])
async def test_trade_gone_or_of_another_owner(services: ResendSetup, *, gone: bool) -> None:
    """It is not sent; the request stays open."""
    resend = await services.requested()
    if gone:
        del services.provider.kept[TRADE]
    else:
        services.provider.change(TRADE, owner=STRANGERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await services.approve(resend.id, by=MODERATOR)
    assert await services.row(resend) == resend
    assert services.provider.calls == {}


# Unknown outcomes that a moderator settles


async def test_marked_during_a_reading(services: ResendSetup) -> None:
    """If the moderator is faster than the reading, theirs is the end, and both get one message without a code."""
    resend = await services.requested()
    await mark_unknown(services, resend)
    services.provider.carry_out(TRADE)

    async def mark(name: str) -> None:
        if name == "provider.trades after":
            services.step = None
            await services.service.mark(resend.id, sent=False, by=MODERATOR)

    services.step = mark
    await services.tick()

    ended = await services.row(resend)
    assert (ended.state, ended.outcome) == (ResendState.FAILED, Outcome.MARKED)
    assert face(services.cards.shown[resend.id]) == face(ended)
    assert services.cards.states_for(CUSTOMER.user_id) == ["failed"]
    assert [message.code for message in services.cards.messages] == [None, None]


async def test_marked_before_the_outcome_is_unknown(services: ResendSetup) -> None:
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
