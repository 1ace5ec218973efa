"""A scripted HTTP server on 127.0.0.1 that records every request and misbehaves on demand."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.loop_time import pass_time


@dataclass(frozen=True)
class Recorded:
    """A request as it came: ``target`` is the raw request target, ``connection`` counts connections from 1."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """Return a header's value by its name in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


Reply = Callable[[asyncio.StreamWriter], Awaitable[bool]]
"""Writes an answer and returns whether the connection stays open."""
Script = Callable[[Recorded], Reply]


@dataclass(frozen=True)
class Raw:
    """Writes bytes, and then keeps the connection open, closes it, or hangs."""

    data: bytes = b""
    then: Literal["keep", "close", "hang"] = "keep"

    async def __call__(self, writer: asyncio.StreamWriter) -> bool:
        writer.write(self.data)
        await writer.drain()
        if self.then == "hang":
            await asyncio.Event().wait()
        return self.then == "keep"


drop = Raw(then="close")
hang = Raw(then="hang")


def content(body: bytes, status: int = 200, **headers: str) -> Raw:
    """Answer ``body``; header names are written with ``_`` for ``-``."""
    return Raw(_head(status, {"content-length": str(len(body)), **headers}) + body)


def as_json(value: object, status: int = 200, **headers: str) -> Raw:
    return content(json.dumps(value).encode(), status, **{"content_type": "application/json", **headers})


def as_gzip(body: bytes, status: int = 200) -> Raw:
    """Answer ``body`` compressed."""
    return content(gzip.compress(body), status, content_encoding="gzip")


def redirect(location: str, status: int = 302) -> Raw:
    return content(b"", status, location=location)


def verbatim(data: bytes) -> Raw:
    """Write exactly these bytes and close."""
    return Raw(data, "close")


def truncated(body: bytes, *, missing: int) -> Raw:
    """Promise ``missing`` bytes more than are sent, and close."""
    return verbatim(_head(200, {"content-length": str(len(body) + missing)}) + body)


def begun(data: bytes) -> Raw:
    """Write exactly these bytes and then hang."""
    return Raw(data, "hang")


def drip(pause: float) -> Reply:
    """Send an endless body byte by byte, ``pause`` seconds apart."""

    async def write(writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, {"content-length": "1000000"}))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(pause)

    return write


def after(pause: float, reply: Reply) -> Reply:
    """Answer ``pause`` seconds later."""

    async def write(writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(pause)
        return await reply(writer)

    return write


def runs_out(reply: Reply) -> Reply:
    """Begin to reply, and a moment after the request has arrived let a minute pass at once."""

    async def write(writer: asyncio.StreamWriter) -> bool:
        asyncio.get_running_loop().call_later(0.1, pass_time, 60.0)
        return await reply(writer)

    return write


def in_turn(*replies: Reply) -> Script:
    """Give each request the next reply; the last one is repeated."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class Loopback:
    """The server. ``script`` decides each reply; ``accepts`` False closes each connection unread."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self._tls = tls
        self.accepts = True
        self.requests: list[Recorded] = []
        self.connections = 0
        self.most_open = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def open_connections(self) -> int:
        """How many connections the other side holds open."""
        return len(self._open)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every open connection from this side."""
        for writer in self._open:
            writer.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._open.add(writer)
        self.most_open = max(self.most_open, len(self._open))
        try:
            while self.accepts:
                recorded = await _receive(reader, number)
                if recorded is None:
                    break
                self.requests.append(recorded)
                if not await self._reply(recorded, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _reply(self, recorded: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Reply until the other side closes: that is how a cancelled request is noticed."""
        replying = asyncio.ensure_future(self.script(recorded)(writer))
        gone = asyncio.ensure_future(_closed(reader))
        try:
            await asyncio.wait({replying, gone}, return_when=asyncio.FIRST_COMPLETED)
            return replying.done() and replying.result()
        finally:
            replying.cancel()
            gone.cancel()
            await asyncio.gather(replying, gone, return_exceptions=True)


async def _closed(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110 -- a read would notice, but consume data
        await asyncio.sleep(0.005)


async def _receive(reader: asyncio.StreamReader, number: int) -> Recorded | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Recorded(method, target, headers, await reader.readexactly(length), number)


@asynccontextmanager
async def in_a_process(program: str, *arguments: object) -> AsyncIterator[str]:
    """Run a server in a process of its own and yield its address; ``program`` is Python that prints the port."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, *map(str, arguments), stdout=PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()
