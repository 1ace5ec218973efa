"""The pages of an inventory and the controls under them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Self

import discord
from typing_extensions import override

from bot.domain.access import Capability
from bot.domain.errors import ControlUnknown, PageExpired
from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.snapshots import InventoryAnswer, Listing, Snapshot
from bot.languages import Message, t
from bot.ports import Explanations
from bot.ui.interaction.components import selected
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import InteractionSession
from bot.ui.inventory.controls import filter_inputs, item_options, refresh_label, sort_options, typed_filter
from bot.ui.inventory.details import inventory_csv, item_details
from bot.ui.inventory.page import inventory_page
from bot.ui.kit.layout import page_at
from bot.ui.pager import PAGE_ID, PageAction, PageSelect, load, log_failures, page_buttons, register_pages, show
from bot.worker import MANY_ITEMS, run_in_worker


async def _pages(session: InteractionSession, snapshot: Snapshot, index: int) -> tuple[discord.Embed, discord.ui.View]:
    services, answer = session.services, _inventory_of(snapshot)
    return shown_page(
        snapshot,
        await _listing(answer, snapshot.inventory_view),
        index,
        page_size=services.page_size,
        explanations=services.explanations,
        fresh_until=services.inventory.next_refresh(answer),
    )


register_pages(InventoryAnswer, _pages)


def shown_page(
    snapshot: Snapshot,
    listing: Listing,
    index: int,
    *,
    page_size: int,
    explanations: Explanations,
    fresh_until: datetime | None = None,
) -> tuple[discord.Embed, discord.ui.View]:
    """Return a page of a snapshot's listing, and the controls under it."""
    page = page_at(listing.shown, index, page_size)
    embed = inventory_page(
        listing, page, explanations=explanations, audience=snapshot.audience, fresh_until=fresh_until
    )
    view = page_buttons(snapshot.id, page.index, page.count)
    if page.items:
        view.add_item(ItemSelect(snapshot.id, item_options(listing, page.items)))
        view.add_item(SortSelect(snapshot.id, sort_options(listing, snapshot.current_view)))
    if listing.rows:
        view.add_item(InventoryButton(snapshot.id, "filter"))
        if snapshot.current_view.is_active:
            view.add_item(InventoryButton(snapshot.id, "clear"))
        view.add_item(InventoryButton(snapshot.id, "csv"))
    view.add_item(InventoryButton(snapshot.id, "refresh", index=page.index, label=refresh_label(fresh_until)))
    return embed, view


async def _listing(answer: InventoryAnswer, view: InventoryFilter | None) -> Listing:
    if answer.item_count < MANY_ITEMS:
        return Listing.of(answer, view)
    return await run_in_worker(Listing.of, answer, view)


def _inventory_of(snapshot: Snapshot) -> InventoryAnswer:
    if not isinstance(snapshot.answer, InventoryAnswer):
        raise PageExpired  # a forged custom id
    return snapshot.answer


async def _apply_view(
    session: InteractionSession, snapshot_id: str, change: Callable[[InventoryFilter], InventoryFilter]
) -> None:
    """Change the view of a snapshot and show its first page."""
    session.defer_if_slow(thinking=False)
    await show(session, await session.services.snapshots.apply_view(snapshot_id, change, by=session.actor), 0)


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class ItemSelect(PageSelect, template=PAGE_ID + ":item"):
    """Shows the details of an item of the page."""

    name, placeholder, menu_row = "item", Message("Details of an item…"), 1

    @override
    async def choose(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        position = selected(self.item)
        snapshot = await load(session, self._snapshot_id)
        listing = await _listing(_inventory_of(snapshot), None)
        item = listing.row(int(position)) if position.isdecimal() else None
        if item is None:
            raise PageExpired
        await session.reply(item_details(listing, item, audience=snapshot.audience))


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class SortSelect(PageSelect, template=PAGE_ID + ":sort"):
    """Sorts a snapshot, without asking its provider."""

    name, placeholder, menu_row = "sort", Message("Sort…"), 2

    @override
    async def choose(self, session: InteractionSession) -> None:
        value = selected(self.item)
        sort = next((sort for sort in Sort if sort.value == value), None)
        if sort is None:
            raise ControlUnknown
        await _apply_view(session, self._snapshot_id, lambda view: replace(view, sort=sort))


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class InventoryButton(
    PageAction,
    template=PAGE_ID + r":(?P<action>filter|clear|csv|refresh)(?::(?P<index>\d{1,5}))?",
):
    """Filters a snapshot, exports it as CSV, or refreshes it and stays on page ``index``."""

    labels: ClassVar[Mapping[str, Message]] = {
        "filter": Message("Filter", "button"),
        "clear": Message("Clear filter"),
        "csv": Message("CSV of all"),
        "refresh": Message("Refresh", "button"),
    }

    @override
    async def act(self, session: InteractionSession) -> None:
        work = {"refresh": self._refresh, "filter": self._open_form, "clear": self._clear, "csv": self._export}
        await work[self._action](session)

    async def _refresh(self, session: InteractionSession) -> None:
        """Look the inventory up again. If it is too soon for that, page and button say from when on."""
        session.defer_if_slow(thinking=False)
        snapshot = await session.services.snapshots.refresh(self._snapshot_id, by=session.actor)
        log_failures(session, snapshot)
        await show(session, snapshot, self._index)

    async def _open_form(self, session: InteractionSession) -> None:
        """Open the form if the user may use it. Only the database is asked: a modal has to be the first answer."""
        snapshot = await load(session, self._snapshot_id)
        currencies = _inventory_of(snapshot).currencies
        await session.open_modal(FilterModal(snapshot.id, snapshot.current_view, currencies))

    async def _clear(self, session: InteractionSession) -> None:
        await _apply_view(session, self._snapshot_id, lambda view: InventoryFilter(sort=view.sort))

    async def _export(self, session: InteractionSession) -> None:
        await session.defer()
        answer = _inventory_of(await load(session, self._snapshot_id))
        embed, file = await run_in_worker(inventory_csv, answer)
        await session.reply(embed, file=file)


@requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
class FilterModal(SkinDeskModal, template=PAGE_ID + ":filter"):
    """Asks which items to show; an empty form shows all of them."""

    def __init__(self, snapshot_id: str, view: InventoryFilter | None = None, currencies: Sequence[str] = ()) -> None:
        super().__init__(title=t("Filter items"), custom_id=f"page:{snapshot_id}:filter")
        self._snapshot_id = snapshot_id
        for label in filter_inputs(view or InventoryFilter(), currencies):
            self.add_item(label)

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(match["id"])

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Show the first page of the matching items."""
        await _apply_view(session, self._snapshot_id, lambda view: typed_filter(values, view.sort))
