"""The interactions being worked on, so that every one of them is finished: by its work, by a stop, or by the watch."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import discord

from bot.observability.tracing import InteractionTrace, Observer, Outcome, begin
from bot.ui.interaction.acknowledgement import Acknowledgement, acknowledgement_of
from bot.ui.interaction.interactions import Interaction, PendingReply, is_finished, is_thinking, pending_reply_of

_log = logging.getLogger(__name__)

_WORD = re.compile(r"[a-z_]{1,11}")
"""A word of a custom id that names what a component does; the ids of pagers are longer, other ids are digits."""

ANSWERABLE_FOR = 14 * 60.0
"""Seconds in which an interaction can still be answered: Discord's token lives 15 minutes."""

TOLD_WITHIN = 10.0
"""Seconds that one attempt to finish an interaction may take: enough for a file, and nobody waits long for it."""

GiveUp: TypeAlias = Callable[[Interaction], Awaitable[None]]
"""Tells whoever waits that there will be no answer."""

Again: TypeAlias = Callable[[Interaction, PendingReply], Awaitable[None]]
"""Gives an answer that Discord did not take before."""


class InFlight:
    """Knows each interaction from its first step until Discord shows its end."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._open: dict[asyncio.Task[object], Interaction] = {}
        self._traces: dict[int, InteractionTrace] = {}
        self._left: dict[int, tuple[Interaction, float]] = {}

    def enter(self, interaction: Interaction) -> None:
        """Note that the current task works on the interaction until it ends."""
        task = asyncio.current_task()
        if task is None or interaction.id in self._traces:
            return
        trace = InteractionTrace(
            interaction_id=interaction.id,
            command=command_of(interaction),
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            is_suggestion=interaction.type is discord.InteractionType.autocomplete,
        )
        begin(trace)
        self._traces[interaction.id] = trace
        self._open[task] = interaction
        task.add_done_callback(self._leave)

    def trace_of(self, interaction: Interaction) -> InteractionTrace | None:
        """Return what is known of an interaction that is being worked on."""
        return self._traces.get(interaction.id)

    @property
    def left_thinking(self) -> int:
        """How many interactions still show "thinking…" although the work on them has ended."""
        return len(self._left)

    def acknowledged(self, interaction_id: int) -> None:
        """Note that Discord has taken the first answer to an interaction."""
        trace = self._traces.get(interaction_id)
        if trace is not None and trace.acknowledged_after is None:
            trace.acknowledged_after = trace.age

    async def drain(
        self,
        *,
        within: float,
        give_up: GiveUp,
        again: Again,
    ) -> None:
        """Leave the work ``within`` seconds; then cancel what is left and finish its interaction by ``give_up``.

        What Discord did not take before is given ``again``, for the last time; what shows "thinking…" after its work
        has ended is given up.
        """
        if self._open:
            await asyncio.wait(self._open, timeout=within)
        late = [interaction for interaction, _ in self._left.values() if _is_left_open(interaction)]
        await asyncio.gather(
            *(self._cut_short(task, interaction, give_up) for task, interaction in self._open.items()),
            *(_finish(interaction, give_up, again) for interaction in late),
        )

    async def watch(
        self,
        *,
        longest: float,
        give_up: GiveUp,
        again: Again,
    ) -> None:
        """Finish what would stay open for ever; call it every few seconds.

        Work that takes more than ``longest`` seconds is cancelled and finished by ``give_up``; so is an interaction
        whose work has ended while Discord still shows "thinking…". An answer that Discord did not take is given
        ``again`` for as long as it takes answers to this interaction.

        All of them are told at once, and none for longer than ``TOLD_WITHIN``: one that Discord does not answer keeps
        nobody else waiting, and is told again in the next round.
        """
        overdue = {
            task: interaction
            for task, interaction in self._open.items()
            # What was cut off before and has not ended yet is not told twice.
            if self._traces[interaction.id].age > longest and not task.cancelling()
        }
        for interaction in overdue.values():
            _log.error("interaction took too long command=%s", command_of(interaction))
        await asyncio.gather(
            *(self._finish_late(*left, give_up, again) for left in tuple(self._left.values())),
            *(self._cut_short(task, interaction, give_up) for task, interaction in overdue.items()),
        )

    async def _finish_late(self, interaction: Interaction, since: float, give_up: GiveUp, again: Again) -> None:
        if is_thinking(interaction):
            if time.monotonic() - since > ANSWERABLE_FOR:
                _log.error("interaction left without an answer command=%s", command_of(interaction))
                self._left.pop(interaction.id, None)
                return
            await _finish(interaction, give_up, again)
            if not is_thinking(interaction):
                _log.warning("interaction finished late command=%s", command_of(interaction))
        if not _is_left_open(interaction):
            self._left.pop(interaction.id, None)

    async def _cut_short(self, task: asyncio.Task[object], interaction: Interaction, give_up: GiveUp) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=TOLD_WITHIN)
        await _in_time(interaction, give_up(interaction))
        if not is_thinking(interaction):
            self._left.pop(interaction.id, None)
        elif task.done():
            # Its "thinking…" may have become known only by this: it was cut off while it told Discord.
            self._left.setdefault(interaction.id, (interaction, time.monotonic()))

    def _leave(self, task: asyncio.Task[object]) -> None:
        interaction = self._open.pop(task)
        trace = self._traces.pop(interaction.id)
        trace.finished_after = trace.age
        if task.cancelled():
            trace.fail(Outcome.INTERRUPTED, reason="cancelled")
        unanswered = _unanswered(interaction)
        if unanswered is not None:
            unanswered.begin()
        if unanswered is not None or is_thinking(interaction):
            self._left[interaction.id] = (interaction, time.monotonic())
        for observe in self._observers:
            observe(trace)


async def _finish(interaction: Interaction, give_up: GiveUp, again: Again) -> None:
    pending_reply = pending_reply_of(interaction)
    await _in_time(interaction, give_up(interaction) if pending_reply is None else again(interaction, pending_reply))


async def _in_time(interaction: Interaction, telling: Awaitable[None]) -> None:
    """Wait for somebody to be told, but not for ever; what goes wrong is a line in the log."""
    try:
        async with asyncio.timeout(TOLD_WITHIN):
            await telling
    except TimeoutError:
        _log.warning("interaction not finished in time command=%s", command_of(interaction))
    except Exception:  # noqa: BLE001 -- nobody else's end is kept up by this one
        _log.exception("interaction not finished command=%s", command_of(interaction))


def _is_left_open(interaction: Interaction) -> bool:
    """Say whether Discord shows "thinking…" after the work has ended, or is being told just now to do so."""
    acknowledgement = acknowledgement_of(interaction)
    return is_thinking(interaction) or (acknowledgement is not None and acknowledgement.is_under_way)


def _unanswered(interaction: Interaction) -> Acknowledgement | None:
    """Return what can still acknowledge an interaction whose work has ended without telling Discord anything."""
    if interaction.response.is_done() or is_finished(interaction):
        return None
    return acknowledgement_of(interaction)


def command_of(interaction: Interaction) -> str:
    """Return the command's name, or what a component does: its custom id without the ids in it."""
    if interaction.command is not None:
        return interaction.command.qualified_name
    data: dict[str, Any] = dict(interaction.data or {})
    words = filter(_WORD.fullmatch, str(data.get("custom_id", "")).split(":"))
    return ":".join(words) or interaction.type.name
