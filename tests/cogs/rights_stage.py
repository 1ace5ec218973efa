"""A desk on which one member's rights are changed between one thing they do and the next."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Self, TypeAlias

import discord
import simcord
from simcord.enums import ComponentType

from bot.demo.people import Person
from bot.demo.scene import Scene
from bot.domain.access import SEEDED, Actor, Capability
from bot.domain.resends import Outcome, Resend, ResendState
from bot.domain.snapshots import Snapshot
from bot.services.inventory import InventoryRequest
from bot.services.trades import TradesRequest
from bot.ui.resends.buttons import ResendButton, TakeButton
from tests.cogs.approvals import close_direct_messages
from tests.support.seen import embed_text

NEVER_WAS = 999_999
"""No request, and no trade, has this number."""

_REFERENCE = re.compile(r"Reference \w+")


@dataclass(frozen=True, slots=True)
class Stage:
    """``subject`` holds nothing but what :meth:`hold` gives, and in another server everything.

    They are linked to the account of ``own``; ``foreign`` is linked to ``neighbour``, another member.
    """

    scene: Scene
    subject: simcord.MemberActor
    neighbour: simcord.MemberActor
    roles: dict[Capability, simcord.RoleHandle]
    administrators: simcord.RoleHandle
    elsewhere: Actor
    _posted: dict[str, discord.Message] = field(default_factory=dict)

    @classmethod
    async def set(cls, scene: Scene) -> Self:
        """Make a role for each capability, and take from @everyone what a new server gives them."""
        guild, access = scene.guild, scene.client.services.access
        for capability in SEEDED:
            await access.revoke(guild.id, capability, by=scene.owner)
        roles = {}
        for capability in Capability:
            roles[capability] = guild.create_role(f"May {capability.value}")
            await access.grant(roles[capability].id, capability, by=scene.owner)
        administrators = guild.create_role("Admins", permissions=discord.Permissions(administrator=True))
        neighbour = guild.add_member(scene.env.create_user("nora"))
        linker = Actor(guild.id, scene.agent.id, frozenset({scene.support.id}))
        await scene.client.services.links.set_for(neighbour.id, str(scene.world.other_customer.steam_id), by=linker)
        for who in (scene.customer, neighbour):
            close_direct_messages(scene, who)
        return cls(scene, scene.customer, neighbour, roles, administrators, await cls._all_elsewhere(scene))

    @staticmethod
    async def _all_elsewhere(scene: Scene) -> Actor:
        guild = scene.env.create_guild("Market Elsewhere")
        role = guild.create_role("Everything")
        owner = Actor(guild.id, guild.owner.id, frozenset({guild.id}), administers=True)
        for capability in Capability:
            await scene.client.services.access.grant(role.id, capability, by=owner)
        guild.add_member(scene.customer.user, roles=[role])
        channel = guild.create_text_channel("desk-elsewhere")
        await scene.client.services.settings.set_approvals_channel(channel.id, by=owner)
        return Actor(guild.id, guild.owner.id, frozenset({guild.id, role.id}))

    @property
    def own(self) -> Person:
        """Whose account is linked to the subject."""
        return self.scene.world.customer

    @property
    def foreign(self) -> Person:
        """The member whose account is linked to another member."""
        return self.scene.world.other_customer

    def actor(self, *capabilities: Capability, who: simcord.MemberActor | None = None) -> Actor:
        """Return the subject, or another member, as an actor with these rights."""
        guild_id = self.scene.guild.id
        return Actor(
            guild_id, (who or self.subject).id, frozenset({guild_id, *(self.roles[c].id for c in capabilities)})
        )

    def hold(self, capabilities: Iterable[Capability], *, administers: bool = False) -> None:
        """Let the subject have exactly these, from now on."""
        member = self.scene.env.backend.get_member(self.scene.guild.id, self.subject.id)
        member.role_ids[:] = [self.roles[capability].id for capability in capabilities]
        if administers:
            member.role_ids.append(self.administrators.id)

    @asynccontextmanager
    async def everybody_holding(self, capability: Capability) -> AsyncIterator[None]:
        """Give a capability to @everyone for a while."""
        access, guild_id = self.scene.client.services.access, self.scene.guild.id
        await access.grant(guild_id, capability, by=self.scene.owner)
        yield
        await access.revoke(guild_id, capability, by=self.scene.owner)

    # Actions of the subject

    async def slash(self, command: str, **options: Any) -> str:
        """Use a command and return what it answers, to the subject alone."""
        result = await self.subject.slash(self.scene.channel, command, **options)
        assert result.ephemeral
        return seen(result)

    async def menu(self, name: str, target: simcord.MemberActor | discord.Message) -> str:
        """Use a context menu and return what it answers."""
        result = await self.subject.context_menu(self.scene.channel, name, target)
        assert result.ephemeral
        return seen(result)

    async def suggestions(self, command: str, option: str, typed: str, **filled: Any) -> str:
        """Return the values that are suggested."""
        found = await self.subject.autocomplete(self.scene.channel, command, option, typed, **filled)
        return " ".join(str(each["value"]) for each in found)

    async def press(self, button: discord.ui.DynamicItem[Any]) -> str:
        """Press a button under a message of the bot, and return what that answers or the title of the modal it opens.

        The same button is posted once, unless its message was changed by pressing it.
        """
        message = self._posted.get(button.custom_id) or await self.message_with(button)
        result = await self.subject.click(message, custom_id=button.custom_id)
        self._posted[button.custom_id] = message
        if result.response is not None and result.response.id == message.id:
            del self._posted[button.custom_id]
        return seen(result)

    async def choose(self, menu: discord.ui.DynamicItem[Any], value: str) -> str:
        """Choose from a menu under a message of the bot, and return what that answers."""
        message = await self.message_with(menu)
        return seen(await self.subject.select(message, [value], custom_id=menu.custom_id))

    async def submit(self, shown: simcord.InteractionResult, value: str) -> str:
        """Fill in the text fields of a modal, send it, and return what that answers."""
        assert shown.modal is not None, "the modal has to be shown to whoever may see it"
        values = dict.fromkeys(text_fields_of(shown.modal), value)
        return seen(await self.subject.submit_modal(shown, values))

    # What there is to act on

    async def message_with(self, *items: discord.ui.Item[Any]) -> discord.Message:
        """Post a message with any components; a request's buttons come with the embed that they decide on."""
        view = discord.ui.View(timeout=None)
        embed = discord.Embed(title="Components")
        for item in items:
            view.add_item(item)
            if isinstance(item, ResendButton | TakeButton):
                embed.set_footer(text=f"Request {str(item.item.custom_id).split(':')[1]} · version 1")
        where = self.scene.client.get_partial_messageable(self.scene.channel.id, guild_id=self.scene.guild.id)
        message = await where.send(embed=embed, view=view)
        for item in items:
            if isinstance(item, ResendButton | TakeButton):
                await self._make_it_the_card(message, int(str(item.item.custom_id).split(":")[1]))
        return self.scene.channel.history()[-1]

    async def _make_it_the_card(self, message: discord.Message, resend_id: int) -> None:
        repository = self.scene.client.services.delivery._repository
        resend = await repository.get(self.scene.guild.id, resend_id)
        if resend is not None and self.scene.client.services.guilds.serves(resend.guild_id):
            await repository.attach_card(
                resend.guild_id,
                resend.id,
                channel_id=message.channel.id,
                message_id=message.id,
                version=resend.version,
                state=resend.state,
                replaces=resend.message_id,
            )

    async def request(self, person: Person, *, by: Actor | None = None) -> Resend:
        """Open a request for a member's failed trade, by the neighbour by default."""
        await self.settle_all()
        trade = self.scene.world.trades_of(person)[0]
        asker = by or self.actor(Capability.RESEND_ANY, who=self.neighbour)
        return await self.scene.client.services.resends.request(str(trade.id), by=asker)

    async def settle_all(self) -> None:
        """End every open request here and elsewhere and let the trades fail again, so that there can be another."""
        resends = self.scene.client.services.resends
        here = Actor(self.scene.guild.id, self.scene.moderator.id, frozenset({self.scene.moderators.id}))
        there = replace(self.elsewhere, user_id=self.scene.moderator.id)
        for moderator in (here, there):
            for resend in (await self.scene.client.services.resend_queue.read(by=moderator)).requests:
                if resend.state is ResendState.UNKNOWN:
                    await resends.mark(resend.id, sent=False, by=moderator)
                else:
                    await resends.deny(resend.id, by=moderator)
        for person in (self.own, self.foreign):
            self.scene.world.trades_of(person)[0].status = -1

    async def put_in_doubt(self, resend: Resend) -> None:
        """Leave the outcome of a request unknown."""
        repository, at = self.scene.client.services.delivery._repository, self.scene.clock.now()
        which = (resend.guild_id, resend.id)
        await repository.approve(*which, version=resend.version, by=self.scene.moderator.id, at=at)
        sending = await repository.begin_sending(*which, at=at)
        assert sending is not None
        await repository.mark_unknown(*which, worker=sending.worker, outcome=Outcome.ANSWER_LOST, detail=None, at=at)
        await repository.settle_later(*which, settle_after=at + timedelta(days=1))

    async def snapshot(self, person: Person, *, of: str, by: Actor | None = None) -> Snapshot:
        """Open pages of a member's inventory or trades, for the subject by default."""
        services = self.scene.client.services
        asker = await services.access.viewer(by or self.actor(Capability.INVENTORY_ANY, Capability.TRADES_ANY))
        if of == "inventory":
            request = InventoryRequest(trade_url=person.trade_url)
            return await services.snapshots.open(await services.inventory.look_up(request, by=asker), by=asker)
        return await services.snapshots.open(
            await services.trades.list_for(TradesRequest(steam_id=str(person.steam_id)), by=asker), by=asker
        )


class Whose(Enum):
    """The owner of the data that a case reads or changes."""

    OWN = auto()
    """Their own, or nobody's in particular."""
    FOREIGN = auto()
    """Another member's: rights to own data do not open it."""
    CLOSED = auto()
    """Closed to every member, with any rights."""


Do: TypeAlias = Callable[[Stage, Any], Coroutine[Any, Any, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """One use of an entry point.

    ``do`` returns all texts of the use; ``shows`` is among them if it was allowed. ``prepare`` makes the argument of
    ``do``, which serves until a use was allowed, or once if it is ``fleeting`` like a modal. ``missing`` does the same
    with data that does not exist: a refusal has to read like its answer. ``among`` are the declared capabilities that
    concern this case, if not all do; ``also`` are needed besides. ``barred`` is the text for a holder if the
    data is CLOSED to them.
    """

    do: Do
    shows: str
    whose: Whose = Whose.OWN
    prepare: Callable[[Stage], Coroutine[Any, Any, Any]] | None = None
    missing: Do | None = None
    among: tuple[Capability, ...] = ()
    also: tuple[Capability, ...] = ()
    barred: str = ""
    fleeting: bool = False


def text_fields_of(modal: Mapping[str, Any]) -> list[str]:
    """Return the custom ids of a modal's text fields, in rows as well as under labels."""
    fields = [field for row in modal["components"] for field in row.get("components") or [row.get("component") or row]]
    return [field["custom_id"] for field in fields if field["type"] == ComponentType.TEXT_INPUT]


def without_reference(text: str) -> str:
    """Return an answer without the one word that differs each time."""
    return _REFERENCE.sub("Reference", text)


def seen(result: simcord.InteractionResult) -> str:
    """Return everything an answer shows, and make sure that it shows it to its asker alone."""
    if result.modal is not None:
        return str(result.modal["title"])
    if result.followups:
        assert all(message.ephemeral for message in result.followups)
        return "\n".join(text for message in result.followups for text in _texts(message))
    assert result.response is not None
    return "\n".join(_texts(result.response))


def _texts(message: simcord.ResponseMessage) -> list[str]:
    return [message.content, *map(embed_text, message.embeds)]
