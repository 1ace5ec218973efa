"""Every interaction is finished, even if the work on it hangs, fails or ends early."""

import asyncio
import contextlib
import logging
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.observability.tracing import InteractionTrace, Outcome
from bot.ui.interaction.session import InteractionSession, Sessions
from bot.ui.interaction.watch import ANSWERABLE_FOR, drain, finish_stuck
from tests.fakes.interaction import FakeInteraction, finished, start
from tests.support.loop_time import pass_time_later

UNFINISHED = ("edit", "⚠️ This was not finished")
INTERRUPTED = ("edit", "⚠️ SkinDesk is restarting")


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


async def defer_only(session: InteractionSession) -> None:
    await session.defer()


async def hang(session: InteractionSession) -> None:
    await session.defer()
    await asyncio.Event().wait()


async def answer(session: InteractionSession) -> None:
    await session.defer()
    await session.reply(discord.Embed(title="Done"))


def answers(interaction: Any) -> list[tuple[str, str]]:
    """Return what Discord was sent after the deferral."""
    return [sent for sent in interaction.sent if sent[0] != "defer"]


async def test_work_that_hangs() -> None:
    """Work that takes too long is cancelled, and the user gets a reply."""
    traces: list[InteractionTrace] = []
    sessions = Sessions([traces.append])
    interaction: Any = FakeInteraction(sessions)
    _, task = await start(interaction, hang)

    await finish_stuck(sessions, longest=60.0)
    assert answers(interaction) == []

    await finish_stuck(sessions, longest=0.0)
    assert answers(interaction) == [UNFINISHED]
    assert task.cancelled()
    assert [trace.outcome for trace in traces] == [Outcome.INTERRUPTED]
    assert not sessions.left_open


async def test_finished_sessions(sessions: Sessions) -> None:
    """A session is left alone if it was answered, if Discord shows nothing of it, or if no answer can arrive."""

    async def close(session: InteractionSession) -> None:
        session.defer_if_slow()
        session.close()

    async def do_nothing(_session: InteractionSession) -> None:
        pass

    interactions: list[Any] = [FakeInteraction(sessions) for _ in range(3)]
    for interaction, work in zip(interactions, (answer, close, do_nothing), strict=True):
        await finished(interaction, work)
    await finish_stuck(sessions, longest=60.0)

    assert [answers(interaction) for interaction in interactions] == [[("edit", "Done")], [], []]


async def test_pending_reply(sessions: Sessions) -> None:
    """The first reply is sent again until Discord accepts it, and then no more."""

    async def work(session: InteractionSession) -> None:
        await answer(session)
        await session.reply(discord.Embed(title="Something went wrong"))

    interaction: Any = FakeInteraction(sessions)
    interaction.fail("edit", *[ConnectionResetError()] * 4)
    await finished(interaction, work)
    for _ in range(5):
        await finish_stuck(sessions, longest=60.0)

    assert answers(interaction) == [("edit", "Done")]
    assert not sessions.left_open


async def test_expired_token(sessions: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    """A reply is given up once Discord no longer accepts it, and the log says so."""
    caplog.set_level(logging.INFO)
    interaction: Any = FakeInteraction(sessions, custom_id="resend:41:approve")
    session = await finished(interaction, defer_only)
    session.trace.began -= ANSWERABLE_FOR + 1
    await finish_stuck(sessions, longest=60.0)

    assert answers(interaction) == []
    assert not sessions.left_open
    assert "interaction left without an answer command=resend:approve" in caplog.messages


async def test_shutdown(sessions: Sessions) -> None:
    """A shutdown waits for quick work, interrupts slow work, and finishes what is left open."""
    may_answer = asyncio.Event()

    async def answer_soon(session: InteractionSession) -> None:
        await may_answer.wait()
        await answer(session)

    late, deferred, quick, slow = interactions = [FakeInteraction(sessions) for _ in range(4)]
    late.fail("edit", ConnectionResetError())
    await finished(late, answer)
    await finished(deferred, defer_only)
    await start(quick, answer_soon)
    await start(slow, hang)
    draining = asyncio.create_task(drain(sessions, within=60.0))
    await asyncio.sleep(0)
    may_answer.set()
    await pass_time_later(60.0)
    await draining

    assert [answers(interaction) for interaction in interactions] == [
        [("edit", "Done")],
        [INTERRUPTED],
        [("edit", "Done")],
        [INTERRUPTED],
    ]


async def test_shutdown_while_the_watch_replies(sessions: Sessions) -> None:
    """A shutdown sends the reply that the watch was sending when it was cancelled."""
    replying = asyncio.Event()

    async def trouble() -> None:
        replying.set()
        await asyncio.Event().wait()

    interaction: Any = FakeInteraction(sessions)
    await start(interaction, hang)
    interaction.trouble["edit"] = trouble
    watch = asyncio.create_task(finish_stuck(sessions, longest=0.0))
    await replying.wait()
    watch.cancel()
    del interaction.trouble["edit"]
    await drain(sessions, within=0.2)

    assert answers(interaction) == [INTERRUPTED]


async def test_discord_does_not_answer(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A request without an answer delays no other session, and is sent again the next time."""
    monkeypatch.setattr("bot.ui.interaction.watch.ATTEMPT_SECONDS", 0.05)
    ended, other, hung = interactions = [FakeInteraction(sessions) for _ in range(3)]
    await finished(ended, defer_only)
    await finished(other, defer_only)
    await start(hung, hang)
    for interaction in (ended, hung):
        interaction.trouble["edit"] = asyncio.Event().wait
    await finish_stuck(sessions, longest=0.0)
    assert [answers(interaction) for interaction in interactions] == [[], [UNFINISHED], []]
    assert "interaction not finished in time command=application_command" in caplog.messages

    for interaction in (ended, hung):
        del interaction.trouble["edit"]
    await finish_stuck(sessions, longest=0.0)
    assert [answers(interaction) for interaction in interactions] == [[UNFINISHED]] * 3
    assert not sessions.left_open


async def test_work_that_does_not_end(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """If cancelled work goes on, the user gets one reply all the same."""
    monkeypatch.setattr("bot.ui.interaction.watch.ATTEMPT_SECONDS", 0.05)
    enough = asyncio.Event()

    async def stubborn(session: InteractionSession) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await hang(session)
        await enough.wait()

    interaction: Any = FakeInteraction(sessions)
    _, task = await start(interaction, stubborn)
    for _ in range(2):
        await finish_stuck(sessions, longest=0.0)
    enough.set()
    await task

    assert answers(interaction) == [UNFINISHED]


@pytest.mark.parametrize("error", [None, ConnectionResetError(), discord.DiscordException()])
async def test_work_that_ends_during_the_deferral(sessions: Sessions, error: Exception | None) -> None:
    """A session whose deferral is still on its way is finished once Discord may show "thinking…"."""
    arriving = asyncio.Event()

    async def trouble() -> None:
        await arriving.wait()
        if error is not None:
            raise error

    async def work(session: InteractionSession) -> None:
        session.defer_if_slow()

    interaction: Any = FakeInteraction(sessions)
    interaction.trouble["defer"] = trouble
    session = await finished(interaction, work)
    await finish_stuck(sessions, longest=60.0)
    assert (answers(interaction), sessions.left_open) == ([], {session})

    arriving.set()
    await asyncio.sleep(0.01)
    await finish_stuck(sessions, longest=60.0)
    assert len(answers(interaction)) == (0 if isinstance(error, discord.DiscordException) else 1)
    assert not sessions.left_open


@pytest.mark.parametrize("during_deferral", [True, False])
async def test_lost_reply_about_cancelled_work(sessions: Sessions, *, during_deferral: bool) -> None:
    """A reply about cancelled work is sent again if Discord may show "thinking…"."""
    interaction: Any = FakeInteraction(sessions)
    response: Any = SimpleNamespace(status=400, reason="")
    acknowledged = discord.HTTPException(response, {"code": 40060, "message": ""})

    async def work(session: InteractionSession) -> None:
        if during_deferral:
            await session.defer()
        await asyncio.Event().wait()

    if during_deferral:
        interaction.trouble["defer"] = asyncio.Event().wait
    else:
        interaction.fail("defer", ConnectionResetError())
    interaction.fail("message", *([acknowledged] * 2 if during_deferral else [ConnectionResetError()]))
    interaction.fail("follow-up", ConnectionResetError())
    await start(interaction, work)
    for _ in range(2):
        await finish_stuck(sessions, longest=0.0)

    assert interaction.sent == [("follow-up" if during_deferral else "message", UNFINISHED[1])]
