"""A small Discord on loopback, over real sockets: REST and gateway for one bot, and the people who use it."""

from asyncio import Future, get_running_loop, wait
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import discord
import yarl
from aiohttp import web

from tests.support.loopback_discord.commands import CommandBook, filled, slash_data
from tests.support.loopback_discord.faults import Faults
from tests.support.loopback_discord.gateway import Gateway
from tests.support.loopback_discord.guilds import Channel, Guild, Member, User
from tests.support.loopback_discord.interactions import Interactions
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.records import InteractionRecord, Kind
from tests.support.loopback_discord.routes import Routes
from tests.support.loopback_discord.wire import BASE, Json, Refusal, Refused, Request, new_id, received, response
from tests.support.loopback_discord.world import World
from tests.support.turns import Turns

T = TypeVar("T")

_GATEWAY = "/gateway"
_BUTTON = 2
_POLL_INTERVAL = 0.05


class LoopbackDiscord:
    """``async with LoopbackDiscord() as server:`` listens on a free port of 127.0.0.1.

    It knows only what the end-to-end tests and benchmarks need. Leaving it raises the server's own errors.
    """

    def __init__(self) -> None:
        self.world = World()
        self.commands = CommandBook(self.world.application_id)
        self.own_turns = Turns()
        self.turns = [self.own_turns]
        """The clocks of this process and of the bots."""
        self.interactions = Interactions(self.world, self.turns)
        self.faults = Faults()
        self.token = f"{b64encode(str(self.world.bot.id).encode()).decode().rstrip('=')}.LoopBk.{'x' * 38}"
        self.gateway = Gateway(self.world, token=self.token, changed=self._changed)
        self.requests: list[Request] = []
        self.unknown_requests: list[Request] = []
        """Requests to unknown routes: must be empty at the end of a test."""
        self.api_base = ""
        self.cdn_base = ""
        self._routes = Routes(self.world, self.commands, self.interactions)
        self._waiting: list[Future[None]] = []
        self._errors: list[Exception] = []

    async def __aenter__(self) -> Self:
        await self.own_turns.__aenter__()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=2048).start()
        address = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.api_base = f"http://{address}{BASE}"
        self.cdn_base = f"http://{address}/cdn"
        self.gateway.url = f"ws://{address}{_GATEWAY}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.gateway.close()
        await self._runner.cleanup()
        await self.own_turns.__aexit__()
        if self._errors and error is None:
            raise ExceptionGroup("the loopback Discord broke", self._errors)

    def add_guild(self, name: str = "Skins", *, owner: str = "owner", shard: tuple[int, int] = (0, 1)) -> Guild:
        """Add a guild with its owner and the bot, before the bot connects; of a shard, of so many."""
        guild = Guild(name, owner=User(owner), bot=self.world.bot, guild_id=new_id(shard))
        self.world.guilds[guild.id] = guild
        return guild

    def direct_messages(self, member: Member) -> list[Message]:
        """Return the bot's direct messages to a member."""
        return self.world.direct_channel(member.user).messages

    async def slash(
        self, guild: Guild, channel: Channel, member: Member, command: str, /, **options: Any
    ) -> InteractionRecord:
        """Use a slash command ("inventory", "access grant"); options take Member, Role and Channel objects.

        Options that a client would not send raise LookupError or ValueError.
        """
        data = slash_data(self.commands, guild, command, options)
        return await self._dispatch(Kind.COMMAND, command, data, member=member, channel=channel)

    async def autocomplete(
        self, guild: Guild, channel: Channel, member: Member, command: str, focused: str, /, **options: Any
    ) -> InteractionRecord:
        """Type into the option ``focused``, whose text so far is among ``options``."""
        data = slash_data(self.commands, guild, command, {focused: ""} | options, focused)
        return await self._dispatch(Kind.AUTOCOMPLETE, command, data, member=member, channel=channel)

    async def click(self, message: Message, custom_id: str, member: Member) -> InteractionRecord:
        """Click a button; LookupError if ``member`` does not see an enabled one."""
        return await self._use(message, custom_id, member, {})

    async def select(self, message: Message, custom_id: str, member: Member, *values: str) -> InteractionRecord:
        """Choose from a string select; LookupError if ``member`` does not see an enabled one."""
        return await self._use(message, custom_id, member, {"values": list(values)})

    async def submit_modal(self, opened: InteractionRecord, values: Mapping[str, str]) -> InteractionRecord:
        """Submit the modal that answered ``opened``; ``values`` are by custom id or label."""
        modal, unused = opened.modal, dict(values)
        data = {"custom_id": modal["custom_id"], "components": [filled(row, unused) for row in modal["components"]]}
        if unused:
            raise LookupError(list(unused))
        return await self._dispatch(
            Kind.MODAL, modal["custom_id"], data, member=opened.member, channel=opened.channel, source=opened.source
        )

    async def until(self, condition: Callable[[], T], within: float = 30.0) -> T:
        """Wait until ``condition()`` is truthy and return it; TimeoutError after ``within`` seconds.

        It is called after each request, when a bot connects or leaves, and every 50 ms. Time in which this process
        had no turn does not count.
        """
        ends_at = self.own_turns.seconds + within
        while not (result := condition()):
            if self.own_turns.seconds > ends_at:
                raise TimeoutError
            future: Future[None] = get_running_loop().create_future()
            self._waiting.append(future)
            await wait({future}, timeout=_POLL_INTERVAL)
        return result

    async def _use(self, message: Message, custom_id: str, member: Member, more: Json) -> InteractionRecord:
        if message.seen_by not in (None, member.id):
            raise LookupError(message, member)
        component = message.component(custom_id)
        if (component["type"] == _BUTTON) is ("values" in more):
            raise LookupError(custom_id, component["type"])
        data = {"custom_id": custom_id, "component_type": component["type"]} | more
        return await self._dispatch(
            Kind.COMPONENT, custom_id, data, member=member, channel=message.channel, source=message
        )

    async def _dispatch(
        self, kind: Kind, name: str, data: Json, *, member: Member, channel: Channel, source: Message | None = None
    ) -> InteractionRecord:
        record, event = self.interactions.begin(kind, name, data, member=member, channel=channel, source=source)
        await self.gateway.dispatch("INTERACTION_CREATE", event)
        return record

    def _changed(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        try:
            if incoming.path.startswith(_GATEWAY):
                return await self.gateway.serve(incoming)
            return await self._answer(incoming)
        except ConnectionError:
            raise
        except Exception as error:
            self._errors.append(error)
            raise

    async def _answer(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = await received(incoming)
        self.requests.append(request)
        fault = self.faults.take(request)
        if fault is not None:
            await fault.wait()
        status, body = 0, None
        if fault is None or fault.carried_out:
            status, body = self._carry_out(request, incoming.headers.get("Authorization"))
        if fault is not None and fault.status is not None:
            status, body = fault.status, fault.body()
        is_dropped = fault is not None and fault.is_dropped
        request.status = None if is_dropped else status
        self._changed()
        if is_dropped and incoming.transport is not None:
            incoming.transport.abort()
        if fault is not None and fault.page is not None:
            return web.Response(status=status, text=fault.page, content_type="text/html", headers=fault.headers)
        return response(status or 500, body)

    def _carry_out(self, request: Request, authorization: str | None) -> tuple[int, Any]:
        try:
            body = self._handle(request, authorization)
        except Refused as refused:
            return refused.status, refused.body
        return (204, None) if body is None else (200, body)

    def _handle(self, request: Request, authorization: str | None) -> Any:
        found = self._routes.find(request)
        if found is None:
            self.unknown_requests.append(request)
            raise Refused(Refusal.UNKNOWN_ROUTE)
        if authorization != f"Bot {self.token}" and not request.path.startswith(("/interactions/", "/webhooks/")):
            raise Refused(Refusal.UNAUTHORIZED)
        handler, segments = found
        return handler(request, *segments)


@contextmanager
def pointed_at(server: LoopbackDiscord) -> Iterator[None]:
    """Direct every discord.py client of this process to ``server``."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    discord.http.Route.BASE = server.api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway.url)
    discord.Asset.BASE = server.cdn_base
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before
