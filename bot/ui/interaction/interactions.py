"""What every command, button and modal needs of its interaction: who acts, and the desk they act at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import discord

from bot.domain.access import Actor
from bot.domain.errors import NotInGuild
from bot.services.container import Services

if TYPE_CHECKING:
    from bot.ui.interaction.in_flight import InFlight

Interaction: TypeAlias = "discord.Interaction[discord.Client]"

_FINISHED = "finished"
_UNCONFIRMED = "unconfirmed"
_UNSENT = "unsent"


class HasServices(Protocol):
    """What the building blocks need of the client."""

    services: Services
    in_flight: "InFlight"
    is_stopping: bool


def client_of(interaction: Interaction) -> HasServices:
    """Return the client that received the interaction."""
    return cast("HasServices", interaction.client)


def services_of(interaction: Interaction) -> Services:
    """Return the services of the client that received the interaction."""
    return client_of(interaction).services


def actor_of(interaction: Interaction) -> Actor:
    """Return who acts, with the roles the interaction itself carries; NotInGuild outside a guild."""
    member = interaction.user
    if interaction.guild_id is None or not isinstance(member, discord.Member):
        raise NotInGuild
    owns = interaction.guild is not None and interaction.guild.owner_id == member.id
    return Actor(
        guild_id=interaction.guild_id,
        user_id=member.id,
        # A guild's @everyone role has the guild's own id and is not in the payload.
        role_ids=frozenset({interaction.guild_id, *(role.id for role in member.roles)}),
        administers=owns or interaction.permissions.administrator,
    )


@dataclass(frozen=True, slots=True)
class PendingReply:
    """An answer that Discord did not take."""

    embed: discord.Embed
    view: discord.ui.View | None
    file: discord.File | None = None


def is_thinking(interaction: Interaction) -> bool:
    """Say whether Discord shows "thinking…" to whoever waits, or may do so: deferred, and never finished."""
    kind = interaction.response.type
    if kind is None:
        deferred = bool(interaction.extras.get(_UNCONFIRMED, False))
    else:
        deferred = kind is discord.InteractionResponseType.deferred_channel_message
    return deferred and not is_finished(interaction)


def unconfirmed(interaction: Interaction, *, thinking: bool) -> None:
    """Note that Discord may have taken a first answer without having confirmed it, and whether "thinking…" was it."""
    interaction.extras.setdefault(_UNCONFIRMED, thinking)


def is_unconfirmed(interaction: Interaction) -> bool:
    """Say whether that was noted, and nothing was confirmed since."""
    return _UNCONFIRMED in interaction.extras and not interaction.response.is_done()


def finished(interaction: Interaction) -> None:
    """Note that Discord has taken the answer that replaces "thinking…", or will take none any more."""
    interaction.extras[_FINISHED] = True


def is_finished(interaction: Interaction) -> bool:
    """Say whether that was noted."""
    return bool(interaction.extras.get(_FINISHED, False))


def pending_reply_of(interaction: Interaction) -> PendingReply | None:
    """Return the answer that Discord did not take, if there is one."""
    pending_reply: PendingReply | None = interaction.extras.get(_UNSENT)
    return pending_reply


def keep_pending_reply(interaction: Interaction, pending_reply: PendingReply) -> None:
    """Keep an answer that Discord did not take; the first one counts, which says what was done."""
    interaction.extras.setdefault(_UNSENT, pending_reply)


def actor_for(member: discord.Member) -> Actor:
    """Return a member whom an option names as they would act, with the roles the interaction carries of them."""
    permissions = member.resolved_permissions or member.guild_permissions
    return Actor(
        guild_id=member.guild.id,
        user_id=member.id,
        role_ids=frozenset({member.guild.id, *(role.id for role in member.roles)}),
        administers=member.guild.owner_id == member.id or permissions.administrator,
    )
