"""The rows of the buttons of watched trades in the table of rights."""

from collections.abc import Callable
from typing import Any

import simcord

from bot.domain.failures import ProviderName
from bot.domain.watches import MOST_WATCHES
from bot.ui.watches import NotifyButton, StopButton
from tests.cogs.rights_stage import NEVER_WAS, Case, Stage, Whose
from tests.contracts import samples


def watches(whose: Whose) -> Case:
    async def do(stage: Stage, number: str) -> str:
        said = await stage.press(NotifyButton(ProviderName.SKINSBACK, number))
        return said.replace(number, "N")

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, str(NEVER_WAS))

    async def an_open_deposit(stage: Stage) -> str:
        person = stage.own if whose is Whose.OWN else stage.foreign
        deposits = stage.scene.world.deposits
        return next(
            each.transaction_id for each in deposits if (each.owner, each.status) == (person.steam_id, "in_hold")
        )

    return Case(do, "SkinDesk may not send you direct messages", whose, an_open_deposit, missing)


def stops() -> tuple[Case, ...]:
    """Return the row of the button that ends a watch: one's own, and another's."""

    async def do(stage: Stage, number: int) -> str:
        return await stage.press(StopButton(number))

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, NEVER_WAS)

    def of(who: Callable[[Stage], simcord.MemberActor]) -> Any:
        async def prepare(stage: Stage) -> int:
            draft = samples.watch(guild_id=stage.scene.guild.id, user_id=who(stage).id, at=stage.scene.clock.now())
            added = await stage.scene.client.services.watches._repository.add(draft, at_most=MOST_WATCHES)
            assert added is not None
            return added[0].id

        return prepare

    shows = "You get no more messages about SkinsBack"
    return (
        Case(do, shows, prepare=of(lambda stage: stage.subject)),
        Case(do, shows, Whose.CLOSED, of(lambda stage: stage.neighbour), missing),
    )
