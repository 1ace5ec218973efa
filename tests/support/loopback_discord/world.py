"""Everything there is in the loopback Discord, and the bot in it."""

from tests.support.loopback_discord.guilds import Channel, Guild, User
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, Refused


class World:
    """What is found by id; what is not found is refused as Discord does."""

    def __init__(self) -> None:
        self.bot = User("skindesk", is_bot=True)
        self.developer = User("developer")
        self.application_id = self.bot.id
        self.application_settings: Json = {}
        """What the developer portal has otherwise than :meth:`application` says."""
        self.guilds: dict[int, Guild] = {}
        self.messages: dict[int, Message] = {}
        self._direct: dict[int, Channel] = {}

    def guild(self, guild_id: int) -> Guild:
        """Return a guild; Refused where there is none."""
        try:
            return self.guilds[guild_id]
        except KeyError:
            raise Refused(Refusal.UNKNOWN_GUILD) from None

    def user(self, user_id: int) -> User:
        """Return a user of any guild; Refused where there is none."""
        for guild in self.guilds.values():
            if user_id in guild.members:
                return guild.members[user_id].user
        raise Refused(Refusal.UNKNOWN_USER)

    def channel(self, channel_id: int) -> Channel:
        """Return a channel of a guild or of direct messages; Refused where there is none."""
        guild_channels = (channel for guild in self.guilds.values() for channel in guild.channels)
        for channel in (*self._direct.values(), *guild_channels):
            if channel.id == channel_id:
                return channel
        raise Refused(Refusal.UNKNOWN_CHANNEL)

    def direct_channel(self, user: User) -> Channel:
        """Return the direct messages between ``user`` and the bot."""
        if user.id not in self._direct:
            self._direct[user.id] = Channel(user.name, recipient=user)
        return self._direct[user.id]

    def keep(self, message: Message, channel: Channel) -> None:
        """Remember a new message of ``channel``."""
        self.messages[message.id] = message
        channel.messages.append(message)

    def me(self) -> Json:
        """Return the bot as its own token sees it."""
        return self.bot.payload() | {"mfa_enabled": True, "verified": True, "locale": "en-US", "email": None}

    def application(self) -> Json:
        """Return the application as its own token sees it."""
        return {
            "id": str(self.application_id),
            "name": self.bot.name,
            "icon": None,
            "description": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "type": None,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": len(self.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "owner": self.developer.payload(),
            "team": None,
            **self.application_settings,
        }
