"""Users, guilds, roles, members and channels of the loopback Discord, in the shapes of Discord's API."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, new_id


class Permission(IntFlag):
    """The permission bits that decide something here."""

    ADMINISTRATOR = 1 << 3
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    USE_APPLICATION_COMMANDS = 1 << 31
    EVERYTHING = (1 << 53) - 1


ORDINARY = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
)
"""What @everyone may do in a new guild."""


class ChannelKind(IntEnum):
    """Discord's channel types, as far as they exist here."""

    TEXT = 0
    DIRECT = 1


@dataclass(slots=True, eq=False)
class User:
    """An account. Where ``accepts_direct_messages`` is false, Discord refuses them with 50007."""

    name: str
    id: int = field(default_factory=new_id)
    is_bot: bool = False
    accepts_direct_messages: bool = True

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": None if self.is_bot else self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.is_bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
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
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": self.position,
            "permissions": str(int(self.permissions)),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass(slots=True, eq=False)
class Member:
    """A user in a guild. Change ``roles`` freely: each interaction carries them as they are then."""

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
            "joined_at": "2024-05-01T09:30:00+00:00",
            "premium_since": None,
            "communication_disabled_until": None,
            "nick": None,
            "avatar": None,
            "banner": None,
            "deaf": False,
            "mute": False,
            "pending": False,
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
        if self.recipient is not None:
            return {
                "id": str(self.id),
                "type": ChannelKind.DIRECT,
                "flags": 0,
                "last_message_id": None,
                "recipients": [self.recipient.payload()],
            }
        payload: Json = {
            "id": str(self.id),
            "type": ChannelKind.TEXT,
            "name": self.name,
            "position": self.position,
            "parent_id": None,
            "topic": None,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
            "permission_overwrites": self.overwrites,
        }
        if self.guild is not None:
            payload["guild_id"] = str(self.guild.id)
        return payload


class Guild:
    """A server with its owner, the bot, and whoever is added."""

    def __init__(self, name: str, *, owner: User, bot: User) -> None:
        self.id = new_id()
        self.name = name
        self.everyone = Role("@everyone", ORDINARY, position=0, id=self.id)
        self.roles = [self.everyone]
        self.channels: list[Channel] = []
        self.members: dict[int, Member] = {}
        self.bot_role = self.add_role(bot.name, ORDINARY)
        self.bot = self.add_member(bot, self.bot_role)
        self.owner = self.add_member(owner)

    def __repr__(self) -> str:
        return f"<Guild {self.id} {self.name!r}>"

    def add_role(self, name: str, permissions: int = 0) -> Role:
        """Add a role; ``permissions`` are Discord's bits."""
        role = Role(name, permissions, position=len(self.roles))
        self.roles.append(role)
        return role

    def add_member(self, user: User | str, *roles: Role) -> Member:
        """Add a new person by name, or somebody who is in another guild already."""
        account = user if isinstance(user, User) else User(user)
        member = Member(account, self, list(roles))
        self.members[account.id] = member
        return member

    def add_channel(self, name: str, *, overwrites: Iterable[Json] = ()) -> Channel:
        """Add a text channel."""
        channel = Channel(name, self, position=len(self.channels), overwrites=list(overwrites))
        self.channels.append(channel)
        return channel

    def permissions(self, member: Member, channel: Channel) -> int:
        """Return what ``member`` may do in ``channel``, by Discord's order of overwrites."""
        if member is self.owner:
            return int(Permission.EVERYTHING)
        bits = int(self.everyone.permissions)
        for role in member.roles:
            bits |= int(role.permissions)
        if bits & Permission.ADMINISTRATOR:
            return int(Permission.EVERYTHING)
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
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "home_header": None,
            "description": None,
            "banner": None,
            "application_id": None,
            "region": "deprecated",
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [role.payload() for role in self.roles],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw": False,
            "nsfw_level": 0,
            "incidents_data": None,
            "max_presences": None,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "widget_enabled": False,
            "widget_channel_id": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "vanity_url_code": None,
        }

    def summary(self) -> Json:
        """Return the guild as a list of the bot's own guilds has it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(int(self.bot_role.permissions)),
            "features": [],
        }

    def arrival(self) -> Json:
        """Return the guild as GUILD_CREATE has it: with channels, and of the members the bot alone."""
        return self.payload() | {
            "joined_at": "2024-05-01T09:30:00+00:00",
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.bot.payload() | {"user": self.bot.user.payload()}],
            "channels": [channel.payload() for channel in self.channels],
            "threads": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
