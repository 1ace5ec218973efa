"""Answers the question before what cannot be undone."""

import simcord

from bot.demo.scene import Scene


async def confirmed(
    asked: simcord.InteractionResult, who: simcord.MemberActor, label: str
) -> simcord.InteractionResult:
    """Press a button under a question, in whose place the answer comes."""
    assert asked.response is not None
    assert asked.response.ephemeral
    return await who.click(asked.response, label=label)


async def remove_link(scene: Scene, who: simcord.MemberActor) -> simcord.InteractionResult:
    """Use ``/link remove`` and confirm."""
    return await confirmed(await who.slash(scene.channel, "link remove"), who, "Remove link")
