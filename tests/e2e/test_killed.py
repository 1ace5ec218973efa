"""Kills the program at every moment around an approval: the next start, or another process, makes no second call."""

from bot.demo.trades import ResendAnswer
from tests.e2e.killed import KilledBot, Moment, Round
from tests.e2e.killed_in_turns import Killed, KilledInTurns
from tests.e2e.live_bot import LiveBot
from tests.support import postgres

ROUNDS = (
    Round(Moment.BEFORE),
    Round(Moment.CLICKED),
    Round(Moment.CLICKED, pause=0.02),
    Round(Moment.READING),
    Round(Moment.CALLING, ResendAnswer.HANG),
    Round(Moment.CALLING, late=0.3),
    Round(Moment.CALLING, ResendAnswer.LOST_BEFORE, late=0.1),
    Round(Moment.ANSWERED, ResendAnswer.REFUSE),
    Round(Moment.ANSWERED, late=0.1),
    Round(Moment.SHOWN, ResendAnswer.OTHER_TRADE),
)


TURNS = (
    (Round(Moment.CALLING, late=0.3), Killed.LEADER),
    (Round(Moment.CLICKED, pause=0.02), Killed.BOTH),
)


async def test_killed_around_an_approval(live: LiveBot):
    """One approval makes at most one call; a cut-off resend becomes pending, settled or unknown."""
    async with KilledBot.opened(live) as killed:
        reports = [await killed.play(planned) for planned in ROUNDS]

        assert [report for report in reports if report.violations] == []
        await killed.finish()


async def test_killed_in_turns(live: LiveBot):
    """With two processes the other one takes over: one call an approval, each end told once, one card a request."""
    with postgres.database() as live.url:
        async with KilledInTurns.opened(live) as killed:
            reports = [await killed.play_turn(planned, who) for planned, who in TURNS]

            assert [report for report in reports if report.violations] == []
            await killed.finish()
