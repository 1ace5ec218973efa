"""Presses buttons, also those under the question before what cannot be undone."""

from typing import Any

import simcord

from bot.demo.scene import Scene
from bot.languages import Language
from tests.support.made_up import said


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


async def press(who: simcord.MemberActor, message: Any, label: str, language: Language) -> simcord.InteractionResult:
    """Press the button with this English label, as a language has it."""
    labels = said(language, label)
    rows = [row if isinstance(row, dict) else row.to_dict() for row in message.components]
    (button,) = (each for row in rows for each in row["components"] if each.get("label") in labels)
    return await who.click(message, custom_id=button["custom_id"])
