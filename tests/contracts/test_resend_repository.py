"""Each ResendRepository stores requests, their cards and notes, and lets one caller win a race."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.access import Actor, Capability, Condition, Grant, Viewer
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied
from bot.domain.failures import ProviderName
from bot.domain.links import Holder, Link, LinkSource
from bot.domain.resends import WITHDRAWN, Outcome, Resend, ResendState, Settlement, change_in
from bot.ports import AuditRepository, GrantRepository, LinkRepository
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

OPEN_STATES = [state for state in ResendState if state.is_open]
END_STATES = [state for state in ResendState if not state.is_open]


async def test_open(resends: ResendRepository, audit: AuditRepository) -> None:
    """A new request is pending, has its own id, and its audit row names the requester."""
    resend = await resends.open(draft())
    assert resend is not None

    assert resend == replace(draft(), id=resend.id)
    assert await resends.get(GUILD, resend.id) == resend
    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, 4812) == resend

    (entry,) = await audit.newest(GUILD, limit=10)

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.RESEND_REQUESTED, ADA, NOW)
    assert entry.subject == f"resend:{resend.id}"
    assert entry.detail == {
        "provider": "mannco",
        "trade": "4812",
        "owner": str(ADAS_ACCOUNT),
        "requester": str(ADA),
        "version": "1",
    }


@pytest.mark.parametrize("language", ["pt-BR", None])
async def test_language(resends: ResendRepository, language: str | None) -> None:
    """The requester's language is kept."""
    resend = await resends.open(replace(draft(), language=language))
    assert resend is not None

    assert await resends.get(GUILD, resend.id) == resend
    assert resend.language == language


@pytest.mark.parametrize("guild_id", [GUILD, OTHER_GUILD])
@pytest.mark.parametrize("state", OPEN_STATES)
async def test_trade_with_an_open_request(
    resends: ResendRepository, audit: AuditRepository, state: ResendState, guild_id: int
) -> None:
    """A trade has one open request over all guilds."""
    standing = await in_state(resends, state)
    rows = len(await audit.newest(guild_id, limit=100))

    assert await resends.open(draft(guild_id=guild_id)) is None
    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, 4812) == standing
    assert len(await audit.newest(guild_id, limit=100)) == rows


async def test_not_finalised(resends: ResendRepository, audit: AuditRepository) -> None:
    """Ended requests are listed, oldest first, until they are finalised."""
    ended = [await in_state(resends, state, trade_id=trade_id) for trade_id, state in enumerate(END_STATES)]
    for trade_id, state in enumerate(OPEN_STATES, start=len(END_STATES)):
        await in_state(resends, state, trade_id=trade_id)
    rows = await audit.newest(GUILD, limit=1_000)
    assert await resends.not_finalised() == tuple(ended)

    await resends.finalise(ended[1].guild_id, ended[1].id, at=LATER)

    assert await resends.not_finalised() == (ended[0], *ended[2:])
    assert await resends.get(GUILD, ended[1].id) == ended[1]
    assert await audit.newest(GUILD, limit=1_000) == rows


async def test_race_for_a_trade(resends: ResendRepository) -> None:
    """Of many concurrent requests for one trade, in several guilds, one is opened."""
    drafts = [replace(draft(guild_id=guild_id), requested_by=ADA) for guild_id in (GUILD, OTHER_GUILD) * 20]

    answers = await asyncio.gather(*(resends.open(one) for one in drafts))

    assert len([answer for answer in answers if answer is not None]) == 1


async def test_awkward_facts(resends: ResendRepository) -> None:
    """Facts come back character for character: they are compared with the trade later."""
    facts = replace(FACTS, last_error="★ \ud83d \0 ' \u202e\r\n", items_send=("", "ünï", "\udc00"), code_digest=None)

    resend = await resends.open(replace(draft(), facts=facts))

    assert resend is not None
    assert (await resends.all_open())[0].facts == facts
    assert resend.facts.differences(facts) == ()


@pytest.mark.parametrize("number", [0, -1, 2**63, -(2**64), 10**40])
async def test_no_such_number(resends: ResendRepository, number: int) -> None:
    """Any number without a request finds nothing, even one too large for a column."""
    assert await resends.get(GUILD, number) is None
    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, number) is None


@pytest.mark.parametrize("state", [ResendState.PENDING, ResendState.SENT])
async def test_add_note(resends: ResendRepository, state: ResendState) -> None:
    """Notes are added in order, after the end too; a request that does not exist gets none."""
    resend = await in_state(resends, state)
    await resends.add_note(resend.guild_id, resend.id, "requester_not_told")

    noted = await resends.add_note(resend.guild_id, resend.id, "★")
    assert noted == replace(resend, notes=("requester_not_told", "★"))
    assert await resends.get(GUILD, resend.id) == noted
    assert await resends.add_note(GUILD, 41, "restarted") is None


async def test_notes_at_once(resends: ResendRepository) -> None:
    """Concurrent notes are all kept."""
    resend = await opened(resends)

    await asyncio.gather(*(resends.add_note(resend.guild_id, resend.id, str(number)) for number in range(20)))

    noted = await resends.get(GUILD, resend.id)
    assert noted is not None
    assert set(noted.notes) == {str(number) for number in range(20)}


async def test_no_audit_row(resends: ResendRepository, audit: AuditRepository) -> None:
    """Cards, notes and the next reading have no audit rows."""
    resend = await in_state(resends, ResendState.UNKNOWN)
    unknown = ResendState.UNKNOWN
    rows = await audit.newest(GUILD, limit=100)
    one = (resend.guild_id, resend.id)
    await resends.attach_card(*one, channel_id=5, message_id=6, version=1, state=unknown, replaces=resend.message_id)
    await resends.card_shows(*one, message_id=6, version=1, state=unknown)
    await resends.add_note(resend.guild_id, resend.id, "requester_not_told")
    await resends.settle_later(resend.guild_id, resend.id, settle_after=LATER)

    assert await audit.newest(GUILD, limit=100) == rows


async def test_outside_text(resends: ResendRepository, audit: AuditRepository) -> None:
    """A trade token in any text is masked in every column; a lone surrogate and NUL are replaced."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12 \ud83d \0 ★"
    resend = await opened(resends, asked_for=replace(draft(), reason=url, facts=replace(FACTS, last_error=url)))
    await resends.add_note(resend.guild_id, resend.id, url)
    await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=NOW)
    await resends.begin_sending(resend.guild_id, resend.id, at=NOW)
    await resends.settle(
        resend.guild_id, resend.id, Settlement(sent=False, outcome=Outcome.REFUSED, detail=url), at=NOW
    )
    denied = await opened(resends, trade_id=4813)
    await resends.deny(denied.guild_id, denied.id, by=BEN, reason=url, at=NOW)

    kept = [await resends.get(GUILD, number) for number in (resend.id, denied.id)]

    assert "SeCrEt12" not in repr(kept)
    assert "SeCrEt12" not in repr(await audit.newest(GUILD, limit=100))
    assert repr(kept).count("partner=11&token=••••") == 5
    assert all(one is not None and not {"\ud83d", "\0"} & set(f"{one.reason}{one.notes}") for one in kept)


async def _both(resends: ResendRepository, resend: Resend | None) -> Resend:
    """Return a changed request, after checking that it is stored."""
    assert resend is not None
    assert await resends.get(GUILD, resend.id) == resend
    return resend


async def test_revise(resends: ResendRepository, audit: AuditRepository) -> None:
    """New facts begin the next version, with the old ones as a note; the old version cannot be approved."""
    resend = await opened(resends)
    facts = replace(FACTS, status=10, last_error="changed")

    revised = await _both(resends, await resends.revise(resend.guild_id, resend.id, facts, version=1, at=LATER))

    assert revised == replace(resend, facts=facts, version=2, notes=revised.notes, asked_facts=FACTS)
    assert [change_in(note) for note in revised.notes] == [{"status": 7, "last_error": FACTS.last_error}]
    assert await resends.revise(resend.guild_id, resend.id, FACTS, version=1, at=LATER) is None
    assert await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=LATER) is None
    await resends.card_shows(resend.guild_id, resend.id, message_id=MESSAGE, version=2)
    assert await resends.approve(resend.guild_id, resend.id, version=2, by=BEN, at=LATER) is not None
    approved, entry, _ = await audit.newest(GUILD, limit=10)
    assert (entry.action, entry.actor_id, entry.detail["version"]) == (AuditAction.RESEND_REVISED, None, "2")
    assert approved.detail["version"] == "2"


@pytest.mark.parametrize(
    "last_error",
    [
        "see https://steamcommunity.com/tradeoffer/new/?partner=39260266&token=Ab3dEf-h",
        "partner=39260266&token=Ab3dEf-h",
        'token="',
        'token="\\\ud83d \0 \u202e\r\n',
    ],
)
async def test_awkward_facts_before(resends: ResendRepository, last_error: str) -> None:
    """The note about any old error can be read."""
    resend = await resends.open(replace(draft(), facts=replace(FACTS, last_error=last_error)))
    assert resend is not None

    revised = await _both(resends, await resends.revise(resend.guild_id, resend.id, FACTS, version=1, at=LATER))

    (note,) = revised.notes
    assert set(change_in(note) or {}) == {"last_error"}
    assert "Ab3dEf-h" not in note


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=15)])
async def test_approved_too_late(resends: ResendRepository, late: timedelta) -> None:
    """From its expiry on a request is not approved, whoever noticed that."""
    resend = await opened(resends)

    assert await resends.approve(GUILD, resend.id, version=1, by=BEN, at=resend.expires_at + late) is None
    just_before = resend.expires_at - timedelta(milliseconds=1)
    assert await resends.approve(GUILD, resend.id, version=1, by=BEN, at=just_before) is not None


async def test_condition(
    resends: ResendRepository, grants: GrantRepository, links: LinkRepository, audit: AuditRepository
) -> None:
    """A condition sees rights and links as the change finds them; if it raises, nothing is changed."""
    actor = Actor(GUILD, BEN, frozenset({CLEO}))
    await grants.grant(Grant(GUILD, CLEO, Capability.APPROVE_RESEND), by=CLEO, at=NOW)
    await links.put(Link(GUILD, BEN, BENS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await links.put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    pending, unknown = await opened(resends), await in_state(resends, ResendState.UNKNOWN, trade_id=2)
    seen: list[tuple[Viewer, Collection[Holder]]] = []

    def refuse(viewer: Viewer, holders: Collection[Holder]) -> None:
        seen.append((viewer, holders))
        raise AccessDenied(Capability.APPROVE_RESEND)

    only_if = Condition(actor, refuse)
    rows = await audit.newest(GUILD, limit=100)
    ways = (
        resends.open(draft(trade_id=3), only_if=only_if),
        resends.approve(GUILD, pending.id, version=1, by=BEN, at=NOW, only_if=only_if),
        resends.deny(GUILD, pending.id, by=BEN, reason=None, at=NOW, only_if=only_if),
        resends.take(GUILD, pending.id, by=BEN, holder=None, at=NOW, only_if=only_if),
        resends.settle(GUILD, unknown.id, Settlement(sent=True, outcome=Outcome.MARKED), at=NOW, only_if=only_if),
    )
    for way in ways:
        with pytest.raises(AccessDenied):
            await way

    assert await audit.newest(GUILD, limit=100) == rows
    held = frozenset({Capability.APPROVE_RESEND})
    expected = (
        Viewer(actor, held, await links.of_user(GUILD, BEN)),
        {Holder(ADA, ADAS_ACCOUNT), Holder(BEN, BENS_ACCOUNT)},
    )
    assert seen == [expected] * 5


async def test_approvals_at_once(resends: ResendRepository, audit: AuditRepository) -> None:
    """Of fifty concurrent approvals one wins and has an audit row."""
    resend = await opened(resends)

    answers = await asyncio.gather(
        *(resends.approve(resend.guild_id, resend.id, version=1, by=moderator, at=NOW) for moderator in range(1, 51))
    )

    (winner,) = (answer for answer in answers if answer is not None)
    (entry,) = await audit.newest(GUILD, limit=100, action=AuditAction.RESEND_APPROVED)
    assert entry.actor_id == winner.decided_by
    assert await resends.get(GUILD, resend.id) == winner


async def test_decisions_at_once(resends: ResendRepository) -> None:
    """Of a concurrent approval, denial, expiry and cancellation, one wins."""
    for trade_id in range(10):
        resend = await opened(resends, trade_id=trade_id)
        ways = [
            resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=NOW),
            resends.deny(resend.guild_id, resend.id, by=CLEO, reason=None, at=NOW),
            resends.expire(resend.guild_id, resend.id, at=NOW),
            resends.cancel(resend.guild_id, resend.id, at=NOW, reason="no_longer_resendable"),
        ]
        answers = await asyncio.gather(*ways[trade_id % 4 :], *ways[: trade_id % 4])

        assert len([answer for answer in answers if answer is not None]) == 1


@pytest.mark.parametrize("state", [ResendState.UNKNOWN, ResendState.SENDING])
async def test_settle_later(resends: ResendRepository, state: ResendState) -> None:
    """The next reading is deferred while the outcome is unknown; otherwise nothing changes."""
    resend = await in_state(resends, state)
    await resends.settle_later(resend.guild_id, resend.id, settle_after=NOW)

    kept = await resends.get(GUILD, resend.id)

    assert kept == (replace(resend, settle_after=NOW) if state is ResendState.UNKNOWN else resend)


async def test_remind(resends: ResendRepository, audit: AuditRepository) -> None:
    """Of concurrent reminders of a pending request one wins, without an audit row."""
    resend = await opened(resends)

    answers = await asyncio.gather(*(resends.remind(resend.guild_id, resend.id, at=LATER) for _ in range(10)))

    (reminded,) = [answer for answer in answers if answer is not None]
    assert reminded == replace(resend, reminded_at=LATER) == await resends.get(GUILD, resend.id)
    assert len(await audit.newest(GUILD, limit=10)) == 1


@pytest.mark.parametrize("state", [state for state in ResendState if state is not ResendState.PENDING])
async def test_not_pending(resends: ResendRepository, state: ResendState) -> None:
    """Only a pending request is revised and reminded of."""
    resend = await in_state(resends, state)

    assert await resends.revise(GUILD, resend.id, replace(FACTS, status=10), version=1, at=LATER) is None
    assert await resends.remind(resend.guild_id, resend.id, at=LATER) is None
    assert await resends.get(GUILD, resend.id) == resend


async def test_at_most(resends: ResendRepository) -> None:
    """``at_most`` counts a user's requests in a guild within a day."""
    for trade_id in range(3):
        moment = NOW + timedelta(hours=trade_id)
        assert await resends.open(replace(draft(trade_id=trade_id), requested_at=moment), at_most=3) is not None

    late = replace(draft(trade_id=9), requested_at=NOW + timedelta(hours=23, minutes=59))
    assert await resends.open(late, at_most=3) is None
    assert await resends.opened_at(GUILD, ADA, limit=2) == (NOW + timedelta(hours=2), NOW + timedelta(hours=1))
    assert await resends.open(replace(late, trade_id=10, requested_by=BEN), at_most=3) is not None
    assert await resends.open(replace(late, trade_id=11, guild_id=OTHER_GUILD), at_most=3) is not None
    assert await resends.open(replace(late, trade_id=12), at_most=None) is not None

    first = replace(late, trade_id=13, requested_at=NOW + timedelta(hours=24))
    assert await resends.open(first, at_most=4) is not None


async def test_never_posted_does_not_count(resends: ResendRepository) -> None:
    """A request that never had a card does not count."""
    resend = await resends.open(draft())
    assert resend is not None
    assert await resends.cancel(resend.guild_id, resend.id, at=LATER, reason="card_not_posted") is not None

    assert await resends.opened_at(GUILD, ADA, limit=5) == ()
    assert await resends.open(draft(), at_most=1) is not None
    assert await resends.open(draft(trade_id=1), at_most=1) is None


async def test_withdrawn_counts(resends: ResendRepository, audit: AuditRepository) -> None:
    """A withdrawn request counts against the daily limit, also if its card was not posted yet, and says by whom."""
    resend = await resends.open(draft())
    assert resend is not None

    withdrawn = await resends.cancel(GUILD, resend.id, at=LATER, reason=WITHDRAWN, by=ADA)

    assert withdrawn is not None
    assert (withdrawn.is_withdrawn, withdrawn.settled_by, withdrawn.settled_at) == (True, ADA, LATER)
    assert await resends.opened_at(GUILD, ADA, limit=5) == (NOW,)
    assert await resends.open(draft(trade_id=1), at_most=1) is None
    (row,) = await audit.newest(GUILD, limit=1)
    assert (row.action, row.actor_id, row.detail["reason"]) == (AuditAction.RESEND_CANCELLED, ADA, WITHDRAWN)
