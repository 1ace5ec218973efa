"""Buttons that turn pages, alive after a restart: all they need is in their custom id and the database."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.pages import InventoryAnswer, Pages
from bot.ports import Explanations
from bot.ui.funnel import guarded
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.inventory_page import inventory_page, inventory_page_count
from bot.ui.paging import clamped
from bot.ui.rights import needs
from bot.ui.trades_page import trades_page, trades_page_count

_BUTTONS = (("first", "First", "⏮️"), ("previous", "Previous", "◀️"), ("next", "Next", "▶️"), ("last", "Last", "⏭️"))


@needs(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY, Capability.TRADES_OWN, Capability.TRADES_ANY)
class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"page:(?P<pages>[A-Za-z0-9_-]{12}):(?P<action>first|previous|next|last):(?P<index>\d{1,5})",
):
    """Shows page ``index`` of the snapshot ``pages_id``; ``action`` keeps the four ids of a message apart."""

    def __init__(self, pages_id: str, action: str, index: int, *, disabled: bool = False) -> None:
        label, emoji = next((label, emoji) for word, label, emoji in _BUTTONS if word == action)
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=emoji,
                style=discord.ButtonStyle.secondary,
                disabled=disabled,
                custom_id=f"page:{pages_id}:{action}:{index}",
            )
        )
        self._pages_id = pages_id
        self._index = index

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed."""
        return cls(match["pages"], match["action"], int(match["index"]))

    async def callback(self, interaction: Interaction) -> None:
        """Turn the page, or say why not."""
        await guarded(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        desk = desk_of(interaction)
        pages = await desk.pages.turn(self._pages_id, by=actor_of(interaction))
        embed, view = shown_page(pages, self._index, page_size=desk.page_size, explanations=desk.explanations)
        await interaction.edit_original_response(embed=embed, view=view)


def shown_page(
    pages: Pages, index: int, *, page_size: int, explanations: Explanations
) -> tuple[discord.Embed, discord.ui.View | None]:
    """Return a page with its buttons; without any where there is nothing to turn."""
    if isinstance(pages.answer, InventoryAnswer):
        total = inventory_page_count(pages.answer, page_size=page_size)
        shown = clamped(index, total)
        embed = inventory_page(pages.answer, shown, page_size=page_size, explanations=explanations)
    else:
        total = trades_page_count(pages.answer)
        shown = clamped(index, total)
        embed = trades_page(pages.answer, shown, audience=pages.audience, explanations=explanations)
    return embed, _buttons(pages.id, shown, total) if total > 1 else None


def _buttons(pages_id: str, shown: int, total: int) -> discord.ui.View:
    targets = {"first": 0, "previous": shown - 1, "next": shown + 1, "last": total - 1}
    view = discord.ui.View(timeout=None)
    for action, target in targets.items():
        view.add_item(PageButton(pages_id, action, clamped(target, total), disabled=_is_idle(action, shown, total)))
    return view


def _is_idle(action: str, shown: int, total: int) -> bool:
    return shown == 0 if action in ("first", "previous") else shown == total - 1
