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
    view.add_item(HaltButton("halt" if halt is None else "resume"))
    return view


@needs(Capability.MANAGE_SETTINGS)
class HaltButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"resends:(?P<action>halt|resume)"
):
    """Turns the switch, after a restart as before."""

    def __init__(self, action: str) -> None:
        label, emoji, style = _LABELS[action]
        super().__init__(discord.ui.Button(label=label, emoji=emoji, style=style, custom_id=f"resends:{action}"))
        self._action = action

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed."""
        return cls(match["action"])

    async def callback(self, interaction: Interaction) -> None:
        """Stop or resume, and say so to who pressed it."""
        await guarded(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        halts, actor = desk_of(interaction).halts, actor_of(interaction)
        if self._action == "halt":
            changed = await halts.halt(by=actor)
            title = "🛑 Resends are stopped" if changed else "🛑 Resends were stopped already"
            words = "Nothing is requested, approved or sent here until somebody presses *Resume resends*."
        else:
            changed = await halts.resume(by=actor)
            title = "▶️ Resends go on" if changed else "▶️ Resends were not stopped"
            words = "They can be asked for and approved again."
        await reply(interaction, card(title=title, description=words, colour=Tone.NEUTRAL))
