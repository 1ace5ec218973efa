"""The gateway of the loopback Discord: sessions of one bot, their heartbeats and resumptions."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from secrets import token_hex
from time import monotonic
from typing import Any

from aiohttp import WSMsgType, web

from tests.support.loopback_discord.wire import Json, encoded
from tests.support.loopback_discord.world import World

_HEARTBEAT_INTERVAL_MS = 41_250
_REPLAYED = 5_000
_AUTHENTICATION_FAILED = 4004
_GOING_AWAY = 1001
_ID_TIME_SHIFT = 22
_OF_GUILDS = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"})


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
    """A session outlives its connections, until another one of its shard begins; missed events are replayed.

    A discord.py client closes with 4000, not 1000, so a bot that left for good could still resume.
    """

    connection: "_Connection | None"
    shard: tuple[int, int]
    """Its number, and how many there are."""
    is_ready: bool = False
    """Whether its guilds were sent."""
    id: str = field(default_factory=lambda: token_hex(16))
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_REPLAYED))

    def has(self, guild_id: int) -> bool:
        """Return whether the events of a guild belong to this session."""
        number, count = self.shard
        return (guild_id >> _ID_TIME_SHIFT) % count == number


@dataclass(slots=True, eq=False)
class _Connection:
    """``process`` is the name that the connection's address ends with."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport | None
    process: str


class Gateway:
    """The WebSocket side. ``changed`` is called when a bot connects, resumes or leaves.

    Several processes may have a session of the same shard: each gets all events of its guilds, as at Discord.
    """

    def __init__(self, world: World, *, token: str, changed: Callable[[], None]) -> None:
        self.url = ""
        self.sessions_started = 0
        self.connections = 0
        self.closes: list[int] = []
        """Close codes with which the next sessions end at once, instead of their READY."""
        self.refusals: list[int] = []
        """HTTP statuses with which the next connections are answered; 0 for no answer at all after the connection."""
        self.identified: list[tuple[float, int]] = []
        """When sessions began, and of which shard."""
        self.identify_every = 0.0
        """Seconds that Discord wants between two sessions of a bucket; one that comes too soon is invalid."""
        self.refused_sessions = 0
        self.delays: list[float] = []
        """Seconds after which the next sessions begin, as if the bot's way to Discord were slow."""
        self.away_for: set[str] = set()
        """The processes that get no connection."""
        self.unknown: list[int] = []
        """Opcodes that were not understood."""
        self._world = world
        self._token = token
        self._changed = changed
        self._sessions: list[_Session] = []

    @property
    def is_connected(self) -> bool:
        """Whether a bot with a session is listening now."""
        return any(session.connection is not None for session in self._sessions)

    def url_of(self, process: str) -> str:
        """Return the address for one process: by it :meth:`connected` knows the process."""
        return f"{self.url}/{process}"

    def connected(self, process: str) -> int:
        """Return how many sessions of a process are listening now."""
        return sum(
            each.is_ready and each.connection is not None and each.connection.process == process
            for each in self._sessions
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Talk with one connection until it ends."""
        self.connections += 1
        self._changed()
        process = request.path.split("/")[-1]
        refused = 502 if process in self.away_for else self.refusals.pop(0) if self.refusals else None
        if refused:
            return web.Response(
                status=refused, text="<html><title>Bad gateway</title></html>", content_type="text/html"
            )
        socket = web.WebSocketResponse(timeout=1.0, compress=False)
        connection = _Connection(socket, request.transport, process)
        await socket.prepare(request)
        if refused == 0:
            await socket.receive()
            return socket
        await socket.send_str(_frame(Op.HELLO, {"heartbeat_interval": _HEARTBEAT_INTERVAL_MS}))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                await self._receive(connection, frame["op"], frame.get("d"))
        for session in self._sessions:
            if session.connection is connection:
                session.connection = None
        self._changed()
        return socket

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event to the sessions of its guild, or to all; one without a connection gets it when it resumes."""
        guild_id = _guild_of(event, data)
        sessions = [each for each in self._sessions if guild_id is None or each.has(guild_id)]
        if not sessions:
            raise NoBot(event)
        for session in sessions:
            await _dispatch(session, event, data)

    def drop(self, shard: int | None = None) -> None:
        """Cut the connections of a shard, or all, without a close frame; the sessions stay."""
        for session in self._sessions:
            if shard not in (None, session.shard[0]):
                continue
            connection, session.connection = session.connection, None
            if connection is not None and connection.transport is not None:
                connection.transport.abort()

    async def leave(self, process: str) -> None:
        """Be away for one process from now on."""
        self.away_for.add(process)
        for session in list(self._sessions):
            if session.connection is not None and session.connection.process == process:
                await session.connection.socket.close(code=_GOING_AWAY)

    async def close(self, code: int = _GOING_AWAY, shard: int | None = None) -> None:
        """Close the connections of a shard, or all."""
        for session in list(self._sessions):
            if session.connection is not None and shard in (None, session.shard[0]):
                await session.connection.socket.close(code=code)

    async def end(self, shard: int) -> None:
        """End the sessions of a shard, so that none is resumed."""
        ended = [session for session in self._sessions if session.shard[0] == shard]
        self._sessions = [session for session in self._sessions if session not in ended]
        for session in ended:
            if session.connection is not None:
                await session.connection.socket.close(code=_GOING_AWAY)

    async def _receive(self, connection: _Connection, op: int, data: Any) -> None:
        if op == Op.HEARTBEAT:
            await _send(connection.socket, _frame(Op.HEARTBEAT_ACK, None))
        elif op == Op.IDENTIFY:
            await self._identify(connection, data)
        elif op == Op.RESUME:
            await self._resume(connection, data)
        elif op != Op.PRESENCE:
            self.unknown.append(op)

    async def _identify(self, connection: _Connection, data: Json) -> None:
        if data["token"] != self._token:
            await connection.socket.close(code=_AUTHENTICATION_FAILED)
            return
        if self.closes:
            await connection.socket.close(code=self.closes.pop(0))
            return
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        number, count = data.get("shard", (0, 1))
        if not self._may_begin(number):
            await _send(connection.socket, _frame(Op.INVALID_SESSION, d=False))
            return
        session = _Session(connection, (number, count))
        self._sessions = [each for each in self._sessions if each.connection is not None or each.shard != session.shard]
        self._sessions.append(session)
        guilds = [guild for guild in self._world.guilds.values() if session.has(guild.id)]
        ready = {
            "v": 10,
            "user": self._world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url_of(connection.process),
            "shard": [number, count],
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        await _dispatch(session, "READY", ready)
        for guild in guilds:
            await _dispatch(session, "GUILD_CREATE", guild.arrival())
        session.is_ready = True
        self.sessions_started += 1
        self._changed()

    def _may_begin(self, shard: int) -> bool:
        """Count a session of a shard, and return whether its bucket is free."""
        starts, now = self._world.session_starts, monotonic()
        starts["remaining"] -= 1
        concurrency = starts["max_concurrency"]
        same = [at for at, each in self.identified if each % concurrency == shard % concurrency]
        self.identified.append((now, shard))
        is_free = not same or now - same[-1] >= self.identify_every
        self.refused_sessions += not is_free
        return is_free

    async def _resume(self, connection: _Connection, data: Json) -> None:
        session = next((each for each in self._sessions if each.id == data["session_id"]), None)
        if session is None or data["token"] != self._token:
            await _send(connection.socket, _frame(Op.INVALID_SESSION, d=False))
            return
        session.connection = connection
        for sequence, text in list(session.sent):
            if sequence > data["seq"]:
                await _send(connection.socket, text)
        await _dispatch(session, "RESUMED", {})
        self._changed()


async def _dispatch(session: _Session, event: str, data: Json) -> None:
    session.sequence += 1
    text = encoded({"t": event, "s": session.sequence, "op": Op.DISPATCH, "d": data})
    session.sent.append((session.sequence, text))
    if session.connection is not None:
        await _send(session.connection.socket, text)


def _guild_of(event: str, data: Any) -> int | None:
    """Return the guild of an event; None if it is of none, or an odd one, 0 for direct messages: that is shard 0."""
    try:
        return int(data["id" if event in _OF_GUILDS else "guild_id"])
    except (KeyError, TypeError, ValueError):
        return 0 if event == "INTERACTION_CREATE" else None


def _frame(op: Op, d: Any) -> str:
    return encoded({"op": op, "d": d})


async def _send(socket: web.WebSocketResponse, text: str) -> None:
    """Send to a peer that may have left: its session keeps the event for a resumption."""
    try:
        await socket.send_str(text)
    except ConnectionError:
        return
