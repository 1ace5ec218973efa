"""A row for every entry point: its cases with own data and with others' data.

A command's row is named as the command is used, suggestions ``<command>:<option>``, a component by its class and, if
its custom id has an ``action``, ``<class>:<action>``, a modal by its class. The table takes the required capabilities
from the declarations.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import discord
import simcord

from bot.domain.access import Capability
from bot.services.my_data import WITHIN
from bot.ui.access import RevokeDeletedButton
from bot.ui.confirm import ASKED_FOR, ConfirmButton, SignInButton
from bot.ui.interaction.error_handler import CopyButton
from bot.ui.inventory_pages import InventoryButton, ItemSelect, SortSelect
from bot.ui.meanings import MeaningSelect
from bot.ui.pager import PageButton
from tests.cogs.rights_of_customers import ROWS as CUSTOMER_ROWS
from tests.cogs.rights_resends import asks, decides, denies, pauses, sends_reason, suggests, turns, withdraws
from tests.cogs.rights_stage import NEVER_WAS, Case, Stage, Whose
from tests.cogs.rights_trades import ROWS as TRADES_ROWS
from tests.cogs.rights_watches import stops, watches

_INVENTORY = (Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
_TRADES = (Capability.TRADES_OWN, Capability.TRADES_ANY)
_NO_PAGES = "AAAAAAAAAAAA"


def uses(command: str, shows: str, **options: Any) -> tuple[Case, ...]:
    """Return the row of a command that is about nobody's things in particular."""

    async def do(stage: Stage, _: Any) -> str:
        given = {name: value(stage) if callable(value) else value for name, value in options.items()}
        return await stage.slash(command, **given)

    return (Case(do, shows),)


def now_and_then(command: str, shows: str) -> tuple[Case, ...]:
    """Return the row of a command that a member may use only so many times within a while."""

    async def do(stage: Stage, _: Any) -> str:
        said = await stage.slash(command)
        if "Too many times in a row" not in said:
            return said
        await stage.scene.env.advance_time(WITHIN.total_seconds())
        return await stage.slash(command)

    return (Case(do, shows),)


# /inventory, /trades and their pages


async def own_inventory(stage: Stage, _: Any) -> str:
    return await stage.slash("inventory", tradeurl=stage.own.trade_url)


async def foreign_inventory(stage: Stage, _: Any) -> str:
    return await stage.slash("inventory", tradeurl=stage.foreign.trade_url)


async def own_trades(stage: Stage, _: Any) -> str:
    return await stage.slash("trades", scope="all")


async def trades_of_a_member(stage: Stage, _: Any) -> str:
    return await stage.slash("trades", scope="all", member=stage.neighbour)


async def own_trades_by_menu(stage: Stage, _: Any) -> str:
    return await stage.menu("Show trades", stage.subject)


async def trades_by_menu(stage: Stage, _: Any) -> str:
    return await stage.menu("Show trades", stage.neighbour)


async def explained_message(stage: Stage, _: Any) -> str:
    message = await stage.message_with()
    return await stage.menu("Explain error codes", message)


async def trades_of_an_account(stage: Stage, _: Any) -> str:
    return await stage.slash("trades", scope="all", steam_id=str(stage.foreign.steam_id))


def page_cases(action: str) -> tuple[Case, ...]:
    """Return the row of a page button: own pages of own data and of others' data, and another reader's pages."""

    async def do(stage: Stage, snapshot_id: str) -> str:
        button = PageButton(snapshot_id, action, 0)
        return await stage.press(button)

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, _NO_PAGES)

    def pages_of(kind: str, *, foreign: bool, others: bool = False) -> Any:
        async def prepare(stage: Stage) -> str:
            everything = (Capability.INVENTORY_ANY, Capability.TRADES_ANY)
            asker = stage.actor(*everything, who=stage.neighbour if others else None)
            person = stage.foreign if foreign else stage.own
            return (await stage.snapshot(person, of=kind, by=asker)).id

        return prepare

    return (
        *(
            Case(do, "Page 1 of", whose, pages_of(kind, foreign=whose is Whose.FOREIGN), among=among)
            for kind, among in (("inventory", _INVENTORY), ("trades", _TRADES))
            for whose in (Whose.OWN, Whose.FOREIGN)
            if action == "next" or whose is Whose.OWN  # the four do the same, and each takes a while
        ),
        Case(do, "Page 1 of", Whose.CLOSED, pages_of("trades", foreign=False, others=True), missing),
    )


def arranges(do: Callable[[Stage, str], Coroutine[Any, Any, str]], shows: str) -> tuple[Case, ...]:
    """Return the row of an inventory's control: own pages of own and of others' data, and another reader's pages."""

    def pages_of(*, foreign: bool, others: bool = False) -> Any:
        async def prepare(stage: Stage) -> str:
            asker = stage.actor(Capability.INVENTORY_ANY, who=stage.neighbour) if others else None
            return (await stage.snapshot(stage.foreign if foreign else stage.own, of="inventory", by=asker)).id

        return prepare

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, _NO_PAGES)

    return (
        Case(do, shows, prepare=pages_of(foreign=False)),
        Case(do, shows, Whose.FOREIGN, pages_of(foreign=True)),
        Case(do, shows, Whose.CLOSED, pages_of(foreign=False, others=True), missing),
    )


def presses(action: str) -> Callable[[Stage, str], Coroutine[Any, Any, str]]:
    async def do(stage: Stage, snapshot_id: str) -> str:
        return await stage.press(InventoryButton(snapshot_id, action))

    return do


async def sorts(stage: Stage, snapshot_id: str) -> str:
    return await stage.choose(
        SortSelect(snapshot_id, [discord.SelectOption(label="A to Z", value="name_asc")]), "name_asc"
    )


async def opens_item(stage: Stage, snapshot_id: str) -> str:
    return await stage.choose(ItemSelect(snapshot_id, [discord.SelectOption(label="the first", value="0")]), "0")


def sends_filter(*, foreign: bool) -> Case:
    async def prepare(stage: Stage) -> simcord.InteractionResult:
        pages = await stage.snapshot(stage.foreign if foreign else stage.own, of="inventory")
        button = InventoryButton(pages.id, "filter")
        return await stage.subject.click(await stage.message_with(button), custom_id=button.custom_id)

    async def do(stage: Stage, shown: simcord.InteractionResult) -> str:
        return await stage.submit(shown, "1")

    whose = Whose.FOREIGN if foreign else Whose.OWN
    return Case(do, "Filter: name has “1” · from $1.00 · up to $1.00", whose, prepare, fleeting=True)


# /access and the rest


async def role_that_is_gone(stage: Stage) -> None:
    await stage.scene.client.services.access.grant(NEVER_WAS, Capability.TRADES_OWN, by=stage.scene.owner)


async def revokes_deleted(stage: Stage, _: Any) -> str:
    return await stage.press(RevokeDeletedButton())


async def suggests_codes(stage: Stage, _: Any) -> str:
    return await stage.suggestions("explain", "code", "1010")


async def chooses_meaning(stage: Stage, _: Any) -> str:
    entry = stage.scene.client.services.explanations.find("1010")[0]
    return await stage.choose(MeaningSelect([discord.SelectOption(label="one", value=entry.id)]), entry.id)


async def copies(stage: Stage, _: Any) -> str:
    entry = stage.scene.client.services.explanations.find("1010")[0]
    return await stage.press(CopyButton(entry.id))


async def signs_in(stage: Stage, _: Any) -> str:
    return await stage.press(SignInButton())


CONFIRMED = {"forget": "Your data was erased", "unlink": "Removed", "relink": "not set up here", "keep": "Nothing was"}


def confirms(action: str, shows: str) -> tuple[Case, ...]:
    """Return the row of a button that confirms: one's own question, and one that another member was asked."""

    async def prepare(stage: Stage) -> None:
        links, steam_id = stage.scene.client.services.links, str(stage.own.steam_id)
        await links.set_for(stage.subject.id, steam_id, by=stage.actor(Capability.MANAGE_LINKS, who=stage.neighbour))
        await stage.scene.env.advance_time(WITHIN.total_seconds())

    async def do(stage: Stage, _: Any) -> str:
        return await stage.press(ConfirmButton(action, stage.subject.id, stage.scene.clock.now()))

    async def others(stage: Stage, _: Any) -> str:
        return await stage.press(ConfirmButton(action, stage.neighbour.id, stage.scene.clock.now()))

    async def expired(stage: Stage, _: Any) -> str:
        return await stage.press(ConfirmButton(action, stage.subject.id, stage.scene.clock.now() - 2 * ASKED_FOR))

    return (Case(do, shows, prepare=prepare), Case(others, shows, Whose.CLOSED, missing=expired))


async def suggests_actions(stage: Stage, _: Any) -> str:
    return await stage.suggestions("audit", "action", "access")


_GRANT = {"role": lambda stage: stage.scene.moderators, "capability": "trades.own"}
_HERE = {"channel": lambda stage: stage.scene.channel}
_MODERATORS = {"role": lambda stage: stage.scene.moderators}

ROWS: dict[str, tuple[Case, ...]] = {
    "inventory": (Case(own_inventory, "Page 1 of"), Case(foreign_inventory, "Page 1 of", Whose.FOREIGN)),
    "trades": (
        Case(own_trades, "Page 1 of"),
        Case(trades_of_a_member, "Page 1 of", Whose.FOREIGN),
        Case(trades_of_an_account, "Page 1 of", Whose.FOREIGN),
    ),
    "Show trades": (
        Case(own_trades_by_menu, "Trades\n"),
        Case(trades_by_menu, "Trades\n", Whose.FOREIGN),
    ),
    "Explain error codes": (Case(explained_message, "No error"),),
    **{f"PageButton:{action}": page_cases(action) for action in ("first", "previous", "next", "last")},
    "InventoryButton:filter": arranges(presses("filter"), "Filter items"),
    "InventoryButton:clear": arranges(presses("clear"), "Page 1 of"),
    "InventoryButton:csv": arranges(presses("csv"), "The whole inventory as a table"),
    "InventoryButton:refresh": arranges(presses("refresh"), "SkinDesk no longer has what this page asked for"),
    "SortSelect": arranges(sorts, "Sorted: names A to Z"),
    "ItemSelect": arranges(opens_item, "Accepted at"),
    "FilterModal": (sends_filter(foreign=False), sends_filter(foreign=True)),
    **TRADES_ROWS,
    **CUSTOMER_ROWS,
    "resend": (asks(Whose.OWN), asks(Whose.FOREIGN)),
    "resend:id": (suggests(Whose.OWN), suggests(Whose.FOREIGN)),
    "approvals": uses("approvals", "Open resends"),
    "ResendButton:approve": decides("approve", "· sent"),
    "ResendButton:deny": decides("deny", "Deny resend"),
    "ResendButton:sent": decides("sent", " as sent"),
    "ResendButton:failed": decides("failed", " as failed"),
    "TakeButton": decides("take", "You are on it now"),
    "DenialSelect": (denies(),),
    "WithdrawButton": withdraws(),
    **{f"QueueButton:{action}": turns(action) for action in ("first", "previous", "next", "last", "refresh")},
    "ReasonModal": (sends_reason("deny", "· denied"), sends_reason("sent", "· sent")),
    "PauseButton": pauses(resumes=False, shows="🛑"),
    "ResumeButton": pauses(resumes=True, shows="▶️"),
    "NotifyButton": (watches(Whose.OWN), watches(Whose.FOREIGN)),
    "StopButton:stop": stops(),
    "explain": uses("explain", "1010", code="1010"),
    "explain:code": (Case(suggests_codes, "NO_BOTS_AVAILABLE"),),
    "MeaningSelect": (Case(chooses_meaning, "NO_BOTS_AVAILABLE"),),
    "CopyButton": (Case(copies, "Try again:"),),
    "status": uses("status", "Providers"),
    "link start": uses("link start", "Steam sign-in is not set up here"),
    "SignInButton": (Case(signs_in, "Steam sign-in is not set up here"),),
    "link set": uses(
        "link set",
        "Linked",
        member=lambda stage: stage.neighbour,
        steam=lambda stage: str(stage.foreign.steam_id),
    ),
    "link status": uses("link status", "Your Steam account"),
    "link remove": uses("link remove", "Remove the link to your Steam account?"),
    "access grant": uses("access grant", "see their own trades", **_GRANT),
    "access revoke": uses("access revoke", "see their own trades", **_GRANT),
    "access list": uses("access list", "Who may do what"),
    "access why": uses("access why", "Why", member=lambda stage: stage.neighbour, capability="trades.own"),
    "RevokeDeletedButton": (Case(revokes_deleted, "Deleted roles", prepare=role_that_is_gone),),
    "audit": uses("audit", "Audit log"),
    "audit:action": (Case(suggests_actions, "access.granted"),),
    "mydata export": now_and_then("mydata export", "Your data on this server"),
    "mydata forget": uses("mydata forget", "Erase your data on this server?"),
    **{f"ConfirmButton:{action}": confirms(action, shows) for action, shows in CONFIRMED.items()},
    "settings show": uses("settings show", "Approvals channel"),
    "settings approvals-channel": uses("settings approvals-channel", "Approvals channel", **_HERE),
    "settings audit-channel": uses("settings audit-channel", "Audit channel", **_HERE),
    "settings language": uses("settings language", "Deutsch · set here", language="de"),
    "settings approvals-role": uses("settings approvals-role", "Approvals role", **_MODERATORS),
}
