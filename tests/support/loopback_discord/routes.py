"""The REST routes of the loopback Discord: only those that SkinDesk asks for."""

from collections.abc import Callable
from typing import Any

import discord

from tests.support.loopback_discord.commands import CommandBook
from tests.support.loopback_discord.guilds import Channel
from tests.support.loopback_discord.interactions import Interactions
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, Refused, Request, same_path
from tests.support.loopback_discord.world import World

_Handler = Callable[..., Any]


class Routes:
    """Answers requests. A handler gets the request and its path's variable segments, and returns a JSON value or None.

    A value is sent with status 200, None with 204, a Refused with its own status.
    """

    def __init__(self, world: World, commands: CommandBook, interactions: Interactions) -> None:
        self._world = world
        self._commands = commands
        self._interactions = interactions
        self._routes = [(method, pattern.split("/"), handler) for method, pattern, handler in self._table()]

    def find(self, request: Request) -> tuple[_Handler, list[str]] | None:
        """Return a route's handler and the variable segments of the path; None for an unknown route."""
        segments = request.path.split("/")
        for method, pattern, handler in self._routes:
            if method == request.method and same_path(pattern, segments):
                return handler, [found for wanted, found in zip(pattern, segments, strict=True) if wanted == "*"]
        return None

    def _table(self) -> tuple[tuple[str, str, _Handler], ...]:
        interactions, world = self._interactions, self._world
        return (
            ("POST", "/interactions/*/*/callback", self._acknowledge),
            ("POST", "/webhooks/*/*", lambda request, _, token: interactions.follow_up(token, request).payload()),
            (
                "PATCH",
                "/webhooks/*/*/messages/@original",
                lambda request, _, token: interactions.edit(token, request).payload(),
            ),
            ("GET", "/users/@me", lambda _: world.bot.payload()),
            ("GET", "/users/@me/guilds", self._guilds_of_bot),
            ("GET", "/gateway/bot", self._gateway),
            ("GET", "/oauth2/applications/@me", lambda _: world.application()),
            ("GET", "/applications/@me", lambda _: world.application()),
            ("GET", "/applications/*/commands", self._listed_commands),
            ("PUT", "/applications/*/commands", self._sync_commands),
            ("GET", "/applications/*/guilds/*/commands", self._listed_commands),
            ("PUT", "/applications/*/guilds/*/commands", self._sync_commands),
            ("GET", "/users/*", lambda _, user_id: world.user(int(user_id)).payload()),
            ("POST", "/users/@me/channels", self._open_direct_channel),
            ("GET", "/guilds/*", lambda _, guild_id: world.guilds[int(guild_id)].payload()),
            ("GET", "/guilds/*/members/*", self._get_member),
            ("GET", "/channels/*", lambda _, channel_id: self._readable(channel_id).payload()),
            ("POST", "/channels/*/messages", self._post_message),
            ("GET", "/channels/*/messages/*", lambda _, *ids: self._message(*ids).payload()),
            ("PATCH", "/channels/*/messages/*", self._edit_message),
            ("DELETE", "/channels/*/messages/*", lambda _, *ids: self._world.delete(self._message(*ids))),
        )

    def _gateway(self, _: Request) -> Json:
        return {"url": "", "shards": self._world.shards, "session_start_limit": self._world.session_starts}

    def _guilds_of_bot(self, request: Request) -> list[Json]:
        after = int(request.params.get("after", "0"))
        return [guild.summary() for guild in self._world.guilds.values() if guild.id > after]

    def _listed_commands(self, _: Request, _application_id: str, guild_id: str | None = None) -> list[Json]:
        return self._commands.listed(self._scope(guild_id))

    def _sync_commands(self, request: Request, _application_id: str, guild_id: str | None = None) -> list[Json]:
        return self._commands.sync(request.json, self._scope(guild_id))

    def _scope(self, guild_id: str | None) -> int | None:
        if guild_id is not None and int(guild_id) not in self._world.guilds:
            raise Refused(Refusal.MISSING_ACCESS)
        return None if guild_id is None else int(guild_id)

    def _acknowledge(self, request: Request, interaction_id: str, token: str) -> Json | None:
        response = self._interactions.acknowledge(interaction_id, token, request)
        return response if request.params.get("with_response") in ("1", "true") else None

    def _open_direct_channel(self, request: Request) -> Json:
        return self._world.direct_channel(self._world.user(int(request.fields["recipient_id"]))).payload()

    def _get_member(self, _: Request, guild_id: str, user_id: str) -> Json:
        member = self._world.guilds[int(guild_id)].members[int(user_id)]
        return member.payload() | {"user": member.user.payload()}

    def _post_message(self, request: Request, channel_id: str) -> Json:
        channel = self._readable(channel_id)
        nonce = request.fields.get("nonce") if request.fields.get("enforce_nonce") else None
        if nonce is not None and (posted := self._world.posted_with(channel, nonce)) is not None:
            return posted.payload()
        message = Message(self._world.bot, channel, flags=int(request.fields.get("flags") or 0), nonce=nonce)
        message.update(request.fields, created=True)
        self._world.keep(message)
        return message.payload()

    def _edit_message(self, request: Request, channel_id: str, message_id: str) -> Json:
        message = self._message(channel_id, message_id)
        message.update(request.fields)
        return message.payload()

    def _message(self, channel_id: str, message_id: str) -> Message:
        channel = self._readable(channel_id)
        message = self._world.messages.get(int(message_id))
        if message is None or message.channel is not channel or message.is_ephemeral:
            raise Refused(Refusal.UNKNOWN_MESSAGE)
        return message

    def _readable(self, channel_id: str) -> Channel:
        channel = self._world.channel(int(channel_id))
        guild = channel.guild
        if guild is not None and not discord.Permissions(guild.permissions(guild.bot, channel)).view_channel:
            raise Refused(Refusal.MISSING_ACCESS)
        return channel
