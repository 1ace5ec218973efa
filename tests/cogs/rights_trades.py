"""The rows of the controls under trades in the table of rights."""

from typing import Any

import discord
import simcord

from bot.domain.access import Capability
from bot.ui.resends.ask import AskToResendButton
from bot.ui.trade_pages import TradesButton, TradeSelect
from tests.cogs.rights_stage import NEVER_WAS, Case, Do, Stage, Whose

_NO_PAGES = "AAAAAAAAAAAA"
_FIRST = [discord.SelectOption(label="the first", value="0")]


def on_page(do: Do, shows: str) -> tuple[Case, ...]:
    """Return the row of a control: own pages of own and of others' trades, and another reader's pages."""

    def pages_of(*, foreign: bool, others: bool = False) -> Any:
        async def prepare(stage: Stage) -> str:
            asker = stage.actor(Capability.TRADES_ANY, who=stage.neighbour) if others else None
            return (await stage.snapshot(stage.foreign if foreign else stage.own, of="trades", by=asker)).id

        return prepare

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, _NO_PAGES)

    return (
        Case(do, shows, prepare=pages_of(foreign=False)),
        Case(do, shows, Whose.FOREIGN, pages_of(foreign=True)),
        Case(do, shows, Whose.CLOSED, pages_of(foreign=False, others=True), missing),
    )


def presses(action: str) -> Do:
    async def do(stage: Stage, snapshot_id: str) -> str:
        return await stage.press(TradesButton(snapshot_id, action))

    return do


async def opens(stage: Stage, snapshot_id: str) -> str:
    return await stage.choose(TradeSelect(snapshot_id, _FIRST), "0")


async def opens_form(stage: Stage, _: Any) -> str:
    return await stage.press(AskToResendButton("480101"))


def sends_form(whose: Whose) -> Case:
    async def prepare(stage: Stage) -> simcord.InteractionResult:
        await stage.settle_all()
        person = stage.own if whose is Whose.OWN else stage.foreign
        return await opened(stage, stage.scene.world.trades_of(person)[0].id)

    async def opened(stage: Stage, number: int) -> simcord.InteractionResult:
        button = AskToResendButton(str(number))
        return await stage.subject.click(await stage.message_with(button), custom_id=button.custom_id)

    async def do(stage: Stage, shown: simcord.InteractionResult) -> str:
        assert shown.modal is not None
        return (await stage.submit(shown, "please")).replace(str(shown.modal["title"]).split()[-1], "N")

    async def missing(stage: Stage, _: Any) -> str:
        held = stage.scene.env.backend.get_member(stage.scene.guild.id, stage.subject.id).role_ids
        before = list(held)
        stage.hold(Capability)  # to open the form
        shown = await opened(stage, NEVER_WAS)
        held[:] = before
        return await do(stage, shown)

    return Case(do, "The moderators have been asked", whose, prepare, missing, fleeting=True)


ROWS: dict[str, tuple[Case, ...]] = {
    "TradesButton:refresh": on_page(presses("refresh"), "SkinDesk no longer has what this page asked for"),
    "TradesButton:ended": on_page(presses("ended"), "SkinDesk no longer has what this page asked for"),
    "TradesButton:failed": on_page(presses("failed"), "trades failed**"),
    "TradesButton:all": on_page(presses("all"), "Page 1 of"),
    "TradeSelect": on_page(opens, "Read: "),
    "AskToResendButton": (Case(opens_form, "Ask to resend trade"),),
    "AskModal": (sends_form(Whose.OWN), sends_form(Whose.FOREIGN)),
}
