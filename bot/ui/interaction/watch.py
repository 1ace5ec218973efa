"""Finishes interactions that would stay at "thinking…": hung work, lost replies, and open ones at shutdown."""

import asyncio
import logging

from bot.domain.errors import Interrupted, SkinDeskError, Unfinished
from bot.ui.interaction.error_handler import report
from bot.ui.interaction.session import InteractionSession, Sessions

_log = logging.getLogger(__name__)

ANSWERABLE_FOR = 14 * 60.0
"""Seconds in which Discord accepts an answer; an interaction's token lives 15 minutes."""

ATTEMPT_SECONDS = 10.0
"""The limit of one attempt to finish an interaction: enough to upload a file."""


async def finish_stuck(sessions: Sessions, *, longest: float) -> None:
    """Cancel work that takes more than ``longest`` seconds, and finish ended sessions that Discord still shows open.

    Call it every few seconds. All sessions are finished at once, so one without an answer from Discord delays no
    other; the next call tries it again.
    """
    overdue = [
        (task, session)
        for task, session in sessions.running.items()
        if session.trace.age > longest and not task.cancelling()  # not reported a second time
    ]
    for _, session in overdue:
        _log.error("interaction took too long command=%s", session.trace.command)
    await asyncio.gather(
        *(_finish_late(sessions, session) for session in tuple(sessions.left_open)),
        *(_cancel(sessions, task, session, Unfinished()) for task, session in overdue),
    )


async def drain(sessions: Sessions, *, within: float) -> None:
    """Wait ``within`` seconds for running work, then cancel it; try a last time to finish what is left open."""
    if sessions.running:
        await asyncio.wait(sessions.running, timeout=within)
    await asyncio.gather(
        *(_cancel(sessions, task, session, Interrupted()) for task, session in sessions.running.items()),
        *(_finish(session, Interrupted()) for session in sessions.left_open if session.is_left_open),
    )


async def _finish_late(sessions: Sessions, session: InteractionSession) -> None:
    was_thinking = session.is_thinking
    if was_thinking and session.trace.age > ANSWERABLE_FOR:
        _log.error("interaction left without an answer command=%s", session.trace.command)
        session.close()
    elif was_thinking:
        await _finish(session, Unfinished())
        if not session.is_thinking:
            _log.warning("interaction finished late command=%s", session.trace.command)
    if not session.is_left_open:
        sessions.finish(session)


async def _cancel(
    sessions: Sessions, task: asyncio.Task[object], session: InteractionSession, reason: SkinDeskError
) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=ATTEMPT_SECONDS)
    await _finish(session, reason)
    if session.is_left_open and task.done():
        sessions.left_open.add(session)
    elif not session.is_left_open:
        sessions.finish(session)


async def _finish(session: InteractionSession, reason: SkinDeskError) -> None:
    """Send the pending reply, or else report the reason."""
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            if session.pending_reply is not None:
                await session.retry(session.pending_reply)
            else:
                await report(session, reason)
    except TimeoutError:
        _log.warning("interaction not finished in time command=%s", session.trace.command)
    except Exception:  # noqa: BLE001 -- the other sessions are finished all the same
        _log.exception("interaction not finished command=%s", session.trace.command)
