"""The kill switch under ``/approvals``: stop all resends of the server, or let them go on."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.halts import Halt
from bot.ui.funnel import guarded, reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Tone, card
from bot.ui.rights import needs

_LABELS = {
    "halt": ("Stop resends", "🛑", discord.ButtonStyle.danger),
    "resume": ("Resume resends", "▶️", discord.ButtonStyle.secondary),
}


def halt_view(halt: Halt | None) -> discord.ui.View:
    """Return the switch as it can be turned now."""
    view = discord.ui.View(timeout=None)
    view.add_item(HaltButton("halt") if halt is None else HaltButton("resume", halt.number))
    return view


@needs(Capability.MANAGE_SETTINGS)
class HaltButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"resends:(?P<action>halt|resume)(?::(?P<number>\d{1,15}))?",
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
        await guarded(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        halts, actor = desk_of(interaction).halts, actor_of(interaction)
        if self._action == "halt":
            changed = await halts.halt(by=actor)
            title = "🛑 Resends are stopped" if changed else "🛑 Resends were stopped already"
            words = (
                "Nothing is asked for, approved or sent here until somebody presses *Resume resends* in `/approvals`."
            )
        else:
            changed = await halts.resume(self._number, by=actor)
            title = "▶️ Resends go on" if changed else "▶️ Resends were not stopped"
            words = "They can be asked for and approved again."
        await reply(interaction, card(title=title, description=words, colour=Tone.NEUTRAL))
