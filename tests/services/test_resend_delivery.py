"""An approved resend: one call, a known or unknown outcome, and messages to requester and owner."""

import asyncio

import pytest

from bot.domain.access import Actor
from bot.domain.audit import AuditAction
from bot.domain.errors import AlreadyDecided
from bot.domain.failures import FailureKind
from bot.domain.links import Link, LinkSource
from bot.domain.resends import Outcome, ResendState
from tests.fakes.trade_provider import Held, Way, accepts, breaks, does_and_loses, fails, refuses
from tests.services.resend_setup import (
    AGENT,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    OTHER_MODERATOR,
    TRADE,
    ResendSetup,
    face,
    member,
    ticks,
)


@pytest.mark.parametrize(
    ("way", "state", "outcome"),
    [
        (accepts, ResendState.SENT, Outcome.CONFIRMED),
        (refuses, ResendState.FAILED, Outcome.REFUSED),
        (fails(FailureKind.REFUSED, "Missing id parameter", 300), ResendState.FAILED, Outcome.PARAMETER),
        (fails(FailureKind.REFUSED, "Invalid or expired token", 403), ResendState.FAILED, Outcome.CREDENTIALS),
        (fails(FailureKind.UNREACHABLE), ResendState.FAILED, Outcome.NOT_REACHED),
        (fails(FailureKind.RATE_LIMITED_LOCALLY), ResendState.FAILED, Outcome.NOT_REACHED),
        (fails(FailureKind.CIRCUIT_OPEN), ResendState.FAILED, Outcome.NOT_REACHED),
        (fails(FailureKind.BUSY), ResendState.FAILED, Outcome.NOT_REACHED),
        (fails(FailureKind.LOST), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (fails(FailureKind.TIMED_OUT), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (fails(FailureKind.BROKEN, None, 500), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (fails(FailureKind.TOO_LARGE), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (fails(FailureKind.REDIRECTED), ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (breaks, ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (does_and_loses, ResendState.SENT, Outcome.READ_BACK),
    ],
)
async def test_every_outcome(services: ResendSetup, way: Way, state: ResendState, outcome: Outcome) -> None:
    """The outcome is stored, shown and told; the call is never repeated."""
    resend = await services.requested()
    services.provider.ways.append(way)

    ended = await services.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (state, outcome)
    assert face(ended) == face(await services.row(resend)) == face(services.cards.shown[resend.id])
    assert ended.decided_by == MODERATOR.user_id
    assert ended.sent_at == services.clock.now()
    assert services.cards.states_for(AGENT.user_id) == services.cards.states_for(CUSTOMER.user_id) == [state.value]

    await ticks(services, seconds=60)
    await services.restart()

    assert services.provider.calls == {TRADE: 1}
    assert (await services.row(resend)).state is state


async def test_answer_about_another_trade(services: ResendSetup) -> None:
    """It is no success, and the outcome names the other trade."""
    resend = await services.requested()

    async def about_another(provider, trade_id):
        return (await accepts(provider, int(provider.add(TRADE + 1, CUSTOMERS_ACCOUNT).id)),)[0]

    services.provider.ways.append(about_another)

    ended = await services.approve(resend.id, by=MODERATOR)

    assert (ended.state, ended.outcome) == (ResendState.UNKNOWN, Outcome.OTHER_TRADE)
    assert ended.outcome_detail == str(TRADE + 1)
    assert [message.code for message in services.cards.messages] == [None, None]


async def test_during_the_call(services: ResendSetup) -> None:
    """The intent is stored before the call, and the background leaves a running call alone."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()

    await ticks(services, seconds=60)

    stored = await services.row(resend)
    assert (stored.state, stored.decided_by) == (ResendState.SENDING, MODERATOR.user_id)
    assert [entry.action for entry in await services.written()][-2:] == [
        AuditAction.RESEND_APPROVED,
        AuditAction.RESEND_SENDING,
    ]
    with pytest.raises(AlreadyDecided) as late:
        await services.approve(resend.id, by=OTHER_MODERATOR)
    assert late.value.resend.decided_by == MODERATOR.user_id
    held.let_go()
    assert (await approving).outcome is Outcome.CONFIRMED


# Messages


async def test_new_code(services: ResendSetup) -> None:
    """Only the linked owner gets the new code; neither the audit log nor its channel has it."""
    resend = await services.requested()

    await services.approve(resend.id, by=MODERATOR)

    code = services.provider.kept[TRADE].code
    assert code is not None
    assert [(message.user_id, message.code) for message in services.cards.messages] == [
        (AGENT.user_id, None),
        (CUSTOMER.user_id, code),
    ]
    for shown in (await services.written(), services.channel.posts, services.cards.shown, await services.row(resend)):
        assert code.reveal() not in repr(shown)


@pytest.mark.parametrize(
    ("source", "by", "gets_it"),
    [(LinkSource.STAFF, AGENT, False), (LinkSource.SIGN_IN, OTHER_MODERATOR, True)],
)
async def test_code_after_a_change(services: ResendSetup, source: LinkSource, by: Actor, *, gets_it: bool) -> None:
    """Who was linked to the account just now gets its code only if they signed in at Steam."""
    resend, now = await services.requested(), services.clock.now()
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=now)
    new = Link(GUILD, OTHER_MODERATOR.user_id, CUSTOMERS_ACCOUNT, source, by.user_id, now)
    await services.repositories.links.put(new)

    await services.approve(resend.id, by=MODERATOR)

    code = services.provider.kept[TRADE].code if gets_it else None
    assert (OTHER_MODERATOR.user_id, code) in [(message.user_id, message.code) for message in services.cards.messages]


@pytest.mark.parametrize("linked", [None, AGENT])
async def test_no_one_gets_the_code(services: ResendSetup, linked) -> None:
    """Not without a link, and not a staff member who linked the account to themselves."""
    await services.repositories.links.remove(GUILD, CUSTOMER.user_id, by=1, at=services.clock.now())
    services.clock.advance(hours=73)  # otherwise the code would wait in any case
    resend = await services.requested()
    if linked is not None:
        await services.link(linked, CUSTOMERS_ACCOUNT)

    await services.approve(resend.id, by=MODERATOR)

    assert [(message.user_id, message.code) for message in services.cards.messages] == [(AGENT.user_id, None)]
    assert (await services.row(resend)).notes == ()


async def test_expired(services: ResendSetup) -> None:
    """From the moment of its expiry a request ends, also if SkinDesk was not running, and both get a message."""
    resend = await services.requested()
    services.clock.advance(hours=24, microseconds=-1000)
    other = await services.requested(TRADE + 1, by=member(AGENT.user_id, 801))
    await services.tick()
    assert (await services.row(resend)).state is ResendState.PENDING
    services.clock.advance(microseconds=1000)

    with pytest.raises(AlreadyDecided):
        await services.approve(resend.id, by=MODERATOR)

    assert services.cards.shown[resend.id].state is ResendState.EXPIRED
    assert services.cards.states_for(AGENT.user_id) == services.cards.states_for(CUSTOMER.user_id) == ["expired"]
    await services.delivery.close(within=0.0)
    services.clock.advance(days=30)
    await services.start()
    assert services.cards.shown[other.id].state is ResendState.EXPIRED
