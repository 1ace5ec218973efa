"""Everything that exists in the loopback Discord, and the bot in it."""

from tests.support.loopback_discord.guilds import Channel, Guild, User
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, Refused


class World:
    """Finds things by id."""

    def __init__(self) -> None:
        self.bot = User("skindesk", is_bot=True)
        self.developer = User("developer")
        self.application_id = self.bot.id
        self.application_settings: Json = {}
        """Values of the developer portal that replace those of :meth:`application`."""
        self.session_starts = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
        self.shards = 1
        """As many as Discord recommends."""
        self.guilds: dict[int, Guild] = {}
        self.messages: dict[int, Message] = {}
        self._direct: dict[int, Channel] = {}

    def user(self, user_id: int) -> User:
        return next(guild.members[user_id].user for guild in self.guilds.values() if user_id in guild.members)

    def channel(self, channel_id: int) -> Channel:
        """Return a channel of a guild or of direct messages."""
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

    def keep(self, message: Message) -> None:
        self.messages[message.id] = message
        message.channel.messages.append(message)

    def delete(self, message: Message) -> None:
        del self.messages[message.id]
        message.channel.messages.remove(message)

    def posted_with(self, channel: Channel, nonce: str) -> Message | None:
        """Return the bot's message in the channel that was posted with this nonce; Discord forgets it in minutes."""
        return next((message for message in channel.messages if message.nonce == nonce), None)

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
            "owner": self.developer.payload(),
            **self.application_settings,
        }
