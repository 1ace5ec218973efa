"""Outside a server SkinDesk refuses every interaction, but for the button that ends one's own watch."""

from typing import Any, get_args, get_origin

import discord
import pytest
import simcord
from discord import app_commands
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from simcord.actors import _dispatch_actor_interaction
from simcord.backend import serializers
from simcord.enums import AppCommandType, ComponentType, InteractionType

from bot.demo.scene import Scene
from tests.cogs.entry_points import Entry, entries, template_of
from tests.cogs.rights_rows import ROWS
from tests.cogs.rights_stage import Stage, text_fields_of
from tests.support.seen import embed_text

_TYPES = {discord.AppCommandType.user: AppCommandType.USER, discord.AppCommandType.message: AppCommandType.MESSAGE}

ANY = settings(max_examples=1, phases=[Phase.generate], database=None)
"""The first that comes: the shortest one takes seconds to find."""


async def sent_from_outside(
    scene: Scene, kind: InteractionType, data: dict[str, Any], message: Any = None
) -> simcord.InteractionResult:
    """Deliver an interaction as from a direct message to the bot."""
    user = scene.customer.user
    extra = {"message": dict(serializers.message_payload(scene.env.backend, message))} if message is not None else None
    source = message.id if message is not None else None
    return await _dispatch_actor_interaction(user, kind, user.dm_channel, data, extra=extra, source_message_id=source)


async def used_outside(stage: Stage, entry: Entry) -> simcord.InteractionResult:
    """Use an entry point as from a direct message."""
    scene = stage.scene
    if entry.kind == "modal":
        stage.hold(stage.roles)
        prepare = ROWS[entry.name][0].prepare
        assert prepare is not None
        shown = (await prepare(stage)).modal
        fields = [{"type": ComponentType.TEXT_INPUT, "custom_id": each, "value": "1"} for each in text_fields_of(shown)]
        rows = [{"type": ComponentType.ACTION_ROW, "components": [field]} for field in fields]
        return await sent_from_outside(
            scene, InteractionType.MODAL_SUBMIT, {"custom_id": shown["custom_id"], "components": rows}
        )
    if entry.kind == "component":
        return await pressed_outside(scene, entry.thing)
    command = entry.thing
    kind = _TYPES[command.type] if isinstance(command, app_commands.ContextMenu) else AppCommandType.CHAT_INPUT
    name = command.qualified_name if kind != AppCommandType.CHAT_INPUT else command.qualified_name.split()[0]
    data: dict[str, Any] = {"id": "1", "name": name, "type": kind, "options": []}
    is_suggestion = entry.kind == "suggestion"
    return await sent_from_outside(
        scene,
        InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE if is_suggestion else InteractionType.APPLICATION_COMMAND,
        data,
    )


async def pressed_outside(scene: Scene, item: type[discord.ui.DynamicItem[Any]]) -> simcord.InteractionResult:
    """Press a button, or choose in a select, under a direct message."""
    custom_id = find(st.from_regex(template_of(item), fullmatch=True), lambda _: True, settings=ANY)
    (base,) = (base for base in item.__orig_bases__ if get_origin(base) is discord.ui.DynamicItem)  # type: ignore[attr-defined]  # typing's own record of it
    (inner,) = get_args(base)
    is_button = (get_origin(inner) or inner) is discord.ui.Button
    component: dict[str, Any] = {"custom_id": custom_id}
    if is_button:
        component |= {"type": ComponentType.BUTTON, "style": 2, "label": "From outside"}
    else:
        component |= {"type": ComponentType.STRING_SELECT, "options": [{"label": "Outside", "value": "outside"}]}
    backend = scene.env.backend
    message = backend.create_message(
        scene.customer.user.dm_channel.id,
        backend.bot_user.id,
        "From outside",
        components=[{"type": ComponentType.ACTION_ROW, "components": [component]}],
    )
    data = {"custom_id": custom_id, "component_type": component["type"], "values": [] if is_button else ["outside"]}
    return await sent_from_outside(scene, InteractionType.MESSAGE_COMPONENT, data, message)


def extra_texts_of(result: simcord.InteractionResult) -> str:
    """Return what is answered beside the message, if anything is."""
    answers = result.followups or ([result.response] if result.response is not None else [])
    return "\n".join(embed_text(embed) for message in answers for embed in message.embeds)


@pytest.mark.parametrize("kind", ["command", "context menu", "suggestion", "component", "modal"])
async def test_from_outside(scene: Scene, kind: str) -> None:
    """An interaction as from a direct message is refused in words, and nothing is suggested to it.

    *Stop* is in direct messages: it says that the caller has no such watch.
    """
    stage = await Stage.set(scene)
    for entry in entries(scene.client):
        if entry.kind != kind:
            continue
        result = await used_outside(stage, entry)

        if kind == "suggestion":
            assert result.autocomplete_choices == [], entry.name
        else:
            said = "You stopped this before" if entry.name == "StopButton:stop" else "Only in a server"
            assert said in extra_texts_of(result), entry.name
    assert scene.providers.mannco.resend_calls == {}
