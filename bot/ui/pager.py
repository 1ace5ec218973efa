"""Buttons and menus under pages, alive after a restart: all they need is in their custom id and the database."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.errors import PageExpired, ProviderError
from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.snapshots import InventoryAnswer, Listing, PageTooFresh, Snapshot
from bot.ports import Explanations
from bot.ui.interaction.error_handler import handle, log_failure
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.inventory.controls import filter_inputs, item_options, refresh_label, sort_options, typed_filter
from bot.ui.inventory.csv import HEADER, file_name, rows
from bot.ui.inventory.details import item_details
from bot.ui.inventory.page import inventory_page
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import card, clamped, page_count, page_of
from bot.ui.kit.text import count
from bot.ui.trades import trades_page, trades_page_count
from bot.worker import MANY_ITEMS, run_in_worker

# No symbols beside the words: so four buttons stand in one row of a phone.
_TURNS = {"first": "First", "previous": "Previous", "next": "Next", "last": "Last"}
_TOOLS = {"filter": "Filter", "clear": "Clear filter", "csv": "CSV of all", "refresh": "Refresh"}
_PAGES = r"page:(?P<pages>[A-Za-z0-9_-]{12})"

_AnyButton = discord.ui.Button[discord.ui.View]
_AnySelect = discord.ui.Select[discord.ui.View]
_AnyItem = discord.ui.Item[discord.ui.View]


async def page_with_controls(
    session: InteractionSession, snapshot: Snapshot, index: int
) -> tuple[discord.Embed, discord.ui.View | None]:
    """Return a page as it is now, with everything that can be done with it."""
    services, answer = session.services, snapshot.answer
    listing = fresh_until = None
    if isinstance(answer, InventoryAnswer):
        listing = await _listing(answer, snapshot.view)
        fresh_until = services.inventory.next_refresh(answer)
    return shown_page(
        snapshot,
        index,
        page_size=services.page_size,
        explanations=services.explanations,
        listing=listing,
        fresh_until=fresh_until,
    )


def log_failures(session: InteractionSession, snapshot: Snapshot) -> None:
    """Log each provider that failed for a new snapshot, by the reference that its page shows."""
    for part in _inventory(snapshot).answers:
        if part.failure is not None and part.reference is not None:
            log_failure(session, ProviderError(part.failure), part.reference)


async def _listing(answer: InventoryAnswer, view: InventoryFilter | None) -> Listing:
    if answer.item_count < MANY_ITEMS:
        return Listing.of(answer, view)
    return await run_in_worker(Listing.of, answer, view)


def _inventory(snapshot: Snapshot) -> InventoryAnswer:
    if not isinstance(snapshot.answer, InventoryAnswer):
        raise PageExpired  # no control of SkinDesk's leads here
    return snapshot.answer


def shown_page(
    snapshot: Snapshot,
    index: int,
    *,
    page_size: int,
    explanations: Explanations,
    listing: Listing | None = None,
    fresh_until: datetime | None = None,
) -> tuple[discord.Embed, discord.ui.View | None]:
    """Return a page with its buttons; of trades without any where there is nothing to turn.

    ``listing`` is that of an inventory where it has been made already, ``fresh_until`` when it can be read anew.
    """
    if not isinstance(snapshot.answer, InventoryAnswer):
        total = trades_page_count(snapshot.answer)
        shown = clamped(index, total)
        embed = trades_page(snapshot.answer, shown, audience=snapshot.audience, explanations=explanations)
        return embed, _buttons(snapshot.id, shown, total) if total > 1 else None
    listing = listing or Listing.of(snapshot.answer, snapshot.view)
    total = page_count(len(listing.shown), page_size)
    shown = clamped(index, total)
    embed = inventory_page(listing, shown, page_size=page_size, explanations=explanations, fresh_until=fresh_until)
    view = _buttons(snapshot.id, shown, total) if total > 1 else discord.ui.View(timeout=None)
    _add_controls(view, snapshot, listing, shown, page_size=page_size)
    view.add_item(InventoryButton(snapshot.id, "refresh", index=shown, label=refresh_label(fresh_until)))
    return embed, view


async def _show(session: InteractionSession, snapshot: Snapshot, index: int) -> None:
    """Put a page in the place of the one whose control was used."""
    await session.show(*await page_with_controls(session, snapshot, index))


def _buttons(snapshot_id: str, shown: int, total: int) -> discord.ui.View:
    targets = {"first": 0, "previous": shown - 1, "next": shown + 1, "last": total - 1}
    view = discord.ui.View(timeout=None)
    for action, target in targets.items():
        view.add_item(PageButton(snapshot_id, action, clamped(target, total), disabled=_is_idle(action, shown, total)))
    return view


def _is_idle(action: str, shown: int, total: int) -> bool:
    return shown == 0 if action in ("first", "previous") else shown == total - 1


def _add_controls(view: discord.ui.View, snapshot: Snapshot, listing: Listing, shown: int, *, page_size: int) -> None:
    positions = page_of(listing.shown, shown, page_size)
    if positions:
        view.add_item(ItemSelect(snapshot.id, item_options(listing, positions)))
        view.add_item(SortSelect(snapshot.id, sort_options(listing, snapshot.current_view)))
    if listing.rows:
        view.add_item(InventoryButton(snapshot.id, "filter"))
        if snapshot.current_view.is_active:
            view.add_item(InventoryButton(snapshot.id, "clear"))
        view.add_item(InventoryButton(snapshot.id, "csv"))


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY, Capability.TRADES_OWN, Capability.TRADES_ANY)
class PageButton(
    discord.ui.DynamicItem[_AnyButton],
    template=_PAGES + r":(?P<action>first|previous|next|last):(?P<index>\d{1,5})",
):
    """Shows page ``index`` of the snapshot ``snapshot_id``; ``action`` keeps the four ids of a message apart."""

    def __init__(self, snapshot_id: str, action: str, index: int, *, disabled: bool = False) -> None:
        super().__init__(
            discord.ui.Button(
                label=_TURNS[action],
                style=discord.ButtonStyle.secondary,
                disabled=disabled,
                custom_id=f"page:{snapshot_id}:{action}:{index}",
                row=0,
            )
        )
        self._pages_id = snapshot_id
        self._index = index

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the button that was pressed."""
        return cls(match["pages"], match["action"], int(match["index"]))

    async def callback(self, interaction: Interaction) -> None:
        """Turn the page, or say why not."""
        await handle(interaction, self._turn)

    async def _turn(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        snapshot = await session.services.snapshots.load(self._pages_id, by=session.actor)
        await _show(session, snapshot, self._index)


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class ItemSelect(discord.ui.DynamicItem[_AnySelect], template=_PAGES + ":item"):
    """Opens the details of an item of the page."""

    def __init__(self, snapshot_id: str, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder="Details of an item…", options=options or [], custom_id=f"page:{snapshot_id}:item", row=1
            )
        )
        self._pages_id = snapshot_id

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the menu that was used."""
        return cls(match["pages"])

    async def callback(self, interaction: Interaction) -> None:
        """Show the item beside the page."""
        await handle(interaction, self._open)

    async def _open(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        position = self.item.values[0]
        snapshot = await session.services.snapshots.load(self._pages_id, by=session.actor)
        listing = await _listing(_inventory(snapshot), None)
        item = listing.row(int(position)) if position.isdecimal() else None
        if item is None:
            raise PageExpired
        await session.reply(item_details(listing, item))


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class SortSelect(discord.ui.DynamicItem[_AnySelect], template=_PAGES + ":sort"):
    """Sorts the snapshot; no provider is asked."""

    def __init__(self, snapshot_id: str, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__(
            discord.ui.Select(placeholder="Sort…", options=options or [], custom_id=f"page:{snapshot_id}:sort", row=2)
        )
        self._pages_id = snapshot_id

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the menu that was used."""
        return cls(match["pages"])

    async def callback(self, interaction: Interaction) -> None:
        """Show the first page in the new order."""
        await handle(interaction, self._sort)

    async def _sort(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        sort = Sort(self.item.values[0])
        service, actor = session.services.snapshots, session.actor
        snapshot = await service.load(self._pages_id, by=actor)
        await _show(
            session, await service.apply_view(snapshot.id, replace(snapshot.current_view, sort=sort), by=actor), 0
        )


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class InventoryButton(
    discord.ui.DynamicItem[_AnyButton],
    template=_PAGES + r":(?P<action>filter|clear|csv|refresh)(?::(?P<index>\d{1,5}))?",
):
    """Narrows what is shown, hands out a table, or reads the inventory anew and stays on page ``index``."""

    def __init__(self, snapshot_id: str, action: str, *, index: int | None = None, label: str | None = None) -> None:
        where = "" if index is None else f":{index}"
        super().__init__(
            discord.ui.Button(
                label=label or _TOOLS[action],
                style=discord.ButtonStyle.secondary,
                custom_id=f"page:{snapshot_id}:{action}{where}",
                row=3,
            )
        )
        self._pages_id = snapshot_id
        self._action = action
        self._index = index or 0

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction, _item: _AnyItem, match: re.Match[str], /) -> Self:
        """Rebuild the button that was pressed."""
        return cls(match["pages"], match["action"], index=None if match["index"] is None else int(match["index"]))

    async def callback(self, interaction: Interaction) -> None:
        """Do what the label says."""
        await handle(interaction, self._use)

    async def _use(self, session: InteractionSession) -> None:
        work = {"refresh": self._refresh, "filter": self._ask, "clear": self._clear, "csv": self._hand_out}
        await work[self._action](session)

    async def _refresh(self, session: InteractionSession) -> None:
        """Look the inventory up again; if it is too soon for that, the button says so from then on."""
        session.defer_if_slow(thinking=False)
        try:
            snapshot = await session.services.snapshots.refresh(self._pages_id, by=session.actor)
        except PageTooFresh as error:
            await _show(session, error.snapshot, self._index)
            raise
        log_failures(session, snapshot)
        await _show(session, snapshot, self._index)

    async def _ask(self, session: InteractionSession) -> None:
        """Open the form only for those who may use it. The check reads the database alone: a modal cannot wait."""
        snapshot = await session.services.snapshots.load(self._pages_id, by=session.actor)
        _inventory(snapshot)
        await session.open_modal(FilterModal(snapshot.id, snapshot.current_view))

    async def _clear(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        service, actor = session.services.snapshots, session.actor
        snapshot = await service.load(self._pages_id, by=actor)
        cleared = InventoryFilter(sort=snapshot.current_view.sort)
        await _show(session, await service.apply_view(snapshot.id, cleared, by=actor), 0)

    async def _hand_out(self, session: InteractionSession) -> None:
        await session.defer()
        snapshot = await session.services.snapshots.load(self._pages_id, by=session.actor)
        answer = _inventory(snapshot)
        file = await run_in_worker(csv_file, file_name(answer), HEADER, rows(answer))
        embed = card(
            title="📄 The whole inventory as a table",
            description=f"{count(answer.item_count, 'item')}, whatever filter is set. An offer is for one piece.",
        )
        await session.reply(embed, file=file)


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class FilterModal(SkinDeskModal, template=_PAGES + ":filter"):
    """Asks which items to show; empty, it shows all of them."""

    def __init__(self, snapshot_id: str, chosen: InventoryFilter | None = None) -> None:
        super().__init__(title="Filter items", custom_id=f"page:{snapshot_id}:filter")
        self._pages_id = snapshot_id
        for label in filter_inputs(chosen or InventoryFilter()):
            self.add_item(label)

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the modal that was sent in."""
        return cls(match["pages"])

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Show the first page of what matches."""
        session.defer_if_slow(thinking=False)
        service, actor = session.services.snapshots, session.actor
        snapshot = await service.load(self._pages_id, by=actor)
        filtered = typed_filter(values, snapshot.current_view.sort)
        await _show(session, await service.apply_view(snapshot.id, filtered, by=actor), 0)
