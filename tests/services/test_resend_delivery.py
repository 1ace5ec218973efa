"""What happens to an approved resend: one call, an honest end, and nobody left without word of it."""

import asyncio

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import AlreadyDecided
from bot.domain.failures import FailureKind
from bot.domain.resends import Outcome, ResendState
from tests.fakes.trade_provider import Held, Way, accepts, breaks, confuses, does_and_loses, fails, refuses
from tests.services.resend_setup import (
    AGENT,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    OTHER_MODERATOR,
    TRADE,
    ResendDesk,
    doubtful,
    face,
    ticks,
)

MISSING = "Missing id parameter"

ENDS: list[tuple[Way, ResendState, Outcome]] = [
    (accepts, ResendState.SENT, Outcome.CONFIRMED),
    (refuses, ResendState.FAILED, Outcome.REFUSED),
    (fails(FailureKind.REFUSED, MISSING, 300), ResendState.FAILED, Outcome.PARAMETER),
    (fails(FailureKind.REFUSED, "Invalid or expired token", 403), ResendState.FAILED, Outcome.CREDENTIALS),
    (fails(FailureKind.THROTTLED, "Too many requests", 429), ResendState.FAILED, Outcome.REFUSED),
    (fails(FailureKind.UNREACHABLE), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.RATE_LIMITED_LOCALLY), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.CIRCUIT_OPEN), ResendState.FAILED, Outcome.NOT_REACHED),
    (fails(FailureKind.LOST), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.TIMED_OUT), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.NONSENSE, None, 200), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.TOO_LARGE), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.REDIRECTED), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (fails(FailureKind.BROKEN, None, 500), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    (does_and_loses, ResendState.SENT, Outcome.READ_BACK),
    (confuses, ResendState.SENT, Outcome.READ_BACK),
]


# The one call


@pytest.mark.parametrize(("way", "state", "outcome"), ENDS)
async def test_every_answer(services: ResendDesk, way: Way, state: ResendState, outcome: Outcome) -> None:
    """Whatever comes of the call is kept, shown and told, and the call is never made again."""
    resend = await services.requested()
    services.provider.ways.append(way)

    ended = await services.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (state, outcome)
    assert face(ended) == face(await services.row(resend)) == face(services.cards.shown[resend.id])
    assert ended.decided_by == MODERATOR.user_id
    assert ended.sent_at == services.clock.now()
    assert services.cards.told_to(AGENT.user_id) == services.cards.told_to(CUSTOMER.user_id) == [state.value]

    await ticks(services, seconds=60)
    await services.restart()

    assert services.provider.calls == {TRADE: 1}
    assert (await services.row(resend)).state is state


async def test_answer_nobody_foresaw(services: ResendDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Where the adapter itself breaks, the provider may have acted: that is a doubt too, and it is in the log."""
    resend = await services.requested()
    services.provider.ways.append(breaks)

    ended = await services.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (ResendState.UNKNOWN, Outcome.ANSWER_LOST)
    assert "resend failed id=1 trade=4812" in caplog.text


async def test_crossed_answer_that_proves_nothing(services: ResendDesk) -> None:
    """An answer about another trade is no yes, and says which trade it named."""
    resend = await services.requested()

    async def about_another(provider, trade_id):
        return (await accepts(provider, provider.add(TRADE + 1, CUSTOMERS_ACCOUNT).id),)[0]

    services.provider.ways.append(about_another)

    ended = await services.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (ResendState.UNKNOWN, Outcome.OTHER_TRADE)
    assert ended.outcome_detail == str(TRADE + 1)
    assert [told.code for told in services.cards.told] == [None, None]


async def test_intent_comes_before_the_call(services: ResendDesk) -> None:
    """When the call begins it is on disk that it may have been made, and by whose approval."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    kept = await services.row(resend)

    assert (kept.state, kept.decided_by) == (ResendState.SENDING, MODERATOR.user_id)
    assert [entry.action for entry in await services.written()][-2:] == [
        AuditAction.RESEND_APPROVED,
        AuditAction.RESEND_SENDING,
    ]
    with pytest.raises(AlreadyDecided) as late:
        await services.approve(resend.id, by=OTHER_MODERATOR)
    assert late.value.resend.decided_by == MODERATOR.user_id
    held.let_go()
    await approving


async def test_background_during_the_call(services: ResendDesk) -> None:
    """The background leaves a call that is under way alone, however long it takes."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    await ticks(services, seconds=60)

    assert (await services.row(resend)).state is ResendState.SENDING
    held.let_go()
    assert (await approving).outcome is Outcome.CONFIRMED


# Who is told


async def test_new_code(services: ResendDesk) -> None:
    """The new code goes to the linked owner and to nobody else; neither the audit nor its channel has it."""
    resend = await services.requested()

    await services.approve(resend.id, by=MODERATOR)

    code = services.provider.kept[TRADE].code
    assert code is not None
    assert [(told.user_id, told.code) for told in services.cards.told] == [
        (AGENT.user_id, None),
        (CUSTOMER.user_id, code),
    ]
    for kept in (await services.written(), services.channel.posts, services.cards.shown, await services.row(resend)):
        assert code.reveal() not in repr(kept)


@pytest.mark.parametrize("way", [accepts, does_and_loses])
async def test_owner_who_asked(services: ResendDesk, way: Way) -> None:
    """An owner who asked for it themselves is told once, with the code."""
    resend = await services.requested(by=CUSTOMER)
    services.provider.ways.append(way)

    await services.approve(resend.id, by=MODERATOR)

    assert [(told.user_id, told.code) for told in services.cards.told] == [
        (CUSTOMER.user_id, services.provider.kept[TRADE].code)
    ]


async def test_owner_by_their_own_word(services: ResendDesk) -> None:
    """Who linked the account to themselves as staff is told the outcome, and no code: nobody vouches for the link."""
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=services.clock.now())
    resend = await services.requested()
    await services.link(AGENT, CUSTOMERS_ACCOUNT)

    await services.approve(resend.id, by=MODERATOR)

    assert [(told.user_id, told.code) for told in services.cards.told] == [(AGENT.user_id, None)]


async def test_owner_without_a_link(services: ResendDesk) -> None:
    """Where nobody is linked to the account the code stays with the provider."""
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=services.clock.now())
    resend = await services.requested()

    await services.approve(resend.id, by=MODERATOR)

    assert [(told.user_id, told.code) for told in services.cards.told] == [(AGENT.user_id, None)]
    assert (await services.row(resend)).notes == ()


@pytest.mark.parametrize(
    ("unreachable", "notes"),
    [
        ({AGENT.user_id}, ("requester_not_told",)),
        ({CUSTOMER.user_id}, ("owner_not_told",)),
        ({AGENT.user_id, CUSTOMER.user_id}, ("requester_not_told", "owner_not_told")),
    ],
)
async def test_closed_direct_messages(services: ResendDesk, unreachable: set[int], notes: tuple[str, ...]) -> None:
    """Whoever cannot be told is named on the card, once however often it was tried."""
    services.cards.unreachable = unreachable
    unknown = await doubtful(services)
    services.provider.carry_out(TRADE)

    await ticks(services, seconds=10)

    assert unknown.notes == ()
    assert services.cards.shown[unknown.id].notes == notes
    assert services.cards.shown[unknown.id].state is ResendState.SENT


async def test_denied(services: ResendDesk) -> None:
    """A denial is an outcome too: requester and owner are told, with the reason, and nothing is sent."""
    resend = await services.requested()

    denied = await services.service.deny(resend.id, by=MODERATOR, reason=" ask again on Monday ")

    assert denied.decision_reason == "ask again on Monday"
    assert services.cards.told_to(AGENT.user_id) == services.cards.told_to(CUSTOMER.user_id) == ["denied"]
    assert services.cards.shown[resend.id] == denied
    assert services.provider.calls == {}


async def test_expired(services: ResendDesk) -> None:
    """At its very moment of expiry, and not before, a request ends; requester and owner are told."""
    resend = await services.requested()
    services.clock.advance(hours=24, microseconds=-1000)
    await services.delivery.tick()
    assert (await services.row(resend)).state is ResendState.PENDING
    services.clock.advance(microseconds=1000)

    await services.delivery.tick()

    assert services.cards.shown[resend.id].state is ResendState.EXPIRED
    assert services.cards.told_to(AGENT.user_id) == services.cards.told_to(CUSTOMER.user_id) == ["expired"]


async def test_expired_while_it_was_stopped(services: ResendDesk) -> None:
    """What ran out while nothing ran has ended after the first tick."""
    resend = await services.requested()
    await services.delivery.close(within=0.0)
    services.clock.advance(days=30)

    await services.start()

    assert services.cards.shown[resend.id].state is ResendState.EXPIRED


async def test_audit_channel(services: ResendDesk) -> None:
    """The audit channel tells who asked, who approved, and how it ended."""
    resend = await services.requested()

    await services.approve(resend.id, by=MODERATOR)

    assert [(post.action, post.actor_id, post.detail["state"]) for post in services.channel.posts] == [
        (AuditAction.RESEND_REQUESTED, AGENT.user_id, "pending"),
        (AuditAction.RESEND_APPROVED, MODERATOR.user_id, "sending"),
        (AuditAction.RESEND_SENT, None, "sent"),
    ]
    assert {post.subject for post in services.channel.posts} == {f"resend:{resend.id}"}
