"""Approval cards as a test uses them: asking for one, pressing its buttons, reading what it and people say."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import ResendAnswer, WorldTrade
from bot.domain.access import Actor
from bot.domain.links import Link, LinkSource
from bot.domain.steam import SteamId
from tests.support.payload_audit import assert_clean, assert_no_secret, find_secrets
from tests.support.seen import buttons_of, embed_text
from tests.support.stage import kept_open, secrets_of

TO_APPROVE = {"Approve": "resend:1:approve", "Deny": "resend:1:deny", "Take": "resend:1:take"}
TO_MARK = {"Mark as sent": "resend:1:sent", "Mark as failed": "resend:1:failed", "Take": "resend:1:take"}
"""The buttons of the first request, by their labels, while it is pending and while its outcome is unknown."""

_CODE = re.compile(r"[A-Z]{8}")


@asynccontextmanager
async def scene_with(folder: Path, **tables: Mapping[str, Any]) -> AsyncIterator[Scene]:
    """Open a scene with other settings than the fixture's; everything sent is audited like there."""
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    async with kept_open(folder, **tables) as scene:
        yield scene
        assert_clean(scene.env)
        assert_no_secret(scene.env, secrets_of(scene))


def failed_trade(scene: Scene, number: int = 0) -> WorldTrade:
    """Return one of the customer's failed withdrawals."""
    return scene.world.trades_of(scene.world.customer)[number]


def unlucky_trade(scene: Scene, answer: ResendAnswer) -> WorldTrade:
    """Return the trade whose resend is answered so."""
    (trade,) = (trade for trade in scene.world.trades if scene.world.resend_answers.get(trade.id) is answer)
    return trade


async def requested(scene: Scene, trade: WorldTrade, *, by: simcord.MemberActor | None = None) -> discord.Message:
    """Request a resend, as the agent unless told otherwise, and return its card."""
    await (by or scene.agent).slash(scene.channel, "resend", id=str(trade.id), reason="the bot was offline")
    return newest_card(scene)


async def refreshed(scene: Scene) -> None:
    """Run a round of looking after the cards, and wait until Discord was told everything."""
    delivery = scene.client.services.delivery
    await delivery.refresh_cards()
    while running := delivery._board.running | delivery._notifier.running:
        await asyncio.wait(running)
    await scene.env.settle()


def newest_card(scene: Scene) -> discord.Message:
    """Return the last message that everybody in the approvals channel sees."""
    return scene.channel.history()[-1]


def now(scene: Scene, card: discord.Message) -> discord.Message:
    """Return a card as it is by now."""
    (found,) = (message for message in scene.channel.history() if message.id == card.id)
    return found


def face(scene: Scene, card: discord.Message) -> str:
    """Return everything that a card says by now."""
    return embed_text(now(scene, card).embeds[0])


def state_of(scene: Scene, card: discord.Message) -> str:
    """Return the state in a card's title."""
    return (now(scene, card).embeds[0].title or "").rpartition(" · ")[2]


def buttons(scene: Scene, card: discord.Message) -> dict[str, str]:
    """Return a card's buttons by now, their custom ids by their labels."""
    return {label: button.custom_id or "" for label, button in buttons_of(now(scene, card)).items()}


async def choose_reason(
    shown: simcord.InteractionResult, who: simcord.MemberActor, value: str
) -> simcord.InteractionResult:
    """Choose from the menu of a denial."""
    assert shown.response is not None
    assert shown.response.ephemeral
    menu = shown.response.components[0]["components"][0]
    return await who.select(shown.response, [value], custom_id=menu["custom_id"])


async def give_reason(
    shown: simcord.InteractionResult, who: simcord.MemberActor, reason: str
) -> simcord.InteractionResult:
    """Write the reason of a decision, after *Other reason…* in the menu of a denial."""
    if shown.modal is None:
        shown = await choose_reason(shown, who, "other")
    assert shown.modal is not None
    ((field,),) = (row["components"] for row in shown.modal["components"])
    return await who.submit_modal(shown, {field["custom_id"]: reason})


def direct_messages(who: simcord.MemberActor) -> list[str]:
    """Return the direct messages from the bot to a member."""
    return [embed_text(message.embeds[0]) for message in who.user.dm_channel.history()]


def followups(result: simcord.InteractionResult) -> list[str]:
    """Return what came after the answer to a command, which only its caller may see."""
    assert all(message.ephemeral for message in result.followups)
    return [embed_text(message.embeds[0]) for message in result.followups]


def another_moderator(scene: Scene, name: str = "sam") -> simcord.MemberActor:
    """Let a second moderator join."""
    return scene.guild.add_member(scene.env.create_user(name), roles=[scene.moderators])


async def link(scene: Scene, who: simcord.MemberActor, account: object) -> None:
    """Link a member as if they had signed in at Steam, so that they see codes at once, and end the staff's links."""
    links = scene.client.services.links
    for member in (scene.customer, scene.agent, scene.moderator):
        await links.remove_own(by=Actor(scene.guild.id, member.id, frozenset()))
    steam_id, now = SteamId.parse(str(account)), scene.clock.now()
    await links._links.put(Link(scene.guild.id, who.id, steam_id, LinkSource.SIGN_IN, who.id, now))


def close_direct_messages(scene: Scene, who: simcord.MemberActor) -> None:
    """Let a member refuse direct messages from the bot."""
    path = f"/channels/{who.user.dm_channel.id}/messages"
    scene.env.inject_error(
        "POST", path, status=403, code=50007, message="Cannot send messages to this user", times=None
    )


def codes(scene: Scene) -> list[str]:
    """Return the codes that the trades have now."""
    return [trade.code for trade in scene.world.trades if _CODE.fullmatch(trade.code) and trade.code != "COMPLETED"]


def code_sightings(scene: Scene, *known: str) -> list[str]:
    """Return where in what the bot sent a trade's code stands, be it one of now or one ``known`` from before."""
    return find_secrets(scene.env.http_requests, [*codes(scene), *known])
