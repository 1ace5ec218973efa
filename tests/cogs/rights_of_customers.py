"""The rows of /customer and of everything under it: no right to own data opens any of it."""

from collections.abc import Callable
from typing import Any

import discord
import simcord

from bot.domain.access import Capability
from bot.domain.customers import CustomerKey
from bot.ui.customer.controls import CustomerButton, NoteSelect
from tests.cogs.rights_stage import NEVER_WAS, Case, Stage, Whose

_NEEDS_INVENTORY: dict[str, Any] = {"also": (Capability.INVENTORY_ANY,), "barred": "(`inventory.any`)."}


def customer_of(stage: Stage) -> CustomerKey:
    return CustomerKey(stage.neighbour.id, stage.foreign.steam_id)


async def page_about(stage: Stage, _: Any) -> str:
    return await stage.slash("customer", member=stage.neighbour)


async def page_about_oneself(stage: Stage, _: Any) -> str:
    return await stage.slash("customer", steam_id=str(stage.own.steam_id))


def presses(action: str, shows: str) -> tuple[Case, ...]:
    """Return the row of a button: about another member, and about oneself."""

    async def about_another(stage: Stage, _: Any) -> str:
        return await stage.press(CustomerButton(customer_of(stage), action))

    async def about_oneself(stage: Stage, _: Any) -> str:
        return await stage.press(CustomerButton(CustomerKey(stage.subject.id, stage.own.steam_id), action))

    more = _NEEDS_INVENTORY if action == "inventory" else {}
    return (Case(about_another, shows, Whose.FOREIGN, **more), Case(about_oneself, shows, **more))


def removes_note(*, own: bool) -> Case:
    async def prepare(stage: Stage) -> int:
        author = stage.actor(Capability.TRADES_ANY, who=None if own else stage.neighbour)
        notes = await stage.scene.client.services.customers.add_note(customer_of(stage), "polite", by=author)
        return notes.notes[0].id

    async def do(stage: Stage, number: int) -> str:
        menu = NoteSelect(customer_of(stage), [discord.SelectOption(label="one", value=str(number))])
        return await stage.choose(menu, str(number))

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, NEVER_WAS)

    needed = () if own else (Capability.MANAGE_ACCESS,)
    return Case(do, "Notes on this customer", Whose.FOREIGN, prepare, None if own else missing, also=needed)


def sends(action: str, value: Callable[[Stage], str], shows: str) -> Case:
    """Return the case of a form."""

    async def prepare(stage: Stage) -> simcord.InteractionResult:
        customers, everything = stage.scene.client.services.customers, stage.actor(*Capability)
        for note in (await customers.notes(customer_of(stage), by=everything)).notes:  # so that there is room
            await customers.remove_note(customer_of(stage), note.id, by=everything)
        button = CustomerButton(customer_of(stage), action)
        return await stage.subject.click(await stage.message_with(button), custom_id=button.custom_id)

    async def do(stage: Stage, shown: simcord.InteractionResult) -> str:
        return await stage.submit(shown, value(stage))

    more = _NEEDS_INVENTORY if action == "inventory" else {}
    return Case(do, shows, Whose.FOREIGN, prepare, fleeting=True, **more)


ROWS: dict[str, tuple[Case, ...]] = {
    "customer": (Case(page_about, "To copy", Whose.FOREIGN), Case(page_about_oneself, "To copy")),
    "CustomerButton:trades": presses("trades", "Page 1 of"),
    "CustomerButton:inventory": presses("inventory", "Inventory of this customer"),
    "CustomerButton:refresh": presses("refresh", "To copy"),
    "CustomerButton:note": presses("note", "Note on this customer"),
    "CustomerButton:notes": presses("notes", "Notes on this customer"),
    "NoteSelect": (removes_note(own=True), removes_note(own=False)),
    "NoteModal": (sends("note", lambda _: "polite", "Notes on this customer"),),
    "TradeUrlModal": (sends("inventory", lambda stage: stage.foreign.trade_url, "Page 1 of"),),
}
