"""Rights that change while a decision or a request is under way, and accounts that changed hands."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.access import Capability, Grant
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    LinkTooNew,
    MayNotDecide,
    NotLinked,
    ResendsPaused,
    ShuttingDown,
    SkinDeskError,
)
from bot.domain.failures import FailureKind
from bot.domain.resends import ApproverRefusal, Outcome, ResendState
from bot.domain.steam import SteamId
from tests.fakes.trade_provider import refusal
from tests.services.resend_setup import (
    AGENT,
    AGENTS,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    MODERATORS,
    OTHER_MODERATOR,
    STRANGERS_ACCOUNT,
    TRADE,
    ResendSetup,
    unknown_resend,
)

Meanwhile = Callable[[ResendSetup], Awaitable[object]]

_OTHER_ACCOUNT = SteamId.from_account_id(13)


async def _revoke(services: ResendSetup, role: int, capability: Capability) -> None:
    assert await services.repositories.grants.revoke(Grant(GUILD, role, capability), by=1, at=services.clock.now())


async def _unlink(services: ResendSetup, user_id: int = CUSTOMER.user_id) -> None:
    assert await services.repositories.links.remove(GUILD, user_id, by=1, at=services.clock.now())


async def _take_the_account(services: ResendSetup) -> None:
    await _unlink(services)
    await services.link(MODERATOR, CUSTOMERS_ACCOUNT)


async def _link_otherwise(services: ResendSetup) -> None:
    await services.link(CUSTOMER, STRANGERS_ACCOUNT)


async def _pass_time(services: ResendSetup) -> None:
    services.clock.advance(hours=24)


def _at(services: ResendSetup, moment: str, meanwhile: Meanwhile) -> None:
    """Let something happen at the first of these moments."""

    async def step(name: str) -> None:
        if name == moment:
            services.step = None
            await meanwhile(services)

    services.step = step


NO_LONGER: dict[str, tuple[Meanwhile, type[SkinDeskError], ResendState]] = {
    "revoked": (
        lambda services: _revoke(services, MODERATORS, Capability.APPROVE_RESEND),
        AccessDenied,
        ResendState.PENDING,
    ),
    "became the owner": (_take_the_account, MayNotDecide, ResendState.PENDING),
    "expired": (_pass_time, AlreadyDecided, ResendState.EXPIRED),
}


@pytest.mark.parametrize(
    ("what", "moment"),
    [
        *((what, moment) for what in NO_LONGER for moment in ("provider.trades before", "provider.trades after")),
        ("revoked", "resends.approve before"),
        ("became the owner", "resends.approve before"),
    ],
)
async def test_while_an_approval_reads_the_trade(services: ResendSetup, what: str, moment: str) -> None:
    """What is no longer so when the approval is stored counts: nothing is sent."""
    meanwhile, error, state = NO_LONGER[what]
    resend = await services.requested()
    _at(services, moment, meanwhile)

    with pytest.raises(error):
        await services.approve(resend.id, by=MODERATOR)

    assert services.provider.calls == {}
    assert services.cards.shown[resend.id].state is (await services.row(resend)).state is state


@pytest.mark.parametrize("what", ["revoked", "became the owner"])
@pytest.mark.parametrize("decision", ["deny", "mark", "take"])
async def test_just_before_a_denial_or_a_mark(services: ResendSetup, decision: str, what: str) -> None:
    meanwhile, error, _ = NO_LONGER[what]
    if decision != "mark":
        resend, moment = await services.requested(), f"resends.{decision} before"
    else:
        resend, moment = await unknown_resend(services), "resends.settle before"

    _at(services, moment, meanwhile)
    decide: Callable[..., Awaitable[object]] = services.service.deny
    if decision != "deny":
        mark, take = partial(services.service.mark, sent=True), partial(services.queue.take, holder=None)
        decide = mark if decision == "mark" else take
    with pytest.raises(error):
        await decide(resend.id, by=MODERATOR)

    assert services.step is None
    row = await services.row(resend)
    assert (row.state, row.taken_by) == (resend.state, None)


@pytest.mark.parametrize("moment", ["provider.trades after", "resends.open before"])
@pytest.mark.parametrize(
    ("meanwhile", "error"),
    [
        (lambda services: _revoke(services, GUILD, Capability.RESEND_OWN), AccessDenied),
        (_unlink, NotLinked),
        (_link_otherwise, LinkTooNew),
    ],
)
async def test_while_a_request_reads_the_trade(
    services: ResendSetup, meanwhile: Meanwhile, error: type[SkinDeskError], moment: str
) -> None:
    await services.repositories.grants.grant(Grant(GUILD, GUILD, Capability.RESEND_OWN), by=1, at=services.clock.now())
    _at(services, moment, meanwhile)

    with pytest.raises(error):
        await services.requested(by=CUSTOMER)

    assert await services.repositories.resends.all_open() == ()
    assert services.cards.posted == {}


async def test_any_account_revoked_while_a_request_reads_the_trade(services: ResendSetup) -> None:
    """With only own trades left, not even an own trade is asked for without the daily limit."""
    now = services.clock.now()
    await services.repositories.grants.grant(Grant(GUILD, GUILD, Capability.RESEND_OWN), by=1, at=now)
    await _unlink(services)
    await services.link(AGENT, STRANGERS_ACCOUNT)
    services.provider.add(TRADE, STRANGERS_ACCOUNT)
    _at(services, "provider.trades after", lambda services: _revoke(services, AGENTS, Capability.RESEND_ANY))

    with pytest.raises(AccessDenied) as denied:
        await services.service.request(str(TRADE), by=AGENT)

    assert denied.value.capability is Capability.RESEND_ANY


# Accounts that changed hands


async def _had_it(services: ResendSetup) -> None:
    await _unlink(services)
    await services.link(MODERATOR, CUSTOMERS_ACCOUNT)
    await _unlink(services, MODERATOR.user_id)


async def _moved_on(services: ResendSetup) -> None:
    await _unlink(services)
    await services.link(MODERATOR, CUSTOMERS_ACCOUNT)
    await services.link(MODERATOR, _OTHER_ACCOUNT)
    await services.link(CUSTOMER, CUSTOMERS_ACCOUNT)


async def _erased_it(services: ResendSetup) -> None:
    await _unlink(services)
    await services.link(MODERATOR, CUSTOMERS_ACCOUNT)
    await services.repositories.my_data.erase(GUILD, MODERATOR.user_id, at=services.clock.now())


async def _has_the_requesters(services: ResendSetup) -> None:
    await services.link(AGENT, _OTHER_ACCOUNT)
    await _unlink(services, AGENT.user_id)
    await services.link(MODERATOR, _OTHER_ACCOUNT)


async def _has_the_owners_former(services: ResendSetup) -> None:
    await services.link(CUSTOMER, _OTHER_ACCOUNT)
    await services.link(CUSTOMER, CUSTOMERS_ACCOUNT)
    await services.link(MODERATOR, _OTHER_ACCOUNT)


CHANGED_HANDS: dict[str, tuple[Meanwhile, ApproverRefusal, timedelta]] = {
    "had the account": (_had_it, ApproverRefusal.OWNER, timedelta(hours=72)),
    "moved to another account": (_moved_on, ApproverRefusal.OWNER, timedelta(hours=72)),
    "had it and erased their data": (_erased_it, ApproverRefusal.OWNER, timedelta(hours=72)),
    "has the requester's former account": (
        _has_the_requesters,
        ApproverRefusal.SHARED_ACCOUNT,
        timedelta(hours=72),
    ),
    "has the owner's former account": (_has_the_owners_former, ApproverRefusal.SHARED_ACCOUNT, timedelta(hours=72)),
}


@pytest.mark.parametrize("asked_first", [True, False])
@pytest.mark.parametrize("how", CHANGED_HANDS)
async def test_account_changed_hands(services: ResendSetup, how: str, *, asked_first: bool) -> None:
    """Who had an account of requester or owner within 72 hours decides nothing about it, and may afterwards."""
    happen, reason, wait = CHANGED_HANDS[how]
    services.expires_after = timedelta(days=9)
    await services.restart()
    if not asked_first:
        await happen(services)
    resend = await services.requested()
    if asked_first:
        await happen(services)
    services.clock.advance(seconds=wait.total_seconds() - 1)

    for decision in (services.approve(resend.id, by=MODERATOR), services.service.deny(resend.id, by=MODERATOR)):
        with pytest.raises(MayNotDecide) as refused:
            await decision
        assert refused.value.reason is reason
    await services.service.may_decide(resend.id, by=OTHER_MODERATOR)
    services.clock.advance(seconds=1)
    done = await asyncio.gather(services.approve(resend.id, by=MODERATOR), return_exceptions=True)
    assert [getattr(each, "state", each) for each in done] == [ResendState.SENT]


# Stops while a call waits for its slot


class Slot:
    """What a call waits for before its last check."""

    def __init__(self, services: ResendSetup) -> None:
        self.reached, self.free = asyncio.Event(), asyncio.Event()
        services.provider.before_check = self.wait

    async def wait(self) -> None:
        self.reached.set()
        await self.free.wait()


async def _stop(services: ResendSetup) -> None:
    await services.repositories.pauses.pause(GUILD, by=OTHER_MODERATOR.user_id, at=services.clock.now())


async def test_stopped_while_the_call_waits(services: ResendSetup) -> None:
    """Once Stop has answered, a call that waited begins no more: the request is pending again and says why."""
    resend, slot = await services.requested(), Slot(services)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await slot.reached.wait()
    assert (await services.row(resend)).state is ResendState.APPROVED

    await _stop(services)
    slot.free.set()

    with pytest.raises(ResendsPaused):
        await approving
    await services.quiet()
    returned = await services.row(resend)
    assert (returned.state, returned.notes) == (ResendState.PENDING, ("paused",))
    assert services.cards.shown[resend.id].state is ResendState.PENDING
    assert services.provider.calls == {}


@pytest.mark.parametrize("lead", range(0, 60, 3))
async def test_stop_and_call_at_once(services: ResendSetup, lead: int) -> None:
    """However they meet: when Stop has answered, every call that is ever made has been made."""
    resend = await services.requested()
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    for _ in range(lead):
        await asyncio.sleep(0.0005)

    await _stop(services)
    calls = services.provider.calls.total()

    with suppress(ResendsPaused):
        await approving
    assert services.provider.calls.total() == calls
    assert (await services.row(resend)).state is (ResendState.SENT if calls else ResendState.PENDING)


async def test_shut_down_while_the_call_waits(services: ResendSetup) -> None:
    """Nothing was sent: the next run asks for a new decision."""
    resend, slot = await services.requested(), Slot(services)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await slot.reached.wait()

    closing = asyncio.create_task(services.delivery.close(within=5.0))
    await asyncio.sleep(0)
    slot.free.set()
    with pytest.raises(ShuttingDown):
        await approving
    await closing
    services.provider.before_check = None
    await services.start()

    returned = await services.row(resend)
    assert (returned.state, returned.notes, services.provider.calls) == (ResendState.PENDING, ("restarted",), {})


async def test_no_slot(services: ResendSetup) -> None:
    """A call that finds no slot or connection fails without having been begun."""
    resend = await services.requested()

    async def refuse() -> None:
        raise refusal(FailureKind.BUSY)

    services.provider.before_check = refuse

    failed = await services.approve(resend.id, by=MODERATOR)

    assert (failed.state, failed.outcome, failed.sent_at) == (ResendState.FAILED, Outcome.NOT_REACHED, None)
    assert AuditAction.RESEND_SENDING not in [row.action for row in await services.written()]
