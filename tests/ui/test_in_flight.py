"""Every interaction is finished, whatever becomes of the work on it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.observability.tracing import InteractionTrace, Outcome
from bot.ui.interaction.acknowledgement import acknowledge_in_time
from bot.ui.interaction.in_flight import ANSWERABLE_FOR, InFlight
from bot.ui.interaction.interactions import PendingReply, finished, keep_pending_reply, unconfirmed

DEFERRED = discord.InteractionResponseType.deferred_channel_message


def interaction(number: int = 1, *, response: object = DEFERRED, custom_id: str = "resend:41:approve") -> Any:
    """Return as much of an interaction as counts here."""
    return SimpleNamespace(
        id=number,
        type=discord.InteractionType.component,
        command=None,
        data={"custom_id": custom_id},
        guild_id=7,
        user=SimpleNamespace(id=8),
        response=SimpleNamespace(type=response, is_done=lambda: response is not None),
        extras={},
    )


class Told:
    """What was said to whom, in order."""

    def __init__(self, *, takes: Callable[[], bool] = lambda: True) -> None:
        self.said: list[tuple[int, str]] = []
        self._takes = takes

    async def give_up(self, each: Any) -> None:
        self._say(each, "given up")

    async def again(self, each: Any, pending_reply: PendingReply) -> None:
        self._say(each, pending_reply.embed.title or "")

    def _say(self, each: Any, what: str) -> None:
        self.said.append((each.id, what))
        if self._takes():
            finished(each)


async def begun(in_flight: InFlight, each: Any, work: Any) -> asyncio.Task[None]:
    """Start work on an interaction, as far as its first step."""

    async def entered() -> None:
        in_flight.enter(each)
        await work

    task = asyncio.create_task(entered())
    await asyncio.sleep(0)
    return task


async def ended(task: asyncio.Task[None]) -> None:
    """Wait for the work, and until everybody has heard of its end."""
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)


async def watched(in_flight: InFlight, told: Told, *, longest: float = 60.0) -> None:
    await in_flight.watch(longest=longest, give_up=told.give_up, again=told.again)


async def test_work_that_hangs() -> None:
    """Work that takes longer than anything does is cancelled, and whoever waits is told."""
    handled: list[InteractionTrace] = []
    in_flight, told = InFlight([handled.append]), Told()
    task = await begun(in_flight, interaction(), asyncio.Event().wait())

    await watched(in_flight, told)
    assert told.said == []

    await watched(in_flight, told, longest=0.0)
    assert told.said == [(1, "given up")]
    assert task.cancelled()
    assert [each.ending for each in handled] == [Outcome.INTERRUPTED]
    assert in_flight.left_thinking == 0


async def test_work_that_forgets_to_answer() -> None:
    """Work that ends while Discord shows "thinking…" is made up for."""
    in_flight, told = InFlight(), Told()
    await ended(await begun(in_flight, interaction(), asyncio.sleep(0)))
    assert in_flight.left_thinking == 1

    await watched(in_flight, told)
    assert told.said == [(1, "given up")]
    assert in_flight.left_thinking == 0


async def test_work_that_ends_before_discord_heard_anything() -> None:
    """Where nothing was told to Discord yet it is told that there will be an answer, and then there is one."""
    in_flight, told = InFlight(), Told()
    each = interaction(response=None)

    async def defer(**_: bool) -> None:
        each.response.type = DEFERRED

    each.response.defer = defer
    acknowledge_in_time(each)
    await ended(await begun(in_flight, each, asyncio.sleep(0)))
    await asyncio.sleep(0)
    assert in_flight.left_thinking == 1

    await watched(in_flight, told)
    assert told.said == [(1, "given up")]
    assert in_flight.left_thinking == 0


async def test_work_that_discord_no_longer_knows() -> None:
    """Nobody is told anything where that was tried, and Discord does not know the interaction any more."""
    in_flight, told = InFlight(), Told()
    each = interaction(response=None)
    acknowledge_in_time(each)
    finished(each)
    await ended(await begun(in_flight, each, asyncio.sleep(0)))

    await watched(in_flight, told)
    assert (told.said, in_flight.left_thinking) == ([], 0)


async def test_work_that_answers() -> None:
    """An interaction that was answered, or of which nothing shows, is left alone."""
    in_flight, told = InFlight(), Told()
    answered = interaction(1)
    finished(answered)
    for each in (
        answered,
        interaction(2, response=None),
        interaction(3, response=discord.InteractionResponseType.modal),
    ):
        await ended(await begun(in_flight, each, asyncio.sleep(0)))

    await watched(in_flight, told)
    assert told.said == []


async def test_an_answer_that_was_put_off() -> None:
    """The same answer is given again, round after round, until Discord takes it; the first one counts."""
    takes = iter([False, False, True])
    in_flight, told = InFlight(), Told(takes=lambda: next(takes))
    each = interaction()
    for title in ("Sent", "Something went wrong"):
        keep_pending_reply(each, PendingReply(discord.Embed(title=title), None))
    await ended(await begun(in_flight, each, asyncio.sleep(0)))

    for _ in range(5):
        await watched(in_flight, told)
    assert told.said == [(1, "Sent")] * 3


async def test_a_token_that_has_run_out(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What Discord would no longer take is given up, and the log says so."""
    caplog.set_level(logging.INFO)
    in_flight, told = InFlight(), Told(takes=lambda: False)
    await ended(await begun(in_flight, interaction(), asyncio.sleep(0)))
    await watched(in_flight, told)
    (left,) = in_flight._left.items()
    in_flight._left[left[0]] = (left[1][0], left[1][1] - ANSWERABLE_FOR - 1)

    await watched(in_flight, told)
    assert told.said == [(1, "given up")]
    assert in_flight.left_thinking == 0
    assert "interaction left without an answer command=resend:approve" in caplog.messages


async def test_a_stop() -> None:
    """A stop leaves time to what is under way, cuts off the rest, and gives what was put off a last time."""
    in_flight, told = InFlight(), Told()
    late = interaction(1)
    keep_pending_reply(late, PendingReply(discord.Embed(title="Late"), None))
    await ended(await begun(in_flight, late, asyncio.sleep(0)))
    answered = interaction(2)
    finished(answered)
    quick = await begun(in_flight, answered, asyncio.sleep(0.01))
    slow = await begun(in_flight, interaction(3), asyncio.Event().wait())

    await in_flight.drain(within=0.2, give_up=told.give_up, again=told.again)
    assert sorted(told.said) == [(1, "Late"), (3, "given up")]
    assert (quick.cancelled(), slow.cancelled()) == (False, True)


async def test_a_stop_after_work_that_forgot_to_answer() -> None:
    """A stop does not leave to the watch what the watch has not come to."""
    in_flight, told = InFlight(), Told()
    await ended(await begun(in_flight, interaction(), asyncio.sleep(0)))

    await in_flight.drain(within=0.2, give_up=told.give_up, again=told.again)
    assert told.said == [(1, "given up")]


async def test_a_stop_while_the_watch_tells_somebody() -> None:
    """Whoever the watch was about to tell when it was stopped is told by the stop."""
    in_flight, told, telling = InFlight(), Told(), asyncio.Event()
    await begun(in_flight, interaction(), asyncio.Event().wait())

    async def slow(_: Any) -> None:
        telling.set()
        await asyncio.Event().wait()

    watch = asyncio.create_task(in_flight.watch(longest=0.0, give_up=slow, again=told.again))
    await telling.wait()
    watch.cancel()
    await in_flight.drain(within=0.2, give_up=told.give_up, again=told.again)
    assert told.said == [(1, "given up")]


async def test_one_that_discord_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever hangs keeps nobody else waiting, is left after a while, and tried again in the next round."""
    monkeypatch.setattr("bot.ui.interaction.in_flight.TOLD_WITHIN", 0.05)
    in_flight, told, hangs = InFlight(), Told(), True
    for number in (1, 2):
        await ended(await begun(in_flight, interaction(number), asyncio.sleep(0)))
    await begun(in_flight, interaction(3), asyncio.Event().wait())

    async def give_up(each: Any) -> None:
        if hangs and each.id in (1, 3):
            await asyncio.Event().wait()
        await told.give_up(each)

    await in_flight.watch(longest=0.0, give_up=give_up, again=told.again)
    assert told.said == [(2, "given up")]
    assert in_flight.left_thinking == 2
    assert "interaction not finished in time command=resend:approve" in caplog.messages

    hangs = False
    await in_flight.watch(longest=0.0, give_up=give_up, again=told.again)
    assert sorted(told.said) == [(1, "given up"), (2, "given up"), (3, "given up")]
    assert in_flight.left_thinking == 0


async def test_one_whose_end_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong in finishing one is a line in the log, and the others are finished."""
    in_flight, told = InFlight(), Told()
    for number in (1, 2):
        await ended(await begun(in_flight, interaction(number), asyncio.sleep(0)))

    async def give_up(each: Any) -> None:
        if each.id == 1:
            raise RuntimeError
        await told.give_up(each)

    await in_flight.watch(longest=60.0, give_up=give_up, again=told.again)
    assert told.said == [(2, "given up")]
    assert "interaction not finished command=resend:approve" in caplog.messages


async def test_work_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for work that goes on although it was cut off is told, and told once."""
    monkeypatch.setattr("bot.ui.interaction.in_flight.TOLD_WITHIN", 0.05)
    in_flight, told, enough = InFlight(), Told(), asyncio.Event()

    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await enough.wait()

    task = await begun(in_flight, interaction(), stubborn())
    for _ in range(2):
        await watched(in_flight, told, longest=0.0)
    assert told.said == [(1, "given up")]

    enough.set()
    await ended(task)


@pytest.mark.parametrize("end", ["taken", "refused", "in doubt"])
async def test_work_that_ends_while_discord_is_told(end: str) -> None:
    """While Discord is being told that there will be an answer, the interaction is not forgotten."""
    in_flight, told, answered = InFlight(), Told(), asyncio.Event()
    each = interaction(response=None)

    async def defer(**_: bool) -> None:
        await answered.wait()
        if end == "taken":
            each.response.type = DEFERRED
        else:
            raise {"refused": discord.DiscordException(), "in doubt": ConnectionResetError()}[end]

    each.response.defer = defer
    acknowledge_in_time(each)
    await ended(await begun(in_flight, each, asyncio.sleep(0)))
    await watched(in_flight, told)
    assert (told.said, in_flight.left_thinking) == ([], 1)

    answered.set()
    await asyncio.sleep(0.01)
    await watched(in_flight, told)
    assert told.said == ([] if end == "refused" else [(1, "given up")])
    assert in_flight.left_thinking == 0


async def test_work_that_is_cut_off_while_it_defers() -> None:
    """Work that defers by itself may be cut off at that: its answer is given again where Discord did not take it."""
    takes = iter([False, True])
    in_flight, told = InFlight(), Told(takes=lambda: next(takes))
    each = interaction(response=None)
    await begun(in_flight, each, asyncio.Event().wait())

    async def give_up(each: Any) -> None:
        unconfirmed(each, thinking=True)
        await told.give_up(each)

    await in_flight.watch(longest=0.0, give_up=give_up, again=told.again)
    assert in_flight.left_thinking == 1
    await watched(in_flight, told)
    assert told.said == [(1, "given up")] * 2
    assert in_flight.left_thinking == 0


@pytest.mark.parametrize(
    ("custom_id", "command"),
    [
        ("page:AbCdEfGhIjKl:next:3", "page:next"),
        ("page:abcdefghijkl:sort", "page:sort"),
        ("resends:halt", "resends:halt"),
        ("resend:41:deny:reason:123456789012345678", "resend:deny:reason"),
        ("<@1>", "component"),
        ("", "component"),
    ],
)
async def test_what_a_component_is_called(custom_id: str, command: str) -> None:
    """In log and figures a component is named by what it does: ids would make every click another one."""
    handled: list[InteractionTrace] = []
    in_flight = InFlight([handled.append])
    await ended(await begun(in_flight, interaction(response=None, custom_id=custom_id), asyncio.sleep(0)))

    assert [each.command for each in handled] == [command]


async def test_an_acknowledgement() -> None:
    """How long Discord waited for the first answer is known, of the first one only."""
    handled: list[InteractionTrace] = []
    in_flight = InFlight([handled.append])
    task = await begun(in_flight, interaction(response=None), asyncio.sleep(0.01))
    in_flight.acknowledged(1)
    in_flight.acknowledged(1)
    in_flight.acknowledged(99)
    await ended(task)

    (only,) = handled
    assert only.acknowledged_after is not None
    assert only.acknowledged_after < only.finished_after
