"""Each ResendRepository keeps a request for the process that works on it, and lets one process tell its end."""

from typing import cast

import pytest

from bot.domain.resends import TELLING_IN_DOUBT, Outcome, ResendState, Settlement
from bot.ports.resends import ResendRepository
from bot.storage.resends import SqlResendRepository
from tests.contracts.samples import BEN, GUILD, LATER, NOW, in_state, opened

NOT_REACHED = Settlement(sent=False, outcome=Outcome.NOT_REACHED)
CONFIRMED = Settlement(sent=True, outcome=Outcome.CONFIRMED)


@pytest.fixture
def others(resends: ResendRepository) -> ResendRepository:
    """The requests as another process sees them."""
    return SqlResendRepository(cast(SqlResendRepository, resends)._db, "other")


async def test_own_alone(resends: ResendRepository, others: ResendRepository) -> None:
    """The process that approved a request sends it and stores the answer of its call; no other one does."""
    approved = await in_state(resends, ResendState.APPROVED)
    assert await others.begin_sending(GUILD, approved.id, at=NOW) is None
    assert await others.settle(GUILD, approved.id, NOT_REACHED, at=NOW) is None

    assert await resends.begin_sending(GUILD, approved.id, at=NOW) is not None

    for end in (NOT_REACHED, CONFIRMED, Settlement(sent=True, outcome=Outcome.READ_BACK)):
        assert await others.settle(GUILD, approved.id, end, at=NOW) is None
    assert await resends.settle(GUILD, approved.id, CONFIRMED, at=NOW) is not None


async def test_taken_back(resends: ResendRepository, others: ResendRepository) -> None:
    """A process whose approval was taken back, and comes to life again, changes nothing of the next approval."""
    first = await in_state(resends, ResendState.APPROVED)
    one = (GUILD, first.id)
    pending = await others.return_to_pending(*one, worker=first.worker, note="restarted", at=NOW)
    assert pending is not None
    await others.card_shows(*one, message_id=pending.message_id or 0, version=pending.version)
    assert await others.approve(*one, version=pending.version, by=BEN, at=NOW) is not None

    async def come_to_life() -> list[object]:
        return [
            await resends.begin_sending(*one, at=NOW),
            await resends.return_to_pending(*one, worker=first.worker, note="paused", at=NOW),
            await resends.mark_unknown(*one, worker=first.worker, outcome=Outcome.INTERRUPTED, detail=None, at=NOW),
            await resends.settle(*one, NOT_REACHED, at=NOW),
        ]

    assert await come_to_life() == [None] * 4
    sending = await others.begin_sending(*one, at=NOW)
    assert sending is not None
    assert await come_to_life() == [None] * 4
    await others.mark_unknown(*one, worker=sending.worker, outcome=Outcome.ANSWER_LOST, detail=None, at=NOW)
    assert await come_to_life() == [None] * 4
    assert await others.settle(*one, CONFIRMED, at=NOW) is not None


async def test_telling(resends: ResendRepository, others: ResendRepository) -> None:
    """What a process had begun to tell is finalised by the one that takes it over, and the card says so."""
    sent = await in_state(resends, ResendState.SENT)
    assert await others.begin_telling(GUILD, sent.id, at=NOW) is None
    assert await resends.begin_telling(GUILD, sent.id, at=NOW) == sent

    taken = await others.take_over(sent, at=LATER)

    assert taken is not None
    assert (taken.notes, taken.is_shown) == ((TELLING_IN_DOUBT,), False)
    assert await resends.not_finalised() == ()
    for each in (resends, others):
        assert await each.begin_telling(GUILD, sent.id, at=LATER) is None
        assert await each.take_over(sent, at=LATER) is None


async def test_not_told_yet(resends: ResendRepository, others: ResendRepository) -> None:
    """An end that no one has begun to tell is told by the process that takes it over, and by no other."""
    denied = await in_state(resends, ResendState.DENIED)

    taken = await others.take_over(denied, at=LATER)

    assert taken == denied
    assert await resends.take_over(denied, at=LATER) is None
    await resends.finalise(GUILD, denied.id, at=LATER)
    assert await resends.begin_telling(GUILD, denied.id, at=LATER) is None
    assert await resends.not_finalised() == (taken,)
    assert await others.begin_telling(GUILD, denied.id, at=LATER) == taken
    await others.finalise(GUILD, denied.id, at=LATER)
    assert await resends.not_finalised() == ()


async def test_open_requests_are_not_told(resends: ResendRepository) -> None:
    """Only an end is told and taken over."""
    pending = await opened(resends)

    assert await resends.begin_telling(GUILD, pending.id, at=NOW) is None
    assert await resends.take_over(pending, at=NOW) is None
