"""The rows of resends, of their cards and of their queue in the table of rights."""

from typing import Any

import simcord

from bot.domain.access import Capability
from bot.domain.resends import Resend
from bot.ui.resends.buttons import PauseButton, ResendButton, ResumeButton, TakeButton, WithdrawButton
from bot.ui.resends.queue import QueueButton
from tests.cogs.approvals import choose_reason
from tests.cogs.rights_stage import NEVER_WAS, Case, Stage, Whose, seen


async def nothing_asked_for(stage: Stage) -> None:
    await stage.settle_all()


def asks(whose: Whose) -> Case:
    async def do(stage: Stage, _: Any) -> str:
        person = stage.own if whose is Whose.OWN else stage.foreign
        return await ask(stage, str(stage.scene.world.trades_of(person)[0].id))

    async def ask(stage: Stage, number: str) -> str:
        return (await stage.slash("resend", id=number)).replace(number, "N")

    async def missing(stage: Stage, _: Any) -> str:
        return await ask(stage, str(NEVER_WAS))

    return Case(do, "The moderators have been asked", whose, nothing_asked_for, missing)


def suggests(whose: Whose) -> Case:
    number = "480101" if whose is Whose.OWN else "480201"

    async def do(stage: Stage, _: Any) -> str:
        return await stage.suggestions("resend", "id", number[:4])

    return Case(do, number, whose, also=() if whose is Whose.OWN else (Capability.TRADES_ANY,))


def decides(action: str, shows: str) -> tuple[Case, ...]:
    """Return the row of a card's button: others' requests, one's own, and one of another server."""

    async def do(stage: Stage, number: int) -> str:
        return await stage.press(TakeButton(number, None) if action == "take" else ResendButton(number, action))

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, NEVER_WAS)

    async def others(stage: Stage) -> int:
        return await ready(stage, await stage.request(stage.foreign))

    async def asked_by_oneself(stage: Stage) -> int:
        return await ready(stage, await stage.request(stage.foreign, by=stage.actor(Capability.RESEND_ANY)))

    async def of_oneself(stage: Stage) -> int:
        return await ready(stage, await stage.request(stage.own))

    async def elsewhere(stage: Stage) -> int:
        return (await stage.request(stage.foreign, by=stage.elsewhere)).id

    async def ready(stage: Stage, resend: Resend) -> int:
        if action in {"sent", "failed"}:
            await stage.put_in_doubt(resend)
        return resend.id

    barred = "Someone else has to decide"
    return (
        Case(do, shows, prepare=others),
        Case(do, shows, Whose.CLOSED, asked_by_oneself, barred=barred),
        Case(do, shows, Whose.CLOSED, of_oneself, barred=barred),
        Case(do, shows, Whose.CLOSED, elsewhere, missing),
    )


def turns(action: str) -> tuple[Case, ...]:
    """Return the row of a button under the queue of requests."""

    async def do(stage: Stage, _: Any) -> str:
        return await stage.press(QueueButton(action, 0))

    return (Case(do, "Open resends"),)


def withdraws() -> tuple[Case, ...]:
    """Return the row of the requester's button: one's own request, and another's."""

    async def do(stage: Stage, number: int) -> str:
        return await stage.press(WithdrawButton(number))

    async def missing(stage: Stage, _: Any) -> str:
        return await do(stage, NEVER_WAS)

    async def own(stage: Stage) -> int:
        return (await stage.request(stage.foreign, by=stage.actor(Capability.RESEND_ANY))).id

    async def others(stage: Stage) -> int:
        return (await stage.request(stage.foreign)).id

    return (Case(do, "Withdrawn by", prepare=own), Case(do, "Withdrawn by", Whose.CLOSED, others, missing))


def denies() -> Case:
    async def prepare(stage: Stage) -> simcord.InteractionResult:
        request = await stage.request(stage.foreign)
        return await stage.subject.click(
            await stage.message_with(ResendButton(request.id, "deny")), custom_id=f"resend:{request.id}:deny"
        )

    async def do(stage: Stage, shown: simcord.InteractionResult) -> str:
        return seen(await choose_reason(shown, stage.subject, "duplicate"))

    return Case(do, "This was asked for already", prepare=prepare, fleeting=True)


def sends_reason(action: str, shows: str) -> Case:
    async def prepare(stage: Stage) -> simcord.InteractionResult:
        request = await stage.request(stage.foreign)
        if action in {"sent", "failed"}:
            await stage.put_in_doubt(request)
        message = await stage.message_with(ResendButton(request.id, action))
        shown = await stage.subject.click(message, custom_id=f"resend:{request.id}:{action}")
        return shown if shown.modal is not None else await choose_reason(shown, stage.subject, "other")

    async def do(stage: Stage, shown: simcord.InteractionResult) -> str:
        return await stage.submit(shown, "looked at it")

    return Case(do, shows, prepare=prepare, fleeting=True)


def pauses(*, resumes: bool, shows: str) -> tuple[Case, ...]:
    async def prepare(stage: Stage) -> int:
        pauses = stage.scene.client.services.pauses
        await pauses.pause(by=stage.scene.owner)
        pause = await pauses.pause_of(stage.scene.guild.id)
        assert pause is not None
        return pause.number

    async def do(stage: Stage, number: int) -> str:
        return await stage.press(ResumeButton(number) if resumes else PauseButton())

    return (Case(do, shows, prepare=prepare),)
