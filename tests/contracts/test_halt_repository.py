"""What every HaltRepository does, and every ResendRepository while a guild's resends are stopped."""

import asyncio

import pytest

from bot.domain.audit import AuditAction
from bot.domain.halts import ALARM, Halt
from bot.domain.resends import TRANSITIONS, Outcome, Resend, ResendState
from bot.domain.settings import GuildSettings, Setting
from bot.ports import AuditRepository, GrantRepository, GuildSettingsRepository, HaltRepository, ResendRepository
from tests.contracts.samples import ADA, BEN, GUILD, LATER, NOW, OTHER_GUILD, draft, in_state, opened


async def test_nothing_stopped(halts: HaltRepository) -> None:
    assert await halts.of_guild(GUILD) is None
    assert not await halts.resume(GUILD, Halt(GUILD, NOW).number, by=ADA, at=NOW)


async def test_stop_and_go_on(halts: HaltRepository, audit: AuditRepository) -> None:
    """Of many who stop at once one does, of many who resume one does, and each is written down as theirs."""
    stops = await asyncio.gather(*(halts.halt(GUILD, by=user, at=NOW) for user in (ADA, BEN) * 5))

    (halt,) = [stop for stop in stops if stop is not None]
    assert await halts.of_guild(GUILD) == halt == Halt(GUILD, NOW, by=halt.by)
    assert await halts.of_guild(OTHER_GUILD) is None

    resumes = await asyncio.gather(*(halts.resume(GUILD, halt.number, by=BEN, at=LATER) for _ in range(5)))
    assert sorted(resumes)[-2:] == [False, True]

    assert await halts.of_guild(GUILD) is None
    resumed, halted = await audit.newest(GUILD, limit=10)
    assert (halted.action, halted.actor_id, halted.at) == (AuditAction.RESENDS_HALTED, halt.by, NOW)
    assert (resumed.action, resumed.actor_id, resumed.at) == (AuditAction.RESENDS_RESUMED, BEN, LATER)
    assert halted.subject == resumed.subject == "guild"


async def test_another_stop_by_now(resends: ResendRepository, halts: HaltRepository, audit: AuditRepository) -> None:
    """Who was shown a stop by hand does not end the alarm that took its place, nor writes anything down."""
    sending = await in_state(resends, ResendState.SENDING)
    by_hand = await halts.halt(GUILD, by=ADA, at=NOW)
    assert by_hand is not None
    await resends.mark_unknown(
        sending.guild_id, sending.id, outcome=Outcome.OTHER_TRADE, detail="77", settle_after=LATER, at=LATER
    )
    standing = await halts.of_guild(GUILD)
    rows = await audit.newest(GUILD, limit=10)

    assert not await halts.resume(GUILD, by_hand.number, by=BEN, at=LATER)

    assert await halts.of_guild(GUILD) == standing
    assert await audit.newest(GUILD, limit=10) == rows


async def test_beside_other_settings(
    halts: HaltRepository, guild_settings: GuildSettingsRepository, grants: GrantRepository
) -> None:
    """A stop leaves channels and first grants alone, and they it."""
    await halts.halt(GUILD, by=ADA, at=NOW)
    await guild_settings.set_channel(GUILD, Setting.APPROVALS_CHANNEL, 5, by=ADA, at=NOW)
    await guild_settings.set_channel(GUILD, Setting.AUDIT_CHANNEL, 6, by=ADA, at=NOW)

    assert await grants.of_guild(GUILD) != ()
    halt = await halts.of_guild(GUILD)
    assert halt is not None
    await halts.resume(GUILD, halt.number, by=ADA, at=NOW)
    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)


async def test_nothing_leads_to_a_call(resends: ResendRepository, halts: HaltRepository) -> None:
    """While it is stopped no request of the guild is opened, approved or sent; another guild's are."""
    pending = await in_state(resends, ResendState.PENDING, trade_id=1)
    approved = await in_state(resends, ResendState.APPROVED, trade_id=2)
    other = await opened(resends, trade_id=3, guild_id=OTHER_GUILD)
    halt = await halts.halt(GUILD, by=ADA, at=NOW)
    assert halt is not None

    assert await resends.open(draft(trade_id=4)) is None
    assert await resends.approve(pending.guild_id, pending.id, version=1, by=BEN, at=LATER) is None
    assert await resends.begin_sending(approved.guild_id, approved.id, at=LATER) is None
    assert await resends.get(GUILD, pending.id) == pending
    assert await resends.get(GUILD, approved.id) == approved
    assert await resends.open(draft(trade_id=4, guild_id=OTHER_GUILD)) is not None
    assert await resends.approve(other.guild_id, other.id, version=1, by=BEN, at=LATER) is not None
    assert await resends.begin_sending(other.guild_id, other.id, at=LATER) is not None

    await halts.resume(GUILD, halt.number, by=ADA, at=LATER)

    assert await resends.open(draft(trade_id=5)) is not None
    assert await resends.approve(pending.guild_id, pending.id, version=1, by=BEN, at=LATER) is not None
    assert await resends.begin_sending(approved.guild_id, approved.id, at=LATER) is not None


@pytest.mark.parametrize("state", [ResendState.SENDING, ResendState.UNKNOWN])
async def test_what_was_called_is_settled(resends: ResendRepository, halts: HaltRepository, state: ResendState) -> None:
    """A stop does not keep anything from its end."""
    resend = await in_state(resends, state)
    await halts.halt(GUILD, by=ADA, at=NOW)

    settled = await resends.settle(
        resend.guild_id, resend.id, sent=True, outcome=Outcome.READ_BACK, detail=None, at=LATER
    )

    assert settled is not None
    assert settled.state in TRANSITIONS[state]


async def _crossed(resends: ResendRepository, trade_id: int) -> Resend:
    sending = await in_state(resends, ResendState.SENDING, trade_id=trade_id)
    unknown = await resends.mark_unknown(
        sending.guild_id, sending.id, outcome=Outcome.OTHER_TRADE, detail="77", settle_after=LATER, at=LATER
    )
    assert unknown is not None
    return unknown


@pytest.mark.parametrize("stopped_by_hand", [False, True])
async def test_alarm(
    resends: ResendRepository, halts: HaltRepository, audit: AuditRepository, *, stopped_by_hand: bool
) -> None:
    """An answer about another trade stops the guild's resends by itself, and takes the place of a stop by hand."""
    sending = await in_state(resends, ResendState.SENDING, trade_id=1)
    if stopped_by_hand:
        await halts.halt(GUILD, by=ADA, at=NOW)

    unknown = await resends.mark_unknown(
        sending.guild_id, sending.id, outcome=Outcome.OTHER_TRADE, detail="77", settle_after=LATER, at=LATER
    )

    assert unknown is not None
    assert unknown.notes == (ALARM,)
    assert unknown == await resends.get(GUILD, unknown.id)
    assert await halts.of_guild(GUILD) == Halt(GUILD, LATER, resend_id=unknown.id)
    entry = (await audit.newest(GUILD, limit=1))[0]
    assert (entry.action, entry.actor_id) == (AuditAction.RESENDS_HALTED, None)
    assert entry.detail == {"resend": str(unknown.id), "trade": "1", "answered_about": "77"}


async def test_second_alarm(resends: ResendRepository, halts: HaltRepository) -> None:
    """The first alarm stays the reason until somebody resumes; the next one is a reason again."""
    second = await in_state(resends, ResendState.SENDING, trade_id=2)
    first = await _crossed(resends, 1)
    await resends.mark_unknown(
        second.guild_id, second.id, outcome=Outcome.OTHER_TRADE, detail="78", settle_after=LATER, at=LATER
    )
    halt = await halts.of_guild(GUILD)
    assert halt is not None
    assert halt.resend_id == first.id
    await halts.resume(GUILD, halt.number, by=ADA, at=LATER)

    third = await _crossed(resends, 3)

    assert await halts.of_guild(GUILD) == Halt(GUILD, LATER, resend_id=third.id)


@pytest.mark.parametrize("outcome", [Outcome.ANSWER_LOST, Outcome.INTERRUPTED])
async def test_other_doubts(resends: ResendRepository, halts: HaltRepository, outcome: Outcome) -> None:
    """A doubt of another kind stops nothing."""
    sending = await in_state(resends, ResendState.SENDING)

    unknown = await resends.mark_unknown(
        sending.guild_id, sending.id, outcome=outcome, detail=None, settle_after=LATER, at=LATER
    )

    assert unknown is not None
    assert unknown.notes == ()
    assert await halts.of_guild(GUILD) is None
