"""The kill switch under ``/approvals``: stop all resends of the server, or let them go on."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.resends import ResendPause
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card

_LABELS = {
    "pause": ("Stop resends", "🛑", discord.ButtonStyle.danger),
    "resume": ("Resume resends", "▶️", discord.ButtonStyle.secondary),
}


def pause_view(pause: ResendPause | None) -> discord.ui.View:
    """Return the switch as it can be turned now."""
    view = discord.ui.View(timeout=None)
    view.add_item(PauseButton("pause") if pause is None else PauseButton("resume", pause.number))
    return view


@requires(Capability.MANAGE_SETTINGS)
class PauseButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"resends:(?P<action>pause|resume)(?::(?P<number>\d{1,15}))?",
):
    """Turns the switch, after a restart as before. *Resume* ends the stop that it was shown with and no other."""

    def __init__(self, action: str, number: int | None = None) -> None:
        label, emoji, style = _LABELS[action]
        custom_id = f"resends:{action}" if number is None else f"resends:{action}:{number}"
        super().__init__(discord.ui.Button(label=label, emoji=emoji, style=style, custom_id=custom_id))
        self._action = action
        self._number = number

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed."""
        return cls(match["action"], int(match["number"]) if match["number"] else None)

    async def callback(self, interaction: Interaction) -> None:
        """Stop or resume, and say so to who pressed it."""
        await handle(interaction, self._turn)

    async def _turn(self, session: InteractionSession) -> None:
        await session.defer()
        resends, actor = session.services.resends, session.actor
        if self._action == "pause":
            changed = await resends.pause(by=actor)
            title = "🛑 Resends are stopped" if changed else "🛑 Resends were stopped already"
            words = (
                "Nothing is asked for, approved or sent here until somebody presses *Resume resends* in `/approvals`."
            )
        else:
            changed = await resends.resume(self._number, by=actor)
            title = "▶️ Resends go on" if changed else "▶️ Resends were not stopped"
            words = "They can be asked for and approved again."
        await session.reply(card(title=title, description=words, colour=Tone.NEUTRAL))
