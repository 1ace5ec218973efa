"""The roles of a guild as SkinDesk shows and examines them: their facts, names and commands about them."""

from collections.abc import Mapping, Sequence

import discord

from bot.domain.access import Capability
from bot.domain.access_doctor import RoleFacts, Source
from bot.languages import listed, t, tn
from bot.ui.kit.text import ELLIPSIS, code, plain

_NAMED = 4


class RoleNames:
    """The names of a guild's roles, for sentences and for commands."""

    def __init__(self, guild_id: int, names: Mapping[int, str]) -> None:
        self._guild_id = guild_id
        self._names = names

    def mention(self, role_id: int) -> str:
        """Return a mention of a role, or the id of a deleted one."""
        if role_id == self._guild_id:
            return "@everyone"
        return f"<@&{role_id}>" if role_id in self._names or not self._names else _deleted(role_id)

    def mentions(self, role_ids: Sequence[int]) -> str:
        """Return a list of the first few roles, and the number of the others."""
        named = [self.mention(role_id) for role_id in role_ids[:_NAMED]]
        if len(role_ids) > _NAMED:
            named.append(tn("{count} more role", "{count} more roles", len(role_ids) - _NAMED))
        return listed(named)

    def command(self, verb: str, role_id: int | None, capability: Capability) -> str:
        """Return the command that changes a grant, ready to type."""
        name = plain(self._names.get(role_id or 0, ELLIPSIS).lstrip("@"), 100)
        role = "everyone" if role_id == self._guild_id else name
        text = " ".join(["/access", verb, f"role:@{role}", f"capability:{capability.value}"])
        return f"`{text}`" if role_id == self._guild_id else code(text)


def _deleted(role_id: int) -> str:
    return t("deleted role {role}", role=code(str(role_id)))


def role_facts(guild: discord.Guild) -> tuple[RoleFacts, ...]:
    """Return the facts about a guild's roles."""
    return tuple(_facts(role, rank) for rank, role in enumerate(sorted(guild.roles)))


def role_names(guild: discord.Guild | None, guild_id: int) -> RoleNames:
    """Return the names of a guild's roles."""
    return RoleNames(guild_id, {role.id: role.name for role in guild.roles} if guild is not None else {})


def _facts(role: discord.Role, rank: int) -> RoleFacts:
    tags = role.tags
    marks = {
        Source.PROMPT: role.flags.in_prompt,
        Source.BOT: tags is not None and tags.is_bot_managed(),
        Source.BOOST: tags is not None and tags.is_premium_subscriber(),
        Source.CONNECTION: tags is not None and tags.is_guild_connection(),
        Source.PURCHASE: tags is not None and tags.subscription_listing_id is not None,
    }
    # A bot's and a purchasable role name the integration behind them too.
    if tags is not None and tags.is_integration() and not (marks[Source.BOT] or marks[Source.PURCHASE]):
        marks[Source.INTEGRATION] = True
    return RoleFacts(
        role_id=role.id,
        rank=rank,
        is_managed=role.managed,
        sources=frozenset(source for source, is_so in marks.items() if is_so),
        administers=role.permissions.administrator,
        manages_roles=role.permissions.manage_roles,
    )
