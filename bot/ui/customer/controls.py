"""The controls under the page about a customer; the customer is in their custom ids, so they outlive a restart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import discord

from bot.domain.access import Capability
from bot.domain.customers import Customer, CustomerKey, NoteList
from bot.domain.errors import ControlUnknown, InvalidInput
from bot.domain.notes import MAX_NOTE
from bot.domain.pasted import LONGEST
from bot.domain.snapshots import Audience
from bot.domain.steam import SteamId
from bot.domain.trade_url import parse_trade_url
from bot.languages import Message, t
from bot.services.customers import CustomerRequest
from bot.services.inventory import InventoryRequest
from bot.ui.customer.page import customer_page, note_options, notes_page
from bot.ui.interaction.components import offered, selected
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.pager import log_failures, log_parts, page_with_controls
from bot.ui.resends.ask import AskToResendButton

_KEY = r"customer:(?P<user>[1-8]?\d{1,18}):(?P<steam>\d{1,17})"
"""A customer in a custom id; 0 for what they have not."""

# Without symbols, three buttons fit in one row on a phone.
_LABELS = {
    "trades": Message("Trades"),
    "inventory": Message("Inventory"),
    # Translators: a button that reads the page again.
    "refresh": Message("Refresh", "button"),
    "note": Message("Add a note"),
    "notes": Message("All notes"),
}
_ROWS = {"note": 1, "notes": 1}


def custom_id(key: CustomerKey, *action: str) -> str:
    """Return the custom id of a control about a customer."""
    return ":".join(["customer", str(key.user_id or 0), str(key.steam_id or 0), *action])


def key_in(match: re.Match[str]) -> CustomerKey:
    """Return the customer in a custom id; a forged one is a member whom no one has seen."""
    user_id, steam = int(match["user"]), int(match["steam"])
    if not SteamId.is_possible(steam):
        return CustomerKey(user_id)
    return CustomerKey(user_id or None, SteamId(steam))


def shown_customer(session: InteractionSession, customer: Customer) -> tuple[discord.Embed, discord.ui.View]:
    """Return the page about a customer with its controls, and log which providers failed."""
    if customer.answer is not None:
        log_parts(session, customer.answer.parts, audience=Audience.STAFF)
    services, key = session.services, customer.key
    embed = customer_page(customer, reader_id=session.actor.user_id, explanations=services.explanations)
    actions = ["trades"] if key.steam_id is not None else []
    actions += ["inventory", "refresh", "note", *(["notes"] if customer.notes.notes else [])]
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(CustomerButton(key, action))
    if (trade := customer.newest_resendable) is not None:
        ask = AskToResendButton(trade.id)
        ask.row = 2
        view.add_item(ask)
    return embed, view


@requires(Capability.TRADES_ANY)
class CustomerButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=_KEY + r":(?P<action>trades|inventory|refresh|note|notes)",
):
    """Opens a part of what staff see of the customer in its custom id."""

    def __init__(self, key: CustomerKey, action: str) -> None:
        super().__init__(
            discord.ui.Button(label=_LABELS[action](), custom_id=custom_id(key, action), row=_ROWS.get(action, 0))
        )
        self._key = key
        self._action = action

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(key_in(match), match["action"])

    async def callback(self, interaction: Interaction) -> None:
        """Do what the label says."""
        work = {
            "trades": self._show_trades,
            "inventory": self._ask_for_trade_url,
            "refresh": self._refresh,
            "note": self._write,
            "notes": self._show_notes,
        }
        await handle(interaction, work[self._action])

    async def _show_trades(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        request = await session.services.customers.trades_of(self._key, by=session.actor)
        snapshot = await session.services.snapshots.list_trades(request, by=session.actor)
        log_failures(session, snapshot)
        embed, view = await page_with_controls(session, snapshot, 0)
        await session.reply(embed, view=view)

    async def _ask_for_trade_url(self, session: InteractionSession) -> None:
        """Open the form if the user may look. Only the database is asked: a modal has to be the first answer."""
        await session.services.customers.check_inventory(by=session.actor)
        await session.open_modal(TradeUrlModal(self._key))

    async def _refresh(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        customer = await session.services.customers.show(CustomerRequest.of(self._key), by=session.actor)
        await session.show(*shown_customer(session, customer))

    async def _write(self, session: InteractionSession) -> None:
        await session.services.customers.check(by=session.actor)
        await session.open_modal(NoteModal(self._key))

    async def _show_notes(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        shown = await session.services.customers.notes(self._key, by=session.actor)
        embed, view = _notes_with_menu(session, shown)
        await session.reply(embed, view=view)


def _notes_with_menu(session: InteractionSession, shown: NoteList) -> tuple[discord.Embed, discord.ui.View]:
    """Return all notes, and the menu that removes the reader's own."""
    view = discord.ui.View(timeout=None)
    if options := note_options(shown):
        view.add_item(NoteSelect(shown.key, options))
    view.add_item(CustomerButton(shown.key, "note"))
    return notes_page(shown, reader_id=session.actor.user_id), view


@requires(Capability.TRADES_ANY)
class NoteSelect(discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=_KEY + ":remove"):
    """Removes a note on the customer in its custom id."""

    def __init__(self, key: CustomerKey, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder=t("Remove a note…"), options=options or [], custom_id=custom_id(key, "remove"), row=0
            )
        )
        self._key = key

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the used menu with the options of its message."""
        return cls(key_in(match), offered(item))

    async def callback(self, interaction: Interaction) -> None:
        """Remove the note and show the others."""
        await handle(interaction, self._remove)

    async def _remove(self, session: InteractionSession) -> None:
        await session.defer(thinking=False)
        number = selected(self.item)
        if not (number.isascii() and number.isdigit()):
            raise ControlUnknown
        shown = await session.services.customers.remove_note(self._key, int(number), by=session.actor)
        await session.show(*_notes_with_menu(session, shown))


@requires(Capability.TRADES_ANY)
class NoteModal(SkinDeskModal, template=_KEY + ":note:text"):
    """Asks for a note on a customer."""

    def __init__(self, key: CustomerKey) -> None:
        super().__init__(title=t("Note on this customer"), custom_id=custom_id(key, "note", "text"))
        self._key = key
        box: discord.ui.TextInput[Any] = discord.ui.TextInput(
            label=t("Note for your colleagues"),
            custom_id="text",
            style=discord.TextStyle.paragraph,
            placeholder=t("Write only what the customer may read: /mydata export has it."),
            max_length=MAX_NOTE,
        )
        self.add_item(box)

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(key_in(match))

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Store the note and show all of them."""
        await session.defer()
        text = values.get("text", "")
        shown = await session.services.customers.add_note(self._key, text, by=session.actor)
        embed, view = _notes_with_menu(session, shown)
        await session.reply(embed, view=view)


@requires(Capability.TRADES_ANY)
class TradeUrlModal(SkinDeskModal, template=_KEY + ":inventory:url"):
    """Asks for the customer's trade URL, without which no provider prices an inventory."""

    def __init__(self, key: CustomerKey) -> None:
        super().__init__(title=t("Inventory of this customer"), custom_id=custom_id(key, "inventory", "url"))
        self._key = key
        box: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="tradeurl", max_length=LONGEST // 2, placeholder="https://steamcommunity.com/tradeoffer/new/?…"
        )
        self.add_item(
            discord.ui.Label(
                text=t("Their trade URL"),
                description=t("Not stored. They find it at: steamcommunity.com/my/tradeoffers/privacy"),
                component=box,
            )
        )

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(key_in(match))

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Look the inventory up; InvalidInput if the trade URL is another account's."""
        session.defer_if_slow()
        services = session.services
        await services.customers.check_inventory(by=session.actor)
        typed = values.get("tradeurl", "")
        if self._key.steam_id not in (None, parse_trade_url(typed).steam_id):
            raise InvalidInput("tradeurl", "other_account")
        snapshot = await services.snapshots.look_up(InventoryRequest(trade_url=typed), by=session.actor)
        log_failures(session, snapshot)
        embed, view = await page_with_controls(session, snapshot, 0)
        await session.reply(embed, view=view)
