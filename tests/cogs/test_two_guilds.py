"""Two servers with one bot: roles, rights and links of one count for nothing in the other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import discord
import pytest
import simcord

from bot.demo.scene import MODERATOR_CAPABILITIES, Scene
from bot.domain.access import Actor, Capability
from tests.cogs.approvals import failed_trade, link, requested, scene_with, state_of
from tests.support.seen import text_of


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another server, in which customer, agent and moderator of the scene all hold every right of a moderator."""

    scene: Scene
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    customer: simcord.MemberActor
    agent: simcord.MemberActor
    moderator: simcord.MemberActor
    trusted: simcord.RoleHandle
    owner: Actor

    @classmethod
    async def opened(cls, scene: Scene) -> Self:
        """Let the bot join it, and everybody of the scene."""
        guild = scene.env.create_guild("Market Elsewhere")
        assert scene.client.services.guilds.use([scene.guild.id, guild.id])
        channel, role = guild.create_text_channel("desk-elsewhere"), guild.create_role("Trusted")
        owner = Actor(guild.id, guild.owner.id, frozenset({guild.id}), administers=True)
        for capability in MODERATOR_CAPABILITIES:
            await scene.client.services.access.grant(role.id, capability, by=owner)
        await scene.client.services.settings.set_approvals_channel(channel.id, by=owner)
        customer, agent, moderator = (
            guild.add_member(who.user, roles=[role]) for who in (scene.customer, scene.agent, scene.moderator)
        )
        return cls(scene, guild, channel, customer, agent, moderator, role, owner)

    async def link(self, who: simcord.MemberActor, account: object) -> None:
        """Link a member to an account in this server only."""
        linker = Actor(self.guild.id, self.moderator.id, frozenset({self.guild.id, self.trusted.id}))
        await self.scene.client.services.links.set_for(who.id, str(account), by=linker)


@pytest.fixture
async def elsewhere(scene: Scene) -> Elsewhere:
    return await Elsewhere.opened(scene)


async def refused(scene: Scene, card: discord.Message, who: simcord.MemberActor, *sentences: str) -> None:
    """Let a member press both buttons of a pending card, and expect refusals."""
    for label in ("Approve", "Deny"):
        result = await who.click(card, label=label)

        assert result.ephemeral
        assert result.modal is None
        for sentence in sentences:
            assert sentence in text_of(result)
    assert state_of(scene, card) == "pending"
    assert scene.providers.mannco.resend_calls == {}


# Rights to approve in this server only


async def test_linked_to_the_owners_account_since(scene: Scene, elsewhere: Elsewhere) -> None:
    """A moderator who is linked to the owner's account after the request does not approve any more."""
    await elsewhere.link(elsewhere.moderator, scene.world.collector.steam_id)
    card = await requested(scene, failed_trade(scene))

    await link(scene, scene.moderator, scene.world.customer.steam_id)

    await refused(scene, card, scene.moderator, "resend of your own trade")


async def test_revoked_elsewhere(scene: Scene, elsewhere: Elsewhere) -> None:
    """What another server revokes, or whom it links, takes nothing away here."""
    await elsewhere.link(elsewhere.moderator, scene.world.collector.steam_id)
    await scene.client.services.access.revoke(elsewhere.trusted.id, Capability.APPROVE_RESEND, by=elsewhere.owner)
    trade = failed_trade(scene)
    card = await requested(scene, trade)

    await scene.moderator.click(card, label="Approve")

    assert state_of(scene, card) == "sent"
    assert scene.providers.mannco.resend_calls == {trade.id: 1}


async def test_self_approval_requires_the_right_here(tmp_path: Path) -> None:
    """With allow_self_approval a requester may approve only with resend.approve in that server."""
    async with scene_with(tmp_path, resends={"allow_self_approval": True}) as scene:
        await Elsewhere.opened(scene)
        trade = failed_trade(scene)
        card = await requested(scene, trade)
        await refused(scene, card, scene.agent, "resend.approve")

        await scene.client.services.access.grant(scene.support.id, Capability.APPROVE_RESEND, by=scene.owner)
        await scene.agent.click(card, label="Approve")

        assert state_of(scene, card) == "sent"
        assert scene.providers.mannco.resend_calls == {trade.id: 1}


# Visible facts of the other server's requests


async def test_approvals_of_another_server(scene: Scene, elsewhere: Elsewhere) -> None:
    """/approvals lists the server's own requests and no other's."""
    here, there = failed_trade(scene), failed_trade(scene, 1)
    await requested(scene, here)
    await elsewhere.agent.slash(elsewhere.channel, "resend", id=str(there.id))

    lists = [
        text_of(await who.slash(channel, "approvals"))
        for who, channel in ((scene.moderator, scene.channel), (elsewhere.moderator, elsewhere.channel))
    ]

    for shown, own, other in ((lists[0], here, there), (lists[1], there, here)):
        assert "Open resends: 1" in shown
        assert f"#{own.id}" in shown
        assert f"#{other.id}" not in shown


async def test_open_in_another_server(scene: Scene, elsewhere: Elsewhere) -> None:
    """A trade that is asked for in another server cannot be asked for here; which server, and who, is not said."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)

    result = await elsewhere.customer.slash(elsewhere.channel, "resend", id=str(trade.id))

    said = text_of(result)
    assert f"A resend of trade {trade.id} is already open elsewhere" in said
    for fact in ("Skin Market", "request 1", "Resend 1", scene.guild.id, scene.channel.id, scene.agent.id, card.id):
        assert str(fact) not in said
    assert elsewhere.channel.history() == []
    assert state_of(scene, card) == "pending"
