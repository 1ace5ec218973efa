"""Acknowledges an interaction in time: by its answer where that is quick, by "thinking…" where it is not.

Discord waits three seconds for a first answer. One that needs no provider is there after milliseconds; given as the
first answer it saves whoever waits a second way to Discord and back. This is for what only reads: what changes
something defers before it begins, so that nothing is done for somebody who is told that it failed; and so does what
hands out a file, because an upload can take longer than Discord waits.
"""

import asyncio
import logging

from bot.ui.interaction.discord_errors import may_have_got_there
from bot.ui.interaction.interactions import Interaction, unconfirmed

_log = logging.getLogger(__name__)

QUICK = 0.03
"""Seconds in which an answer has to be there to be the first one: nobody notices how long that is."""

_KEPT = "acknowledgement"


class Acknowledgement:
    """Sees to it that Discord hears of an interaction: soon by its answer, or that there will be one."""

    def __init__(self, interaction: Interaction, *, thinking: bool) -> None:
        self._interaction = interaction
        self._thinking = thinking
        self._timer = asyncio.get_running_loop().call_later(QUICK, self.begin)
        self._deferring: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Have Discord told now, without waiting for it."""
        self._timer.cancel()
        if self._deferring is None and not self._interaction.response.is_done():
            self._deferring = asyncio.create_task(self._defer_or_log())

    @property
    def is_under_way(self) -> bool:
        """Whether Discord is being told, and has not answered yet."""
        return self._deferring is not None and not self._deferring.done()

    async def settled(self) -> None:
        """Return once nothing but an answer is told to Discord any more: tell it nothing, or wait until it was told."""
        self._timer.cancel()
        if self._deferring is not None:
            await asyncio.shield(self._deferring)

    async def defer(self) -> None:
        """Tell Discord that there will be an answer; the errors are discord.py's, and doubt is noted."""
        try:
            await self._interaction.response.defer(ephemeral=self._thinking, thinking=self._thinking)
        except Exception as error:
            if may_have_got_there(error):
                unconfirmed(self._interaction, thinking=self._thinking)
            raise

    async def _defer_or_log(self) -> None:
        try:
            await self.defer()
        except Exception as error:  # noqa: BLE001 -- the answer meets the same, and there it is handled
            _log.info("acknowledgement failed error=%s", type(error).__name__)


def acknowledge_in_time(interaction: Interaction, *, thinking: bool = True) -> None:
    """Have a command acknowledged by its ephemeral answer, or, where that takes longer, by "thinking…".

    Without ``thinking`` it is a component, whose message stays as it is until the answer takes its place.
    """
    interaction.extras[_KEPT] = Acknowledgement(interaction, thinking=thinking)


def acknowledgement_of(interaction: Interaction) -> Acknowledgement | None:
    """Return what sees to an interaction's acknowledgement; None where it deferred before anything else."""
    kept: Acknowledgement | None = interaction.extras.get(_KEPT)
    return kept
