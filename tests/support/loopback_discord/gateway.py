"""The gateway of the loopback Discord: one session, its heartbeats, and its resumption after a lost connection."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from secrets import token_hex
from typing import Any

from aiohttp import WSMsgType, web

from tests.support.loopback_discord.wire import Json, encoded
from tests.support.loopback_discord.world import World

_HEARTBEAT_INTERVAL_MS = 41_250
_REPLAYED = 5_000
_AUTHENTICATION_FAILED = 4004
_GOING_AWAY = 1001


class Op(IntEnum):
    """The gateway's opcodes that mean something here."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class NoBot(Exception):
    """No bot has identified itself yet."""


@dataclass(slots=True, eq=False)
class _Session:
    """A session outlives its connections, until another one begins; missed events are replayed from ``sent``.

    A discord.py client closes with 4000, not 1000, so a bot that left for good could still resume.
    """

    socket: web.WebSocketResponse | None
    id: str = field(default_factory=lambda: token_hex(16))
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_REPLAYED))


class Gateway:
    """The WebSocket side. ``changed`` is called when a bot connects, resumes or leaves."""

    def __init__(self, world: World, *, token: str, changed: Callable[[], None]) -> None:
        self.url = ""
        self.sessions_started = 0
        self.connections = 0
        self.closes: list[int] = []
        """Close codes with which the next sessions end at once, instead of their READY."""
        self.refusals: list[int] = []
        """HTTP statuses with which the next connections are answered; 0 for no answer at all after the connection."""
        self.unknown: list[int] = []
        """Opcodes that were not understood."""
        self._world = world
        self._token = token
        self._changed = changed
        self._session: _Session | None = None
        self._transport: asyncio.WriteTransport | None = None

    @property
    def is_connected(self) -> bool:
        """Whether a bot with a session is listening now."""
        return self._session is not None and self._session.socket is not None

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Talk with one connection until it ends."""
        self.connections += 1
        self._changed()
        refused = self.refusals.pop(0) if self.refusals else None
        if refused:
            return web.Response(
                status=refused, text="<html><title>Bad gateway</title></html>", content_type="text/html"
            )
        socket = web.WebSocketResponse(timeout=1.0, compress=False)
        self._transport = request.transport
        await socket.prepare(request)
        if refused == 0:
            await socket.receive()
            return socket
        await socket.send_str(_frame(Op.HELLO, {"heartbeat_interval": _HEARTBEAT_INTERVAL_MS}))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                await self._receive(socket, frame["op"], frame.get("d"))
        if self._session is not None and self._session.socket is socket:
            self._session.socket = None
        self._changed()
        return socket

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event; a bot whose connection is lost gets it when it resumes."""
        session = self._session
        if session is None:
            raise NoBot(event)
        session.sequence += 1
        text = encoded({"t": event, "s": session.sequence, "op": Op.DISPATCH, "d": data})
        session.sent.append((session.sequence, text))
        if session.socket is not None:
            await _send(session.socket, text)

    def drop(self) -> None:
        """Cut the connection without a close frame; the session stays."""
        assert self._session is not None
        self._session.socket = None
        if self._transport is not None:
            self._transport.abort()

    async def close(self, code: int = _GOING_AWAY) -> None:
        """Close the connection of a connected bot."""
        if self._session is not None and self._session.socket is not None:
            await self._session.socket.close(code=code)

    async def _receive(self, socket: web.WebSocketResponse, op: int, data: Any) -> None:
        if op == Op.HEARTBEAT:
            await _send(socket, _frame(Op.HEARTBEAT_ACK, None))
        elif op == Op.IDENTIFY:
            await self._identify(socket, data)
        elif op == Op.RESUME:
            await self._resume(socket, data)
        elif op != Op.PRESENCE:
            self.unknown.append(op)

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> None:
        if data["token"] != self._token:
            await socket.close(code=_AUTHENTICATION_FAILED)
            return
        if self.closes:
            await socket.close(code=self.closes.pop(0))
            return
        session = self._session = _Session(socket)
        guilds = list(self._world.guilds.values())
        ready = {
            "v": 10,
            "user": self._world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        await self.dispatch("READY", ready)
        for guild in guilds:
            await self.dispatch("GUILD_CREATE", guild.arrival())
        self.sessions_started += 1
        self._changed()

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> None:
        session = self._session
        if session is None or data["session_id"] != session.id or data["token"] != self._token:
            await _send(socket, _frame(Op.INVALID_SESSION, d=False))
            return
        session.socket = socket
        for sequence, text in list(session.sent):
            if sequence > data["seq"]:
                await _send(socket, text)
        await self.dispatch("RESUMED", {})
        self._changed()


def _frame(op: Op, d: Any) -> str:
    return encoded({"op": op, "d": d})


async def _send(socket: web.WebSocketResponse, text: str) -> None:
    """Send to a peer that may have left: its session keeps the event for a resumption."""
    try:
        await socket.send_str(text)
    except ConnectionError:
        return
