"""What every ResendRepository does with one request."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import AuditAction
from bot.domain.failures import ProviderName
from bot.domain.resends import Outcome, Resend, ResendState, change_in
from bot.ports import AuditRepository, ResendRepository
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
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
    """A new request is pending, has its own id, and is written down as its requester's."""
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


async def test_draft_that_is_further(resends: ResendRepository) -> None:
    """Whatever a draft says, a new request is pending and nobody has decided."""
    resend = await resends.open(replace(draft(), id=77, state=ResendState.SENT, decided_by=BEN, decided_at=NOW))

    assert resend is not None
    assert resend == replace(draft(), id=resend.id)


@pytest.mark.parametrize("guild_id", [GUILD, OTHER_GUILD])
@pytest.mark.parametrize("state", OPEN_STATES)
async def test_trade_with_an_open_request(
    resends: ResendRepository, audit: AuditRepository, state: ResendState, guild_id: int
) -> None:
    """A trade has one open request, over all guilds and in every open state."""
    standing = await in_state(resends, state)
    rows = len(await audit.newest(guild_id, limit=100))

    assert await resends.open(draft(guild_id=guild_id)) is None
    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, 4812) == standing
    assert len(await audit.newest(guild_id, limit=100)) == rows


@pytest.mark.parametrize("state", END_STATES)
async def test_trade_whose_request_ended(resends: ResendRepository, state: ResendState) -> None:
    """After its end a trade can be asked for again, under a new id."""
    ended = await in_state(resends, state)

    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, 4812) is None

    again = await opened(resends)

    assert again.id != ended.id
    assert await resends.get(GUILD, ended.id) == ended


async def test_other_trades(resends: ResendRepository) -> None:
    """The same number at another provider is another trade."""
    await opened(resends)

    assert await resends.open(draft(provider=ProviderName.SKINSBACK)) is not None
    assert await resends.open(draft(trade_id=4813)) is not None


async def test_not_concluded(resends: ResendRepository, audit: AuditRepository) -> None:
    """An end counts as not told, oldest first, until it is said that it was; an open request has no end to tell."""
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
    """Of many who ask for one trade at once, in several guilds, one opens a request."""
    drafts = [replace(draft(guild_id=guild_id), requested_by=ADA) for guild_id in (GUILD, OTHER_GUILD) * 20]

    answers = await asyncio.gather(*(resends.open(one) for one in drafts))

    assert len([answer for answer in answers if answer is not None]) == 1


async def test_awkward_facts(resends: ResendRepository) -> None:
    """Facts come back character for character: they are compared with the trade as it is read later."""
    facts = replace(FACTS, last_error="★ \ud83d \0 ' \u202e\r\n", items_send=("", "ünï", "\udc00"), code_digest=None)

    resend = await resends.open(replace(draft(), facts=facts))

    assert resend is not None
    assert (await resends.all_open())[0].facts == facts
    assert resend.facts.differences(facts) == ()


async def test_awkward_words(resends: ResendRepository) -> None:
    """Words that no text column takes are replaced; the rest of them stays."""
    resend = await resends.open(replace(draft(), reason="half \ud83d pair, \0 nothing, ★"))

    assert resend is not None
    assert resend.reason is not None
    assert resend.reason.startswith("half ")
    assert resend.reason.endswith(" nothing, ★")
    assert not {"\ud83d", "\0"} & set(resend.reason)


async def test_request_of_another_guild(resends: ResendRepository) -> None:
    """A request is found with its own guild's id only, by its number as by its trade."""
    resend = await opened(resends)

    assert await resends.get(OTHER_GUILD, resend.id) is None
    assert await resends.open_for_trade(OTHER_GUILD, ProviderName.MANNCO, resend.trade_id) is None


@pytest.mark.parametrize("number", [0, -1, 2**63, -(2**64), 10**40])
async def test_no_such_number(resends: ResendRepository, number: int) -> None:
    """A number that nothing has finds nothing, however large it is."""
    assert await resends.get(GUILD, number) is None
    assert await resends.open_for_trade(GUILD, ProviderName.MANNCO, number) is None


async def test_open_requests(resends: ResendRepository) -> None:
    """Open requests are listed oldest first, a guild's own or all; ended ones are not."""
    first = await opened(resends, trade_id=1)
    elsewhere = await opened(resends, trade_id=2, guild_id=OTHER_GUILD)
    await in_state(resends, ResendState.SENT, trade_id=3)
    doubtful = await in_state(resends, ResendState.UNKNOWN, trade_id=4)

    assert await resends.open_in_guild(GUILD) == (first, doubtful)
    assert await resends.open_in_guild(OTHER_GUILD) == (elsewhere,)
    assert await resends.all_open() == (first, elsewhere, doubtful)


async def test_attach_card(resends: ResendRepository) -> None:
    """Where the card is and what it shows becomes part of the request, and nothing else changes."""
    resend = await opened(resends)
    await resends.attach_card(resend.guild_id, resend.id, channel_id=5, message_id=6, version=1)

    assert await resends.get(GUILD, resend.id) == replace(resend, channel_id=5, message_id=6)


async def test_request_without_a_card(resends: ResendRepository) -> None:
    """What no card has shown is not approved."""
    resend = await resends.open(draft())
    assert resend is not None
    assert (resend.message_id, resend.shown_version) == (None, None)

    assert await resends.approve(GUILD, resend.id, version=1, by=BEN, at=LATER) is None
    assert await resends.get(GUILD, resend.id) == resend


async def test_facts_that_the_card_does_not_show(resends: ResendRepository) -> None:
    """New facts are not approved before the card is known to show them: that card, and not one of before."""
    resend = await opened(resends)
    await resends.revise(GUILD, resend.id, replace(FACTS, status=10), version=1, at=NOW)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is None

    await resends.card_shows(GUILD, resend.id, message_id=MESSAGE + 1, version=2)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is None

    await resends.card_shows(GUILD, resend.id, message_id=MESSAGE, version=2)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is not None


@pytest.mark.parametrize("state", [ResendState.PENDING, ResendState.SENT])
async def test_add_note(resends: ResendRepository, state: ResendState) -> None:
    """Notes add up in order, after the end too."""
    resend = await in_state(resends, state)
    await resends.add_note(resend.guild_id, resend.id, "requester_not_told")

    assert await resends.add_note(resend.guild_id, resend.id, "★") == replace(resend, notes=("requester_not_told", "★"))
    assert await resends.get(GUILD, resend.id) == replace(resend, notes=("requester_not_told", "★"))


async def test_notes_at_once(resends: ResendRepository) -> None:
    """No note gets lost among others that are added at the same time."""
    resend = await opened(resends)

    await asyncio.gather(*(resends.add_note(resend.guild_id, resend.id, str(number)) for number in range(20)))

    noted = await resends.get(GUILD, resend.id)
    assert noted is not None
    assert set(noted.notes) == {str(number) for number in range(20)}


async def test_note_for_nobody(resends: ResendRepository) -> None:
    assert await resends.add_note(GUILD, 41, "restarted") is None


async def test_nothing_written_down(resends: ResendRepository, audit: AuditRepository) -> None:
    """Cards, notes and the next reading are no deeds: the audit has no row of them."""
    resend = await in_state(resends, ResendState.UNKNOWN)
    rows = await audit.newest(GUILD, limit=100)
    await resends.attach_card(resend.guild_id, resend.id, channel_id=5, message_id=6, version=1)
    await resends.card_shows(resend.guild_id, resend.id, message_id=6, version=1)
    await resends.add_note(resend.guild_id, resend.id, "requester_not_told")
    await resends.settle_later(resend.guild_id, resend.id, settle_after=LATER)

    assert await audit.newest(GUILD, limit=100) == rows


async def test_trade_url_in_words(resends: ResendRepository, audit: AuditRepository) -> None:
    """A trade token that gets into anybody's words is masked before it is kept, in every column."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"
    resend = await opened(resends, asked_for=replace(draft(), reason=url, facts=replace(FACTS, last_error=url)))
    await resends.add_note(resend.guild_id, resend.id, url)
    await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=NOW)
    await resends.begin_sending(resend.guild_id, resend.id, at=NOW)
    await resends.settle(resend.guild_id, resend.id, sent=False, outcome=Outcome.REFUSED, detail=url, at=NOW)
    denied = await opened(resends, trade_id=4813)
    await resends.deny(denied.guild_id, denied.id, by=BEN, reason=url, at=NOW)

    kept = [await resends.get(GUILD, number) for number in (resend.id, denied.id)]

    assert "SeCrEt12" not in repr(kept)
    assert "SeCrEt12" not in repr(await audit.newest(GUILD, limit=100))
    assert repr(kept).count("partner=11&token=••••") == 5


async def _both(resends: ResendRepository, resend: Resend | None) -> Resend:
    """Return a changed request, having checked that what was returned is what is kept."""
    assert resend is not None
    assert await resends.get(GUILD, resend.id) == resend
    return resend


async def test_revise(resends: ResendRepository, audit: AuditRepository) -> None:
    """New facts begin the next version, with those before as a note; a decision on the former one is too late."""
    resend = await opened(resends)
    facts = replace(FACTS, status=10, last_error="changed")

    revised = await _both(resends, await resends.revise(resend.guild_id, resend.id, facts, version=1, at=LATER))

    assert revised == replace(resend, facts=facts, version=2, notes=revised.notes)
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
    """Whatever stood in a last error, the note of it can be read again."""
    resend = await resends.open(replace(draft(), facts=replace(FACTS, last_error=last_error)))
    assert resend is not None

    revised = await _both(resends, await resends.revise(resend.guild_id, resend.id, FACTS, version=1, at=LATER))

    (note,) = revised.notes
    assert set(change_in(note) or {}) == {"last_error"}
    assert "Ab3dEf-h" not in note


async def test_approve(resends: ResendRepository, audit: AuditRepository) -> None:
    """An approval has who and when, and is written down with the version that was approved."""
    resend = await opened(resends)

    approved = await _both(resends, await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=LATER))

    assert approved == replace(resend, state=ResendState.APPROVED, decided_by=BEN, decided_at=LATER)

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.RESEND_APPROVED, BEN, LATER)
    assert entry.detail["version"] == "1"


async def test_approvals_at_once(resends: ResendRepository, audit: AuditRepository) -> None:
    """Of fifty who approve at once one wins, and one is written down."""
    resend = await opened(resends)

    answers = await asyncio.gather(
        *(resends.approve(resend.guild_id, resend.id, version=1, by=moderator, at=NOW) for moderator in range(1, 51))
    )

    (winner,) = (answer for answer in answers if answer is not None)
    (entry,) = await audit.newest(GUILD, limit=100, action=AuditAction.RESEND_APPROVED)
    assert entry.actor_id == winner.decided_by
    assert await resends.get(GUILD, resend.id) == winner


async def test_decisions_at_once(resends: ResendRepository) -> None:
    """Of an approval, a denial, an expiry, a cancellation and a revision at once, one counts."""
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


async def test_begin_sending(resends: ResendRepository, audit: AuditRepository) -> None:
    """Sending begins once: the second to begin is told no."""
    approved = await in_state(resends, ResendState.APPROVED)

    answers = await asyncio.gather(
        *(resends.begin_sending(approved.guild_id, approved.id, at=LATER) for _ in range(10))
    )

    (sending,) = (answer for answer in answers if answer is not None)
    assert await _both(resends, sending) == replace(approved, state=ResendState.SENDING, sent_at=LATER)
    (entry,) = await audit.newest(GUILD, limit=100, action=AuditAction.RESEND_SENDING)
    assert entry.actor_id is None


async def test_return_to_pending(resends: ResendRepository, audit: AuditRepository) -> None:
    """A decision that is taken back leaves a note and the next version; the old version decides nothing."""
    approved = await in_state(resends, ResendState.APPROVED)

    pending = await _both(
        resends, await resends.return_to_pending(approved.guild_id, approved.id, note="restarted", at=LATER)
    )

    assert pending == replace(
        approved, state=ResendState.PENDING, decided_by=None, decided_at=None, version=2, notes=("restarted",)
    )
    assert await resends.approve(approved.guild_id, approved.id, version=1, by=BEN, at=LATER) is None
    entry = (await audit.newest(GUILD, limit=1))[0]
    assert (entry.action, entry.actor_id) == (AuditAction.RESEND_RETURNED, None)


async def test_deny(resends: ResendRepository, audit: AuditRepository) -> None:
    """A denial has who, when and why; the why is not in the audit, from which nothing can be removed."""
    resend = await opened(resends)

    denied = await _both(
        resends, await resends.deny(resend.guild_id, resend.id, by=BEN, reason="ask support", at=LATER)
    )

    assert denied == replace(
        resend,
        state=ResendState.DENIED,
        decided_by=BEN,
        decided_at=LATER,
        decision_reason="ask support",
        settled_at=LATER,
    )

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id) == (AuditAction.RESEND_DENIED, BEN)
    assert "ask support" not in repr(entry)


async def test_expire(resends: ResendRepository, audit: AuditRepository) -> None:
    """An expired request was decided by nobody."""
    resend = await opened(resends)

    expired = await _both(resends, await resends.expire(resend.guild_id, resend.id, at=LATER))

    assert expired == replace(resend, state=ResendState.EXPIRED, settled_at=LATER)
    assert (await audit.newest(GUILD, limit=1))[0].action is AuditAction.RESEND_EXPIRED


async def test_cancel(resends: ResendRepository, audit: AuditRepository) -> None:
    """A cancelled request has SkinDesk's own word for why, in the audit too."""
    resend = await opened(resends)

    cancelled = await _both(
        resends, await resends.cancel(resend.guild_id, resend.id, at=LATER, reason="card_not_posted")
    )

    assert cancelled == replace(
        resend, state=ResendState.CANCELLED, decision_reason="card_not_posted", settled_at=LATER
    )

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id) == (AuditAction.RESEND_CANCELLED, None)
    assert entry.detail["reason"] == "card_not_posted"


async def test_mark_unknown(resends: ResendRepository, audit: AuditRepository) -> None:
    """A doubt has its outcome, its detail and when to read next."""
    sending = await in_state(resends, ResendState.SENDING)

    unknown = await _both(
        resends,
        await resends.mark_unknown(
            sending.guild_id, sending.id, outcome=Outcome.ANSWER_LOST, detail="lost", settle_after=LATER, at=LATER
        ),
    )

    assert unknown == replace(
        sending,
        state=ResendState.UNKNOWN,
        outcome=Outcome.ANSWER_LOST,
        outcome_detail="lost",
        settle_after=LATER,
    )

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id) == (AuditAction.RESEND_UNKNOWN, None)
    assert entry.detail["outcome"] == "answer_lost"


@pytest.mark.parametrize("state", list(ResendState))
async def test_settle_later(resends: ResendRepository, state: ResendState) -> None:
    """The next reading can be put off while there is a doubt; otherwise nothing happens."""
    resend = await in_state(resends, state)
    await resends.settle_later(resend.guild_id, resend.id, settle_after=NOW)

    kept = await resends.get(GUILD, resend.id)

    assert kept == (replace(resend, settle_after=NOW) if state is ResendState.UNKNOWN else resend)


@pytest.mark.parametrize("state", [ResendState.SENDING, ResendState.UNKNOWN])
@pytest.mark.parametrize("sent", [True, False])
async def test_settle(resends: ResendRepository, audit: AuditRepository, state: ResendState, *, sent: bool) -> None:
    """An end that SkinDesk found itself leaves the decision with the approver."""
    resend = await in_state(resends, state)

    settled = await _both(
        resends,
        await resends.settle(
            resend.guild_id, resend.id, sent=sent, outcome=Outcome.READ_BACK, detail="offer", at=LATER
        ),
    )

    assert settled == replace(
        resend,
        state=ResendState.SENT if sent else ResendState.FAILED,
        outcome=Outcome.READ_BACK,
        outcome_detail="offer",
        settled_at=LATER,
        settle_after=None,
    )

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert entry.action is (AuditAction.RESEND_SENT if sent else AuditAction.RESEND_FAILED)
    assert (entry.actor_id, entry.detail["outcome"]) == (None, "read_back")


async def test_settle_by_hand(resends: ResendRepository, audit: AuditRepository) -> None:
    """Who marks a doubtful request by hand is kept beside who approved it."""
    unknown = await in_state(resends, ResendState.UNKNOWN)

    settled = await _both(
        resends,
        await resends.settle(
            unknown.guild_id, unknown.id, sent=True, outcome=Outcome.MARKED, detail=None, at=LATER, by=CLEO
        ),
    )

    assert (settled.settled_by, settled.settled_at, settled.outcome) == (CLEO, LATER, Outcome.MARKED)
    assert (settled.decided_by, settled.decided_at) == (unknown.decided_by, unknown.decided_at)
    sent, _, _, approved, _ = await audit.newest(GUILD, limit=10)
    assert (sent.action, sent.actor_id) == (AuditAction.RESEND_SENT, CLEO)
    assert (approved.action, approved.actor_id) == (AuditAction.RESEND_APPROVED, BEN)


async def test_settled_by_two_at_once(resends: ResendRepository) -> None:
    """Reading back and a moderator's mark at the same moment make one end."""
    unknown = await in_state(resends, ResendState.UNKNOWN)

    answers = await asyncio.gather(
        resends.settle(unknown.guild_id, unknown.id, sent=True, outcome=Outcome.READ_BACK, detail=None, at=NOW),
        resends.settle(unknown.guild_id, unknown.id, sent=False, outcome=Outcome.MARKED, detail=None, at=NOW, by=CLEO),
    )

    assert answers.count(None) == 1


async def test_remind(resends: ResendRepository, audit: AuditRepository) -> None:
    """Of many who would remind of a pending request one does, and once; it is no change of state."""
    resend = await opened(resends)

    answers = await asyncio.gather(*(resends.remind(resend.guild_id, resend.id, at=LATER) for _ in range(10)))

    (reminded,) = [answer for answer in answers if answer is not None]
    assert reminded == replace(resend, reminded_at=LATER) == await resends.get(GUILD, resend.id)
    assert len(await audit.newest(GUILD, limit=10)) == 1


@pytest.mark.parametrize("state", [state for state in ResendState if state is not ResendState.PENDING])
async def test_remind_of_what_does_not_wait(resends: ResendRepository, state: ResendState) -> None:
    resend = await in_state(resends, state)

    assert await resends.remind(resend.guild_id, resend.id, at=LATER) is None
    assert await resends.get(GUILD, resend.id) == resend


async def test_at_most(resends: ResendRepository) -> None:
    """Who opened as many as they may in a guild within a day opens no other; other people and guilds do not count."""
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
    """A request that never had a card is none of those somebody opened."""
    resend = await resends.open(draft())
    assert resend is not None
    assert await resends.cancel(resend.guild_id, resend.id, at=LATER, reason="card_not_posted") is not None

    assert await resends.opened_at(GUILD, ADA, limit=5) == ()
    assert await resends.open(draft(), at_most=1) is not None
    assert await resends.open(draft(trade_id=1), at_most=1) is None
