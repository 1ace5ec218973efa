"""Users, guilds, roles, members and channels of the loopback Discord, as discord.py reads them."""

from dataclasses import dataclass, field

import discord

from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, new_id

ORDINARY = discord.Permissions(
    view_channel=True,
    send_messages=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    use_application_commands=True,
).value
"""The permissions of @everyone in a new guild."""

_TEXT, _DIRECT = 0, 1
_JOINED_AT = "2024-05-01T09:30:00+00:00"


@dataclass(slots=True, eq=False)
class User:
    """An account."""

    name: str
    id: int = field(default_factory=new_id)
    is_bot: bool = False

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": None if self.is_bot else self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.is_bot,
        }


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild."""

    name: str
    permissions: int
    position: int
    id: int = field(default_factory=new_id)

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "position": self.position,
            "permissions": str(int(self.permissions)),
        }


@dataclass(slots=True, eq=False)
class Member:
    """A user in a guild. Each interaction carries ``roles`` as they are at that moment."""

    user: User
    guild: "Guild" = field(repr=False)
    roles: list[Role]

    @property
    def id(self) -> int:
        return self.user.id

    def payload(self) -> Json:
        """Return the member without its user, as resolved data has it."""
        return {
            "roles": [str(role.id) for role in self.roles],
            "joined_at": _JOINED_AT,
            "flags": 0,
        }


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel of a guild, or the direct messages with ``recipient``.

    ``overwrites`` are Discord's: ``{"id": …, "type": 0 role | 1 member, "allow": "0", "deny": "1024"}``.
    """

    name: str
    guild: "Guild | None" = field(default=None, repr=False)
    recipient: User | None = None
    position: int = 0
    overwrites: list[Json] = field(default_factory=list)
    id: int = field(default_factory=new_id)
    messages: list[Message] = field(default_factory=list, repr=False)

    def payload(self) -> Json:
        payload: Json = {"id": str(self.id)}
        if self.recipient is not None:
            return payload | {"type": _DIRECT, "recipients": [self.recipient.payload()]}
        payload |= {
            "type": _TEXT,
            "name": self.name,
            "position": self.position,
            "permission_overwrites": self.overwrites,
        }
        return payload if self.guild is None else payload | {"guild_id": str(self.guild.id)}


class Guild:
    """A server with its owner, the bot, and the members a test adds."""

    def __init__(self, name: str, *, owner: User, bot: User, guild_id: int) -> None:
        self.id = guild_id
        self.name = name
        self.everyone = Role("@everyone", ORDINARY, position=0, id=self.id)
        self.roles = [self.everyone]
        self.channels: list[Channel] = []
        self.members: dict[int, Member] = {}
        self.bot_role = self.add_role(bot.name, ORDINARY)
        self.bot = self.add_member(bot, self.bot_role)
        self.owner = self.add_member(owner)

    def add_role(self, name: str, permissions: int = 0) -> Role:
        role = Role(name, permissions, position=len(self.roles))
        self.roles.append(role)
        return role

    def add_member(self, user: User | str, *roles: Role) -> Member:
        """Add a new user by name, or a user of another guild."""
        account = user if isinstance(user, User) else User(user)
        member = Member(account, self, list(roles))
        self.members[account.id] = member
        return member

    def add_channel(self, name: str) -> Channel:
        channel = Channel(name, self, position=len(self.channels))
        self.channels.append(channel)
        return channel

    def permissions(self, member: Member, channel: Channel) -> int:
        """Return the permissions of ``member`` in ``channel``, by Discord's order of overwrites."""
        bits = self.everyone.permissions
        for role in member.roles:
            bits |= role.permissions
        if member is self.owner or bits & discord.Permissions(administrator=True).value:
            return discord.Permissions.all().value
        role_ids = {str(role.id) for role in member.roles}
        for scope in ({str(self.id)}, role_ids, {str(member.id)}):
            found = [overwrite for overwrite in channel.overwrites if overwrite["id"] in scope]
            for overwrite in found:
                bits &= ~int(overwrite["deny"])
            for overwrite in found:
                bits |= int(overwrite["allow"])
        return bits

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "features": [],
            "roles": [role.payload() for role in self.roles],
        }

    def summary(self) -> Json:
        """Return the guild as ``/users/@me/guilds`` lists it."""
        permissions = str(self.bot_role.permissions)
        return {"id": str(self.id), "name": self.name, "owner": False, "permissions": permissions, "features": []}

    def arrival(self) -> Json:
        """Return the guild as GUILD_CREATE has it: with its channels, and the bot as the only member."""
        return self.payload() | {
            "joined_at": _JOINED_AT,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.bot.payload() | {"user": self.bot.user.payload()}],
            "channels": [channel.payload() for channel in self.channels],
        }
