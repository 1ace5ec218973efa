"""Requests for resends and decisions on them: who may, who is first, and what becomes of those who are not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    ApprovalsChannelUnusable,
    DeskError,
    InvalidInput,
    MayNotDecide,
    ResendAlreadyOpen,
    ResendNotFound,
    ShuttingDown,
    TooManyResends,
    TradeChanged,
    TradeNotFound,
)
from bot.domain.resends import OPENED_AT_MOST, Outcome, Resend, ResendState
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
    somebody,
)


async def outcomes(work: list[Awaitable[Resend]]) -> tuple[list[Resend], list[DeskError]]:
    """Do everything at once; return what came of it and what was refused."""
    answers = await asyncio.gather(*work, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, DeskError)]
    done = [answer for answer in answers if isinstance(answer, Resend)]
    assert len(done) + len(refused) == len(answers), answers
    return done, refused


# At once


async def test_fifty_approvers(desk: ResendDesk) -> None:
    """Of fifty who approve at once one sends it, and the others are told who it was and when."""
    resend = await desk.requested()
    desk.clock.advance(minutes=3)
    crowd = [somebody(1_000 + number, MODERATORS) for number in range(50)]

    done, refused = await outcomes([desk.service.approve(resend.id, by=one) for one in crowd])

    (sent,) = done
    assert sent.state is ResendState.SENT
    assert desk.provider.calls == {TRADE: 1}
    assert len(refused) == 49
    for late in refused:
        assert isinstance(late, AlreadyDecided)
        assert (late.resend.decided_by, late.resend.decided_at) == (sent.decided_by, desk.clock.now())
    assert desk.cards.shown[resend.id] == await desk.row(resend) == sent


async def test_fifty_requests(desk: ResendDesk) -> None:
    """Of fifty who ask for one trade at once one gets a card, and the others are told that it is asked for."""
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    crowd = [somebody(1_000 + number, AGENTS) for number in range(50)]

    done, refused = await outcomes([desk.service.request(str(TRADE), by=one) for one in crowd])

    (resend,) = done
    assert desk.cards.posted == {resend.id: 1}
    assert {type(late) for late in refused} == {ResendAlreadyOpen}
    assert len(refused) == 49


@pytest.mark.parametrize("first", range(3))
async def test_every_decision_at_once(desk: ResendDesk, first: int) -> None:
    """Of an approval, a denial and an expiry at once one counts, and the card says which."""
    desk.clock.advance(hours=1)
    resend = await desk.requested()
    desk.clock.advance(hours=24)
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.service.approve(resend.id, by=MODERATOR),
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

    done, refused = await outcomes([desk.service.approve(resend.id, by=one) for one in crowd])

    assert done == []
    for late in refused:
        assert isinstance(late, TradeChanged)
        assert late.differences == ("status", "last_error")
    assert desk.provider.calls == {}
    shown = desk.cards.shown[resend.id]
    assert (shown.state, shown.facts.status, shown.version) == (ResendState.PENDING, 5, 2)

    sent = await desk.service.approve(resend.id, by=MODERATOR)

    assert sent.state is ResendState.SENT


async def test_changed_between_two_approvals(desk: ResendDesk) -> None:
    """Who read the trade before it changed does not approve what the card shows since somebody else's try."""
    resend = await desk.requested()
    slow = asyncio.Event()
    go_on = asyncio.Event()

    async def step(name: str) -> None:
        if name == "resends.approve before" and not slow.is_set():
            slow.set()
            await go_on.wait()

    desk.step = step
    first = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await slow.wait()
    desk.provider.change(TRADE, status=10)
    with pytest.raises(TradeChanged):
        await desk.service.approve(resend.id, by=OTHER_MODERATOR)
    go_on.set()

    with pytest.raises(TradeChanged) as changed:
        await first

    assert changed.value.differences == ("status",)
    assert desk.provider.calls == {}


# Requests


@pytest.mark.parametrize("trade_id", ["9" * 5_000, "1" * 20, "-1", "4.8", "٤٨١٢", "", "abc", f"{TRADE} "[:3]])
async def test_no_number_of_a_trade(desk: ResendDesk, trade_id: str) -> None:
    """Whatever is typed for a trade's number, it is a trade or there is none."""
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await desk.service.request(trade_id, by=AGENT)


@pytest.mark.parametrize("trade_id", ["4812", " 4812 ", "#4812", "004812"])
async def test_number_as_people_write_it(desk: ResendDesk, trade_id: str) -> None:
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    assert (await desk.service.request(trade_id, by=AGENT)).trade_id == TRADE


@pytest.mark.parametrize(
    "error", [ApprovalsChannelUnusable(), OSError("no route to Discord"), asyncio.CancelledError()]
)
async def test_card_that_cannot_be_posted(desk: ResendDesk, error: BaseException) -> None:
    """A request that got no card, for whatever reason, does not stand in the way of the next one."""
    desk.cards.post_fails_with = error

    with pytest.raises(type(error)):
        await desk.requested()

    assert await desk.repositories.resends.all_open() == ()
    desk.cards.post_fails_with = None
    assert (await desk.requested()).state is ResendState.PENDING


async def test_decided_before_its_card_is_known(desk: ResendDesk) -> None:
    """Where Discord's answer to the post comes after the decision, the card still shows how it ended."""

    async def step(name: str) -> None:
        if name == "cards.post after":
            desk.step = None
            await desk.service.approve(1, by=MODERATOR)

    desk.step = step

    resend = await desk.requested()

    assert resend.state is ResendState.SENT
    assert desk.cards.shown[resend.id].state is ResendState.SENT


async def test_open_in_another_guild(desk: ResendDesk) -> None:
    """A trade is asked for once over all guilds, and one guild does not learn of another's request."""
    resend = await desk.requested()
    elsewhere = somebody(AGENT.user_id, AGENTS, guild_id=OTHER_GUILD)

    with pytest.raises(ResendAlreadyOpen) as there:
        await desk.service.request(str(TRADE), by=elsewhere)
    with pytest.raises(ResendAlreadyOpen) as here:
        await desk.service.request(str(TRADE), by=AGENT)

    assert there.value.resend is None
    assert here.value.resend == resend


async def test_somebody_elses_trade(desk: ResendDesk) -> None:
    """For a customer another's trade is as little there as one that does not exist."""
    desk.provider.add(TRADE, STRANGERS_ACCOUNT, status=0)

    with pytest.raises(TradeNotFound):
        await desk.service.request(str(TRADE), by=CUSTOMER)


async def test_reason_with_a_trade_url(desk: ResendDesk) -> None:
    """A trade token in a reason is masked before anything is kept or shown."""
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"

    resend = await desk.service.request(str(TRADE), by=AGENT, reason=f"  send to {url} ")

    assert resend.reason is not None
    assert resend.reason.startswith("send to ")
    assert "SeCrEt12" not in repr(resend)
    assert "SeCrEt12" not in repr(desk.cards.shown)


@pytest.mark.parametrize(("reason", "kept"), [("   ", None), ("", None), (None, None), (" x ", "x")])
async def test_reason_of_nothing(desk: ResendDesk, reason: str | None, kept: str | None) -> None:
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    assert (await desk.service.request(str(TRADE), by=AGENT, reason=reason)).reason == kept


async def test_reason_too_long(desk: ResendDesk) -> None:
    desk.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(InvalidInput):
        await desk.service.request(str(TRADE), by=AGENT, reason="x" * 201)


# Decisions


Decision = Callable[[ResendDesk, Resend, Actor], Awaitable[object]]
DECISIONS: dict[str, Decision] = {
    "approve": lambda desk, resend, actor: desk.service.approve(resend.id, by=actor),
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
    await resends.approve(resend.id, version=resend.version, by=MODERATOR.user_id, at=now)
    await resends.begin_sending(resend.id, at=now)
    await resends.mark_unknown(resend.id, outcome=Outcome.ANSWER_LOST, detail=None, settle_after=now, at=now)


async def test_right_taken_away_meanwhile(desk: ResendDesk) -> None:
    """Whoever could decide when the card came and may not any more is refused."""
    resend = await desk.requested()
    await desk.repositories.grants.revoke(
        Grant(GUILD, MODERATORS, Capability.APPROVE_RESEND), by=1, at=desk.clock.now()
    )

    with pytest.raises(AccessDenied):
        await desk.service.approve(resend.id, by=MODERATOR)

    assert desk.provider.calls == {}


async def test_approved_too_late(desk: ResendDesk) -> None:
    """An approval after the expiry ends the request, also where no tick has come by yet."""
    resend = await desk.requested()
    desk.clock.advance(hours=24)

    with pytest.raises(AlreadyDecided) as late:
        await desk.service.approve(resend.id, by=MODERATOR)

    assert late.value.resend.state is ResendState.EXPIRED
    assert desk.cards.shown[resend.id].state is ResendState.EXPIRED
    assert desk.provider.calls == {}


async def test_no_longer_resendable(desk: ResendDesk) -> None:
    """A trade that meanwhile went through cancels the request; requester and owner are told."""
    resend = await desk.requested()
    desk.provider.change(TRADE, status=3)

    with pytest.raises(DeskError):
        await desk.service.approve(resend.id, by=MODERATOR)

    ended = await desk.row(resend)
    assert (ended.state, ended.decision_reason) == (ResendState.CANCELLED, "no_longer_resendable")
    assert ended.facts.status == 3
    assert desk.cards.shown[resend.id] == ended
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
        await desk.service.approve(resend.id, by=MODERATOR)

    assert await desk.row(resend) == resend
    assert desk.provider.calls == {}


async def test_card_that_could_not_be_updated(desk: ResendDesk) -> None:
    """A card that kept its buttons while Discord was away says how it ended as soon as somebody presses one."""
    resend = await desk.requested()
    desk.cards.is_stuck = True
    await desk.service.approve(resend.id, by=MODERATOR)
    desk.cards.is_stuck = False
    assert desk.cards.shown[resend.id].state is ResendState.PENDING

    with pytest.raises(AlreadyDecided) as late:
        await desk.service.approve(resend.id, by=OTHER_MODERATOR)

    assert late.value.resend.state is ResendState.SENT
    assert desk.cards.shown[resend.id].state is ResendState.SENT
    assert desk.provider.calls == {TRADE: 1}


# Stopping


async def test_stopping(desk: ResendDesk) -> None:
    """Once the program stops nothing is approved."""
    resend = await desk.requested()
    await desk.delivery.close(within=0.0)

    with pytest.raises(ShuttingDown):
        await desk.service.approve(resend.id, by=MODERATOR)

    assert await desk.row(resend) == resend


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.approve after"])
async def test_stopped_in_the_middle(desk: ResendDesk, moment: str) -> None:
    """A stop between the click and the call sends nothing; after the next start somebody can decide."""
    resend = await desk.requested()

    async def stop(name: str) -> None:
        if name == moment:
            desk.step = None
            await asyncio.wait({asyncio.create_task(desk.delivery.close(within=0.0))}, timeout=0)
            await asyncio.sleep(0)

    desk.step = stop
    answers = await asyncio.gather(desk.service.approve(resend.id, by=MODERATOR), return_exceptions=True)

    assert isinstance(answers[0], ShuttingDown | asyncio.CancelledError)
    assert desk.provider.calls == {}
    await desk.restart()
    assert (await desk.service.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


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
    approving = asyncio.create_task(desk.service.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    with pytest.raises(AlreadyDecided):
        await desk.service.mark(resend.id, sent=False, by=OTHER_MODERATOR)

    held.let_go()
    assert (await approving).outcome is Outcome.READ_BACK


async def test_open_requests(desk: ResendDesk) -> None:
    """Moderators see what is open, oldest first; others do not."""
    first = await desk.requested(1)
    second = await desk.requested(2)
    await desk.service.deny((await desk.requested(3)).id, by=MODERATOR)

    assert await desk.service.open_requests(by=MODERATOR) == (first, second)
    with pytest.raises(AccessDenied):
        await desk.service.open_requests(by=AGENT)


# How many


async def test_many_at_once(desk: ResendDesk) -> None:
    """Of many requests of one customer at once as many are opened as they may, and the others say until when."""
    for trade_id in range(1, 21):
        desk.provider.add(trade_id, CUSTOMERS_ACCOUNT)
    await grant_own(desk)

    done, refused = await outcomes([desk.service.request(str(number), by=CUSTOMER) for number in range(1, 21)])

    assert len(done) == OPENED_AT_MOST
    for late in refused:
        assert isinstance(late, TooManyResends)
        assert late.until == desk.clock.now() + timedelta(hours=24)


async def test_next_one(desk: ResendDesk) -> None:
    """The limit is of any 24 hours, ended requests count, and those that never had a card do not."""
    await grant_own(desk)
    desk.cards.post_fails_with = ApprovalsChannelUnusable()
    with pytest.raises(ApprovalsChannelUnusable):
        await desk.requested(50, by=CUSTOMER)
    desk.cards.post_fails_with = None
    first = desk.clock.now()
    for trade_id in range(1, OPENED_AT_MOST + 1):
        resend = await desk.requested(trade_id, by=CUSTOMER)
        await desk.service.deny(resend.id, by=MODERATOR)
        desk.clock.advance(hours=1)
    with pytest.raises(TooManyResends) as raised:
        await desk.requested(60, by=CUSTOMER)
    assert raised.value.until == first + timedelta(hours=24)
    desk.clock.advance(hours=23 - OPENED_AT_MOST, minutes=59)
    with pytest.raises(TooManyResends):
        await desk.requested(60, by=CUSTOMER)

    desk.clock.advance(minutes=1)

    assert (await desk.requested(60, by=CUSTOMER)).state is ResendState.PENDING
    with pytest.raises(TooManyResends):
        await desk.requested(61, by=CUSTOMER)


async def test_agents_have_no_limit(desk: ResendDesk) -> None:
    for trade_id in range(1, OPENED_AT_MOST + 3):
        assert (await desk.requested(trade_id)).state is ResendState.PENDING


async def grant_own(desk: ResendDesk) -> None:
    """Let everybody ask for their own trades."""
    await desk.repositories.grants.grant(Grant(GUILD, GUILD, Capability.RESEND_OWN), by=1, at=desk.clock.now())
