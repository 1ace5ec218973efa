"""The REST routes of the loopback Discord: what a bot with slash commands asks for, and nothing else."""

from collections.abc import Callable
from typing import Any

from tests.support.loopback_discord.commands import CommandBook
from tests.support.loopback_discord.guilds import Channel, Permission
from tests.support.loopback_discord.interactions import Interactions
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, Refused, Request, invalid, same_path
from tests.support.loopback_discord.world import World

_Handler = Callable[..., Any]


class RestApi:
    """Answers requests. A handler gets the request and its path's variable segments, and returns a JSON value or None.

    What it returns goes out with status 200, None with 204, a Refused with its own status.
    """

    def __init__(self, world: World, commands: CommandBook, interactions: Interactions, *, gateway_url: str) -> None:
        self._world = world
        self._commands = commands
        self._interactions = interactions
        self._gateway_url = gateway_url
        self._routes: dict[tuple[str, int], list[tuple[list[str], _Handler]]] = {}
        for method, pattern, handler in self._table():
            segments = pattern.split("/")
            self._routes.setdefault((method, len(segments)), []).append((segments, handler))

    def handler(self, request: Request) -> tuple[_Handler, list[str]] | None:
        """Return what answers the request, and the variable segments of its path; None for an unknown route."""
        segments = request.path.split("/")
        for pattern, handler in self._routes.get((request.method, len(segments)), ()):
            if same_path(pattern, segments):
                return handler, [found for wanted, found in zip(pattern, segments, strict=True) if wanted == "*"]
        return None

    def _table(self) -> tuple[tuple[str, str, _Handler], ...]:
        return (
            ("POST", "/interactions/*/*/callback", self._acknowledge),
            ("PATCH", "/webhooks/*/*/messages/*", self._edit_answer),
            ("POST", "/webhooks/*/*", self._follow_up),
            ("GET", "/webhooks/*/*/messages/*", self._get_answer),
            ("DELETE", "/webhooks/*/*/messages/*", self._delete_answer),
            ("GET", "/users/@me", lambda _: self._world.me()),
            ("GET", "/users/@me/guilds", self._guilds_of_bot),
            ("GET", "/oauth2/applications/@me", lambda _: self._world.application()),
            ("GET", "/applications/@me", lambda _: self._world.application()),
            ("GET", "/gateway", lambda _: {"url": self._gateway_url}),
            ("GET", "/gateway/bot", self._gateway),
            ("GET", "/applications/*/commands", self._listed_commands),
            ("PUT", "/applications/*/commands", self._sync_commands),
            ("GET", "/applications/*/guilds/*/commands", self._listed_commands),
            ("PUT", "/applications/*/guilds/*/commands", self._sync_commands),
            ("GET", "/users/*", lambda _, user_id: self._world.user(_id(user_id)).payload()),
            ("POST", "/users/@me/channels", self._open_direct_channel),
            ("GET", "/guilds/*", lambda _, guild_id: self._world.guild(_id(guild_id)).payload()),
            ("GET", "/guilds/*/members/*", self._get_member),
            ("GET", "/channels/*", lambda _, channel_id: self._readable(channel_id).payload()),
            ("POST", "/channels/*/messages", self._post_message),
            ("GET", "/channels/*/messages/*", self._get_message),
            ("PATCH", "/channels/*/messages/*", self._edit_message),
            ("DELETE", "/channels/*/messages/*", self._delete_message),
        )

    def _gateway(self, _: Request) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._gateway_url, "shards": 1, "session_start_limit": limit}

    def _guilds_of_bot(self, request: Request) -> list[Json]:
        """Return a page of the guilds, as ``/users/@me/guilds`` shows them."""
        after = int(request.query.get("after", "0"))
        guilds = sorted((each for each in self._world.guilds.values() if each.id > after), key=lambda each: each.id)
        return [guild.summary() for guild in guilds[: int(request.query.get("limit", "200"))]]

    def _listed_commands(self, _: Request, application_id: str, guild_id: str | None = None) -> list[Json]:
        return self._commands.listed(self._scope(application_id, guild_id))

    def _sync_commands(self, request: Request, application_id: str, guild_id: str | None = None) -> list[Json]:
        if not isinstance(request.body, list):
            raise invalid("_", "expected a list")
        return self._commands.sync(request.body, self._scope(application_id, guild_id))

    def _scope(self, application_id: str, guild_id: str | None) -> int | None:
        if application_id != str(self._world.application_id):
            raise Refused(Refusal.MISSING_ACCESS)
        return None if guild_id is None else self._guild_of_bot(guild_id)

    def _guild_of_bot(self, guild_id: str) -> int:
        try:
            return self._world.guild(_id(guild_id)).id
        except Refused:
            raise Refused(Refusal.MISSING_ACCESS) from None

    def _acknowledge(self, request: Request, interaction_id: str, token: str) -> Json | None:
        response = self._interactions.acknowledge(interaction_id, token, request)
        return response if request.query.get("with_response") in ("1", "true") else None

    def _follow_up(self, request: Request, application_id: str, token: str) -> Json:
        return self._interactions.follow_up(application_id, token, request).payload()

    def _edit_answer(self, request: Request, application_id: str, token: str, message_id: str) -> Json:
        return self._interactions.edit(application_id, token, message_id, request).payload()

    def _get_answer(self, _: Request, application_id: str, token: str, message_id: str) -> Json:
        record = self._interactions.live(application_id, token)
        return self._interactions.message(record, message_id).payload()

    def _delete_answer(self, _: Request, application_id: str, token: str, message_id: str) -> None:
        self._interactions.delete(application_id, token, message_id)

    def _open_direct_channel(self, request: Request) -> Json:
        try:
            user = self._world.user(_id(str(request.fields.get("recipient_id"))))
        except Refused:
            raise Refused(Refusal.INVALID_RECIPIENT) from None
        return self._world.direct_channel(user).payload()

    def _get_member(self, _: Request, guild_id: str, user_id: str) -> Json:
        member = self._world.guild(_id(guild_id)).members.get(_id(user_id))
        if member is None:
            raise Refused(Refusal.UNKNOWN_MEMBER)
        return member.payload() | {"user": member.user.payload()}

    def _post_message(self, request: Request, channel_id: str) -> Json:
        channel = self._readable(channel_id)
        if channel.recipient is not None and not channel.recipient.accepts_direct_messages:
            raise Refused(Refusal.NO_DIRECT_MESSAGES)
        if not self._may(channel, Permission.SEND_MESSAGES):
            raise Refused(Refusal.MISSING_PERMISSIONS)
        message = Message(self._world.bot, channel, flags=int(request.fields.get("flags") or 0))
        message.apply(request, created=True)
        self._world.keep(message, channel)
        return message.payload()

    def _get_message(self, _: Request, channel_id: str, message_id: str) -> Json:
        return self._public_message(channel_id, message_id).payload()

    def _edit_message(self, request: Request, channel_id: str, message_id: str) -> Json:
        message = self._public_message(channel_id, message_id)
        if message.author is not self._world.bot:
            raise Refused(Refusal.NOT_THE_AUTHOR)
        message.apply(request)
        return message.payload()

    def _delete_message(self, _: Request, channel_id: str, message_id: str) -> None:
        message = self._public_message(channel_id, message_id)
        if message.author is not self._world.bot:
            raise Refused(Refusal.MISSING_PERMISSIONS)
        message.is_deleted = True

    def _public_message(self, channel_id: str, message_id: str) -> Message:
        channel = self._readable(channel_id)
        message = self._world.messages.get(_id(message_id))
        if message is None or message.channel is not channel or message.is_deleted or message.is_ephemeral:
            raise Refused(Refusal.UNKNOWN_MESSAGE)
        return message

    def _readable(self, channel_id: str) -> Channel:
        channel = self._world.channel(_id(channel_id))
        if not self._may(channel, Permission.VIEW_CHANNEL):
            raise Refused(Refusal.MISSING_ACCESS)
        return channel

    def _may(self, channel: Channel, permission: Permission) -> bool:
        guild = channel.guild
        return guild is None or bool(guild.permissions(guild.bot, channel) & permission)


def _id(segment: str) -> int:
    if not segment.isdecimal():
        raise invalid("_", "not a snowflake")
    return int(segment)
