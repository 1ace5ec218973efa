"""What each ResendRepository knows of all requests: who is on one, what there was before, and how many there are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import AuditAction
from bot.domain.links import Link, LinkSource
from bot.domain.resend_queue import ResendCounts
from bot.domain.resends import WITHDRAWN, CardContext, Outcome, ResendState, Settlement
from bot.ports import AuditRepository, LinkRepository
from bot.ports.resends import ResendRepository
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
    BENS_ACCOUNT,
    CLEO,
    FACTS,
    GUILD,
    LATER,
    MESSAGE,
    NOW,
    OTHER_GUILD,
    draft,
    in_state,
    opened,
)

END_STATES = [state for state in ResendState if not state.is_open]
UNDECIDED = (ResendState.PENDING, ResendState.UNKNOWN)
SINCE = NOW - timedelta(days=1)


@pytest.mark.parametrize("state", UNDECIDED)
async def test_take(resends: ResendRepository, audit: AuditRepository, state: ResendState) -> None:
    """One takes what no one has, another takes it over from whom they saw, and the holder releases it."""
    resend = await in_state(resends, state)
    steps = ((BEN, None, BEN, "taken"), (CLEO, BEN, CLEO, "taken_over"), (CLEO, CLEO, None, "released"))
    for by, holder, then, change in steps:
        assert await resends.take(GUILD, resend.id, by=by, holder=ADA, at=LATER) is None

        taken = await resends.take(GUILD, resend.id, by=by, holder=holder, at=LATER)

        assert taken == replace(resend, taken_by=then, taken_at=None if then is None else LATER)
        assert await resends.get(GUILD, resend.id) == taken
        (row,) = await audit.newest(GUILD, limit=1)
        assert (row.action, row.actor_id, row.detail["change"]) == (AuditAction.RESEND_TAKEN, by, change)


async def test_take_leaves_the_version(resends: ResendRepository) -> None:
    """What the card shows can be approved after it was taken; the approval ends that."""
    resend = await opened(resends)
    await resends.take(GUILD, resend.id, by=BEN, holder=None, at=NOW)

    approved = await resends.approve(GUILD, resend.id, version=resend.version, by=CLEO, at=LATER)

    assert approved is not None
    assert (approved.taken_by, approved.taken_at) == (None, None)


@pytest.mark.parametrize("state", [state for state in ResendState if state not in UNDECIDED])
async def test_nothing_to_take(resends: ResendRepository, state: ResendState) -> None:
    """Without a decision to make there is nothing to take."""
    resend = await in_state(resends, state)

    assert await resends.take(GUILD, resend.id, by=BEN, holder=None, at=LATER) is None
    assert await resends.get(GUILD, resend.id) == resend


async def test_every_end_releases(resends: ResendRepository) -> None:
    """No one is on a request that has ended."""
    resend, other, third, unknown = [await opened(resends, trade_id=number) for number in range(4)]
    await resends.approve(GUILD, unknown.id, version=1, by=ADA, at=NOW)
    await resends.begin_sending(GUILD, unknown.id, at=NOW)
    await resends.mark_unknown(GUILD, unknown.id, worker="worker", outcome=Outcome.ANSWER_LOST, detail=None, at=NOW)
    for each in (resend, other, third, unknown):
        assert await resends.take(GUILD, each.id, by=BEN, holder=None, at=NOW) is not None

    ended = (
        await resends.deny(GUILD, resend.id, by=CLEO, reason=None, at=LATER),
        await resends.expire(GUILD, other.id, at=LATER),
        await resends.cancel(GUILD, third.id, at=LATER, reason=WITHDRAWN, by=ADA),
        await resends.settle(GUILD, unknown.id, Settlement(sent=True, outcome=Outcome.MARKED), at=LATER),
    )

    assert [each is not None and (each.taken_by, each.taken_at) for each in ended] == [(None, None)] * 4


async def test_facts_when_asked(resends: ResendRepository) -> None:
    """The facts with which it was asked for stay, however often they are revised; a request without change has none."""
    resend = await opened(resends)
    assert resend.asked_facts is None

    for version, status in ((1, 4), (2, 10)):
        facts = replace(FACTS, status=status)
        revised = await resends.revise(GUILD, resend.id, facts, version=version, at=LATER)
        assert revised is not None
        assert (revised.facts, revised.asked_facts) == (facts, FACTS)
        await resends.card_shows(GUILD, resend.id, message_id=MESSAGE, version=version + 1)


async def test_counts(resends: ResendRepository) -> None:
    """Requests since a time are counted by their state; the median is over the decided ones since another time."""
    waits = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
    before = timedelta(days=2)
    for trade_id, (wait, ago) in enumerate(
        zip((*waits, timedelta(hours=9)), (timedelta(0),) * 3 + (before,), strict=True)
    ):
        asked = replace(draft(trade_id=trade_id), requested_at=NOW - ago)
        await in_state(resends, ResendState.DENIED, asked_for=asked, at=NOW - ago + wait)
    await in_state(resends, ResendState.PENDING, trade_id=90)
    await in_state(resends, ResendState.DENIED, asked_for=draft(trade_id=91, guild_id=OTHER_GUILD))
    states = {ResendState.DENIED: 3, ResendState.PENDING: 1}

    async def counted(median_since_days: int) -> ResendCounts:
        return await resends.counts(GUILD, since=SINCE, median_since=NOW - timedelta(days=median_since_days))

    assert await counted(1) == ResendCounts(states, timedelta(minutes=5))
    assert await counted(7) == ResendCounts(states, timedelta(minutes=17, seconds=30))


async def test_nothing_to_count(resends: ResendRepository) -> None:
    """Without requests there is no median, and a request whose card was never posted is none."""
    assert await resends.counts(GUILD, since=SINCE, median_since=SINCE) == ResendCounts()
    resend = await resends.open(draft())
    assert resend is not None
    await resends.cancel(GUILD, resend.id, at=LATER, reason="card_not_posted")
    assert await resends.counts(GUILD, since=SINCE, median_since=SINCE) == ResendCounts()


async def test_earlier_requests(resends: ResendRepository, links: LinkRepository) -> None:
    """A request comes with the owner's link and the three newest ended requests of its trade in its guild."""
    ended = [await in_state(resends, state) for state in (*END_STATES, ResendState.DENIED)]
    other = await in_state(resends, ResendState.SENT, trade_id=1)
    link = await links.put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))

    opened_now = await resends.open(draft())

    assert opened_now is not None
    read = await resends.get(GUILD, opened_now.id)
    assert read is not None
    for resend in (opened_now, read):
        assert resend.context == CardContext(link, tuple(reversed(ended[-3:])), (other,))
    elsewhere = await resends.open(draft(trade_id=1, guild_id=OTHER_GUILD))
    assert elsewhere is not None
    assert elsewhere.context == CardContext(None)


async def test_earlier_requests_of_a_customer(resends: ResendRepository) -> None:
    """A request comes with the three newest ended requests for its account's other trades in its guild."""
    ended = [await in_state(resends, state, trade_id=number) for number, state in enumerate(END_STATES)]
    await in_state(resends, ResendState.PENDING, trade_id=80)
    await in_state(resends, ResendState.DENIED, asked_for=replace(draft(trade_id=81), owner=BENS_ACCOUNT))
    await in_state(resends, ResendState.DENIED, asked_for=draft(trade_id=82, guild_id=OTHER_GUILD))

    opened_now = await resends.open(draft())

    assert opened_now is not None
    assert opened_now.context == CardContext(None, (), tuple(reversed(ended[-3:])))
