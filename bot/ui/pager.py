"""Pages and the buttons to turn them. They work after a restart: their state is in custom ids and snapshots."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import ClassVar, Self

import discord

from bot.domain.access import Capability
from bot.domain.errors import ProviderError
from bot.domain.snapshots import Audience, InventoryAnswer, ProviderAnswer, Snapshot, TradesAnswer, TradesPart
from bot.languages import Message
from bot.ui.interaction.components import offered
from bot.ui.interaction.error_handler import handle, log_failure, remember
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession

# Without symbols, four buttons fit in one row on a phone.
_LABELS = {
    "first": Message("First", "page"),
    "previous": Message("Previous", "page"),
    "next": Message("Next", "page"),
    "last": Message("Last", "page"),
}
PAGE_ID = r"page:(?P<id>[A-Za-z0-9_-]{12})"
"""The beginning of the custom ids of a page's controls."""

_AnyButton = discord.ui.Button[discord.ui.View]
_AnySelect = discord.ui.Select[discord.ui.View]
_AnyItem = discord.ui.Item[discord.ui.View]

ShownPage = tuple[discord.Embed, discord.ui.View | None]
_Pages = Callable[[InteractionSession, Snapshot, int], Awaitable[ShownPage]]
_PAGES: dict[type[InventoryAnswer | TradesAnswer], _Pages] = {}


def register_pages(kind: type[InventoryAnswer | TradesAnswer], pages: _Pages) -> None:
    """Set what shows the pages of a kind of answer."""
    _PAGES[kind] = pages


async def page_with_controls(session: InteractionSession, snapshot: Snapshot, index: int) -> ShownPage:
    """Return a page of a snapshot as it is now, and the controls under it."""
    return await _PAGES[type(snapshot.answer)](session, snapshot, index)


def log_failures(session: InteractionSession, snapshot: Snapshot) -> None:
    """Log each provider that failed for a new snapshot, by the reference that its page shows."""
    answer = snapshot.answer
    parts = answer.answers if isinstance(answer, InventoryAnswer) else answer.parts
    log_parts(session, parts, audience=snapshot.audience)


def log_parts(session: InteractionSession, parts: Iterable[ProviderAnswer | TradesPart], *, audience: Audience) -> None:
    """Log each provider that failed, by the reference that the answer shows."""
    for part in parts:
        if part.failure is not None and part.reference is not None:
            error = ProviderError(part.failure)
            log_failure(session, error, part.reference)
            remember(session, error, part.reference, audience=audience)


def page_buttons(snapshot_id: str, shown: int, total: int) -> discord.ui.View:
    """Return the buttons to other pages; none if there is one page only."""
    view = discord.ui.View(timeout=None)
    if total > 1:
        last = total - 1
        targets = {"first": 0, "previous": max(shown - 1, 0), "next": min(shown + 1, last), "last": last}
        for action, page in targets.items():
            view.add_item(PageButton(snapshot_id, action, page, disabled=page == shown))
    return view


async def load(session: InteractionSession, snapshot_id: str) -> Snapshot:
    """Return a snapshot to its reader."""
    return await session.services.snapshots.load(snapshot_id, by=session.actor)


async def show(session: InteractionSession, snapshot: Snapshot, index: int) -> None:
    """Show a page in place of the message whose control was used."""
    await session.show(*await page_with_controls(session, snapshot, index))


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY, Capability.TRADES_OWN, Capability.TRADES_ANY)
class PageButton(
    discord.ui.DynamicItem[_AnyButton],
    template=PAGE_ID + r":(?P<action>first|previous|next|last):(?P<index>\d{1,5})",
):
    """Shows page ``index`` of a snapshot; ``action`` makes the four custom ids of a message differ."""

    def __init__(self, snapshot_id: str, action: str, index: int, *, disabled: bool = False) -> None:
        super().__init__(
            discord.ui.Button(
                label=str(_LABELS[action]),
                style=discord.ButtonStyle.secondary,
                disabled=disabled,
                custom_id=f"page:{snapshot_id}:{action}:{index}",
                row=0,
            )
        )
        self._snapshot_id = snapshot_id
        self._index = index

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the pressed button."""
        return cls(match["id"], match["action"], int(match["index"]))

    async def callback(self, interaction: Interaction) -> None:
        """Show the page."""
        await handle(interaction, self._show_page)

    async def _show_page(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        await show(session, await load(session, self._snapshot_id), self._index)


class PageAction(discord.ui.DynamicItem[_AnyButton], template=PAGE_ID):
    """A button under a page, which may stay on page ``index``. Each kind declares what it requires and defines ``act``.

    ``prefix`` begins its actions in custom ids.
    """

    labels: ClassVar[Mapping[str, Message | str]]
    prefix: ClassVar[str] = ""

    def __init__(self, snapshot_id: str, action: str, *, index: int | None = None, label: str | None = None) -> None:
        super().__init__(
            discord.ui.Button(
                label=label or str(self.labels[action]),
                custom_id=f"page:{snapshot_id}:{self.prefix}{action}" + ("" if index is None else f":{index}"),
                row=3,
            )
        )
        self._snapshot_id = snapshot_id
        self._action = action
        self._index = index or 0

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the pressed button."""
        return cls(match["id"], match["action"], index=None if match["index"] is None else int(match["index"]))

    async def callback(self, interaction: Interaction) -> None:
        """Do what the label says."""
        await handle(interaction, self.act)

    async def act(self, session: InteractionSession) -> None:
        """Do what the label says."""
        raise NotImplementedError


class PageSelect(discord.ui.DynamicItem[_AnySelect], template=PAGE_ID):
    """A menu under a page. Each kind of it declares what it requires, and defines ``choose``."""

    name: ClassVar[str]
    placeholder: ClassVar[Message | str]
    menu_row: ClassVar[int]

    def __init__(self, snapshot_id: str, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder=str(self.placeholder),
                options=options or [],
                custom_id=f"page:{snapshot_id}:{self.name}",
                row=self.menu_row,
            )
        )
        self._snapshot_id = snapshot_id

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the used menu with the options of its message."""
        return cls(match["id"], offered(item))

    async def callback(self, interaction: Interaction) -> None:
        """Show the choice."""
        await handle(interaction, self.choose)

    async def choose(self, session: InteractionSession) -> None:
        """Show the choice."""
        raise NotImplementedError
