"""What every PauseRepository does, and every ResendRepository while a guild's resends are stopped."""

import asyncio

import pytest

from bot.domain.audit import AuditAction
from bot.domain.resends import ALARM, TRANSITIONS, Outcome, Resend, ResendPause, ResendState, Settlement
from bot.domain.settings import GuildSettings, Setting
from bot.ports import AuditRepository, GrantRepository, GuildSettingsRepository
from bot.ports.resends import PauseRepository, ResendRepository
from tests.contracts.samples import ADA, BEN, GUILD, LATER, NOW, OTHER_GUILD, draft, in_state, opened


async def _unknown(
    resends: ResendRepository, sending: Resend, outcome: Outcome = Outcome.OTHER_TRADE, *, detail: str | None = "77"
) -> Resend:
    """Let a resend end in an unknown outcome: by default, an answer about another trade."""
    unknown = await resends.mark_unknown(
        sending.guild_id, sending.id, worker=sending.worker, outcome=outcome, detail=detail, at=LATER
    )
    assert unknown is not None
    return unknown


async def test_pause_and_resume(pauses: PauseRepository, audit: AuditRepository) -> None:
    """Of many users who pause or resume at once one succeeds, and gets the audit row."""
    rows = await asyncio.gather(*(pauses.pause(GUILD, by=user, at=NOW) for user in (ADA, BEN) * 5))

    (paused,) = [row for row in rows if row is not None]
    pause = await pauses.of_guild(GUILD)
    assert pause == ResendPause(GUILD, NOW, by=paused.actor_id)
    assert await pauses.of_guild(OTHER_GUILD) is None

    rows = await asyncio.gather(*(pauses.resume(GUILD, pause.number, by=BEN, at=LATER) for _ in range(5)))
    (resumed,) = [row for row in rows if row is not None]

    assert await pauses.of_guild(GUILD) is None
    assert await audit.newest(GUILD, limit=10) == [resumed, paused]
    assert (paused.action, paused.at) == (AuditAction.RESENDS_PAUSED, NOW)
    assert (resumed.action, resumed.actor_id, resumed.at) == (AuditAction.RESENDS_RESUMED, BEN, LATER)
    assert paused.subject == resumed.subject == "guild"


async def test_outdated_number(resends: ResendRepository, pauses: PauseRepository, audit: AuditRepository) -> None:
    """The number of a pause by a user does not end the alarm that replaced it, and has no audit row."""
    sending = await in_state(resends, ResendState.SENDING)
    await pauses.pause(GUILD, by=ADA, at=NOW)
    by_hand = ResendPause(GUILD, NOW)
    await _unknown(resends, sending)
    standing = await pauses.of_guild(GUILD)
    rows = await audit.newest(GUILD, limit=10)

    assert not await pauses.resume(GUILD, by_hand.number, by=BEN, at=LATER)

    assert await pauses.of_guild(GUILD) == standing
    assert await audit.newest(GUILD, limit=10) == rows


async def test_other_settings(
    pauses: PauseRepository, guild_settings: GuildSettingsRepository, grants: GrantRepository
) -> None:
    """Pauses, channels and seeded grants do not change each other."""
    await pauses.pause(GUILD, by=ADA, at=NOW)
    await guild_settings.put(GUILD, Setting.APPROVALS_CHANNEL, 5, by=ADA, at=NOW)
    await guild_settings.put(GUILD, Setting.AUDIT_CHANNEL, 6, by=ADA, at=NOW)

    assert await grants.of_guild(GUILD) != ()
    pause = await pauses.of_guild(GUILD)
    assert pause is not None
    await pauses.resume(GUILD, pause.number, by=ADA, at=NOW)
    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)


async def test_paused_requests(resends: ResendRepository, pauses: PauseRepository) -> None:
    """During a pause no request of the guild is opened, approved or sent; those of other guilds are."""
    pending = await in_state(resends, ResendState.PENDING, trade_id=1)
    approved = await in_state(resends, ResendState.APPROVED, trade_id=2)
    other = await opened(resends, trade_id=3, guild_id=OTHER_GUILD)
    await pauses.pause(GUILD, by=ADA, at=NOW)

    assert await resends.open(draft(trade_id=4)) is None
    assert await resends.approve(pending.guild_id, pending.id, version=1, by=BEN, at=LATER) is None
    assert await resends.begin_sending(approved.guild_id, approved.id, at=LATER) is None
    assert await resends.get(GUILD, pending.id) == pending
    assert await resends.get(GUILD, approved.id) == approved
    assert await resends.open(draft(trade_id=4, guild_id=OTHER_GUILD)) is not None
    assert await resends.approve(other.guild_id, other.id, version=1, by=BEN, at=LATER) is not None
    assert await resends.begin_sending(other.guild_id, other.id, at=LATER) is not None

    await pauses.resume(GUILD, ResendPause(GUILD, NOW).number, by=ADA, at=LATER)

    assert await resends.open(draft(trade_id=5)) is not None
    assert await resends.approve(pending.guild_id, pending.id, version=1, by=BEN, at=LATER) is not None
    assert await resends.begin_sending(approved.guild_id, approved.id, at=LATER) is not None


@pytest.mark.parametrize("state", [ResendState.SENDING, ResendState.UNKNOWN])
async def test_settling_during_a_pause(resends: ResendRepository, pauses: PauseRepository, state: ResendState) -> None:
    """A pause does not keep a request from being settled."""
    resend = await in_state(resends, state)
    await pauses.pause(GUILD, by=ADA, at=NOW)

    settled = await resends.settle(
        resend.guild_id, resend.id, Settlement(sent=True, outcome=Outcome.READ_BACK), at=LATER
    )

    assert settled is not None
    assert settled.state in TRANSITIONS[state]


@pytest.mark.parametrize("is_paused", [False, True])
async def test_alarm(
    resends: ResendRepository, pauses: PauseRepository, audit: AuditRepository, *, is_paused: bool
) -> None:
    """An answer about another trade pauses the guild's resends, and replaces a pause by a user."""
    sending = await in_state(resends, ResendState.SENDING, trade_id=1)
    if is_paused:
        await pauses.pause(GUILD, by=ADA, at=NOW)

    unknown = await _unknown(resends, sending)

    assert unknown.notes == (ALARM,)
    assert [row.action for row in unknown.audit_rows] == [AuditAction.RESEND_UNKNOWN, AuditAction.RESENDS_PAUSED]
    assert unknown == await resends.get(GUILD, unknown.id)
    assert await pauses.of_guild(GUILD) == ResendPause(GUILD, LATER, resend_id=unknown.id)
    entry = (await audit.newest(GUILD, limit=1))[0]
    assert (entry.action, entry.actor_id) == (AuditAction.RESENDS_PAUSED, None)
    assert entry.detail == {"resend": str(unknown.id), "trade": "1", "answered_about": "77"}


async def test_second_alarm(resends: ResendRepository, pauses: PauseRepository) -> None:
    """The first alarm stays the reason until a user resumes."""
    first, second, third = [await in_state(resends, ResendState.SENDING, trade_id=number) for number in (1, 2, 3)]
    await _unknown(resends, first)
    await _unknown(resends, second, detail="78")
    pause = await pauses.of_guild(GUILD)
    assert pause is not None
    assert pause.resend_id == first.id
    await pauses.resume(GUILD, pause.number, by=ADA, at=LATER)

    await _unknown(resends, third)

    assert await pauses.of_guild(GUILD) == ResendPause(GUILD, LATER, resend_id=third.id)


@pytest.mark.parametrize("outcome", [Outcome.ANSWER_LOST, Outcome.INTERRUPTED])
async def test_other_unknown_outcomes(resends: ResendRepository, pauses: PauseRepository, outcome: Outcome) -> None:
    """Another unknown outcome pauses nothing."""
    sending = await in_state(resends, ResendState.SENDING)

    unknown = await _unknown(resends, sending, outcome, detail=None)

    assert unknown.notes == ()
    assert await pauses.of_guild(GUILD) is None
