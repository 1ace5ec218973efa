"""The interactions being worked on, so that every one of them is finished: by its work, by a stop, or by the watch."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord

from bot.observability.handling import Ending, Handling, Observer, begin
from bot.ui.acknowledging import Acknowledgement, acknowledgement_of
from bot.ui.interactions import Interaction, Unsent, is_finished, is_thinking, unsent_of

_log = logging.getLogger(__name__)

_WORD = re.compile(r"[a-z_]{1,11}")
"""A word of a custom id that names what a component does; the ids of pagers are longer, other ids are digits."""

ANSWERABLE_FOR = 14 * 60.0
"""Seconds in which an interaction can still be answered: Discord's token lives 15 minutes."""


class InFlight:
    """Knows each interaction from its first step until Discord shows its end."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._open: dict[asyncio.Task[object], Interaction] = {}
        self._handlings: dict[int, Handling] = {}
        self._left: dict[int, tuple[Interaction, float]] = {}

    def enter(self, interaction: Interaction) -> None:
        """Note that the current task works on the interaction until it ends."""
        task = asyncio.current_task()
        if task is None or interaction.id in self._handlings:
            return
        handling = Handling(
            interaction_id=interaction.id,
            command=command_of(interaction),
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            is_suggestion=interaction.type is discord.InteractionType.autocomplete,
        )
        begin(handling)
        self._handlings[interaction.id] = handling
        self._open[task] = interaction
        task.add_done_callback(self._leave)

    def handling_of(self, interaction: Interaction) -> Handling | None:
        """Return what is known of an interaction that is being worked on."""
        return self._handlings.get(interaction.id)

    @property
    def left_thinking(self) -> int:
        """How many interactions still show "thinking…" although the work on them has ended."""
        return len(self._left)

    def acknowledged(self, interaction_id: int) -> None:
        """Note that Discord has taken the first answer to an interaction."""
        handling = self._handlings.get(interaction_id)
        if handling is not None and handling.acknowledged_after is None:
            handling.acknowledged_after = handling.age

    async def drain(
        self,
        *,
        within: float,
        give_up: Callable[[Interaction], Awaitable[None]],
        again: Callable[[Interaction, Unsent], Awaitable[None]],
    ) -> None:
        """Leave the work ``within`` seconds; then cancel what is left and finish its interaction by ``give_up``.

        What Discord did not take before is given ``again``, for the last time.
        """
        if self._open:
            await asyncio.wait(self._open, timeout=within)
        late = [(interaction, unsent) for interaction, _ in self._left.values() if (unsent := unsent_of(interaction))]
        await asyncio.gather(
            self._cut_short(dict(self._open), give_up), *(again(*each) for each in late), return_exceptions=True
        )

    async def watch(
        self,
        *,
        longest: float,
        give_up: Callable[[Interaction], Awaitable[None]],
        again: Callable[[Interaction, Unsent], Awaitable[None]],
    ) -> None:
        """Finish what would stay open for ever; call it every few seconds.

        Work that takes more than ``longest`` seconds is cancelled and finished by ``give_up``; so is an interaction
        whose work has ended while Discord still shows "thinking…". An answer that Discord did not take is given
        ``again`` for as long as it takes answers to this interaction.
        """
        overdue = {
            task: interaction
            for task, interaction in self._open.items()
            if (handling := self._handlings.get(interaction.id)) is not None and handling.age > longest
        }
        for interaction in overdue.values():
            _log.error("interaction took too long command=%s", command_of(interaction))
        await self._cut_short(overdue, give_up)
        for interaction_id, (interaction, since) in tuple(self._left.items()):
            if not is_thinking(interaction):
                del self._left[interaction_id]
                continue
            unsent = unsent_of(interaction)
            if time.monotonic() - since > ANSWERABLE_FOR:
                _log.error("interaction left without an answer command=%s", command_of(interaction))
                del self._left[interaction_id]
                continue
            await (give_up(interaction) if unsent is None else again(interaction, unsent))
            if not is_thinking(interaction):
                _log.warning("interaction finished late command=%s", command_of(interaction))
                del self._left[interaction_id]

    async def _cut_short(
        self, tasks: dict[asyncio.Task[object], Interaction], give_up: Callable[[Interaction], Awaitable[None]]
    ) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # All at once: one that Discord does not answer keeps nobody else waiting.
        await asyncio.gather(*map(give_up, tasks.values()), return_exceptions=True)

    def _leave(self, task: asyncio.Task[object]) -> None:
        interaction = self._open.pop(task)
        handling = self._handlings.pop(interaction.id)
        handling.finished_after = handling.age
        if task.cancelled():
            handling.goes_wrong(Ending.INTERRUPTED, reason="cancelled")
        unanswered = _unanswered(interaction)
        if unanswered is not None:
            unanswered.begin()
        if unanswered is not None or is_thinking(interaction):
            self._left[interaction.id] = (interaction, time.monotonic())
        for observe in self._observers:
            observe(handling)


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
